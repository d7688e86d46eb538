"""postern-store: the store copied while mail flows, put back, and made small.

The queue is the real one; its neighbours are played here.
"""
import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import smtplib
import subprocess
import threading
import time

import pytest

from lab import SBIN, Postern, wait_for
from store_house import (CANTCREAT, DATAERR, DELIVERED, IOERR, NOINPUT, OK,
                         REMOVE, TEMPFAIL, UID, Flow, House, is_free,
                         kill_after, records)


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


def test_a_backup_that_is_stopped_at_its_beginning(house, tmp_path):
    """Once its file is made, somebody takes it away."""
    house.start()
    codes = set()
    for turn in range(200):
        process = subprocess.Popen(
            [SBIN / "postern-store", "-c", house.config, "backup",
             tmp_path / f"backup-{turn}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(turn / 20_000)
        process.terminate()
        codes.add(process.wait(20))
        assert not list(tmp_path.glob("*.partial")), turn
    assert -signal.SIGTERM in codes


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


def test_restore_takes_no_part(house, tmp_path):
    """Of a backup that was cut short on its way some page is missing: also one
    of content, and the last. Nothing is left behind."""
    queue = house.start()
    ids = [house.send(b"x" * 100_000) for _ in range(40)]
    # What is written next, the roots of the tables too, takes their pages.
    for ident in ids[:20]:
        queue.ask("CTL_ACT", verb=REMOVE, id=ident)
    for _ in range(5):
        house.send(b"y")
    house.tool("backup", tmp_path / "whole")
    house.stop()
    whole = (tmp_path / "whole").read_bytes()
    before = (house.store / "data.mdb").read_bytes()
    names = sorted(os.listdir(house.store))
    cut = tmp_path / "cut"
    for part in (0.3, 0.8, 0.99):
        cut.write_bytes(whole[:int(len(whole) * part)])
        for word in "restore", "check":
            done = house.tool(word, cut, code=DATAERR)
            assert b"pages of " + bytes(cut) in done.stderr
        assert (house.store / "data.mdb").read_bytes() == before
        assert sorted(os.listdir(house.store)) == names
    house.tool("restore", tmp_path / "whole")
    house.is_clean()


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


def test_several_in_one_second(house):
    """Each old store gets a name of its own."""
    house.start()
    house.fill(5)
    house.stop()
    for _ in range(3):
        house.tool("compact")
    assert len(list(house.store.glob("data.mdb.2*"))) == 3
    house.is_clean()
