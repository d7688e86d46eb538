"""The real queue between a false router and false agents."""
import hashlib
import os
import pwd
import socket

import records
from program import Program, memfd, wait_for

CONFIG = """
hostname "mail.example.org"
spool "{spool}"
run "{run}"
listen on 127.0.0.1 port 25
mailbox "people" users system deliver maildir "~/Maildir"
relay "sink" via "127.0.0.9"
accept to domain "example.org" mailbox "people"
accept from local relay "sink"
{more}
"""

RELAY = 1  # enum route_kind


class Queue(Program):
    def __init__(self, folder, more="", env=None, store=None):
        spool, run = folder / "spool", folder / "run"
        for path in (folder, spool, run, run / "empty", spool / "store"):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o755)
        user = pwd.getpwnam("postern-queue")
        if store is not None:
            (spool / "store/data.mdb").write_bytes(store)
            os.chown(spool / "store/data.mdb", user.pw_uid, user.pw_gid)
        os.chown(spool / "store", user.pw_uid, user.pw_gid)
        self.control_path, self.users_path = run / "control", run / "users"
        listeners = [self.listen(self.control_path, 0o660),
                     self.listen(self.users_path, 0o666)]
        super().__init__(folder, "queue", CONFIG.format(
            spool=spool, run=run, more=more), listeners, env)
        for listener in listeners:
            listener.close()
        self.router = self.add_peer("router")
        self.start()

    @staticmethod
    def listen(path, mode):
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(str(path))
        path.chmod(mode)
        listener.listen(16)
        listener.setblocking(False)
        return listener

    def ask(self, type_, **fields):
        """One question on the control socket, and all its answers."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
            sock.connect(str(self.control_path))
            records.send(sock, type_, 1, **fields)
            answers = []
            while True:
                answer = records.receive(sock, 20)
                assert answer is not None, self.read_log()
                answers.append(answer)
                if answer.type == "CTL_END":
                    return answers

    def items(self):
        return [a for a in self.ask("CTL_LIST") if a.type == "CTL_ITEM"]

    def content(self, ident):
        for answer in self.ask("CTL_SHOW", id=ident):
            if answer.fd is not None:
                with os.fdopen(answer.fd, "rb") as file:
                    file.seek(0)
                    return file.read()
        return None


def envelope(link, handle, ident, content, recipients=1, **changes):
    """Sends a whole message; `recipients` of them, by the relay."""
    dsn = {name: changes.pop(name) for name in ("notify", "orcpt")
           if name in changes}
    fd = memfd(content, changes.pop("seals", 0xF))
    fields = dict(id=ident, sender="a@example.net", client_address="192.0.2.1",
                  helo="client.test", user="", protocol=1, body=0,
                  size=len(content), recipients=recipients)
    fields.update(changes)
    records.send(link, "ENVELOPE", handle, fd=fd, **fields)
    os.close(fd)
    for number in range(recipients):
        route(link, handle, number, **dsn)


def route(link, handle, number, **changes):
    fields = dict(number=number, address=f"r{number}@example.com",
                  original=f"r{number}@example.com", kind=RELAY, name="sink",
                  user="")
    fields.update(changes)
    records.send(link, "ROUTE", handle, **fields)


def digest(content):
    return hashlib.sha256(content).hexdigest()
