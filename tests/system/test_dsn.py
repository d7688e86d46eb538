"""RFC 3461: what a client says about reports, through the house and on."""
import re
import time
import uuid

import pytest

from lab import ScriptedServer, wait_for
from test_send import arrived, gone, item, script, settled

HERE = "192.0.2.10"
ORCPT = "rfc822;first+2Bname@elsewhere.test"


@pytest.fixture
def domain():
    return f"{uuid.uuid4().hex[:8]}.other.test"


def submit(client, mail, rcpts, sender="alice@here.test"):
    """One message with these parameters; returns its id and token."""
    token = uuid.uuid4().hex
    with client.smtp(HERE) as smtp:
        smtp.ehlo()
        assert smtp.has_extn("dsn")
        assert smtp.docmd(f"MAIL FROM:<{sender}> {mail}")[0] == 250
        for to, parameters in rcpts:
            assert smtp.docmd(f"RCPT TO:<{to}> {parameters}")[0] == 250
        code, reply = smtp.data(f"Subject: {token}\n\nbody {token}\n")
    assert code == 250
    return reply.decode().split()[-1], token


def heard(server, token):
    """The envelope that the host of the transcript with the token heard."""
    lines = next(t for t in server.transcripts if f"body {token}\r\n" in t)
    return [l.rstrip() for l in lines if re.match("MAIL|RCPT", l)]


@pytest.fixture
def other(lab):
    servers = []

    def start(ehlo):
        servers.append(ScriptedServer(lab.hosts["other"],
                                      script(EHLO=ehlo)))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize("mail, rcpt", [
    ("RET=ALL", ""), ("ENVID=a=b", ""), ("ENVID=+0A", ""),
    ("ENVID=" + "x" * 101, ""), ("RET=FULL RET=HDRS", ""),
    ("", "NOTIFY=NEVER,DELAY"), ("", "NOTIFY="), ("", "ORCPT=nobody"),
    ("", "ORCPT=rfc822;" + "x" * 494), ("", "NOTIFY=DELAY NOTIFY=DELAY")])
def test_what_is_wrong_is_refused(postern, client, mail, rcpt):
    with client.smtp(HERE) as smtp:
        smtp.ehlo()
        code, reply = smtp.docmd(f"MAIL FROM:<alice@here.test> {mail}")
        if not mail:
            assert code == 250
            code, reply = smtp.docmd(f"RCPT TO:<bob@here.test> {rcpt}")
    assert (code, reply[:5]) == (501, b"5.5.4")


def test_to_a_host_with_dsn_as_given(postern, client, other, domain):
    server = other("250-mx.other.test\n250 DSN")
    ident, token = submit(client, "RET=HDRS ENVID=QQ+2B314159", [
        (f"a@{domain}", f"NOTIFY=success,delay ORCPT={ORCPT}"),
        (f"b@{domain}", "NOTIFY=NEVER"), (f"c@{domain}", "")])
    gone(postern, ident)
    assert heard(server, token) == [
        "MAIL FROM:<alice@here.test> RET=HDRS ENVID=QQ+2B314159",
        f"RCPT TO:<a@{domain}> NOTIFY=SUCCESS,DELAY ORCPT={ORCPT}",
        f"RCPT TO:<b@{domain}> NOTIFY=NEVER", f"RCPT TO:<c@{domain}>"]


def test_to_a_host_without_dsn(postern, client, other, domain):
    server = other("250-mx.other.test\n250 8BITMIME")
    ident, token = submit(client, "RET=FULL ENVID=x", [
        (f"a@{domain}", f"NOTIFY=SUCCESS ORCPT={ORCPT}"),
        (f"b@{domain}", "NOTIFY=NEVER")])
    gone(postern, ident)
    assert heard(server, token) == [
        "MAIL FROM:<alice@here.test>", f"RCPT TO:<a@{domain}>",
        f"RCPT TO:<b@{domain}>"]


def test_shown_and_kept_over_a_restart(postern, client, other, domain):
    """In `show`, in its JSON; and after a restart."""
    server = ScriptedServer(client.lab.hosts["other"], script(
        RCPT="450 4.2.0 later"))
    try:
        ident, token = submit(client, "RET=HDRS ENVID=QQ+20x", [
            (f"a@{domain}", f"NOTIFY=FAILURE ORCPT={ORCPT}")])
        settled(postern, ident)
    finally:
        server.close()
    shown = postern.ctl("show", ident).stdout
    for line in ("ret        HDRS", "envid      QQ+20x",
                 "  notify   FAILURE", f"  orcpt    {ORCPT}"):
        assert f"{line}\n" in shown
    message, recipient = postern.ctl_json("show", ident)
    assert (message["ret"], message["envid"]) == ("HDRS", "QQ+20x")
    assert (recipient["notify"], recipient["orcpt"]) == ("FAILURE", ORCPT)
    server = other("250-mx.other.test\n250 DSN")
    postern.stop()
    postern.start()
    wait_for("the queue", lambda: item(postern, ident))
    postern.ctl("retry", ident)
    gone(postern, ident)
    assert heard(server, token) == [
        "MAIL FROM:<alice@here.test> RET=HDRS ENVID=QQ+20x",
        f"RCPT TO:<a@{domain}> NOTIFY=FAILURE ORCPT={ORCPT}"]


def test_two_hops(lab, postern, client, there):
    """Postfix reports success to the sender by way of us: with the ENVID and
    the ORCPT that the client gave to the first hop."""
    lab.empty_mailboxes()
    ident, token = submit(client, "RET=HDRS ENVID=QQ+2B314159", [
        ("someone@there.test", f"NOTIFY=SUCCESS ORCPT={ORCPT}")])
    arrived(there, token)
    gone(postern, ident)
    report, = wait_for("the report", lambda: [
        t for t in lab.mail_of("alice").values() if token in t])
    assert re.search("^Original-Envelope-Id: QQ\\+314159$", report, re.M)
    assert re.search("^Original-Recipient: rfc822; ?"
                     "first\\+name@elsewhere.test$", report, re.M)
    assert re.search("^Action: delivered$", report, re.M)
    assert "text/rfc822-headers" in report.lower()
    assert f"body {token}" not in report  # RET=HDRS


def test_an_alias_passes_it_on(postern, client, there, lab):
    """RFC 3461 5.2.7: one address behind it."""
    lab.empty_mailboxes()
    _, token = submit(client, "", [
        ("abroad@here.test",
         "NOTIFY=SUCCESS ORCPT=rfc822;abroad@here.test")])
    report, = wait_for("the report", lambda: [
        t for t in lab.mail_of("alice").values() if token in t])
    assert "Original-Recipient: rfc822" in report
    assert "abroad@here.test" in report


def test_an_alias_of_several_says_that_it_expands(postern, client, lab):
    """RFC 3461 5.2.7.3 c: one report, which does not say who is there."""
    lab.empty_mailboxes()
    ident, token = submit(client, "ENVID=QQ1", [
        ("team@here.test",
         "NOTIFY=SUCCESS ORCPT=rfc822;team@here.test")])
    for user in ("bob", "carol", "dave"):
        wait_for("the mail", lambda u=user: [
            t for t in lab.mail_of(u).values() if token in t])
    report, = wait_for("the report", lambda: [
        t for t in lab.mail_of("alice").values() if token in t])
    assert "Original-Envelope-Id: QQ1" in report
    assert "Original-Recipient: rfc822;team@here.test" in report
    assert "Final-Recipient: rfc822; team@here.test" in report
    assert "Action: expanded" in report and "Status: 2.0.0" in report
    assert "bob" not in report and "dave" not in report
    wait_for("an empty queue", lambda: not postern.ctl_json("queue"))
    time.sleep(4)
    assert len([t for t in lab.mail_of("alice").values() if token in t]) == 1
    events = [(e["event"], e["address"])
              for e in postern.ctl_json("trace", ident)]
    assert ("bounced", "team@here.test") in events
