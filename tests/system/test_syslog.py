"""postern as a daemon, logging to syslog, which may go and come back."""
import contextlib
import os
import re
import signal
import socket
import stat
import uuid

import pytest

from lab import PROGRAMS, SBIN, Postern, wait_for

SERVER = "192.0.2.60"
NODES = {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9)}


class Syslog:
    """A folder that a daemon sees as /dev, and the socket in it."""

    def __init__(self, folder):
        self.folder, self.lines, self.socket = folder, [], None
        folder.mkdir()
        for name, (major, minor) in NODES.items():
            os.mknod(folder / name, 0o666 | stat.S_IFCHR,
                     os.makedev(major, minor))
            os.chmod(folder / name, 0o666)
        self.begin()

    def begin(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(str(self.folder / "log"))
        os.chmod(self.folder / "log", 0o666)

    def end(self):
        self.socket.close()
        (self.folder / "log").unlink()

    def read(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.lines.append(self.socket.recv(8192).decode())
        return self.lines

    def has(self, text):
        return [line for line in self.read() if text in line]


class Daemon(Postern):
    def start(self):
        self.host.run("unshare", "--mount", "--propagation", "private", "sh",
                      "-c", 'mount --bind "$0" /dev && exec "$@"',
                      self.dir.parent / "dev", SBIN / "postern", "-c",
                      self.config_file)
        self.pid = int((self.run_dir / "postern.pid").read_text())
        wait_for("the daemon",
                 lambda: self.ctl("stats", check=False).returncode == 0)

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        wait_for("its end", lambda: not os.path.exists(f"/proc/{self.pid}"))

    def kill_all(self):
        self.stop()


@pytest.fixture
def syslog(lab):
    syslog = Syslog(lab.dir / "dev")
    yield syslog
    syslog.end()


@pytest.fixture
def daemon(lab, config, syslog):
    daemon = Daemon(lab.hosts["second"], config, name="daemon")
    yield daemon
    daemon.close()


def deliver(client, lab):
    token = uuid.uuid4().hex
    with client.smtp(SERVER) as smtp:
        smtp.sendmail("eve@else.test", ["alice@here.test"],
                      f"Subject: x\n\nbody {token}\n")
    wait_for("the mail", lambda: any(f"body {token}" in text for text in
                                     lab.mail_of("alice").values()))


def test_syslog(lab, client, daemon, syslog):
    wait_for("SMTP", lambda: lab.hosts["second"].answers(SERVER, 25))
    deliver(client, lab)
    wait_for("its lines", lambda: syslog.has(" accepted id=") and
             syslog.has(" delivered id="))
    # The facility is mail; who says it has its name and pid.
    for line in syslog.lines:
        priority, name = re.match(r"<(\d+)>.*?([\w/-]+)\[\d+\]: ",
                                  line).groups()
        assert int(priority) >> 3 == 2, line
        assert name.removeprefix("postern/") in [*PROGRAMS, "postern",
                                                 "local"], line

    # Without syslog mail flows, and afterwards the lines do again.
    syslog.end()
    deliver(client, lab)
    syslog.begin()
    syslog.lines.clear()

    def comes_back():
        deliver(client, lab)
        return syslog.has(" accepted id=") and syslog.has(" delivered id=")
    wait_for("the log to come back", comes_back)
