"""What a worker of smtpd, a queue or a resolver could do to the router if it
were taken over: end its own link, and nothing else."""
import os
import socket
import time

import pytest

import records
from program import broken_records, is_closed, memfd, wait_for
from router_lab import (MAIL, Router, content, envelope, open_, recipient,
                        stored, whole_message)


@pytest.fixture(scope="module")
def router(tmp_path_factory):
    with Router(tmp_path_factory.mktemp("router")) as router:
        yield router


@pytest.fixture(autouse=True)
def unharmed(router):
    """After each attack: the same process, the same number of descriptors,
    and the other links are still served."""
    before = router.descriptors()
    yield
    assert router.is_alive(), router.read_log()
    whole_message(router.smtpd, router.queue)
    wait_for(lambda: router.descriptors() <= before, what="descriptors")


def test_the_sandbox(router):
    """No privilege, a filter on its calls, and nothing open but sockets."""
    with open(f"/proc/{router.pid}/status") as file:
        status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
    assert status["Seccomp"].strip() == "2"
    assert status["NoNewPrivs"].strip() == "1"
    assert int(status["CapEff"], 16) == 0
    assert "0" not in status["Uid"].split()
    assert "0" not in status["Gid"].split()


# -- smtpd -------------------------------------------------------------------

def bad_smtpd_records():
    return broken_records(
        records.Message("RECIPIENT", 1, number=0,
                        address="daemon@example.org"), "STORED")


@pytest.mark.parametrize("row", bad_smtpd_records(), ids=lambda r: r[0])
def test_smtpd_sends_broken_records(router, row):
    _, octets, fds = row
    link = router.add_peer("smtpd")
    open_(link)
    records.send_raw(link, octets, fds)
    assert is_closed(link)


BAD_OPENS = [
    {"tls_version": "TLSv1.3"}, {"tls_cipher": "AES"},
    {"tls_version": "a b", "tls_cipher": "AES"},
    dict(client_address=""), dict(client_address="192.0.2"),
    dict(client_address="::g"), dict(client_address="1.2.3.4\n"),
    dict(client_name="a b"), dict(client_name="a\r\nb"),
    dict(helo="a\nb"), dict(user="a\nb"), dict(user="x" * 65),
    dict(sender="a"), dict(sender="<a@example.net>"),
    dict(sender="a@example.net\r\nRCPT"), dict(sender="a@" + "b" * 511),
    dict(sender="a\0b@example.net"), dict(protocol=200), dict(body=7),
    dict(listener=4000000000), dict(ret=3), dict(ret=255),
    dict(envid="a b"), dict(envid="a\r\nRCPT"), dict(envid="a+0A"),
    dict(envid="x" * 101), dict(envid="a\0b"),
]


@pytest.mark.parametrize("changes", BAD_OPENS, ids=str)
def test_bad_open(router, changes):
    link = router.add_peer("smtpd")
    open_(link, **changes)
    assert is_closed(link)


BAD_ADDRESSES = [
    "", "daemon", "<daemon@example.org>", "daemon@example.org\n",
    "daemon@example.org daemon@example.org", "a@b@c", "@example.org",
    "daemon@", "|/bin/sh@", "a\0b@example.org", "x" * 600,
]


@pytest.mark.parametrize("address", BAD_ADDRESSES, ids=repr)
def test_bad_recipient(router, address):
    link = router.add_peer("smtpd")
    open_(link)
    records.send(link, "RECIPIENT", 1, number=0, address=address)
    assert is_closed(link)


@pytest.mark.parametrize("wishes", [
    dict(notify=9), dict(notify=0x10), dict(notify=255), dict(orcpt="a"),
    dict(orcpt="rfc822;"), dict(orcpt="rfc822;a\r\nDATA"),
    dict(orcpt="rfc822;a+0Ab"), dict(orcpt="rfc822;" + "x" * 494),
    dict(orcpt="rfc822;a\0b")], ids=str)
def test_bad_wishes_for_reports(router, wishes):
    link = router.add_peer("smtpd")
    open_(link)
    records.send(link, "RECIPIENT", 1, number=0,
                 address="daemon@example.org", **wishes)
    assert is_closed(link)


def test_wishes_for_reports_go_on(router):
    """Through an alias as well; that it expands is told instead of success
    (RFC 3461 5.2.7.3 c)."""
    link = router.add_peer("smtpd")
    open_(link, ret=2, envid="QQ+20x")
    records.send(link, "RECIPIENT", 1, number=0, notify=2 | 4,
                 address="team@example.org", orcpt="rfc822;team@example.org")
    assert records.receive(link)["code"] == 250
    content(link)
    m, routes, _ = envelope(router.queue)
    assert (m["ret"], m["envid"]) == (2, "QQ+20x")
    assert len(routes) > 2
    assert [r["notify"] for r in routes] == [4] * (len(routes) - 1) + [2]
    assert [r["expanded"] for r in routes] == [0] * (len(routes) - 1) + [1]
    assert routes[-1]["address"] == "team@example.org"
    assert {r["orcpt"] for r in routes} == {"rfc822;team@example.org"}
    stored(router.queue, m)
    assert records.receive(link)["code"] == 250
    link.close()


@pytest.mark.parametrize("address, code", [
    ("daemon@example.org", 250), ("DAEMON@EXAMPLE.ORG", 250),
    ("daemon+detail@example.org", 250), ("team@example.org", 250),
    ("postmaster", 250), ("postmaster@example.org", 250),
    ("root@example.org", 550), ("nobody@example.org", 250),
    ("nobody@home.example.org", 550), ("daemon@home.example.org", 550),
    ("bin@home.example.org", 550), ("man@home.example.org", 550),
    ("no-such-user@example.org", 550),
    ('"../etc/passwd"@example.org', 550), ("daemon@example.com", 550),
    ('"|/bin/sh"@example.org', 550), ("-x@example.org", 550),
    ("daemon%example.com@example.org", 550),
    ('"no body"@example.org', 550), ("odd@example.org", 451),
    ("x" * 200 + "@example.org", 550)])
def test_odd_recipients(router, address, code):
    link = router.add_peer("smtpd")
    open_(link)
    assert recipient(link, address)["code"] == code
    link.close()


def send_content(link, handle=1):
    content(link, handle)


def send_recipient(link, handle=1):
    records.send(link, "RECIPIENT", handle, number=0,
                 address="daemon@example.org")


@pytest.mark.parametrize("act", [send_content, send_recipient])
def test_without_a_transaction(router, act):
    link = router.add_peer("smtpd")
    act(link)
    assert is_closed(link)


def test_open_twice(router):
    link = router.add_peer("smtpd")
    open_(link)
    open_(link)
    assert is_closed(link)


@pytest.mark.parametrize("act", [send_content, send_recipient, open_])
def test_out_of_state(router, act):
    """While the queue has the message; which then completes, unheard."""
    link = router.add_peer("smtpd")
    open_(link)
    assert recipient(link)["code"] == 250
    content(link)
    m, _, _ = envelope(router.queue)
    act(link)
    assert is_closed(link)
    stored(router.queue, m)


def test_abandon_in_every_state(router):
    link = router.add_peer("smtpd")
    abandon = records.Message("ABANDON", 1)
    records.send_raw(link, records.encode(abandon))  # nothing to end
    open_(link)
    records.send_raw(link, records.encode(abandon))
    open_(link)
    recipient(link)
    records.send_raw(link, records.encode(abandon))
    open_(link)
    recipient(link)
    content(link)
    records.send_raw(link, records.encode(abandon))
    m, _, _ = envelope(router.queue)
    whole_message(link, router.queue)
    stored(router.queue, m)
    with pytest.raises(TimeoutError):
        records.receive(link, 0.2)
    link.close()


def file_instead(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(MAIL)
    return os.open(path, os.O_RDWR)


CONTENTS = {
    "not-sealed": lambda _: memfd(MAIL, 0),
    "may-grow": lambda _: memfd(MAIL, 0xF & ~4),
    "may-shrink": lambda _: memfd(MAIL, 0xF & ~2),
    "may-be-written": lambda _: memfd(MAIL, 0xF & ~8),
    "may-be-unsealed": lambda _: memfd(MAIL, 0xF & ~1),
    "a-file": file_instead,
    "a-device": lambda _: os.open("/dev/zero", os.O_RDONLY),
    "a-pipe": lambda _: os.pipe()[0],
    "a-folder": lambda _: os.open("/", os.O_RDONLY),
    "a-socket": lambda _: socket.socket().detach(),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_content_that_is_none(router, tmp_path, name):
    link = router.add_peer("smtpd")
    open_(link)
    assert recipient(link)["code"] == 250
    fd = CONTENTS[name](tmp_path)
    records.send(link, "CONTENT", 1, fd=fd, size=len(MAIL), hops=1)
    os.close(fd)
    assert is_closed(link)


@pytest.mark.parametrize("size", [0, len(MAIL) - 1, len(MAIL) + 1,
                                  2**63, 2**64 - 1])
def test_content_of_another_size(router, size):
    link = router.add_peer("smtpd")
    open_(link)
    assert recipient(link)["code"] == 250
    content(link, size=size)
    assert is_closed(link)


def test_content_without_its_descriptor(router):
    link = router.add_peer("smtpd")
    open_(link)
    recipient(link)
    records.send_raw(link, records.encode(
        records.Message("CONTENT", 1, size=0, hops=0)))
    assert is_closed(link)


def test_too_many_transactions(router):
    link = router.add_peer("smtpd")
    for handle in range(1024):
        open_(link, handle)
    assert recipient(link, handle=1023)["code"] == 250
    open_(link, 1024)
    assert is_closed(link)


def test_a_worker_that_reads_nothing(router):
    """Its answers fill its own link, which ends; nobody else waits."""
    link = router.add_peer("smtpd")
    open_(link)
    link.settimeout(20)
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        for number in range(100_000):
            records.send(link, "RECIPIENT", 1, number=number,
                         address="daemon@example.org")
            if number % 5000 == 0:
                start = time.monotonic()
                whole_message(router.smtpd, router.queue, 2)
                assert time.monotonic() - start < 2
    assert "link-full peer=smtpd" in router.read_log()
    link.close()


def test_random_records(router):
    noise = os.urandom
    for length in [1, 2, 5, 6, 7, 8, 20, 100, 1000, 16384] * 10:
        link = router.add_peer("smtpd")
        records.send_raw(link, noise(length))
        assert is_closed(link)


# -- queue -------------------------------------------------------------------

def bad_queue_records():
    return broken_records(
        records.Message("STORED", 1, id=1, code=250, reply="2.0.0 Ok"),
        "OPEN")


@pytest.mark.parametrize("row", bad_queue_records()[::4] +
                         bad_queue_records()[-9:], ids=lambda r: r[0])
def test_queue_sends_broken_records(router, row):
    """What it has is answered 451; the next queue is used."""
    link = router.add_peer("smtpd")
    open_(link)
    assert recipient(link)["code"] == 250
    content(link)
    envelope(router.queue)
    records.send_raw(router.queue, row[1], row[2])
    outcome = records.receive(link)
    assert (outcome.type, outcome["code"]) == ("OUTCOME", 451)
    assert is_closed(router.queue)
    router.new_queue()
    whole_message(link, router.queue)
    link.close()


@pytest.mark.parametrize("changes", [
    dict(id=1), dict(code=0), dict(code=200), dict(code=354),
    dict(code=65535), dict(code=251), dict(code=452, reply="4.3.1 a\r\n250 b"),
    dict(code=452, reply="\x1b[2J")], ids=str)
def test_queue_answers_wrongly(router, changes):
    link = router.add_peer("smtpd")
    open_(link)
    assert recipient(link)["code"] == 250
    content(link)
    m, _, _ = envelope(router.queue)
    stored(router.queue, m, **changes)
    outcome = records.receive(link)
    assert (outcome.type, outcome["code"]) == ("OUTCOME", 451)
    assert is_closed(router.queue)
    router.new_queue()
    link.close()


def test_queue_answers_again(router):
    """Late, twice or never asked for: dropped, and the link stays."""
    m = whole_message(router.smtpd, router.queue)
    for handle in m.handle, 0, 2**32 - 1:
        records.send(router.queue, "STORED", handle, id=m["id"], code=250,
                     reply="2.0.0 Ok")
    with pytest.raises(TimeoutError):
        records.receive(router.smtpd, 0.2)


def inject(queue, handle, address="daemon@example.org", data=MAIL, seals=0xF,
           **changes):
    fd = memfd(data, seals)
    fields = dict(address=address, body=0, size=len(data))
    fields.update(changes)
    records.send(queue, "INJECT", handle, fd=fd, **fields)
    os.close(fd)


def test_reports_of_the_queue(router):
    """They come back over the same link, from nobody, and each names what it
    answers; an address that is refused is said to be."""
    other = router.add_peer("queue")
    inject(router.queue, 17)
    m, routes, data = envelope(router.queue)
    assert (m["inject"], m["sender"], m["client_address"], data) == \
        (17, "", "", MAIL)
    assert [r["user"] for r in routes] == ["daemon"]
    stored(router.queue, m)
    inject(router.queue, 18, "nobody-here@example.org")
    answer = records.receive(router.queue)
    assert (answer.type, answer.handle, answer["code"]) == \
        ("UNROUTED", 18, 550)
    with pytest.raises(TimeoutError):
        records.receive(other, 0.2)
    other.close()


@pytest.mark.parametrize("handle, changes", [
    (0, {}), (1, {"address": "no address"}), (1, {"address": ""}),
    (1, {"size": len(MAIL) + 1}), (1, {"seals": 0}), (1, {"body": 9}),
    (1, {"sender": "no address"}), (1, {"notify": 3}),
    (1, {"orcpt": "none"})],
    ids=str)
def test_reports_that_are_none(router, handle, changes):
    inject(router.queue, handle, **changes)
    assert is_closed(router.queue)
    router.new_queue()
    whole_message(router.smtpd, router.queue)


def test_redirections_of_the_queue(router):
    """With their sender, their wishes, and no more hops than others."""
    inject(router.queue, 0x80000001, sender="s@example.net", hops=50,
           notify=2, orcpt="rfc822;a@example.net")
    m, routes, data = envelope(router.queue)
    assert (m["inject"], m["sender"], data) == \
        (0x80000001, "s@example.net", MAIL)
    assert [(r["notify"], r["orcpt"]) for r in routes] == \
        [(2, "rfc822;a@example.net")]
    stored(router.queue, m)
    inject(router.queue, 0x80000002, sender="s@example.net", hops=51)
    answer = records.receive(router.queue)
    assert (answer.type, answer.handle, answer["code"]) == \
        ("UNROUTED", 0x80000002, 554)


def test_no_queue(router):
    router.queue.close()
    link = router.add_peer("smtpd")
    open_(link)
    wait_for(lambda: recipient(link)["code"] == 451, what="451")
    router.queue = router.add_peer("queue")
    wait_for(lambda: recipient(link)["code"] == 250, what="250")
    link.close()


def test_queue_dies_again_and_again(router):
    link = router.add_peer("smtpd")
    for _ in range(50):
        open_(link)
        if recipient(link)["code"] == 250:
            content(link)
            envelope(router.queue)
            router.new_queue()
            assert records.receive(link)["code"] == 451
    link.close()


def test_workers_come_and_go(router):
    for _ in range(200):
        link = router.add_peer("smtpd")
        open_(link)
        send_recipient(link)
        # Once it answers it has seen the links before this one end.
        assert records.receive(link).type == "VERDICT"
        link.close()


# -- resolver and others -----------------------------------------------------

def test_an_answer_to_no_question(router):
    link = router.add_peer("resolver")
    records.send(link, "ANSWER", 1, kind=0, outcome=0, secure=0, ttl=1,
                 records=b"", reason="")
    assert is_closed(link)


@pytest.mark.parametrize("program", ["remote", "spawn", "local", "ctl"])
def test_a_neighbour_that_it_has_not(router, program):
    link = router.add_peer(program)
    assert is_closed(link)


def test_more_links_than_there_can_be(router):
    links = [router.add_peer("smtpd") for _ in range(100)]
    assert any(is_closed(link, 0.1) for link in links[-3:])
    whole_message(links[0], router.queue)
    for link in links:
        link.close()


# -- the supervisor's wishes -------------------------------------------------

def test_drains(tmp_path):
    """It ends when the last worker has gone and the queue has answered."""
    with Router(tmp_path) as router:
        open_(router.smtpd)
        assert recipient(router.smtpd)["code"] == 250
        records.send(router.supervisor, "DRAIN", seconds=60)
        content(router.smtpd)
        m, _, _ = envelope(router.queue)
        router.smtpd.close()
        time.sleep(0.3)
        assert router.is_alive()
        stored(router.queue, m)
        assert router.process.wait(5) == 0


def test_drains_no_longer_than_it_may(tmp_path):
    with Router(tmp_path) as router:
        records.send(router.supervisor, "DRAIN", seconds=1)
        assert router.process.wait(5) == 0


def test_follows_its_supervisor(tmp_path):
    with Router(tmp_path) as router:
        router.supervisor.close()
        assert router.process.wait(5) == 0


def test_sees_new_aliases(tmp_path):
    """Also through a file that is put in the place of the old one."""
    with Router(tmp_path) as router:
        link = router.add_peer("smtpd")
        open_(link)
        assert recipient(link, "new@example.org")["code"] == 550
        fresh = tmp_path / "aliases.new"
        fresh.write_text("new: daemon\n")
        fresh.chmod(0o644)
        fresh.rename(router.aliases)
        wait_for(lambda: recipient(link, "new@example.org")["code"] == 250,
                 what="the new alias")
        assert recipient(link, "team@example.org")["code"] == 550
        router.aliases.chmod(0o600)
        wait_for(lambda: recipient(link, "new@example.org")["code"] == 451,
                 what="a look-up that fails")
        router.aliases.chmod(0o644)
        wait_for(lambda: recipient(link, "new@example.org")["code"] == 250,
                 what="the alias again")
        link.close()
