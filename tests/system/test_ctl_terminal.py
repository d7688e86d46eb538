"""What posternctl looks like on a terminal of 80 columns."""
import os
import re
import signal

import pytest

from lab import SBIN, ScriptedServer, wait_for
from terminal import Terminal
from test_send import item, script, settled, submit

REPLY = "450 4.2.0 Das Postfach ist überfüllt, 受信箱がいっぱいです"
LONG = "a-rather-long-name.of-somebody-else.who-has-many-names"


@pytest.fixture
def waiting(lab, postern, client):
    server = ScriptedServer(lab.hosts["other"], script(RCPT=REPLY))
    idents = [submit(client, f"{name}@other.test")[0] for name in ("x", LONG)]
    for ident in idents:
        settled(postern, ident)
    yield idents
    for ident in idents:
        postern.ctl("remove", ident, check=False)
    server.close()


@pytest.fixture
def terminal(postern, tmp_path):
    opened = []

    def start(*words, **options):
        opened.append(Terminal(tmp_path, SBIN / "posternctl", "-c",
                               postern.config_file, *words, **options))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_queue(postern, terminal, waiting):
    """Long addresses in full, replies in their own letters, cut to the
    width; the next try."""
    assert item(postern, waiting[0])["reply"] == REPLY
    screen = terminal("queue").shows("2 recipients of 2 messages")
    lines = screen.splitlines()
    assert lines[0].startswith("ID             AGE  SIZE STATE      TRY NEXT")
    first = next(i for i, l in enumerate(lines) if l.startswith(waiting[0]))
    assert lines[first].split()[3] == "waiting"
    assert lines[first].split()[5][:-1].isdigit()
    assert "alice@here.test" in lines[first]
    assert "-> x@other.test (mx:other.test)" in screen
    # 450 4.2.0 Das Postfach ist überfüllt, and as much as fits.
    assert "überfüllt" in screen and "\\x" not in screen
    assert f"    -> {LONG}@other.test" in screen.replace("\n", "")
    assert all(len(line) <= 80 for line in lines)


def test_narrow_terminal(terminal, waiting):
    """Nothing is wider than it is but an address."""
    screen = terminal("queue", columns=50).shows("2 recipients of 2")
    assert "überfüllt" in screen or "…" in screen


def test_destinations_and_summary(terminal, waiting):
    screen = terminal("destinations", "--destination",
                      "mx:other.test").shows("1 destination, 2 recipients.")
    assert "WAITING  HELD FAILED FLIGHT WINDOW BACKOFF NEXT" in screen


def test_summary(terminal, waiting):
    screen = terminal("summary").shows("2 recipients in 1 group.")
    assert "2 " in screen and "waiting   mx:other.test" in screen
    assert "450 4.2.0 Das Postfach ist überfüllt, 受信箱" in screen


def counted(screen, what):
    """The number before that word."""
    return float(re.search(rf"([\d.]+) {what}", screen).group(1))


def test_top(postern, client, terminal, waiting):
    """Totals, rates, destinations; q quits and leaves the screen clean."""
    top = terminal("top")
    screen = top.shows("mx:other.test")
    lines = screen.splitlines()
    assert lines[0].startswith("postern  20")
    assert counted(screen, "messages") == 2
    assert counted(screen, "waiting") == 2 and counted(screen, "held") == 0
    assert lines[4].split()[:5] == ["WAITING", "FLIGHT", "WINDOW", "KEPT",
                                    "BACKOFF"]
    assert lines[5].split()[0] == "2"
    assert lines[23].startswith("1 destination, busiest first; q quits")
    assert len(lines) == 24 and all(len(line) <= 80 for line in lines)
    # It lives: what happens is seen, and as a rate.
    postern.ctl("hold", waiting[0])
    top.shows("1 held")
    ident, _ = submit(client, "alice@here.test")
    wait_for("a rate of acceptance",
             lambda: counted(top.screen(), "accepted") > 0)
    wait_for("the end of it", lambda: counted(top.screen(), "accepted") == 0)
    top.press("q")
    assert top.exit_code() == 0
    assert "busiest first" not in top.screen()


def test_top_resizes(terminal, waiting):
    top = terminal("top")
    top.shows("busiest first")
    top.resize(60, 12)
    wait_for("the smaller screen", lambda: (
        lambda lines: len(lines) == 12 and "q quits" in lines[11])(
            top.screen().splitlines()))
    assert all(len(line) <= 60 for line in top.screen().splitlines())
    top.resize(20, 4)
    top.resize(120, 40)
    wait_for("the larger screen", lambda: (
        lambda lines: len(lines) == 40 and "q quits" in lines[39])(
            top.screen().splitlines()))
    top.press("q")
    assert top.exit_code() == 0


def test_top_sees_a_queue_that_is_started_again(postern, terminal, waiting):
    top = terminal("top")
    top.shows("2 messages")
    postern.ctl("pause", "--all")
    try:
        top.shows("ALL DELIVERY IS PAUSED")
        queue, = postern.pids("queue")
        os.kill(queue, signal.SIGSTOP)
        os.kill(queue, signal.SIGKILL)
        wait_for("another queue", lambda: postern.pids("queue") not in
                 ([], [queue]))
        top.shows("ALL DELIVERY IS PAUSED")
        screen = top.shows("2 messages")
        assert "does not answer" not in screen
    finally:
        postern.ctl("resume", "--all", check=False)
    top.press("q")
    assert top.exit_code() == 0


def test_top_is_interrupted(terminal, waiting):
    """The terminal is left as it was."""
    top = terminal("top")
    top.shows("busiest first")
    top.press("C-c")
    assert top.exit_code() != 0
    wait_for("the screen as it was",
             lambda: "busiest first" not in top.screen())


def test_top_needs_a_terminal(postern):
    refused = postern.ctl("top", check=False)
    assert refused.returncode == 64
    assert "needs a terminal" in refused.stderr
