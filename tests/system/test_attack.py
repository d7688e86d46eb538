"""Peers that mean harm: what they do to others must stay small."""
import contextlib
import socket

import pytest

from lab import Postern
from test_receive import HERE, send, wait_for_mail

HERE6 = "2001:db8::10"
CLIENTS, CLIENTS_OF_ONE = 20, 4


@pytest.fixture(scope="module")
def postern(lab, config):
    """Small, so that few clients fill it."""
    instance = Postern(lab.hosts["here"], config + f"""
limit workers 1
limit connections {CLIENTS}
limit connections per address {CLIENTS_OF_ONE}
""", "small")
    yield instance
    instance.close()


@contextlib.contextmanager
def crowd(connections):
    """Connections that do nothing; yields how many were greeted."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(c) for c in connections]
        yield sum(s.recv(4) == b"220 " for s in sockets)


def serves_others(lab):
    """Mail of somebody else comes in meanwhile."""
    token, _ = send(lab.hosts["client"], "a@else.test", ["bob@here.test"])
    wait_for_mail(lab, "bob", token)


def from_own_network(host, count):
    """Each from an IPv6 address of its own, which the host makes up."""
    for i in range(1, count + 1):
        host.run("ip", "-6", "addr", "add", f"2001:db8::50:{i:x}/64", "dev",
                 "eth0", "nodad", "preferred_lft", "0")
        with host.inside():
            client = socket.socket(socket.AF_INET6)
            client.settimeout(10)
            client.bind((f"2001:db8::50:{i:x}", 0))
            client.connect((HERE6, 25))
        yield client


def test_many_addresses_of_one_network(lab, postern, stranger):
    """Whoever has an IPv6 network has 2^64 addresses."""
    with crowd(from_own_network(stranger, CLIENTS)) as greeted:
        assert greeted == CLIENTS_OF_ONE
        serves_others(lab)


def test_local_user_with_many_connections(lab, postern):
    here = lab.hosts["here"]
    with crowd(here.connect("127.0.0.1") for _ in range(CLIENTS)) as greeted:
        assert greeted == CLIENTS / 2
        serves_others(lab)


def test_who_waits_comes_in_when_another_leaves(lab, postern):
    """When there is no room the next waits in the kernel, not for long."""
    hosts = lab.hosts
    places = [(hosts["here"], "127.0.0.1")] * (CLIENTS // 2) + \
        [(hosts["stranger"], HERE)] * CLIENTS_OF_ONE + \
        [(hosts["client"], HERE)] * CLIENTS_OF_ONE + \
        [(hosts["second"], HERE)] * (CLIENTS // 2 - 2 * CLIENTS_OF_ONE)
    with contextlib.ExitStack() as stack:
        inside = [stack.enter_context(h.connect(a)) for h, a in places]
        assert all(s.recv(4) == b"220 " for s in inside)
        waits = stack.enter_context(hosts["second"].connect(HERE, timeout=1))
        with pytest.raises(TimeoutError):
            waits.recv(4)
        inside[0].close()
        waits.settimeout(5)
        assert waits.recv(4) == b"220 "
