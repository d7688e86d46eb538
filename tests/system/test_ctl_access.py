"""Who may use the control sockets: root, and for all but a reload the members
of the group `postern-admin`."""
import grp
import pathlib
import pwd
import re
import shutil
import socket

import pytest

from lab import SBIN, run
from test_ctl import waiting  # noqa: F401 (a fixture)
from test_send import item

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
    assert postern.pids() == before
    assert "reload" not in postern.log()


@pytest.mark.parametrize("command", [
    ["queue"], ["stats"], ["show", "0123456789abc"], ["remove", "--all"],
    ["reload"]], ids=" ".join)
def test_a_stranger_does_nothing(postern, command):
    done = ctl(postern, stranger(), *command)
    assert done.returncode == 77, done.stderr
    assert "you may not use" in done.stderr
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
    for name, mode in ("control", 0o660), ("supervisor", 0o600):
        path = postern.run_dir / name
        assert path.is_socket()
        assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (0, mode)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.connect(str(postern.run_dir / "control"))
