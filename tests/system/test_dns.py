"""The name server of a domain that mail goes to lies, babbles or loops.

Its own mail waits or comes back to be held, with the reason; that of every
other domain arrives; and no name of another domain is changed by it.
"""
import os
import time

import pytest

from lab import Postern, ScriptedServer, wait_for
from liar import A, AAAA, MX, NS, TRUNCATED, Liar, a, cname, mx, name_of, \
    record
from test_send import arrived, script, submit

SERVER = "192.0.2.60"
EVIL = "192.0.2.99"  # no host
# Where the liars' mail belongs, if it can be known at all.
HOST = "mx.other.test"


def repeats(*packets_of):
    return lambda query: [p(query) for p in packets_of]


def usual(query):
    return query.answer([mx(10, HOST)])


def wrong_id(query):
    return query.answer([mx(10, "evil.liar.test")], number=query.id ^ 1)


def other_name(query):
    name = name_of("there.test")
    return query.answer([mx(10, "evil.liar.test", name)],
                        question=name + query.question[-4:])


def other_owner(query):
    return query.answer([mx(10, "evil.liar.test", name_of("there.test"))])


def cut(octets):
    return lambda query: query.answer([mx(10, HOST)])[:-octets]


def pointer_to_itself(query):
    at = 12 + len(query.question) + len(mx(10, b"")) # of the host's name
    return query.answer([mx(10, bytes([0xc0 | at >> 8, at & 255]))])


def pointers_to_each_other(query):
    at = 12 + len(query.question) + len(mx(10, b""))
    return query.answer([mx(10, bytes([0xc0, at + 2, 0xc0, at]))])


def pointer_beyond(query):
    return query.answer([mx(10, b"\xff\xff")])


def garbage_labels(query):
    return query.answer([mx(0, b"\4a\0\r\n\3\xff\xfe.\0"), mx(0, b"\3a b\0"),
                         mx(0, b"\4;rm \1*\0")])


def garbage_and_a_host(query):
    return query.answer([mx(0, b"\4a\0\r\n\0"), mx(5, HOST)])


def very_many(query):
    """By TCP only: for a datagram it is too much."""
    if not query.by_tcp:
        return query.answer(flags=TRUNCATED)
    return query.answer([mx(0, HOST)] + [
        mx(n, ".".join([f"{n:03}" + "x" * 60] * 3 + ["liar.test"]))
        for n in range(1, 101)])


def truncated_for_ever(query):
    return query.answer(flags=TRUNCATED)


def strangers(query):
    """Glue and more for domains that are none of its business."""
    return query.answer(
        [mx(10, HOST), mx(0, "evil.liar.test", name_of("there.test")),
         a(HOST, EVIL)],
        [record("there.test", NS, name_of("ns.liar.test")),
         record("test", NS, name_of("ns.liar.test"))],
        [a(HOST, EVIL), a("mx.there.test", EVIL), a("ns.liar.test", EVIL),
         a("ns.there.test", EVIL)])


WAITS = "waiting", "4.4.3"

# What is said of NAME.liar.test, and what becomes of mail to it.
LIES = {
    "wrong-id": (repeats(wrong_id), WAITS),
    "guesses": (repeats(*[wrong_id] * 50, usual), None),
    "other-name": (repeats(other_name), WAITS),
    "cut-by-one": (repeats(cut(1)), WAITS),
    "cut-in-the-head": (lambda q: [q.answer()[:9]], WAITS),
    "more-than-there-is": (
        lambda q: [q.answer([mx(10, HOST)]).replace(
            b"\0\1\0\1\0\0\0\0", b"\0\1\xff\xff\0\0\0\0", 1)],
        WAITS),
    "pointer-to-itself": (repeats(pointer_to_itself), WAITS),
    "pointers-to-each-other": (repeats(pointers_to_each_other), WAITS),
    "pointer-beyond": (repeats(pointer_beyond), WAITS),
    "truncated-for-ever": (repeats(truncated_for_ever), WAITS),
    "loop": (lambda q: [q.answer([cname("loop.liar.test")])], WAITS),
    "ring": (lambda q: [q.answer([cname("gnir.liar.test")])], WAITS),
    "gnir": (lambda q: [q.answer([cname("ring.liar.test")])], WAITS),
    "host-in-a-loop": (lambda q: [q.answer([mx(10, "round.liar.test")])],
                       WAITS),
    "other-owner": (repeats(other_owner), ("failed", "5.1.2")),
    "garbage": (repeats(garbage_labels), WAITS),
    "garbage-and-a-host": (repeats(garbage_and_a_host), None),
    "very-many": (repeats(very_many), None),
    "strangers": (repeats(strangers), None),
}


@pytest.fixture
def liar(lab):
    if "liar" not in lab.hosts:
        lab.host("liar", 54)
    lies = {(f"{name}.liar.test", MX): lie[0] for name, lie in LIES.items()}
    for kind in A, AAAA:
        lies["round.liar.test", kind] = lambda q: [
            q.answer([cname("round.liar.test")])]
    liar = Liar(lab.hosts["liar"], lies)
    yield liar
    liar.close()


@pytest.fixture
def postern(lab, config, liar):
    instance = Postern(lab.hosts["second"], config +
                       f'\nresolver stub "liar.test" "{liar.address[0]}"\n',
                       name="liar")
    yield instance
    instance.close()


def fates(postern, sent):
    """Of each name: its row, or None if it has left; or nothing at all while
    one is under way."""
    rows = {row["id"]: row for row in postern.ctl_json("queue")}
    found = {name: rows.get(ident) for name, (ident, _) in sent.items()}
    settled = all(row is None or row["attempts"] > 0 and not row["in_flight"]
                  for row in found.values())
    return found if settled else None


def fate(postern, ident, row):
    """What has failed is gone as soon as its sender is told."""
    if row is None:
        failed = [e for e in postern.ctl_json("trace", ident)
                  if e["event"] == "failed"]
        return ("failed", failed[0]["detail"].split()[0]) if failed else None
    return row["state"], row["reply"].split()[0]


def test_liars(postern, lab, client, there, liar):
    other = ScriptedServer(lab.hosts["other"], script())
    resolver = postern.pids("resolver")
    try:
        sent = {name: submit(client, f"u@{name}.liar.test", server=SERVER)
                for name in LIES}
        # Nobody else waits while the resolver tries what it can.
        start = time.monotonic()
        arrived(there, submit(client, "u@there.test", server=SERVER)[1])
        assert time.monotonic() - start < 5
        found = wait_for("each fate", lambda: fates(postern, sent), 45)
        told = {name: fate(postern, sent[name][0], row)
                for name, row in found.items()}
        assert told == {name: fate for name, (_, fate) in LIES.items()}
        for name, (ident, _) in sent.items():
            if told[name] == WAITS:
                assert found[name]["reply"] in postern.ctl("why", ident).stdout
            assert (f"{name}.liar.test", MX) in liar.asked
        got = "".join("".join(t) for t in other.transcripts)
        for name, (_, token) in sent.items():
            assert (f"body {token}" in got) == (told[name] is None)
        arrived(there, submit(client, "u@there.test", server=SERVER)[1])
        assert postern.pids("resolver") == resolver
    finally:
        other.close()
