#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A program that throws random system calls at its kernel (guest/tests/hostile.c), beside one that must not notice.

SEED=N: other calls; which of them meet which other thread's is up to the machine. COUNT=N: how many (200000).
REQUESTS=N: how many to the services (1000 of each seed)."""
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import Ring, expect_down, expect_standing, ok

SEED = int(os.environ.get("SEED", "1"))
COUNT = int(os.environ.get("COUNT", "200000"))
REQUESTS = int(os.environ.get("REQUESTS", "1000"))  # of each seed, to the services


# Capabilities of all services, with all rights; those of the directory let it enter and remove names of its own.
ALL = [w for x in ("dir:read,create,destroy", "seg:all", "proc:all", "console:all", "node:all", "bootfs")
       for w in ("--grant", x)]


def beside(r, program, seed, count):
    """The hostile program runs to its end while the other one runs; both end well."""
    # The directory that it plagues is its own kernel's, or the host's.
    here = ["--meet", "hostile@n1", "--grant", "seg:create"] if seed % 2 else ["--meet", "hostile"]
    start = time.monotonic()
    witness = r.start("--quiet", *program)
    p = r.start("--quiet", *here, "hostile", str(seed), str(count), *(["share"] if seed % 2 else []))
    try:
        status = p.end(max(120, count / 2000))
    except ring.GiveUp as e:
        ok(False, "hostile %d %d ends" % (seed, count), "%s\n%s" % (e, r.command("info", "hostile")[1]))
        r.command("kill", "hostile")
        status = p.end()
    ok(status == 0 and re.search(r"^hostile: %d calls, 0 errors" % count, p.lines[-1] if p.lines else ""),
       "hostile %d %d: each call gets what it should" % (seed, count), "status %d\n%s" % (status, p.tail()))
    ok(witness.end() == 0 and "0 errors" in witness.lines[-1], "%s beside it notices nothing" % program[0],
       witness.tail())
    ring.note("%.1f s" % (time.monotonic() - start))


def on(harts, *programs):
    def all():
        r = Ring(1, smp=harts)
        before = r.counts()
        for i, program in enumerate(programs):
            beside(r, program, SEED + i, COUNT)
        difference = r.back_to(before, exactly=True)
        ok(difference is None, "nothing is left of them", difference or "")
        expect_standing(r, "the kernel stands, with %d hart%s" % (harts, "s" * (harts > 1)))
        status, out = r.run("--quiet", "hello")
        ok(status == 0 and "Hello" in out, "and serves on", out)
        ok(r.down(), "the ring goes down, and nothing is left of it")
    all.__name__ = "harts_%d" % harts
    return all


def moved():
    """What a hostile program holds at any instant can be moved: half-done transactions, buffers that are gone."""
    r = Ring(2, smp=2)
    before = {n: r.counts(n) for n in r.names()}
    rng = random.Random(SEED)
    # Its directory is a service in the kernel of n1: now of its own node, now of another one.
    p = r.start("--quiet", "--meet", "hostile@n1", "hostile", str(SEED + 100), str(COUNT))
    r.wait_process("hostile")
    done, failed, here = 0, [], "n1"
    while p.process.poll() is None and done < 15:
        there = "n2" if here == "n1" else "n1"
        status, out = r.move("hostile", there)
        if status == 0:
            done, here = done + 1, there
        else:
            failed.append(out)
            break
        number = rng.randrange(3)
        for _ in range(number):  # some time passes
            r.where("hostile")
    status = p.end(300)
    ended = failed and ("no process" in failed[0] or "E_NOTHERE" in failed[0])  # it came to its end meanwhile
    ok(done >= 3 and (not failed or ended), "the hostile program is moved %d times" % done, "\n".join(failed))
    ok(status == 0 and re.search(r"^hostile: %d calls, 0 errors" % COUNT, p.lines[-1] if p.lines else ""),
       "and each call still gets what it should", "status %d\n%s" % (status, p.tail()))
    for n in r.names():
        difference = r.back_to(before[n], node=n)
        ok(difference is None, "nothing is left of it on %s" % n, difference or "")
    expect_down(r, "both kernels stand")


def services():
    """Random requests to all services of a node (guest/tests/plague.c), whose capabilities are good."""
    r = Ring(1, smp=2)
    before = r.counts()
    for seed in range(SEED, SEED + 4):
        status, out = r.run("--quiet", *ALL, "plague", str(seed), str(REQUESTS))
        ok(status == 0 and "plague: " in out and ", 0 errors" in out,
           "%d random requests to all services (seed %d): nothing that may not be" % (REQUESTS, seed), out)
    difference = r.back_to(before, exactly=True)
    ok(difference is None, "nothing is left of them", difference or "")
    expect_standing(r, "the kernel stands")
    status, out = r.run("--quiet", "hello")
    ok(status == 0 and "Hello" in out, "and serves on", out)
    ok(r.down(), "the ring goes down, and nothing is left of it")


if __name__ == "__main__":
    ring.main(services, on(1, ("counter", "30", "50")), on(4, ("threads", "20000"), ("counter", "30", "50")), moved)
