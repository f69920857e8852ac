#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Memory as guests have it: segments shared between processes, copied on write, told what was written, and where it ends."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import expect_checks, expect_nothing_left, ok, on_harts, same

SEGMENTS = ["--grant", "seg:create"]
SHARED = SEGMENTS + ["--meet", "memory@n1"]


def alone(r):
    before = r.counts()
    for i in range(3):
        expect_checks(r, 700, "mapped, copied, refused by name, told what was written, run %d" % (i + 1), *SEGMENTS,
                      "memory", "check")
    expect_nothing_left(r, before, "segments of one process")


def together(r):
    before = r.counts()
    server = r.start("--quiet", *SHARED, "--name", "server", "memory", "server", "shared")
    server.wait_line("shared ready")
    waiter = r.start("--quiet", *SHARED, "--name", "waiter", "memory", "wait", "shared")
    waiter.wait_line("shares with shared")
    for name in ("server", "waiter"):
        status, out = r.command("migrate", name, "n2")
        ok(status != 0 and "E_SHARED" in out, "%s shares a segment: a move is refused, by name" % name, out)
        same(r.where(name), "n1", "%s is where it was" % name)
    status, out = r.run("--quiet", *SHARED, "memory", "client", "shared")
    ok(status == 0 and ", 0 errors" in out, "two processes see each other's writes at once, 500 turns", out)
    same(server.end(), 0, "the server has seen all of them")
    ok(waiter.end() == 0 and "memory: it has changed" in waiter.lines, "and so has the third", waiter.tail())
    expect_nothing_left(r, before, "a segment shared by three")


def copies_move(r):
    """Pages that are shared with a copy travel like any others."""
    before = r.counts()
    p = r.start("--quiet", *SEGMENTS, "--name", "mover", "memory", "copies", "400")
    p.wait_line("memory: round 5$")
    for target in ("n2", "n1", "n2", "n1"):
        status, out = r.move("mover", target)
        ok(status == 0, "a process with copies of its memory moves to %s" % target, out)
    ok(p.end() == 0 and any(", 0 errors" in x for x in p.lines), "and its copies stay what they were", p.tail())
    expect_nothing_left(r, before, "copies that move")


if __name__ == "__main__":
    ring.main(*(on_harts(n, 2, alone, together, copies_move) for n in (2, 1)))
