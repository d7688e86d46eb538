"""An administrator who looks at the queue: the first page, or all of it."""
import subprocess
import threading
import time

from lab import SBIN

import figures

PAGE = 24
EVERY = 2


def first_page(server):
    """Seconds until a screen is full."""
    begin = time.monotonic()
    with subprocess.Popen(
            [SBIN / "posternctl", "-c", server.config_file, "queue"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        for _ in range(PAGE):
            process.stdout.readline()
        taken = time.monotonic() - begin
        process.terminate()
    return taken


class Watch:
    """Looks, in a thread of its own, until the block ends."""

    def __init__(self):
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


class Pages(Watch):
    """Looks at the first page every so often."""

    def __init__(self, server):
        super().__init__()
        self.server, self.times = server, []

    def look(self):
        while not self.ended.wait(EVERY):
            self.times.append(first_page(self.server))


class Peak(Watch):
    """The most memory, in KiB, of processes that come and go. What the
    kernel accounts for at their end includes this one, of which they were a
    copy before they began."""

    def __init__(self, find):
        super().__init__()
        self.find, self.of = find, {}

    def look(self):
        while not self.ended.wait(0.01):
            for pid in self.find():
                try:
                    self.of[pid] = figures.status(pid, "VmHWM")
                except (OSError, AttributeError):
                    pass

    def most(self):
        return max(self.of.values(), default=0)


def list_with(command):
    """Seconds, lines, and the most memory in KiB of the command."""
    begin = time.monotonic()
    count = subprocess.Popen(["wc", "-l"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    lister = subprocess.Popen([str(c) for c in command], stdout=count.stdin)
    count.stdin.close()
    count.stdin = None
    with Peak(lambda: [lister.pid]) as peak:
        lister.wait()
    taken = time.monotonic() - begin
    if lister.returncode != 0:
        raise SystemExit(f"{command} ended with {lister.returncode}")
    with count:
        return taken, int(count.stdout.read()), peak.most()


def list_all(server):
    return list_with([SBIN / "posternctl", "-c", server.config_file, "queue"])
