"""A queue that was taken over, and a spawn that is root.

Whatever the queue says: no process runs as another user than the one that it
may ask for, nothing dies but what it hired itself, and spawn stays.
"""
import contextlib
import errno
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import records
from program import BUILD, broken_records, is_closed, wait_for
from spawn_lab import (ALICE, BOB, DEEP, MAIL, SYSTEM, VARIED, Homes, Spawn,
                       Worker, is_running, status)

DELIVERED, DEFERRED, FAILED = 0, 1, 2
WORKERS_MOST = 512
HIRE = records.Message("HIRE", 1, user="alice")


@pytest.fixture
def homes():
    with Homes() as h:
        yield h


@pytest.fixture
def spawn(homes):
    with Spawn(homes) as s:
        yield s


def hire_deliver_leave(spawn, homes, queue=None):
    """The proof that spawn still serves."""
    before = len(homes.mails())
    worker = spawn.hire("alice", 77, queue)
    assert isinstance(worker, Worker)
    worker.deliver()
    assert worker.report()["outcome"] == DELIVERED
    assert len(homes.mails()) == before + 1
    worker.close()
    worker.wait_gone()


# -- Who it is --------------------------------------------------------------

def test_spawn_is_little_of_root(spawn):
    fields = status(spawn.pid)
    assert fields["Uid"].split() == ["0"] * 4
    # CAP_SETGID, CAP_SETUID and CAP_KILL are 6, 7 and 5.
    for name in "CapPrm", "CapEff", "CapBnd":
        assert int(fields[name], 16) == 0b11100000, name
    assert int(fields["CapInh"], 16) == int(fields["CapAmb"], 16) == 0
    assert fields["Seccomp"] == "2" and fields["NoNewPrivs"] == "1"


@pytest.mark.parametrize("user, uid", [("alice", ALICE), ("bob", BOB)])
def test_worker_is_its_user_only(spawn, user, uid):
    worker = spawn.hire(user)
    fields = wait_for(lambda: (f := status(worker.pid))["Seccomp_filters"]
                      == "2" and f)
    assert fields["Uid"].split() == [str(uid)] * 4
    assert fields["Gid"].split() == [str(uid)] * 4
    assert fields["Groups"].split() == [str(uid)]
    for name in "CapPrm", "CapEff", "CapInh", "CapAmb":
        assert int(fields[name], 16) == 0, name
    assert fields["NoNewPrivs"] == "1"
    # Standard input, output, error; its channel; the log. No link of spawn's.
    assert len(os.listdir(f"/proc/{worker.pid}/fd")) == 5
    with open(f"/proc/{worker.pid}/cmdline") as f:
        assert f.read().rstrip("\0") == f"local: {user}"


@pytest.mark.parametrize("user, outcome", [
    ("root", FAILED), ("toor", FAILED), ("wheel", FAILED),
    ("postern-queue", FAILED), ("nosuch", FAILED), ("", FAILED),
    ("../alice", FAILED), ("alice/", FAILED), ("-alice", FAILED),
    (".", FAILED), ("..", FAILED), ("alice\n", FAILED), ("alice ", FAILED),
    ("alice:x:0:0", FAILED), ("0", FAILED), ("61001", FAILED),
    ("a" * 64, FAILED), ("al\xefce", FAILED), ("%s%n", FAILED),
])
def test_refused(spawn, homes, user, outcome):
    answer = spawn.hire(user)
    assert answer.type == "REFUSED"
    assert answer["outcome"] == outcome
    assert answer["reply"].startswith("5.")
    assert spawn.children() == []
    hire_deliver_leave(spawn, homes)


def test_login_longer_than_any_closes_the_link(spawn, homes):
    records.send(spawn.queue, "HIRE", 1, user="a" * 65)
    assert is_closed(spawn.queue)
    hire_deliver_leave(spawn, homes, spawn.add_peer("queue"))


# -- Records ----------------------------------------------------------------

@pytest.mark.parametrize("name, data, fds",
                         broken_records(HIRE, "READY"))
def test_broken_record(spawn, homes, name, data, fds):
    other = spawn.add_peer("queue")
    hire_deliver_leave(spawn, homes, other)
    before = spawn.descriptors()
    with contextlib.suppress(BrokenPipeError):
        records.send_raw(spawn.queue, data, fds)
    assert is_closed(spawn.queue)
    hire_deliver_leave(spawn, homes, other)
    assert spawn.is_alive()
    wait_for(lambda: spawn.children() == [])
    wait_for(lambda: spawn.descriptors() == before - 1)


def test_random_records(spawn, homes):
    dice = random.Random(1)
    good = records.encode(HIRE)
    before = spawn.descriptors()
    for _ in range(300):
        link = spawn.add_peer("queue")
        data = bytearray(good)
        for _ in range(dice.randrange(1, 4)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            records.send_raw(link, bytes(data))
        link.close()
    wait_for(lambda: spawn.descriptors() == before)
    wait_for(lambda: spawn.children() == [])
    hire_deliver_leave(spawn, homes)


def test_only_a_queue_is_a_neighbour(spawn, homes):
    for program in "smtpd", "router", "remote", "local", "ctl":
        assert is_closed(spawn.add_peer(program))
    hire_deliver_leave(spawn, homes)


# -- Floods -----------------------------------------------------------------

def test_flood_of_hires(spawn, homes):
    before = spawn.descriptors()
    workers, refused = [], []
    for handle in range(WORKERS_MOST + 20):
        answer = spawn.hire("bob", handle)
        if isinstance(answer, Worker):
            workers.append(answer)
        else:
            refused.append(answer)
    assert len(workers) == WORKERS_MOST and len(refused) == 20
    assert len(spawn.children()) == WORKERS_MOST
    assert {r["outcome"] for r in refused} == {DEFERRED}
    assert all(r["reply"].startswith("4.") for r in refused)
    for worker in workers:
        worker.close()
    wait_for(lambda: spawn.children() == [], 20)
    assert spawn.descriptors() == before
    hire_deliver_leave(spawn, homes)


def test_queue_that_hires_and_never_reads(spawn, homes):
    """Its answers wait, within a bound; the other queue is served."""
    other = spawn.add_peer("queue")
    hire_deliver_leave(spawn, homes, other)
    before = spawn.descriptors()
    spawn.queue.settimeout(0.5)
    with contextlib.suppress(TimeoutError, BrokenPipeError, OSError):
        for handle in range(40000):
            records.send(spawn.queue, "HIRE", handle, user="nosuch")
    hire_deliver_leave(spawn, homes, other)
    spawn.queue.close()
    wait_for(lambda: spawn.descriptors() == before - 1)
    assert spawn.is_alive()


def test_queue_that_dies_takes_its_workers_with_it(spawn, homes):
    other = spawn.add_peer("queue")
    workers = [spawn.hire("alice", h) for h in range(10)]
    for worker in workers:
        worker.close()
    spawn.queue.close()
    wait_for(lambda: spawn.children() == [])
    hire_deliver_leave(spawn, homes, other)


def test_worker_of_a_link_that_died_before_the_answer(spawn, homes):
    """The worker's channel is lost on the way: it must not stay for ever."""
    other = spawn.add_peer("queue")
    for handle in range(50):
        records.send(spawn.queue, "HIRE", handle, user="alice")
    spawn.queue.close()
    hire_deliver_leave(spawn, homes, other)
    wait_for(lambda: spawn.children() == [])


# -- Killing ----------------------------------------------------------------

def test_kill_ends_a_worker(spawn):
    worker = spawn.hire("alice", 5)
    records.send(spawn.queue, "KILL", 5, pid=worker.pid)
    assert worker.report() is None
    worker.wait_gone()
    wait_for(lambda: "worker-killed" in spawn.read_log())


def test_kill_of_what_it_did_not_hire(spawn, homes):
    other = spawn.add_peer("queue")
    bystander = subprocess.Popen(["sleep", "600"], user=65534)
    theirs = spawn.hire("bob", 9, other)
    mine = spawn.hire("alice", 5)
    try:
        for handle, pid in [
                (5, bystander.pid), (5, os.getpid()), (5, spawn.pid), (5, 0),
                (5, 0xFFFFFFFF), (5, 0x80000000), (5, theirs.pid),
                (9, theirs.pid), (6, mine.pid),
                (5, (1 << 32) - bystander.pid),
                (5, (1 << 32) - mine.pid)]:
            records.send(spawn.queue, "KILL", handle, pid=pid)
        hire_deliver_leave(spawn, homes)
        assert bystander.poll() is None
        assert spawn.is_alive()
        assert is_running(theirs.pid) and is_running(mine.pid)
        assert spawn.read_log().count("kill-refused") == 11
    finally:
        bystander.kill()
        bystander.wait()


def test_no_other_worker_beside_one_that_does_not_end(spawn, homes):
    worker = spawn.hire("alice", 5)
    os.kill(spawn.pid, signal.SIGSTOP)  # so that it knows of no end yet
    records.send(spawn.queue, "KILL", 5, pid=worker.pid)
    for handle, user in (6, "alice"), (7, "bob"):
        records.send(spawn.queue, "HIRE", handle, user=user)
    os.kill(spawn.pid, signal.SIGCONT)
    refused, other = (records.receive(spawn.queue, 10) for _ in range(2))
    assert (refused.type, refused.handle) == ("REFUSED", 6)
    assert refused["outcome"] == DEFERRED
    assert (other.type, other.handle) == ("WORKER", 7)
    Worker(other).close()
    worker.wait_gone()
    wait_for(lambda: "worker-killed" in spawn.read_log())
    hire_deliver_leave(spawn, homes)


def test_kill_twice_and_after_the_end(spawn, homes):
    worker = spawn.hire("alice", 5)
    worker.close()
    worker.wait_gone()
    for _ in range(3):
        records.send(spawn.queue, "KILL", 5, pid=worker.pid)
    hire_deliver_leave(spawn, homes)


# -- The worker's own link --------------------------------------------------

def deliver_to(**fields):
    fields = dict(number=0, address="alice@example.org",
                  original="alice@example.org", **fields)
    return records.Message("DELIVER_TO", 1, **fields)


@pytest.mark.parametrize("name, data, fds",
                         broken_records(deliver_to(), "HIRE")[::7] +
                         broken_records(deliver_to(), "HIRE")[-9:])
def test_broken_record_to_the_worker(spawn, homes, name, data, fds):
    worker = spawn.hire("alice")
    with contextlib.suppress(BrokenPipeError):
        records.send_raw(worker.sock, data, fds)
    assert is_closed(worker.sock)
    worker.wait_gone()
    hire_deliver_leave(spawn, homes)


@pytest.mark.parametrize("changes", [
    dict(seals=0), dict(seals=7), dict(size=len(MAIL) + 1), dict(size=0),
    dict(size=1 << 62), dict(kind=1), dict(recipients=0),
    dict(recipients=1 << 31), dict(sender="not an address"),
    dict(sender="a@example.net>\nBcc: x"),
], ids=str)
def test_deliver_that_must_not_be_believed(spawn, homes, changes):
    worker = spawn.hire("alice")
    with contextlib.suppress(BrokenPipeError):
        worker.deliver(**changes)
    assert is_closed(worker.sock)
    worker.wait_gone()
    assert homes.mails() == []
    hire_deliver_leave(spawn, homes)


def test_descriptor_that_is_no_memfd(spawn, homes):
    with socket.socket() as sock, open("/etc/passwd") as file:
        for fd in sock.fileno(), file.fileno(), spawn.supervisor.fileno():
            worker = spawn.hire("alice")
            records.send(worker.sock, "DELIVER", 1, fd=fd, id=1, kind=0,
                         sender="", name="people", size=0, recipients=1)
            assert is_closed(worker.sock)
    assert homes.mails() == []


# -- What the worker does ---------------------------------------------------

def test_batch_of_many(spawn, homes):
    worker = spawn.hire("alice")
    for n in range(300):
        worker.deliver(content=b"N: %d\r\n\r\n" % n)
    reports = [worker.report() for _ in range(300)]
    assert [r.handle for r in reports] == list(range(1, 301))
    assert {r["outcome"] for r in reports} == {DELIVERED}
    numbers = {m.read_text().split("N: ")[1].strip() for m in homes.mails()}
    assert numbers == {str(n) for n in range(300)}
    assert homes.mails(below="Maildir/tmp") == []


def test_one_message_to_many(spawn, homes):
    worker = spawn.hire("alice")
    names = [f"alice+{n}@example.org" for n in range(500)]
    # The reports must be read meanwhile, as the queue does.
    sender = threading.Thread(target=worker.deliver, args=[names])
    sender.start()
    reports = [worker.report() for _ in names]
    sender.join()
    assert sorted(r["number"] for r in reports) == list(range(500))
    found = {m.read_text().split("Delivered-To: ")[1].split("\n")[0]
             for m in homes.mails()}
    assert found == set(names)


def test_half_a_message_does_not_hold_up_what_is_there(spawn, homes):
    worker = spawn.hire("alice")
    worker.deliver()
    handle = worker.deliver(["alice@example.org"], recipients=2)
    for _ in range(2):
        assert worker.report()["outcome"] == DELIVERED
    assert len(homes.mails()) == 2
    records.send(worker.sock, "DELIVER_TO", handle, number=1,
                 address="alice+x@example.org", original="")
    assert worker.report()["number"] == 1
    assert len(homes.mails()) == 3


def test_loop(spawn, homes):
    worker = spawn.hire("alice")
    worker.deliver(content=b"Delivered-To: alice@example.org\r\n" + MAIL)
    report = worker.report()
    assert report["outcome"] == FAILED
    assert report["reply"].startswith("5.4.6 ")
    assert homes.mails() == homes.mails(below="Maildir/tmp") == []


def test_mailbox_that_nobody_configured(spawn):
    worker = spawn.hire("alice")
    worker.deliver(name="other")
    report = worker.report()
    assert report["outcome"] == DEFERRED
    assert "\"other\" is not in the configuration" in report["reply"]


def test_home_that_is_not_there_is_not_made(spawn, homes):
    worker = spawn.hire("gone")
    worker.deliver(["gone@example.org"])
    report = worker.report()
    assert report["outcome"] == DEFERRED
    assert "No such file" in report["reply"]
    assert not (homes.folder / "gone").exists()
    # That worker ends, and the next one sees what was mended.
    assert worker.report() is None
    (homes.folder / "gone").mkdir(mode=0o700)
    os.chown(homes.folder / "gone", 61004, 61004)
    worker = spawn.hire("gone")
    worker.deliver(["gone@example.org"])
    assert worker.report()["outcome"] == DELIVERED


def test_cage_is_no_larger_than_the_maildir(spawn, homes):
    """The Maildir goes while a worker lives whose cage is that Maildir: it
    cannot make another, though the home is its user's. The next one can."""
    hire_deliver_leave(spawn, homes)
    worker = spawn.hire("alice")
    worker.deliver()
    assert worker.report()["outcome"] == DELIVERED
    shutil.rmtree(homes.folder / "alice/Maildir")
    worker.deliver()
    worker.deliver()
    for _ in range(2):
        report = worker.report()
        assert report["outcome"] == DEFERRED
        assert "Permission denied" in report["reply"]
    assert worker.report() is None
    hire_deliver_leave(spawn, homes)


def test_neighbours_maildir_is_out_of_reach(spawn, homes):
    shutil.rmtree(homes.folder / "alice")
    (homes.folder / "alice").symlink_to(homes.folder / "bob")
    worker = spawn.hire("alice")
    worker.deliver()
    report = worker.report()
    assert report["outcome"] == DEFERRED
    assert "belongs to somebody else" in report["reply"] or \
        "Permission denied" in report["reply"]
    assert list((homes.folder / "bob").iterdir()) == []


def test_full_disk(homes):
    home = homes.folder / "alice"
    subprocess.run(["mount", "-t", "tmpfs", "-o",
                    f"size=256k,uid={ALICE},gid={ALICE},mode=0700", "tmpfs",
                    home], check=True)
    try:
        with Spawn(homes) as spawn:
            worker = spawn.hire("alice")
            worker.deliver(content=MAIL + b"x" * 500000)
            worker.deliver()
            large, small = worker.report(), worker.report()
            assert large["outcome"] == DEFERRED
            assert large["reply"].startswith("4.3.1 ")
            assert small["outcome"] == DELIVERED
            assert len(homes.mails()) == 1
            assert homes.mails(below="Maildir/tmp") == []
            worker.close()
            worker.wait_gone()
    finally:
        subprocess.run(["umount", home], check=True)


def test_killed_while_it_works(spawn, homes):
    """Whatever was reported is in new, whole; the rest is not reported."""
    for _ in range(10):
        # Refused while the last one, which was killed, has not ended.
        for _ in range(500):
            worker = spawn.hire("alice", 3)
            if hasattr(worker, "pid"):
                break
            time.sleep(0.01)

        def send():
            with contextlib.suppress(OSError):
                for _ in range(2000):
                    worker.deliver(content=MAIL * 20)

        sender = threading.Thread(target=send)
        sender.start()
        time.sleep(random.uniform(0.01, 0.1))
        records.send(spawn.queue, "KILL", 3, pid=worker.pid)
        reports = 0
        with contextlib.suppress(ConnectionResetError):
            while worker.report() is not None:
                reports += 1
        sender.join()
        worker.wait_gone()
        mails = homes.mails()
        assert len(mails) >= reports
        for mail in mails:
            size = int(mail.name.split(",S=")[1].split(",")[0])
            assert mail.stat().st_size == size
            mail.unlink()
    hire_deliver_leave(spawn, homes)


def test_deep_path_is_made(homes):
    with Spawn(homes, more=DEEP) as spawn:
        worker = spawn.hire("alice")
        worker.deliver(name="deep")
        assert worker.report()["outcome"] == DELIVERED
        assert len(homes.mails(below="mail/in/box/new")) == 1


# -- The folders of the system ----------------------------------------------

@contextlib.contextmanager
def folder_in(parent, homes, owner=0):
    """One with a file in it that root may write; for the test only."""
    folder = pathlib.Path(parent, homes.folder.name)
    folder.mkdir(mode=0o755)
    (folder / "file").touch()
    os.chown(folder, owner, owner)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def append(spawn, path):
    """What spawn itself gets for trying: a descriptor, or -errno."""
    return int(subprocess.run(
        [BUILD / "tools/inject", str(spawn.pid), "append", path],
        check=True, stdout=subprocess.PIPE, text=True).stdout)


@pytest.mark.parametrize("parent", [
    "/opt", "/usr/local", "/root", "/var/lib", "/var/spool", "/var/cache",
    "/var/backups", "/var/opt", "/var/log", "/var/tmp"])
def test_spawn_cannot_write_to_the_system(spawn, homes, parent):
    with folder_in(parent, homes) as folder:
        assert append(spawn, folder / "file") == -errno.EACCES
    hire_deliver_leave(spawn, homes)


def test_spawn_can_write_where_homes_are(homes):
    with folder_in("/srv", homes) as srv, folder_in("/home", homes) as home, \
            folder_in("/var", homes) as var, Spawn(homes) as spawn:
        for folder in srv, home, var:
            assert append(spawn, folder / "file") >= 0


def test_home_in_a_folder_of_var_that_is_not_the_systems(homes):
    with folder_in("/var", homes, VARIED) as home, Spawn(homes) as spawn:
        worker = spawn.hire("varied")
        worker.deliver()
        assert worker.report()["outcome"] == DELIVERED
        assert len(list((home / "Maildir/new").iterdir())) == 1


@pytest.mark.parametrize("is_there", [False, True])
def test_mailbox_that_the_configuration_puts_among_the_system(
        homes, is_there):
    """Its folder can be written, the one beside it cannot; and its user
    needs no home."""
    with folder_in("/var/spool", homes, SYSTEM) as folder, \
            folder_in("/var/lib", homes) as other:
        if is_there:
            (folder / "box").mkdir(mode=0o700)
            os.chown(folder / "box", SYSTEM, SYSTEM)
        more = ("mailbox \"archive\" users system deliver maildir "
                f"\"{folder}/box\"\n"
                "accept to domain \"a.example.org\" mailbox \"archive\"\n")
        with Spawn(homes, more) as spawn:
            worker = spawn.hire("system")
            worker.deliver(name="archive")
            assert worker.report()["outcome"] == DELIVERED
            assert len(list((folder / "box/new").iterdir())) == 1
            assert append(spawn, folder / "file") >= 0
            assert append(spawn, other / "file") == -errno.EACCES
            assert append(spawn, "/var/lib/dpkg/status") == -errno.EACCES


def test_home_that_is_a_folder_of_the_system(spawn):
    worker = spawn.hire("system")
    worker.deliver()
    report = worker.report()
    assert report["outcome"] == DEFERRED
    assert report["reply"] == ("4.3.0 Mailbox ~/Maildir: the user has no home "
                               "directory, or one of the system's")


# -- Ending -----------------------------------------------------------------

def test_drain_waits_for_the_workers(spawn):
    worker = spawn.hire("alice")
    records.send(spawn.supervisor, "DRAIN", seconds=30)
    wait_for(lambda: not isinstance(spawn.hire("bob", 2), Worker))
    worker.deliver()
    assert worker.report()["outcome"] == DELIVERED
    assert spawn.is_alive()
    worker.close()
    assert spawn.process.wait(5) == 0


def test_drain_has_an_end(spawn):
    worker = spawn.hire("alice")
    records.send(spawn.supervisor, "DRAIN", seconds=1)
    assert spawn.process.wait(5) == 0
    assert worker.report() is None


def test_nothing_outlives_the_supervisor(spawn):
    worker = spawn.hire("alice")
    spawn.supervisor.close()
    assert spawn.process.wait(5) == 0
    worker.close()
    worker.wait_gone()
