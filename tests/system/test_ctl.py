"""The administrator's tool, against a queue with mail in it."""
import json
import os
import re
import signal

import pytest

from lab import ScriptedServer, SBIN, STAGE, run, wait_for
from test_send import item, script, settled, submit


@pytest.fixture
def waiting(lab, postern, client):
    """A message that the other host keeps putting off."""
    server = ScriptedServer(lab.hosts["other"],
                            script(RCPT="450 4.2.0 come back later"))
    ident, token = submit(client, "someone@other.test")
    settled(postern, ident)
    yield ident, token
    postern.ctl("remove", ident, check=False)
    server.close()


def test_queue_lists_and_filters(postern, waiting):
    ident, _ = waiting
    assert ident in postern.ctl("queue").stdout
    row = item(postern, ident)
    assert row["sender"] == "alice@here.test"
    assert row["recipient"] == "someone@other.test"
    assert row["destination"] == "mx:other.test"
    assert row["attempts"] >= 1
    for wanted in (["--recipient", "someone@other.test"],
                   ["--sender", "alice@here.test"],
                   ["--destination", "mx:other.test"],
                   ["--state", "waiting"], ["--reply", "come back"],
                   ["--larger-than", str(row["size"])]):
        assert ident in postern.ctl("queue", *wanted).stdout, wanted
    for other in (["--recipient", "x@other.test"], ["--state", "held"],
                  ["--older-than", "1h"], ["--reply", "nothing like it"],
                  ["--larger-than", str(row["size"] + 1)],
                  ["--larger-than", "10M"]):
        assert ident not in postern.ctl("queue", *other).stdout, other


@pytest.mark.parametrize("verb", ["retry", "hold", "release", "remove",
                                  "bounce"])
def test_each_verb_by_each_filter(postern, waiting, verb):
    """Counted first, by --dry-run; then done."""
    row = item(postern, waiting[0])
    if verb == "release":
        postern.ctl("hold", waiting[0])
    state = "held" if verb == "release" else "waiting"
    filters = (("--sender", "alice@here.test", "bob@here.test"),
               ("--sender", "@here.test", "<>"),
               ("--recipient", "someone@other.test", "else@other.test"),
               ("--destination", "mx:other.test", "mx:else.test"),
               ("--state", state, "failed"),
               ("--older-than", "0", "1h"),
               ("--larger-than", "1", "1G"),
               ("--reply", "come back", "nothing like it"))
    for name, right, wrong in filters:
        # Age 0 is no filter.
        words = [name, right, "--destination", "mx:other.test"]
        assert postern.ctl(verb, *words, "--dry-run").stdout.splitlines()[
            -1].startswith("1 recipient would be ")
        assert postern.ctl(verb, name, wrong, "--dry-run").stdout.startswith(
            "0 recipients would be ")
    assert item(postern, waiting[0])["attempts"] == row["attempts"]
    # Two senders would be a contradiction.
    done = postern.ctl(verb, *(w for f in {f[0]: f for f in filters}.values()
                               for w in f[:2]))
    assert done.stdout.startswith("1 recipient ")


def test_mailq(postern, waiting):
    """What other software expects: whatever the options, and of an empty
    queue these words."""
    mailq = STAGE / "usr/local/bin/mailq"

    def ask(*options):
        return run(mailq, "-c", postern.config_file, *options).stdout

    assert waiting[0] in ask() and waiting[0] in ask("-v", "-q")
    assert ask().splitlines()[-1].startswith("1 recipient of 1 message")
    postern.ctl("remove", waiting[0])
    assert ask() == "Mail queue is empty\n"


def test_show_and_why(postern, waiting):
    ident, token = waiting
    shown = postern.ctl("show", ident).stdout
    assert f"body {token}" in shown and "someone@other.test" in shown
    why = postern.ctl("why", ident).stdout
    assert "450 4.2.0 come back later" in why
    assert "192.0.2.30" in why


def test_hold_release_remove(postern, waiting):
    ident, _ = waiting
    postern.ctl("hold", ident)
    assert item(postern, ident)["state"] == "held"
    attempts = item(postern, ident)["attempts"]
    postern.ctl("release", ident)
    wait_for("another attempt", lambda:
             item(postern, ident)["attempts"] > attempts)
    assert item(postern, ident)["state"] == "waiting"
    assert postern.ctl("remove", "--dry-run", ident).returncode == 0
    assert item(postern, ident)
    postern.ctl("remove", ident)
    assert not item(postern, ident)
    life = [json.loads(line) for line in
            postern.ctl("trace", ident, "--json").stdout.splitlines()]
    kinds = [event["event"] for event in life]
    assert kinds[0] == "accepted" and kinds[-1] == "removed"
    assert "held" in kinds and "released" in kinds and "deferred" in kinds


def test_trace_by_address(postern, waiting):
    ident, _ = waiting
    assert ident in postern.ctl("trace", "someone@other.test").stdout


def test_destinations(postern, waiting):
    """The text and the JSON; a host that only puts one recipient off is not
    down."""
    row = {r["destination"]: r for r in
           postern.ctl_json("destinations")}["mx:other.test"]
    assert row["waiting"] == 1 and row["held"] == row["failed"] == 0
    assert row["window"] >= 1 and row["in_flight"] == 0
    assert row["failures"] == 0 and row["backoff_until"] is None
    assert row["next_try"] is not None
    shown = postern.ctl("destinations", "--destination", "mx:other.test")
    assert shown.stdout.split()[-1] == "mx:other.test"
    assert len(shown.stdout.splitlines()) == 1
    assert postern.ctl("destinations", "--destination",
                       "mx:none.test").stdout == ""


def test_summary(postern, client, waiting):
    """Like replies fall together; what waits behind a dead host has its
    reason."""
    others = [submit(client, f"user{n}@other.test")[0] for n in range(3)]
    for ident in others:
        settled(postern, ident)
    rows = [r for r in postern.ctl_json("summary")
            if r["destination"] == "mx:other.test"]
    assert [(r["recipients"], r["state"], r["reason"]) for r in rows] == \
        [(4, "waiting", "450 4.2.0 come back later")]
    assert rows[0]["oldest"] == item(postern, waiting[0])["arrival"]
    shown = postern.ctl("summary", "--destination", "mx:other.test").stdout
    assert shown.split()[0] == "4" and len(shown.splitlines()) == 1
    for ident in others:
        postern.ctl("remove", ident)


@pytest.fixture
def resumed(postern):
    yield
    postern.ctl("resume", "--all", check=False)
    postern.ctl("resume", "--listening", check=False)
    postern.ctl("resume", "mx:other.test", "local:alice", check=False)


@pytest.mark.parametrize("what", ["mx:other.test", "--all"])
def test_pause_and_resume(lab, postern, client, waiting, resumed, what):
    """Mail is taken meanwhile, it is said why it waits, and a restart of the
    queue changes nothing."""
    assert "paused" in postern.ctl("pause", what).stdout
    attempts = item(postern, waiting[0])["attempts"]
    ident, _ = submit(client, "someone@other.test")
    queue, = postern.pids("queue")
    os.kill(queue, signal.SIGKILL)
    wait_for("another queue", lambda: postern.pids("queue") not in
             ([], [queue]) and
             postern.ctl("stats", check=False).returncode == 0)
    postern.ctl("retry", waiting[0])
    row = item(postern, ident)
    assert (row["attempts"], row["state"], row["paused"]) == \
        (0, "waiting", True)
    assert f'posternctl resume {what}"' in postern.ctl("why", ident).stdout
    row = {r["destination"]: r for r in postern.ctl_json("destinations")}
    assert row["mx:other.test"]["paused"] is True
    assert {r["paused"] for r in postern.ctl_json("summary")
            if r["destination"] == "mx:other.test"} == {True}
    assert re.search(" paused +mx:other.test: ",
                     postern.ctl("summary").stdout)
    stats = {r["name"]: r["value"] for r in postern.ctl_json("stats")}
    assert (stats["paused"], stats["destinations_paused"]) == \
        ((1, 0) if what == "--all" else (0, 1))
    # Others are served, unless all delivery is paused.
    other, token = submit(client, "alice@here.test")
    if what == "--all":
        assert item(postern, other)["paused"] is True
    else:
        wait_for("mail for others", lambda: any(
            f"body {token}" in m for m in lab.mail_of("alice").values()))
    assert item(postern, waiting[0])["attempts"] == attempts
    assert "resumed" in postern.ctl("resume", what).stdout
    wait_for("all to go on", lambda: item(postern, ident)["attempts"] and
             item(postern, waiting[0])["attempts"] > attempts and
             not item(postern, other))
    assert item(postern, ident)["paused"] is False
    postern.ctl("remove", ident)


@pytest.mark.parametrize("what", [["--destination", "mx:other.test"],
                                  ["--all"]], ids=" ".join)
def test_hold_of_much(postern, client, waiting, what):
    """All that is there now; a restart of the queue changes nothing."""
    idents = [waiting[0], submit(client, "someone@other.test")[0]]
    postern.ctl("hold", *what)
    queue, = postern.pids("queue")
    os.kill(queue, signal.SIGKILL)
    wait_for("another queue", lambda: postern.pids("queue") not in
             ([], [queue]) and
             postern.ctl("stats", check=False).returncode == 0)
    attempts = [item(postern, i)["attempts"] for i in idents]
    assert {item(postern, i)["state"] for i in idents} == {"held"}
    for ident in idents:
        assert "held" in postern.ctl("why", ident).stdout
    row = {r["destination"]: r for r in postern.ctl_json("destinations")}
    assert row["mx:other.test"]["held"] == 2
    assert {r["state"] for r in postern.ctl_json("summary")
            if r["destination"] == "mx:other.test"} == {"held"}
    # Nor does an administrator's retry move what is on hold.
    postern.ctl("retry", "--all")
    assert [item(postern, i)["attempts"] for i in idents] == attempts
    postern.ctl("release", *what)
    for ident, before in zip(idents, attempts):
        wait_for("it to go on", lambda: item(postern, ident)["attempts"] >
                 before)
        postern.ctl("remove", ident)


def test_stats(postern, waiting):
    rows = {r["name"]: r["value"] for r in postern.ctl_json("stats")}
    assert rows["accepted"] >= 1
    assert rows["waiting"] >= 1


def test_prometheus(postern, waiting):
    """Each sample behind its help and its type, each name once, and no word
    of another form."""
    lines = postern.ctl("stats", "--prometheus").stdout.splitlines()
    values = {}
    for about, kind, sample in zip(*[iter(lines)] * 3, strict=True):
        name, value = sample.split(" ")
        assert about.startswith(f"# HELP {name} ") and "\\" not in about
        assert kind == f"# TYPE {name} " + (
            "counter" if name.endswith("_total") else "gauge")
        assert re.fullmatch("postern_queue_[a-z_]+", name)
        assert name not in values
        values[name] = int(value)
    assert values["postern_queue_accepted_total"] >= 1
    assert values["postern_queue_waiting"] == 1


@pytest.mark.parametrize("arguments, code", [
    (["quue"], 64), (["show", "nonsense"], 65), (["remove"], 64),
    (["show", "0000000000001"], 66)])
def test_mistakes(postern, arguments, code):
    result = postern.ctl(*arguments, check=False)
    assert result.returncode == code, result
    assert result.stderr.strip()


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help(word):
    """Behind a command it is help for that one."""
    about = run(SBIN / "posternctl", "help", "retry").stdout
    assert run(SBIN / "posternctl", "retry", word).stdout == about
    assert "--dry-run" in about and "--to" not in about
    everything = run(SBIN / "posternctl", "help").stdout
    assert run(SBIN / "posternctl", word).stdout == everything
    assert run(SBIN / "posternctl", "help", word).stdout == \
        run(SBIN / "posternctl", "help", "help").stdout


def test_nobody_is_home(tmp_path):
    conf = tmp_path / "postern.conf"
    conf.write_text(f'hostname "a.test"\nrun "{tmp_path}"\n'
                    'listen on * port 25\n'
                    'mailbox "m" users system deliver maildir "~/Maildir"\n'
                    'accept to domain "a.test" mailbox "m"\n')
    result = run(SBIN / "posternctl", "-c", conf, "queue", check=False)
    assert result.returncode == 69
    assert str(tmp_path) in result.stderr


def test_a_broken_file_still_says_where_the_queue_is(tmp_path):
    """Its mistake is told; then it is as if it had none."""
    conf = tmp_path / "postern.conf"
    conf.write_text(f'run "{tmp_path}"\nhostnam "a.test"\n')
    result = run(SBIN / "posternctl", "-c", conf, "queue", check=False)
    assert result.returncode == 69
    assert f"looking in {tmp_path} instead" in result.stderr
    assert "hostnam" in result.stderr
    conf.write_text('hostnam "a.test"\n')
    result = run(SBIN / "posternctl", "-c", conf, "stats", check=False)
    assert "looking in /run/postern instead" in result.stderr
    assert result.returncode != 78
