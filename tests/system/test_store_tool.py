"""postern-store: the store checked, copied while mail flows, put back, made
small, and moved elsewhere.

The queue is the real one; its neighbours are played here.
"""
import base64
import contextlib
import json
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import smtplib
import struct
import subprocess
import sys
import threading
import time

import pytest

from lab import SBIN, Postern, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "hostile"))
import records  # noqa: E402
from program import IS_SANITIZED  # noqa: E402
from queue_lab import CONFIG as QUEUE_CONFIG  # noqa: E402
from queue_lab import Queue, digest, envelope  # noqa: E402

# What damaged pages do to their reader is the tool's to tell.
os.environ.setdefault("ASAN_OPTIONS", "handle_segv=0:handle_sigbus=0")

OK, USAGE, DATAERR, NOINPUT, CANTCREAT, IOERR, TEMPFAIL, NOPERM, CONFIG = \
    0, 64, 65, 66, 73, 74, 75, 77, 78
DELIVERED, DEFERRED = 0, 1  # enum report_outcome
SCOPE_DESTINATION = 2
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


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path / "house")
    yield house
    house.stop()


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


# -- check ----------------------------------------------------------------


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


def test_a_cut_file(house):
    house.start()
    house.fill(60)
    house.stop()
    with (house.store / "data.mdb").open("r+b") as file:
        file.truncate(8 * 4096)
    house.tool("check", code=DATAERR)


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


# -- backup and restore ---------------------------------------------------


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


@pytest.mark.parametrize("how", [[], ["--compact"]])
def test_backup_while_mail_flows(house, tmp_path, how):
    house.start()
    house.fill()
    backup = tmp_path / "backup"
    with Flow(house):
        wait_for("mail", lambda: len(house.digests) > 60)
        before = dict(house.digests)
        out = house.tool("backup", *how, backup).stdout.decode()
        wait_for("mail", lambda: len(house.digests) > len(before) + 20)
    assert out == f"{backup}\n"
    assert backup.stat().st_uid == 0 and backup.stat().st_mode & 0o777 == 0o600
    house.tool("check", backup)
    # Not while the queue runs, and then nothing has changed.
    house.tool("restore", backup, code=TEMPFAIL)
    after = dict(house.digests)
    house.stop()
    assert house.start()
    house.holds(after)
    house.stop()

    old = house.tool("restore", backup).stdout.decode()
    house.is_clean()
    house.start()
    present = house.holds(before)
    assert len(present) < len(after)
    house.stop()
    # The old store is kept, and can be had back.
    kept = pathlib.Path(old.splitlines()[0].split(" ")[-1])
    assert kept.parent == house.store
    time.sleep(1)  # the next one needs a name of its own
    house.tool("restore", kept)
    house.start()
    house.holds(after)


def test_backup_of_a_whole_postern(lab, config, client):
    """By SMTP, with every program: what was answered 250 before the backup
    began is there when it was put back, also after the plug was pulled."""
    postern = Postern(lab.hosts["second"], config, name="backup")
    tokens, stop = [], threading.Event()

    def send():
        with contextlib.suppress(smtplib.SMTPException), \
                client.smtp("192.0.2.60") as smtp:
            while not stop.is_set():
                token = f"token-{len(tokens):06}"
                smtp.sendmail("a@here.test", ["nobody@other.test"],
                              f"Subject: {token}\n\n{token}\n" + "x" * 5000)
                tokens.append(token)

    def tool(*arguments):
        done = postern.host.run(
            SBIN / "postern-store", "-c", postern.config_file, *arguments,
            check=False)
        assert done.returncode == OK, done.stderr
        return done.stdout

    def held():
        return [postern.ctl("show", "--content", i["id"]).stdout
                for i in postern.ctl_json("queue")]

    def all_there(wanted):
        contents = held()
        for token in wanted:
            assert any(f"Subject: {token}\n" in c.replace("\r", "")
                       for c in contents), token
        return contents

    thread = threading.Thread(target=send, daemon=True)
    try:
        thread.start()
        wait_for("mail", lambda: len(tokens) > 30)
        tool("check")
        before = list(tokens)
        backup = tool("backup", lab.dir).strip()
        # The queue's own user may too, and is as free of root's files.
        own = lab.dir / "postern-store"
        shutil.copy(SBIN / "postern-store", own)
        mine = lab.dir / "mine"
        mine.mkdir()
        os.chown(mine, UID, -1)
        for words in (["check"], ["backup", mine], ["dump"]):
            done = subprocess.run(
                [own, "-c", postern.config_file, *words], user=UID,
                extra_groups=[], capture_output=True, text=True)
            assert done.returncode == OK, done.stderr
        tool("check", *mine.iterdir())
        wait_for("more mail", lambda: len(tokens) > len(before) + 10)
        stop.set()
        thread.join()
        postern.kill_all()
        tool("check")
        tool("check", backup)
        tool("restore", backup)
        postern.start()
        contents = all_there(before)
        assert len(contents) < len(tokens)
        tool("check")
    finally:
        stop.set()
        postern.close()


def test_backup_overwrites_nothing(house, tmp_path):
    house.start()
    house.send(b"x")
    backup = tmp_path / "backup"
    backup.write_text("precious")
    house.tool("backup", backup, code=CANTCREAT)
    assert backup.read_text() == "precious"
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    house.tool("backup", link, code=CANTCREAT)
    assert not (tmp_path / "nowhere").exists()
    folder = tmp_path / "folder"
    folder.mkdir()
    out = house.tool("backup", folder).stdout.decode().strip()
    assert [str(p) for p in folder.iterdir()] == [out]
    house.tool("check", out)


def test_a_backup_is_whole_or_not_there(house, tmp_path):
    house.start()
    for _ in range(40):
        house.send(os.urandom(1_000_000))
    for delay in (0.01, 0.05, 0.1, 0.2):
        backup = tmp_path / f"backup-{delay}"
        process = subprocess.Popen(
            [SBIN / "postern-store", "-c", house.config, "backup", backup],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        if backup.exists():
            house.tool("check", backup)
        else:
            assert process.returncode != 0
        assert not backup.with_name(backup.name + ".partial").exists()
    # And the store goes on.
    house.send(b"x")
    house.is_clean()


def test_restore_takes_no_rubbish(house, tmp_path):
    house.start()
    house.fill(5)
    house.stop()
    before = (house.store / "data.mdb").read_bytes()
    names = sorted(os.listdir(house.store))
    # The first ends whoever looks into it, and what it leaves behind is gone
    # with the next.
    for rubbish in (before[:5000], b"", b"x" * 100000):
        (tmp_path / "rubbish").write_bytes(rubbish)
        house.tool("restore", tmp_path / "rubbish", code=DATAERR)
        assert (house.store / "data.mdb").read_bytes() == before
    assert sorted(os.listdir(house.store)) == names
    house.tool("restore", tmp_path / "none", code=NOINPUT)


def test_restore_follows_no_link(house, tmp_path):
    """One who has the queue's rights has the caller read nothing of
    others."""
    house.start()
    house.fill(5)
    folder = tmp_path / "folder"
    folder.mkdir()
    backup = folder / "backup"
    house.tool("backup", backup)
    house.stop()
    data = house.store / "data.mdb"
    before = data.read_bytes()
    planted = house.store / "planted"

    def restore(path, code=NOINPUT, **options):
        done = subprocess.run(
            [SBIN / "postern-store", "-c", house.config, "restore", path],
            capture_output=True, timeout=20, **options)
        assert done.returncode == code, done.stderr.decode()
        assert (data.read_bytes() == before) == (code != OK)

    link = tmp_path / "link"  # anywhere
    link.symlink_to(backup)
    restore(link)
    planted.symlink_to(backup)
    restore(planted)
    planted.unlink()
    planted.symlink_to(folder)  # on the way
    restore(planted / "backup")
    planted.unlink()
    os.link(backup, planted)
    restore(planted)
    restore("planted", cwd=house.store)
    os.chown(planted, UID, -1)
    restore(planted)
    planted.unlink()
    os.mkfifo(planted)
    os.chown(planted, UID, -1)
    restore(planted)
    planted.unlink()
    # Of nobody who may say what the store is.
    os.chown(backup, pwd.getpwnam("nobody").pw_uid, -1)
    restore(backup)
    os.chown(backup, 0, -1)
    # What is no store is not even copied: there is no place for a copy.
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret" * 100_000)
    copy = house.store / "data.mdb.new"
    copy.mkdir()
    restore(secret, DATAERR)
    restore(backup, IOERR)
    copy.rmdir()
    # The queue's own, in its own folder.
    shutil.copy(backup, planted)
    os.chown(planted, UID, -1)
    with planted.open("ab") as file:
        file.write(bytes(4096))
    restore(planted, OK)


def test_restore_onto_a_new_host(house, tmp_path):
    house.start()
    house.fill(5)
    house.tool("backup", tmp_path / "backup")
    new = House(tmp_path / "new")
    new.start()
    new.stop()
    for path in new.store.iterdir():
        path.unlink()
    assert b"kept" not in new.tool("restore", tmp_path / "backup").stdout
    new.start()
    new.holds(house.digests)
    new.stop()


def test_compact(house):
    queue = house.start()
    agent = queue.add_peer("remote")
    for _ in range(40):
        house.send(os.urandom(500_000))
    for _ in range(30):
        m = records.receive(agent, 5)
        if m.type == "DELIVER":
            os.close(m.fd)
            number = records.receive(agent, 5)["number"]
            records.send(agent, "REPORT", m.handle, number=number,
                         outcome=DELIVERED, scope=0, host="x", reply="ok")
            del house.digests[m["id"]]
    wait_for("deliveries",
             lambda: len(queue.items()) == len(house.digests))
    house.tool("compact", code=TEMPFAIL)
    house.stop()
    before = (house.store / "data.mdb").stat().st_size
    house.tool("compact")
    assert (house.store / "data.mdb").stat().st_size < before / 2
    house.is_clean()
    house.start()
    assert house.holds(house.digests) == set(house.digests)


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


@pytest.mark.parametrize("word", ["compact", "restore"])
def test_an_exchange_that_is_killed(house, tmp_path, word):
    """At every moment there is a whole store."""
    house.start()
    for _ in range(30):
        house.send(os.urandom(700_000))
    house.tool("backup", tmp_path / "backup")
    house.stop()
    words = [word] if word == "compact" else [word, tmp_path / "backup"]
    command = [SBIN / "postern-store", "-c", house.config, *words]
    codes = set()
    for turn in range(15):
        codes.add(kill_after(0.008 * turn, command))
        wait_for("the dead", lambda: is_free(house))
        house.is_clean()
        for old in house.store.glob("data.mdb.*"):
            if old.name != "data.mdb.new":
                old.unlink()
    assert -signal.SIGKILL in codes
    house.start()
    assert house.holds(house.digests) == set(house.digests)


# -- dump and load --------------------------------------------------------


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
             user="u", protocol=2, body=1, recipients=7,
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
    queue.add_peer("remote")
    wait_for("the log", lambda: "damaged" in queue.read_log())
    assert queue.process.poll() is None


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


def leaves(image, table, ident):
    """Where the pages are that hold a row of the message, as LMDB lays them
    out: the length of the key, the key, the value."""
    key = struct.pack(">Q", ident)
    if table != "message":
        key += bytes(4)
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
