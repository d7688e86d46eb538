"""A store of an older postern, brought up to ours by the queue that opens it.

schema_1.mdb.xz was written by the queue of the last commit with that schema:
one message is gone, one failed, one was deferred, one waits with three
recipients and several chunks, one is held, one is empty and waits; then that
queue was killed. Each has the history that it had.
"""
import hashlib
import lzma
import os
import pathlib
import random
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "hostile"))
import records  # noqa: E402
from program import wait_for  # noqa: E402
from queue_lab import Queue  # noqa: E402
from store_house import (CONFIG, DELIVERED, House, base32,  # noqa: E402
                             digest)

OLD = lzma.decompress(
    (pathlib.Path(__file__).parent / "schema_1.mdb.xz").read_bytes())
FIRST = 1882783228136259584
GONE, FAILED, DEFERRED, LARGE, HELD, EMPTY = range(FIRST + 1, FIRST + 7)
CONTENT = {
    FAILED: b"failed", DEFERRED: b"deferred", HELD: b"held", EMPTY: b"",
    LARGE: bytes(i * 7 % 256 for i in range(40000)),
}
WAITS, IS_HELD, HAS_FAILED = range(3)
ITEMS = [(FAILED, 0, HAS_FAILED, 1, "550 5.1.1 no such user"),
         (DEFERRED, 0, WAITS, 1, "450 4.2.1 not now"),
         (LARGE, 0, WAITS, 0, ""), (LARGE, 1, WAITS, 0, ""),
         (LARGE, 2, WAITS, 0, ""), (HELD, 0, IS_HELD, 0, ""),
         (EMPTY, 0, WAITS, 0, "")]


@pytest.fixture
def old(tmp_path):
    house = House(tmp_path / "house")
    put(house, OLD)
    yield house
    house.stop()


def put(house, image):
    """A queue makes the folder; it is left with this store."""
    house.start()
    house.stop()
    (house.store / "data.mdb").write_bytes(image)


def is_as_it_was(house):
    items = [(i["id"], i["number"], i["state"], i["attempts"], i["reply"])
             for i in house.queue.items()]
    assert items == ITEMS
    for ident, content in CONTENT.items():
        assert digest(house.queue.content(ident)) == \
            hashlib.sha256(content).hexdigest()
    events = [e["what"] for e in house.queue.ask("CTL_TRACE", id=DEFERRED)
              if e.type == "CTL_EVENT"]
    assert len(events) == 2
    assert house.is_clean().startswith("5 messages, 7 recipients, ")


def test_all_of_it_is_there_and_goes_on(old):
    house = old
    queue = house.start()
    assert "store-migrated from=1 to=2" in queue.read_log()
    is_as_it_was(house)
    for ident in (HELD, FAILED, DEFERRED):
        queue.ask("CTL_ACT", verb=2 if ident == HELD else 0, id=ident)
    agent = queue.add_peer("remote")
    left = {(i[0], i[1]) for i in ITEMS}
    while left:
        m = records.receive(agent, 10)
        if m.type != "DELIVER":
            continue
        with os.fdopen(m.fd, "rb") as file:
            file.seek(0)
            assert file.read() == CONTENT[m["id"]]
        # What no client could say then, it did not say.
        assert m["ret"] == 0 and m["envid"] == ""
        for _ in range(m["recipients"]):
            to = records.receive(agent, 5)
            assert to["notify"] == 0 and to["orcpt"] == ""
            left.remove((m["id"], to["number"]))
            records.send(agent, "REPORT", m.handle, number=to["number"],
                         outcome=DELIVERED, scope=0, host="x", reply="250 ok")
    wait_for(lambda: not queue.items(), what="the end")
    house.is_clean()
    new = house.send(b"new")
    house.stop()
    house.start()  # once only
    assert house.queue.read_log().count("store-migrated") == 1
    assert [i["id"] for i in house.queue.items()] == [new]
    house.is_clean()


class Killed(Queue):
    """In the midst of its start."""

    def start(self):
        records.send(self.supervisor, "START", instance=1, generation=1)
        time.sleep(random.random() / 40)
        self.process.kill()


def test_a_queue_that_is_killed_while_it_migrates(old):
    house, schemas = old, set()
    random.seed(5)
    for _ in range(12):
        (house.store / "data.mdb").write_bytes(OLD)
        Killed(house.folder).stop()
        done = house.tool("check", code=None)
        schemas.add(done.returncode)
        house.start()
        is_as_it_was(house)
        house.stop()
    assert schemas <= {0, CONFIG}


def test_a_newer_one_is_refused(old):
    house = old
    newer = OLD.replace(b"schema\1", b"schema\7")
    assert newer != OLD
    (house.store / "data.mdb").write_bytes(newer)
    queue = Killed.__new__(Killed)
    queue.start = lambda: records.send(
        queue.supervisor, "START", instance=1, generation=1)
    queue.__init__(house.folder)
    assert queue.process.wait(10) == CONFIG
    assert "the store was written by a newer postern" in queue.read_log()
    queue.stop()
    assert (house.store / "data.mdb").read_bytes() == newer


def test_it_can_be_moved_when_it_is_migrated(old, tmp_path):
    old.start()
    old.stop()
    new = House(tmp_path / "new")
    new.start()
    new.stop()
    new.tool("load", input=old.tool("dump").stdout)
    new.start()
    is_as_it_was(new)
    new.stop()
    assert base32(GONE).encode() in new.tool("dump").stdout
