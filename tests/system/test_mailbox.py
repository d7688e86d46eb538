"""Mailboxes that their owners have made a trap, by accident or to gain by it.

Whatever a mailbox has become, the message for it waits and is listed with the
reason, everybody else's mail arrives, and once the owner has mended it the
message arrives too.
"""
import contextlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from lab import wait_for

BOB, CAROL = 64101, 64102


@pytest.fixture
def maildir(lab, postern):
    """Bob's, which is there and his; and a well one after the test."""
    lab.empty_mailboxes()
    place = lab.homes / "bob/Maildir"
    make_well(place)
    yield place
    make_well(place)
    postern.ctl("retry", "to", "bob@here.test", check=False)


def make_well(place):
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        place.unlink()
    shutil.rmtree(place, ignore_errors=True)
    for part in (place, place / "tmp", place / "new", place / "cur"):
        part.mkdir(mode=0o700)
        os.chown(part, BOB, BOB)


def replace(path, make):
    shutil.rmtree(path)
    make(path)
    os.chown(path, BOB, BOB, follow_symlinks=False)


def send(lab, postern, *users, subject="trap"):
    """One message for each; returns their ids."""
    ids = []
    with lab.hosts["stranger"].smtp(postern.host.ip4) as client:
        for user in users:
            client.ehlo()
            assert client.mail("x@stranger.test")[0] == 250
            assert client.rcpt(f"{user}@here.test")[0] == 250
            code, text = client.data(f"Subject: {subject}\r\n\r\nhello\r\n")
            assert code == 250
            ids.append(re.search(rb"[0-9A-Za-z]{8,}$", text).group().decode())
    return ids


TRAPS = {
    "a file": lambda m: replace(m, pathlib.Path.touch),
    "a fifo": lambda m: replace(m, os.mkfifo),
    "a link to /etc": lambda m: replace(m, lambda p: p.symlink_to("/etc")),
    "a link to itself": lambda m: replace(m, lambda p: p.symlink_to(p)),
    "new is a file": lambda m: replace(m / "new", pathlib.Path.touch),
    "new is a fifo": lambda m: replace(m / "new", os.mkfifo),
    "new is a link to /etc":
        lambda m: replace(m / "new", lambda p: p.symlink_to("/etc")),
    "tmp is a link to cur":
        lambda m: replace(m / "tmp", lambda p: p.symlink_to("cur")),
    "nobody may enter": lambda m: m.chmod(0),
    "nobody may write to tmp": lambda m: (m / "tmp").chmod(0o500),
    "nobody may write to new": lambda m: (m / "new").chmod(0o500),
    "new is somebody else's": lambda m: os.chown(m / "new", CAROL, CAROL),
    "anybody may write to new": lambda m: (m / "new").chmod(0o777),
    "the home has gone":
        lambda m: m.parent.rename(m.parent.with_name("bob-away")),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_trap(lab, postern, maildir, trap):
    etc = sorted(os.listdir("/etc"))
    TRAPS[trap](maildir)
    bobs, alices = send(lab, postern, "bob", "alice")

    wait_for("alice's mail", lambda: lab.mail_of("alice"))
    reason = wait_for("the reason", lambda: deferral(postern, bobs))
    assert "mailbox" in reason.lower()
    assert sorted(os.listdir("/etc")) == etc

    if maildir.parent.with_name("bob-away").exists():
        maildir.parent.with_name("bob-away").rename(maildir.parent)
    make_well(maildir)
    postern.ctl("retry", bobs)
    wait_for("bob's mail", lambda: len(lab.mail_of("bob")) == 1)


def deferral(postern, message):
    """The reply of the delivery that was put off, once there is one."""
    text = postern.ctl("why", message, check=False).stdout
    found = re.search(r"4\.\d+\.\d+ .*", text)
    return found and found.group()


def test_new_with_very_many_messages(lab, postern, maildir):
    for i in range(20000):
        (maildir / f"new/{i}.x").touch()
    send(lab, postern, "bob")
    wait_for("bob's mail", lambda: len(os.listdir(maildir / "new")) == 20001)


SWAP = """
import os, sys
os.chdir(sys.argv[1])
while True:
    os.rename("new", "aside"); os.symlink("cur", "new")
    os.unlink("new"); os.rename("aside", "new")
"""
MANY = 40


def test_nothing_is_lost_while_new_comes_and_goes(lab, postern, maildir):
    racer = subprocess.Popen(
        ["/usr/bin/setpriv", "--reuid", str(BOB), "--regid", str(BOB),
         "--clear-groups", "/usr/bin/python3", "-c", SWAP, maildir])
    try:
        ids = send(lab, postern, *["bob"] * MANY)
        for _ in range(20):
            postern.ctl("retry", *ids, check=False)
    finally:
        racer.kill()
        racer.wait()

    def found():
        return [name for part in ("new", "aside")
                if (maildir / part).is_dir() and
                not (maildir / part).is_symlink()
                for name in os.listdir(maildir / part)]

    # Postern makes a new that is not there, so there may be two at the end.
    if (maildir / "new").is_symlink():
        (maildir / "new").unlink()
    for _ in range(10):
        postern.ctl("retry", *ids, check=False)
        with contextlib.suppress(AssertionError):
            wait_for("every message", lambda: len(found()) >= MANY, 2)
            break
    assert len(found()) == MANY
    assert os.listdir(maildir / "cur") == []
