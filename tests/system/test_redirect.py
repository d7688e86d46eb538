"""What waits is sent to another address instead: once, whatever dies."""
import os
import signal
import subprocess
import time
import uuid

import pytest

from lab import SBIN, Postern, wait_for
from test_bounce import (  # noqa: F401 (fixtures)
    domain, no_mail, reports, scripted)
from test_send import gone, item, script, submit

LATER = script(RCPT="450 4.2.0 later")


def tried(postern, ident):
    wait_for("an attempt", lambda: (
        lambda r: r and r["attempts"] and not r["in_flight"])(
            item(postern, ident)))


def texts(lab, user, token):
    return [m for m in lab.mail_of(user).values() if f"body {token}" in m]


def redirect(postern, *words):
    """The answers for each message, and the count."""
    *each, last = postern.ctl_json("redirect", *words)
    assert last["verb"] == "redirect"
    return each, last["recipients"]


def test_to_a_mailbox(postern, lab, client, scripted, domain):
    scripted(LATER)
    ident, token = submit(client, f"x@{domain}", "bob@here.test")
    tried(postern, ident)
    shown = postern.ctl("redirect", "--to", "carol@here.test", "--dry-run",
                        ident).stdout
    assert "1 recipient would be redirected" in shown
    assert item(postern, ident)["recipient"] == f"x@{domain}"
    (answer,), count = redirect(postern, ident, "--to", "carol@here.test")
    assert count == 1 and answer["id"] == ident and answer["code"] == 250
    made = answer["made"]
    gone(postern, ident)
    gone(postern, made)
    text, = texts(lab, "carol", token)
    assert "Return-Path: <bob@here.test>" in text
    old = [e for e in postern.ctl_json("trace", ident)]
    assert old[-1]["event"] == "redirected"
    assert old[-1]["detail"] == f"to <carol@here.test> in {made}"
    for address in (f"x@{domain}", "carol@here.test"):
        events = [e for e in postern.ctl_json("trace", address)
                  if e["id"] == made]
        assert [e["event"] for e in events] == ["accepted", "delivered"]
        assert events[0]["original"] == f"x@{domain}"
        assert f"redirected from {ident}" in events[0]["detail"]
    assert f"redirected id={ident} in={made} recipients=1 " \
        "to=\"carol@here.test\" by=administrator uid=0" in postern.log()


def test_to_another_host(postern, lab, client, scripted, domain):
    """With the sender, ENVID and NOTIFY of the original."""
    server = scripted(LATER)
    token = uuid.uuid4().hex
    with client.smtp("192.0.2.10") as smtp:
        smtp.sendmail("bob@here.test", [f"x@{domain}", f"y@{domain}"],
                      f"Subject: {token}\n\nbody {token}\n",
                      ["RET=HDRS", "ENVID=QQ7"],
                      ["NOTIFY=SUCCESS,FAILURE", f"ORCPT=rfc822;z@{domain}"])
    ident = wait_for("the queue", lambda: next(
        (r["id"] for r in postern.ctl_json("queue", "--recipient",
                                           f"x@{domain}")), None))
    tried(postern, ident)
    postern.ctl("hold", ident)
    (answer,), count = redirect(
        postern, "--recipient", f"@{domain}", "--state", "held",
        "--to", f"new@n.{domain}")
    assert count == 2 and answer["recipients"] == 2
    gone(postern, ident)
    row, = postern.ctl_json("queue", "--recipient", f"new@n.{domain}")
    assert (row["id"], row["sender"], row["original"], row["notify"],
            row["orcpt"]) == (answer["made"], "bob@here.test", f"x@{domain}",
                              "SUCCESS,FAILURE", f"rfc822;z@{domain}")
    message, *_ = postern.ctl_json("show", answer["made"])
    assert (message["ret"], message["envid"], message["client"]) == \
        ("HDRS", "QQ7", "192.0.2.40")
    wait_for("the host", lambda: any(
        f"RCPT TO:<new@n.{domain}>" in line for t in server.transcripts
        for line in t))
    postern.ctl("remove", answer["made"])


def test_refused(postern, lab, client, scripted, domain):
    """By the rules: then nothing changes, and the administrator is told."""
    scripted(LATER)
    ident, token = submit(client, f"x@{domain}", "bob@here.test")
    tried(postern, ident)
    before = item(postern, ident)
    done = postern.ctl("redirect", "--to", "nobody@here.test", ident,
                       check=False)
    assert done.returncode == 69
    assert f"{ident}: 550 5.1.1" in done.stderr
    assert "1 recipient was not redirected" in done.stderr
    after = item(postern, ident)
    for member in ("recipient", "state", "attempts", "destination", "number"):
        assert after[member] == before[member]
    assert f"redirect-refused id={ident} to=\"nobody@here.test\" uid=0 " \
        "reply=\"550 5.1.1" in postern.log()
    same = postern.ctl("redirect", "--to", f"x@{domain}", ident)
    assert same.stdout == "0 recipients redirected\n"
    assert "1 recipient is unchanged" in same.stderr
    assert item(postern, ident)["recipient"] == f"x@{domain}"
    for words, code in ((["redirect", ident], 64),
                        (["redirect", "--to", "not an address", ident], 64),
                        (["redirect", "--to", "carol@here.test",
                          "0000000000000"], None)):
        done = postern.ctl(*words, check=False)
        assert done.returncode == code if code else done.returncode != 0
    postern.ctl("remove", ident)


def test_in_flight_stays(postern, lab, client, scripted, domain):
    """What a host has in hand is not sent elsewhere as well."""
    def slow(session):
        time.sleep(4)
        LATER(session)

    scripted(slow)
    ident, token = submit(client, f"x@{domain}", "bob@here.test")
    wait_for("a delivery", lambda: (item(postern, ident) or {}).get(
        "in_flight"))
    done = postern.ctl("redirect", "--to", "carol@here.test", ident)
    assert done.stdout == "0 recipients redirected\n"
    assert "in flight" in done.stderr
    tried(postern, ident)
    assert redirect(postern, ident, "--to", "carol@here.test")[1] == 1
    wait_for("the mail", lambda: texts(lab, "carol", token))
    postern.ctl("remove", ident, check=False)


def test_failed_is_redirected(postern, lab, client, scripted, domain):
    """Before its sender is told, who is not told then."""
    scripted(script(RCPT="550 5.1.1 nobody"))
    ident, token = submit(client, f"x@{domain}", "bob@here.test")
    wait_for("a failure", lambda: (item(postern, ident) or {}).get(
        "state") == "failed")
    _, count = redirect(postern, ident, "--to", "carol@here.test")
    assert count == 1
    gone(postern, ident)
    wait_for("the mail", lambda: texts(lab, "carol", token))
    time.sleep(5)
    assert not reports(lab, "bob", token)
    assert len(texts(lab, "carol", token)) == 1


def test_one_mailbox_for_many(postern, lab, client, scripted, domain):
    """Recipients of one message that go to one address get it once."""
    scripted(LATER)
    ident, token = submit(client, [f"x{n}@{domain}" for n in range(5)],
                          "bob@here.test")
    tried(postern, ident)
    wait_for("attempts", lambda: all(
        r["attempts"] and not r["in_flight"]
        for r in postern.ctl_json("queue")))
    (answer,), count = redirect(postern, ident, "--to", "carol@here.test")
    assert count == 5
    gone(postern, answer["made"])
    assert len(texts(lab, "carol", token)) == 1


def test_what_it_makes_is_not_meant(postern, lab, client, scripted, domain):
    """The new message has the old address as its original one, and is at
    neither that nor the one that was asked for: the filter matches it."""
    scripted(LATER)
    ident, token = submit(client, f"x@{domain}", "bob@here.test")
    tried(postern, ident)
    postern.ctl("pause", "--all")
    try:
        each, count = redirect(postern, "--recipient", f"@{domain}", "--to",
                               "abroad@here.test")
        assert count == len(each) == 1
        row, = postern.ctl_json("queue", "--recipient", f"@{domain}")
        assert row["id"] == each[0]["made"]
        assert row["recipient"] == "someone@there.test"
    finally:
        postern.ctl("remove", "--recipient", f"@{domain}")
        postern.ctl("resume", "--all")


@pytest.mark.parametrize("hops, code", [(49, 0), (50, 69)])
def test_a_loop_ends(postern, lab, client, scripted, domain, hops, code):
    """What has been passed on too often is not passed on by hand either."""
    scripted(LATER)
    token = uuid.uuid4().hex
    with client.smtp("192.0.2.10") as smtp:
        smtp.sendmail("bob@here.test", [f"x@{domain}"], (
            "Received: by x\n" * hops +
            f"Subject: {token}\n\nReceived: {token}\n"))
    ident = wait_for("the queue", lambda: next(
        (r["id"] for r in postern.ctl_json(
            "queue", "--recipient", f"x@{domain}")), None))
    tried(postern, ident)
    done = postern.ctl("redirect", "--to", "carol@here.test", ident,
                       check=False)
    assert done.returncode == code
    assert ("554 5.4.6" in done.stderr) == (code != 0)
    postern.ctl("remove", ident, check=False)


@pytest.mark.parametrize("program", ["queue", "router"])
def test_killed_meanwhile(lab, client, scripted, config, domain, program):
    """Whenever it dies: each message is at its old address or at the new one,
    and arrives once."""
    scripted(LATER)
    other = Postern(lab.hosts["second"], config.replace(
        "mail.here.test", "second.here.test"), name=f"redirect-{program}")
    try:
        sent = [submit(client, f"x{n}@{domain}", "bob@here.test",
                       "192.0.2.60") for n in range(60)]
        wait_for("attempts", lambda: all(
            r["attempts"] and not r["in_flight"]
            for r in other.ctl_json("queue")), 30)
        other.ctl("hold", "--all")
        other.ctl("pause", "local:carol")
        for pause in (0.01, 0.02, 0.04, 0.08, 0.15, 0.3):
            asks = subprocess.Popen([
                SBIN / "posternctl", "-c", other.config_file, "redirect",
                "--all", "--to", "carol@here.test"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(pause)
            for pid in other.pids(program):
                os.kill(pid, signal.SIGKILL)
            other.wait_ready()
            asks.wait(30)
            rows = other.ctl_json("queue")
            originals = sorted(r["original"] for r in rows)
            assert originals == sorted(f"x{n}@{domain}" for n in range(60))
        wait_for("all of them", lambda: redirect(
            other, "--recipient", f"@{domain}", "--to", "carol@here.test")[1]
            == 0 and not other.ctl_json("queue", "--state", "held"), 30)
        other.ctl("resume", "local:carol")
        wait_for("an empty queue", lambda: not other.ctl_json("queue"), 60)
        for ident, token in sent:
            assert len(texts(lab, "carol", token)) == 1
            events = [e["event"] for e in other.ctl_json("trace", ident)]
            assert events.count("redirected") == 1
    finally:
        other.close()
