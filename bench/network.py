"""The network of the large queue: a postern, a client, and the world."""
import contextlib
import os
import subprocess
import threading
import time

from lab import Lab, NameServer, Postern, SBIN, ScriptedServer, run, wait_for

SERVER, SINK, NEW, SLOW, DEAD = (f"192.0.2.{n}" for n in (10, 30, 31, 32, 33))
ZONES = {
    "many.test.": f"* MX 10 mx\nmx A {SINK}",
    "big.test.": f"@ MX 10 mx\nmx A {SINK}",
    "new.test.": f"@ MX 10 mx\n* MX 10 mx\nmx A {NEW}",
    "slow.test.": f"@ MX 10 mx\nmx A {SLOW}",
    "dead.test.": f"@ MX 10 mx\nmx A {DEAD}",
}
CONFIG = """
hostname "mail.here.test"
listen on * port 25
resolver forward "192.0.2.53"
accept from address 192.0.2.40 relay
accept from local relay
"""
SLOW_SECONDS = 5


class Measured(Postern):
    """Notes when each thing worked for the first time after a start."""

    def wait_ready(self):
        began = time.monotonic()
        self.ready = {}
        probes = {"the queue answers": self.queue_answers,
                  "SMTP greets": self.smtp_greets}
        while probes:
            for name, probe in list(probes.items()):
                if probe():
                    self.ready[name] = time.monotonic() - began
                    del probes[name]
            if time.monotonic() - began > 120 or \
                    self.process.poll() is not None:
                raise SystemExit("no start:\n" + self.log()[-4000:])
            time.sleep(0.002)
        self.queue_pid = wait_for("the queue's pid",
                                  lambda: self.pids("queue"))[0]

    def queue_answers(self):
        return self.ctl("stats", check=False).returncode == 0

    def smtp_greets(self):
        try:
            with self.host.connect(self.host.ip4, 25, 1) as connection:
                return connection.recv(3) == b"220"
        except OSError:
            return False

    def stats(self):
        return {s["name"]: s["value"] for s in self.ctl_json("stats")}


class Sink:
    """Takes what is not measured. Of itself it would serve 256 connections at
    once and let the others wait, which is no picture of many domains."""

    def __init__(self, host):
        self.process = host.start(
            "smtp-sink", "-u", "nobody", "-m", "4096", "-c",
            f"{host.ip4}:25", "1024",
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        wait_for("the sink", lambda: host.answers(host.ip4, 25))
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while os.read(self.process.stdout.fileno(), 65536):
            pass

    def close(self):
        self.process.terminate()
        self.process.wait()


def be_slow(conversation):
    def say(text):
        time.sleep(SLOW_SECONDS)
        conversation.say(text)

    say("220 slow")
    while True:
        verb = conversation.hear()[:4].strip().upper()
        if verb == "DATA":
            say("354 go on")
            conversation.hear_content()
        say("221 bye" if verb == "QUIT" else "250 ok")


class Network:
    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.lab = Lab()
            stack.callback(self.lab.close)
            for name, number in (("here", 10), ("sink", 30), ("new", 31),
                                 ("slow", 32), ("dead", 33), ("client", 40),
                                 ("dns", 53)):
                setattr(self, name, self.lab.host(name, number))
            # It hears, and no answer ever leaves it.
            self.dead.run("ip", "route", "add", "blackhole", SERVER)
            stack.callback(NameServer(self.dns, ZONES).close)
            stack.callback(Sink(self.sink).close)
            stack.callback(ScriptedServer(self.slow, be_slow).close)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def postern(self, name="postern"):
        server = Measured(self.here, CONFIG, name=name)
        self.stack.callback(server.close)
        return server


def fill(build, server, messages, size):
    run(build / "bench/backlog", server.spool / "store", messages, size)


def check(server):
    """Reads the file once from end to end: in the order of the rows, page by
    page from the disk, it takes a quarter of an hour."""
    with open(server.spool / "store/data.mdb", "rb") as file:
        while file.read(1 << 24):
            pass
    run(SBIN / "postern-store", "-c", server.config_file, "check")


def forget_cache(server):
    """As after the machine has started: the file is read from the disk."""
    with open(server.spool / "store/data.mdb", "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
