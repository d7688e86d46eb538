"""What a client of the control socket could do to the queue: end its own
connection, and nothing else. (Whoever may open the socket may of course read
and remove mail: that is what it is for.)"""
import contextlib
import os
import socket
import struct
import time

import pytest

import records
from program import broken_records, cpu_seconds, is_closed, \
    no_descriptors, wait_for
from queue_lab import Queue, envelope

MAIL = b"Received: by test\r\nSubject: hello\r\n\r\nA line.\r\n"
CLIENTS = 16  # CONTROL_CLIENTS in queue/link_control.c
REMOVE = 3    # enum ctl_verb
RECIPIENTS = 20_000


def new_id(n=[0]):
    n[0] += 1
    return (time.time_ns() // 1_000_000 << 20) + n[0]


@pytest.fixture(scope="module")
def queue(tmp_path_factory):
    with Queue(tmp_path_factory.mktemp("queue")) as queue:
        yield queue


@pytest.fixture(scope="module")
def full(queue):
    """A queue whose listing fills every socket buffer many times."""
    for handle in range(RECIPIENTS // 1000):
        envelope(queue.router, handle + 1, new_id(), MAIL, recipients=1000)
        assert records.receive(queue.router, 20)["code"] == 250
    return queue


def dial(queue, wait=5):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # Blocking, so that it waits for its turn if the backlog is full.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO,
                    struct.pack("@ll", wait, 0))
    sock.connect(str(queue.control_path))
    sock.settimeout(wait)
    return sock


def store_one(queue):
    """How long the router waits for its answer, in seconds."""
    start = time.monotonic()
    envelope(queue.router, 7, ident := new_id(), MAIL)
    answer = records.receive(queue.router)
    assert (answer.type, answer["id"], answer["code"]) == \
        ("STORED", ident, 250)
    return ident, time.monotonic() - start


@pytest.fixture(autouse=True)
def unharmed(queue):
    """After each attack: the same pid, the same number of descriptors, and
    both the router and an honest client are served."""
    before = queue.descriptors()
    yield
    assert queue.is_alive(), queue.read_log()
    ident, _ = store_one(queue)
    assert queue.ask("CTL_ACT", verb=REMOVE, id=ident)[-1]["count"] == 1
    wait_for(lambda: queue.descriptors() <= before, what="descriptors")


@pytest.mark.parametrize("row", broken_records(
    records.Message("CTL_SHOW", 1, id=1), "STORED"), ids=lambda r: r[0])
def test_broken_records(queue, row):
    _, octets, fds = row
    with dial(queue) as client:
        # What is larger than the socket takes never leaves us.
        with contextlib.suppress(OSError):
            records.send_raw(client, octets, fds)
            assert is_closed(client)


@pytest.mark.parametrize("type_, fields", [
    ("CTL_LIST", {"state": 5}), ("CTL_LIST", {"state": 255}),
    ("CTL_ACT", {"verb": 6}), ("CTL_ACT", {"verb": 255}),
    ("CTL_ACT", {"dry_run": 2}), ("CTL_ACT", {"state": 77}),
    ("CTL_SHOW", {"id": 0}), ("CTL_LIST", {"sender": "x" * 513}),
    ("CTL_LIST", {"sender": b"a\0b"}), ("CTL_RELOAD", {}),
    ("CTL_PAUSE", {"resume": 2}), ("CTL_PAUSE", {"destination": "x" * 272}),
    ("CTL_DESTINATIONS", {"destination": b"a\0b"}),
    ("CTL_DESTINATION", {"name": "mx:a.test"}),
    ("CTL_END", {}), ("CTL_ITEM", {"id": 1})], ids=str)
def test_questions_that_lie(queue, type_, fields):
    with dial(queue) as client:
        records.send(client, type_, 1, **fields)
        assert is_closed(client)


@pytest.mark.parametrize("type_, fields", [
    ("CTL_LIST", {"sender": b"\x1b[2J\xff", "text": "%s%n" * 500}),
    ("CTL_LIST", {"destination": "x" * 271, "age": 2 ** 64 - 1}),
    ("CTL_LIST", {"id": 2 ** 64 - 1}), ("CTL_SHOW", {"id": 2 ** 64 - 1}),
    ("CTL_TRACE", {"id": 2 ** 64 - 1}), ("CTL_TRACE", {"address": ""}),
    ("CTL_TRACE", {"address": b"\xff" * 512}),
    ("CTL_DESTINATIONS", {"destination": b"\x1b[2J\xff"}),
    ("CTL_PAUSE", {"destination": b"\x1b[2J\xff"}),
    ("CTL_PAUSE", {"destination": "mx:"}),
    ("CTL_PAUSE", {"destination": "mx:" + "x" * 268, "resume": 1}),
    ("CTL_ACT", {"verb": REMOVE, "recipient": "nobody\r\n@x"})], ids=str)
def test_odd_questions_have_answers(queue, type_, fields):
    answers = queue.ask(type_, **fields)
    assert [a.type for a in answers] == ["CTL_END"]
    assert "\x1b" not in queue.read_log()


def test_a_second_question_before_the_answer(full):
    with dial(full) as client:
        records.send(client, "CTL_LIST", 1)
        records.send(client, "CTL_STATS", 2)
        assert is_closed(client)


def test_a_flood_of_questions(queue):
    with dial(queue) as client:
        with contextlib.suppress(OSError):
            for handle in range(100_000):
                records.send(client, "CTL_STATS", handle)
        assert is_closed(client)


def test_a_client_that_does_not_read_delays_nobody(full):
    with dial(full) as client:
        records.send(client, "CTL_LIST", 1)
        for _ in range(20):
            ident, seconds = store_one(full)
            assert seconds < 1
            full.ask("CTL_ACT", verb=REMOVE, id=ident)
        count = 0
        while (answer := records.receive(client)).type == "CTL_ITEM":
            count += 1
        assert answer.type == "CTL_END" and answer["code"] == 0
        assert count == answer["count"] >= RECIPIENTS


def resident(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_crowd_that_never_reads(full):
    """It keeps honest clients out for seconds, and costs little."""
    before = resident(full.pid)
    crowd = [dial(full) for _ in range(CLIENTS)]
    for client in crowd:
        records.send(client, "CTL_LIST", 1)
    time.sleep(2)
    assert full.descriptors() < 100
    assert resident(full.pid) - before < 64 * 1024 * 1024
    start = time.monotonic()
    assert full.ask("CTL_STATS")[-1].type == "CTL_END"
    assert time.monotonic() - start < 15
    for client in crowd:
        client.close()


def test_thousands_of_connections(queue):
    """More than the backlog holds wait at their own expense."""
    before = queue.descriptors()
    clients = []
    for _ in range(2000):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            client.connect(str(queue.control_path))
        clients.append(client)
        if len(clients) > 500:
            clients.pop(0).close()
    time.sleep(0.2)
    assert queue.descriptors() <= before + CLIENTS
    for client in clients:
        client.close()


def test_clients_that_leave(full):
    for number in range(200):
        with dial(full) as client:
            if number % 4 == 0:
                records.send(client, "CTL_LIST", 1)
            elif number % 4 == 1:
                records.send(client, "CTL_ACT", 1, verb=0)
            elif number % 4 == 2:
                records.send(client, "CTL_SHOW", 1, id=1)


def test_half_closed(full):
    with dial(full) as client:
        records.send(client, "CTL_LIST", 1)
        client.shutdown(socket.SHUT_WR)
        assert is_closed(client, 20)
    with dial(full) as client:
        client.shutdown(socket.SHUT_RD)
        with contextlib.suppress(OSError):
            records.send(client, "CTL_LIST", 1)


def test_removal_of_everything_delays_nobody(full):
    with dial(full) as client:
        records.send(client, "CTL_ACT", 1, verb=REMOVE,
                     recipient="@example.com")
        stored = []
        for _ in range(10):
            ident, seconds = store_one(full)
            assert seconds < 1
            stored.append(ident)
        answer = records.receive(client, 60)
        assert answer.type == "CTL_END" and answer["code"] == 0
        assert answer["count"] >= RECIPIENTS
    for ident in stored:
        full.ask("CTL_ACT", verb=REMOVE, id=ident)
    assert full.items() == []


def test_more_pauses_than_fit(queue):
    """The table is of a fixed size; names of the greatest length fill it."""
    label = "x" * 63
    names = [f"mx:{label}.{label}.{label}.{n:058}" for n in range(1030)]
    with dial(queue) as client:
        def ask(name, resume):
            records.send(client, "CTL_PAUSE", 1, destination=name,
                         resume=resume)
            return records.receive(client)["code"]
        codes = [ask(name, 0) for name in names]
        assert codes == [0] * 1024 + [69] * 6
        assert len(queue.ask("CTL_DESTINATIONS")) >= 1025
        assert [ask(name, 1) for name in names] == [0] * 1030


def test_only_what_can_have_mail_is_paused(queue):
    """And it is found in whatever case it is written."""
    with dial(queue) as client:
        def ask(name, resume=0):
            records.send(client, "CTL_PAUSE", 1, destination=name,
                         resume=resume)
            answer = records.receive(client)
            return answer["code"], answer["count"]
        for name in ("mx:$(touch /tmp/x)", "mx:a b", "mx:", "mx:a..b", "x",
                     "local:../a", "local:", "relay:", "relay:a\nb"):
            assert ask(name) == (65, 0)
        assert queue.ask("CTL_DESTINATIONS")[:-1] == []
        assert ask("mx:Example.ORG") == (0, 1)
        assert ask("mx:example.org") == (0, 0)
        paused = queue.ask("CTL_DESTINATIONS")[:-1]
        assert [d["name"] for d in paused] == ["mx:example.org"]
        assert ask("mx:EXAMPLE.org", 1) == (0, 1)


def test_a_lack_of_descriptors_is_waited_for(queue):
    """Nobody can be let in: it does not try all the time, and whoever waits
    is let in when there is room again."""
    with no_descriptors(queue.pid):
        before = cpu_seconds(queue.pid)
        with dial(queue) as client:
            records.send(client, "CTL_LIST", 1)
            time.sleep(1)
            assert cpu_seconds(queue.pid) - before < 0.3
            assert queue.read_log().count("accept-failed") == 1
    with dial(queue) as client:
        records.send(client, "CTL_SHOW", 1, id=2)
        assert records.receive(client, 2).type == "CTL_END"
