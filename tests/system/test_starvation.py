"""A program that gets no more descriptors, or no more memory, for a while.

Whatever it does then (it may refuse, defer or die), it does not turn in a
loop, nothing that was answered 250 is lost, and mail flows when there is
enough again.
"""
import contextlib
import os
import pathlib
import re
import smtplib
import subprocess
import threading
import time
import uuid

import pytest

from lab import PROGRAMS, Postern, ScriptedServer, run, wait_for
from test_faults import Load, tokens_in
from test_send import script

SERVER = "192.0.2.60"
WINDOW = 1.0
# Of one CPU. What a few clients need is below a tenth, what a loop without
# end takes is all that it can get.
MOST_CPU = 0.5


@pytest.fixture(scope="module")
def starving(lab, config):
    instance = Postern(lab.hosts["second"], config +
                       "\nlimit connections per address 1000\n"
                       "retry from 1s to 2s for 5d\n", name="starving")
    other = ScriptedServer(lab.hosts["other"], script())
    yield instance, other
    other.close()
    instance.close()


def status_of(pid, name):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return re.search(rf"^{name}:\s+(.*)", status, re.M).group(1)


def soft_limit(pid, name):
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    return re.search(rf"^{name}\s+(\S+)", limits, re.M).group(1)


def set_soft_limit(pid, option, value):
    """As the process' own user: not every root may do it to others."""
    uid, gid = (status_of(pid, name).split()[0] for name in ("Uid", "Gid"))
    run("setpriv", "--reuid", uid, "--regid", gid, "--clear-groups",
        "prlimit", "--pid", pid, f"--{option}={value}:")


def lowest_free_descriptor(pid):
    used = {int(n) for n in os.listdir(f"/proc/{pid}/fd")}
    return next(n for n in range(len(used) + 1) if n not in used)


def address_space(pid):
    return int(status_of(pid, "VmSize").split()[0]) * 1024


LACKS = {
    "descriptors": ("nofile", "Max open files", lowest_free_descriptor),
    "memory": ("as", "Max address space", address_space),
}


def cpu_seconds(pid):
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    utime, stime = fields.rsplit(")", 1)[1].split()[11:13]
    return (int(utime) + int(stime)) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def lack(pids, option, name, measure):
    """The soft limit is what is in use now; afterwards, what it was."""
    old = {pid: soft_limit(pid, name) for pid in pids}
    for pid in pids:
        set_soft_limit(pid, option, measure(pid))
    try:
        yield
    finally:
        for pid, value in old.items():
            # It may have died of it.
            with contextlib.suppress(OSError, subprocess.CalledProcessError):
                set_soft_limit(pid, option, value)


@contextlib.contextmanager
def burst(client):
    """More than there has been until now: connections that wait to be taken,
    and a message for many hosts, which may be refused."""
    connections = []

    def begin():
        with contextlib.suppress(OSError, smtplib.SMTPException):
            for _ in range(40):
                connections.append(client.connect(SERVER, timeout=2))
            with client.smtp(SERVER, timeout=5) as smtp:
                smtp.sendmail("burst@here.test", [
                    f"u@{uuid.uuid4().hex}.other.test" for _ in range(100)],
                    "Subject: x\n\nburst\n")

    thread = threading.Thread(target=begin, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join(30)
        for connection in connections:
            connection.close()


@pytest.fixture
def load(client, starving):
    load = Load(client, SERVER, ["alice@here.test", "u@TOKEN.other.test",
                                 "bob@here.test"], 6, pause=0.03,
                size=100_000)
    yield load
    load.stop()


def everywhere(lab, other):
    # What the host has not had to the end, it has not.
    texts = ["".join(t).rpartition("\r\n.\r\n")[0]
             for t in list(other.transcripts)]
    for user in ("alice", "bob"):
        texts += lab.mail_of(user).values()
    return set(tokens_in(t.replace("\r\n", "\n") for t in texts))


@pytest.mark.parametrize("what", LACKS)
def test_lack(lab, starving, client, load, what):
    postern, other = starving
    for program in PROGRAMS:
        before = len(load.promised)
        wait_for("mail to flow", lambda: len(load.promised) > before + 10)
        pids = postern.pids(program)
        assert pids
        with lack(pids, *LACKS[what]), burst(client):
            start = {pid: cpu_seconds(pid) for pid in pids}
            time.sleep(WINDOW)
            used = sum(cpu_seconds(pid) - start[pid] for pid in pids
                       if os.path.exists(f"/proc/{pid}"))
        assert used < MOST_CPU * WINDOW, f"{program} spins: {used} s"
        before = len(load.promised)
        wait_for(f"mail to flow after a lack of {what} in {program}",
                 lambda: len(load.promised) > before + 10, 30)
    load.stop()
    if what == "descriptors":  # It was felt; a record may lose its own.
        for program in "smtpd", "queue":
            assert re.search(rf"^{program}\[.*(Too many open files|"
                             r'link-error .*"Protocol error")',
                             postern.log(), re.M), program

    def delivered():
        time.sleep(0.5)  # The scripted host lives in this process too.
        postern.ctl("retry", "--all", check=False)
        return load.promised <= everywhere(lab, other)
    wait_for("every message", delivered, 40)
