"""While the disk or the store is full of mail, what waits is delivered, and so
room is made: mail is taken again without anybody having done anything. If
others have filled the disk to the last block, this begins when they let go.
"""
import smtplib
import time

import pytest

from lab import SBIN, Postern, ScriptedServer, run, wait_for
from test_disk import SERVER, fill_with_mail, small_disk  # noqa: F401
from test_faults import tokens_in


class Host:
    """Takes no mail until it is opened."""

    def __init__(self, host):
        self.is_open, self.texts = False, []
        self.server = ScriptedServer(host, self.talk)

    def talk(self, c):
        c.say("220 other.test")
        while True:
            line = c.hear().upper()
            if line.startswith("RCPT"):
                c.say("250 ok" if self.is_open else "450 4.2.1 not now")
            elif line.startswith("DATA"):
                c.say("354 go on")
                text = "".join(c.hear_content()).replace("\r\n", "\n")
                self.texts.append(text.replace("body ", "token ", 1))
                c.say("250 ok")
            elif line.startswith("QUIT"):
                c.say("221 bye")
                return
            else:
                c.say("250 ok")


@pytest.fixture
def other(lab):
    host = Host(lab.hosts["other"])
    yield host
    host.server.close()


@pytest.fixture(params=["disk", "disk filled by others", "store"])
def postern(lab, config, request):
    more = "\nretry from 2s to 4s for 5d\n"
    if request.param == "store":
        more += "limit store size 32M\n"
    postern = Postern(lab.hosts["second"], config, name="filling")
    postern.stop()
    if request.param != "store":
        disk = request.getfixturevalue("small_disk")
        postern.spool = disk / "spool"
    postern.ballast = disk / "ballast" if "others" in request.param else None
    postern.write_config(config + more)
    postern.start()
    yield postern
    postern.close()


def fill_up(path):
    with path.open("wb", buffering=0) as file:
        for size in (65536, 512):
            try:
                while True:
                    file.write(b"\1" * size)
            except OSError:
                pass


def is_taken(client):
    try:
        with client.smtp(SERVER) as smtp:
            smtp.sendmail("e@else.test", ["alice@here.test"], "S: x\n\nx\n")
        return True
    except smtplib.SMTPException:
        return False


def test_deliveries_go_on(client, other, postern):
    promised = []
    if postern.ballast:
        with client.smtp(SERVER) as smtp:
            for _ in range(20):
                text = f"S: x\n\nbody {time.time_ns():032x}\n"
                smtp.sendmail("a@here.test", ["someone@other.test"], text)
                promised.append(text.split()[-1])
        fill_up(postern.ballast)
    more, code, text = fill_with_mail(client, 4000 if postern.ballast else
                                      500_000, 5000, "someone@other.test")
    promised += more
    assert code == 452 and "4.3.1" in text and len(promised) >= 20
    assert "store-write-failed" in postern.log() or \
        "store-full" in postern.log()
    other.is_open = True
    if postern.ballast:
        # What cannot be written down is not handed out: see that nothing
        # comes twice.
        time.sleep(5)
        postern.ballast.unlink()
    wait_for("everything to be delivered",
             lambda: not postern.ctl_json("queue"), 100)
    wait_for("mail to be taken again", lambda: is_taken(client))
    found = tokens_in(other.texts)
    assert set(promised) == set(found)
    assert set(found.values()) == {1}
    done = run(SBIN / "postern-store", "-c", postern.config_file, "check",
               check=False)
    assert done.returncode == 0, done.stdout + done.stderr
