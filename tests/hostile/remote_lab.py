"""The real remote, with a false queue, a false resolver, and mail hosts that
do as a test tells them."""
import contextlib
import ctypes
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import threading

import records
from program import Program, memfd, wait_for

DELIVERED, DEFERRED, FAILED = 0, 1, 2
RECIPIENT, MESSAGE, DESTINATION = 0, 1, 2
RELAY, MX = 1, 2
KINDS = {"MX": 0, "A": 1, "AAAA": 2}
FOUND, NO_DATA, NO_NAME, SERVFAIL = 0, 1, 2, 3

HOSTNAME = "mail.example.org"
RELAY_PORT = 2601
MAIL = b"Subject: hello\r\n\r\nA line.\r\n.\r\n..\r\n.end\r\n"

CONFIG = f"""
hostname "{HOSTNAME}"
run "%s/run"
listen on 192.0.2.99 port 25
relay "one" via "192.0.2.1" port {RELAY_PORT}
relay "named" via "mx.abroad.test" port {RELAY_PORT}
mailbox "people" users system deliver maildir "~/Maildir"
accept to domain "example.org" mailbox "people"
accept from local relay
"""


@contextlib.contextmanager
def network_of_its_own():
    """Where all of 192.0.2.0/24 and 2001:db8::/120 is this host: what MX
    records name may not be a loopback address. New threads and programs are in
    it too."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as home:
        if libc.unshare(0x40000000) == -1:  # CLONE_NEWNET
            raise OSError(ctypes.get_errno(), "unshare")
        try:
            for command in ("ip link set lo up",
                            "ip addr add 192.0.2.254/24 dev lo",
                            "ip -6 route add local 2001:db8::/120 dev lo"):
                subprocess.run(command.split(), check=True)
            yield
        finally:
            libc.setns(home.fileno(), 0x40000000)


class Host:
    """A mail host. `replies` says what it answers to a verb (GREETING and DOT
    are verbs too): a text; a list, taken one by one, the last one for good; or
    None to close. What it was told is in `sessions`, the messages that it took
    in `messages`."""

    GOOD = {"GREETING": "220 mx.test ESMTP", "EHLO": "250-mx.test\r\n"
            "250-PIPELINING\r\n250-SIZE 100000000\r\n250 8BITMIME",
            "HELO": "250 mx.test", "MAIL": "250 2.1.0 ok",
            "RCPT": "250 2.1.5 ok", "DATA": "354 go",
            "DOT": "250 2.0.0 taken", "RSET": "250 2.0.0 ok",
            "QUIT": "221 2.0.0 bye"}

    def __init__(self, address="192.0.2.1", port=RELAY_PORT, replies=None,
                 handler=None):
        self.replies = {k: list(v) if isinstance(v, list) else [v]
                        for k, v in {**self.GOOD, **(replies or {})}.items()}
        self.handler = handler or Host.serve
        self.sessions, self.messages, self.open = [], [], []
        self.socket = socket.create_server(
            (address, port), backlog=1024, family=socket.AF_INET6
            if ":" in address else socket.AF_INET)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            session = []
            self.sessions.append(session)
            self.open.append(peer)
            threading.Thread(target=self.run, args=(peer, session),
                             daemon=True).start()

    def run(self, peer, session):
        try:
            self.handler(self, peer, session)
        except OSError:
            pass
        finally:
            if peer in self.open:
                self.open.remove(peer)
            peer.close()

    def answer(self, peer, verb):
        """False if the connection is to be closed."""
        replies = self.replies[verb]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if callable(reply):
            reply = reply()
        if reply is None:
            return False
        peer.sendall(reply if isinstance(reply, bytes)
                     else reply.encode() + b"\r\n")
        return reply[:3] != "421"

    def serve(self, peer, session):
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self.answer(peer, "GREETING"):
            return
        file = peer.makefile("rb")
        while line := file.readline():
            text = line.rstrip(b"\r\n").decode(errors="replace")
            session.append(text)
            verb = text.split(":")[0].split(" ")[0].upper()
            if verb == "DATA" and self.replies["DATA"][0][:3] == "354":
                if not self.answer(peer, "DATA"):
                    return
                if not self.take(peer, file):
                    return
                continue
            if verb not in self.replies or not self.answer(peer, verb):
                return
            if verb == "QUIT":
                return

    def take(self, peer, file):
        lines = []
        while True:
            line = file.readline()
            if not line:
                return False
            if line == b".\r\n":
                break
            lines.append(line[1:] if line[:1] == b"." else line)
        self.messages.append(b"".join(lines))
        return self.answer(peer, "DOT")

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for peer in list(self.open):
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def encode_records(kind, data):
    out = b""
    for item in data:
        if kind == "MX":
            preference, name = item
            out += struct.pack("<HH", preference, len(name)) + \
                name.encode() + b"\0"
        else:
            family = socket.AF_INET if kind == "A" else socket.AF_INET6
            raw = socket.inet_pton(family, item)
            out += struct.pack("<H", len(raw)) + raw
    return out


class Resolver:
    """Answers from a dictionary of (kind, name): list, or an outcome."""

    def __init__(self, link, facts):
        self.link, self.facts, self.asked = link, facts, []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        names = {v: k for k, v in KINDS.items()}
        while True:
            try:
                m = records.receive(self.link, None)
            except OSError:
                return
            if m is None:
                return
            kind = names[m["kind"]]
            self.asked.append((kind, m["name"]))
            fact = self.facts.get((kind, m["name"]), NO_NAME)
            found = isinstance(fact, (list, bytes))
            raw = fact if isinstance(fact, bytes) else \
                encode_records(kind, fact) if found else b""
            records.send(self.link, "ANSWER", m.handle, kind=m["kind"],
                         outcome=FOUND if found else fact, records=raw,
                         ttl=60, reason="" if found else "because")


class Remote(Program):
    def __init__(self, facts=None):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="postern-remote-"))
        self.home.chmod(0o755)
        (self.home / "run/empty").mkdir(parents=True)
        super().__init__(self.home, "remote", CONFIG % self.home)
        self.queue = self.add_peer("queue")
        self.resolver = Resolver(self.add_peer("resolver"), facts or {})
        self.handle = 0
        self.start()

    def deliver(self, relay=None, domain=None, to=("a@abroad.test",),
                content=MAIL, link=None, sender="s@example.org", body=0,
                wishes=({}, ())):
        """Gives an order; returns its handle. `wishes` for reports: more
        fields of DELIVER, and of each DELIVER_TO."""
        self.handle += 1
        link = link or self.queue
        fd = memfd(content)
        records.send(link, "DELIVER", self.handle, fd=fd, id=1 << 40,
                     sender=sender, kind=RELAY if relay else MX,
                     name=relay or "", next_hop=domain or "", body=body,
                     size=len(content), recipients=len(to), **wishes[0])
        os.close(fd)
        for number, address in enumerate(to):
            records.send(link, "DELIVER_TO", self.handle, number=number,
                         address=address, original=address,
                         **(wishes[1][number] if wishes[1] else {}))
        return self.handle

    def reports(self, count=1, link=None, seconds=20):
        """What was tried in vain before is in `tried`."""
        self.tried, found = [], []
        while len(found) < count:
            m = records.receive(link or self.queue, seconds)
            (self.tried if m and m.type == "TRIED" else found).append(m)
        assert all(m is not None and m.type == "REPORT" for m in found), found
        return found

    def report(self, **options):
        """Delivers to one recipient: (outcome, scope, host, reply)."""
        handle = self.deliver(**options)
        m, = self.reports(link=options.get("link"))
        assert m.handle == handle and m["number"] == 0
        return m["outcome"], m["scope"], m["host"], m["reply"]

    def stop(self):
        super().stop()
        shutil.rmtree(self.home)


def serves(remote, link=None):
    """The proof that it still works."""
    with Host("192.0.2.2", RELAY_PORT) as host:
        remote.resolver.facts[("A", "mx.abroad.test")] = ["192.0.2.2"]
        outcome, _, _, reply = remote.report(relay="named", link=link)
        assert (outcome, reply) == (DELIVERED, "250 2.0.0 taken")
        assert host.messages[-1] == MAIL


def settles(remote, descriptors):
    wait_for(lambda: remote.descriptors() <= descriptors, 15,
             f"{descriptors} descriptors")
