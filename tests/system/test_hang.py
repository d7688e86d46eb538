"""Hosts that take the connection and then say nothing more, at each stage."""
import threading
import time

import pytest

from lab import ScriptedServer
from test_receive import wait_for_mail
from test_send import arrived, gone, settled, submit

# The last number of the host's address, see ZONES in conftest.py.
STAGES = {"greeting": 31, "ehlo": 32, "data": 33, "dot": 34}


class HangingServer:
    """Hangs at its stage until it is released; then drops that connection
    and is well."""

    def __init__(self, host, stage):
        self.stage, address = stage, f"192.0.2.{STAGES[stage]}"
        self.reached, self.released = threading.Event(), threading.Event()
        host.run("ip", "addr", "add", f"{address}/24", "dev", "eth0")
        self.host, self.address = host, address
        self.server = ScriptedServer(host, self.talk, address)

    def stage_is(self, stage):
        if stage == self.stage and not self.released.is_set():
            self.reached.set()
            self.released.wait(60)
            raise EOFError

    def talk(self, c):
        self.stage_is("greeting")
        c.say("220 mx.hangs.test")
        while True:
            verb = c.hear().split()[0].upper()
            if verb == "EHLO":
                self.stage_is("ehlo")
                c.say("250-mx.hangs.test\n250 8BITMIME")
            elif verb == "DATA":
                self.stage_is("data")
                c.say("354 go on")
                c.hear_content()
                self.stage_is("dot")
                c.say("250 2.0.0 taken")
            else:
                c.say("250 2.0.0 ok")

    def has(self, token):
        return any(f"body {token}\r\n" in t
                   for t in list(self.server.transcripts))

    def close(self):
        self.released.set()
        self.server.close()
        self.host.run("ip", "addr", "del", f"{self.address}/24", "dev",
                      "eth0")


@pytest.fixture
def hanging(lab):
    servers = {stage: HangingServer(lab.hosts["other"], stage)
               for stage in STAGES}
    yield servers
    for server in servers.values():
        server.close()


def test_hanging_hosts(lab, postern, client, there, hanging):
    sent = {stage: submit(client, f"someone@{stage}.hangs.test")
            for stage in STAGES}
    for stage, server in hanging.items():
        assert server.reached.wait(20), stage

    # The others do not wait with them.
    start = time.monotonic()
    for _ in range(5):
        arrived(there, submit(client, "someone@there.test")[1])
        wait_for_mail(lab, "alice", submit(client, "alice@here.test")[1])
    assert time.monotonic() - start < 10
    for stage, (ident, _) in sent.items():
        why = postern.ctl("why", ident).stdout
        assert "is being delivered at this moment" in why
        assert f"{stage}.hangs.test" in why.split("goes to", 1)[1]

    for server in hanging.values():
        server.released.set()
    for stage, (ident, token) in sent.items():
        row = settled(postern, ident)
        assert row["state"] == "waiting" and row["reply"].startswith("4.4.2")
        why = postern.ctl("why", ident).stdout
        assert row["reply"] in why and f"mx-{stage}.hangs.test" in why
        postern.ctl("retry", ident)
        gone(postern, ident)
        assert hanging[stage].has(token)
