"""What a disk or a memory did to a store: the queue starts on it, serves what
is whole, delivers nothing that it was not given, and takes new mail.

Octets of rows are changed, keys and values, wherever they lie. LMDB's own
pages are another matter: see test_store_tool.py.
"""
import concurrent.futures
import os
import pathlib
import random
import struct
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "hostile"))
import records  # noqa: E402
from program import cpu_seconds, wait_for  # noqa: E402
from store_house import DELIVERED, House, digest  # noqa: E402

PAGE = 4096
SEEDS = 3
LEAF, OVERFLOW = 2, 4  # page flags
BIG, TABLE = 1, 2  # node flags


class Rows:
    """Where the octets of rows are in a data file, as LMDB lays them out."""

    def __init__(self, image):
        self.keys, self.values = [], []  # [(at, length)]
        page = 2
        while page * PAGE < len(image):
            at = page * PAGE
            flags, lower = struct.unpack_from("<HH", image, at + 10)
            pages = 1
            if flags == LEAF:
                self.leaf(image, at, lower)
            elif flags == OVERFLOW:
                pages = max(struct.unpack_from("<I", image, at + 12)[0], 1)
                self.values.append((at + 16, pages * PAGE - 16))
            page += pages

    def leaf(self, image, at, lower):
        for slot in range(16, lower, 2):
            node = at + struct.unpack_from("<H", image, at + slot)[0]
            low, high, flags, size = struct.unpack_from("<HHHH", image, node)
            key = image[node + 8:node + 8 + size]
            # The roots of the tables, the free pages, and the schema, are
            # what nothing starts without.
            if flags & TABLE or key == b"schema" or is_free_list(image, node):
                continue
            if size:
                self.keys.append((node + 8, size))
            if not flags & BIG and low | high << 16:
                self.values.append((node + 8 + size, low | high << 16))


def is_free_list(image, node):
    """A transaction's number, little-endian, and page numbers behind it."""
    low, high, flags, size = struct.unpack_from("<HHHH", image, node)
    key = struct.unpack_from("<Q", image, node + 8)[0] if size == 8 else 0
    return 0 < key < 1 << 20


def spoil(image, places, count, rng):
    for at, length in rng.sample(places, min(count, len(places))):
        image[at + rng.randrange(length)] ^= 1 << rng.randrange(8)


def live(house):
    """Mail in every state, to two destinations; a pause; history."""
    queue = house.start()
    agent = queue.add_peer("remote")
    house.fill(10, seed=3)
    for turn in range(6):
        for m in take(agent, 1):
            report(agent, m, turn % 3)
    queue.ask("CTL_PAUSE", destination="mx:paused.example")
    ids = sorted({i["id"] for i in queue.items()})
    queue.ask("CTL_ACT", verb=1, id=ids[-1])
    house.fill(30, seed=4)
    house.stop()


def take(agent, most, patience=1.5):
    """Deliveries, each with its recipients' numbers."""
    while most > 0:
        try:
            m = records.receive(agent, patience)
        except OSError:
            return
        if m is None:
            return
        if m.type != "DELIVER":
            continue
        numbers = [records.receive(agent, 5)["number"]
                   for _ in range(m["recipients"])]
        most -= 1
        yield m, numbers


def report(agent, delivery, outcome):
    m, numbers = delivery
    for number in numbers:
        records.send(agent, "REPORT", m.handle, number=number,
                     outcome=outcome, scope=0, host="x",
                     reply="450 4.2.1 what it said")
    with os.fdopen(m.fd, "rb") as file:
        file.seek(0)
        return file.read()


def deliver_all(house, queue, agent):
    """What was delivered; its content is what was accepted."""
    got = []
    for delivery in take(agent, 10000):
        content = report(agent, delivery, DELIVERED)
        ident = delivery[0]["id"]
        assert digest(content) == house.digests[ident]
        got += [(ident, number) for number in delivery[1]]
    return got


def goes_on(house, queue):
    """It answers, takes mail, and is at rest; its own words are few."""
    queue.items()
    queue.ask("CTL_DESTINATIONS")
    queue.ask("CTL_STATS")
    for ident in sorted(house.digests)[:5]:
        queue.ask("CTL_TRACE", id=ident)
    queue.ask("CTL_TRACE", address="a@example.net")
    assert queue.process.poll() is None
    assert "store-write-failed" not in queue.read_log()
    before = cpu_seconds(queue.process.pid)
    time.sleep(0.5)
    assert cpu_seconds(queue.process.pid) - before < 0.25


def inject_waiting(router):
    while True:
        try:
            m = records.receive(router, 0.01)
        except OSError:
            return
        if m is None:
            return
        yield m


def retry_all(queue):
    """Also what has failed, once the router has refused the report of it."""
    def is_done():
        for m in inject_waiting(queue.router):
            os.close(m.fd)
            records.send(queue.router, "UNROUTED", m.handle, code=451,
                         reply="x")
        return queue.ask("CTL_ACT", verb=0)[-1]["code"] == 0

    wait_for(is_done, what="the end of the reports")


def start_on(house, image, more=()):
    (house.store / "data.mdb").write_bytes(image)
    queue = house.start()
    agent = queue.add_peer("remote")
    retry_all(queue)
    return queue, agent


def try_damage(folder, lived, sound, places, count):
    """What is delivered of so many damaged stores, each in a house of its own:
    they wait for one another's silence, so they do it together."""
    def one(seed):
        image = bytearray(sound)
        spoil(image, places, count, random.Random(seed))
        other = House(folder / f"damaged-{seed}")
        other.digests = dict(lived.digests)
        other.next = lived.next + (1 << 24)
        other.start()  # which makes the folder
        other.stop()
        try:
            queue, agent = start_on(other, image)
            got = deliver_all(other, queue, agent)
            new = other.send(b"new" * 1000)
            again = deliver_all(other, queue, agent)
            goes_on(other, queue)
        finally:
            other.stop()
        return got + again, (new, 0)

    with concurrent.futures.ThreadPoolExecutor(SEEDS) as pool:
        return list(pool.map(one, range(SEEDS)))


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("lived") / "house")
    try:
        live(house)
        yield house
    finally:
        house.stop()


@pytest.fixture(scope="module")
def sound(lived):
    """Its octets, and what is delivered of it while it is whole."""
    image = (lived.store / "data.mdb").read_bytes()
    queue, agent = start_on(lived, image)
    whole = deliver_all(lived, queue, agent)
    lived.stop()
    assert len(whole) > 40
    return image, set(whole)


@pytest.mark.parametrize("count", [1, 60])
def test_values(tmp_path, lived, sound, count):
    """No value is read that was not written; the rest is delivered."""
    image, whole = sound
    rows = Rows(image)
    assert len(rows.values) > 100
    for got, new in try_damage(tmp_path, lived, image, rows.values, count):
        assert new in got and len(got) == len(set(got))
        # One row is a message's at most.
        assert len(whole - set(got)) <= 3 * count


@pytest.mark.parametrize("count", [1, 60])
def test_keys(tmp_path, lived, sound, count):
    """A row out of order may hide others from a search, new ones too: the
    check says so. What has the key of another row may be delivered in its
    name. But nothing stops, and nothing wrong is delivered."""
    image, whole = sound
    rows = Rows(image)
    assert len(rows.keys) > 200
    for got, _ in try_damage(tmp_path, lived, image, rows.keys, count):
        assert len(got) <= len(whole) + 1 + count


def test_all_that_is_damaged_is_named(house, sound):
    """By the check, and what is left out of a dump by the dump: what loads
    from it is sound."""
    house.start()
    house.stop()
    image = bytearray(sound[0])
    spoil(image, Rows(image).values, 60, random.Random(9))
    (house.store / "data.mdb").write_bytes(image)
    assert house.faults()
    done = house.tool("dump", code=65)
    assert done.stderr.count(b"left out") > 5
    house.tool("compact")
    (house.store / "data.mdb").unlink()
    house.tool("load", input=done.stdout)
    house.is_clean()
