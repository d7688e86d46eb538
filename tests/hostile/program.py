"""One real program, with everything around it played by the test.

The test is its supervisor on descriptor 3 and each of its neighbours, and may
say to it whatever it likes.
"""
import contextlib
import fcntl
import os
import pathlib
import re
import socket
import subprocess
import time

import records

BUILD = pathlib.Path(os.environ.get("POSTERN_BUILD", records.TOP / "build"))
FULL_SEALS = 0xF
# Such a build keeps freed memory for a while, to catch its use.
IS_SANITIZED = b"__asan_init" in (BUILD / "postern").read_bytes()


def memfd(data, seals=FULL_SEALS):
    fd = os.memfd_create("content", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    if seals:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def pair():
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def wait_for(condition, seconds=10, what="it"):
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)
    return value


def cpu_seconds(pid):
    """What this process has used so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1]
    return sum(map(int, fields.split()[11:13])) / os.sysconf("SC_CLK_TCK")


def prlimit(pid, *arguments):
    """As its own user: root may be without the right to do it to others."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    uid, gid = (int(re.search(rf"^{what}:\t(\d+)", status, re.M).group(1))
                for what in ("Uid", "Gid"))
    return subprocess.run(
        ["prlimit", f"--pid={pid}", *arguments], user=uid, group=gid,
        extra_groups=[], check=True, text=True, capture_output=True).stdout


@contextlib.contextmanager
def no_descriptors(pid):
    """Meanwhile it can open or accept nothing more."""
    before = prlimit(pid, "--nofile", "--raw", "--noheadings", "-o", "SOFT")
    prlimit(pid, "--nofile=3:")
    try:
        yield
    finally:
        prlimit(pid, f"--nofile={before.strip()}:")


class Program:
    """Stopped by `with`, or by stop()."""

    def __init__(self, folder, name, config, listeners=(), env=None,
                 prefix=()):
        self.folder, self.name = pathlib.Path(folder), name
        self.log = open(self.folder / f"{name}.log", "a+")
        self.supervisor, child = pair()
        self.instance = 0

        def wire():
            os.dup2(child.fileno(), 3)
            os.set_inheritable(3, True)

        self.process = subprocess.Popen(
            [*prefix, BUILD / name], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, close_fds=False, preexec_fn=wire,
            env=dict(os.environ, **(env or {})))
        child.close()
        self.pid = self.process.pid
        records.send(self.supervisor, "LOG", fd=self.log.fileno(), form=0,
                     verbose=1)
        text = memfd(config.encode())
        records.send(self.supervisor, "CONFIG", fd=text, path="test.conf")
        os.close(text)
        for number, sock in enumerate(listeners):
            records.send(self.supervisor, "LISTENER", fd=sock.fileno(),
                         number=number)

    def start(self):
        records.send(self.supervisor, "START", instance=1, generation=1)
        ready = records.receive(self.supervisor, 20)
        assert ready is not None and ready.type == "READY", self.read_log()
        return self

    def add_peer(self, program, generation=1):
        """Our end of a new link; theirs is a neighbour of that name."""
        ours, theirs = pair()
        self.instance += 1
        records.send(self.supervisor, "PEER", fd=theirs.fileno(),
                     program=records.PROGRAMS[program],
                     instance=self.instance, generation=generation)
        theirs.close()
        return ours

    def read_log(self):
        self.log.flush()
        return (self.folder / f"{self.name}.log").read_text(errors="replace")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def is_alive(self):
        return self.process.poll() is None

    def stop(self):
        self.supervisor.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def is_closed(sock, seconds=5):
    """Does the far side close this link, whatever it says before?"""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sock.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            try:
                data, fds, _, _ = socket.recv_fds(sock, 65536, 8)
            except ConnectionResetError:
                return True
            for fd in fds:
                os.close(fd)
            if not data:
                return True
    return False


def broken_records(good, a_type_of_others):
    """Every way in which a record can be wrong: (name, octets, descriptors).

    `good` is a well-formed Message without a descriptor that this link may
    send; `a_type_of_others` is one that it may not."""
    whole = records.encode(good)
    rows = [(f"cut-at-{n}", whole[:n], []) for n in range(1, len(whole))]
    rows += [
        ("one-octet-too-many", whole + b"\0", []),
        ("empty", b"", []),
        ("no-such-type", b"\xff\xff" + whole[2:], []),
        ("type-zero", b"\0\0" + whole[2:], []),
        ("larger-than-a-record", whole + b"x" * 60000, []),
        ("not-theirs-to-send", records.encode(
            records.Message(a_type_of_others)), []),
        ("a-descriptor-too-many", whole, [0]),
        ("two-descriptors", whole, [0, 1]),
        ("a-flood-of-descriptors", whole, [0] * 200),
    ]
    return rows
