#!/usr/bin/python3
"""A program that the supervisor starts, and that behaves as a file beside it,
NAME.behaviour, says: well, if there is none."""
import os
import signal
import socket
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "hostile"))
sys.dont_write_bytecode = True
import records  # noqa: E402

NAME = os.path.basename(__file__)
supervisor = socket.socket(fileno=3)
kept = []
peers = []


def behaviour():
    try:
        with open(os.path.join(HERE, NAME + ".behaviour")) as file:
            return file.read()
    except FileNotFoundError:
        return "good"


def start(instance, how):
    if how == "dies":
        sys.exit(3)
    if how == "never ready":
        time.sleep(1000)
    if how == "closes":
        supervisor.close()
        time.sleep(1000)
    records.send(supervisor, "READY",
                 instance=instance + (how == "wrong instance"))
    if how == "garbage":
        records.send_raw(supervisor, os.urandom(100))
    elif how == "empty":
        records.send_raw(supervisor, b"")
    elif how == "twice":
        records.send(supervisor, "READY", instance=instance)
    elif how == "not his":
        records.send(supervisor, "DRAIN", seconds=1)
    elif how == "descriptors":
        records.send_raw(supervisor, records.encode(
            records.Message("READY", instance=instance)), [0, 1, 2])
    elif how == "asks whose uid":
        for _ in range(101):  # LOGINS_A_SECOND, and one
            records.send(supervisor, "WHO", uid=0)
    elif how == "floods":
        while True:
            records.send(supervisor, "LOG_LOST", lines=1)
    elif how == "stops reading":
        time.sleep(1000)
    elif how == "says that it hangs":
        for peer in peers:
            say_lost(peer, 1)
    elif how == "asks for others' links":
        for peer in peers:  # all of them, so also those at its inner end
            say_lost(peer, 0)


def say_lost(peer, hangs):
    records.send(supervisor, "PEER_LOST", program=peer["program"],
                 instance=peer["instance"], hangs=hangs)


def main():
    how = behaviour()
    while True:
        try:
            data, fds, _, _ = socket.recv_fds(supervisor, 65536, 8)
        except ConnectionResetError:
            data, fds = b"", []
        if not data and how in ("good", "lingers"):
            sys.exit(0)
        if not data:  # it was found out, and stays
            time.sleep(1000)
        kept.extend(fds)
        message = records.decode(data)
        if message.type == "PEER":
            peers.append(message)
            if how == "loses every link":
                for _ in range(50):
                    say_lost(message, 0)
        if message.type == "START":
            start(message["instance"], how)
        if message.type == "DRAIN" and how != "lingers":
            sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    main()
