"""The machine's clock is set, forward and back by a day, while mail flows.

Every program reads a wall clock that the test moves (tests/tools/clock.c, put
before each of them by a wrapper); monotonic time goes on, as in the wild.
"""
import datetime
import mmap
import shutil
import struct
import sys
import time
import uuid
from pathlib import Path

import pytest

from lab import SBIN, STAGE, Postern, ScriptedServer, run, wait_for
from test_faults import Load, tokens_in

sys.path.insert(0, str(Path(__file__).parent.parent / "hostile"))
from program import BUILD  # noqa: E402

SERVER = "192.0.2.60"
DAY = 86400
LIBEXEC = STAGE / "usr/local/libexec/postern"
WRAPPER = """#!/bin/sh
export LD_PRELOAD="{library}" CLOCK_FILE="{file}"
export ASAN_OPTIONS=verify_asan_link_order=0
exec "{program}" "$@"
"""


class Clock:
    """Moves the wall clock of the programs in `folder`."""

    def __init__(self, folder):
        folder.mkdir()
        folder.chmod(0o755)
        self.path = folder / "shift"
        self.path.write_bytes(bytes(8))
        with self.path.open("r+b") as file:
            self.octets = mmap.mmap(file.fileno(), 8)
        self.binary = folder / "postern"
        shutil.copy(SBIN / "postern", self.binary)
        for program in (p.name for p in LIBEXEC.iterdir()):
            wrapper = folder / program
            wrapper.write_text(WRAPPER.format(
                library=(BUILD / "tools/clock.so").resolve(), file=self.path,
                program=LIBEXEC / program))
            wrapper.chmod(0o755)

    def set(self, seconds):
        self.octets[:] = struct.pack("=q", seconds)


@pytest.fixture
def clock(lab):
    return Clock(lab.dir / f"clock-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def other(lab):
    """A host that takes nothing until `open` is set."""
    def talk(c):
        c.say("220 other.test")
        while True:
            line = c.hear().upper()
            if line.startswith("RCPT"):
                server.attempts.append(time.monotonic())
                c.say("250 ok" if server.is_open else "450 4.2.1 not now")
            elif line.startswith("DATA"):
                c.say("354 go on")
                server.texts.append("".join(c.hear_content()))
                c.say("250 ok")
            elif line.startswith("QUIT"):
                c.say("221 bye")
                return
            else:
                c.say("250 ok")
    server = ScriptedServer(lab.hosts["other"], talk)
    server.is_open, server.texts, server.attempts = False, [], []
    yield server
    server.close()


@pytest.fixture
def make_postern(lab, config, clock):
    made = []

    def make(more):
        lab.empty_mailboxes()
        postern = ClockedPostern(clock, lab.hosts["second"], config + more)
        made.append(postern)
        return postern
    yield make
    for postern in made:
        postern.close()


class ClockedPostern(Postern):
    def __init__(self, clock, host, config):
        self.binary = clock.binary
        super().__init__(host, config, name="clocked")


def send(client, recipient):
    token = uuid.uuid4().hex
    with client.smtp(SERVER) as smtp:
        smtp.sendmail("a@here.test", [recipient],
                      f"Subject: x\n\ntoken {token}\nbody {token}\n")
    return token


def is_clean(postern):
    done = run(SBIN / "postern-store", "-c", postern.config_file, "check",
               check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def believed_now(client, postern):
    """Wall time as the queue sees it: of an event that it has just written."""
    with client.smtp(SERVER) as smtp:
        smtp.ehlo()
        smtp.docmd("MAIL FROM:<a@here.test>")
        smtp.docmd("RCPT TO:<carol@here.test>")
        code, text = smtp.data("Subject: x\n\nx\n")
    assert code == 250
    event = postern.ctl_json("trace", text.decode().split()[-1])[0]
    return datetime.datetime.fromisoformat(event["time"]).timestamp()


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["forward", "back"])
def test_the_clock_is_set_under_load(lab, client, clock, other, make_postern,
                                     jump):
    """Mail is taken, delivered and tried again as before; nothing is lost,
    nothing expires, and nothing comes twice."""
    postern = make_postern("\nlimit connections per address 1000\n"
                           "retry from 1s to 2s for 5d\n")
    assert abs(believed_now(client, postern) - time.time()) < 60
    load = Load(client, SERVER, ["alice@here.test", "someone@other.test",
                                 "bob@here.test"], 4, pause=0.05)
    try:
        wait_for("a deferral", lambda: len(other.attempts) > 4)
        wait_for("mail to flow", lambda: len(load.promised) > 30)
        for shift in (jump, 0, jump):
            clock.set(shift)
            before, tries = len(load.promised), len(other.attempts)
            assert abs(believed_now(client, postern) - time.time() - shift) < 60
            wait_for("mail to flow on",
                     lambda: len(load.promised) > before + 30, 10)
            # What waits is tried in its time: neither forgotten nor a flood.
            wait_for("other tries", lambda: len(other.attempts) > tries + 4,
                     10)
    finally:
        load.stop()
    other.is_open = True
    wait_for("the queue to empty", lambda: not postern.ctl_json("queue"), 60)
    is_clean(postern)
    found = tokens_in(t.replace("\r\n", "\n") for t in other.texts)
    for user in ("alice", "bob"):
        found += tokens_in(lab.mail_of(user).values())
    assert load.promised <= set(found)
    assert all(found[token] == 1 for token in load.promised)
    assert "death program=" not in postern.log()


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["forward", "back"])
def test_what_waits_is_not_held_up(lab, client, clock, other, make_postern,
                                   jump):
    """A try that is due in ten seconds comes within ten seconds and a look at
    the clock, wherever that was set; so does one that was planned under the
    other time."""
    postern = make_postern("\nretry from 10s to 10s for 5d\n")
    token = send(client, "someone@other.test")
    wait_for("a first try", lambda: len(other.attempts) == 1)
    wait_for("its report", lambda: postern.ctl_json("queue")[0]["reply"])
    clock.set(jump)
    began = time.monotonic()
    other.is_open = True
    wait_for("the second", lambda: len(other.texts) == 1, 75)
    print(f"\n{jump:+}: tried after {time.monotonic() - began:.1f} s")
    assert token in other.texts[0]
    wait_for("an empty queue", lambda: not postern.ctl_json("queue"))
    is_clean(postern)
