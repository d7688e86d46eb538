"""The real spawn, with a false supervisor above it and a false queue beside."""
import contextlib
import fcntl
import os
import pathlib
import socket
import subprocess
import time

import records

BUILD = pathlib.Path(os.environ.get("POSTERN_BUILD", records.TOP / "build"))

CONFIG = """
hostname "mail.example.org"
listen on 127.0.0.1 port 25
mailbox "people" users system deliver maildir "~/Maildir"
mailbox "deep" users system deliver maildir "~/mail/in/box"
{more}
accept to domain "example.org" mailbox "people"
accept to domain "deep.example.org" mailbox "deep"
"""

MAIL = b"Received: by test\r\nSubject: hello\r\n\r\nA line.\r\n.\r\n"
FULL_SEALS = 0xF


def memfd(data, seals=FULL_SEALS):
    fd = os.memfd_create("content", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    if seals:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


class Spawn:
    """Stopped by `with`, or by stop()."""

    def __init__(self, folder, more=""):
        self.log = open(folder / "log", "w+")
        self.supervisor, child = pair()
        def wire():
            os.dup2(child.fileno(), 3)
            os.set_inheritable(3, True)

        self.process = subprocess.Popen(
            [BUILD / "spawn"], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, close_fds=False, preexec_fn=wire)
        child.close()
        self.pid = self.process.pid
        self.generation = 0
        records.send(self.supervisor, "LOG", fd=self.log.fileno(), form=0,
                     verbose=1)
        config = memfd(CONFIG.format(more=more).encode())
        records.send(self.supervisor, "CONFIG", fd=config, path="test.conf")
        os.close(config)
        self.queue = self.add_queue()
        records.send(self.supervisor, "START", instance=1, generation=1)
        ready = records.receive(self.supervisor)
        assert ready is not None and ready.type == "READY", self.read_log()

    def add_queue(self):
        ours, theirs = pair()
        self.generation += 1
        records.send(self.supervisor, "PEER", fd=theirs.fileno(),
                     program=records.PROGRAMS["queue"],
                     instance=self.generation, generation=1)
        theirs.close()
        return ours

    def read_log(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def hire(self, user, handle=1, queue=None):
        """A Worker, or the REFUSED message."""
        queue = queue or self.queue
        records.send(queue, "HIRE", handle, user=user)
        answer = records.receive(queue)
        assert answer is not None, self.read_log()
        assert answer.handle == handle
        if answer.type == "REFUSED":
            return answer
        assert answer.type == "WORKER"
        return Worker(answer)

    def children(self):
        with open(f"/proc/{self.pid}/task/{self.pid}/children") as f:
            return [int(pid) for pid in f.read().split()]

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def is_alive(self):
        return self.process.poll() is None

    def stop(self):
        self.supervisor.close()
        self.queue.close()
        self.process.wait(5)
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Worker:
    def __init__(self, message):
        self.pid = message["pid"]
        self.handle = message.handle
        self.sock = socket.socket(fileno=message.fd)
        self.next = 0

    def deliver(self, recipients, content=MAIL, mailbox="people",
                sender="sender@example.net", handle=None, **changes):
        """Sends one message; returns its handle."""
        if handle is None:
            self.next += 1
            handle = self.next
        fd = memfd(content, changes.pop("seals", FULL_SEALS))
        fields = dict(id=0x1234567890ABCDEF, sender=sender, kind=0,
                      name=mailbox, next_hop="", body=0, size=len(content),
                      recipients=len(recipients))
        fields.update(changes)
        records.send(self.sock, "DELIVER", handle, fd=fd, **fields)
        os.close(fd)
        for number, address in enumerate(recipients):
            records.send(self.sock, "DELIVER_TO", handle, number=number,
                         address=address, original=address)
        return handle

    def report(self, timeout=5):
        return records.receive(self.sock, timeout)

    def close(self):
        self.sock.close()

    def wait_gone(self, seconds=5):
        wait_for(lambda: not is_running(self.pid), seconds)


def pair():
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def is_running(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def wait_for(condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
