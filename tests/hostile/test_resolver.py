"""The resolver among name servers that misbehave and neighbours that were
taken over."""
import contextlib
import random
import socket
import time

import pytest

import records
from program import broken_records, is_closed, wait_for
from resolver_lab import (CONFIG, OUTCOMES, TYPES, NameServer, Resolver, a, aaaa, mx, wire_name)

MX, A, AAAA, PTR, CNAME = (TYPES[t] for t in ("MX", "A", "AAAA", "PTR",
                                              "CNAME"))
ZONE = {("good.test", MX): [mx(10, "mx.good.test")]}


@pytest.fixture
def zone():
    return dict(ZONE)


@pytest.fixture
def resolver(zone):
    with NameServer(zone) as server, Resolver() as r:
        r.server = server
        yield r


def serves(resolver, link=None):
    assert resolver.ask("MX", "good.test", link)[:2] == (
        "found", [(10, "mx.good.test")])


# -- What it answers -----------------------------------------------------------

@pytest.mark.parametrize("kind, name, fact, want", [
    ("MX", "d.test", [mx(20, "b.test"), mx(10, "A.Test")],
     ("found", [(20, "b.test"), (10, "a.test")], 60)),
    ("MX", "d.test", [mx(0, "")], ("found", [(0, "")], 60)),
    ("A", "d.test", [a("192.0.2.1"), a("192.0.2.2")],
     ("found", ["192.0.2.1", "192.0.2.2"], 60)),
    ("AAAA", "d.test", [aaaa("2001:db8::1")],
     ("found", ["2001:db8::1"], 60)),
    ("A", "d.test", [(CNAME, wire_name("e.test")), a("192.0.2.9")],
     ("found", ["192.0.2.9"], 60)),
    ("MX", "d.test", [], ("no-data", [], 0)),
    ("MX", "d.test", 3, ("no-name", [], 0)),
    ("MX", "d.test", 2, ("servfail", [], 0)),
    # libunbound asks others and then says SERVFAIL: temporary all the same.
    ("MX", "d.test", 5, ("servfail", [], 0)),
    ("MX", "d.test", 1, ("servfail", [], 0)),
    ("MX", "d.test", 4, ("servfail", [], 0)),
])
def test_outcomes(resolver, zone, kind, name, fact, want):
    zone[(name, TYPES[kind])] = fact
    zone[("e.test", A)] = [a("192.0.2.9")]
    outcome, found, ttl = resolver.ask(kind, name)
    assert (outcome, sorted(found), ttl) == (want[0], sorted(want[1]),
                                             want[2])


def test_ptr(resolver, zone):
    zone[("1.2.0.192.in-addr.arpa", PTR)] = [(PTR, wire_name("mx.good.test"))]
    zone[("1.1.1.10.in-addr.arpa", PTR)] = [(PTR, wire_name("in.good.test"))]
    zone[(".".join("1" + "0" * 23 + "8bd01002") + ".ip6.arpa", PTR)] = [
        (PTR, wire_name("six.good.test"))]
    assert resolver.ask("PTR", "192.0.2.1")[:2] == ("found", ["mx.good.test"])
    assert resolver.ask("PTR", "10.1.1.1")[:2] == ("found", ["in.good.test"])
    assert resolver.ask("PTR", "2001:db8::1")[:2] == (
        "found", ["six.good.test"])
    assert resolver.ask("PTR", "192.0.2.2")[0] == "no-name"


def test_no_search_list(resolver):
    assert resolver.ask("A", "mx")[0] == "no-name"
    assert ("mx", A) in resolver.server.asked
    assert all(name == "mx" for name, _ in resolver.server.asked)


def test_cached(resolver):
    for _ in range(20):
        serves(resolver)
    assert resolver.server.asked.count(("good.test", MX)) == 1


def test_by_tcp(resolver, zone):
    """Too much for a datagram."""
    hosts = [mx(n, f"a-rather-long-name-of-a-host-{n}.d.test")
             for n in range(60)]
    zone[("d.test", MX)] = hosts
    outcome, found, _ = resolver.ask("MX", "d.test")
    assert outcome == "found" and len(found) == 60


def test_more_than_an_answer_holds(resolver, zone):
    zone[("d.test", MX)] = [mx(n, f"{'x' * 60}{n}.d.test")
                            for n in range(400)]
    outcome, found, _ = resolver.ask("MX", "d.test")
    assert outcome == "found" and 50 < len(found) < 400


def test_names_that_no_host_has(resolver, zone):
    zone[("d.test", MX)] = [
        (MX, b"\0\1\3a b\4test\0"), (MX, b"\0\2\3a\0b\4test\0"),
        (MX, b"\0\3\3a.b\4test\0"), (MX, b"\0\4\4a\r\nb\4test\0"),
        mx(5, "ok.test")]
    assert resolver.ask("MX", "d.test")[:2] == ("found", [(5, "ok.test")])
    zone[("e.test", MX)] = zone[("d.test", MX)][:4]
    assert resolver.ask("MX", "e.test")[:2] == ("found", [])


HEAD = b"\x81\x80\0\1\0\1\0\0\0\0\1n\4test\0\0\x0f\0\1"
RECORD = HEAD + b"\xc0\x0c\0\x0f\0\1\0\0\0\1"


def test_silence_and_noise(resolver, zone):
    """No answer, and answers that are none. All are asked at once, for each
    takes as long as the resolver's patience."""
    facts = [None, b"", b"\0", b"\x81\x80", b"\x81\x80" + b"\xff" * 8,
             b"\x81\x80" + b"\0" * 8, HEAD,
             HEAD[:4] + b"\xff\xff" + HEAD[6:],
             RECORD + b"\0\4\0\1\xc0\x26", RECORD + b"\xff\xff\0\1\xc0\x0c",
             RECORD + b"\0\1\0", RECORD + b"\0\5\0\1\2ab"]
    start = time.monotonic()
    for n, fact in enumerate(facts):
        zone[(f"{chr(ord('a') + n)}.test", MX)] = fact
        records.send(resolver.link, "QUESTION", n, kind=0,
                     name=f"{chr(ord('a') + n)}.test")
    serves(resolver, resolver.add_peer("router"))
    answers = [records.receive(resolver.link, 30) for _ in facts]
    assert time.monotonic() - start < 25
    assert sorted(m.handle for m in answers) == list(range(len(facts)))
    for m in answers:
        # Never "no such name", never anything of the noise.
        assert OUTCOMES[m["outcome"]] in ("servfail", "timeout"), m.handle
        assert m["records"] == b""
    serves(resolver)


def test_patience_ends():
    """Servers of which none answers: libunbound would go on for longer."""
    config = CONFIG
    with contextlib.ExitStack() as stack:
        for n in range(2, 6):
            silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            stack.callback(silent.close)
            silent.bind((f"127.53.0.{n}", 5353))
            config += f'resolver forward "127.53.0.{n}@5353"\n'
        resolver = stack.enter_context(Resolver(config))
        start = time.monotonic()
        assert resolver.ask("MX", "d.test")[0] == "timeout"
        assert 19 < time.monotonic() - start < 25


def test_a_failure_heals(resolver, zone):
    """A name server that was down is asked again soon."""
    zone[("d.test", MX)] = 2
    assert resolver.ask("MX", "d.test")[0] == "servfail"
    zone[("d.test", MX)] = [mx(10, "mx.good.test")]
    wait_for(lambda: resolver.ask("MX", "d.test")[0] == "found", 15)


# -- Neighbours that were taken over ------------------------------------------

QUESTION = records.Message("QUESTION", 1, kind=0, name="good.test")


@pytest.mark.parametrize("name, data, fds",
                         broken_records(QUESTION, "ANSWER"))
def test_broken_record(resolver, name, data, fds):
    other = resolver.add_peer("router")
    serves(resolver, other)
    before = resolver.descriptors()
    with contextlib.suppress(BrokenPipeError):
        records.send_raw(resolver.link, data, fds)
    assert is_closed(resolver.link)
    serves(resolver, other)
    assert resolver.is_alive()
    wait_for(lambda: resolver.descriptors() <= before - 1)


@pytest.mark.parametrize("kind, name", [
    (4, "good.test"), (255, "good.test"), (0, ""), (0, "."), (0, "a b"),
    (0, "good.test."), (0, "a..b"), (1, "a\\032b.test"), (0, "x" * 64 + ".a"),
    (0, "192.0.2.1\n"), (3, "good.test"), (3, ""), (3, "192.0.2.1.1"),
])
def test_bad_question(resolver, kind, name):
    other = resolver.add_peer("remote")
    records.send(resolver.link, "QUESTION", 1, kind=kind, name=name)
    assert is_closed(resolver.link)
    serves(resolver, other)


def test_handle_in_use(resolver, zone):
    zone[("slow.test", MX)] = None
    other = resolver.add_peer("remote")
    for _ in range(2):
        records.send(resolver.link, "QUESTION", 1, kind=0, name="slow.test")
    assert is_closed(resolver.link)
    serves(resolver, other)


def test_link_that_ends_takes_its_questions(resolver, zone):
    zone[("slow.test", MX)] = None
    before = resolver.descriptors()
    for _ in range(20):
        link = resolver.add_peer("remote")
        for handle in range(20):
            records.send(link, "QUESTION", handle, kind=0, name="slow.test")
        link.close()
    serves(resolver)
    wait_for(lambda: resolver.descriptors() <= before + 2)


def test_too_many_questions(resolver, zone):
    """The bound is an answer, not an end; the others are served."""
    other = resolver.add_peer("remote")
    zone[("slow.test", MX)] = None
    resolver.link.setblocking(True)
    for handle in range(8192):
        records.send(resolver.link, "QUESTION", handle, kind=0,
                     name="slow.test")
    records.send(resolver.link, "QUESTION", 9000, kind=0, name="good.test")
    m = records.receive(resolver.link)
    assert (m.handle, m["outcome"]) == (9000, 3)
    assert m["reason"] == "too many questions"
    serves(resolver, other)


def test_random_questions(resolver):
    dice = random.Random(3)
    good = records.encode(QUESTION)
    before = resolver.descriptors()
    for _ in range(300):
        link = resolver.add_peer("smtpd")
        data = bytearray(good)
        for _ in range(dice.randrange(1, 4)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            records.send_raw(link, bytes(data))
        link.close()
    wait_for(lambda: resolver.descriptors() <= before + 4)
    serves(resolver)


def test_other_neighbours_are_refused(resolver):
    for program in "queue", "spawn", "local", "ctl":
        assert is_closed(resolver.add_peer(program))
    serves(resolver)


# -- The supervisor -------------------------------------------------------------

def test_drain(resolver):
    serves(resolver)
    records.send(resolver.supervisor, "DRAIN", seconds=10)
    serves(resolver)
    resolver.link.close()
    assert resolver.process.wait(5) == 0


def test_system_files():
    """Without a forwarder, what this host uses."""
    config = "\n".join(line for line in CONFIG.splitlines()
                       if not line.startswith("resolver"))
    with Resolver(config) as r:
        assert r.ask("A", "localhost")[:2] == ("found", ["127.0.0.1"])
