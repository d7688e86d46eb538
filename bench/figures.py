"""Measures and prints; judges nothing."""
import os
import pathlib
import platform
import re
import time


def say(name, value):
    print(f"{name:34} {value}", flush=True)


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    say("machine", f"{os.cpu_count()} processors, {memory >> 30} GiB, "
        f"Linux {platform.release()}")
    say("load before", "%.2f %.2f %.2f" % os.getloadavg())


def take(name, work):
    begin = time.monotonic()
    work()
    say(name, f"{time.monotonic() - begin:.1f} s")


def start(server):
    for name, seconds in server.ready.items():
        say(f"start until {name}", f"{seconds * 1000:.0f} ms")


def quantile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def times(name, values):
    if not values:
        say(name, "none")
        return
    median, most, last = (quantile(values, p) * 1000 for p in (.5, .99, 1))
    say(name, f"median {median:.1f} ms, p99 {most:.1f} ms, "
        f"longest {last:.1f} ms, of {len(values)}")


def page(name, values):
    times(name, values)


def listing(name, result):
    seconds, lines, memory = result
    say(name, f"{seconds:.1f} s, {lines} lines, at most {memory} KiB")


def status(pid, field):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+)", text, re.M).group(1))


def resident(pid, but=""):
    """KiB in memory, all mappings but those of a file of that name."""
    total, counts = 0, True
    for line in open(f"/proc/{pid}/smaps"):
        if re.match(r"[0-9a-f]+-", line):
            counts = not but or not line.rstrip().endswith(but)
        elif counts and line.startswith("Rss:"):
            total += int(line.split()[1])
    return total


def descriptors(pid):
    """KiB of the contents that a process holds as memfds."""
    total = 0
    for fd in os.scandir(f"/proc/{pid}/fd"):
        try:
            if "memfd" in os.readlink(fd.path):
                total += os.stat(fd.path).st_blocks // 2
        except FileNotFoundError:
            pass
    return total


def memory(when, server, seconds=None):
    pid = server.queue_pid
    if server.pids("queue") != [pid]:
        raise SystemExit("the queue did not live through it")
    after = "" if seconds is None else f" of {seconds:.0f} s"
    say(f"queue's memory {when}",
        f"{resident(pid, 'data.mdb')} KiB (anonymous "
        f"{status(pid, 'RssAnon')}) apart from LMDB's map, and "
        f"{descriptors(pid)} KiB of contents in hand{after}")


def work(server, seconds):
    stats = server.stats()
    for name in sorted(stats):
        if re.search("deliver|defer|waiting|messages|active|lost", name):
            say("  " + name, stats[name])
