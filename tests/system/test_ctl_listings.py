"""Every listing on a real terminal, with rows that are as bad as any: nothing
is wider than the terminal, nothing steers it, and without one nothing is cut.
"""
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
import unicodedata

import pytest

from false_queue import (FAILED, HELD, MAILBOX, FalseQueue, destination,
                         item, records, stat)
from lab import SBIN, run, wait_for
from terminal import Terminal

ID = "1mcc5rm000001"
# 64 octets, and 255.
LOCAL, DOMAIN = "l" * 64, ".".join(["d" * 61] * 4) + ".example"
LONG = f"{LOCAL}@{DOMAIN}"
WIDE = "用户名称用户名称@例え.テスト"
REPLY = "450 4.2.0 Das Postfach ist überfüllt, 受信箱がいっぱいです。" * 3
BAD = b"\x1b[2J\xff\xfe\x9b1;31m@\x07\r\n\xe2\x80\xae"

ITEMS = [
    item(1),
    item(2, sender=LONG, address=LONG, original=LONG,
         destination=f"mx:{DOMAIN}", reply=REPLY),
    item(3, sender="jürgen@müller.example", address=WIDE,
         destination="mx:例え.テスト", reply=REPLY),
    item(4, sender="", address="e\u0301e\u0301\U0001f600@x.test"),
    item(5, sender=BAD, address=BAD, original=BAD, destination=b"mx:" + BAD,
         host=BAD, reply=BAD * 20),
    item(6, attempts=2**32 - 1, size=2**62, arrival=1, next_try=2**40),
    item(7, state=FAILED, reply=""),
    item(8, state=HELD, destination="local:alice", kind=MAILBOX,
         name="people", user="alice"),
    item(9, in_flight=1), item(10, paused=1)]
DESTINATIONS = [
    destination("mx:other.test"),
    destination(f"mx:{DOMAIN}", waiting=2**40, held=10**9, failed=10**9,
                in_flight=10**7, window=10**7, reply=REPLY),
    destination("mx:例え.テスト", reply=REPLY),
    destination(b"mx:" + BAD, reply=BAD * 20),
    destination("local:alice", paused=1, reply="", failures=0,
                backoff_until=0)]
STATS = [stat(name, 12345678 + 10**k, rises=k % 2) for k, name in enumerate(
    ["messages", "waiting", "held", "undeliverable", "in_flight", "accepted",
     "delivered", "deferred", "failed", "very_many"])] + \
    [stat("listening", 1), stat("all", 2**64 - 1)]


def event(**changes):
    fields = dict(id=ITEMS[0]["id"], time=1800000000, what=0,
                  address="someone@other.test", sender="alice@here.test",
                  original="someone@other.test", destination="mx:other.test",
                  host="192.0.2.1", detail="with ESMTP helo client.test")
    fields.update(changes)
    return records.Message("CTL_EVENT", **fields)


EVENTS = [event(), event(address=LONG, original=LONG, sender=LONG),
          event(what=2, address=WIDE, original="", detail=REPLY),
          event(what=3, address=BAD, sender=BAD, original=BAD,
                destination=BAD, host=BAD, detail=BAD * 20)]


def columns(text):
    """As a terminal counts them."""
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


@pytest.fixture(scope="module")
def queue(tmp_path_factory):
    content = b"Subject: \x1b[2Jred\r\n\r\nA line\x9b.\r\n"
    fd = os.memfd_create("content", os.MFD_ALLOW_SEALING)
    os.write(fd, content)
    records_seal(fd)
    message = records.Message(
        "CTL_MESSAGE", 0, fd, id=ITEMS[0]["id"], arrival=1800000000,
        size=len(content), sender=LONG, client_address="192.0.2.1",
        helo="h" * 255, user="alice", protocol=1, body=0, ret=0, envid=BAD)
    one = FalseQueue(
        tmp_path_factory.mktemp("queue"), CTL_LIST=ITEMS,
        CTL_DESTINATIONS=DESTINATIONS, CTL_STATS=STATS, CTL_TRACE=EVENTS,
        CTL_SHOW=[message, *ITEMS],
        CTL_ACT=ITEMS)
    yield one
    one.close()
    os.close(fd)


def records_seal(fd):
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, 0xF)


@pytest.fixture
def terminal(queue, tmp_path):
    opened = []

    def start(*words, **options):
        opened.append(Terminal(tmp_path, SBIN / "posternctl", "-c",
                               queue.config, *words, **options))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


# What cuts its columns, and what wraps its texts at words.
CUT = [["queue"], ["destinations"], ["remove", "--all", "--dry-run"]]
WRAPPED = [["why", ID], ["show", ID], ["trace", ID], ["summary"], ["stats"]]


def lines_of(terminal, words, width):
    """What it printed: lines that the terminal broke are whole again."""
    one = terminal(*words, columns=width, lines=600)
    assert one.exit_code() == 0
    return [line.rstrip() for line in
            one.tmux("capture-pane", "-p", "-J").rstrip().splitlines()]


@pytest.mark.parametrize("width", [34, 50, 60, 80, 132])
@pytest.mark.parametrize("words", CUT, ids=" ".join)
def test_no_line_is_wider_than_the_terminal(terminal, words, width):
    lines = lines_of(terminal, words, width)
    if words == ["destinations"] and width < 50:
        # Its numbers alone are wider; the rest is not.
        lines = [line for line in lines if line.startswith("        ")]
    assert len(lines) >= 2 * len(DESTINATIONS) - 1
    wide = [line for line in lines if columns(line) > width]
    assert not wide
    assert any("…" in line for line in lines)
    assert not any("\\xe5" in line for line in lines)


@pytest.mark.parametrize("width", [50, 80, 132])
@pytest.mark.parametrize("words", WRAPPED, ids=" ".join)
def test_texts_are_broken_between_words(terminal, words, width):
    """But for words that are too long for any line."""
    lines = lines_of(terminal, words, width)
    content = lines.index("Subject: \\x1b[2Jred") if "show" in words else None
    for line in lines[:content]:
        assert columns(line) <= width or \
            any(columns(w) > width - 14 for w in line.split()), line
    assert sum(len(line) for line in lines) > 1000
    if words[0] not in ("summary", "stats"):
        assert LONG in "".join(lines)  # whole, for who copies it


def test_the_next_try_everywhere(terminal):
    for words, where in ((["queue"], "NEXT"), (["destinations"], "NEXT"),
                         (["summary"], "NEXT"), (["show", ID], "next try in"),
                         (["why", ID], "its next try, in")):
        text = " ".join(lines_of(terminal, words, 132))
        assert where in text
        assert re.search(r"\b(\d{1,2}m|\d+ minutes|\d+s)\b", text)
    assert "NEXT" in terminal("top").shows("busiest first")


@pytest.mark.parametrize("words", [*CUT, *WRAPPED], ids=" ".join)
@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_nothing_steers_the_terminal(queue, words, locale):
    """Octet by octet: nothing but our own colours."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(LC_ALL=locale, TERM="xterm")
        os.environ.pop("NO_COLOR", None)
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
        program = str(SBIN / "posternctl")
        os.execv(program, [program, "-c", str(queue.config), *words])
    out = b""
    try:
        while block := os.read(fd, 65536):
            out += block
    except OSError:
        pass
    os.close(fd)
    assert os.waitpid(pid, 0)[1] == 0
    assert len(out) > 500
    plain = re.sub(rb"\x1b\[(0|31|32|33)m", b"", out).replace(b"\r\n", b"\n")
    if locale == "C":
        assert not re.search(rb"[^\n\t -~]", plain)
        assert b"..." in plain or words not in CUT
        return
    text = plain.decode()  # it is UTF-8, all of it
    assert not [c for c in text if c != "\n" and
                unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]


@pytest.mark.parametrize("words", [*CUT, *WRAPPED], ids=" ".join)
def test_without_a_terminal_lines_are_whole(queue, words):
    out = run(SBIN / "posternctl", "-c", queue.config, *words,
              env=dict(os.environ, LC_ALL="C.UTF-8")).stdout
    if words[0] == "show":  # the message is written as it was received
        out, content = out.split("\nSubject: ")
        assert "\x1b[2Jred" in content
    assert "…" not in out and "\x1b" not in out
    if words[0] in ("queue", "destinations", "summary", "trace", "remove"):
        assert DOMAIN in out
    rows = {"queue": len(ITEMS), "destinations": len(DESTINATIONS),
            "stats": len(STATS),
            "remove": len(ITEMS) + 1}
    if words[0] in rows:
        assert len(out.splitlines()) == rows[words[0]]
    if words[0] in ("queue", "remove"):
        assert f"{LONG} -> {LONG} (mx:{DOMAIN}): {REPLY.rstrip()}" in out
        assert "4294967295" in out


def test_mailq_is_the_same(queue, tmp_path):
    mailq = tmp_path / "mailq"
    mailq.symlink_to(SBIN / "posternctl")
    one = Terminal(tmp_path, mailq, "-c", queue.config, lines=100)
    try:
        assert one.exit_code() == 0
        lines = one.tmux("capture-pane", "-p", "-J").rstrip().splitlines()
        assert lines[0].startswith("ID ") and ID in lines[1]
        assert all(columns(line.rstrip()) <= 80 for line in lines)
        assert "10 recipients of 10 messages" in lines[-1]
    finally:
        one.close()


# -- top ------------------------------------------------------------------------

def top_lines(one):
    return one.screen().splitlines()


@pytest.mark.parametrize("width, height", [(80, 24), (64, 20), (50, 12),
                                           (30, 8), (200, 60)])
def test_top_fits(terminal, width, height):
    one = terminal("top", columns=width, lines=height)
    screen = one.shows("busiest first"[:max(0, width - 16)])
    lines = screen.splitlines()
    assert len(lines) == height
    assert all(columns(line.rstrip()) <= width for line in lines)
    assert lines[0].startswith("postern") and lines[3].strip() == ""
    assert "messages;" in lines[1] and lines[2].startswith("a second: ")
    assert lines[4].split()[0] == "WAITING" and "NEXT" in lines[4]
    # One line for each destination, whatever its name.
    assert lines[5].split()[0] == "1T"
    for line in lines[5:min(height - 1, 5 + len(DESTINATIONS))]:
        assert re.match(r" *\d+[kMGTPE]? ", line), lines
    if height > 12:
        assert all(line.strip() == "" for line in
                   lines[5 + len(DESTINATIONS):height - 1])
    assert "\\x1b[2J" in screen or height < 10 or width < 64


def test_top_while_it_is_resized(terminal):
    one = terminal("top")
    one.shows("busiest first")
    for width, height in ((50, 10), (10, 3), (1, 1), (200, 60), (80, 24)):
        one.resize(width, height)
    wait_for("the screen as it was", lambda: (
        lambda lines: len(lines) == 24 and "q quits" in lines[23] and
        all(columns(line.rstrip()) <= 80 for line in lines))(top_lines(one)))
    one.press("q")
    assert one.exit_code() == 0


@pytest.fixture
def hung(queue):
    yield queue
    queue.silent = False
    queue.hang_up()


@pytest.mark.parametrize("key", ["q", "C-c"])
def test_top_of_a_queue_that_hangs(hung, terminal, key):
    """It says so, keeps up with the screen, and ends when it is told to."""
    one = terminal("top")
    one.shows("busiest first")
    hung.silent = True
    one.shows("the queue does not answer", 10)
    one.resize(60, 12)
    wait_for("the smaller screen", lambda: (
        lambda lines: len(lines) == 12 and "q quits" in lines[11])(
            top_lines(one)), 10)
    start = time.monotonic()
    one.press(key)
    assert (one.exit_code() == 0) == (key == "q")
    assert time.monotonic() - start < 5
    assert "posternctl:" not in one.screen()


def test_top_that_was_let_go(hung, terminal):
    """As after a stop: it asks again at once, and nobody sees it."""
    one = terminal("top")
    one.shows("busiest first")

    def is_back():
        assert "does not answer" not in one.screen()
        return hung.clients and hung.answered > before
    for _ in range(3):
        before = hung.answered
        hung.hang_up()
        wait_for("another connection", is_back)
    one.press("q")
    assert one.exit_code() == 0


def in_shell(tmp_path, queue, **options):
    """top, with the terminal's settings before and after; its pid."""
    script = (f"cd {tmp_path}; stty -g >before; {SBIN}/posternctl -c "
              f"{queue.config} top & echo $! >pid; fg >/dev/null; "
              "code=$?; stty -g >after; exit $code")
    return Terminal(tmp_path, "bash", "-mc", script, **options)


@pytest.mark.parametrize("how", ["q", "Q", "C-c", "TERM", "HUP", "INT"])
def test_top_leaves_the_terminal_as_it_was(queue, tmp_path, how):
    one = in_shell(tmp_path, queue)
    try:
        one.shows("busiest first")
        assert one.tmux("display-message", "-p",
                        "#{alternate_on} #{cursor_flag}").split() == ["1", "0"]
        if how in ("q", "Q", "C-c"):
            one.press(how)
        else:
            os.kill(int((tmp_path / "pid").read_text()),
                    getattr(signal, f"SIG{how}"))
        code = one.exit_code()
        assert (code == 0) == (how in ("q", "Q"))
        wait_for("the end", lambda: (tmp_path / "after").exists())
        assert (tmp_path / "before").read_text() == \
            (tmp_path / "after").read_text()
        assert one.tmux("display-message", "-p",
                        "#{alternate_on} #{cursor_flag}").split() == ["0", "1"]
        assert "busiest first" not in one.screen()
    finally:
        one.close()


def test_top_ends_with_its_terminal(queue, tmp_path):
    one = in_shell(tmp_path, queue)
    one.shows("busiest first")
    pid = int((tmp_path / "pid").read_text())
    one.close()
    wait_for("its end", lambda: not os.path.exists(f"/proc/{pid}"))


@pytest.mark.parametrize("stdin, term, code, said", [
    (subprocess.DEVNULL, "xterm", 64, "needs a terminal"),
    (None, "no-such-terminal", 69, "not known")])
def test_top_without_a_good_terminal(queue, stdin, term, code, said):
    """Standard output alone is not enough, nor one that nobody knows."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [SBIN / "posternctl", "-c", queue.config, "top"],
            stdin=theirs if stdin is None else stdin, stdout=theirs,
            stderr=subprocess.PIPE, text=True, timeout=20,
            env=dict(os.environ, TERM=term))
        assert done.returncode == code and said in done.stderr
    finally:
        os.close(ours)
        os.close(theirs)
