"""Mail that comes in by SMTP and ends in a mailbox, or is refused."""
import smtplib
import uuid

import pytest

from lab import run, wait_for

HERE = "192.0.2.10"


def message(token, **headers):
    lines = [f"{k}: {v}" for k, v in headers.items()]
    return "\r\n".join([f"Subject: {token}", *lines, "", f"body {token}", ""])


def arrived(lab, user, token):
    return [t for t in lab.mail_of(user).values() if f"body {token}" in t]


def send(host, sender, recipients, **headers):
    token = uuid.uuid4().hex
    with host.smtp(HERE) as smtp:
        refused = smtp.sendmail(sender, recipients, message(token, **headers))
    return token, refused


def wait_for_mail(lab, user, token):
    return wait_for(f"mail of {user}", lambda: arrived(lab, user, token))[0]


def test_python_to_mailbox(lab, postern, stranger):
    token, _ = send(stranger, "eve@else.test", ["alice@here.test"])
    text = wait_for_mail(lab, "alice", token)
    assert text.startswith("Return-Path: <eve@else.test>\n")
    assert "Delivered-To: alice@here.test\n" in text
    assert "Received: from client.test" in text
    assert "[192.0.2.50]" in text
    assert "with ESMTP id " in text
    assert "\r" not in text


def test_swaks_to_mailbox_over_ipv6(lab, postern, stranger):
    token = uuid.uuid4().hex
    stranger.run("swaks", "--server", "2001:db8::10", "--from",
                 "eve@else.test", "--to", "bob@here.test", "--body",
                 f"body {token}", "--pipeline")
    assert "IPv6:2001:db8::50" in wait_for_mail(lab, "bob", token)


def test_postfix_to_mailbox(lab, postern, there):
    token = uuid.uuid4().hex
    there.send("root@there.test", "carol@here.test",
               f"Subject: x\n\nbody {token}\n.\n..two\n")
    text = wait_for_mail(lab, "carol", token)
    assert text.endswith(f"body {token}\n.\n..two\n")


def test_id_is_the_same_everywhere(lab, postern, stranger):
    token = uuid.uuid4().hex
    with stranger.smtp(HERE) as smtp:
        smtp.ehlo()
        smtp.mail("eve@else.test")
        smtp.rcpt("alice@here.test")
        code, reply = smtp.data(message(token))
    assert code == 250
    ident = reply.decode().split()[-1]
    text = wait_for_mail(lab, "alice", token)
    assert f"id {ident}" in text
    wait_for("the log", lambda: f"delivered id={ident}" in postern.log())
    assert f"accepted id={ident}" in postern.log()
    assert ident in postern.ctl("trace", ident).stdout


def test_forged_return_path_is_removed(lab, postern, stranger):
    token, _ = send(stranger, "eve@else.test", ["alice@here.test"],
                    **{"Return-Path": "<forged@else.test>"})
    text = wait_for_mail(lab, "alice", token)
    assert "forged@else.test" not in text


def test_null_sender_and_case_and_detail(lab, postern, stranger):
    token, _ = send(stranger, "", ["Alice+List@HERE.test"])
    text = wait_for_mail(lab, "alice", token)
    assert text.startswith("Return-Path: <>\n")


def test_postmaster_without_domain(lab, postern, stranger):
    token, _ = send(stranger, "eve@else.test", ["postmaster"])
    wait_for_mail(lab, "alice", token)


@pytest.mark.parametrize("alias, users", [
    ("sales", ["bob", "carol"]), ("team", ["bob", "carol", "dave"])])
def test_aliases(lab, postern, stranger, alias, users):
    token, _ = send(stranger, "eve@else.test", [f"{alias}@here.test",
                                                "bob@here.test"])
    for user in users:
        wait_for_mail(lab, user, token)
    wait_for("an empty queue", lambda: not postern.ctl_json("queue"))
    assert len(arrived(lab, "bob", token)) == 1


def code_of(host, recipient, sender="eve@else.test"):
    with host.smtp(HERE) as smtp:
        smtp.ehlo()
        smtp.mail(sender)
        code, reply = smtp.rcpt(recipient)
    return code, reply.decode()


@pytest.mark.parametrize("recipient, code, status", [
    ("nobody-there@here.test", 550, "5.1.1"),
    ("root@here.test", 550, "5.1.1"),
    ("nobody@here.test", 550, "5.1.1"),  # who has no home
    ("foo/bar@here.test", 550, "5.1.1"),
    ('"foo bar"@here.test', 550, "5.1.1"),
    ("someone@there.test", 550, "5.7.1"),
    ("alice%there.test@else.test", 550, "5.7.1"),
    ("@here.test:someone@there.test", 550, "5.7.1"),
    ("ring@here.test", 451, "4.3.5"),  # a loop: the administrator's to mend
])
def test_refused_recipients(postern, stranger, recipient, code, status):
    got, reply = code_of(stranger, recipient)
    assert (got, reply.startswith(status)) == (code, True), reply


@pytest.mark.parametrize("target", [
    "foo/bar", '"foo bar"', "x" * 65, "\\foo/bar"], ids=range(4))
def test_an_alias_that_names_no_login(lab, postern, stranger, target):
    """Its mail waits until it is mended; all other mail flows on."""
    aliases, pids = lab.dir / "aliases", postern.pids()
    before, logged = aliases.read_text(), len(postern.log())
    try:
        aliases.write_text(f"{before}odd: bob, {target}\n")
        wait_for("the new alias",
                 lambda: code_of(stranger, "odd@here.test")[0] != 550)
        code, reply = code_of(stranger, "odd@here.test")
        assert (code, reply[:5]) == (451, "4.3.5"), reply
        assert f'alias-fault id=' in postern.log()
        assert f'file="{aliases}" line={len(before.splitlines()) + 1} ' \
            'key="odd"' in postern.log()
        token, _ = send(stranger, "eve@else.test", ["bob@here.test"])
        wait_for_mail(lab, "bob", token)
    finally:
        aliases.write_text(before)
        wait_for("the old aliases",
                 lambda: code_of(stranger, "odd@here.test")[0] == 550)
    assert postern.pids() == pids
    for log in ("link-closed peer=queue", "link-closed peer=router"):
        assert log not in postern.log()[logged:]


def test_too_many_hops_is_refused(postern, stranger):
    headers = "".join(f"Received: from h{i} by h{i}\r\n" for i in range(51))
    with stranger.smtp(HERE) as smtp:
        with pytest.raises(smtplib.SMTPDataError) as error:
            smtp.sendmail("eve@else.test", ["alice@here.test"],
                          headers + "\r\nx\r\n")
    assert error.value.smtp_code == 554
    assert error.value.smtp_error.startswith(b"5.4.6")


def raw(host, data, replies):
    """Sends octets as they are and returns all that comes back."""
    with host.connect(HERE) as sock:
        file = sock.makefile("rb")
        file.readline()
        sock.sendall(data)
        return [file.readline().decode() for _ in range(replies)]


GROUP = (b"HELO client.test\r\nMAIL FROM:<eve@else.test>\r\n"
         b"RCPT TO:<alice@here.test>\r\nDATA\r\n")


@pytest.mark.parametrize("ending", [
    b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n"])
def test_smuggling_is_refused(lab, postern, stranger, ending):
    token = uuid.uuid4().hex.encode()
    smuggled = (b"MAIL FROM:<smuggler@else.test>\r\n"
                b"RCPT TO:<bob@here.test>\r\nDATA\r\n"
                b"Subject: x\r\n\r\nbody " + token)
    with stranger.connect(HERE) as sock:
        file = sock.makefile("rb")
        file.readline()
        for line in GROUP.splitlines(keepends=True):
            sock.sendall(line)
            reply = file.readline()
        assert reply.startswith(b"354")
        sock.sendall(b"Subject: y\r\n\r\nfirst " + token + ending + smuggled +
                     b"\r\n.\r\n")
        assert file.readline().startswith(b"550 5.5.2")
        sock.sendall(b"QUIT\r\n")
        assert file.readline().startswith(b"221")
    assert not arrived(lab, "bob", token.decode())
    assert not postern.ctl_json("queue")


def test_http_is_shown_the_door(postern, stranger):
    with stranger.connect(HERE) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n"
                     b"HELO x\r\nMAIL FROM:<>\r\n")
        data = b""
        while chunk := sock.recv(4096):
            data += chunk
    assert b"250 2.1.0" not in data


def test_dots_and_long_lines_survive(lab, postern, stranger):
    token = uuid.uuid4().hex
    body = f"body {token}\n.\n..\n.x\n" + "y" * 5000 + "\n"
    with stranger.smtp(HERE) as smtp:
        smtp.sendmail("eve@else.test", ["dave@here.test"],
                      "Subject: dots\n\n" + body)
    assert wait_for_mail(lab, "dave", token).endswith(body)


def test_a_large_message(lab, postern, stranger):
    token = uuid.uuid4().hex
    body = f"body {token}\n" + ("z" * 76 + "\n") * 100_000
    with stranger.smtp(HERE) as smtp:
        smtp.sendmail("eve@else.test", ["dave@here.test"],
                      "Subject: big\n\n" + body)
    assert wait_for_mail(lab, "dave", token).endswith(body)


def test_announced_and_real_size_over_the_limit(postern, stranger):
    with stranger.smtp(HERE) as smtp:
        smtp.ehlo()
        limit = int(smtp.esmtp_features["size"])
        assert smtp.mail("e@else.test", [f"SIZE={limit + 1}"])[0] == 552
        smtp.mail("e@else.test")
        smtp.rcpt("alice@here.test")
        code, _ = smtp.data("x" * 70 + "\r\n" + ("y" * 998 + "\r\n") *
                            (limit // 1000 + 2))
        assert code == 552
        assert smtp.noop()[0] == 250


def text_of_size(octets):
    """A message of exactly so many octets as it is sent."""
    head = f"Subject: size\r\n\r\nbody {uuid.uuid4().hex}\r\n"
    lines, rest = divmod(octets - len(head), 80)
    return head + ("z" * 78 + "\r\n") * lines + \
        ("y" * (rest - 2) + "\r\n" if rest else "")


@pytest.mark.parametrize("announced", [True, False])
def test_as_large_as_announced_and_one_octet_more(lab, postern, stranger,
                                                  announced):
    """Our own trace header is not the client's."""
    with stranger.smtp(HERE) as smtp:
        smtp.ehlo()
        limit = int(smtp.esmtp_features["size"])
        for size, code in ((limit, 250), (limit + 1, 552)):
            text = text_of_size(size)
            assert len(text) == size
            options = [f"SIZE={size}"] if announced else []
            got = smtp.mail("e@else.test", options)[0]
            if got == 250:
                assert smtp.rcpt("dave@here.test")[0] == 250
                got = smtp.data(text)[0]
            assert got == code
            smtp.rset()
            if code == 250:
                token = text.split()[3]
                wait_for_mail(lab, "dave", token)
    lab.empty_mailboxes()


def test_programs_stand_on_their_own_libraries(postern):
    """Only queue and its tool link LMDB, only resolver libunbound."""
    from lab import STAGE, SBIN
    libexec = STAGE / "usr/local/libexec/postern"
    for program in [*libexec.iterdir(), *SBIN.iterdir()]:
        needed = run("readelf", "-d", program).stdout
        assert ("liblmdb" in needed) == (program.name in
                                         ("queue", "postern-store"))
        assert ("libunbound" in needed) == (program.name == "resolver")
        assert "BIND_NOW" in needed
