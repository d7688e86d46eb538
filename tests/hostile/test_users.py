"""What a stranger of this host could do to the queue by the socket that is
open to everybody: hear of their own mail, and nothing else. The test is the
supervisor that knows whose uid it is."""
import contextlib
import fcntl
import os
import pathlib
import select
import shutil
import socket
import struct
import tempfile
import threading
import time

import pytest

import records
from program import broken_records, cpu_seconds, is_closed, wait_for
from queue_lab import Queue, envelope, route

MAIL = b"Received: by test\r\nSubject: hello\r\n\r\nA line.\r\n"
MAILBOX = 0   # enum route_kind
CLIENTS, EACH = 8, 2  # USER_CLIENTS, USER_EACH in queue/link_user.h
HOLD, RELEASE = 1, 2  # enum ctl_verb
OWN = 150     # what waits for alice: more than a step of 128 rows
OTHERS = 20_000


class Supervisor(threading.Thread):
    """Answers which login a uid has, as it is told to."""

    def __init__(self, queue):
        super().__init__(daemon=True)
        self.sock = queue.supervisor
        self.logins, self.asked, self.ends = {0: "alice"}, [], False
        self.answers = True
        self.start()

    def run(self):
        while not self.ends:
            if not select.select([self.sock], [], [], 0.1)[0]:
                continue
            m = records.receive(self.sock)
            if m is None:
                return
            if m.type != "WHO":
                continue
            self.asked.append(m["uid"])
            if self.answers:
                records.send(self.sock, "LOGIN", uid=m["uid"],
                             login=self.logins.get(m["uid"], ""))


def new_id(n=[0]):
    n[0] += 1
    return (time.time_ns() // 1_000_000 << 20) + n[0]


@pytest.fixture(scope="module")
def queue():
    # pytest's own folders are for root only, and strangers have to get in.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-users-"))
    with Queue(folder) as queue:
        supervisor = Supervisor(queue)
        queue.whose = supervisor
        for user in "alice", "Alice", "bob":
            assert queue.ask("CTL_PAUSE", destination=f"local:{user}")[-1][
                "code"] == 0
        for _ in range(OTHERS // 1000):
            envelope(queue.router, 1, new_id(), MAIL, recipients=1000)
            assert records.receive(queue.router, 20)["code"] == 250
        queue.mine = [store(queue, ["alice", "bob", "Alice"])
                      for _ in range(OWN)]
        queue.theirs = store(queue, ["bob", "Alice"])
        yield queue
        supervisor.ends = True
        supervisor.join()
    shutil.rmtree(folder)


def store(queue, users):
    """One message, for all of them."""
    ident = new_id()
    fd = os.memfd_create("content", os.MFD_ALLOW_SEALING)
    os.write(fd, MAIL)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, 0xF)
    records.send(queue.router, "ENVELOPE", 5, fd=fd, id=ident,
                 sender="a@example.net", client_address="192.0.2.1",
                 helo="client.test", user="sue", protocol=1, body=0,
                 size=len(MAIL), recipients=len(users))
    os.close(fd)
    for number, user in enumerate(users):
        route(queue.router, 5, number, kind=MAILBOX, name="people", user=user,
              address=f"{user}@example.org", original=f"{user}@example.org")
    assert records.receive(queue.router, 20)["code"] == 250
    return ident


def dial(queue, wait=10):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO,
                    struct.pack("@ll", wait, 0))
    sock.connect(str(queue.users_path))
    sock.settimeout(wait)
    return sock


def ask(queue, type_, **fields):
    """As a user; again, while there is no place."""
    def once():
        with dial(queue) as sock:
            answers = []
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                records.send(sock, type_, 1, **fields)
                while (answer := records.receive(sock, 20)) is not None:
                    answers.append(answer)
                    if answer.type == "CTL_END":
                        return answers
        return None
    return wait_for(once, 30, "a place")


@pytest.fixture(autouse=True)
def unharmed(queue):
    """After each: the same process, as many descriptors, and the
    administrator is served at once."""
    before = queue.descriptors()
    queue.whose.logins, queue.whose.answers = {0: "alice"}, True
    yield
    start = time.monotonic()
    assert queue.ask("CTL_STATS")[-1]["code"] == 0
    assert time.monotonic() - start < 1
    assert queue.is_alive(), queue.read_log()
    wait_for(lambda: queue.descriptors() <= before, what="descriptors")


def test_own_mail_only(queue):
    """Not that of a login that differs in case, nor of a fellow recipient."""
    *items, end = ask(queue, "CTL_LIST")
    assert end["code"] == 0 and end["count"] == OWN and end["text"] == ""
    assert [i["id"] for i in items] == queue.mine
    assert {i["destination"] for i in items} == {"local:alice"}
    assert {i["address"] for i in items} == {"alice@example.org"}
    queue.whose.logins = {0: "Alice"}
    assert len(ask(queue, "CTL_LIST")) == OWN + 2
    for nobody in "carol", "", "ALICE", "mx", "relay":
        queue.whose.logins = {0: nobody}
        *items, end = ask(queue, "CTL_LIST")
        assert items == []
        assert end["code"] == (0 if nobody else 77)


@pytest.mark.parametrize("fields, count", [
    ({"sender": "a@example.net"}, OWN), ({"sender": "x@y.z"}, 0),
    ({"recipient": "alice@example.org"}, OWN),
    ({"recipient": "bob@example.org"}, 0), ({"state": 1}, OWN),
    ({"state": 2}, 0), ({"destination": "local:alice"}, OWN),
    ({"destination": "local:bob"}, 0), ({"destination": "relay:sink"}, 0),
    ({"sender": "<>"}, 0), ({"age": 3600}, 0),
    ({"size": len(MAIL)}, OWN), ({"size": len(MAIL) + 1}, 0),
    ({"size": 46}, OWN), ({"size": 47}, 0)], ids=str)
def test_filters(queue, fields, count):
    assert len(ask(queue, "CTL_LIST", **fields)) == count + 1


@pytest.mark.parametrize("question", ["CTL_LIST", "CTL_TRACE"])
def test_a_strangers_id_is_no_id(queue, question):
    """Word for word as one that never was."""
    def without(answers, ident):
        assert [a.type for a in answers] == ["CTL_END"]
        text = base32(ident)
        return answers[0]["code"], answers[0]["text"].replace(text, "ID")
    never = new_id()
    mine = ask(queue, question, id=queue.mine[0])
    assert mine[-1]["code"] == 0 and len(mine) == 2
    theirs = without(ask(queue, question, id=queue.theirs), queue.theirs)
    assert theirs == without(ask(queue, question, id=never), never)
    assert theirs[0] == 66
    other = ask(queue, question, id=queue.theirs) if question == "CTL_TRACE" \
        else ask(queue, question, id=queue.theirs, destination="local:bob")
    assert without(other, queue.theirs) == theirs


def test_who_logged_in_is_not_told(queue):
    """To send it. An administrator hears of it."""
    event, end = ask(queue, "CTL_TRACE", id=queue.mine[0])
    assert end["code"] == 0 and event["address"] == "alice@example.org"
    assert event["peer"] == "192.0.2.1" and event["user"] == ""
    assert {a["user"] for a in queue.ask("CTL_TRACE", id=queue.mine[0])
            if a.type == "CTL_EVENT"} == {"sue"}


def base32(ident):
    digits = "0123456789abcdefghjkmnpqrstvwxyz"
    return "".join(digits[ident >> 5 * n & 31] for n in range(12, -1, -1))


@pytest.mark.parametrize("type_, fields", [
    ("CTL_ACT", {"verb": 3}), ("CTL_ACT", {"verb": 3, "dry_run": 1}),
    ("CTL_SHOW", {"id": 1}), ("CTL_STATS", {}), ("CTL_DESTINATIONS", {}),
    ("CTL_PAUSE", {}), ("CTL_PAUSE", {"resume": 1}),
    ("CTL_TRACE", {"address": "alice@example.org"})], ids=str)
def test_nothing_else(queue, type_, fields):
    """Root is a user here, too: the door says what may be asked."""
    if "id" in fields:
        fields = {"id": queue.mine[0]}
    answer, = ask(queue, type_, **fields)
    assert answer["code"] == 77 and "postern-admin" in answer["text"]
    assert len(ask(queue, "CTL_LIST")) == OWN + 1


def test_what_is_held_is_counted(queue):
    ident = queue.mine[3]
    assert queue.ask("CTL_ACT", verb=HOLD, id=ident)[-1]["count"] == 3
    try:
        *items, end = ask(queue, "CTL_LIST")
        assert len(items) == OWN - 1
        assert end["text"].startswith("1 more for you is held")
        item, end = ask(queue, "CTL_LIST", id=ident)
        assert item["state"] == 1 and end["text"] == ""
    finally:
        queue.ask("CTL_ACT", verb=RELEASE, id=ident)


def test_its_cost_is_that_of_own_mail(queue):
    """Whatever else the store holds: no walk through it."""
    queue.whose.logins = {0: "carol"}
    with dial(queue) as sock:
        before = cpu_seconds(queue.pid)
        for handle in range(100):
            records.send(sock, "CTL_LIST", handle)
            assert records.receive(sock)["count"] == 0
        # Through 20,000 rows it would be seconds.
        assert cpu_seconds(queue.pid) - before < 0.5


@pytest.mark.parametrize("row", broken_records(
    records.Message("CTL_LIST", 1), "STORED"), ids=lambda r: r[0])
def test_broken_records(queue, row):
    _, octets, fds = row
    with dial(queue) as client:
        # What is larger than the socket takes never leaves us.
        with contextlib.suppress(OSError):
            records.send_raw(client, octets, fds)
            assert is_closed(client)


def test_what_is_said_before_it_is_known_who_says_it(queue):
    """It waits unread. And nobody waits for ever."""
    queue.whose.answers = False
    with dial(queue) as client:
        records.send(client, "CTL_LIST", 1)
        with pytest.raises(TimeoutError):
            records.receive(client, 1)
        assert is_closed(client, 10)


def test_a_login_that_nobody_asked_for(queue):
    for uid in 0, 1, 2**32 - 1:
        records.send(queue.supervisor, "LOGIN", uid=uid, login="bob")
    assert len(ask(queue, "CTL_LIST")) == OWN + 1


def as_users(queue, uids, each=1):
    """Connections of those, who then say nothing."""
    held = []
    for uid in uids:
        for _ in range(each):
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            sock.setblocking(False)
            os.seteuid(uid)
            try:
                with contextlib.suppress(BlockingIOError):
                    sock.connect(str(queue.users_path))
            finally:
                os.seteuid(0)
            held.append(sock)
    return held


def test_a_hundred_idle_strangers(queue):
    """Of one uid, then of as many uids: the administrator does not feel it,
    nor the queue; and users are served again within seconds."""
    before = queue.descriptors()
    for uids, each in ([54321], 100), (range(54000, 54100), 1):
        held = as_users(queue, uids, each)
        for _ in range(20):
            start = time.monotonic()
            assert queue.ask("CTL_STATS")[-1]["code"] == 0
            assert time.monotonic() - start < 0.5
            time.sleep(0.05)
        assert queue.descriptors() <= before + CLIENTS + 1
        start = time.monotonic()
        assert len(ask(queue, "CTL_LIST")) == OWN + 1
        assert time.monotonic() - start < 20
        for sock in held:
            sock.close()


def test_few_of_one_user(queue):
    def one():
        sock = dial(queue)
        records.send(sock, "CTL_LIST", 1, sender="x@y.z")
        return sock
    wait_for(lambda: ask(queue, "CTL_LIST"))
    time.sleep(0.3)
    first = [one() for _ in range(EACH)]
    assert [records.receive(s)["code"] for s in first] == [0] * EACH
    with dial(queue) as third:
        assert is_closed(third)
    first[0].close()
    assert len(ask(queue, "CTL_LIST")) == OWN + 1
    first[1].close()


def test_a_flood_of_connections(queue):
    """The supervisor is not asked, nor the processor used, any faster."""
    queue.whose.asked.clear()
    before, start = cpu_seconds(queue.pid), time.monotonic()
    while time.monotonic() - start < 3:
        for sock in as_users(queue, [54321], 20):
            sock.close()
    seconds = time.monotonic() - start
    assert len(queue.whose.asked) <= 25 * seconds
    assert cpu_seconds(queue.pid) - before < 0.2 * seconds


def test_a_flood_of_questions(queue):
    """One after another, as fast as they are answered."""
    with dial(queue) as one, dial(queue) as other:
        before, start = cpu_seconds(queue.pid), time.monotonic()
        while time.monotonic() - start < 2:
            for sock in one, other:
                records.send(sock, "CTL_SHOW", 1, id=1)
            for sock in one, other:
                assert records.receive(sock)["code"] == 77
        assert cpu_seconds(queue.pid) - before < 0.5
    assert queue.read_log().count("control-refused") < 40


def test_a_flood_of_broken_records(queue):
    """The log says who it is, and does not grow as fast as they come."""
    before, start = len(queue.read_log()), time.monotonic()
    while time.monotonic() - start < 3:
        with as_users(queue, [54321])[0] as sock:
            with contextlib.suppress(OSError):
                sock.setblocking(True)
                sock.send(b"\xff" * 100)
            time.sleep(0.02)
    new = queue.read_log()[before:]
    seconds = time.monotonic() - start
    assert f"control-broken door=users uid=54321 pid={os.getpid()}" in new
    assert 1 <= new.count("link-error") <= seconds + 1


def test_who_goes_away_early_is_no_fault(queue):
    """As in "posternctl queue | head"."""
    before = len(queue.read_log())
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.connect(str(queue.control_path))
        records.send(sock, "CTL_LIST", 1, sender="x@y.z")
        assert select.select([sock], [], [], 20)[0]  # and not read
    assert queue.ask("CTL_STATS")[-1]["code"] == 0
    assert "link-" not in queue.read_log()[before:]


def test_a_listing_that_nobody_reads(queue):
    with dial(queue) as client:
        records.send(client, "CTL_LIST", 1)
        time.sleep(0.5)
        assert queue.ask("CTL_STATS")[-1]["code"] == 0
