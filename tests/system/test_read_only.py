"""The file system of the store can only be read: while postern runs, as the
kernel makes it after an error, and from the start.

452 or 451 for the clients, a loud line in the log, and nothing lost; when it
can be written again mail flows, without anybody having started postern anew.
"""
import os
import pathlib
import re
import signal

import pytest

from lab import SBIN, Postern, run, wait_for
from test_disk_errors import refusal, tokens_of
from test_faults import Load

SERVER = "192.0.2.60"
# The journal's end may be noticed first.
READ_ONLY = re.compile(
    'store.* error="?(Read-only file system|Input/output e)')
SIZE = 96 * 1024 * 1024


class Disk:
    """An ext4 that becomes read-only when the kernel finds an error in it."""

    def __init__(self, folder):
        self.image, self.mount_point = folder / "ro.img", folder / "ro"
        self.mount_point.mkdir(exist_ok=True)
        with self.image.open("wb") as file:
            file.truncate(SIZE)
        self.device = run("losetup", "--find", "--show",
                          self.image).stdout.strip()
        self.postern = None
        run("mkfs.ext4", "-q", "-m", "0", self.device)
        self.mount()

    def mount(self):
        self.run("mount", "-o", "errors=remount-ro", self.device,
                 self.mount_point)

    def remount(self, option):
        self.run("mount", "-o", f"remount,{option}", self.mount_point)

    def run(self, *command):
        """Here, and where postern is: it has mounts of its own."""
        run(*command)
        if self.postern and self.postern.process.poll() is None:
            self.run_there(*command)

    def run_there(self, *command, check=True):
        return run("nsenter", f"--target={self.postern.process.pid}",
                   "--mount", *command, check=check)

    def find_error(self):
        name = os.path.basename(self.device)
        pathlib.Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("1")
        with pytest.raises(OSError):
            (self.mount_point / "probe").touch()

    def repair(self):
        """Whoever has files open in it has to let go."""
        unmount = ["umount", self.mount_point]
        wait_for("the end of its use", lambda: self.run_there(
            *unmount, check=False).returncode == 0)
        run(*unmount)
        assert run("e2fsck", "-fy", self.device,
                   check=False).returncode in (0, 1)
        self.mount()

    def close(self):
        run("umount", self.mount_point, check=False)
        run("losetup", "--detach", self.device, check=False)
        self.image.unlink()


@pytest.fixture
def disk(lab):
    disk = Disk(lab.dir)
    yield disk
    disk.close()


@pytest.fixture
def postern(lab, config, disk):
    """On that disk; no message waits for long."""
    lab.empty_mailboxes()
    postern = Postern(lab.hosts["second"], config, name="readonly")
    postern.stop()
    postern.spool = disk.mount_point / "spool"
    postern.write_config(config + "\nretry from 1s to 2s for 5d\n"
                         "limit connections per address 1000\n")
    postern.start()
    disk.postern = postern
    yield postern
    postern.close()


def is_clean(postern):
    done = run(SBIN / "postern-store", "-c", postern.config_file, "check",
               check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def start_load(client, seconds=20):
    load = Load(client, SERVER, ["alice@here.test", "nobody@other.test",
                                 "bob@here.test"], 4, pause=0.03)
    try:
        wait_for("mail to flow", lambda: len(load.promised) > 40, seconds)
    except BaseException:
        load.stop()
        raise
    return load


def test_it_becomes_read_only(lab, client, disk, postern):
    load = start_load(client)
    try:
        disk.find_error()
        code, text = refusal(client)
        assert code in (451, 452)
        wait_for("a loud line", lambda: READ_ONLY.search(postern.log()))
        if code == 452:
            assert text.startswith("4.3.1")
            # What can be read is still shown.
            assert postern.ctl("queue").returncode == 0
        promised = len(load.promised)
        # Only the queue has files there; the administrator ends it, and it
        # does not keep him from his work by coming back.
        for pid in postern.pids("queue"):
            os.kill(pid, signal.SIGKILL)
        disk.repair()
        wait_for("mail to flow again",
                 lambda: len(load.promised) > promised + 40, 60)
    finally:
        load.stop()
    assert load.promised <= tokens_of(lab, postern)
    is_clean(postern)


def test_it_is_read_only_at_the_start(lab, client, disk, postern):
    load = start_load(client)
    load.stop()
    postern.stop()
    disk.remount("ro")
    before = len(postern.log())
    postern.start_unready()
    wait_for("its port", lambda: client.answers(SERVER, 25))
    code, _ = refusal(client)
    assert code == 451
    wait_for("a loud line", lambda: "store: Read-only file system" in
             postern.log()[before:])
    assert postern.process.poll() is None
    disk.remount("rw")
    again = start_load(client, 60)
    again.stop()
    assert load.promised | again.promised <= tokens_of(lab, postern)
    is_clean(postern)
