"""A full disk and a full store: 452, deliveries go on, nothing is lost."""
import os
import smtplib
import uuid

import pytest

from lab import Postern, run, wait_for
from test_receive import arrived

SERVER = "192.0.2.60"


@pytest.fixture
def small_disk(lab):
    """A real file system of 96 MiB, on a loop device."""
    image, mount = lab.dir / "disk.img", lab.dir / "small"
    mount.mkdir(exist_ok=True)
    with image.open("wb") as file:
        file.truncate(96 * 1024 * 1024)
    run("mkfs.ext4", "-q", "-m", "0", image)
    run("mount", "-o", "loop", image, mount)
    mount.chmod(0o755)
    yield mount
    run("umount", mount)
    image.unlink()


def fill_with_mail(host, size, most, recipient="nobody@other.test"):
    """Sends until the server says 4xx; returns what it had promised."""
    promised = []
    with host.smtp(SERVER) as smtp:
        for _ in range(most):
            token = uuid.uuid4().hex
            try:
                smtp.sendmail("a@here.test", [recipient],
                              f"Subject: x\n\nbody {token}\n" +
                              ("x" * 76 + "\n") * (size // 77))
            except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError,
                    smtplib.SMTPRecipientsRefused) as error:
                code = error.smtp_code if hasattr(error, "smtp_code") else \
                    next(iter(error.recipients.values()))[0]
                return promised, code, str(error)
            promised.append(token)
    raise AssertionError("the store never filled up")


def check_lives_on(lab, postern, host, promised):
    """All that was promised is there, and making room helps."""
    rows = postern.ctl_json("queue")
    assert len(rows) == len(promised)
    subject = postern.ctl("show", rows[0]["id"]).stdout
    assert any(f"body {token}" in subject for token in promised)
    postern.ctl("remove", "--all")
    token = uuid.uuid4().hex

    def taken():
        try:
            with host.smtp(SERVER) as smtp:
                smtp.sendmail("e@else.test", ["alice@here.test"],
                              f"Subject: x\n\nbody {token}\n")
            return True
        except smtplib.SMTPException:
            return False
    wait_for("mail to be taken again", taken)
    wait_for("its delivery", lambda: arrived(lab, "alice", token))


def test_full_disk(lab, config, client, small_disk):
    postern = Postern(lab.hosts["second"], config, name="full")
    postern.stop()
    postern.spool = small_disk / "spool"
    postern.write_config(config)
    postern.start()
    try:
        promised, code, text = fill_with_mail(client, 1_000_000, 200)
        assert code == 452 and "4.3.1" in text
        assert promised
        check_lives_on(lab, postern, client, promised)
    finally:
        postern.close()


def test_full_disk_by_others(lab, config, client, small_disk):
    """Somebody else fills the disk to the last block, in one go."""
    postern = Postern(lab.hosts["second"], config, name="filled")
    postern.stop()
    postern.spool = small_disk / "spool"
    postern.write_config(config)
    postern.start()
    ballast = small_disk / "ballast"
    try:
        with client.smtp(SERVER) as smtp:
            smtp.sendmail("a@here.test", ["nobody@other.test"], "S: x\n\n1\n")
        with ballast.open("wb") as file:
            try:
                while True:
                    file.write(b"\1" * 65536)
                    file.flush()
            except OSError:
                pass
        promised, code, text = fill_with_mail(client, 4000, 2000)
        assert code == 452 and "4.3.1" in text
        os.unlink(ballast)
        postern.ctl("remove", "--all")
        wait_for("an empty queue", lambda: not postern.ctl_json("queue"))
    finally:
        postern.close()


def test_full_store(lab, config, client):
    postern = Postern(lab.hosts["second"], config +
                      "\nlimit store size 32M\n", name="mapfull")
    try:
        promised, code, text = fill_with_mail(client, 500_000, 200)
        assert code == 452 and "4.3.1" in text
        check_lives_on(lab, postern, client, promised)
    finally:
        postern.close()


@pytest.fixture
def small_home(lab):
    """Dave's home, a file system of its own, of half a megabyte."""
    home = lab.homes / "dave"
    uid = home.stat().st_uid
    run("mount", "-t", "tmpfs", "-o",
        f"size=512k,mode=700,uid={uid},gid={uid}", "none", home)
    yield home
    run("umount", "--lazy", home)


def files_in(maildir):
    return [name for part in ("tmp", "new", "cur")
            for name in os.listdir(maildir / part)]


def test_full_mailbox(lab, config, client, small_home):
    """What has no room in the mailbox waits, says why, and leaves nothing
    there; everybody else's mail arrives; with room, it arrives whole."""
    postern = Postern(lab.hosts["second"], config, name="fullbox")
    ballast = small_home / "ballast"
    body = "".join(f"{n:06} {'y' * 60}\n" for n in range(2000))
    try:
        with client.smtp(SERVER) as smtp:
            smtp.sendmail("a@here.test", ["dave@here.test"], "S: x\n\n1\n")
        maildir = small_home / "Maildir"
        wait_for("the first", lambda: len(lab.mail_of("dave")) == 1)
        with ballast.open("wb") as file:
            file.write(b"\1" * (512 * 1024 - 3 * 16 * 1024))
        token = uuid.uuid4().hex
        with client.smtp(SERVER) as smtp:
            smtp.sendmail("a@here.test", ["dave@here.test", "alice@here.test"],
                          f"Subject: x\n\nbody {token}\n{body}")
        wait_for("alice's copy", lambda: arrived(lab, "alice", token))
        row = wait_for("an attempt for dave", lambda: next(
            (r for r in postern.ctl_json("queue")
             if r["reply"] and not r["in_flight"]), None))
        assert row["state"] == "waiting"
        assert row["reply"].startswith("4.3.1 Cannot ")
        assert "No space left on device" in row["reply"]
        assert row["reply"] in postern.ctl("why", row["id"]).stdout
        assert len(files_in(maildir)) == 1

        ballast.unlink()
        postern.ctl("retry", row["id"])
        wait_for("dave's copy", lambda: arrived(lab, "dave", token))
        assert arrived(lab, "dave", token)[0].endswith(body)
        assert len(files_in(maildir)) == 2
        wait_for("an empty queue", lambda: not postern.ctl_json("queue"))
    finally:
        postern.close()
