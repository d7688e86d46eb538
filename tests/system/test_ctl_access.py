"""Who may use the control sockets: root, and for all but a reload the members
of the group `postern-admin`. Everybody else hears of their own mail."""
import grp
import json
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import time

import pytest

from lab import SBIN, run, wait_for
from test_ctl import waiting  # noqa: F401 (a fixture)
from test_send import item, submit

# uid that is no user's: what it may do it may as a member only.
STRANGER = 54321
PROGRAMS = ["smtpd", "router", "queue", "resolver", "remote"]


def member(postern, primary=False):
    gid = postern.host.lab.admin_gid
    return {"user": STRANGER, "group": gid if primary else STRANGER,
            "extra_groups": [] if primary else [100, gid]}


def stranger():
    return {"user": STRANGER, "group": STRANGER, "extra_groups": []}


def ctl(postern, who, *arguments):
    # The checkout may lie where nobody else may look: below /root, say.
    program = shutil.copy(SBIN / "posternctl", postern.dir)
    return run(program, "-c", postern.config_file, *arguments, check=False,
               timeout=30, **who)


@pytest.mark.parametrize("primary", [False, True])
def test_a_member_reads_and_acts(postern, waiting, primary):
    ident, token = waiting
    for question, shown in ((["queue"], ident), (["show", ident], token),
                            (["trace", ident], "accepted"), (["stats"], "")):
        done = ctl(postern, member(postern, primary), *question)
        assert done.returncode == 0, (question, done.stderr)
        assert shown in done.stdout
    done = ctl(postern, member(postern, primary), "hold", ident)
    assert done.returncode == 0, done.stderr
    assert item(postern, ident)["state"] == "held"
    assert f"control-act act=hold uid={STRANGER} " in postern.log()


def test_a_member_does_not_reload(postern):
    before = postern.pids()
    done = ctl(postern, member(postern), "reload")
    assert done.returncode == 77
    assert "you may not use" in done.stderr and "supervisor" in done.stderr
    assert "only root may" in done.stderr
    assert postern.pids() == before
    assert "reload" not in postern.log()


@pytest.mark.parametrize("command", [
    ["queue"], ["stats"], ["show", "0123456789abc"], ["remove", "--all"],
    ["reload"]], ids=" ".join)
def test_a_stranger_does_nothing(postern, command):
    done = ctl(postern, stranger(), *command)
    assert done.returncode == 77, done.stderr
    assert "you may not" in done.stderr
    assert done.stdout == ""
    # Nor does the refusal depend on our own tool.
    for name in "control", "supervisor":
        refused = run("/usr/bin/python3", "-c", CONNECT,
                      postern.run_dir / name, check=False, **stranger())
        assert "PermissionError" in refused.stderr


@pytest.fixture
def open_to_all(postern):
    """As if somebody had opened the socket: the queue does not rely on it."""
    path = postern.run_dir / "control"
    path.chmod(0o666)
    yield
    path.chmod(0o660)


@pytest.mark.parametrize("command", [
    ["queue"], ["summary"], ["destinations"], ["stats"],
    ["show", "ID"], ["why", "ID"], ["trace", "ID"],
    ["trace", "someone@other.test"], ["retry", "ID"], ["hold", "--all"],
    ["remove", "--all"], ["remove", "--dry-run", "--all"],
    ["pause", "mx:other.test"], ["resume", "--all"]], ids=" ".join)
def test_the_queue_checks_each_question(postern, waiting, open_to_all,
                                        command):
    words = [waiting[0] if w == "ID" else w for w in command]
    for who in stranger(), {"user": 65534, "group": 65534,
                            "extra_groups": [100, 4]}:
        done = ctl(postern, who, *words)
        assert done.returncode == 77, (done.stdout, done.stderr)
        assert done.stdout == ""
        assert "postern-admin" in done.stderr
    assert item(postern, waiting[0])["state"] == "waiting"
    assert ctl(postern, member(postern), "queue").returncode == 0


def test_no_question_is_left_out():
    """Each that the control socket knows has its line in the table."""
    root = pathlib.Path(__file__).parents[2]
    asked = set(re.findall(r"MESSAGE\((CTL_\w+), \w+, CTL, QUEUE,",
                           (root / "common/message.def").read_text()))
    table = set(re.findall(r"\{ MESSAGE_(CTL_\w+), WHO_",
                           (root / "queue/control_work.c").read_text()))
    assert asked == table and len(asked) >= 7


CONNECT = """import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect(sys.argv[1])"""


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_program_is_a_member(postern, program):
    """One that was taken over could otherwise read all mail there."""
    user = pwd.getpwnam(f"postern-{program}")
    for name in "control", "supervisor":
        refused = run("/usr/bin/python3", "-c", CONNECT,
                      postern.run_dir / name, check=False, user=user.pw_uid,
                      group=user.pw_gid, extra_groups=[
                          g for g in os_groups(user) if g != user.pw_gid])
        assert "PermissionError" in refused.stderr


def os_groups(user):
    return [g.gr_gid for g in grp.getgrall() if user.pw_name in g.gr_mem]


def test_nobody_else_can_put_a_socket_there(postern):
    """Whoever could would hear what the administrator says."""
    folder = postern.run_dir.stat()
    assert (folder.st_uid, folder.st_mode & 0o022) == (0, 0)
    for name, mode in (("control", 0o660), ("users", 0o666),
                       ("supervisor", 0o600)):
        path = postern.run_dir / name
        assert path.is_socket()
        assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (0, mode)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.connect(str(postern.run_dir / "control"))


# -- Own mail -----------------------------------------------------------------

def user(postern, name):
    uid = postern.host.lab.FIRST_UID + postern.host.lab.USERS.index(name)
    return {"user": uid, "group": uid, "extra_groups": []}


def as_user(postern, name, *words):
    """A command of that user; again while the queue has no place for them."""
    def once():
        done = ctl(postern, user(postern, name), *words)
        return None if done.returncode == 75 else done
    return wait_for("a place in the queue", once)


@pytest.fixture
def shared(postern, client):
    """One message that waits for alice and bob, one for bob only."""
    lines = ["local:alice", "local:bob"]
    postern.ctl("pause", *lines)
    both, token = submit(client, ["alice@here.test", "bob@here.test",
                                  "someone@other.test"])
    bobs, _ = submit(client, "bob@here.test")
    yield both, bobs, token
    for ident in both, bobs:
        postern.ctl("remove", ident, check=False)
    postern.ctl("resume", *lines)


def test_a_user_sees_what_waits_for_them(postern, shared):
    """And no other recipient of the same message."""
    both, bobs, _ = shared
    for name, idents in (("alice", [both]), ("bob", [both, bobs]),
                         ("carol", [])):
        done = as_user(postern, name, "queue", "--json")
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        assert [r["id"] for r in rows] == idents
        assert all(r["recipient"] == f"{name}@here.test" and r["paused"]
                   for r in rows)
    done = as_user(postern, "alice", "queue")
    assert both in done.stdout and bobs not in done.stdout
    assert "bob" not in done.stdout and "other.test" not in done.stdout


def test_a_users_mailq(postern, shared):
    """Under the name that all software knows."""
    program = shutil.copy(SBIN / "posternctl", postern.dir / "mailq")

    def mailq(name):
        return wait_for("a place in the queue", lambda: (
            lambda done: None if done.returncode == 75 else done)(
                run(program, "-c", postern.config_file, check=False,
                    timeout=30, **user(postern, name))))
    done = mailq("alice")
    assert done.returncode == 0 and shared[0] in done.stdout
    assert done.stdout.endswith("1 recipient of 1 message, "
                                f"{item(postern, shared[0])['size']} octets.\n")
    done = mailq("carol")
    assert (done.returncode, done.stdout) == (0, "Mail queue is empty\n")


def test_a_user_asks_about_a_message(postern, shared):
    both, _, _ = shared
    done = as_user(postern, "alice", "why", both)
    assert done.returncode == 0 and "alice@here.test" in done.stdout
    assert "bob" not in done.stdout and "other.test" not in done.stdout
    done = as_user(postern, "alice", "trace", both)
    assert done.returncode == 0 and "accepted" in done.stdout
    assert "bob" not in done.stdout and "other.test" not in done.stdout


@pytest.mark.parametrize("command", ["why", "trace"])
def test_a_message_of_others_is_none(postern, shared, command):
    """As one that never was, word for word."""
    both, bobs, _ = shared
    never = "0" * 12 + "1"

    def answer(ident, *more):
        done = as_user(postern, "carol", command, ident, *more)
        return (done.returncode, done.stdout,
                done.stderr.replace(ident, "ID"))
    for ident in both, bobs:
        assert answer(ident) == answer(never)
        assert answer(ident, "--json") == answer(never, "--json")
    assert answer(never)[0] == 66


@pytest.mark.parametrize("command", [
    ["show", "ID"], ["retry", "ID"], ["hold", "ID"], ["release", "ID"],
    ["remove", "ID"], ["bounce", "ID"], ["remove", "--all"],
    ["remove", "--dry-run", "ID"], ["resume", "local:alice"],
    ["pause", "--all"], ["stats"], ["destinations"], ["summary"],
    ["trace", "alice@here.test"], ["reload"]], ids=" ".join)
def test_a_user_changes_nothing(postern, shared, command):
    both = shared[0]
    words = [both if w == "ID" else w for w in command]
    done = as_user(postern, "alice", *words)
    assert done.returncode == 77, (done.stdout, done.stderr)
    assert "you may not" in done.stderr and shared[2] not in done.stdout
    rows = [r for r in postern.ctl_json("queue") if r["id"] == both]
    assert len(rows) == 3 and all(r["state"] == "waiting" for r in rows)


def test_a_user_hears_that_something_is_held(postern, shared):
    both = shared[0]
    postern.ctl("hold", both)
    done = as_user(postern, "alice", "queue")
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 more for you is held" in done.stderr
    assert "held" in as_user(postern, "alice", "why", both).stdout


IDLE = """import socket, sys, time
held = []
for _ in range(100):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.settimeout(0.1)
    try:
        sock.connect(sys.argv[1])
    except OSError:
        pass
    held.append(sock)
print("held", flush=True)
time.sleep(60)"""


def test_idle_strangers_keep_no_administrator_waiting(postern, shared):
    strangers = subprocess.Popen(
        ["/usr/bin/python3", "-c", IDLE, postern.run_dir / "users"],
        stdout=subprocess.PIPE, text=True, **stranger())
    try:
        assert strangers.stdout.readline() == "held\n"
        for who in {}, member(postern):
            start = time.monotonic()
            done = ctl(postern, who, "queue")
            assert done.returncode == 0 and shared[0] in done.stdout
            assert time.monotonic() - start < 2
        done = as_user(postern, "alice", "queue")
        assert done.returncode == 0 and shared[0] in done.stdout
    finally:
        strangers.kill()
        strangers.wait()
