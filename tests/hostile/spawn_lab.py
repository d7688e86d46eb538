"""The real spawn, with a false supervisor above it and a false queue beside.

The users exist in spawn's own mount namespace only, where a folder of the test
lies over /etc. (Over /etc/passwd it would not last: a mount goes when somebody
replaces the file below it.)
"""
import contextlib
import os
import pathlib
import shutil
import socket
import tempfile

import records
from program import FULL_SEALS, Program, memfd, wait_for

CONFIG = """
hostname "mail.example.org"
listen on 127.0.0.1 port 25
mailbox "people" users system deliver maildir "~/Maildir"
{more}
accept to domain "example.org" mailbox "people"
"""
DEEP = """
mailbox "deep" users system deliver maildir "~/mail/in/box"
accept to domain "deep.example.org" mailbox "deep"
"""

MAIL = b"Received: by test\r\nSubject: hello\r\n\r\nA line.\r\n.\r\n"
ALICE, BOB, SYSTEM, VARIED = 61001, 61002, 61005, 61006
OVERLAY = 'mount --bind "$0" /etc && exec "$@"'


class Homes:
    """Accounts and the homes of those in them; removed by `with`."""

    def __init__(self):
        # Not pytest's own folder, which only root may enter.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-spawn-"))
        self.folder.chmod(0o755)
        self.etc = self.folder / "etc"
        self.etc.mkdir()
        for name in "group", "ld.so.cache", "localtime", "nsswitch.conf":
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(f"/etc/{name}", self.etc)
        self.varied = pathlib.Path("/var", self.folder.name)
        own = [line for line in open("/etc/passwd")
               if line.startswith(("root:", "postern-", "nobody:"))]
        (self.etc / "passwd").write_text("".join(own) + "".join(
            f"{name}:x:{uid}:{gid}::{self.folder / name}:/bin/sh\n"
            for name, uid, gid in [
                ("alice", ALICE, ALICE), ("bob", BOB, BOB), ("toor", 0, 100),
                ("wheel", 61003, 0), ("gone", 61004, 61004)]) +
            f"system:x:{SYSTEM}:{SYSTEM}::/usr/sbin:/bin/sh\n"
            f"varied:x:{VARIED}:{VARIED}::{self.varied}:/bin/sh\n")
        for name, uid in ("alice", ALICE), ("bob", BOB):
            (self.folder / name).mkdir(mode=0o700)
            os.chown(self.folder / name, uid, uid)

    def mails(self, user="alice", below="Maildir/new"):
        return sorted((self.folder / user / below).glob("[!.]*"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)


class Spawn(Program):
    def __init__(self, homes, more=""):
        super().__init__(
            homes.folder, "spawn", CONFIG.format(more=more),
            prefix=["unshare", "--mount", "--propagation=private", "sh", "-c",
                    OVERLAY, homes.etc])
        self.queue = self.add_peer("queue")
        self.start()

    def hire(self, user, handle=1, queue=None):
        """A Worker, or the REFUSED message."""
        queue = queue or self.queue
        records.send(queue, "HIRE", handle, user=user)
        answer = records.receive(queue, 10)
        assert answer is not None, self.read_log()
        assert answer.handle == handle
        return answer if answer.type == "REFUSED" else Worker(answer)

    def children(self):
        path = f"/proc/{self.pid}/task/{self.pid}/children"
        return [int(pid) for pid in pathlib.Path(path).read_text().split()]

    def stop(self):
        self.queue.close()
        super().stop()


class Worker:
    def __init__(self, message):
        assert message.type == "WORKER"
        self.pid = message["pid"]
        self.handle = message.handle
        self.sock = socket.socket(fileno=message.fd)
        self.next = 0

    def deliver(self, to=("alice@example.org",), content=MAIL,
                handle=None, seals=FULL_SEALS, **changes):
        """Sends one message; returns its handle."""
        if handle is None:
            self.next += 1
            handle = self.next
        fields = dict(id=0x1234567890ABCDEF, sender="sender@example.net",
                      kind=0, name="people", next_hop="", body=0,
                      size=len(content), recipients=len(to))
        fields.update(changes)
        fd = memfd(content, seals)
        records.send(self.sock, "DELIVER", handle, fd=fd, **fields)
        os.close(fd)
        for number, address in enumerate(to):
            records.send(self.sock, "DELIVER_TO", handle, number=number,
                         address=address, original=address)
        return handle

    def report(self, timeout=10):
        return records.receive(self.sock, timeout)

    def close(self):
        self.sock.close()

    def wait_gone(self):
        wait_for(lambda: not is_running(self.pid), what="the worker's end")


def status(pid):
    """The fields of /proc/PID/status; None if there is no such process."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return dict(line.split(":\t", 1) for line in text.splitlines()
                if ":\t" in line)


def is_running(pid):
    fields = status(pid)
    return fields is not None and not fields["State"].startswith("Z")
