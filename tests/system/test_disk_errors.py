"""A disk that fails: its writes end with EIO, in the kernel as in the wild.

The store is on a real ext4 on a loop device, which lies on a second loop
device that can be made read-only while it is in use: then each write below
the file system fails, and each read is well.
"""
import os
import shutil
import smtplib
import time

import pytest

from lab import Postern, run, wait_for
from test_faults import Load, tokens_in

SERVER = "192.0.2.60"
NO_JOURNAL = ["-O", "^has_journal"]
SIZE = 96 * 1024 * 1024
FAILED = 'store-write-failed operations='
UNREADABLE = 'store-unreadable error='


def loop_device(path):
    return run("losetup", "--find", "--show", path).stdout.strip()


class FailingDisk:
    """One file system; `fail()` until `heal()`."""

    def __init__(self, folder, options):
        self.image, self.mount_point = folder / "failing.img", folder / "failing"
        self.mount_point.mkdir(exist_ok=True)
        with self.image.open("wb") as file:
            file.truncate(SIZE)
        self.devices = [loop_device(self.image)]
        self.devices.append(loop_device(self.devices[0]))
        run("mkfs.ext4", "-q", "-m", "0", *options, self.devices[1])
        self.mount()

    def mount(self):
        run("mount", self.devices[1], self.mount_point)
        self.mount_point.chmod(0o755)

    def repair(self):
        """What an administrator does, who knows the disk is well again."""
        run("umount", self.mount_point)
        assert run("e2fsck", "-fy", self.devices[1],
                   check=False).returncode in (0, 1)
        self.mount()

    def fail(self):
        run("blockdev", "--setro", self.devices[0])

    def heal(self):
        run("blockdev", "--setrw", self.devices[0])

    def after_power_loss(self, image):
        """Only what was synced down to the lower disk is in the copy."""
        shutil.copy(self.image, image)
        device = loop_device(image)
        run("umount", self.mount_point)
        for old in reversed(self.devices):
            run("losetup", "--detach", old)
        self.image.unlink()
        self.image, self.devices = image, [None, device]
        assert run("e2fsck", "-fy", device, check=False).returncode in (0, 1)
        self.mount()

    def close(self):
        run("umount", self.mount_point, check=False)
        for device in reversed(self.devices):
            if device:
                run("blockdev", "--setrw", device, check=False)
                run("losetup", "--detach", device, check=False)
        self.image.unlink()

    def lie_in_memory(self, path):
        """A write that fails: the kernel's memory keeps it, as if it were on
        the disk, and a second sync says that all is well."""
        self.fail()
        with path.open("r+b", buffering=0) as file:
            file.write(b"\xff" * 8192)
            with pytest.raises(OSError):
                os.fsync(file.fileno())
            self.heal()
            os.fsync(file.fileno())
        assert path.read_bytes()[:8192] == b"\xff" * 8192


@pytest.fixture(params=["no journal", "journal"])
def disk(lab, request):
    """Without a journal a file system goes on after the fault; with one it
    stays read-only until it is mounted anew."""
    disk = FailingDisk(lab.dir, NO_JOURNAL if request.param == "no journal"
                       else [])
    disk.stays_broken = request.param == "journal"
    yield disk
    disk.close()


def refusal(host):
    """The first 4xx to a message, with its text."""
    def look():
        try:
            with host.smtp(SERVER) as smtp:
                smtp.sendmail("a@here.test", ["nobody@other.test"],
                              "Subject: probe\n\nx\n")
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            return error.smtp_code, error.smtp_error.decode()
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            return code, text.decode()
        return None
    return wait_for("a refusal", look)


def tokens_of(lab, postern):
    texts = [*lab.mail_of("alice").values(), *lab.mail_of("bob").values()]
    for ident in {row["id"] for row in postern.ctl_json("queue")}:
        # What is delivered in between has gone, into a mailbox.
        texts.append(postern.ctl("show", ident, check=False).stdout)
    texts += [*lab.mail_of("alice").values(), *lab.mail_of("bob").values()]
    return set(tokens_in(texts))


def test_writes_fail(lab, config, client, disk):
    lab.empty_mailboxes()
    postern = Postern(lab.hosts["second"], config, name="eio")
    postern.stop()
    postern.spool = disk.mount_point / "spool"
    postern.write_config(config + "\nretry from 1s to 2s for 5d\n"
                         "limit connections per address 1000\n")
    postern.start()
    load = Load(client, SERVER, ["alice@here.test", "nobody@other.test",
                                 "bob@here.test"], 4, pause=0.03)
    try:
        wait_for("mail to flow", lambda: len(load.promised) > 40)
        disk.fail()
        code, text = refusal(client)
        if code == 451:
            # The root page could not be written: the queue has ended, and
            # does not come back before its disk does.
            wait_for("its end",
                     lambda: "death program=queue" in postern.log())
            assert UNREADABLE in postern.log() or FAILED in postern.log()
        else:
            assert (code, text[:5]) == (452, "4.3.1")
            assert FAILED in postern.log()
            assert 'error="Input/output error"' in postern.log()
        promised = len(load.promised)
        time.sleep(1.5)
        assert len(load.promised) == promised
        disk.heal()
        if disk.stays_broken:
            postern.stop()
            disk.repair()
            postern.start()
        wait_for("mail to flow again",
                 lambda: len(load.promised) > promised + 40)
        load.stop()
        before = set(load.promised)
        assert before <= tokens_of(lab, postern)
        # And it is on the disk, not only in the kernel's memory.
        postern.kill_all()
        disk.after_power_loss(lab.dir / "after.img")
        postern.start()
        assert before <= tokens_of(lab, postern)
        assert any(load.promised)
    finally:
        load.stop()
        postern.close()


@pytest.fixture
def plain_disk(lab):
    disk = FailingDisk(lab.dir, NO_JOURNAL)
    yield disk
    disk.close()


def test_the_disk_is_believed_not_the_memory(lab, config, client, plain_disk):
    postern = Postern(lab.hosts["second"], config, name="lie")
    postern.stop()
    postern.spool = plain_disk.mount_point / "spool"
    postern.write_config(config)
    postern.start()
    try:
        with client.smtp(SERVER) as smtp:
            smtp.sendmail("a@here.test", ["nobody@other.test"], "S: x\n\n1\n")
        postern.stop()
        plain_disk.lie_in_memory(postern.spool / "store/data.mdb")
        postern.start()
        assert len(postern.ctl_json("queue")) == 1
    finally:
        postern.close()
