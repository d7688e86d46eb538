"""The codec of common/message.def, made from that file, for false peers.

It is written apart from the C code, so that the two also check each other.
"""
import array
import pathlib
import re
import socket
import struct

TOP = pathlib.Path(__file__).resolve().parents[2]
WIDTHS = {"U8": "<B", "U16": "<H", "U32": "<I", "U64": "<Q"}
PROGRAMS = {"supervisor": 1, "smtpd": 2, "router": 4, "queue": 8,
            "resolver": 16, "remote": 32, "spawn": 64, "local": 128,
            "ctl": 256}


def read_table():
    text = (TOP / "common" / "message.def").read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    table = {}
    for entry in text.split("MESSAGE(")[1:]:
        name, fds = re.match(r"(\w+),\s*\w+,[^,]*,[^,]*,\s*(\d),", entry).groups()
        fields = re.findall(r"(U8|U16|U32|U64|TEXT|BYTES)\((\w+)", entry)
        table[name] = (len(table) + 1, int(fds), fields)
    return table


TABLE = read_table()
NAMES = {number: name for name, (number, _, _) in TABLE.items()}


class Message(dict):
    """Fields by name; `type`, `handle` and `fd` beside them."""

    def __init__(self, type_, handle=0, fd=None, /, **fields):
        super().__init__(fields)
        self.type, self.handle, self.fd = type_, handle, fd


def encode(m):
    number, _, fields = TABLE[m.type]
    out = struct.pack("<HI", number, m.handle)
    for kind, name in fields:
        value = m.get(name, 0 if kind in WIDTHS else b"")
        if kind in WIDTHS:
            out += struct.pack(WIDTHS[kind], value)
            continue
        if isinstance(value, str):
            value = value.encode()
        out += struct.pack("<H", len(value)) + value
        if kind == "TEXT":
            out += b"\0"
    return out


def decode(data, fd=None):
    number, handle = struct.unpack_from("<HI", data)
    m, at = Message(NAMES[number], handle, fd), 6
    for kind, name in TABLE[m.type][2]:
        if kind in WIDTHS:
            m[name], = struct.unpack_from(WIDTHS[kind], data, at)
            at += struct.calcsize(WIDTHS[kind])
            continue
        length, = struct.unpack_from("<H", data, at)
        m[name] = data[at + 2:at + 2 + length]
        at += 2 + length
        if kind == "TEXT":
            m[name] = m[name].decode(errors="replace")
            assert data[at] == 0
            at += 1
    assert at == len(data), f"{m.type}: {len(data) - at} octets too many"
    return m


def send_raw(sock, data, fds=()):
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                array.array("i", fds))] if fds else []
    sock.sendmsg([data], control)


def send(sock, type_, handle=0, /, *, fd=None, **fields):
    send_raw(sock, encode(Message(type_, handle, fd, **fields)),
             [fd] if fd is not None else [])


def receive(sock, timeout=5):
    """The next message; None at end of file."""
    sock.settimeout(timeout)
    data, fds, _, _ = socket.recv_fds(sock, 65536, 8)
    if not data:
        return None
    assert len(fds) <= 1
    return decode(data, fds[0] if fds else None)
