"""What a program that was taken over could do to the supervisor: be replaced,
and nothing else. Every program here is false; only the supervisor is real."""
import contextlib
import fcntl
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import termios
import time

import pytest

import records
from program import BUILD, broken_records, cpu_seconds, is_closed, \
    no_descriptors, wait_for

HERE = pathlib.Path(__file__).parent
PROGRAMS = ["queue", "resolver", "spawn", "remote", "router", "smtpd"]
CONFIG = """hostname "mail.here.test"
run "{home}/run"
spool "{home}/spool"
listen on 127.0.0.1 port {port}
limit workers 1
mailbox "people" users system deliver maildir "~/Maildir"
accept to domain "here.test" mailbox "people"
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Supervisor:
    """A real one, in a folder where all its programs are false."""

    def __init__(self, home, stderr=None):
        self.home, self.port = home, free_port()
        shutil.copy(BUILD / "postern", home)
        (home / "hostile").symlink_to(HERE)
        for name in PROGRAMS:
            shutil.copy(HERE / "false_program.py", home / name)
        # records.py looks for the table two folders up from itself
        self.config = home / "postern.conf"
        self.write_config()
        self.log = open(home / "log", "a+")
        self.process = subprocess.Popen(
            [home / "postern", "-f", "-c", self.config],
            stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=stderr or self.log)
        if stderr:  # the test reads it
            return
        wait_for(lambda: " ready generation=1" in self.read_log(), 20,
                 "the house to be ready")

    def write_config(self, more=""):
        self.config.write_text(
            CONFIG.format(home=self.home, port=self.port) + more)

    def read_log(self):
        return (self.home / "log").read_text()

    def behave(self, name, how):
        file = self.home / f"{name}.behaviour"
        if how is None:
            file.unlink()
        else:
            file.write_text(how)

    def pids(self):
        """By name; a program that is being started has no name yet."""
        pid = self.process.pid
        found = {}
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        for child in children.read_text().split():
            try:
                arguments = pathlib.Path(
                    f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            name = os.path.basename(arguments[1]).decode() \
                if len(arguments) > 1 else ""
            if name in PROGRAMS:
                found.setdefault(name, []).append(int(child))
        return found

    def fds(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def ask(self, seconds=30):
        """Asks for a reload."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
            sock.connect(str(self.home / "run/supervisor"))
            records.send(sock, "CTL_RELOAD", 7)
            answer = records.receive(sock, seconds)
            assert answer.type == "CTL_END" and answer.handle == 7
            return answer

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(8)
        finally:
            self.process.kill()
            self.log.close()


@pytest.fixture
def supervisor(tmp_path):
    supervisor = Supervisor(tmp_path)
    yield supervisor
    supervisor.close()


def replaced(supervisor, before, name):
    after = supervisor.pids()
    return sorted(after) == sorted(before) and after[name] != before[name]


@pytest.mark.parametrize("name, how", [
    *(("router", how) for how in (
        "dies", "closes", "garbage", "empty", "twice", "not his",
        "descriptors", "wrong instance", "says that it hangs",
        "asks for others' links", "asks whose uid")),
    ("queue", "garbage"), ("queue", "asks whose uid"),
    ("queue", "says that it hangs"), ("smtpd", "asks for others' links")])
def test_a_hostile_program_is_replaced(supervisor, name, how):
    before, fds = supervisor.pids(), supervisor.fds()
    supervisor.behave(name, how)
    os.kill(before[name][0], signal.SIGKILL)
    wait_for(lambda: supervisor.read_log().count(
        f"death program={name}") >= 2, 15, "some deaths")
    supervisor.behave(name, None)
    wait_for(lambda: replaced(supervisor, before, name), 15, "a good one")
    time.sleep(1.5)  # the last hostile one may have been the new one
    after = wait_for(lambda: replaced(supervisor, before, name) and
                     supervisor.pids(), 15, "a good one")
    assert all(after[n] == before[n] for n in PROGRAMS if n != name)
    assert supervisor.process.poll() is None
    wait_for(lambda: supervisor.fds() == fds, 5, "the descriptors")
    assert supervisor.ask()["code"] == 0


def test_a_flood_holds_nobody_up(supervisor):
    before = supervisor.pids()
    supervisor.behave("resolver", "floods")
    os.kill(before["resolver"][0], signal.SIGKILL)
    wait_for(lambda: replaced(supervisor, before, "resolver"), 15, "a flood")
    started = time.monotonic()
    os.kill(before["router"][0], signal.SIGKILL)
    wait_for(lambda: replaced(supervisor, before, "router"), 5, "a router")
    assert time.monotonic() - started < 5


def test_links_without_end_hurt_nobody(supervisor):
    """A queue that says of every new link at once, and often, that it ended:
    each pair is linked anew, ever more slowly, and nobody is killed."""
    before = supervisor.pids()
    supervisor.behave("queue", "loses every link")
    os.kill(before["queue"][0], signal.SIGKILL)
    wait_for(lambda: replaced(supervisor, before, "queue"), 15, "a queue")
    before = supervisor.pids()
    time.sleep(4.5)  # 0.2 s, 0.4, 0.8, 1.6; the fifth would come at 6.2
    lines = [line for line in supervisor.read_log().splitlines()
             if " relink " in line]
    for peer in "router", "spawn", "remote":
        of_peer = [line for line in lines if f"peer={peer} " in line]
        assert 3 <= len(of_peer) <= 5
        assert "waited-ms=200" in of_peer[0]
        assert "waited-ms=800" in of_peer[2]
    assert len(lines) <= 15
    assert supervisor.pids() == before
    assert supervisor.ask()["code"] == 0


def test_one_that_stops_reading_holds_nobody_up(supervisor):
    before = supervisor.pids()
    supervisor.behave("router", "stops reading")
    os.kill(before["router"][0], signal.SIGKILL)
    wait_for(lambda: replaced(supervisor, before, "router"), 15, "a router")
    for _ in range(5):
        now = supervisor.pids()
        os.kill(now["smtpd"][0], signal.SIGKILL)
        wait_for(lambda: replaced(supervisor, now, "smtpd"), 15, "an smtpd")
    supervisor.process.send_signal(signal.SIGTERM)
    assert supervisor.process.wait(6) == 0


def test_an_end_without_their_help(supervisor):
    for name in PROGRAMS:
        supervisor.behave(name, "lingers")
    for name, (pid,) in supervisor.pids().items():
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: supervisor.read_log().count("death ") == 6)
    wait_for(lambda: len(supervisor.pids()) == 6, 15)
    started = time.monotonic()
    supervisor.process.send_signal(signal.SIGTERM)
    assert supervisor.process.wait(8) == 0
    assert time.monotonic() - started < 5.5


def test_a_reload_that_does_not_get_ready_changes_nothing(supervisor):
    before, fds = supervisor.pids(), supervisor.fds()
    supervisor.behave("remote", "dies")
    answer = supervisor.ask()
    assert answer["code"] == 69 and "the old one stays" in answer["text"]
    wait_for(lambda: supervisor.pids() == before, 5, "the old ones alone")
    wait_for(lambda: supervisor.fds() == fds, 5, "the descriptors")
    supervisor.behave("remote", None)
    assert supervisor.ask()["code"] == 0
    wait_for(lambda: all(len(p) == 1 for p in supervisor.pids().values()))
    after = supervisor.pids()
    assert [n for n in PROGRAMS if after[n] == before[n]] == ["queue"]
    wait_for(lambda: supervisor.fds() == fds, 5, "the descriptors")


def test_a_wrong_configuration_changes_nothing(supervisor):
    before = supervisor.pids()
    for more, code, text in (
            ('malibox "x"\n', 78, "mailbox"),
            (f"listen on 127.0.0.1 port {busy_port()}\n", 78,
             "already in use"),
            ("# " + "x" * 2_000_000, 78, "too large")):
        supervisor.write_config(more)
        answer = supervisor.ask()
        assert answer["code"] == code and text in answer["text"]
    supervisor.config.unlink()
    assert "No such file" in supervisor.ask()["text"]
    assert supervisor.pids() == before


def busy_port(kept=[]):
    kept.append(socket.create_server(("127.0.0.1", 0)))
    return kept[-1].getsockname()[1]


def test_clients_of_the_control_socket(supervisor):
    path = str(supervisor.home / "run/supervisor")
    fds = supervisor.fds()
    good = records.Message("CTL_RELOAD", 7)
    for name, data, sent in broken_records(good, "CTL_STATS"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
            sock.connect(path)
            records.send_raw(sock, data, sent)
            assert is_closed(sock), name
    assert supervisor.fds() == fds
    idle = []
    for _ in range(40):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.connect(path)
        idle.append(sock)
    time.sleep(0.2)
    assert supervisor.fds() <= fds + 8
    for sock in idle:
        sock.close()
    assert supervisor.ask()["code"] == 0
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_idle_clients_keep_nobody_out(supervisor):
    """Neither those who never ask nor those who stay after their answer: who
    has a question is let in before he gives up."""
    path = str(supervisor.home / "run/supervisor")
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(socket.socket(
            socket.AF_UNIX, socket.SOCK_SEQPACKET)) for _ in range(8)]
        for sock in idle:
            sock.connect(path)
        records.send(idle[0], "CTL_RELOAD", 7)
        assert records.receive(idle[0], 20)["code"] == 0
        assert supervisor.ask(25)["code"] == 0
        for sock in idle:
            assert is_closed(sock)


def test_a_lack_of_descriptors_is_waited_for(supervisor):
    """Who asks for a reload cannot be let in: the supervisor does not try all
    the time, and lets him in when there is room again."""
    pid = supervisor.process.pid
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        with no_descriptors(pid):
            before = cpu_seconds(pid)
            sock.connect(str(supervisor.home / "run/supervisor"))
            records.send(sock, "CTL_RELOAD", 7)
            time.sleep(1)
            assert cpu_seconds(pid) - before < 0.3
            assert supervisor.read_log().count("accept-failed") == 1
        assert records.receive(sock, 20)["code"] == 0


def read_until(fd, what, seconds=20):
    seen, end = b"", time.monotonic() + seconds
    while what not in seen:
        assert time.monotonic() < end, seen
        if select.select([fd], [], [], 1)[0]:
            seen += os.read(fd, 65536)


def fill(pipe):
    own = os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(own, bytes(512))
    except BlockingIOError:
        os.close(own)


@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_a_log_that_is_not_read_holds_nobody_up(tmp_path, kind):
    """Lines are lost, and counted; the flags of what we were given, which
    others share, are as before."""
    ours, theirs = os.pipe() if kind == "pipe" else os.openpty()
    supervisor = Supervisor(tmp_path, theirs)
    try:
        read_until(ours, b" ready generation=1")
        if kind == "pipe":
            fill(theirs)
        else:
            termios.tcflow(theirs, termios.TCOOFF)
        for name in "router", "remote":
            before = supervisor.pids()
            os.kill(before[name][0], signal.SIGKILL)
            wait_for(lambda: replaced(supervisor, before, name), 5, name)
        if kind == "terminal":
            termios.tcflow(theirs, termios.TCOON)
        else:
            read_until(ours, b"\0" * 512)
        assert supervisor.ask()["code"] == 0
        read_until(ours, b" log-lost lines=")
        assert not fcntl.fcntl(theirs, fcntl.F_GETFL) & os.O_NONBLOCK
    finally:
        if kind == "terminal":
            termios.tcflow(theirs, termios.TCOON)
        os.close(ours)
        os.close(theirs)
        supervisor.close()
