"""The same deferred messages in Postfix's queue and in postern's."""
import os
import pathlib
import threading
import time

from lab import Lab, Postfix, run, wait_for

import figures
import network
from look_on import Peak, list_all, list_with

SENDERS = 8
DOMAINS = 2000
# All waits at once, without one connection, and is not tried in between.
EXTRA = """
relayhost = [192.0.2.99]
defer_transports = smtp
minimal_backoff_time = 4h
maximal_backoff_time = 4h
queue_run_delay = 1h
inet_protocols = ipv4
"""


def send_some(host, count, first, size):
    body = "Subject: one of many\r\n\r\n" + "A line that waits.\r\n" * (
        (size - 24) // 20)
    with host.connect("127.0.0.1", 25, 60) as connection:
        file = connection.makefile("rwb")

        def say(text):
            file.write(text.encode())
            file.flush()
            line = file.readline()
            while line[3:4] == b"-":
                line = file.readline()
            assert line[:1] in b"23", line

        file.readline()
        say("EHLO client.test\r\n")
        for n in range(first, first + count):
            say("MAIL FROM:<sender@src.test>\r\n")
            say(f"RCPT TO:<user{n}@d{n % DOMAINS}.many.test>\r\n")
            say("DATA\r\n")
            say(f"{body}.\r\n")


def fill_postfix(postfix, count, size):
    part = count // SENDERS
    threads = [threading.Thread(target=send_some, args=(
        postfix.host, part, i * part, size)) for i in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    def deferred():
        return sum(len(files) for _, _, files in
                   os.walk(postfix.queue / "deferred")) >= part * SENDERS
    wait_for("all to be deferred", deferred, 300)


def pids_of(postfix, name):
    master = int((postfix.queue / "pid/master.pid").read_text())
    children = pathlib.Path(f"/proc/{master}/task/{master}/children")
    return [int(pid) for pid in children.read_text().split()
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name]


def show(name, manager, listing, server):
    seconds, lines, client = listing
    print(f"{name:10} {manager:14} {seconds:10.2f} {lines:8} {client:10} "
          f"{server:14}", flush=True)


def of_postfix(count, size):
    lab = Lab()
    try:
        postfix = Postfix(lab.host("postfix", 20), "postfix.test", EXTRA)
        try:
            fill_postfix(postfix, count, size)
            # As it is after a start, without what the arrival left behind.
            postfix.host.run("postfix", "-c", postfix.conf, "stop")
            postfix.host.run("postfix", "-c", postfix.conf, "start")
            manager = wait_for("qmgr", lambda: pids_of(postfix, "qmgr"))[0]
            time.sleep(5)
            resident = figures.resident(manager)
            with Peak(lambda: pids_of(postfix, "showq")) as showq:
                listing = list_with(postfix.host.command(
                    "postqueue", "-c", postfix.conf, "-p"))
            show("Postfix", resident, listing, showq.most())
        finally:
            postfix.close()
    finally:
        lab.close()


def of_postern(args):
    with network.Network() as net:
        server = net.postern()
        server.stop()
        run(args.build / "bench/backlog", server.spool / "store",
            args.deferred, args.size, "later")
        server.start()
        time.sleep(5)
        resident = figures.resident(server.queue_pid, "data.mdb")
        listing = list_all(server)
        show("postern", resident, listing,
             figures.resident(server.queue_pid, "data.mdb"))


def compare(args):
    print(f"{'':10} {'manager KiB':>14} {'listing s':>10} {'lines':>8} "
          f"{'client KiB':>10} {'served by KiB':>14}", flush=True)
    of_postfix(args.deferred, args.size)
    of_postern(args)
