"""The real router between false smtpd workers and a false queue."""
import os
import pathlib
import shutil
import tempfile

import records
from program import Program, memfd

CONFIG = """
hostname "mail.example.org"
listen on 127.0.0.1 port 25
table "aliases" file "{aliases}"
mailbox "people" users system aliases "aliases" deliver maildir "/srv/mail"
mailbox "homes" users system deliver maildir "~/Maildir"
accept to domain "example.org" mailbox "people"
accept to domain "home.example.org" mailbox "homes"
accept from local relay
{more}
"""

# Users that every Debian has, with homes that are folders of the system.
ALIASES = "postmaster: daemon\nteam: daemon, bin\nodd: daemon, no/login\n"
MAIL = b"Received: by test\r\nSubject: hello\r\n\r\nA line.\r\n"


class Router(Program):
    def __init__(self, folder, more="", aliases=ALIASES):
        # postern-router is to read it. pytest's folders are private, and each
        # other pytest that starts meanwhile makes them so again.
        self.tables = pathlib.Path(tempfile.mkdtemp(prefix="postern-router-"))
        self.tables.chmod(0o755)
        self.aliases = self.tables / "aliases"
        self.aliases.write_text(aliases)
        self.aliases.chmod(0o644)
        super().__init__(folder, "router",
                         CONFIG.format(aliases=self.aliases, more=more))
        self.queue = self.add_peer("queue")
        self.resolver = self.add_peer("resolver")
        self.smtpd = self.add_peer("smtpd")
        self.start()

    def stop(self):
        super().stop()
        shutil.rmtree(self.tables, ignore_errors=True)

    def new_queue(self):
        self.queue.close()
        self.queue = self.add_peer("queue")
        return self.queue


def open_(link, handle=1, **changes):
    fields = dict(client_address="192.0.2.1", client_name="client.test",
                  helo="client.test", user="", sender="a@example.net",
                  protocol=1, body=0, declared_size=0, listener=0)
    fields.update(changes)
    records.send(link, "OPEN", handle, **fields)


def recipient(link, address="daemon@example.org", handle=1, number=0):
    """The VERDICT."""
    records.send(link, "RECIPIENT", handle, number=number, address=address)
    answer = records.receive(link)
    assert answer is not None, "the router has closed the link"
    assert (answer.type, answer.handle, answer["number"]) == \
        ("VERDICT", handle, number)
    return answer


def content(link, handle=1, data=MAIL, seals=0xF, **changes):
    fd = memfd(data, seals)
    fields = dict(size=len(data), hops=1)
    fields.update(changes)
    records.send(link, "CONTENT", handle, fd=fd, **fields)
    os.close(fd)


def envelope(queue):
    """An ENVELOPE, its ROUTEs and its content."""
    m = records.receive(queue)
    assert m is not None and m.type == "ENVELOPE", m
    routes = [records.receive(queue) for _ in range(m["recipients"])]
    assert all(r.type == "ROUTE" and r.handle == m.handle for r in routes)
    with os.fdopen(m.fd, "rb") as file:
        file.seek(0)
        return m, routes, file.read()


def stored(queue, m, code=250, reply="2.0.0 Ok", **changes):
    fields = dict(id=m["id"], code=code, reply=reply)
    fields.update(changes)
    records.send(queue, "STORED", changes.pop("handle", m.handle), **fields)


def whole_message(link, queue, handle=1, to="daemon@example.org", code=250):
    """From OPEN to OUTCOME; the ENVELOPE."""
    open_(link, handle)
    assert recipient(link, to, handle)["code"] == 250
    content(link, handle)
    m, _, data = envelope(queue)
    assert data == MAIL
    stored(queue, m, code, "2.0.0 Ok" if code == 250 else "4.3.1 Full")
    outcome = records.receive(link)
    assert (outcome.type, outcome.handle, outcome["code"]) == \
        ("OUTCOME", handle, code)
    return m
