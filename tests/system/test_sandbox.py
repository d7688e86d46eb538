"""Each running program, asked from inside what it can do."""
import errno
import os
import pathlib
import pwd
import re
import signal
import socket
import uuid

import pytest

from lab import run, wait_for
from test_receive import send, wait_for_mail

INJECT = pathlib.Path(os.environ.get("POSTERN_BUILD", "build")) / \
    "tools/inject"
EMPTY_ROOT = ["smtpd", "resolver", "remote"]
USERS = {"smtpd": "postern-smtpd", "router": "postern-router",
         "queue": "postern-queue", "resolver": "postern-resolver",
         "remote": "postern-remote", "spawn": "root"}


@pytest.fixture(scope="module")
def worker(lab, postern):
    """The pid of alice's delivery worker, while it is idle."""
    token, _ = send(lab.hosts["stranger"], "e@else.test", ["alice@here.test"])
    wait_for_mail(lab, "alice", token)
    spawn = postern.pids("spawn")[0]
    children = pathlib.Path(f"/proc/{spawn}/task/{spawn}/children")
    return int(wait_for("a worker", children.read_text).split()[0])


@pytest.fixture
def pid(request, postern):
    if request.param == "local":
        return request.getfixturevalue("worker")
    return postern.pids(request.param)[0]


def status(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(re.findall(r"^(\w+):[ \t]*(.*)$", text, re.M))


def attempt(pid, *call):
    return int(run(INJECT, pid, *call).stdout)


every = pytest.mark.parametrize("pid", [*USERS, "local"], indirect=True)


@pytest.mark.parametrize("program", USERS)
def test_user(postern, program):
    uid = pwd.getpwnam(USERS[program]).pw_uid
    for pid in postern.pids(program):
        state = status(pid)
        assert state["Uid"].split() == [str(uid)] * 4
        if program != "spawn":
            assert state["Groups"].split() in ([], [state["Gid"].split()[0]])


def test_worker_is_the_recipient(lab, worker):
    state = status(worker)
    assert state["Uid"].split() == [str(lab.FIRST_UID)] * 4
    assert state["Gid"].split() == [str(lab.FIRST_UID)] * 4


@every
def test_cage(pid):
    state = status(pid)
    assert state["Seccomp"] == "2"
    assert state["NoNewPrivs"] == "1"


@pytest.mark.parametrize("pid, capabilities", [
    *((p, 0) for p in [*USERS, "local"] if p != "spawn"),
    ("spawn", 1 << 5 | 1 << 6 | 1 << 7)], indirect=["pid"])
def test_capabilities(pid, capabilities):
    state = status(pid)
    for kind in ("CapPrm", "CapEff"):
        assert int(state[kind], 16) == capabilities
    for kind in ("CapInh", "CapAmb"):
        assert int(state[kind], 16) == 0


@pytest.mark.parametrize("pid", EMPTY_ROOT, indirect=True)
def test_root_is_empty(pid):
    assert os.listdir(f"/proc/{pid}/root/") == []


@pytest.mark.parametrize("pid", [p for p in [*USERS, "local"]
                                 if p != "spawn"], indirect=True)
def test_no_shadow(pid):
    """Nobody reads the password hashes. (spawn is root, and /etc, where the
    accounts are, is open to it for reading.)"""
    result = attempt(pid, "open", "/etc/shadow")
    assert result in (-errno.EACCES, -errno.ENOENT, -errno.EPERM)


@pytest.mark.parametrize("pid", [*EMPTY_ROOT, "queue", "local"],
                         indirect=True)
def test_no_passwd(pid):
    result = attempt(pid, "open", "/etc/passwd")
    assert result in (-errno.EACCES, -errno.ENOENT, -errno.EPERM)


@pytest.mark.parametrize("path", [
    "/root", "/usr", "/run", "/dev/null", "/opt", "/var", "/var/lib",
    "/var/spool", "/var/cache", "/var/log", "/var/run", "/var/tmp"])
def test_spawn_reaches_no_system_folder(postern, path):
    pid = postern.pids("spawn")[0]
    assert attempt(pid, "open", path) == -errno.EACCES


@pytest.mark.parametrize("path", ["/etc/passwd", "/var/lib/dpkg/status"])
def test_spawn_cannot_change_the_system(postern, path):
    pid = postern.pids("spawn")[0]
    assert attempt(pid, "append", path) == -errno.EACCES


@pytest.mark.parametrize("pid", [p for p in [*USERS, "local"]
                                 if p not in ("resolver", "remote")],
                         indirect=True)
def test_no_socket(pid):
    assert attempt(pid, "socket", socket.AF_INET, socket.SOCK_STREAM) == \
        -errno.EPERM


@every
def test_no_unix_socket(pid):
    assert attempt(pid, "socket", socket.AF_UNIX, socket.SOCK_STREAM) == \
        -errno.EPERM


@every
def test_no_exec(pid):
    assert attempt(pid, "exec", "/bin/true") == -errno.EPERM


@every
def test_no_ptrace(pid):
    assert attempt(pid, "ptrace", 1) == -errno.EPERM


@pytest.mark.parametrize("pid", [p for p in [*USERS, "local"]
                                 if p != "spawn"], indirect=True)
def test_no_way_back_to_root(pid):
    assert attempt(pid, "setuid", 0) == -errno.EPERM


@pytest.fixture
def linked_kernel(lab):
    """A link in / to a file of a system folder, like /vmlinuz; spawn looks at
    what is in / when it starts."""
    link = pathlib.Path(f"/postern-test-{os.getpid()}")
    kernel = pathlib.Path(f"/root/postern-test-{os.getpid()}")
    kernel.write_text("boot\n")
    link.symlink_to(kernel)
    yield link
    link.unlink()
    kernel.unlink()


def test_spawn_cannot_change_what_a_link_in_the_root_leads_to(
        postern, linked_kernel):
    old = postern.pids("spawn")[0]
    os.kill(old, signal.SIGKILL)
    pid = wait_for("a new spawn", lambda: [
        p for p in postern.pids("spawn")
        if p != old and status(p).get("Seccomp") == "2"])[0]
    assert attempt(pid, "append", linked_kernel) == -errno.EACCES


def test_all_still_work(lab, postern):
    token, _ = send(lab.hosts["stranger"], "e@else.test", ["alice@here.test"])
    wait_for_mail(lab, "alice", token)
