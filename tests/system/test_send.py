"""Mail that leaves for another host: MX, addresses, replies, retries."""
import uuid

import pytest

from lab import Postern, ScriptedServer, wait_for

HERE = "192.0.2.10"


def submit(client, recipients, sender="alice@here.test", server=HERE):
    """Hands a message over to be relayed; returns its id and token."""
    token = uuid.uuid4().hex
    recipients = [recipients] if isinstance(recipients, str) else recipients
    with client.smtp(server) as smtp:
        smtp.ehlo()
        smtp.mail(sender)
        for recipient in recipients:
            assert smtp.rcpt(recipient)[0] == 250
        code, reply = smtp.data(f"Subject: {token}\n\nbody {token}\n.dot\n")
    assert code == 250
    return reply.decode().split()[-1], token


def item(postern, ident):
    rows = [r for r in postern.ctl_json("queue") if r["id"] == ident]
    return rows[0] if rows else None


def settled(postern, ident):
    """The queue's row after at least one attempt."""
    def look():
        row = item(postern, ident)
        return row if row and row["attempts"] > 0 and row["reply"] and \
            not row["in_flight"] else None
    return wait_for(f"an attempt for {ident}", look)


def gone(postern, ident):
    wait_for(f"{ident} to leave the queue", lambda: not item(postern, ident))


def arrived(there, token):
    return wait_for("mail at the foreign host", lambda: [
        t for t in there.delivered().values() if f"body {token}" in t])


@pytest.fixture
def domain():
    """A domain of its own, so that no other test has slowed it down."""
    return f"{uuid.uuid4().hex[:8]}.other.test"


def drop(postern, ident):
    # What has failed may be gone: its sender was told.
    postern.ctl("remove", ident, check=False)


@pytest.mark.parametrize("name", [
    "there.test", "both.test", "six.test", "implicit.test"])
def test_to_postfix_by_mx(postern, client, there, name):
    """Plain; first MX dead; first address (IPv6) dead; no MX, but an A."""
    ident, token = submit(client, f"someone@{name}")
    texts = arrived(there, token)
    gone(postern, ident)
    assert len(texts) == 1
    assert texts[0].endswith(f"body {token}\n.dot\n")
    assert f"id {ident}" in texts[0]
    trace = postern.ctl("trace", ident).stdout
    assert "accepted" in trace and "delivered" in trace
    assert "192.0.2.20" in trace


def test_swaks_relays(postern, client, there):
    token = uuid.uuid4().hex
    client.run("swaks", "--server", HERE, "--from", "alice@here.test", "--to",
               "someone@there.test", "--body", f"body {token}")
    arrived(there, token)


def test_alias_that_leads_abroad(postern, stranger, there):
    token = uuid.uuid4().hex
    with stranger.smtp(HERE) as smtp:
        smtp.sendmail("eve@else.test", ["abroad@here.test"],
                      f"Subject: x\n\nbody {token}\n")
    arrived(there, token)


@pytest.mark.parametrize("name, state, text", [
    ("nullmx.test", "failed", "5.1.10"),
    ("no-such-domain.there.test", "failed", "5.1.2"),
    ("loop.test", "failed", "5.4.6"),
    ("lower.test", "failed", "5.4.6"),
    ("unserved.example", "waiting", "4.4.3"),
])
def test_dns_says_no(postern, client, name, state, text):
    """Null MX, no such name, ourselves as (best) MX; and REFUSED, which is
    never final."""
    ident, _ = submit(client, f"someone@{name}")
    row = settled(postern, ident)
    assert (row["state"], text in row["reply"]) == (state, True), row
    assert text in postern.ctl("why", ident).stdout
    drop(postern, ident)


@pytest.fixture
def scripted(lab):
    servers = []

    def start(talk):
        servers.append(ScriptedServer(lab.hosts["other"], talk))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


EHLO = "250-mx.other.test\n250-PIPELINING\n250 8BITMIME"


def script(**replies):
    """A conversation in which each verb has its reply; None drops the
    connection."""
    def talk(c):
        def answer(verb, usual):
            reply = replies.get(verb, usual)
            if reply is None:
                c.drop()
            c.say(reply)
            return reply
        answer("greeting", "220 mx.other.test")
        while True:
            verb = c.hear().split()[0].split(":")[0].upper()
            usual = {"EHLO": EHLO, "HELO": "250 mx", "QUIT": "221 bye",
                     "DATA": "354 go on"}.get(verb, "250 2.0.0 ok")
            if answer(verb, usual).startswith("354"):
                c.hear_content()
                answer("dot", "250 2.0.0 taken")
    return talk


@pytest.mark.parametrize("replies, state, text", [
    ({"RCPT": "550-5.1.1 no such\n550 5.1.1 person"}, "failed", "person"),
    ({"RCPT": "450 4.2.0 greylisted"}, "waiting", "450 4.2.0 greylisted"),
    ({"MAIL": "550 5.7.1 not you"}, "failed", "550 5.7.1 not you"),
    ({"MAIL": "451 4.3.0 later"}, "waiting", "451 4.3.0 later"),
    ({"DATA": "451 4.3.0 not now"}, "waiting", "451 4.3.0 not now"),
    ({"dot": "554 5.6.0 bad content"}, "failed", "554 5.6.0 bad content"),
    ({"dot": "452 4.2.2 full"}, "waiting", "452 4.2.2 full"),
    ({"dot": None}, "waiting", "4.4.2"),
    ({"MAIL": None}, "waiting", "4.4.2"),
    ({"greeting": None}, "waiting", "4."),
    ({"greeting": "421 4.3.2 busy"}, "waiting", "421 4.3.2 busy"),
    ({"greeting": "moo"}, "waiting", "4."),
    ({"RCPT": "2x0 huh"}, "waiting", "4."),
])
def test_replies(postern, client, scripted, domain, replies, state, text):
    scripted(script(**replies))
    ident, _ = submit(client, f"someone@{domain}")
    row = settled(postern, ident)
    assert (row["state"], text in row["reply"]) == (state, True), row
    drop(postern, ident)


def test_helo_fallback_and_second_try(postern, client, scripted, domain):
    """EHLO refused: HELO; a first 4xx, then the administrator's retry."""
    first = scripted(script(EHLO="502 5.5.1 what", RCPT="450 4.2.0 later"))
    ident, token = submit(client, f"someone@{domain}")
    settled(postern, ident)
    assert any(line.startswith("HELO ") for line in first.transcripts[0])
    first.close()
    second = scripted(script(EHLO="502 5.5.1 what"))
    postern.ctl("retry", ident)
    gone(postern, ident)
    assert any(f"body {token}\r\n" in t for t in second.transcripts[-1:])


def test_each_recipient_has_its_own_fate(postern, client, scripted, domain):
    def talk(c):
        c.say("220 mx.other.test")
        while True:
            line = c.hear()
            verb = line.split()[0].upper()
            if verb == "EHLO":
                c.say(EHLO)
            elif verb == "RCPT" and "good" in line:
                c.say("250 ok")
            elif verb == "RCPT" and "bad" in line:
                c.say("550 5.1.1 bad")
            elif verb == "RCPT":
                c.say("450 4.2.1 slow")
            elif verb == "DATA":
                c.say("354 go")
                c.hear_content()
                c.say("250 taken")
            else:
                c.say("250 ok")

    server = scripted(talk)
    ident, token = submit(client, [f"{w}@{domain}"
                                   for w in ("good", "bad", "slow")])
    settled(postern, ident)
    rows = wait_for("two to remain", lambda: (
        lambda rows: rows if len(rows) == 2 and not any(
            r["in_flight"] for r in rows) else None)(
                [r for r in postern.ctl_json("queue") if r["id"] == ident]))
    assert {(r["recipient"].split("@")[0], r["state"]) for r in rows} == \
        {("bad", "failed"), ("slow", "waiting")}
    received = "".join(server.transcripts[0])
    assert received.count(f"body {token}") == 1
    drop(postern, ident)


def test_too_many_recipients(postern, client, scripted, domain):
    """A host that takes ten at a time, and ends the connection of who asks for
    too many more: all are there after as many transactions as that takes, now
    and not after five minutes."""
    most, taken = 10, []

    def talk(c):
        errors = recipients = 0
        c.say("220 mx.other.test")
        while True:
            line = c.hear()
            verb = line.split()[0].split(":")[0].upper()
            if verb == "EHLO":
                c.say(EHLO)
            elif verb == "RCPT" and recipients < most:
                recipients += 1
                c.say("250 ok")
            elif verb == "RCPT":
                errors += 1
                if errors > 20:
                    c.say("421 4.7.0 too many errors")
                    return
                c.say("452 4.5.3 too many recipients")
            elif verb == "DATA":
                c.say("354 go")
                c.hear_content()
                taken.append(recipients)
                recipients = 0
                c.say("250 taken")
            else:
                c.say("250 ok")

    server = scripted(talk)
    ident, token = submit(client, [f"u{i}@{domain}" for i in range(95)])
    gone(postern, ident)
    assert taken == [10] * 9 + [5]
    # The first one ended for its errors; the other one was used again.
    assert len(server.transcripts) == 2


def test_a_thousand_recipients(postern, client, scripted, domain):
    """As many in a transaction as every host must take (RFC 5321 4.5.3.1.8)."""
    server = scripted(script())
    recipients = [f"u{i}@{domain}" for i in range(1000)]
    ident, token = submit(client, recipients)
    gone(postern, ident)
    lines = [line for t in server.transcripts for line in t]
    assert sum(f"body {token}" in line for line in lines) == 10
    assert sorted(line[len("RCPT TO:<"):-3] for line in lines
                  if line.startswith("RCPT")) == sorted(recipients)
    assert len(server.transcripts) < 10


def test_connections_are_used_again(postern, client, scripted, domain):
    server = scripted(script())
    for _ in range(10):
        ident, token = submit(client, f"someone@{domain}")
        gone(postern, ident)
    assert len(server.transcripts) == 1
    assert sum(line.startswith("MAIL") for line in server.transcripts[0]) == 10


def test_smart_host(lab, client, there, config):
    """relay "NAME" via HOST: no MX look-up, another port."""
    server = ScriptedServer(lab.hosts["other"], script(), port=2525)
    config = config.replace(
        "accept from address 192.0.2.40 relay",
        'relay "smart" via "mx.other.test" port 2525\n'
        'accept from address 192.0.2.40 relay "smart"')
    postern = Postern(lab.hosts["second"], config, name="smart")
    try:
        ident, token = submit(client, "someone@there.test",
                              server="192.0.2.60")
        gone(postern, ident)
        assert any(f"body {token}\r\n" in t for t in server.transcripts)
    finally:
        postern.close()
        server.close()
