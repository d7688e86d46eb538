"""posternctl pause --listening: clients find the ports closed, as if nobody
listened, until it is resumed."""
import json
import os
import signal
import socket
import sys
import pathlib
import time

import pytest

from lab import wait_for
from test_ctl_access import ctl, member
from test_send import submit

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "hostile"))
from program import cpu_seconds  # noqa: E402

HERE4, HERE6 = "192.0.2.10", "2001:db8::10"


@pytest.fixture
def quiet(postern):
    done = postern.ctl("pause", "--listening")
    assert done.stdout == "listening is paused\n"
    yield
    postern.ctl("resume", "--listening", check=False)


def is_refused(client, address=HERE4, port=25):
    try:
        client.connect(address, port, 2).close()
    except ConnectionRefusedError:
        return True
    return False


def listening(postern):
    return {s["name"]: s["value"] for s in postern.ctl_json("stats")}[
        "listening"]


def resume(postern, client):
    done = postern.ctl("resume", "--listening")
    assert done.stdout == "listening is resumed\n"
    assert listening(postern) == 1
    ident, _ = submit(client, "alice@here.test")
    assert ident


def test_ports_are_closed(postern, client, quiet):
    """At once, and on each address; nobody else can have them."""
    assert is_refused(client) and is_refused(client, HERE6)
    assert listening(postern) == 0
    with postern.host.inside(), pytest.raises(OSError):
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.bind((HERE4, 25))
            thief.listen()
    assert postern.ctl("pause", "--listening").stdout == \
        "listening was paused already\n"
    resume(postern, client)
    assert not is_refused(client, HERE6)
    assert postern.ctl("resume", "--listening").stdout == \
        "listening was not paused\n"
    assert "listening act=pause change=1" in postern.log()


def test_sessions_end_in_peace(postern, client):
    with client.smtp(HERE4) as smtp:
        smtp.ehlo()
        postern.ctl("pause", "--listening")
        try:
            assert is_refused(client)
            smtp.mail("alice@here.test")
            assert smtp.rcpt("bob@here.test")[0] == 250
            assert smtp.data("Subject: x\n\nlate\n")[0] == 250
            time.sleep(0.3)
            assert smtp.noop()[0] == 250
        finally:
            postern.ctl("resume", "--listening")


def test_it_costs_nothing(postern, client, quiet):
    """A socket that does not listen is not waited for."""
    time.sleep(0.2)
    pids = [postern.process.pid, *postern.pids("smtpd")]
    before = sum(map(cpu_seconds, pids))
    time.sleep(1)
    assert sum(map(cpu_seconds, pids)) - before < 0.1


@pytest.mark.parametrize("program", ["smtpd", "queue"])
def test_it_outlives_a_program(postern, client, quiet, program):
    before = postern.pids(program)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for("others", lambda: len(postern.pids(program)) == len(before) and
             not set(before) & set(postern.pids(program)))
    wait_for("the queue", lambda: postern.ctl(
        "stats", check=False).returncode == 0)
    time.sleep(0.5)
    assert is_refused(client) and listening(postern) == 0
    pids = postern.pids("smtpd")
    used = sum(map(cpu_seconds, pids))
    time.sleep(1)
    assert sum(map(cpu_seconds, pids)) - used < 0.1
    resume(postern, client)


def test_it_outlives_a_reload(postern, client, quiet, config):
    """Also on an address that the new configuration adds."""
    old = postern.pids("smtpd")
    postern.write_config(config.replace(
        "listen on * port 25", "listen on * port 25\nlisten on * port 2525"))
    try:
        postern.ctl("reload")
        wait_for("the old smtpd to go",
                 lambda: not set(old) & set(postern.pids("smtpd")))
        for port in 25, 2525:
            assert is_refused(client, HERE4, port)
            assert is_refused(client, HERE6, port)
        assert listening(postern) == 0
        resume(postern, client)
        assert not is_refused(client, HERE4, 2525)
    finally:
        postern.write_config(config)
        postern.ctl("reload")


def test_a_restart_ends_it(postern, client, quiet):
    postern.stop()
    postern.start()
    assert listening(postern) == 1 and not is_refused(client)


def test_only_root_may(postern, client):
    for words in ["pause", "--listening"], ["resume", "--listening"]:
        done = ctl(postern, member(postern), *words)
        assert done.returncode == 77 and "supervisor" in done.stderr
    assert not is_refused(client) and listening(postern) == 1


@pytest.mark.parametrize("words", [["--listening", "--all"],
                                   ["--listening", "mx:other.test"]], ids=str)
def test_one_thing_at_a_time(postern, client, words):
    done = postern.ctl("pause", *words, check=False)
    assert done.returncode == 64 and "--listening" in done.stderr
    assert listening(postern) == 1


def test_json(postern, client):
    for verb, now in ("pause", False), ("resume", True):
        row, = postern.ctl_json(verb, "--listening")
        assert list(row.items()) == [
            ("verb", verb), ("listening", now), ("changed", True)]
        assert json.dumps(row)
