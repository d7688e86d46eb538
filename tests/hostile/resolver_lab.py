"""The real resolver, with false neighbours and a name server that says what a
test tells it."""
import pathlib
import shutil
import socket
import struct
import tempfile
import threading

import records
from program import Program

SERVER = "127.53.0.1", 5353
TYPES = {"MX": 15, "A": 1, "AAAA": 28, "PTR": 12, "CNAME": 5}
KINDS = {"MX": 0, "A": 1, "AAAA": 2, "PTR": 3}
OUTCOMES = ["found", "no-data", "no-name", "servfail", "refused", "timeout",
            "bogus"]

CONFIG = f"""
hostname "mail.example.org"
run "%s/run"
listen on 127.25.0.99 port 25
resolver forward "{SERVER[0]}@{SERVER[1]}"
mailbox "people" users system deliver maildir "~/Maildir"
accept to domain "example.org" mailbox "people"
"""


def wire_name(name):
    return b"".join(bytes([len(label)]) + label.encode()
                    for label in name.split(".") if label) + b"\0"


def mx(preference, name):
    return TYPES["MX"], struct.pack(">H", preference) + wire_name(name)


def a(address):
    return TYPES["A"], socket.inet_aton(address)


def aaaa(address):
    return TYPES["AAAA"], socket.inet_pton(socket.AF_INET6, address)


class NameServer:
    """Answers from `zone`: (name, type) to a list of records, an rcode, the
    octets of a whole answer (without its id), or None to stay silent."""

    def __init__(self, zone):
        self.zone, self.asked = zone, []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(SERVER)
        self.tcp = socket.create_server(SERVER)
        self.ending = False
        self.threads = [threading.Thread(target=serve, daemon=True)
                        for serve in (self.serve_udp, self.serve_tcp)]
        for thread in self.threads:
            thread.start()

    def answer(self, query, udp):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += query[at] + 1
        kind, = struct.unpack(">H", query[at + 1:at + 3])
        name = ".".join(labels).lower()
        question = query[12:at + 5]
        self.asked.append((name, kind))
        fact = self.zone.get((name, kind), 3)
        if fact is None:
            return None
        if isinstance(fact, bytes):
            return query[:2] + fact
        if isinstance(fact, int):
            return query[:2] + struct.pack(">HHHHH", 0x8180 | fact, 1, 0, 0,
                                           0) + question
        body, owner = b"", b"\xc0\x0c"
        for type_, data in fact:
            body += owner + struct.pack(">HHIH", type_, 1, 60, len(data)) + \
                data
            if type_ == TYPES["CNAME"]:
                owner = data
        flags = 0x8180
        count = len(fact)
        if udp and len(body) > 1200:
            flags, body, count = flags | 0x0200, b"", 0
        return query[:2] + struct.pack(">HHHHH", flags, 1, count, 0, 0) + \
            question + body

    def serve_udp(self):
        while True:
            query, peer = self.udp.recvfrom(4096)
            if self.ending:
                return
            answer = self.answer(query, True)
            if answer is not None:
                self.udp.sendto(answer, peer)

    def serve_tcp(self):
        while True:
            try:
                peer, _ = self.tcp.accept()
            except OSError:
                return
            with peer:
                file = peer.makefile("rb")
                length, = struct.unpack(">H", file.read(2))
                answer = self.answer(file.read(length), False)
                peer.sendall(struct.pack(">H", len(answer)) + answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ending = True
        self.udp.sendto(b"", SERVER) # wakes its thread
        self.tcp.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(5)
        self.udp.close()
        self.tcp.close()


class Resolver(Program):
    def __init__(self, config=CONFIG):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="postern-resolver-"))
        self.home.chmod(0o755)
        (self.home / "run/empty").mkdir(parents=True)
        super().__init__(self.home, "resolver", config % self.home)
        self.link = self.add_peer("smtpd")
        self.handle = 0
        self.start()

    def ask(self, kind, name, link=None, seconds=30):
        """(outcome, records, ttl)"""
        link = link or self.link
        self.handle += 1
        records.send(link, "QUESTION", self.handle, kind=KINDS[kind],
                     name=name)
        m = records.receive(link, seconds)
        assert (m.type, m.handle, m["kind"]) == ("ANSWER", self.handle,
                                                 KINDS[kind])
        return OUTCOMES[m["outcome"]], decode(kind, m["records"]), m["ttl"]

    def stop(self):
        super().stop()
        shutil.rmtree(self.home)


def decode(kind, data):
    found, at = [], 0
    while at < len(data):
        if kind == "MX":
            preference, length = struct.unpack_from("<HH", data, at)
            found.append((preference, data[at + 4:at + 4 + length].decode()))
            at += 5 + length
        else:
            length, = struct.unpack_from("<H", data, at)
            item = data[at + 2:at + 2 + length]
            at += 2 + length
            if kind == "PTR":
                found.append(item.decode())
                at += 1
            else:
                found.append(socket.inet_ntop(
                    socket.AF_INET if kind == "A" else socket.AF_INET6, item))
    return found
