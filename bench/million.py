#!/usr/bin/env python3
"""A very large queue after an outage, and what new mail feels of it.

usage: make bench-queue [BENCH_MESSAGES=N] [BENCH_SECONDS=N] [BENCH_DIR=DIR]

As root; needs some 8 GiB in BENCH_DIR for a million messages. Fills a store
(backlog.c), starts the installed postern over it in a network of its own, and
measures, while the backlog is worked off: the start, the first page and the
whole of `posternctl queue`, the queue's memory, and how long new messages take
from their 250 to their destination. Then a smaller queue beside Postfix's.
See doc/performance.md.
"""
import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests/system")]

import beside  # noqa: E402
import figures  # noqa: E402
import network  # noqa: E402
from fresh import Fresh  # noqa: E402
from look_on import Pages, list_all  # noqa: E402


def wait_and_look(server, fresh, seconds):
    """A third of the time nothing but the backlog; then a whole listing."""
    with Pages(server) as pages:
        fresh.run(seconds / 3)
        listing = fresh.beside(lambda: list_all(server))
        fresh.run(max(0, seconds - fresh.elapsed()))
    return pages, listing


def million(args):
    with network.Network() as net:
        server = net.postern()
        server.stop()
        figures.take("store made", lambda: network.fill(
            args.build, server, args.messages, args.size))
        figures.take("store checked", lambda: network.check(server))
        network.forget_cache(server)
        server.start()
        figures.start(server)
        figures.memory("after the start", server)
        fresh = Fresh(net)
        pages, listing = wait_and_look(server, fresh, args.seconds)
        figures.memory("after the run", server, fresh.elapsed())
        figures.page("posternctl queue, first page", pages.times)
        figures.listing("posternctl queue, all", listing)
        fresh.show()
        figures.work(server, fresh.elapsed())
        server.stop()
        figures.take("store checked again", lambda: network.check(server))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--deferred", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=4000)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--only", choices=["million", "beside"])
    args = parser.parse_args()
    figures.machine()
    if args.only != "beside":
        print(f"\n{args.messages} messages of {args.size} octets")
        million(args)
    if args.only != "million":
        print(f"\n{args.deferred} deferred messages")
        beside.compare(args)


main()
