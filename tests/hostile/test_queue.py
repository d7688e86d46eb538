"""What a router, an agent or spawn could do to the queue if it were taken
over: end its own link, and nothing else."""
import os
import socket
import threading
import time

import pytest

import records
from program import broken_records, is_closed, memfd, wait_for
from queue_lab import RELAY, Queue, envelope, route

MAIL = b"Received: by test\r\nSubject: hello\r\n\r\nA line.\r\n"
BOUNCE, REDIRECT = 4, 5  # enum ctl_verb
ABANDON = "ABANDON"  # smtpd's, never the router's


def new_id(n=[0]):
    n[0] += 1
    return (time.time_ns() // 1_000_000 << 20) + n[0]


@pytest.fixture(scope="module")
def queue(tmp_path_factory):
    with Queue(tmp_path_factory.mktemp("queue")) as queue:
        yield queue


@pytest.fixture(autouse=True)
def unharmed(queue):
    """After each attack: the same pid, the same number of descriptors, and
    the other link is still served."""
    before = queue.descriptors()
    yield
    assert queue.is_alive(), queue.read_log()
    envelope(queue.router, 7, ident := new_id(), MAIL)
    answer = records.receive(queue.router)
    assert (answer.type, answer["id"], answer["code"]) == \
        ("STORED", ident, 250)
    queue.ask("CTL_ACT", verb=3, id=ident)
    wait_for(lambda: queue.descriptors() <= before, what="descriptors")


def bad_router_records():
    return broken_records(
        records.Message("ROUTE", 1, number=0, address="a@example.com",
                        original="a@example.com", kind=RELAY, name="sink"),
        ABANDON)


@pytest.mark.parametrize("row", bad_router_records(), ids=lambda r: r[0])
def test_router_sends_broken_records(queue, row):
    _, octets, fds = row
    link = queue.add_peer("router")
    records.send_raw(link, octets, fds)
    assert is_closed(link)


def test_route_without_envelope(queue):
    link = queue.add_peer("router")
    route(link, 1, 0)
    assert is_closed(link)


def test_more_routes_than_announced(queue):
    link = queue.add_peer("router")
    envelope(link, 1, new_id(), MAIL)
    route(link, 1, 1)
    assert is_closed(link)


def test_a_handle_used_twice(queue):
    link = queue.add_peer("router")
    envelope(link, 1, new_id(), MAIL, recipients=2)
    fd = memfd(MAIL)
    for _ in range(2):
        records.send(link, "ENVELOPE", 9, fd=fd, id=new_id(),
                     sender="a@example.net", client_address="192.0.2.1",
                     helo="x", protocol=1, size=len(MAIL), recipients=2)
    os.close(fd)
    assert is_closed(link)


@pytest.mark.parametrize("changes", [
    {"seals": 0}, {"seals": 7}, {"size": len(MAIL) + 1}, {"size": 0},
    {"sender": "not an address"}, {"sender": "a@b\r\nRCPT TO:<x@y>"},
    {"id": 0}, {"recipients": 0}, {"recipients": 2 ** 31}, {"protocol": 200},
    {"body": 99}, {"ret": 3}, {"envid": "a b"}, {"envid": "a\r\nQUIT"},
    {"envid": "x" * 101}, {"client_address": "client"},
    {"client_name": "a b"}, {"tls_version": "TLSv1.3"},
    {"tls_cipher": "AES"}, {"tls_version": "\x1b[2J", "tls_cipher": "AES"},
    {"config": "x" * 513}], ids=str)
def test_envelopes_that_lie(queue, changes):
    link = queue.add_peer("router")
    count = changes.get("recipients", 1)
    try:
        envelope(link, 1, changes.get("id", new_id()), MAIL,
                 **{k: v for k, v in changes.items()
                    if k not in ("id", "recipients")},
                 recipients=1 if count else 0) if count <= 1 else \
            send_huge(link, count)
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert is_closed(link)


def send_huge(link, recipients):
    fd = memfd(MAIL)
    records.send(link, "ENVELOPE", 1, fd=fd, id=new_id(),
                 sender="a@example.net", client_address="192.0.2.1",
                 helo="x", protocol=1, size=len(MAIL), recipients=recipients)
    os.close(fd)


@pytest.mark.parametrize("changes", [
    {"address": "nonsense"}, {"address": ""}, {"kind": 77}, {"number": 5},
    {"name": ""}, {"kind": 0, "user": ""}, {"kind": 0, "user": "../x"},
    {"notify": 3}, {"notify": 16}, {"expanded": 2}, {"orcpt": "r0@example.com"},
    {"orcpt": "rfc822;a\r\nDATA"}, {"orcpt": "rfc822;" + "x" * 494},
    {"via": "alias"}, {"via": "a\tp\tt\tf\tx"}, {"via": "a\tp\tt\tf\t1\n"},
    {"via": "a\x1b\tp\tt\tf\t1"}, {"via": "...\n..."},
    {"via": "\n".join(["a\tp\tt\tf\t1"] * 200)}],
    ids=str)
def test_routes_that_lie(queue, changes):
    link = queue.add_peer("router")
    send_huge(link, 1)
    route(link, 1, changes.pop("number", 0), **changes)
    assert is_closed(link)


def test_a_message_says_that_it_is_a_report(queue):
    link = queue.add_peer("router")
    fd = memfd(MAIL)
    records.send(link, "ENVELOPE", 1, fd=fd, id=new_id(), sender="",
                 client_address="", helo="", protocol=0, size=len(MAIL),
                 recipients=1, inject=1)
    os.close(fd)
    route(link, 1, 0)
    assert is_closed(link)


def test_an_answer_to_no_report(queue):
    """Late, or invented: nothing happens. With a code that is none it is
    the router that is broken."""
    records.send(queue.router, "UNROUTED", 99, code=550, reply="5.1.1 x")
    link = queue.add_peer("router")
    records.send(link, "UNROUTED", 99, code=250, reply="2.0.0 x")
    assert is_closed(link)


@pytest.fixture
def failed(queue):
    """The queue with a router of its own, which is given a report."""
    link = queue.add_peer("router")
    envelope(link, 1, ident := new_id(), MAIL, sender="s@example.net")
    assert records.receive(link)["code"] == 250
    queue.ask("CTL_ACT", verb=4, id=ident)
    report = records.receive(link, 10)
    assert (report.type, report["address"]) == ("INJECT", "s@example.net")
    yield link, ident, report
    os.close(report.fd)
    link.close()
    queue.ask("CTL_ACT", verb=3, id=ident)


def send_back(link, report, ident, fd=None, **changes):
    fields = dict(id=ident, sender="", client_address="", helo="", user="",
                  protocol=6, body=0, size=report["size"], recipients=1,
                  inject=report.handle)
    fields.update(changes)
    records.send(link, "ENVELOPE", 5, fd=report.fd if fd is None else fd,
                 **fields)
    try:
        route(link, 5, 0)
    except OSError:
        pass


def test_a_report_settles_what_it_tells(queue, failed):
    link, ident, report = failed
    send_back(link, report, made := new_id(), protocol=0)
    assert records.receive(link)["code"] == 250
    assert not [i for i in queue.items() if i["id"] == ident]
    assert b"multipart/report" in queue.content(made)
    queue.ask("CTL_ACT", verb=3, id=made)


def test_what_is_being_told_is_not_tried_again(queue, failed):
    """The sender would hear that it failed, and it might be delivered."""
    def retry():
        return queue.ask("CTL_ACT", verb=0, id=ident)[-1]

    link, ident, report = failed
    end = retry()
    assert (end["code"], end["count"]) == (os.EX_TEMPFAIL, 0)
    assert "reported on just now" in end["text"]
    assert [i["state"] for i in queue.items() if i["id"] == ident] == [2]
    records.send(link, "UNROUTED", report.handle, code=451, reply="not now")
    wait_for(lambda: retry()["code"] == 0, what="the end of the report")
    assert [i["state"] for i in queue.items() if i["id"] == ident] == [0]


@pytest.mark.parametrize("changes", [
    {"sender": "x@example.net"}, {"inject": 0xffffffff}, {"size": 1}],
    ids=str)
def test_a_report_that_comes_back_as_another(queue, failed, changes):
    """What failed stays where it is, and is told of over the next link."""
    link, ident, report = failed
    send_back(link, report, new_id(), protocol=0, **changes)
    assert is_closed(link)
    assert [i["state"] for i in queue.items() if i["id"] == ident] == [2]
    again = records.receive(queue.router, 10)
    assert (again.type, again["address"]) == ("INJECT", "s@example.net")
    records.send(queue.router, "UNROUTED", again.handle, code=451, reply="x")
    os.close(again.fd)


def test_a_report_with_another_content(queue, failed):
    link, ident, report = failed
    fd = memfd(b"x" * report["size"])
    send_back(link, report, new_id(), fd, protocol=0)
    os.close(fd)
    assert is_closed(link)
    assert [i["state"] for i in queue.items() if i["id"] == ident] == [2]
    again = records.receive(queue.router, 10)
    records.send(queue.router, "UNROUTED", again.handle, code=451, reply="x")
    os.close(again.fd)


def test_a_report_that_comes_back_by_another_link(queue, failed):
    _, ident, report = failed
    other = queue.add_peer("router")
    send_back(other, report, new_id(), protocol=0)
    assert is_closed(other)
    assert [i["state"] for i in queue.items() if i["id"] == ident] == [2]


def test_a_report_that_comes_back_twice(queue, failed):
    link, _, report = failed
    send_back(link, report, made := new_id(), protocol=0)
    assert records.receive(link)["code"] == 250
    send_back(link, report, twice := new_id(), protocol=0)
    assert is_closed(link)
    assert not [i for i in queue.items() if i["id"] == twice]
    queue.ask("CTL_ACT", verb=3, id=made)


def test_a_report_that_is_begun_and_not_ended(queue, failed):
    """It holds nothing up: what comes whole is taken, once."""
    link, ident, report = failed
    begun = dict(id=new_id(), sender="", client_address="", helo="",
                 protocol=0, size=report["size"], recipients=1,
                 inject=report.handle)
    records.send(link, "ENVELOPE", 4, fd=report.fd, **begun)
    send_back(link, report, made := new_id(), protocol=0)
    assert records.receive(link)["code"] == 250
    assert not [i for i in queue.items() if i["id"] == ident]
    route(link, 4, 0)
    assert is_closed(link)
    assert not [i for i in queue.items() if i["id"] == begun["id"]]
    queue.ask("CTL_ACT", verb=3, id=made)


def test_a_router_that_dies_with_a_report(queue, failed):
    link, ident, _ = failed
    link.close()
    again = records.receive(queue.router, 10)
    assert (again.type, again["address"]) == ("INJECT", "s@example.net")
    send_back(queue.router, again, made := new_id(), protocol=0)
    os.close(again.fd)
    assert records.receive(queue.router)["code"] == 250
    assert not [i for i in queue.items() if i["id"] == ident]
    queue.ask("CTL_ACT", verb=3, id=made)


@pytest.mark.parametrize("code", [0, 250, 354, 65535])
def test_a_report_that_is_refused_with_no_refusal(queue, failed, code):
    link, ident, report = failed
    records.send(link, "UNROUTED", report.handle, code=code, reply="x")
    assert is_closed(link)
    assert [i["state"] for i in queue.items() if i["id"] == ident] == [2]
    again = records.receive(queue.router, 10)
    records.send(queue.router, "UNROUTED", again.handle, code=451,
                 reply="\x1b[2J\r\nevil")
    os.close(again.fd)
    wait_for(lambda: "x1b[2J" in queue.read_log(), what="the log")
    assert "\x1b" not in queue.read_log()


def test_a_report_that_nobody_takes(queue, failed):
    """The sender is refused, then the administrator: it stays, listed."""
    link, ident, report = failed
    records.send(link, "UNROUTED", report.handle, code=550, reply="5.1.1 no")
    notice = records.receive(link, 10)
    assert (notice.type, notice["address"]) == ("INJECT", "postmaster")
    records.send(link, "UNROUTED", notice.handle, code=550, reply="5.1.1 no")
    os.close(notice.fd)
    wait_for(lambda: "report-given-up" in queue.read_log(), what="the log")
    assert [i["state"] for i in queue.items() if i["id"] == ident] == [2]


@pytest.fixture
def redirected(queue):
    """The queue with a router of its own, which is asked where to redirect a
    message to; and what the administrator is told."""
    link = queue.add_peer("router")
    envelope(link, 1, ident := new_id(), MAIL, sender="s@example.net",
             envid="QQ1")
    assert records.receive(link)["code"] == 250
    answers = []
    asks = threading.Thread(target=lambda: answers.extend(queue.ask(
        "CTL_ACT", verb=REDIRECT, id=ident, to="new@example.org")))
    asks.start()
    question = records.receive(link, 10)
    assert (question.type, question["address"], question["sender"],
            question["hops"]) == ("INJECT", "new@example.org",
                                  "s@example.net", 1)

    def told():
        asks.join(10)
        assert [a.type for a in answers] == ["CTL_REDIRECTED", "CTL_END"]
        return answers[0]

    yield link, ident, question, told
    os.close(question.fd)
    link.close()
    asks.join(10)
    queue.ask("CTL_ACT", verb=3, id=ident)


def give_back(link, question, ident, fd=None, **changes):
    send_back(link, question, ident, fd,
              **{"sender": "s@example.net", "protocol": 0, **changes})


def recipients_of(queue, ident):
    return [(i["address"], i["state"]) for i in queue.items()
            if i["id"] == ident]


def test_a_redirection_takes_their_place(queue, redirected):
    """Whatever the router says of the sender and the client."""
    link, ident, question, told = redirected
    give_back(link, question, made := new_id(), sender="liar@example.net",
              client_address="203.0.113.1", helo="liar", user="liar",
              protocol=1, body=1, envid="liar", ret=1)
    assert records.receive(link)["code"] == 250
    assert (told()["made"], told()["recipients"], told()["code"]) == \
        (made, 1, 250)
    assert not recipients_of(queue, ident)
    assert queue.content(made) == MAIL
    message = queue.ask("CTL_SHOW", id=made)[0]
    os.close(message.fd)
    assert [message[n] for n in ("sender", "client_address", "helo", "user",
                                 "body", "envid", "ret")] == \
        ["s@example.net", "192.0.2.1", "client.test", "", 0, "QQ1", 0]
    item, = [i for i in queue.items() if i["id"] == made]
    assert item["original"] == "r0@example.com"
    queue.ask("CTL_ACT", verb=3, id=made)


@pytest.mark.parametrize("changes", [
    {"inject": 0xffffffff}, {"inject": 0x80000000}, {"inject": 1},
    {"size": 1}, {"recipients": 0}], ids=str)
def test_a_redirection_that_comes_back_as_another(queue, redirected, changes):
    link, ident, question, told = redirected
    give_back(link, question, made := new_id(), **changes)
    assert is_closed(link)
    assert (told()["made"], told()["code"]) == (0, 451)
    assert recipients_of(queue, ident) == [("r0@example.com", 0)]
    assert not recipients_of(queue, made)


def test_a_redirection_with_another_content(queue, redirected):
    link, ident, question, told = redirected
    fd = memfd(MAIL)
    give_back(link, question, new_id(), fd)
    os.close(fd)
    assert is_closed(link)
    assert told()["made"] == 0
    assert recipients_of(queue, ident) == [("r0@example.com", 0)]


def test_a_redirection_that_comes_back_twice(queue, redirected):
    link, ident, question, told = redirected
    give_back(link, question, made := new_id())
    assert records.receive(link)["code"] == 250
    assert told()["made"] == made
    give_back(link, question, again := new_id())
    assert is_closed(link)
    assert not recipients_of(queue, ident)
    assert len(recipients_of(queue, made)) == 1
    assert not recipients_of(queue, again)
    queue.ask("CTL_ACT", verb=3, id=made)


def test_a_redirection_over_another_link(queue, redirected):
    link, ident, question, told = redirected
    other = queue.add_peer("router")
    give_back(other, question, new_id())
    assert is_closed(other)
    assert recipients_of(queue, ident) == [("r0@example.com", 0)]
    records.send(link, "UNROUTED", question.handle, code=451, reply="4.3.0 x")
    assert told()["code"] == 451


def test_a_redirection_that_is_never_whole(queue, redirected):
    """The router dies between its routes."""
    link, ident, question, told = redirected
    give_back(link, question, new_id(), recipients=2)
    link.close()
    assert (told()["made"], told()["code"]) == (0, 451)
    assert recipients_of(queue, ident) == [("r0@example.com", 0)]


def test_a_redirection_that_is_refused(queue, redirected):
    link, ident, question, told = redirected
    records.send(link, "UNROUTED", question.handle, code=550,
                 reply="5.1.1 no\r\nsuch")
    assert (told()["made"], told()["code"]) == (0, 550)
    records.send(link, "UNROUTED", question.handle, code=550, reply="again")
    assert recipients_of(queue, ident) == [("r0@example.com", 0)]


def test_a_known_id_is_refused(queue):
    envelope(queue.router, 1, ident := new_id(), MAIL)
    assert records.receive(queue.router)["code"] == 250
    envelope(queue.router, 2, ident, MAIL)
    assert 400 <= records.receive(queue.router)["code"] < 500
    queue.ask("CTL_ACT", verb=3, id=ident)


def test_a_router_that_leaves_in_the_middle(queue):
    link = queue.add_peer("router")
    envelope(link, 1, new_id(), MAIL, recipients=1)
    send_huge(link, 1000)
    link.close()


def test_a_router_that_never_ends_a_message(queue):
    """It opens envelopes without end: bounded, then shown the door."""
    link = queue.add_peer("router")
    fd = memfd(MAIL)
    link.settimeout(5)
    try:
        for handle in range(1, 200_000):
            records.send(link, "ENVELOPE", handle, fd=fd, id=new_id(),
                         sender="a@example.net", client_address="192.0.2.1",
                         helo="x", protocol=1, size=len(MAIL), recipients=2)
    except (BrokenPipeError, ConnectionResetError, TimeoutError):
        pass
    else:
        assert is_closed(link)
    finally:
        os.close(fd)
        link.close()


def a_delivery(queue, agent):
    """One message on its way through this agent: id and DELIVER."""
    envelope(queue.router, 3, ident := new_id(), MAIL)
    assert records.receive(queue.router)["code"] == 250
    while True:
        m = records.receive(agent)
        if m.type == "DELIVER":
            os.close(m.fd)
            if m["id"] == ident:
                records.receive(agent)
                return ident, m


@pytest.fixture
def agent(queue):
    link = queue.add_peer("remote", generation=2)
    yield link
    link.close()


def present(queue, ident):
    return any(i["id"] == ident for i in queue.items())


def finish(queue, ident):
    queue.ask("CTL_ACT", verb=3, id=ident)
    wait_for(lambda: not present(queue, ident))


@pytest.mark.parametrize("handle, number", [
    (0xffffffff, 0), (12345, 0), (None, 7), (None, 0xffffffff)])
def test_reports_on_what_was_never_given(queue, agent, handle, number):
    ident, m = a_delivery(queue, agent)
    records.send(agent, "REPORT", m.handle if handle is None else handle,
                 number=number, outcome=0, scope=0, host="x", reply="ok")
    time.sleep(0.2)
    assert present(queue, ident)
    finish(queue, ident)


def test_reports_with_numbers_out_of_range(queue, agent):
    ident, m = a_delivery(queue, agent)
    records.send(agent, "REPORT", m.handle, number=0, outcome=200, scope=200,
                 host="x", reply="ok")
    assert is_closed(agent)
    assert present(queue, ident)
    finish(queue, ident)


@pytest.mark.parametrize("changes", [
    {"relayed": 2}, {"relayed": 255}, {"relayed": 1, "outcome": 1},
    {"relayed": 1, "outcome": 2}], ids=str)
def test_relayed_what_was_not(queue, agent, changes):
    ident, m = a_delivery(queue, agent)
    records.send(agent, "REPORT", m.handle, **{
        **dict(number=0, outcome=0, scope=0, host="x", reply="ok"), **changes})
    assert is_closed(agent)
    assert present(queue, ident)
    finish(queue, ident)


HOST = dict(name="mx.test", address="192.0.2.1", port=25)


@pytest.mark.parametrize("changes", [
    {**HOST, "address": "192.0.2.1.5"}, {**HOST, "name": "a b"},
    {**HOST, "port": 0}, {"name": "mx.test"}, {"port": 25},
    {**HOST, "tls_version": "TLSv1.3"}, {**HOST, "tls_cipher": "AES"},
    {"tls_version": "TLSv1.3", "tls_cipher": "AES"},
    {**HOST, "tls_version": "TLS v1", "tls_cipher": "AES"}], ids=str)
@pytest.mark.parametrize("type_", ["REPORT", "TRIED"])
def test_hosts_that_cannot_be(queue, agent, type_, changes):
    ident, m = a_delivery(queue, agent)
    fields = dict(number=0, outcome=0, scope=0, host="x") \
        if type_ == "REPORT" else {}
    records.send(agent, type_, m.handle, reply="ok", **fields, **changes)
    assert is_closed(agent)
    assert present(queue, ident)
    finish(queue, ident)


def test_more_hosts_than_there_are(queue, agent):
    """Each costs the history a row."""
    ident, m = a_delivery(queue, agent)
    for _ in range(41):
        records.send(agent, "TRIED", m.handle, reply="no", **HOST)
    assert is_closed(agent)
    assert len(life(queue, ident)) <= 1 + 40
    finish(queue, ident)


def test_a_host_tried_for_nothing(queue, agent):
    """Late, or made up: dropped, and the link stays."""
    ident, m = a_delivery(queue, agent)
    for handle in 0xffffffff, 12345:
        records.send(agent, "TRIED", handle, reply="no", **HOST)
    records.send(agent, "REPORT", m.handle, number=0, outcome=0, scope=0,
                 host="x", reply="ok")
    wait_for(lambda: not present(queue, ident))
    assert [e["what"] for e in life(queue, ident)] == [0, 1]


def life(queue, ident):
    return [a for a in queue.ask("CTL_TRACE", id=ident)
            if a.type == "CTL_EVENT"]


def test_all_that_is_said_is_told(queue, agent):
    """Every field of the history, after the message has gone."""
    ident = new_id()
    fd = memfd(MAIL)
    records.send(queue.router, "ENVELOPE", 5, fd=fd, id=ident,
                 sender="a@example.net", client_address="2001:db8::1",
                 client_name="client.test", helo="hello", user="sue",
                 protocol=4, size=len(MAIL), recipients=2,
                 tls_version="TLSv1.3", tls_cipher="AES", config="/etc/p.conf")
    os.close(fd)
    via = "list\tpeople\taliases\t/etc/aliases\t7"
    for n in 0, 1:
        route(queue.router, 5, n, rule=31, via=via,
              original="list@here.test")
    assert records.receive(queue.router)["code"] == 250
    while (m := records.receive(agent)).type != "DELIVER" or \
            m["id"] != ident:
        if m.fd is not None:
            os.close(m.fd)
    os.close(m.fd)
    records.send(agent, "TRIED", m.handle, reply="421 bye", took=3, **HOST)
    time.sleep(0.05)
    tls = dict(tls_version="TLSv1.2", tls_cipher="ECDHE")
    for n in 0, 1:
        # No agent has had it for longer than it was given.
        records.send(agent, "REPORT", m.handle, number=n, outcome=0, scope=0,
                     host="mx.test[192.0.2.1]:25", reply="250-a\r\n250 b",
                     took=2 ** 32 - 1 if n else 0, **HOST, **tls)
    wait_for(lambda: not present(queue, ident))
    one, two, tried, first, last = life(queue, ident)
    for n, e in enumerate((one, two)):
        want = dict(
            what=0, recipient=n, address=f"r{n}@example.com",
            sender="a@example.net", original="list@here.test",
            host="client.test", peer="2001:db8::1", tls_version="TLSv1.3",
            tls_cipher="AES", helo="hello", user="sue", protocol=5,
            size=len(MAIL), config="/etc/p.conf", rule=31, via=via, route=2,
            name="sink", owner="", detail="", destination="relay:sink")
        assert want.items() <= e.items(), (want, e)
    assert {"what": 11, "detail": "421 bye", "host": "mx.test",
            "peer": "192.0.2.1", "port": 25, "tls_version": "",
            "address": ""}.items() <= tried.items(), tried
    for n, e in enumerate((first, last)):
        assert {"what": 1, "recipient": n, "host": "mx.test",
                "peer": "192.0.2.1", "port": 25, "attempt": 1,
                "detail": "250-a\r\n250 b", **tls}.items() <= e.items(), e
    assert first["took"] == 0 and 50 <= last["took"] < 60000


def test_who_did_it(queue):
    envelope(queue.router, 6, ident := new_id(), MAIL)
    assert records.receive(queue.router)["code"] == 250
    for verb in 1, 2, 0, 3:
        queue.ask("CTL_ACT", verb=verb, id=ident)
    acts = [e for e in life(queue, ident) if e["what"] in (4, 5, 6, 7)]
    assert [e["what"] for e in acts] == [4, 5, 6, 7]
    assert {e["by"] for e in acts} == {os.getuid() + 1}


def test_relayed(queue, agent):
    ident, m = a_delivery(queue, agent)
    records.send(agent, "REPORT", m.handle, number=0, outcome=0, scope=0,
                 host="x", reply="ok", relayed=1)
    wait_for(lambda: not present(queue, ident))


def test_wishes_for_reports_reach_the_agent(queue, agent):
    ident = new_id()
    fd = memfd(MAIL)
    records.send(queue.router, "ENVELOPE", 5, fd=fd, id=ident,
                 sender="a@example.net", client_address="192.0.2.1",
                 helo="x", protocol=1, size=len(MAIL), recipients=1, ret=2,
                 envid="QQ+20x")
    os.close(fd)
    route(queue.router, 5, 0, notify=6, orcpt="rfc822;a+2Bb@example.com")
    assert records.receive(queue.router)["code"] == 250
    while (m := records.receive(agent)).type != "DELIVER" or \
            m["id"] != ident:
        if m.fd is not None:
            os.close(m.fd)
    os.close(m.fd)
    to = records.receive(agent)
    assert (m["ret"], m["envid"]) == (2, "QQ+20x")
    assert (to["notify"], to["orcpt"]) == (6, "rfc822;a+2Bb@example.com")
    item, = [i for i in queue.items() if i["id"] == ident]
    assert (item["notify"], item["orcpt"]) == (6, "rfc822;a+2Bb@example.com")
    finish(queue, ident)


def test_what_is_in_flight_is_not_given_up(queue, agent):
    """Its sender would hear that it failed, and it may be delivered."""
    ident, delivery = a_delivery(queue, agent)
    assert [a.type for a in queue.ask("CTL_ACT", verb=BOUNCE, id=ident,
                                      dry_run=1)] == ["CTL_END"]
    end = queue.ask("CTL_ACT", verb=BOUNCE, id=ident)[-1]
    assert (end["code"], end["count"]) == (os.EX_TEMPFAIL, 0)
    assert [i["state"] for i in queue.items() if i["id"] == ident] == [0]
    records.send(agent, "REPORT", delivery.handle, number=0, outcome=1,
                 scope=0, host="x", reply="450 later")
    wait_for(lambda: queue.ask("CTL_ACT", verb=BOUNCE, id=ident)[-1]["count"],
             what="the end of the delivery")
    assert [i["state"] for i in queue.items() if i["id"] == ident] == [2]
    finish(queue, ident)


def test_a_report_sent_twice(queue, agent):
    ident, m = a_delivery(queue, agent)
    for _ in range(3):
        records.send(agent, "REPORT", m.handle, number=0, outcome=0, scope=0,
                     host="x", reply="ok")
    wait_for(lambda: not present(queue, ident))


def test_one_agent_cannot_report_for_another(queue, agent):
    ident, m = a_delivery(queue, agent)
    other = queue.add_peer("remote", generation=2)
    records.send(other, "REPORT", m.handle, number=0, outcome=0, scope=0,
                 host="x", reply="ok")
    time.sleep(0.2)
    assert present(queue, ident)
    other.close()
    finish(queue, ident)


def test_an_agent_that_dies_loses_nothing(queue, agent):
    ident, _ = a_delivery(queue, agent)
    agent.close()
    assert present(queue, ident)
    finish(queue, ident)


def test_an_agent_s_evil_reply_is_kept_and_printed_safely(queue, agent):
    ident, m = a_delivery(queue, agent)
    records.send(agent, "REPORT", m.handle, number=0, outcome=1, scope=0,
                 host="x", reply=b"450 \x1b[2J\r\ndelivered id=0 \xff")
    wait_for(lambda: any(i["id"] == ident and i["reply"]
                         for i in queue.items()))
    assert "\x1b" not in queue.read_log()
    assert "\ndelivered id=0" not in queue.read_log()
    finish(queue, ident)


@pytest.mark.parametrize("row", broken_records(
    records.Message("REPORT", 1, number=0, host="h", reply="r"), "STORED"),
    ids=lambda r: r[0])
def test_agent_sends_broken_records(queue, row):
    _, octets, fds = row
    link = queue.add_peer("remote", generation=2)
    records.send_raw(link, octets, fds)
    assert is_closed(link)


@pytest.mark.parametrize("row", broken_records(
    records.Message("REFUSED", 1, outcome=1, reply="r"), "STORED"),
    ids=lambda r: r[0])
def test_spawn_sends_broken_records(queue, row):
    _, octets, fds = row
    link = queue.add_peer("spawn", generation=2)
    records.send_raw(link, octets, fds)
    assert is_closed(link)


def test_a_worker_that_nobody_hired(queue):
    link = queue.add_peer("spawn", generation=2)
    fd = memfd(b"not a socket")
    records.send(link, "WORKER", 4711, fd=fd, pid=1)
    os.close(fd)
    time.sleep(0.2)


def test_a_mailbox_relays_nothing(queue):
    """It is the end of the way: a worker that says otherwise lies."""
    spawn = queue.add_peer("spawn", generation=2)
    fd, ident = memfd(MAIL), new_id()
    records.send(queue.router, "ENVELOPE", 6, fd=fd, id=ident,
                 sender="a@example.net", client_address="192.0.2.1",
                 helo="x", protocol=1, size=len(MAIL), recipients=1)
    os.close(fd)
    route(queue.router, 6, 0, kind=0, name="people", user="daemon")
    assert records.receive(queue.router)["code"] == 250
    hire = records.receive(spawn)
    assert (hire.type, hire["user"]) == ("HIRE", "daemon")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    records.send(spawn, "WORKER", hire.handle, fd=theirs.fileno(), pid=1)
    theirs.close()
    m = records.receive(ours)
    os.close(m.fd)
    assert (m.type, records.receive(ours).type) == ("DELIVER", "DELIVER_TO")
    records.send(ours, "REPORT", m.handle, number=0, outcome=0, scope=0,
                 host="x", reply="2.0.0 ok", relayed=1)
    assert is_closed(ours)
    assert present(queue, ident)
    finish(queue, ident)
    spawn.close()


class HangingAgent:
    """It takes what it is given, reports on one host, and on no other."""

    def __init__(self, link, sound):
        self.link, self.sound = link, sound
        self.given, self.reported = 0, 0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while (m := records.receive(self.link, 60)) is not None:
            if m.type != "DELIVER":
                continue
            os.close(m.fd)
            self.given += 1
            if m["next_hop"] == self.sound:
                records.send(self.link, "REPORT", m.handle, number=0,
                             outcome=0, scope=0, host="x", reply="250 ok")
                self.reported += 1


def test_hosts_that_hang_delay_nobody(tmp_path):
    with Queue(tmp_path) as queue:
        def submit(**where):
            fd = memfd(MAIL)
            records.send(queue.router, "ENVELOPE", 1, fd=fd, id=new_id(),
                         sender="a@example.net", client_address="192.0.2.1",
                         helo="x", protocol=1, size=len(MAIL), recipients=1)
            os.close(fd)
            route(queue.router, 1, 0, **where)

        def submit_to(*hosts):
            for host in hosts:
                submit(kind=2, name="", address=f"u@{host}",
                       original=f"u@{host}")
            for _ in hosts:
                assert records.receive(queue.router, 20)["code"] == 250

        spawn = queue.add_peer("spawn")
        agent = HangingAgent(queue.add_peer("remote"), "sound.example")
        submit_to("sound.example")
        wait_for(lambda: agent.reported == 1)
        for first in range(0, 4600, 100):
            submit_to(*(f"hangs{first + i}.example" for i in range(100)))
        wait_for(lambda: agent.given >= 700)
        submit_to("sound.example")
        wait_for(lambda: agent.reported == 2)
        submit(kind=0, name="people", user="alice",
               address="alice@example.org", original="alice@example.org")
        assert records.receive(spawn, 10)["user"] == "alice"


def test_users_whose_homes_hang_delay_others_little(tmp_path):
    """Their workers take what they are given, and say nothing."""
    links = []
    with Queue(tmp_path) as queue:
        def submit(user):
            fd = memfd(MAIL)
            address = f"{user}@example.org"
            records.send(queue.router, "ENVELOPE", 1, fd=fd, id=new_id(),
                         sender="a@example.net", client_address="192.0.2.1",
                         helo="x", protocol=1, size=len(MAIL), recipients=1)
            os.close(fd)
            route(queue.router, 1, 0, kind=0, name="people", user=user,
                  address=address, original=address)
            assert records.receive(queue.router, 20)["code"] == 250

        def hire():
            m = records.receive(spawn, 20)
            ours, theirs = socket.socketpair(
                socket.AF_UNIX, socket.SOCK_SEQPACKET)
            records.send(spawn, "WORKER", m.handle, fd=theirs.fileno(), pid=1)
            theirs.close()
            links.append(ours)
            return m["user"]

        spawn = queue.add_peer("spawn")
        for i in range(200):
            submit(f"hangs{i}")
            hire()
        for link in links:
            m = records.receive(link, 10)
            assert m.type == "DELIVER"
            os.close(m.fd)
        submit("alice")
        start = time.monotonic()
        assert hire() == "alice"
        assert time.monotonic() - start < 15
        assert records.receive(links[-1], 10).type == "DELIVER"
        for link in links:
            link.close()
