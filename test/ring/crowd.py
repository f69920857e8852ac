#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""1,000 processes and 10,000 threads on one node (guest/tests/crowd.c): all alive at once, all end well, nothing leaks.

PROCESSES=N: so many (1000)."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import Ring, expect_down, note, ok, same

PROCESSES = int(os.environ.get("PROCESSES", "1000"))
THREADS = 10
PAGE = 4096


def seconds_of(what, f):
    start = time.monotonic()
    result = f()
    note("%s: %.2f s" % (what, time.monotonic() - start))
    return result


def all_here(r, boss, number):
    """Starts so many; when all of their threads have come: what the node has in use."""
    crowd = r.start("--quiet", "--meet", "crowd", "--copies", str(number), "crowd")
    seconds_of("%d processes start, and their threads come" % number,
               lambda: boss.wait_line(r"^crowd: %d threads are here" % (number * THREADS), 180))
    return crowd, r.counts()


def ends(boss, crowd, number):
    boss.write("\n")
    same((boss.end(180), crowd.end(180)), (0, 0), "%d processes end, each with status 0" % number)
    same(boss.lines[-1], "crowd: %d processes, 0 errors" % number, "each thread of them did what it should")


def crowd():
    r = Ring(1, mem="512M")
    before = r.counts()
    boss = r.start("--quiet", "--meet", "crowd", "crowd", "boss", str(PROCESSES), stdin=True)
    boss.wait_line("^crowd: come")
    alone = r.counts()
    group, now = all_here(r, boss, PROCESSES)
    same(now["processes"] - alone["processes"], PROCESSES, "%d processes are alive at once" % PROCESSES)
    # The services have tasks of their own, which are threads too; ps knows what is whose.
    listed = seconds_of("ps", lambda: r.command("ps")[1].split("\n"))
    threads = [int(x.split()[4]) for x in listed if re.match(r"[0-9a-f]{6}  crowd +n1 +run ", x)]
    same((len(threads), sum(threads)), (PROCESSES + 1, PROCESSES * THREADS + 1),
         "ps lists them all, and the boss, as running: %d threads" % (PROCESSES * THREADS))
    used = (alone["pages"] - now["pages"]) * PAGE
    note("a process of %d threads: %.1f KiB, all counted; with %d of them %d of %d MiB are free" %
         (THREADS, used / PROCESSES / 1024, PROCESSES, now["pages"] * PAGE >> 20, before["pages"] * PAGE >> 20))
    status, out = seconds_of("hello among them", lambda: r.run("--quiet", "hello"))
    ok(status == 0 and "Hello" in out, "one more runs among them", out)
    seconds_of("all end", lambda: ends(boss, group, PROCESSES))
    difference = r.back_to(before)
    ok(difference is None, "nothing is left of them", difference or "")
    expect_down(r, "the kernel stands")


if __name__ == "__main__":
    ring.main(crowd)
