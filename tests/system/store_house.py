"""A store that postern-store looks after: a folder with a configuration, and now
and then a queue, whose neighbours are played by the test.
"""
import contextlib
import json
import os
import pathlib
import pwd
import random
import signal
import struct
import subprocess
import sys
import threading
import time

from lab import SBIN

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "hostile"))
import records  # noqa: E402
from queue_lab import CONFIG as QUEUE_CONFIG  # noqa: E402
from queue_lab import Queue, digest, envelope  # noqa: E402

# What damaged pages do to their reader is the tool's to tell.
os.environ.setdefault("ASAN_OPTIONS", "handle_segv=0:handle_sigbus=0")

OK, USAGE, DATAERR, NOINPUT, CANTCREAT, IOERR, TEMPFAIL, NOPERM, CONFIG = \
    0, 64, 65, 66, 73, 74, 75, 77, 78
DELIVERED, DEFERRED = 0, 1  # enum report_outcome
SCOPE_DESTINATION = 2
REMOVE = 3  # enum ctl_verb
UID = pwd.getpwnam("postern-queue").pw_uid


class House:
    """A folder with a configuration, a store, and now and then a queue."""

    def __init__(self, folder):
        self.folder, self.queue = folder, None
        folder.mkdir(exist_ok=True)
        self.store = folder / "spool/store"
        self.config = folder / "postern.conf"
        self.config.write_text(QUEUE_CONFIG.format(
            spool=folder / "spool", run=folder / "run", more=""))
        self.next = time.time_ns() // 1_000_000 << 20
        self.handle = 0
        self.digests = {}  # of what was confirmed

    def start(self):
        self.queue = Queue(self.folder)
        return self.queue

    def stop(self):
        if self.queue:
            self.queue.stop()
            self.queue = None

    def kill(self):
        self.queue.process.kill()
        self.stop()

    def send(self, content, recipients=1):
        self.next += 1
        self.handle += 1
        envelope(self.queue.router, self.handle, self.next, content,
                 recipients)
        answer = records.receive(self.queue.router, 20)
        while answer.type == "INJECT":  # a report, which nobody answers
            os.close(answer.fd)
            answer = records.receive(self.queue.router, 20)
        assert answer.type == "STORED" and answer["code"] == 250
        self.digests[answer["id"]] = digest(content)
        return answer["id"]

    def fill(self, count=30, seed=1):
        rng = random.Random(seed)
        for _ in range(count):
            size = rng.choice([0, 1, 300, 32752, 40000, 200000])
            self.send(rng.randbytes(size), rng.randint(1, 3))

    def holds(self, digests):
        """Every one of them, whole."""
        present = {item["id"] for item in self.queue.items()}
        assert set(digests) <= present
        for ident, wanted in digests.items():
            assert digest(self.queue.content(ident)) == wanted
        return present

    def tool(self, *arguments, code=OK, **options):
        done = subprocess.run(
            [SBIN / "postern-store", "-c", self.config, *arguments],
            capture_output=True, timeout=120, **options)
        assert code in (done.returncode, None), done.stderr.decode()
        # Nothing in the store is ever root's.
        for path in self.store.iterdir():
            assert path.stat().st_uid == UID, path
        return done

    def faults(self):
        out = self.tool("check", "--json", code=DATAERR).stdout
        return [json.loads(line) for line in out.splitlines()]

    def is_clean(self):
        out = self.tool("check").stdout.decode()
        assert out.endswith("no faults\n")
        return out


def base32(ident):
    alphabet, out = "0123456789abcdefghjkmnpqrstvwxyz", ""
    for _ in range(13):
        out = alphabet[ident & 31] + out
        ident >>= 5
    return out


def flip(path, needle, at=0):
    """Changes one bit, in every copy of it that the pages hold."""
    data = bytearray(path.read_bytes())
    found, place = 0, data.find(needle)
    while place != -1:
        data[place + at] ^= 1
        found += 1
        place = data.find(needle, place + 1)
    assert found
    with path.open("r+b") as file:
        file.write(data)


def is_free(house):
    """One that dies while it waits for the disk takes its time."""
    return subprocess.run(
        [SBIN / "postern-store", "-c", house.config, "check"],
        capture_output=True).returncode != TEMPFAIL


def kill_after(delay, command, **options):
    """The command and its child are gone at once, wherever they are."""
    process = subprocess.Popen(command, start_new_session=True,
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, **options)
    time.sleep(delay)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait(20)


def leaves(image, table, ident, number=0):
    """Where the pages are that hold a row of the message, as LMDB lays them
    out: the length of the key, the key, the value."""
    key = struct.pack(">Q", ident)
    if table != "message":
        key += struct.pack(">I", number)
    first = {"message": b"\2", "recipient": b"\2", "event": b"\2",
             "content": b"x"}[table]
    node = struct.pack("<H", len(key)) + key + first
    return [at for at in range(2 * 4096, len(image), 4096)
            if image[at + 10] == 2 and any(
                image[begin:begin + len(node)] == node
                for begin in nodes(image, at))]


def nodes(image, at):
    """Behind that, in what is free, may lie what the page once held."""
    lower, = struct.unpack_from("<H", image, at + 12)
    for slot in range(at + 16, at + min(lower, 4096), 2):
        yield at + struct.unpack_from("<H", image, slot)[0] + 6


class Flow(threading.Thread):
    """Mail that comes in without end."""

    def __init__(self, house):
        super().__init__(daemon=True)
        self.house, self.open = house, True

    def run(self):
        rng = random.Random(5)
        while self.open:
            self.house.send(rng.randbytes(rng.choice([300, 70000])))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.open = False
        self.join()
