"""A name server that says what a test tells it, true or not, to the octet."""
import contextlib
import socket
import struct
import threading

A, NS, CNAME, MX, AAAA = 1, 2, 5, 15, 28
AUTHORITATIVE, TRUNCATED = 0x8400, 0x8600
OWNER = b"\xc0\x0c"  # the name of the question


def name_of(text):
    return b"".join(bytes([len(label)]) + label.encode()
                    for label in text.split(".") if label) + b"\0"


def record(owner, kind, data):
    owner = owner if isinstance(owner, bytes) else name_of(owner)
    return owner + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def mx(preference, host, owner=OWNER):
    host = host if isinstance(host, bytes) else name_of(host)
    return record(owner, MX, struct.pack(">H", preference) + host)


def a(owner, address):
    return record(owner, A, socket.inet_aton(address))


def cname(target, owner=OWNER):
    return record(owner, CNAME, name_of(target))


class Query:
    def __init__(self, octets, by_tcp):
        at, labels = 12, []
        while octets[at]:
            labels.append(octets[at + 1:at + 1 + octets[at]].decode())
            at += octets[at] + 1
        self.id, = struct.unpack_from(">H", octets)
        self.name, self.by_tcp = ".".join(labels).lower(), by_tcp
        self.kind, = struct.unpack_from(">H", octets, at + 1)
        self.question = octets[12:at + 5]

    def answer(self, answers=(), authority=(), additional=(), *,
               flags=AUTHORITATIVE, number=None, question=None):
        return struct.pack(
            ">HHHHHH", self.id if number is None else number, flags, 1,
            len(answers), len(authority), len(additional)) + \
            (question or self.question) + \
            b"".join([*answers, *authority, *additional])


class Liar:
    """`lies`: (name, kind) to a function of a Query, which gives the packets
    of the answer. Of every other name there are no records."""

    def __init__(self, host, lies):
        self.lies, self.asked, self.ending = lies, [], False
        self.address = host.ip4, 53
        with host.inside():
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(self.address)
        self.tcp = host.listen(*self.address)
        for serve in self.serve_udp, self.serve_tcp:
            threading.Thread(target=serve, daemon=True).start()

    def packets(self, octets, by_tcp):
        query = Query(octets, by_tcp)
        self.asked.append((query.name, query.kind))
        lie = self.lies.get((query.name, query.kind))
        return lie(query) if lie else [query.answer()]

    def serve_udp(self):
        with contextlib.suppress(OSError):
            while not self.ending:
                octets, peer = self.udp.recvfrom(4096)
                if not octets:  # the end
                    return
                for packet in self.packets(octets, False):
                    self.udp.sendto(packet, peer)

    def serve_tcp(self):
        with contextlib.suppress(OSError):
            while not self.ending:
                peer, _ = self.tcp.accept()
                threading.Thread(target=self.serve_one, args=(peer,),
                                 daemon=True).start()

    def serve_one(self, peer):
        with peer, contextlib.suppress(OSError, struct.error):
            file = peer.makefile("rb")
            while True:
                length, = struct.unpack(">H", file.read(2))
                for packet in self.packets(file.read(length), True):
                    peer.sendall(struct.pack(">H", len(packet)) + packet)

    def close(self):
        self.ending = True
        with contextlib.suppress(OSError):
            self.udp.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self.tcp.shutdown(socket.SHUT_RDWR)
        self.udp.close()
        self.tcp.close()
