"""postern-store: all mail and its history moved elsewhere, by dump and load.

The queue is the real one; its neighbours are played here.
"""
import base64
import json
import os
import random
import struct
import subprocess

import pytest

from lab import SBIN, wait_for
from store_house import (DATAERR, DEFERRED, DELIVERED, SCOPE_DESTINATION,
                         TEMPFAIL, House, base32, flip, is_free, kill_after,
                         leaves, records)
from program import IS_SANITIZED


def live(house):
    """Mail in every state and with all kinds of octets, and history."""
    queue = house.start()
    agent = queue.add_peer("remote")
    house.fill(20)
    held = 0
    for _ in range(12):
        m = records.receive(agent, 5)
        if m.type != "DELIVER":
            continue
        os.close(m.fd)
        number = records.receive(agent, 5)["number"]
        outcome = (DELIVERED, DEFERRED, 2)[held % 3]
        held += 1
        records.send(agent, "REPORT", m.handle, number=number,
                     outcome=outcome, scope=0, host="mx\t\"x\"",
                     reply="450 4.2.1 not \\ now \N{SNOWMAN}".encode() +
                           b"\xff\xed\xa0\x80 \xc3")
    wait_for("reports", lambda: any(i["attempts"] for i in queue.items()))
    ids = sorted({i["id"] for i in queue.items()})
    queue.ask("CTL_ACT", verb=1, id=ids[-1])
    house.digests = {i: d for i, d in house.digests.items() if i in ids}
    return queue


def listing(queue):
    fields = ("id", "number", "address", "state", "attempts", "reply",
              "size", "sender", "destination")
    return sorted(tuple(i[f] for f in fields) for i in queue.items())


def test_dump_and_load(house, tmp_path):
    queue = live(house)
    dump = house.tool("dump").stdout  # while it runs
    for line in dump.splitlines():
        json.loads(line)
    new = House(tmp_path / "new")
    new.start()
    new.stop()
    new.tool("load", input=dump)
    new.is_clean()
    again = new.tool("dump").stdout
    assert again == dump
    # Once more: all of it is known.
    out = new.tool("load", input=dump).stdout.decode()
    assert out.startswith("0 messages loaded, ")
    assert new.tool("dump").stdout == dump
    new.is_clean()
    wanted = listing(queue)
    new.start()
    new.holds(house.digests)
    assert listing(new.queue) == wanted
    new.stop()


def test_every_field_comes_back(house):
    house.start()
    house.stop()
    ident, text = base32(1 << 60), "\N{SNOWMAN} \x01\"\\"
    lines = [
        dict(type="message", id=ident, arrival=1790000000123, size=3,
             sender="a@b.example", client_address="192.0.2.1", helo=text,
             user="u", protocol=2, body=1, recipients=7, open=1,
             digest="2b4ba6ef3e1a6d5c", ret=1, envid="QQ314159"),
        dict(type="content", id=ident, data="QUJD"),
        dict(type="recipient", id=ident, number=5, address="x@y.example",
             original="z@y.example", kind=1, name="sink", user="",
             destination="relay:sink", state=0, attempts=4,
             due=1790000300, host=text, reply=text, notify=2,
             orcpt="rfc822;z@y.example", told=1),
        dict(type="event", id=ident, number=0, time=1790000000, what=0,
             address="x@y.example", sender="a@b.example",
             original="z@y.example", destination="relay:sink", host=text,
             detail=text, recipient=5, route=2, name="sink", owner="o",
             rule=31, via="z\tp\tt\t/etc/f\t7", helo=text, user="u",
             protocol=2, size=3, config=text, peer="192.0.2.1", port=25,
             tls_version="TLSv1.3", tls_cipher="AES", took=12, attempt=4,
             next_try=1790000300, by=1001, report=77, dropped=3),
        dict(type="destination", id="relay:sink", backoff_until=1790000500,
             failures=3, reply=text)]

    def dump_of(lines):
        return "".join(json.dumps(line) + "\n" for line in [
            dict(type="postern-store", version=1, schema=1), *lines,
            dict(type="end", messages=1, events=1)]).encode()

    # With a wrong checksum nothing is loaded, without one it gets its own.
    assert b"another checksum" in house.tool(
        "load", input=dump_of(lines), code=DATAERR).stderr
    del lines[0]["digest"]
    house.tool("load", input=dump_of(lines))
    house.is_clean()
    again = [json.loads(line)
             for line in house.tool("dump").stdout.splitlines()][1:-1]
    assert len(again[0].pop("digest")) == 16
    assert again == lines


def test_dsn_that_no_client_gave_is_not_loaded(house):
    house.start()
    house.send(b"x")
    dump = house.tool("dump").stdout
    house.stop()
    (house.store / "data.mdb").unlink()
    for name, bad in (("envid", "a\\r\\nDATA"), ("orcpt", "rfc822;a b")):
        made = dump.replace(f'"{name}":""'.encode(),
                            f'"{name}":"{bad}"'.encode())
        assert made != dump
        assert b"make no sense" in house.tool(
            "load", input=made, code=DATAERR).stderr
    house.tool("load", input=dump)


def test_destinations_that_cannot_be_are_not_loaded(house):
    """No configuration has them, and no recipient would ever leave them."""
    queue = house.start()
    agent = queue.add_peer("remote")
    house.send(b"x")
    m = records.receive(agent, 5)
    while m.type != "DELIVER":
        m = records.receive(agent, 5)
    os.close(m.fd)
    records.send(agent, "REPORT", m.handle,
                 number=records.receive(agent, 5)["number"], outcome=DEFERRED,
                 scope=SCOPE_DESTINATION, host="x", reply="450 no")
    wait_for("the report", lambda: queue.items()[0]["attempts"])
    dump = house.tool("dump").stdout
    house.stop()
    data = house.store / "data.mdb"
    sound = data.read_bytes()
    # The row of the destination: its key, before a value of that format.
    flip(data, struct.pack("<H", 10) + b"relay:sink\2", at=3)
    assert b"destination is left out" in house.tool(
        "dump", code=DATAERR).stderr
    assert {"table": "destination", "name": "rdlay:sink",
            "fault": "no mail can be for such a name"} in house.faults()
    data.unlink()
    for kind, word in (b'"type":"destination","id"', b"no mail can be"), \
            (b'"destination"', b"make no sense"):
        for name in b"relay:", b"mx:$(x)", b"MX:example.com", b"x", b"":
            made = dump.replace(kind + b':"relay:sink"',
                                kind + b':"' + name + b'"')
            assert made != dump
            assert word in house.tool("load", input=made, code=DATAERR).stderr
    house.tool("load", input=dump)
    house.is_clean()
    assert sound


def test_altered_dsn_is_set_aside(house):
    """It goes to no agent, whose link it would end."""
    house.start()
    bad = house.send(b"x")
    house.stop()
    data = house.store / "data.mdb"
    # What was told, behind two empty texts and before the checksum.
    image = bytearray(data.read_bytes())
    good, found = house.digests, 0
    key = struct.pack("<H", 12) + struct.pack(">QI", bad, 0) + b"\2"
    at = image.find(key)
    while at != -1:
        # mn_lo and mn_hi are before the flags and the key's length.
        length = struct.unpack_from("<HH", image, at - 6)
        end = at + 2 + 12 + length[0] + (length[1] << 16)
        assert image[end - 5] == 0 and good
        image[end - 5] = 0x80
        found += 1
        at = image.find(key, at + 1)
    assert found
    data.write_bytes(image)
    queue = house.start()
    agent = queue.add_peer("remote")  # which is there until the end
    wait_for("the log", lambda: "damaged" in queue.read_log())
    assert queue.process.poll() is None and agent


def test_a_count_of_recipients_is_mended(house):
    """All who are there get it, whatever the message says of them."""
    house.start()
    ident = house.send(b"x", recipients=3)
    dump = house.tool("dump").stdout
    wanted = listing(house.queue)
    house.stop()
    (house.store / "data.mdb").unlink()
    made = dump.replace(b'"recipients":3', b'"recipients":2')
    assert made != dump
    # Yet one that comes twice is not two.
    lines = made.splitlines(keepends=True)
    twice = [line for line in lines
             for _ in range(1 + (b'"type":"recipient"' in line))]
    house.tool("load", input=b"".join(twice), code=DATAERR)
    house.is_clean()
    house.tool("load", input=made)
    house.is_clean()
    assert house.tool("dump").stdout == dump
    house.start()
    assert listing(house.queue) == wanted and house.queue.content(ident)


def test_pauses_come_along(house, tmp_path):
    """What should wait there waits here; what waited here still does."""
    queue = house.start()
    house.send(b"x")
    for name in ("relay:sink", "mx:example.com", ""):
        queue.ask("CTL_PAUSE", destination=name)
    dump = house.tool("dump").stdout
    lines = [json.loads(line) for line in dump.splitlines()]
    assert lines[1:4] == [
        dict(type="pause", id=name)
        for name in ("", "mx:example.com", "relay:sink")]
    new = House(tmp_path / "new")
    new.start().ask("CTL_PAUSE", destination="mx:other.example")
    new.stop()
    new.tool("load", input=dump)
    new.is_clean()
    new.start()
    agent = new.queue.add_peer("remote")
    new.queue.ask("CTL_PAUSE", destination="", resume=1)
    new.queue.ask("CTL_ACT", verb=0, id=sorted(house.digests)[0])
    assert {d["name"] for d in new.queue.ask("CTL_DESTINATIONS")[:-1]
            if d["paused"]} == {"mx:example.com", "mx:other.example",
                                "relay:sink"}
    new.queue.ask("CTL_PAUSE", destination="relay:sink", resume=1)
    m = records.receive(agent, 5)
    assert m.type == "DELIVER"
    os.close(m.fd)
    new.stop()
    for name in ("mx:$(x)", "x"):
        bad = dump.replace(b"mx:example.com", name.encode())
        new.tool("load", input=bad, code=DATAERR)


def test_load_into_a_store_with_mail(house, tmp_path):
    live(house)
    dump = house.tool("dump").stdout
    new = House(tmp_path / "new")
    new.next += 1 << 30
    new.start()
    new.fill(10, seed=9)
    new.tool("load", input=dump, code=TEMPFAIL)  # not while it runs
    new.stop()
    new.tool("load", input=dump)
    new.is_clean()
    new.start()
    new.holds({**new.digests, **house.digests})
    new.stop()


def test_a_load_that_breaks_off_is_done_again(house, tmp_path):
    live(house)
    dump = house.tool("dump").stdout
    new = House(tmp_path / "new")
    new.start()
    new.stop()
    lines = dump.splitlines(keepends=True)
    rng = random.Random(2)
    for count in sorted(rng.sample(range(len(lines)), 8)):
        new.tool("load", input=b"".join(lines[:count]), code=DATAERR)
        new.is_clean()
    # A dump whose content is changed, or that lacks a message.
    changed = [line.replace(b'"data":"', b'"data":"AAAA', 1)
               for line in lines]
    new.tool("load", input=b"".join(changed), code=DATAERR)
    without = [line for line in lines
               if b'"type":"message"' not in line]
    new.tool("load", input=b"".join(without), code=DATAERR)
    for rubbish in (b"", b"x\n", b"{}\n", b"\0\n", b"[" * 200000,
                    lines[0].replace(b'"version":1', b'"version":2')):
        new.tool("load", input=rubbish, code=DATAERR)
    new.is_clean()
    new.tool("load", input=dump)
    assert new.tool("dump").stdout == dump


def test_a_load_that_is_killed_is_done_again(house, tmp_path):
    house.start()
    for n in range(400):
        house.send(os.urandom(60_000))
    dump = tmp_path / "dump"
    dump.write_bytes(house.tool("dump").stdout)
    new = House(tmp_path / "new")
    new.start()
    new.stop()
    command = [SBIN / "postern-store", "-c", new.config, "load"]
    known = 0
    for delay in (0.05, 0.1, 0.15, 0.2):
        with dump.open() as file:
            kill_after(delay, command, stdin=file)
        wait_for("the dead", lambda: is_free(new))
        out = new.is_clean()
        assert int(out.split()[0]) >= known
        known = int(out.split()[0])
    with dump.open() as file:
        new.tool("load", stdin=file)
    assert new.tool("dump").stdout == dump.read_bytes()
    new.is_clean()


def test_dump_leaves_out_what_is_damaged(house, tmp_path):
    house.start()
    house.send(b"lorem ipsum" * 100)
    ident = house.send(b"whole")
    house.stop()
    # A row that is too short for its texts.
    flip(house.store / "data.mdb", b"r0@example.com\0\x0e\0r0@", at=14)
    done = house.tool("dump", code=DATAERR)
    assert b"left out" in done.stderr
    assert ident


def take_leaves(house, table):
    """LMDB finds that one is damaged as soon as it comes there."""
    house.start()
    for _ in range(150):
        house.send(b"x" * 300)
    house.stop()
    data = house.store / "data.mdb"
    image = bytearray(data.read_bytes())
    found = leaves(image, table, sorted(house.digests)[75])
    assert found
    for at in found:
        image[at + 10] = 0
    data.write_bytes(image)
    return house.tool("dump", code=DATAERR)


@pytest.mark.parametrize(
    "table", ["message", "recipient", "event", "content"])
def test_what_cannot_be_read_is_not_the_end(house, tmp_path, table):
    """Part of the store is behind a damaged page: nobody takes what comes
    before that for all there is."""
    done = take_leaves(house, table)
    # A step of a walk ends the reader, a search does not.
    assert b"cannot read the " in done.stderr or \
        b"pages of the store are damaged" in done.stderr
    assert b'"type":"end"' not in done.stdout
    new = House(tmp_path / "new")
    new.start()
    new.stop()
    new.tool("load", input=done.stdout, code=DATAERR)
    new.is_clean()


def test_a_damaged_key_is_told(house):
    """Of a message, whose row is then nobody's."""
    house.start()
    for _ in range(3):
        house.send(b"x")
    house.stop()
    key = struct.pack(">Q", sorted(house.digests)[1])
    flip(house.store / "data.mdb", struct.pack("<H", 8) + key)
    done = house.tool("dump", code=DATAERR)
    assert b'"message" is left out: its key is damaged' in done.stderr
    assert done.stdout.count(b'"type":"message"') == 2


@pytest.mark.skipif(IS_SANITIZED, reason="the sanitizers need more")
def test_memory_does_not_grow_with_the_store(house, tmp_path):
    """120 MB of mail, within 48 MB of memory."""
    house.start()
    house.stop()
    data = base64.b64encode(os.urandom(30_000)).decode()
    dump = tmp_path / "dump"
    with dump.open("w") as file:
        def line(**fields):
            file.write(json.dumps(fields) + "\n")
        line(type="postern-store", version=1, schema=1)
        for n in range(4000):
            ident, address = base32((1 << 60) + n), f"u@d{n}.example"
            line(type="message", id=ident, size=30_000, recipients=1)
            line(type="content", id=ident, data=data)
            line(type="recipient", id=ident, number=0, address=address,
                 original=address, kind=2, destination=f"mx:d{n}.example")
            line(type="event", id=ident, number=0, what=0, address=address,
                 original=address)
        line(type="end", messages=4000, events=4000)
    for words in (["load"], ["check"], ["dump"], ["compact"],
                  ["backup", tmp_path / "backup"]):
        with dump.open() as file, open(os.devnull, "w") as nowhere:
            subprocess.run(
                ["prlimit", "--data=48000000", SBIN / "postern-store", "-c",
                 house.config, *words], stdin=file, stdout=nowhere,
                check=True)
