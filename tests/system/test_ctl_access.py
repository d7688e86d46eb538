"""Who may use the control sockets: root, and for all but a reload the members
of the group `postern`."""
import grp
import pwd
import shutil
import socket

import pytest

from lab import SBIN, run
from test_ctl import waiting  # noqa: F401 (a fixture)
from test_send import item

# uid that is no user's: what it may do it may as a member only.
STRANGER = 54321
PROGRAMS = ["smtpd", "router", "queue", "resolver", "remote"]


def member():
    return {"user": STRANGER, "group": STRANGER,
            "extra_groups": [grp.getgrnam("postern").gr_gid]}


def stranger():
    return {"user": STRANGER, "group": STRANGER, "extra_groups": []}


def ctl(postern, who, *arguments):
    # The checkout may lie where nobody else may look: below /root, say.
    program = shutil.copy(SBIN / "posternctl", postern.dir)
    return run(program, "-c", postern.config_file, *arguments, check=False,
               timeout=30, **who)


def test_a_member_reads_and_acts(postern, waiting):
    ident, token = waiting
    for question, shown in ((["queue"], ident), (["show", ident], token),
                            (["trace", ident], "accepted"), (["stats"], "")):
        done = ctl(postern, member(), *question)
        assert done.returncode == 0, (question, done.stderr)
        assert shown in done.stdout
    done = ctl(postern, member(), "hold", ident)
    assert done.returncode == 0, done.stderr
    assert item(postern, ident)["state"] == "held"
    assert f"control-act act=hold uid={STRANGER} " in postern.log()


def test_a_member_does_not_reload(postern):
    before = postern.pids()
    done = ctl(postern, member(), "reload")
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
