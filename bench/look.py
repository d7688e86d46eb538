#!/usr/bin/env python3
"""What it costs a large queue to be looked at.

usage: POSTERN_BUILD=build bench/look.py RECIPIENTS

Fills a queue (as root) and runs each command that lists, while a router hands
over one message after another. For each: seconds until the first line and
until the last, lines, the longest and the mean milliseconds until the queue
had taken a message, and the queue's own memory (RssAnon) in KiB.
"""
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests/hostile"))

import records  # noqa: E402
from program import BUILD  # noqa: E402
from queue_lab import Queue, envelope  # noqa: E402

MAIL = b"Received: by test\r\nSubject: hello\r\n\r\nA line.\r\n"
COMMANDS = "queue", "summary", "destinations"


def new_id(n=[0]):
    n[0] += 1
    return (time.time_ns() // 1_000_000 << 20) + n[0]


def store(queue, recipients=1):
    start = time.monotonic()
    envelope(queue.router, 7, new_id(), MAIL, recipients=recipients)
    assert records.receive(queue.router, 60)["code"] == 250
    return (time.monotonic() - start) * 1000


def own_memory(queue):
    status = pathlib.Path(f"/proc/{queue.pid}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0])


def look(queue, config, command):
    times, ended = [], threading.Event()

    def load():
        while not ended.is_set():
            times.append(store(queue))

    thread = threading.Thread(target=load)
    thread.start()
    start, first, lines = time.monotonic(), None, 0
    with subprocess.Popen([BUILD / "posternctl", "-c", config, command],
                          stdout=subprocess.PIPE) as process:
        for _ in process.stdout:
            first = first or time.monotonic() - start
            lines += 1
    last = time.monotonic() - start
    ended.set()
    thread.join()
    print(f"{command:13} {first:8.3f} {last:8.2f} {lines:9} "
          f"{max(times):8.1f} {sum(times) / len(times):8.1f} "
          f"{own_memory(queue):8}", flush=True)


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-look-"))
    config = folder / "look.conf"
    with Queue(folder) as queue:
        run = queue.control_path.parent
        config.write_text(
            f'hostname "a.test"\nrun "{run}"\nlisten on * port 25\n'
            'mailbox "m" users system deliver maildir "~/Maildir"\n'
            'accept to domain "a.test" mailbox "m"\n')
        for _ in range(int(sys.argv[1]) // 1000):
            store(queue, 1000)
        print(f"{'command':13} {'first':>8} {'last':>8} {'lines':>9} "
              f"{'longest':>8} {'mean':>8} {'memory':>8}")
        for command in COMMANDS:
            look(queue, config, command)


main()
