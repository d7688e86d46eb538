"""postern-store: dumps that somebody edited or that lost a part, and dumps of
stores whose keys a disk has put out of order.
"""
import json
import struct

import pytest

from lab import wait_for
from store_house import (DATAERR, DELIVERED, IOERR, House, base32, leaves,
                         nodes, records)

MOST = 10000  # recipients of a message
BATCH_LINES = 4000  # of a load's transaction
STEP = 128  # rows of a question that are answered in a turn


def lines_of(dump):
    return [json.loads(line) for line in dump.splitlines()]


def dump_of(lines):
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def is_of(line, type_, ident=None):
    return line["type"] == type_ and ident in (None, line.get("id"))


@pytest.fixture
def dump(house):
    """Three messages, the second of which has three recipients."""
    house.start()
    for recipients in (1, 3, 1):
        house.send(b"x", recipients)
    lines = lines_of(house.tool("dump").stdout)
    house.stop()
    return lines


@pytest.fixture
def new(tmp_path):
    """An empty store."""
    house = House(tmp_path / "new")
    house.start()
    house.stop()
    yield house
    house.stop()


# -- Edited ---------------------------------------------------------------


@pytest.mark.parametrize("type_, word", [
    ("recipient", b"should have 3 recipients and has 2"),
    ("event", b"events are missing"),
    ("content", b"is not whole"),
    ("message", b"its message is missing")])
def test_a_line_that_was_lost_is_missed(house, dump, new, type_, word):
    ident = base32(sorted(house.digests)[1])
    at = next(n for n, line in enumerate(dump) if is_of(line, type_, ident))
    bad = dump[:at] + dump[at + 1:]
    assert word in new.tool("load", input=dump_of(bad), code=DATAERR).stderr
    assert new.is_clean().startswith("0 messages, ")
    new.tool("load", input=dump_of(dump))


def test_lines_that_are_apart_are_not_passed_over(house, dump, new):
    ident = base32(sorted(house.digests)[1])
    event = next(line for line in dump if is_of(line, "event", ident))
    dump.remove(event)
    dump.insert(-1, event)
    assert b"not together" in new.tool(
        "load", input=dump_of(dump), code=DATAERR).stderr


def test_recipients_of_nobody_are_not_kept(dump, new):
    """Nor those of a transaction before the one that finds an end."""
    stray = next(line for line in dump if is_of(line, "recipient"))
    event = next(line for line in dump if is_of(line, "event"))
    lines = [dump[0], dict(stray, id=base32(5))]
    lines += [dict(event, id=base32(6))] * (BATCH_LINES + 1)
    lines += [dict(event, id=base32(7)), dump[-1]]
    new.tool("load", input=dump_of(lines), code=DATAERR)
    assert new.is_clean().startswith("0 messages, 0 recipients, ")


@pytest.mark.parametrize("number", [MOST, 1 << 31])
def test_numbers_that_no_recipient_has(dump, new, number):
    stray = next(line for line in dump if is_of(line, "recipient"))
    stray["number"] = number
    assert b"make no sense" in new.tool(
        "load", input=dump_of(dump), code=DATAERR).stderr


def test_a_dump_that_does_not_say_how_many(dump, new):
    """As they were written first; and one that says so only."""
    for line in dump:
        line.pop("open", None)
    new.tool("load", input=dump_of(dump))
    new.is_clean()


def test_what_is_due_at_no_time_is_tried(dump, new):
    for line in dump:
        if line["type"] == "recipient":
            line.update(due=0)
    new.tool("load", input=dump_of(dump))
    new.is_clean()
    agent = new.start().add_peer("remote")
    assert records.receive(agent, 10).type == "DELIVER"


@pytest.mark.parametrize("how", ["absent", "damaged"])
def test_a_history_that_was_lost_begins_anew(house, new, how):
    """With what the message itself says of its coming."""
    house.start()
    ident = house.send(b"x", recipients=2)
    house.send(b"y")
    house.stop()
    if how == "damaged":
        spoil_events(house, ident)
        done = house.tool("dump", code=DATAERR)
        assert done.stderr.count(b"an event of " + base32(ident).encode()) == 2
        lines = lines_of(done.stdout)
    else:
        lines = [line for line in lines_of(house.tool("dump").stdout)
                 if not is_of(line, "event", base32(ident))]
        lines[-1]["events"] -= 2
    assert not any(is_of(line, "event", base32(ident)) for line in lines)
    new.tool("load", input=dump_of(lines))
    new.is_clean()
    queue = new.start()
    for question in dict(id=ident), dict(address="a@example.net"):
        event = next(e for e in queue.ask("CTL_TRACE", **question)
                     if e.type == "CTL_EVENT" and e["id"] == ident)
        assert event["what"] == 0 and event["sender"] == "a@example.net"
        assert event["peer"] == "192.0.2.1"
    # It goes on from there.
    agent = queue.add_peer("remote")
    m = records.receive(agent, 10)
    assert m["id"] == ident
    for _ in range(m["recipients"]):
        records.send(agent, "REPORT", m.handle, outcome=DELIVERED, scope=0,
                     number=records.receive(agent, 5)["number"], host="x",
                     reply="250 ok")
    wait_for("the end", lambda: ident not in
             {item["id"] for item in queue.items()})
    new.is_clean()


def spoil_events(house, ident):
    """Each octet of the sender's address in the rows of the history, and then
    the time of the second, which has no sender."""
    data = house.store / "data.mdb"
    image = bytearray(data.read_bytes())
    for number in range(2):
        for at in leaves(image, "event", ident, number):
            for begin in nodes(image, at):
                key = struct.pack("<H", 12) + struct.pack(">QI", ident, number)
                # The kind of event, behind the format and the time.
                if image[begin:begin + 14] == key and \
                        image[begin + 14] == 2 and image[begin + 23] == 0:
                    image[begin + 20] ^= 1
    data.write_bytes(image)


def test_what_is_left_of_a_message_is_not_added_to(house):
    """Its row is lost, its recipient is there: that would count twice."""
    house.start()
    ident, other = house.send(b"x"), house.send(b"y")
    dump = house.tool("dump").stdout
    house.stop()
    data = house.store / "data.mdb"
    image = bytearray(data.read_bytes())
    for at in leaves(image, "message", ident):
        for begin in nodes(image, at):
            if image[begin + 2:begin + 10] == struct.pack(">Q", ident) and \
                    image[begin] == 8:
                image[begin + 2:begin + 10] = struct.pack(">Q", ident - 1)
    data.write_bytes(image)
    spoil_history(house, ident)
    before = house.faults()
    done = house.tool("load", input=dump, code=DATAERR)
    assert b"damaged rows of it" in done.stderr
    assert house.faults() == before and other


def spoil_history(house, ident):
    """No history says that the message was here."""
    move_key(house, "event", ident, ident + (1 << 40))


def test_a_load_leaves_room_to_deliver(house, tmp_path):
    """A store that was filled to the last page could never be emptied."""
    house.start()
    house.stop()
    # Two transactions and a little more fill this.
    house.config.write_text(house.config.read_text() +
                            "limit store size 36M\n")
    data = "QUJD" * 10000
    lines = [dict(type="postern-store", version=1, schema=2)]
    for n in range(1140):
        ident = base32((1 << 60) + n)
        lines += [dict(type="message", id=ident, size=30000, recipients=1),
                  dict(type="content", id=ident, data=data),
                  dict(type="recipient", id=ident, number=0, kind=1,
                       name="sink", destination="relay:sink",
                       address="x@example.com", original="x@example.com")]
    lines.append(dict(type="end", messages=1140, events=0))
    done = house.tool("load", input=dump_of(lines), code=IOERR)
    assert b"is full" in done.stderr
    house.is_clean()
    size = (house.store / "data.mdb").stat().st_size
    assert 14 << 20 < size < 36 * (1 << 20) * 7 // 8


# -- Out of order ---------------------------------------------------------


def move_key(house, table, ident, to, number=0):
    """Gives a row another id, where it lies."""
    data = house.store / "data.mdb"
    image = bytearray(data.read_bytes())
    key = struct.pack(">Q", ident)
    if table != "message":
        key += struct.pack(">I", number)
    found = 0
    for at in leaves(image, table, ident, number):
        for begin in nodes(image, at):
            if image[begin:begin + 2] == struct.pack("<H", len(key)) and \
                    image[begin + 2:begin + 2 + len(key)] == key:
                image[begin + 2:begin + 10] = struct.pack(">Q", to)
                found += 1
    assert found
    data.write_bytes(image)


def first_of_a_page(house, table, among):
    """The first row of a page in the middle: the page before it ends below."""
    image = (house.store / "data.mdb").read_bytes()
    at = leaves(image, table, among)[-1]
    return struct.unpack_from(">Q", image, next(nodes(image, at)) + 2)[0]


@pytest.fixture
def many(house):
    """So many that each table has several pages; with gaps between the ids."""
    house.start()
    for n in range(200):
        house.next += 1000
        house.send(b"x" * 20)
    house.stop()
    return sorted(house.digests)


def moves(ids, victim):
    """Before all others, among those before and behind it, and behind all."""
    n = ids.index(victim)
    return ids[0] - 7, ids[n - 30] + 7, ids[n + 30] + 7, ids[-1] + (1 << 50)


@pytest.mark.parametrize("table", ["message", "recipient", "content"])
@pytest.mark.parametrize("where", ["first", "middle"])
def test_a_key_out_of_order_hides_nothing_from_a_dump(
        house, many, new, table, where):
    data = house.store / "data.mdb"
    sound = data.read_bytes()
    victim = first_of_a_page(house, table, many[100])
    if where == "middle":
        victim = many[many.index(victim) + 5]
    for to in moves(many, victim):
        data.write_bytes(sound)
        move_key(house, table, victim, to)
        assert house.faults()  # and it comes to an end
        done = house.tool("dump", code=DATAERR)
        here = [line["id"] for line in lines_of(done.stdout)
                if line["type"] == "message"]
        assert here == [base32(i) for i in many if i != victim]
        assert base32(victim).encode() in done.stderr
        (new.store / "data.mdb").unlink()
        new.tool("load", input=done.stdout)
        new.is_clean()


@pytest.mark.parametrize("where", ["first", "middle"])
def test_a_history_out_of_order_hides_no_other(house, many, new, where):
    data = house.store / "data.mdb"
    sound = data.read_bytes()
    victim = first_of_a_page(house, "event", many[100])
    if where == "middle":
        victim = many[many.index(victim) + 5]
    for to in moves(many, victim):
        data.write_bytes(sound)
        move_key(house, "event", victim, to)
        done = house.tool("dump", code=None)
        events = [line["id"] for line in lines_of(done.stdout)
                  if line["type"] == "event"]
        assert {base32(i) for i in many if i != victim} <= set(events)
        assert len(events) <= len(many)
        (new.store / "data.mdb").unlink()
        new.tool("load", input=done.stdout)
        new.is_clean()


def test_a_recipient_with_another_number(house, new):
    """It gets its mail; the message came with as many as it says."""
    house.start()
    ident = house.send(b"x")
    house.stop()
    data = house.store / "data.mdb"
    image = data.read_bytes()
    key = struct.pack("<H", 12) + struct.pack(">QI", ident, 0)
    for number, there in (5, True), (MOST, False):
        made = bytearray(image)
        for at in leaves(image, "recipient", ident):
            for begin in nodes(image, at):
                if image[begin:begin + 14] == key:
                    made[begin + 10:begin + 14] = struct.pack(">I", number)
        data.write_bytes(made)
        done = house.tool("dump", code=None)
        assert (done.returncode == 0) == there
        (new.store / "data.mdb").unlink()
        new.tool("load", input=done.stdout)
        assert new.is_clean().startswith("1 " if there else "0 ")


def test_a_listing_goes_forward(house, many):
    """Though the row before which a step of it ends leads back to where that
    began: it comes to an end, and has all others."""
    victim = many[STEP]
    move_key(house, "recipient", victim, many[0] - 7)
    house.start()
    house.queue.ask("CTL_PAUSE", destination="")
    present = [item["id"] for item in house.queue.items()]
    assert set(many) - {victim} <= set(present)
    assert len(present) <= len(many) + STEP
