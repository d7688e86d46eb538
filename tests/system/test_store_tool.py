"""postern-store: the store checked, whatever a disk or a stranger did to it, and
whoever asks.

The queue is the real one; its neighbours are played here.
"""
import os
import random
import re
import signal
import struct
import subprocess
import time

import pytest

from lab import SBIN, run, wait_for
from store_house import (CONFIG, DATAERR, DEFERRED, DELIVERED, IOERR, NOINPUT,
                         NOPERM, OK, REMOVE, TEMPFAIL, UID, USAGE, Flow, House,
                         base32, envelope, flip, leaves, nodes, records)


def test_check(house):
    house.start()
    house.is_clean()
    house.fill()
    out = house.is_clean()
    assert out.startswith("30 messages, ")
    assert house.tool("check", "--json").stdout == b""
    house.stop()
    assert house.is_clean() == out


def test_check_makes_nothing(house):
    house.start()
    house.stop()
    for name in ("data.mdb", "owner", "lock.mdb"):
        (house.store / name).unlink()
        house.tool("check", code=NOINPUT)
    assert not list(house.store.iterdir())


def test_where_there_is_no_store(house, tmp_path):
    for words in ("check", "dump", "load", "compact"):
        done = subprocess.run(
            [SBIN / "postern-store", "-c", house.config, words],
            capture_output=True, stdin=subprocess.DEVNULL)
        assert done.returncode == NOINPUT
    assert sorted(os.listdir(house.folder)) == ["postern.conf"]
    # Yet a backup can be looked at.
    other = House(tmp_path / "other")
    other.start()
    other.send(b"x")
    other.tool("backup", tmp_path / "backup")
    other.stop()
    subprocess.run([SBIN / "postern-store", "-c", house.config, "check",
                    tmp_path / "backup"], check=True,
                   stdout=subprocess.DEVNULL)


def test_flipped_bits_are_found(house):
    house.start()
    ident = house.send(b"lorem ipsum dolor" * 10000 + b"the end")
    other = house.send(b"sit amet")
    house.stop()
    data = house.store / "data.mdb"
    sound = data.read_bytes()

    # The content.
    flip(data, b"dolorthe end", at=7)
    assert house.faults() == [{
        "table": "content", "id": base32(ident),
        "fault": "the content has another checksum"}]
    data.write_bytes(sound)

    # The time in a key of the due index.
    flip(data, b"relay:sink\0" + struct_time(sound), at=17)
    assert {f["table"] for f in house.faults()} >= {"due", "recipient"}
    data.write_bytes(sound)
    house.is_clean()

    # The destination's name in a recipient's row.
    flip(data, b"sink\0\0", at=0)
    faults = house.faults()
    assert any(f["table"] == "recipient" and f["id"] == base32(other)
               for f in faults)
    assert all(set(f) <= {"table", "id", "number", "name", "fault"}
               for f in faults)


def test_altered_content_is_held_and_the_rest_goes_on(house):
    queue = house.start()
    bad = house.send(b"lorem ipsum", recipients=2)
    good = house.send(b"dolor sit amet")
    house.stop()
    flip(house.store / "data.mdb", b"lorem ipsum", at=3)
    queue = house.start()
    agent = queue.add_peer("remote")
    m = records.receive(agent, 5)
    assert m.type == "DELIVER" and m["id"] == good
    with os.fdopen(m.fd, "rb") as file:
        file.seek(0)
        assert file.read() == b"dolor sit amet"
    items = wait_for("the hold", lambda: [
        i for i in queue.items() if i["id"] == bad and i["state"] == 1])
    wait_for("both", lambda: len([
        i for i in queue.items() if i["id"] == bad and i["state"] == 1]) == 2)
    assert items[0]["reply"] == "the content in the store is damaged"
    assert queue.content(bad) is None
    log = queue.read_log()
    assert f"content-unreadable id={base32(bad)}" in log
    assert f"set-aside id={base32(bad)}" in log
    # Nor does it go elsewhere.
    house.stop()
    done = house.tool("dump", code=DATAERR)
    assert b"another checksum" in done.stderr
    assert b'"type":"message","id":"' + base32(good).encode() in done.stdout
    assert b'"type":"message","id":"' + base32(bad).encode() not in done.stdout


def struct_time(data):
    """When the first recipient in the due index is due, as in its key."""
    # In the recipient's row there are five noughts.
    return re.search(rb"relay:sink\0(\0{4}[^\0]...)", data, re.S).group(1)


def test_damaged_pages_end_only_the_look(house):
    """What LMDB itself trips over is told, whatever it does to the reader."""
    house.start()
    house.fill(200)
    house.stop()
    data = house.store / "data.mdb"
    sound = data.read_bytes()
    rng = random.Random(3)
    seen = set()
    for _ in range(12):
        image = bytearray(sound)
        for page in rng.sample(range(2, len(image) // 4096), 40):
            image[page * 4096:page * 4096 + 16] = rng.randbytes(16)
        data.write_bytes(image)
        done = subprocess.run(
            [SBIN / "postern-store", "-c", house.config, "check"],
            capture_output=True, timeout=60)
        seen.add(done.returncode)
    # Some pages hold nothing that matters.
    assert DATAERR in seen and seen <= {OK, DATAERR, IOERR}


def free_lists(image):
    """Where LMDB's lists of free pages are: how many, and then which."""
    for at in range(2 * 4096, len(image), 4096):
        if image[at + 10] != 2:
            continue
        for begin in nodes(image, at):
            key = begin + 2
            if image[begin] == 8 and 0 < struct.unpack_from(
                    "<Q", image, key)[0] < 1 << 20:
                yield key + 8


def test_pages_in_use_that_count_as_free(house):
    """Nobody reads that list, and the next mail would go over other mail."""
    queue = house.start()
    ids = [house.send(b"x" * 20_000) for _ in range(20)]
    for ident in ids[:10]:
        queue.ask("CTL_ACT", verb=REMOVE, id=ident)
    last = house.send(b"y")
    house.is_clean()
    house.stop()
    data = house.store / "data.mdb"
    sound = data.read_bytes()
    used, = (at // 4096 for at in leaves(sound, "message", last))
    image = bytearray(sound)
    for at in free_lists(sound):
        image[at + 8:at + 16] = struct.pack("<Q", used)
    data.write_bytes(image)
    faults = house.faults()
    assert all(f["table"] == "meta" and f["name"] == "pages" for f in faults)
    assert any(f["fault"] == f"page {used}: it is in use and counts as free: "
               "it would be written over" for f in faults)
    # One that says it is another, and one that LMDB would write to in place.
    for at, bit, word in (used * 4096, 1, "it is damaged"), \
            (used * 4096 + 10, 0x10, "it is damaged"):
        image = bytearray(sound)
        image[at] ^= bit
        data.write_bytes(image)
        assert f"page {used}: {word}" in [f["fault"] for f in house.faults()]


def test_a_table_that_is_lost(house):
    """That is no store which is not there."""
    house.start()
    house.send(b"x")
    house.stop()
    flip(house.store / "data.mdb", struct.pack("<HH", 2, 4) + b"meta", at=5)
    assert b"is damaged" in house.tool("check", code=DATAERR).stderr


def test_check_while_mail_flows(house):
    """The pages that it looks at are not those that are written meanwhile."""
    house.start()
    with Flow(house):
        for _ in range(15):
            before = len(house.digests)
            house.is_clean()
            wait_for("mail", lambda: len(house.digests) > before + 2)


def test_a_cut_file(house):
    house.start()
    house.fill(60)
    house.stop()
    with (house.store / "data.mdb").open("r+b") as file:
        file.truncate(8 * 4096)
    house.tool("check", code=DATAERR)


def test_only_a_file_is_looked_into(house, tmp_path):
    """A FIFO would be waited for."""
    house.start()
    house.stop()
    os.mkfifo(tmp_path / "fifo")
    for path, word in (tmp_path / "fifo", b"not a file"), \
            (tmp_path, b"not a file"), (tmp_path / "x", b"No such file"):
        assert word in house.tool("check", path, code=NOINPUT).stderr


@pytest.mark.parametrize("name", ["data.mdb", "owner", "lock.mdb"])
def test_what_is_planted_in_the_store_is_not_waited_for(house, name):
    """By one who has taken over the queue, for the nightly backup."""
    house.start()
    house.fill(3)
    house.stop()
    planted = house.store / name
    planted.unlink()
    os.mkfifo(planted)
    os.chown(planted, UID, -1)
    for words in ["check"], ["dump"], ["backup", house.folder / "backup"], \
            ["compact"]:
        subprocess.run([SBIN / "postern-store", "-c", house.config, *words],
                       capture_output=True, timeout=20)


@pytest.fixture
def disk(tmp_path):
    """A file system of its own, which others can be told to read only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    run("mount", "-t", "tmpfs", "none", folder)
    yield folder
    run("umount", "--lazy", folder)


def test_a_store_to_read(disk, tmp_path):
    """What can still be read of a disk that fails is to be had."""
    house = House(disk / "house")
    house.start()
    house.fill(20)
    # Who reads there is not seen by who writes by another way.
    other = tmp_path / "other"
    other.mkdir()
    run("mount", "--bind", disk, other)
    try:
        run("mount", "-o", "remount,bind,ro", other)
        there = other / "house/postern.conf"
        there_too = disk / "house/there.conf"
        there_too.write_text(house.config.read_text().replace(
            str(disk), str(other)))
        assert there.exists()
        done = subprocess.run([SBIN / "postern-store", "-c", there_too,
                               "check"], capture_output=True)
        assert done.returncode == TEMPFAIL
        house.stop()
        subprocess.run([SBIN / "postern-store", "-c", there_too, "check"],
                       check=True, stdout=subprocess.DEVNULL)
    finally:
        run("umount", other)
    wanted = house.tool("dump").stdout
    run("mount", "-o", "remount,ro", disk)
    house.is_clean()
    assert house.tool("dump").stdout == wanted
    house.tool("backup", tmp_path / "backup")
    house.tool("check", tmp_path / "backup")
    house.tool("compact", code=IOERR)
    run("mount", "-o", "remount,rw", disk)


def test_other_schemas(house, tmp_path):
    """A store of an older postern is looked at by no command that would have
    to understand it, and changed by none; a newer one likewise."""
    house.start()
    house.fill(5)
    house.stop()
    data = house.store / "data.mdb"
    sound = data.read_bytes()
    for schema, word in (b"\1", b"older"), (b"\7", b"newer"):
        image = sound.replace(b"schema\2", b"schema" + schema)
        assert image != sound
        data.write_bytes(image)
        for words in ["check"], ["dump"]:
            assert word in house.tool(*words, code=CONFIG).stderr
        backup = tmp_path / word.decode()
        house.tool("backup", backup)
        house.tool("check", backup, code=CONFIG)
        assert data.read_bytes() == image
    data.write_bytes(sound)
    assert b"newer" in house.tool(
        "restore", tmp_path / "newer", code=CONFIG).stderr
    assert data.read_bytes() == sound
    house.tool("restore", tmp_path / "older")
    house.start()  # which brings it up to date
    house.holds(house.digests)
    house.is_clean()


def test_check_under_load_and_after_kills(house):
    """Killed at any moment under load, the store is whole: each time."""
    rng = random.Random(7)
    for turn in range(5):
        queue = house.start()
        agent = queue.add_peer("remote")
        house.fill(10, seed=turn)
        for _ in range(10):
            m = records.receive(agent, 5)
            if m.type == "DELIVER":
                os.close(m.fd)
                number = records.receive(agent, 5)["number"]
                records.send(agent, "REPORT", m.handle, number=number,
                             outcome=rng.choice([DELIVERED, DEFERRED]),
                             scope=0, host="x", reply="ok")
        house.is_clean()
        for handle in range(100, 150):  # not waited for
            house.next += 1
            envelope(queue.router, handle, house.next, b"x" * 5000)
        time.sleep(rng.random() / 50)
        house.kill()
        house.is_clean()


def test_only_root_and_the_queue_may(house):
    house.start()
    house.stop()
    for path in (house.folder, house.folder.parent):
        path.chmod(0o755)
    command = [SBIN / "postern-store", "-c", house.config, "check"]
    nobody = subprocess.run(command, user="nobody", capture_output=True)
    assert nobody.returncode == NOPERM


def test_wrong_words(house):
    for words in ([], ["chekc"], ["check", "-x"], ["backup"], ["dump", "x"],
                  ["backup", "a", "b"]):
        done = subprocess.run(
            [SBIN / "postern-store", "-c", house.config, *words],
            capture_output=True)
        assert done.returncode == USAGE and b"usage:" in done.stderr


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGQUIT])
def test_nothing_goes_on_without_its_parent(house, how):
    """Who kills the one that he has started has killed all of it."""
    house.start()
    house.stop()
    process = subprocess.Popen(
        [SBIN / "postern-store", "-c", house.config, "load"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    # More than a pipe holds: when that is written, the store is open.
    process.stdin.write(b'{"type":"postern-store","version":1,"schema":2}\n' +
                        b'{"type":"pause","id":""}\n' * 20_000)
    process.stdin.flush()
    house.tool("compact", code=TEMPFAIL)
    process.send_signal(how)
    assert process.wait(20) == -how
    wait_for("its end", lambda: house.tool(
        "compact", code=None).returncode == OK)
    process.stdin.close()
