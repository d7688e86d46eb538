"""What became of a message: every part of its life, told by real peers, also
after it has gone and after a restart."""
import contextlib
import re
import uuid

import pytest

from lab import Postern, ScriptedServer, wait_for
from test_send import arrived, gone, item, script, settled, submit

HERE = "192.0.2.10"


@pytest.fixture
def scripted(lab):
    servers = []

    def start(talk):
        servers.append(ScriptedServer(lab.hosts["other"], talk))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def domain():
    return f"{uuid.uuid4().hex[:8]}.other.test"


def life(postern, subject):
    return postern.ctl_json("trace", subject)


def rule(postern, text):
    """The line of the configuration that begins so."""
    lines = postern.config_file.read_text().splitlines()
    return next(n for n, line in enumerate(lines, 1) if line.startswith(text))


def told(postern, ident):
    """As people read it; no line wider than a terminal."""
    out = postern.ctl("trace", ident).stdout
    assert all(len(line) <= 80 for line in out.splitlines()), out
    return " ".join(out.split())


def restart(postern):
    postern.stop()
    postern.start()


def has(found, /, **wanted):
    wrong = {k: found[k] for k, v in wanted.items() if found[k] != v}
    assert not wrong, found


def test_a_whole_life(postern, client, there):
    """Accepted from a client, one host tried in vain, delivered by Postfix."""
    ident, token = submit(client, "someone@both.test")
    arrived(there, token)
    gone(postern, ident)
    restart(postern)
    events = life(postern, ident)
    assert [e["event"] for e in events] == ["accepted", "tried", "delivered"]
    accepted, tried, delivered = events
    size = accepted["size"]
    has(accepted, address="someone@both.test", sender="alice@here.test",
        original="someone@both.test", destination="mx:both.test",
        host_address="192.0.2.40", port=0, tls_version="", tls_cipher="",
        user="", protocol="ESMTP", route="mx", name="", owner="", aliases=[],
        config=str(postern.config_file),
        rule=rule(postern, "accept from address 192.0.2.40"))
    assert accepted["helo"] and size > len(token)
    has(tried, address="", host="dead.both.test", host_address="192.0.2.99",
        port=25, tls_version="", attempt=0)
    assert tried["detail"].startswith("4.4.1 connect: ")
    has(delivered, address="someone@both.test", host="mx.both.test",
        host_address="192.0.2.20", port=25, tls_version="", tls_cipher="",
        attempt=1, next_try=None, by_uid=None)
    assert delivered["detail"].startswith("250 2.0.0 Ok: queued as ")
    assert 0 < delivered["took_ms"] < 60000
    words = told(postern, ident)
    for part in (f"accepted from alice@here.test to someone@both.test",
                 "[192.0.2.40], plain text, HELO", f"ESMTP, {size} octets",
                 f"by the rule in line {accepted['rule']} of "
                 f"{postern.config_file}",
                 "to the mail hosts of its domain, in line for mx:both.test",
                 "dead.both.test [192.0.2.99]:25, plain text, in",
                 "mx.both.test [192.0.2.20]:25, plain text, attempt 1, in "
                 f"{delivered['took_ms']} ms", delivered["detail"]):
        assert part in words, (part, words)


def test_aliases(lab, postern, stranger):
    """A list in a list: each recipient says by which way it was found."""
    lab.empty_mailboxes()
    with stranger.smtp(HERE) as smtp:
        smtp.ehlo("strange.else.test")
        smtp.mail("eve@else.test")
        assert smtp.rcpt("Team@here.test")[0] == 250
        code, reply = smtp.data("Subject: x\n\nhello\n")
    assert code == 250
    ident = reply.decode().split()[-1]
    gone(postern, ident)
    restart(postern)
    events = life(postern, ident)
    accepted = {e["owner"]: e for e in events if e["event"] == "accepted"}
    assert set(accepted) == {"bob", "carol", "dave"}

    def step(key):
        file = lab.dir / "aliases"
        line = next(n for n, text in enumerate(
            file.read_text().splitlines(), 1) if text.startswith(key + ":"))
        return {"key": key, "mailbox": "people", "table": "aliases",
                "file": str(file), "line": line}

    for owner, e in accepted.items():
        has(e, original="Team@here.test", sender="eve@else.test",
            address=f"{owner}@here.test", route="mailbox", name="people",
            destination=f"local:{owner}", helo="strange.else.test",
            host_address="192.0.2.50", aliases_cut=False,
            rule=rule(postern, 'accept to domain "here.test"'))
        assert e["aliases"] == ([step("team")] if owner == "dave" else
                                [step("team"), step("sales")])
    delivered = [e for e in events if e["event"] == "delivered"]
    assert {e["address"] for e in delivered} == {
        f"{n}@here.test" for n in ("bob", "carol", "dave")}
    for e in delivered:
        has(e, host="mail.here.test", host_address="", port=0, attempt=1)
        assert e["took_ms"] < 60000
    words = told(postern, ident)
    assert f"given as Team@here.test by the alias team of the table " \
        f"aliases of the mailbox people in {lab.dir}/aliases:" in words
    # By what it was before and by what became of it, in any case.
    for address in ("team@here.test", "TEAM@HERE.TEST", "Bob@here.test",
                    "dave@here.test", "eve@ELSE.test"):
        assert ident in {e["id"] for e in life(postern, address)}, address
    assert postern.ctl("trace", "alice2@here.test",
                       check=False).returncode == 66


def test_replies_and_acts(postern, client, scripted, domain):
    """A reply of several lines, held, released, tried again, removed."""
    reply = "450-4.2.0 first\n450-4.2.0 second\n450 4.2.0 come back"
    scripted(script(RCPT=reply))
    ident, _ = submit(client, f"someone@{domain}")
    settled(postern, ident)
    for verb in "hold", "release", "retry", "remove":
        postern.ctl(verb, ident)
    gone(postern, ident)
    restart(postern)
    events = life(postern, ident)
    deferred = next(e for e in events if e["event"] == "deferred")
    has(deferred, host="mx.other.test", host_address="192.0.2.30", port=25,
        detail=reply.replace("\n", "\r\n"), attempt=1, tls_version="")
    assert deferred["next_try"] > deferred["time"]
    acts = [e for e in events if e["by_uid"] is not None]
    assert [e["event"] for e in acts] == [
        "held", "released", "retried", "removed"]
    assert {e["by_uid"] for e in acts} == {0}
    assert {e["address"] for e in acts} == {f"someone@{domain}"}
    words = told(postern, ident)
    assert "450-4.2.0 first 450-4.2.0 second 450 4.2.0 come back" in words
    assert f"removed someone@{domain} by root (uid 0)" in words
    assert re.search(r"attempt 1, in \d+ ms, next \d{4}-", words)


def test_a_long_reply_is_cut(postern, client, scripted, domain):
    line = "5.1.1 " + "word " * 80
    scripted(script(RCPT=f"550-{line}\n" * 7 + f"550 {line}"))
    ident, _ = submit(client, f"someone@{domain}", "bob@here.test")
    gone(postern, ident)
    failed = next(e for e in life(postern, ident) if e["event"] == "failed")
    assert failed["detail"].endswith("\r\n...")
    assert 2000 < len(failed["detail"]) <= 2048
    told(postern, ident)


def test_a_report(postern, client, scripted, domain):
    """A bounce is named, and has a life of its own."""
    scripted(script(RCPT="550 5.1.1 nobody"))
    ident, _ = submit(client, f"someone@{domain}", "bob@here.test")
    gone(postern, ident)
    events = life(postern, ident)
    assert [e["event"] for e in events] == ["accepted", "failed", "bounced"]
    report = events[-1]["report"]
    gone(postern, report)
    restart(postern)
    accepted, delivered = life(postern, report)
    has(accepted, event="accepted", sender="", address="bob@here.test",
        protocol="local", host_address="", user="")
    has(delivered, event="delivered", destination="local:bob")
    assert f"its sender is told in {report}" in told(postern, ident)
    assert "by this host, HELO (report), local," in told(postern, report)


def test_warned_and_expired(lab, client, scripted, config, domain):
    """A delay is told, then it is given up: by nobody, the time was over."""
    scripted(script(RCPT="450 4.2.0 later"))
    other = Postern(lab.hosts["second"], config.replace(
        "mail.here.test", "second.here.test") +
        "retry from 1s to 1s for 12s\nwarn after 2s\n", name="expires")
    with contextlib.closing(other):
        ident, _ = submit(client, f"someone@{domain}", "bob@here.test",
                          "192.0.2.60")
        wait_for("the end", lambda: not item(other, ident), 60)
        events = life(other, ident)
        kinds = [e["event"] for e in events]
        assert kinds[0] == "accepted" and kinds[-1] == "bounced"
        assert kinds.count("warned") == kinds.count("expired") == 1
        expired = next(e for e in events if e["event"] == "expired")
        has(expired, detail="450 4.2.0 later", by_uid=None, next_try=None,
            host="mx.other.test")
        attempts = [e["attempt"] for e in events if e["attempt"]]
        assert attempts == list(range(1, len(attempts) + 1))
        warned = next(e for e in events if e["event"] == "warned")
        assert life(other, warned["report"])[0]["address"] == "bob@here.test"


def test_it_is_forgotten_in_its_time(lab, client, there, config):
    other = Postern(lab.hosts["second"], config.replace(
        "mail.here.test", "second.here.test") + "history 1s\n",
        name="forgets")
    with contextlib.closing(other):
        ident, token = submit(client, "someone@there.test",
                              server="192.0.2.60")
        arrived(there, token)
        gone(other, ident)
        for subject in ident, "someone@there.test":
            wait_for("it to be forgotten", lambda: other.ctl(
                "trace", subject, check=False).returncode == 66, 90)
