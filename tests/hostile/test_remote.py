"""Remote delivery among hosts that misbehave, a queue and a resolver that were
taken over."""
import contextlib
import os
import random
import socket
import threading
import time

import pytest

import records
from program import (IS_SANITIZED, broken_records, is_closed, memfd,
                     wait_for)
from remote_lab import (DEFERRED, DELIVERED, DESTINATION, FAILED, HOSTNAME,
                        MAIL, MESSAGE, NO_DATA, RECIPIENT, RELAY, RELAY_PORT,
                        SERVFAIL, Host, Remote, Resolver,
                        network_of_its_own, serves, settles)

ONE = f"[192.0.2.1]:{RELAY_PORT}"


@pytest.fixture(scope="module", autouse=True)
def network():
    with network_of_its_own():
        yield


@pytest.fixture
def remote():
    with Remote() as r:
        yield r


def until_content(peer):
    """Says yes to one message for one recipient; its content comes next."""
    peer.sendall(b"220 mx\r\n")
    file = peer.makefile("rb")
    for reply in b"250 mx", b"250 ok", b"250 ok", b"354 go":
        file.readline()
        peer.sendall(reply + b"\r\n")
    return file


# -- One host ----------------------------------------------------------------

def test_message_arrives_as_it_is(remote):
    content = MAIL + b"8-bit \xe9 and long " + b"x" * 70000 + b"\r\n"
    with Host() as host:
        assert remote.report(relay="one", content=content, body=1) == (
            DELIVERED, RECIPIENT, ONE, "250 2.0.0 taken")
        assert host.messages == [content]
        assert host.sessions[0] == [
            f"EHLO {HOSTNAME}",
            f"MAIL FROM:<s@example.org> SIZE={len(content)} BODY=8BITMIME",
            "RCPT TO:<a@abroad.test>", "DATA"]


@pytest.mark.parametrize("size", [0, 1, 32767, 32768, 32769, 65536, 3000000])
def test_sizes(remote, size):
    lines = b".23456789012345678901234567890\r\n" * (size // 32)
    content = lines + b"x" * (size - len(lines))
    with Host() as host:
        assert remote.report(relay="one", content=content)[0] == DELIVERED
        end = b"" if content.endswith(b"\r\n") or not content else b"\r\n"
        assert host.messages == [content + end]


def test_one_by_one(remote):
    with Host(replies={"EHLO": "250 mx.test"}) as host:
        assert remote.report(relay="one")[0] == DELIVERED
        assert host.sessions[0][1] == "MAIL FROM:<s@example.org>"
        assert host.messages == [MAIL]


def test_each_recipient_has_its_report(remote):
    replies = {"RCPT": ["250 ok", "550-5.1.1 no\r\n550 5.1.1 such user",
                        "450 4.2.0 later", "250 ok"]}
    with Host(replies=replies) as host:
        remote.deliver(relay="one", to=[f"r{n}@abroad.test"
                                        for n in range(4)])
        found = {m["number"]: (m["outcome"], m["scope"], m["reply"])
                 for m in remote.reports(4)}
    assert found == {
        0: (DELIVERED, RECIPIENT, "250 2.0.0 taken"),
        1: (FAILED, RECIPIENT, "550-5.1.1 no\r\n550 5.1.1 such user"),
        2: (DEFERRED, RECIPIENT, "450 4.2.0 later"),
        3: (DELIVERED, RECIPIENT, "250 2.0.0 taken")}
    assert len(host.messages) == 1


@pytest.mark.parametrize("verb, reply, want", [
    ("GREETING", "450 4.0.0 busy", (DEFERRED, DESTINATION)),
    ("GREETING", "554 5.0.0 go away", (DEFERRED, DESTINATION)),
    ("GREETING", "521 5.3.2 no mail", (FAILED, DESTINATION)),
    ("EHLO", "450 4.0.0 busy", (DEFERRED, DESTINATION)),
    ("MAIL", "451 4.1.8 later", (DEFERRED, MESSAGE)),
    ("MAIL", "550 5.1.8 never", (FAILED, MESSAGE)),
    ("RCPT", "450 4.2.0 later", (DEFERRED, RECIPIENT)),
    ("RCPT", "550 5.1.1 never", (FAILED, RECIPIENT)),
    ("RCPT", "552 5.5.3 many", (DEFERRED, RECIPIENT)),
    ("DATA", "451 4.3.0 later", (DEFERRED, MESSAGE)),
    ("DATA", "554 5.6.0 never", (FAILED, MESSAGE)),
    ("DOT", "452 4.3.1 full", (DEFERRED, MESSAGE)),
    ("DOT", "554 5.6.0 never", (FAILED, MESSAGE)),
    ("GREETING", "421 4.3.2 bye", (DEFERRED, DESTINATION)),
    ("MAIL", "421 4.3.2 bye", (DEFERRED, DESTINATION)),
    ("DOT", "421 4.3.2 bye", (DEFERRED, DESTINATION)),
])
@pytest.mark.parametrize("pipelining", [True, False])
def test_refusals(remote, verb, reply, want, pipelining):
    replies = {verb: reply}
    if not pipelining:
        replies.setdefault("EHLO", "250 mx.test")
    with Host(replies=replies):
        assert remote.report(relay="one") == (*want, ONE, reply)
    serves(remote)


@pytest.mark.parametrize("replies", [
    {"GREETING": "554 5.0.0 go away"},
    {"GREETING": "450 4.0.0 busy"},
    {"EHLO": "450 4.0.0 busy"},
    {"EHLO": "502 what?", "HELO": "550 5.0.0 no"},
    {"MAIL": "451 4.1.8 later", "EHLO": "250 mx.test"},
    {"MAIL": "451 4.1.8 later", "RCPT": "503 no", "DATA": "503 no"},
], ids=lambda r: "-".join(f"{k}{v[:3]}" for k, v in r.items()))
def test_says_goodbye(remote, replies):
    """RFC 5321 3.1, 4.1.1.10: after the replies to all that was said; and the
    report does not wait for what the host says to that."""
    asked = threading.Event()
    with Host(replies={**replies, "QUIT": lambda: asked.wait(4) and
                       "221 bye"}) as host:
        start = time.monotonic()
        remote.report(relay="one")
        assert time.monotonic() - start < 2
        wait_for(lambda: host.sessions[0][-1:] == ["QUIT"])
        assert host.sessions[0].count("QUIT") == 1
        asked.set()
        wait_for(lambda: not host.open)
    serves(remote)


@pytest.mark.parametrize("replies", [
    {"GREETING": "421 4.3.2 bye"}, {"GREETING": "hello?"},
    {"EHLO": "354 go"}, {"MAIL": "421 4.3.2 bye"}, {"DOT": "421 4.3.2 bye"},
], ids=str)
def test_says_no_goodbye(remote, replies):
    with Host(replies=replies) as host:
        assert remote.report(relay="one")[0] == DEFERRED
        wait_for(lambda: not host.open)
        assert "QUIT" not in host.sessions[0]


@pytest.mark.parametrize("more", [b"", b"220 mx\r\n", b"x" * 9000],
                         ids=["silent", "greets-again", "no-smtp"])
def test_goodbye_to_one_who_stays(remote, more):
    """It is closed after five seconds, whatever comes."""
    def handler(_, peer, session):
        peer.sendall(b"554 go away\r\n")
        session.append(peer.recv(100))
        if more:
            peer.sendall(more)
        start = time.monotonic()
        session.append(peer.recv(100))
        session.append(time.monotonic() - start)

    with Host(handler=handler) as host:
        assert remote.report(relay="one")[0] == DEFERRED
        wait_for(lambda: not host.open, 10)
        quit, end, seconds = host.sessions[0]
        assert (quit, end) == (b"QUIT\r\n", b"")
        assert seconds < 1 if more else 4 < seconds < 7
    serves(remote)


def test_late_content_is_no_goodbye(remote):
    """A refused MAIL, and 354 all the same: QUIT would be content."""
    with Host(replies={"MAIL": "451 4.1.8 later"}) as host:
        assert remote.report(relay="one")[0] == DEFERRED
        wait_for(lambda: not host.open)
        assert host.sessions[0][-1] == "DATA" and host.messages == []


@pytest.mark.parametrize("verb", ["GREETING", "EHLO", "MAIL", "RCPT", "DOT"])
def test_closes(remote, verb):
    with Host(replies={verb: None}):
        outcome, scope, host, reply = remote.report(relay="one")
    assert (outcome, scope, host) == (DEFERRED, DESTINATION, ONE)
    # Before and after: it may have arrived, and that is said.
    assert ("may have been accepted" in reply) == (verb == "DOT")
    assert reply.startswith("4.4.2 ")
    serves(remote)


def test_helo(remote):
    with Host(replies={"EHLO": "502 what?"}) as host:
        assert remote.report(relay="one")[0] == DELIVERED
        assert host.sessions[0][:2] == [f"EHLO {HOSTNAME}",
                                        f"HELO {HOSTNAME}"]


DSN_HOST = {"EHLO": "250-mx.test\r\n250-PIPELINING\r\n250 DSN"}
WISHES = (dict(ret=2, envid="QQ+20x"),
          (dict(notify=6, orcpt="rfc822;a+2Bb@example.org"), dict(notify=1),
           {}))


def test_wishes_for_reports_to_who_has_dsn(remote):
    """RFC 3461 5.2.1. That host has the duty then: nothing is relayed."""
    with Host(replies=DSN_HOST) as host:
        remote.deliver(relay="one", to=[f"r{n}@abroad.test" for n in range(3)],
                       wishes=WISHES)
        found = remote.reports(3)
    assert host.sessions[0][1:] == [
        "MAIL FROM:<s@example.org> RET=HDRS ENVID=QQ+20x",
        "RCPT TO:<r0@abroad.test> NOTIFY=SUCCESS,FAILURE "
        "ORCPT=rfc822;a+2Bb@example.org",
        "RCPT TO:<r1@abroad.test> NOTIFY=NEVER",
        "RCPT TO:<r2@abroad.test>", "DATA"]
    assert {(m["outcome"], m["relayed"]) for m in found} == {(DELIVERED, 0)}


def test_wishes_for_reports_to_who_has_none(remote):
    """RFC 3461 5.2.2: the parameters stay here, and the duty with them."""
    replies = {"RCPT": ["250 ok", "550 5.1.1 no", "450 4.2.0 later"]}
    with Host(replies=replies) as host:
        remote.deliver(relay="one", to=[f"r{n}@abroad.test" for n in range(3)],
                       wishes=WISHES)
        found = {m["number"]: (m["outcome"], m["relayed"])
                 for m in remote.reports(3)}
    assert host.sessions[0][1:] == [
        f"MAIL FROM:<s@example.org> SIZE={len(MAIL)}",
        *(f"RCPT TO:<r{n}@abroad.test>" for n in range(3)), "DATA"]
    assert found == {0: (DELIVERED, 1), 1: (FAILED, 0), 2: (DEFERRED, 0)}


def test_each_host_has_what_it_can(remote):
    """The next host decides anew, the same connection keeps its mind."""
    with Host(replies=DSN_HOST) as host:
        for _ in range(2):
            remote.deliver(relay="one", wishes=(dict(ret=1), (
                dict(notify=2),)))
            m, = remote.reports()
            assert (m["outcome"], m["relayed"]) == (DELIVERED, 0)
        assert len(host.sessions) == 1
        assert host.sessions[0].count(
            "RCPT TO:<a@abroad.test> NOTIFY=SUCCESS") == 2


def test_too_large(remote):
    with Host(replies={"EHLO": "250-mx\r\n250 SIZE 10"}) as host:
        outcome, scope, _, reply = remote.report(relay="one")
        assert (outcome, scope) == (FAILED, MESSAGE)
        assert reply.startswith("5.3.4 ")
        assert host.sessions[0] == [f"EHLO {HOSTNAME}"]


def test_relay_calls_itself_as_we_do(remote):
    """Such as a filter on this host: the administrator wants it so."""
    with Host(replies={"EHLO": f"250 {HOSTNAME}"}) as host:
        assert remote.report(relay="one")[0] == DELIVERED
        assert host.messages == [MAIL]


def test_calls_itself_as_we_do(remote):
    facts = remote.resolver.facts
    facts[("MX", "abroad.test")] = [(10, "mx.abroad.test"),
                                    (10, "mx2.abroad.test")]
    facts[("A", "mx.abroad.test")] = ["192.0.2.5"]
    facts[("A", "mx2.abroad.test")] = ["192.0.2.6"]
    replies = {"EHLO": f"250 {HOSTNAME}"}
    with Host("192.0.2.5", 25, replies) as a, \
            Host("192.0.2.6", 25, replies) as b:
        outcome, scope, _, reply = remote.report(domain="abroad.test")
        assert (outcome, scope) == (FAILED, RECIPIENT)
        assert reply.startswith("5.4.6 mail loops back")
        # The other one of equal preference was not even asked.
        assert len(a.sessions) + len(b.sessions) == 1
        wait_for(lambda: (a.sessions + b.sessions)[0][-1] == "QUIT")


# -- Connections that are used again ---------------------------------------

def test_reuse(remote):
    with Host() as host:
        for _ in range(5):
            assert remote.report(relay="one")[0] == DELIVERED
        assert len(host.sessions) == 1 and len(host.messages) == 5
        # Left alone it is closed politely.
        wait_for(lambda: host.sessions[0][-1] == "QUIT", 10)


def test_not_for_ever(remote):
    with Host() as host:
        for _ in range(101):
            assert remote.report(relay="one")[0] == DELIVERED
        wait_for(lambda: len(host.sessions) == 2)
        assert host.sessions[0].count("DATA") == 100
        assert host.sessions[0][-1] == "QUIT"


def test_after_refused_recipients(remote):
    with Host(replies={"RCPT": ["550 no", "250 ok"]}) as host:
        assert remote.report(relay="one")[0] == FAILED
        # It asked for the data all the same, and got a lone dot.
        wait_for(lambda: host.messages == [b""])
        time.sleep(0.1)
        assert remote.report(relay="one")[0] == DELIVERED
        assert len(host.sessions) == 1


@pytest.mark.parametrize("how", ["closed", "421", "eof-at-mail"])
def test_a_kept_connection_that_died(remote, how):
    """A new one takes its place, without a report about it."""
    replies = {"421": {"MAIL": ["250 ok", "421 bye", "250 ok"]},
               "eof-at-mail": {"MAIL": ["250 ok", None, "250 ok"]}}
    with Host(replies=replies.get(how)) as host:
        assert remote.report(relay="one")[0] == DELIVERED
        if how == "closed":
            for peer in list(host.open):
                peer.shutdown(socket.SHUT_RDWR)
        assert remote.report(relay="one")[0] == DELIVERED
        assert len(host.sessions) == 2 and len(host.messages) == 2


def test_died_in_the_middle(remote):
    """Once a message has begun, it is the message that is deferred."""
    with Host(replies={"DOT": ["250 ok", None]}) as host:
        assert remote.report(relay="one")[0] == DELIVERED
        assert remote.report(relay="one")[0] == DEFERRED
        assert len(host.sessions) == 1


def test_unasked_reply_is_not_the_next_answer(remote):
    """One reply too many after a message: that connection is left, lest the
    next message takes it for its own."""
    with Host(replies={"DOT": "250 ok\r\n250 also for the next one",
                       "MAIL": ["250 ok", "550 no"]}) as host:
        assert remote.report(relay="one")[0] == DELIVERED
        assert remote.report(relay="one")[0] == FAILED
        wait_for(lambda: len(host.sessions) == 2)


def test_other_destinations_have_their_own(remote):
    remote.resolver.facts[("A", "mx.abroad.test")] = ["192.0.2.1"]
    with Host() as host:
        assert remote.report(relay="one")[0] == DELIVERED
        assert remote.report(relay="named")[0] == DELIVERED
        assert len(host.sessions) == 2


# -- Many hosts --------------------------------------------------------------

def mx(remote, *hosts):
    """Mail hosts of abroad.test: (preference, address)."""
    facts = remote.resolver.facts
    facts[("MX", "abroad.test")] = [
        (preference, f"mx{n}.abroad.test")
        for n, (preference, _) in enumerate(hosts)]
    for n, (_, address) in enumerate(hosts):
        kind = "AAAA" if ":" in address else "A"
        facts[(kind, f"mx{n}.abroad.test")] = [address]


def test_best_first(remote):
    mx(remote, (20, "192.0.2.6"), (10, "192.0.2.5"))
    with Host("192.0.2.5", 25) as a, Host("192.0.2.6", 25) as b:
        outcome, _, host, _ = remote.report(domain="abroad.test")
        assert outcome == DELIVERED
        assert host == "mx1.abroad.test[192.0.2.5]:25"
        assert a.messages and not b.sessions


@pytest.mark.parametrize("replies", [
    {"GREETING": None}, {"GREETING": "554 no"}, {"GREETING": "421 bye"},
    {"EHLO": None}, {"EHLO": "421 bye"}, {"MAIL": "451 later"},
    {"MAIL": None}, {"RCPT": "421 bye"}, {"RCPT": None}, {"DATA": "421 bye"},
    {"GREETING": "hello"}, {"MAIL": "hello"},
])
def test_the_next_one_is_tried(remote, replies):
    mx(remote, (10, "192.0.2.5"), (20, "192.0.2.6"))
    with Host("192.0.2.5", 25, replies) as a, Host("192.0.2.6", 25) as b:
        outcome, _, host, _ = remote.report(domain="abroad.test")
        assert (outcome, host) == (DELIVERED,
                                   "mx1.abroad.test[192.0.2.6]:25")
        assert len(a.sessions) == 1 and b.messages == [MAIL]
    tried, = remote.tried
    assert (tried["name"], tried["address"], tried["port"]) == \
        ("mx0.abroad.test", "192.0.2.5", 25)
    assert tried["reply"] and not tried["tls_version"]


def test_a_report_says_where_it_was(remote):
    """The name, address and port apart; how long it took; no TLS yet."""
    mx(remote, (10, "192.0.2.5"), (20, "192.0.2.6"))
    with Host("192.0.2.5", 25, {"RCPT": "451-4.2.0 one\r\n451 4.2.0 two"}):
        remote.deliver(domain="abroad.test")
        m, = remote.reports()
    assert m["host"] == "mx0.abroad.test[192.0.2.5]:25"
    assert (m["name"], m["address"], m["port"]) == \
        ("mx0.abroad.test", "192.0.2.5", 25)
    assert m["reply"] == "451-4.2.0 one\r\n451 4.2.0 two"
    assert 0 <= m["took"] < 20000
    assert m["tls_version"] == m["tls_cipher"] == ""
    assert not remote.tried


def test_a_long_reply_is_cut_and_says_so(remote):
    mx(remote, (10, "192.0.2.5"))
    reply = "\r\n".join(["451-4.2.0 " + "ä" * 200] * 8 + ["451 4.2.0 end"])
    with Host("192.0.2.5", 25, {"RCPT": reply}):
        remote.deliver(domain="abroad.test")
        m, = remote.reports()
    assert m["reply"].endswith("ä\r\n...") and "\ufffd" not in m["reply"]
    assert 2040 <= len(m["reply"].encode()) <= 2048


@pytest.mark.parametrize("replies, want", [
    ({"RCPT": "450 later"}, DEFERRED), ({"RCPT": "550 no"}, FAILED),
    ({"MAIL": "550 no"}, FAILED), ({"DATA": "451 later"}, DEFERRED),
    ({"DOT": "451 later"}, DEFERRED), ({"DOT": None}, DEFERRED),
    ({"DOT": "421 bye"}, DEFERRED), ({"DOT": "354 what"}, DEFERRED),
])
def test_the_next_one_is_not_tried(remote, replies, want):
    """The host has decided, or may have: asking another could double it."""
    mx(remote, (10, "192.0.2.5"), (20, "192.0.2.6"))
    with Host("192.0.2.5", 25, replies), Host("192.0.2.6", 25) as b:
        assert remote.report(domain="abroad.test")[0] == want
        assert b.sessions == []


def test_only_what_is_left_goes_to_the_next_one(remote):
    mx(remote, (10, "192.0.2.5"), (20, "192.0.2.6"))
    with Host("192.0.2.5", 25, {"RCPT": ["550 no", "421 bye"]}), \
            Host("192.0.2.6", 25) as b:
        remote.deliver(domain="abroad.test",
                       to=["a@abroad.test", "b@abroad.test"])
        found = {m["number"]: m["outcome"] for m in remote.reports(2)}
        assert found == {0: FAILED, 1: DELIVERED}
        assert "RCPT TO:<a@abroad.test>" not in b.sessions[0]


def test_broken_ip6_is_remembered(remote):
    facts = remote.resolver.facts
    facts[("MX", "abroad.test")] = [(10, "mx.abroad.test")]
    # Nobody listens there.
    facts[("AAAA", "mx.abroad.test")] = ["2001:db8::5"]
    facts[("A", "mx.abroad.test")] = ["192.0.2.5"]
    with Host("192.0.2.5", 25) as host:
        assert remote.report(domain="abroad.test")[0] == DELIVERED
        for peer in list(host.open):
            peer.shutdown(socket.SHUT_RDWR)
        wait_for(lambda: not host.open)
        assert remote.report(domain="abroad.test")[0] == DELIVERED
    assert remote.read_log().count(
        ' connect host="mx.abroad.test[2001:db8::5]:25"') == 1


@pytest.mark.parametrize("kind, address", [
    ("A", "127.0.0.1"), ("A", "127.9.8.7"), ("A", "0.0.0.0"), ("AAAA", "::1"),
    ("AAAA", "::"), ("AAAA", "::ffff:127.0.0.1"), ("A", "169.254.1.2"),
    ("A", "224.0.0.1"), ("A", "255.255.255.255"), ("AAAA", "fe80::1"),
    ("AAAA", "ff02::1"), ("AAAA", "::ffff:169.254.1.2")])
def test_strangers_dns_does_not_choose_our_neighbours(remote, kind, address):
    facts = remote.resolver.facts
    facts[("MX", "abroad.test")] = [(10, "mx.abroad.test")]
    facts[(kind, "mx.abroad.test")] = [address]
    listener = "::1" if ":" in address and "." not in address else "0.0.0.0"
    with Host(listener, 25) as host:
        outcome, _, _, reply = remote.report(domain="abroad.test")
        assert (outcome, reply[:5]) == (FAILED, "5.4.6")
        literal = f"[IPv6:{address}]" if kind == "AAAA" else f"[{address}]"
        outcome, _, _, reply = remote.report(domain=literal)
        assert (outcome, reply[:5]) == (FAILED, "5.4.6")
        assert not host.sessions
    serves(remote)


def test_all_down(remote):
    mx(remote, (10, "192.0.2.5"), (20, "192.0.2.6"))
    outcome, scope, host, reply = remote.report(domain="abroad.test")
    assert (outcome, scope) == (DEFERRED, DESTINATION)
    assert host == "mx1.abroad.test[192.0.2.6]:25"
    assert reply == "4.4.1 connect: Connection refused"


def test_refused_for_good_only_if_by_all(remote):
    mx(remote, (10, "192.0.2.5"), (20, "192.0.2.6"))
    with Host("192.0.2.5", 25, {"GREETING": "521 no mail"}), \
            Host("192.0.2.6", 25, {"GREETING": "521 no mail"}):
        assert remote.report(domain="abroad.test")[0] == FAILED
    mx(remote, (10, "192.0.2.7"), (20, "192.0.2.5"))
    with Host("192.0.2.5", 25, {"GREETING": "521 no mail"}):
        assert remote.report(domain="abroad.test")[0] == DEFERRED


def test_our_own_listener_is_a_loop(remote):
    mx(remote, (10, "192.0.2.99"))
    outcome, _, _, reply = remote.report(domain="abroad.test")
    assert outcome == FAILED
    assert reply == "5.4.6 mail loops back to myself: abroad.test"


def test_unknown_relay(remote):
    assert remote.report(relay="gone") == (
        DEFERRED, DESTINATION, "",
        "4.3.5 relay gone is not in the configuration")


# -- Hosts that attack --------------------------------------------------------

def flood(data):
    def handler(host, peer, session):
        while True:
            peer.sendall(data)
    return handler


@pytest.mark.parametrize("name, handler", [
    ("endless-line", flood(b"2" * 4096)),
    ("endless-reply", flood(b"220-x\r\n" * 500)),
    ("nul", flood(b"\0" * 4096)),
    ("newlines", flood(b"\n" * 4096)),
    ("http", flood(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    ("replies-without-end", flood(b"250 ok\r\n" * 500)),
])
def test_flood(remote, name, handler):
    before = remote.descriptors()
    with Host(handler=handler):
        outcome, scope, _, _ = remote.report(relay="one")
    assert (outcome, scope) == (DEFERRED, DESTINATION)
    serves(remote)
    settles(remote, before)


def test_random_hosts(remote):
    """Lines of SMTP in any order; each order ends with one report."""
    dice = random.Random(7)
    lines = [b"220 mx\r\n", b"250 ok\r\n", b"250-mx\r\n250 PIPELINING\r\n",
             b"354 go\r\n", b"450 no\r\n", b"550 no\r\n", b"421 bye\r\n",
             b"\r\n", b"garbage\r\n", b"250-half", b"503 no\r\n"]

    def handler(host, peer, session):
        for _ in range(dice.randrange(1, 9)):
            peer.sendall(dice.choice(lines))
            time.sleep(0.001)

    before = remote.descriptors()
    with Host(handler=handler):
        for _ in range(150):
            remote.deliver(relay="one", to=["a@x.test", "b@x.test"])
            found = remote.reports(2)
            assert {m["number"] for m in found} == {0, 1}
    serves(remote)
    settles(remote, before)


def test_early_refusal_of_a_large_message(remote):
    """The host answers in the middle and closes: its words are reported."""
    content = b"x" * 76 + b"\r\n"

    def handler(host, peer, session):
        file = until_content(peer)
        file.read(100000)
        peer.sendall(b"552 5.3.4 too much for me\r\n")
        time.sleep(0.2)

    with Host(handler=handler):
        assert remote.report(relay="one", content=content * 200000) == (
            FAILED, MESSAGE, ONE, "552 5.3.4 too much for me")


def resident(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f
                    if line.startswith("VmRSS"))


@pytest.mark.skipif(IS_SANITIZED, reason="memory is not returned at once")
def test_memory_is_bounded(remote):
    """Hosts that stop reading: what waits for them stays where it is."""
    content = (b"x" * 76 + b"\r\n") * 300000
    stopped = threading.Event()

    def handler(host, peer, session):
        until_content(peer)
        stopped.wait(30)

    with Host(handler=handler) as host:
        before = resident(remote.pid)
        for _ in range(20):
            remote.deliver(relay="one", content=content)
        wait_for(lambda: len(host.open) == 20)
        time.sleep(1)
        assert resident(remote.pid) - before < 20 * 300
        stopped.set()
        assert {m["outcome"] for m in remote.reports(20)} == {DEFERRED}
    serves(remote)


def test_octets_now_and_then(remote):
    """A reply that never ends gives a host no more time, neither when it is
    idle for 5 s nor when it was told to QUIT, for 5 s."""
    closed = threading.Event()

    def handler(host, peer, session):
        file = until_content(peer)
        while file.readline() != b".\r\n":
            continue
        peer.sendall(b"250 taken\r\n")
        with contextlib.suppress(OSError):
            for octet in b"250-" + b"x" * 40:
                time.sleep(0.5)
                peer.sendall(bytes([octet]))
            return
        closed.set()

    with Host(handler=handler):
        assert remote.report(relay="one")[0] == DELIVERED
        assert closed.wait(15)
    serves(remote)


def test_more_deliveries_than_connections(remote):
    """1024 connections at most; the others wait for one."""
    before = remote.descriptors()
    go = threading.Event()
    most = []

    def wait():
        most.append(len(host.open))
        go.wait(60)
        return "250 taken"

    with Host(replies={"DOT": wait}) as host:
        for _ in range(1044):
            remote.deliver(relay="one")
        wait_for(lambda: len(most) == 1024, 60)
        time.sleep(0.5)
        assert len(host.sessions) == 1024
        go.set()
        assert {m["outcome"] for m in remote.reports(1044, seconds=60)} == \
            {DELIVERED}
    settles(remote, before)


# -- A queue that was taken over ----------------------------------------------

GOOD_TO = records.Message("DELIVER_TO", 1, number=0, address="a@abroad.test",
                          original="a@abroad.test")


@pytest.mark.parametrize("name, data, fds", broken_records(GOOD_TO, "READY"))
def test_broken_record_of_the_queue(remote, name, data, fds):
    other = remote.add_peer("queue")
    serves(remote, other)
    with contextlib.suppress(BrokenPipeError):
        records.send_raw(remote.queue, data, fds)
    assert is_closed(remote.queue)
    serves(remote, other)
    assert remote.is_alive()


ORDER = dict(id=1 << 40, sender="s@example.org", kind=RELAY, name="one",
             next_hop="", body=0, size=len(MAIL), recipients=1)


@pytest.mark.parametrize("change", [
    dict(kind=0), dict(kind=3), dict(kind=255), dict(name=""), dict(body=2),
    dict(recipients=0), dict(recipients=10001), dict(recipients=2**32 - 1),
    dict(size=len(MAIL) + 1), dict(size=0), dict(size=2**63),
    dict(sender="not an address"), dict(sender="a@b\r\nRCPT TO:<x@y>"),
    dict(kind=2, next_hop=""), dict(kind=2, next_hop="a b"),
    dict(kind=2, next_hop="[1.2.3]"), dict(kind=2, next_hop="a..b"),
    dict(ret=3), dict(fresh=2), dict(envid="a b"),
    dict(envid="a\r\nRCPT TO:<x@y>"),
])
def test_bad_order(remote, change):
    other = remote.add_peer("queue")
    fd = memfd(MAIL)
    records.send(remote.queue, "DELIVER", 1, fd=fd, **{**ORDER, **change})
    os.close(fd)
    assert is_closed(remote.queue)
    serves(remote, other)


@pytest.mark.parametrize("wishes", [
    dict(notify=3), dict(notify=32), dict(orcpt="a@b"),
    dict(orcpt="rfc822;a\r\nDATA"), dict(orcpt="rfc822;a DATA")])
def test_bad_wishes_for_reports(remote, wishes):
    other = remote.add_peer("queue")
    fd = memfd(MAIL)
    records.send(remote.queue, "DELIVER", 1, fd=fd, **ORDER)
    os.close(fd)
    records.send(remote.queue, "DELIVER_TO", 1, number=0,
                 address="a@abroad.test", **wishes)
    assert is_closed(remote.queue)
    serves(remote, other)


@pytest.mark.parametrize("seals", [0, 0x7, 0xE, 0xD, 0xB])
def test_unsealed_content(remote, seals):
    other = remote.add_peer("queue")
    fd = memfd(MAIL, seals)
    records.send(remote.queue, "DELIVER", 1, fd=fd, **ORDER)
    os.close(fd)
    assert is_closed(remote.queue)
    serves(remote, other)


def test_content_that_is_no_memfd(remote):
    other = remote.add_peer("queue")
    with open("/dev/zero", "rb") as zero:
        records.send(remote.queue, "DELIVER", 1, fd=zero.fileno(), **ORDER)
    assert is_closed(remote.queue)
    serves(remote, other)


@pytest.mark.parametrize("name", ["twice", "unknown", "too-many", "address"])
def test_out_of_order(remote, name):
    other = remote.add_peer("queue")
    fd = memfd(MAIL)
    if name != "unknown":
        records.send(remote.queue, "DELIVER", 1, fd=fd,
                     **{**ORDER, "name": "one", "recipients": 2})
    if name == "twice":
        records.send(remote.queue, "DELIVER", 1, fd=fd, **ORDER)
    address = "a b@x" if name == "address" else "a@abroad.test"
    with contextlib.suppress(BrokenPipeError):
        for number in range(3 if name == "too-many" else 1):
            records.send(remote.queue, "DELIVER_TO", 1, number=number,
                         address=address, original=address)
    os.close(fd)
    assert is_closed(remote.queue)
    serves(remote, other)


def test_more_orders_than_it_holds(remote):
    """A queue that only orders is cut off; it frees all that it took."""
    before = remote.descriptors()
    other = remote.add_peer("queue")
    fd = memfd(MAIL)
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        for handle in range(20000):
            records.send(remote.queue, "DELIVER", handle, fd=fd, **ORDER)
    os.close(fd)
    serves(remote, other)
    settles(remote, before)


def test_queue_dies(remote):
    """What it ordered is not delivered behind its back."""
    go = threading.Event()

    def wait():
        go.wait(10)
        return "250 ok"

    with Host(replies={"EHLO": "250 mx", "RCPT": wait}) as host:
        before = remote.descriptors()
        remote.deliver(relay="one")
        wait_for(lambda: host.sessions and len(host.sessions[0]) == 3)
        remote.queue.close()
        settles(remote, before)
        go.set()
        time.sleep(0.2)
        assert host.messages == []
    remote.queue = remote.add_peer("queue")
    serves(remote)


# -- A resolver that was taken over -------------------------------------------

GOOD_ANSWER = records.Message("ANSWER", 1, kind=1, outcome=0, records=b"",
                              reason="")


@pytest.mark.parametrize("name, data, fds",
                         broken_records(GOOD_ANSWER, "READY"))
def test_broken_record_of_the_resolver(remote, name, data, fds):
    bad = remote.add_peer("resolver")
    with contextlib.suppress(BrokenPipeError):
        records.send_raw(bad, data, fds)
    assert is_closed(bad)
    remote.resolver = Resolver(remote.add_peer("resolver"), {})
    serves(remote)


@pytest.mark.parametrize("fact", [
    b"\x01", b"\x0a\x00\x05\x00abc\x00", b"\xff" * 100,
    b"\x0a\x00\x03\x00a b\x00", b"\x0a\x00\x03\x00a\x00b\x00",
])
def test_broken_records_in_an_answer(remote, fact):
    remote.resolver.facts[("MX", "abroad.test")] = fact
    outcome, scope, _, reply = remote.report(domain="abroad.test")
    assert (outcome, scope) == (DEFERRED, DESTINATION)
    assert reply.startswith("4.4.3 ")
    remote.resolver.facts[("A", "mx.abroad.test")] = fact
    assert remote.report(relay="named")[0] == DEFERRED
    serves(remote)


@pytest.mark.parametrize("change", [dict(outcome=7), dict(outcome=255),
                                    dict(kind=1)])
def test_wrong_answer(remote, change):
    bad = remote.add_peer("resolver")
    remote.deliver(domain="abroad.test")
    m = records.receive(bad)
    records.send(bad, "ANSWER", m.handle,
                 **{**dict(kind=m["kind"], outcome=0), **change})
    assert is_closed(bad)
    # The question is put to whoever comes next.
    mx(remote, (10, "192.0.2.5"))
    with Host("192.0.2.5", 25):
        remote.resolver = Resolver(remote.add_peer("resolver"),
                                   remote.resolver.facts)
        assert remote.reports()[0]["outcome"] == DELIVERED


def test_answers_that_nobody_asked_for(remote):
    bad = remote.add_peer("resolver")
    for handle in range(1000):
        records.send(bad, "ANSWER", handle, kind=1, outcome=0,
                     records=b"\x04\x00\x7f\x00\x00\x01")
    bad.close()
    remote.resolver = Resolver(remote.add_peer("resolver"), {})
    serves(remote)


def test_resolver_restarts(remote):
    mx(remote, (10, "192.0.2.5"))
    facts = remote.resolver.facts
    dumb = remote.add_peer("resolver")
    with Host("192.0.2.5", 25):
        remote.deliver(domain="abroad.test")
        assert records.receive(dumb)["name"] == "abroad.test"
        dumb.close()
        remote.resolver = Resolver(remote.add_peer("resolver"), facts)
        assert remote.reports()[0]["outcome"] == DELIVERED


@pytest.mark.parametrize("facts, want", [
    ({("MX", "d.test"): SERVFAIL}, DEFERRED),
    ({}, FAILED),
    ({("MX", "d.test"): [(0, "")]}, FAILED),
    ({("MX", "d.test"): NO_DATA}, FAILED),
    ({("MX", "d.test"): NO_DATA, ("A", "d.test"): SERVFAIL}, DEFERRED),
    ({("MX", "d.test"): [(10, HOSTNAME)]}, FAILED),
])
def test_dns(remote, facts, want):
    remote.resolver.facts.update(facts)
    assert remote.report(domain="d.test")[0] == want


# -- The supervisor ------------------------------------------------------------

def test_other_neighbours_are_refused(remote):
    for program in "smtpd", "router", "spawn", "local", "ctl":
        assert is_closed(remote.add_peer(program))
    serves(remote)


def test_drain(remote):
    go = threading.Event()

    def wait():
        go.wait(20)
        return "250 taken"

    with Host(replies={"DOT": wait}) as host:
        remote.deliver(relay="one")
        wait_for(lambda: host.messages)
        records.send(remote.supervisor, "DRAIN", seconds=20)
        time.sleep(0.2)
        assert remote.is_alive()
        go.set()
        assert remote.reports()[0]["outcome"] == DELIVERED
        assert remote.process.wait(5) == 0


def test_drain_when_idle(remote):
    with Host():
        assert remote.report(relay="one")[0] == DELIVERED
        records.send(remote.supervisor, "DRAIN", seconds=20)
        assert remote.process.wait(5) == 0


def test_supervisor_dies(remote):
    remote.supervisor.close()
    remote.process.wait(5)
