"""kill -9 of the queue, again and again, at random moments under load.

Several clients send, mail is delivered and deferred, an administrator holds,
releases, removes and pauses. After every kill, before the queue is started
again, the store is looked at as the kill left it: postern-store finds no
fault, and what a client has been told 250 for is there, or its history says
that it has left. At the end all of it must have arrived, and the copies that
came twice are counted.

POSTERN_KILLS says how often; `make kills` kills more often than `make check`.
"""
import collections
import contextlib
import json
import os
import random
import signal
import smtplib
import sys
import threading
import time
import uuid

import pytest

from lab import SBIN, Postern, ScriptedServer, run, wait_for
from test_faults import tokens_in

KILLS = int(os.environ.get("POSTERN_KILLS", 30))
CLIENTS = 6
PAUSE = 0.03
SEED = int(os.environ.get("POSTERN_SEED", 0)) or random.randrange(1 << 32)
SERVER = "192.0.2.60"
# Everything to the last of them is deferred until it is removed.
RECIPIENTS = ["alice@here.test", "someone@other.test", "bob@here.test",
              "someone@second.other.test", "carol@here.test",
              "doomed@doomed.other.test"]
DOOMED = "mx:doomed.other.test"
# What may have become of a message that is not in the queue: enum event_kind.
DELIVERED, REMOVED = 1, 7


class Clients:
    """They never give up, and remember what was promised."""

    def __init__(self, host):
        self.host, self.running = host, True
        self.tokens = {}  # of what was answered 250, by id
        self.threads = [threading.Thread(target=self.work, args=(n,),
                                         daemon=True)
                        for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def work(self, number):
        while self.running:
            try:
                with self.host.smtp(SERVER, timeout=5) as smtp:
                    smtp.ehlo()
                    while self.running:
                        self.send_one(smtp, RECIPIENTS[number])
                        number = (number + 1) % len(RECIPIENTS)
                        time.sleep(PAUSE)
            except (OSError, smtplib.SMTPException):
                time.sleep(0.02)

    def send_one(self, smtp, recipient):
        token = uuid.uuid4().hex
        size = random.choice([100, 3000, 3000, 60000])
        for command in ("MAIL FROM:<client@here.test>",
                        f"RCPT TO:<{recipient}>"):
            code, text = smtp.docmd(command)
            if code != 250:
                raise smtplib.SMTPResponseException(code, text)
        code, text = smtp.data(f"Subject: x\n\ntoken {token}\n" +
                               ("x" * 77 + "\n") * (size // 78))
        if code != 250:
            raise smtplib.SMTPResponseException(code, text)
        ident = text.decode().split()[-1]
        self.tokens[ident] = token

    def stop(self):
        self.running = False
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a client hangs"


class Administrator:
    """Does this and that, and does not mind being told to try again."""

    def __init__(self, postern, rng):
        self.postern, self.rng, self.running = postern, rng, True
        self.acts = collections.Counter()
        self.removed = set()  # or perhaps not: the queue may have died
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def ctl(self, *arguments):
        done = self.postern.ctl(*arguments, check=False)
        self.acts[arguments[0]] += done.returncode == 0
        return done

    def work(self):
        while self.running:
            rows = [json.loads(line) for line in
                    self.ctl("queue", "--json").stdout.splitlines()]
            for _ in range(3):
                self.act([row["id"] for row in rows], [
                    row["id"] for row in rows
                    if row["destination"] == DOOMED])

    def act(self, ids, doomed):
        verb = self.rng.choice(["hold", "release", "retry", "remove",
                                "pause", "resume", "retry-all"])
        if verb in ("pause", "resume"):
            self.ctl(verb, "mx:other.test")
        elif verb == "retry-all":
            self.ctl("retry", "--all")
        elif verb == "remove" and doomed:
            some = self.rng.sample(doomed, min(5, len(doomed)))
            self.removed |= set(some)
            self.ctl(verb, *some)
        elif verb != "remove" and ids:
            self.ctl(verb, self.rng.choice(ids))
        time.sleep(0.02)

    def stop(self):
        self.running = False
        self.thread.join(60)
        assert not self.thread.is_alive(), "posternctl hangs"


class Other:
    """A host that takes every second message, at the end each, and none for the
    doomed."""

    def __init__(self, host):
        self.texts, self.turns, self.at_the_end = [], 0, False
        self.server = ScriptedServer(host, self.talk)

    def talk(self, c):
        c.say("220 other.test")
        while True:
            line = c.hear().upper()
            if line.startswith("RCPT"):
                self.turns += 1
                refuses = self.turns % 2 and not self.at_the_end
                c.say("450 4.2.1 not now" if "DOOMED" in line or refuses
                      else "250 ok")
            elif line.startswith("DATA"):
                c.say("354 go on")
                text = "".join(c.hear_content()).replace("\r\n", "\n")
                self.texts.append(text)
                c.say("250 ok")
            elif line.startswith("QUIT"):
                c.say("221 bye")
                return
            else:
                c.say("250 ok")


class Victim(Postern):
    """One whose queue is killed, and looked at while it is dead."""

    def queue_pid(self):
        """None while there is no queue."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as file:
            for pid in file.read().split():
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{pid}/exe").endswith("/queue"):
                        return int(pid)
        return None

    def kill_queue(self, wait, look):
        """Kills the next queue so many seconds after its start; it stays dead
        while `look` is called."""
        pid = wait_for("a queue", self.queue_pid, 60)
        time.sleep(wait)
        # The supervisor cannot start another one while it is stopped.
        self.process.send_signal(signal.SIGSTOP)
        try:
            os.kill(pid, signal.SIGKILL)
            wait_for("its end", lambda: is_dead(pid))
            look()
        finally:
            self.process.send_signal(signal.SIGCONT)
        # Reaped: the next one has another number, or a time of its own.
        wait_for("its burial", lambda: self.queue_pid() != pid)

    def store_tool(self, *arguments):
        return run(SBIN / "postern-store", "-c", self.config_file, *arguments,
                   check=False)


def is_dead(pid):
    """All that it had open is closed, whether it is buried or not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def read_store(dump):
    """The ids in the queue, and those whose history has come to an end."""
    here, gone = set(), set()
    for line in dump.splitlines():
        if line.startswith('{"type":"content"'):
            continue
        row = json.loads(line)
        if row["type"] == "message":
            here.add(row["id"])
        elif row["type"] == "event" and row["what"] in (DELIVERED, REMOVED):
            gone.add(row["id"])
    return here, gone


@pytest.fixture
def victim(lab, config):
    lab.empty_mailboxes()
    instance = Victim(lab.hosts["second"], config +
                      "\nlimit connections per address 1000\n"
                      "retry from 1s to 2s for 5d\n", name="killed")
    yield instance
    instance.close()


class Coroner:
    """Looks at the store after each kill."""

    def __init__(self, victim, clients):
        self.victim, self.clients = victim, clients
        self.looked, self.waiting = 0, 0

    def look(self):
        promised = set(self.clients.tokens)
        checked = self.victim.store_tool("check")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        dump = self.victim.store_tool("dump")
        assert dump.returncode == 0, dump.stderr
        here, gone = read_store(dump.stdout)
        lost = promised - here - gone
        assert not lost, f"kill {self.looked}: {len(lost)} lost: {lost}"
        self.looked += 1
        self.waiting += len(here)


def moments(rng):
    """When each queue is killed: most come before it had lived for a second,
    some before it was ready, and every fifth late enough that the supervisor
    does not wait ever longer."""
    for n in range(KILLS):
        if n % 5 == 0:
            yield 1 + rng.uniform(0.05, 0.3)
        else:
            yield rng.choice([rng.uniform(0, 0.05), rng.uniform(0, 0.5)])


def settle(victim, administrator):
    """All mail goes where it belongs, by itself but for what was done."""
    victim.ctl("resume", "mx:other.test")
    victim.ctl("release", "--all")

    def is_empty():
        rows = victim.ctl_json("queue")
        doomed = {row["id"] for row in rows if row["destination"] == DOOMED}
        administrator.removed |= doomed
        if doomed:  # also what nobody was told 250 for
            victim.ctl("remove", *doomed, check=False)
        return not rows
    wait_for("the queue to empty", is_empty, 120)


def test_kill_the_queue(lab, client, victim):
    rng = random.Random(SEED)
    began = time.monotonic()
    other = Other(lab.hosts["other"])
    clients = Clients(client)
    administrator = Administrator(victim, rng)
    coroner = Coroner(victim, clients)
    try:
        wait_for("mail to flow", lambda: len(clients.tokens) > 4 * CLIENTS)
        for wait in moments(rng):
            victim.kill_queue(wait, coroner.look)
        before = len(clients.tokens)
        wait_for("mail to flow again",
                 lambda: len(clients.tokens) > before + 10, 60)
    finally:
        clients.stop()
        administrator.stop()
    other.at_the_end = True
    settle(victim, administrator)
    assert victim.store_tool("check").returncode == 0
    found = tokens_in(other.texts)
    for user in ("alice", "bob", "carol"):
        found += tokens_in(lab.mail_of(user).values())
    other.server.close()
    wanted = {token for ident, token in clients.tokens.items()
              if ident not in administrator.removed}
    lost = wanted - set(found)
    twice = sum(n - 1 for n in found.values())
    print(f"\nseed {SEED}: {coroner.looked} kills, {coroner.waiting} messages "
          f"found waiting after them; {len(clients.tokens)} answered 250, "
          f"{len(administrator.removed)} removed, {len(lost)} lost, {twice} "
          f"duplicates; acts {dict(administrator.acts)}; "
          f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    assert not lost
    assert coroner.looked == KILLS
    # The load was one: mail waited, and each kind of act was done.
    assert coroner.waiting > KILLS
    assert all(administrator.acts[act] > 0 for act in
               ("hold", "release", "retry", "remove", "pause", "resume"))
