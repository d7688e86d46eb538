"""kill -9, in every place, while fifty clients send: nothing is lost.

Each message has a token of its own. Once the server has answered 250 the
token must be in a mailbox, at the foreign host, or in the queue. Duplicates
are allowed after a crash; they are counted and reported.
"""
import collections
import itertools
import os
import re
import signal
import smtplib
import threading
import time
import uuid

import pytest

from lab import PROGRAMS, Postern, wait_for

CLIENTS = 50
ROUNDS = 20
TOKEN = re.compile(r"^token ([0-9a-f]{32})$", re.M)


RECIPIENTS = ["alice@here.test", "someone@there.test", "bob@here.test",
              "carol@here.test"]


class Load:
    """Clients that never give up and remember what was promised."""

    def __init__(self, host, server, recipients=RECIPIENTS, clients=CLIENTS,
                 pause=0, size=3000):
        self.host, self.server = host, server
        self.recipients, self.pause = recipients, pause
        self.filling = "\n" + ("x" * 77 + "\n") * (size // 78)
        self.promised, self.lock = set(), threading.Lock()
        self.running = True
        self.threads = [threading.Thread(target=self.work, args=(n,),
                                         daemon=True)
                        for n in range(clients)]
        for thread in self.threads:
            thread.start()

    def work(self, number):
        recipients = itertools.cycle(self.recipients)
        for _ in range(number % 4):
            next(recipients)
        while self.running:
            try:
                with self.host.smtp(self.server, timeout=5) as smtp:
                    while self.running:
                        self.send_one(smtp, next(recipients))
                        time.sleep(self.pause)
            except (OSError, smtplib.SMTPException):
                time.sleep(0.05)

    def send_one(self, smtp, recipient):
        token = uuid.uuid4().hex
        recipient = recipient.replace("TOKEN", token)
        smtp.sendmail("client@here.test", [recipient],
                      f"Subject: x\n\ntoken {token}" + self.filling)
        with self.lock:
            self.promised.add(token)

    def stop(self):
        self.running = False
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a client hangs"


def kill(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def tokens_in(texts):
    return collections.Counter(
        itertools.chain.from_iterable(TOKEN.findall(t) for t in texts))


@pytest.fixture
def victim(lab, config):
    lab.empty_mailboxes()
    instance = Postern(lab.hosts["second"],
                       config.replace("retry", "# retry") +
                       "\nlimit connections per address 1000\n"
                       "retry from 1s to 2s for 5d\n", name="victim")
    yield instance
    instance.close()


def test_kill_everything(lab, there, client, victim):
    load = Load(client, "192.0.2.60")
    try:
        wait_for("the first messages", lambda: len(load.promised) > CLIENTS)
        for turn in range(ROUNDS):
            before = len(load.promised)
            program = PROGRAMS[turn % len(PROGRAMS)]
            kill(victim.pids(program))
            time.sleep(0.3)
            kill(victim.children())  # all programs at once
            wait_for("mail to flow again",
                     lambda: len(load.promised) > before + CLIENTS, 30)
            if turn % 5 == 4:  # and the supervisor with them
                victim.kill_all()
                victim.start()
    finally:
        load.stop()
    promised = load.promised

    def account():
        found = tokens_in(there.delivered().values())
        for user in ("alice", "bob", "carol"):
            found += tokens_in(lab.mail_of(user).values())
        return found

    def all_accounted():
        if victim.ctl_json("queue"):
            victim.ctl("retry", "--all", check=False)
            return False
        return True

    wait_for("the queue to empty", all_accounted, 120)
    found = wait_for("the foreign host to file its mail", lambda: (
        lambda f: f if promised <= set(f) else None)(account()), 60) \
        if not promised <= set(account()) else account()
    lost = promised - set(found)
    twice = sum(n - 1 for n in found.values() if n > 1)
    print(f"\n{len(promised)} messages answered 250 in {ROUNDS} rounds: "
          f"{len(lost)} lost, {twice} duplicates")
    assert not lost
