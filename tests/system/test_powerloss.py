"""A loss of power at any moment: what was answered 250 is still there, whole.

The real queue runs with every write to its store written down. From that the
disk is built as the loss may have left it: everything that was synced, and of
what was not any part, torn at sectors. Each such disk is given to a new queue,
which must open it and hold every message that it had confirmed by then, with
what its sender asked to be told, and every pause. Every row must agree with
every other, before that queue has touched the store and after.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import struct
import sys
import tempfile
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "hostile"))
import records  # noqa: E402
from program import BUILD  # noqa: E402
from lab import SBIN, run  # noqa: E402
from queue_lab import CONFIG, Queue, digest, envelope  # noqa: E402

WRITE, SYNC, DURABLE = 1, 2, 3
SECTOR = 512
MESSAGES = 120
CRASHES = 120
SEED = 20
DELIVERED, DEFERRED, FAILED = 0, 1, 2  # enum report_outcome
STATE_FAILED = 2  # enum recipient_state
HDRS = 2  # of RET
FAILURE, DELAY = 4, 8  # of NOTIFY


def read_journal(path):
    """(end position, kind, offset, octets) of each record."""
    data, at, out = path.read_bytes(), 0, []
    while at < len(data):
        kind, offset, length = struct.unpack_from("=3Q", data, at)
        at += 24
        out.append((at + length, kind, offset, data[at:at + length]))
        at += length
    return out


class Promises:
    """What the queue confirmed, and how long the journal was by then."""

    def __init__(self, journal):
        self.journal, self.stored, self.digests = journal, {}, {}
        self.maybe_gone = {}  # id: before this position it must be there
        self.pauses = {}  # name: (begun at, confirmed at, is paused) of each

    def position(self):
        return self.journal.stat().st_size


def run_workload(folder, promises):
    """Messages come in, in groups; most are delivered; some are large."""
    rng = random.Random(SEED)
    queue = Queue(folder, env={
        "LD_PRELOAD": str((BUILD / "tools/record.so").resolve()),
        "RECORD_JOURNAL": str(promises.journal),
        "ASAN_OPTIONS": "verify_asan_link_order=0"})
    try:
        agent = queue.add_peer("remote")
        first = time.time_ns() // 1_000_000 << 20
        sent = 0
        while sent < MESSAGES:
            group = rng.randint(1, 8)
            for _ in range(group):
                size = rng.choice([300, 4000, 4000, 4000, 70000, 400000])
                content = rng.randbytes(size // 2).hex().encode()
                ident = first + sent
                promises.digests[ident] = digest(content)
                envelope(queue.router, sent + 1, ident, content, ret=HDRS,
                         envid="ENVQQ", notify=FAILURE | DELAY,
                         orcpt="rfc822;orcpt@example.com")
                sent += 1
            for _ in range(group):
                answer = next_answer(queue.router)
                assert answer.type == "STORED" and answer["code"] == 250
                promises.stored[answer["id"]] = promises.position()
            deliver_some(agent, rng, promises)
            pause_some(queue, rng, promises)
    finally:
        queue.process.kill()
        queue.stop()


def next_answer(router):
    """Reports about what failed are for nobody here."""
    while (answer := records.receive(router, 20)).type == "INJECT":
        os.close(answer.fd)
    return answer


def pause_some(queue, rng, promises):
    """Stops delivery to a destination, or lets it go on."""
    name = f"mx:p{rng.randrange(4)}.example.com"
    acts = promises.pauses.setdefault(name, [])
    paused = not (acts and acts[-1][2])
    begun = promises.position()
    answer = queue.ask("CTL_PAUSE", destination=name, resume=not paused)[-1]
    assert answer["code"] == 0
    acts.append((begun, promises.position(), paused))


def check_pauses(present, position, promises):
    """Each as it was confirmed last, unless another act was under way. How
    many were paused."""
    paused = 0
    for name, acts in promises.pauses.items():
        begun = [act for act in acts if act[0] <= position]
        if begun and begun[-1][1] <= position:
            assert (name in present) == begun[-1][2], name
            paused += begun[-1][2]
    return paused


def deliver_some(agent, rng, promises):
    """Takes what the queue offers and reports most of it."""
    while True:
        try:
            m = records.receive(agent, 0.05)
        except TimeoutError:
            return
        if m.type == "DELIVER":
            os.close(m.fd)
            number = records.receive(agent, 5)["number"]
            outcome = rng.choice([DELIVERED] * 12 + [DEFERRED, FAILED] +
                                 [None] * 2)
            if outcome == DELIVERED:
                promises.maybe_gone[m["id"]] = promises.position()
            if outcome is not None:
                records.send(agent, "REPORT", m.handle, number=number,
                             outcome=outcome, scope=0, host="x", reply="ok")


def put(image, offset, data):
    if len(image) < offset + len(data):
        image.extend(bytes(offset + len(data) - len(image)))
    image[offset:offset + len(data)] = data


def put_torn(image, offset, data, rng):
    """Some sectors of a write that nobody had synced."""
    at = 0
    while at < len(data):
        end = min(len(data), (offset + at) // SECTOR * SECTOR + SECTOR -
                  offset)
        if rng.random() < 0.5:
            put(image, offset + at, data[at:end])
        at = end


def crash_after(journal, count, rng):
    """The disk after the first `count` records and a loss of power."""
    image, unsynced = bytearray(), []
    for _, kind, offset, data in journal[:count]:
        if kind == DURABLE:
            unsynced.append((offset, data, True))
        elif kind == WRITE:
            unsynced.append((offset, data, False))
        else:
            for at, octets, _ in unsynced:
                put(image, at, octets)
            unsynced = []
    if count < len(journal) and journal[count][1] != SYNC:
        unsynced.append((*journal[count][2:], False))  # under way
    style = rng.choice(["none", "whole", "torn"])
    for at, octets, durable in unsynced:
        if durable or (style == "whole" and rng.random() < 0.5):
            put(image, at, octets)
        elif style == "torn":
            put_torn(image, at, octets, rng)
    return bytes(image)


def check(folder, image, position, promises):
    """What was looked for."""
    folder.mkdir()
    (folder / "image.mdb").write_bytes(image)
    is_whole(folder, folder / "image.mdb")
    queue = Queue(folder, store=image)
    try:
        present = {item["id"] for item in queue.items()}
        wanted = {i for i, at in promises.stored.items() if at <= position and
                  promises.maybe_gone.get(i, position + 1) > position}
        assert wanted <= present, \
            f"lost {len(wanted - present)} of {len(wanted)}"
        for ident in present:
            assert digest(queue.content(ident)) == promises.digests[ident]
    finally:
        queue.process.kill()
        queue.stop()
    is_whole(folder)
    rows = [json.loads(line) for line in
            store_tool(folder, "dump").stdout.splitlines()]
    shutil.rmtree(folder)
    messages, failed = check_dsn(rows)
    assert messages == len(present)
    return collections.Counter(
        messages=len(wanted), failed=failed, pauses=check_pauses(
            {r["id"] for r in rows if r["type"] == "pause"}, position,
            promises))


def check_dsn(rows):
    """What the senders asked to be told is with each message. How many there
    are, and recipients that failed."""
    failed = 0
    messages = [row for row in rows if row["type"] == "message"]
    for row in messages:
        assert row["ret"] == HDRS and row["envid"] == "ENVQQ"
    for row in rows:
        if row["type"] == "recipient":
            assert row["notify"] == FAILURE | DELAY
            assert row["orcpt"] == "rfc822;orcpt@example.com"
            failed += row["state"] == STATE_FAILED
    return len(messages), failed


def store_tool(folder, *arguments):
    config = folder / "postern.conf"
    config.write_text(CONFIG.format(spool=folder / "spool",
                                    run=folder / "run", more=""))
    done = run(SBIN / "postern-store", "-c", config, *arguments, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return done


def is_whole(folder, *image):
    """Every row of the store agrees with every other."""
    store_tool(folder, "check", *image)


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    """A folder in memory, if there is such a place: what a disk may lose is made
    up here, and asking one only takes time."""
    place = pathlib.Path("/dev/shm")
    if not place.is_dir():
        place = tmp_path_factory.mktemp("losses")
    with tempfile.TemporaryDirectory(prefix="postern-", dir=place) as name:
        yield pathlib.Path(name)


@pytest.fixture(scope="module")
def promises(memory):
    promises = Promises(memory / "journal")
    run_workload(memory / "first", promises)
    assert len(promises.stored) >= MESSAGES
    assert any(act[2] for acts in promises.pauses.values() for act in acts)
    return promises


def test_power_loss(memory, promises):
    journal = read_journal(promises.journal)
    assert sum(kind == SYNC for _, kind, _, _ in journal) > 20
    # The store's own creation is not of interest: start behind it.
    start = next(n for n, r in enumerate(journal)
                 if r[0] >= min(promises.stored.values())) + 1

    def lose(n):
        rng = random.Random(SEED * CRASHES + n)
        count = rng.randrange(start, len(journal) + 1)
        return check(memory / f"crash-{n}", crash_after(journal, count, rng),
                     journal[count - 1][0], promises)

    # Each is mostly the work of other processes.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        seen = sum(pool.map(lose, range(CRASHES)), collections.Counter())
    print(f"\n{CRASHES} losses of power; looked for, all there and whole: "
          f"{dict(seen)}")
    assert seen["messages"] > CRASHES
    assert seen["pauses"] > 10 and seen["failed"] > 10


def test_the_recorder_sees_a_lie(memory, promises):
    """With the syncs taken out of the record, messages do get lost: the test
    above can fail."""
    journal = [r for r in read_journal(promises.journal) if r[1] == WRITE]
    rng = random.Random(SEED)
    with pytest.raises(AssertionError) as failure:
        for n in range(20):
            image = crash_after(journal, len(journal) - n, rng)
            check(memory / f"lie-{n}", image, promises.position(), promises)
    print(f"\nwithout syncs: {str(failure.value)[:200]}")
