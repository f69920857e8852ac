#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Memory in pieces of 2 MiB (guest/tests/windows.c): who fills memory gets them, for few faults, and nothing else is different:
shared, copied, marked, made shorter, moved, on one hart and four, with memory short or in pieces."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import Ring, expect_checks, expect_down, expect_nothing_left, note, ok, on_harts, same


def info(r, name):
    """(windows in one piece, faults, page tables) of a process, and the text"""
    status, text = r.command("info", name)
    windows = sum(int(x) for x in re.findall(r"(\d+) x 2 MiB in one piece", text))
    m = re.search(r"faults on memory: (\d+) since it is here; page tables: (\d+)", text)
    return (windows, int(m[1]), int(m[2]), text) if m else (windows, -1, -1, text)


def alike(r):
    before = r.counts()
    for i in range(2):
        expect_checks(r, 15000, "shared, copied, marked and made shorter, it is memory like any other, run %d" % (i + 1), "--grant", "seg:create",
                      "windows", "check")
    expect_nothing_left(r, before, "segments of 8 MiB")


def meanwhile(r):
    before = r.counts()
    status, out = r.run("--quiet", "--grant", "seg:create", "windows", "threads")
    ok(status == 0 and ", 0 errors" in out,
       "while four threads write, a copy shows one moment, and what changes after a mark is told", out)
    expect_nothing_left(r, before, "memory that threads wrote")


def big(r):
    before, there = r.counts(), r.counts("n2")
    p = r.start("--quiet", "--grant", "seg:create", "--name", "big", "windows", "big", "64", "5000")
    p.wait_line("windows: filled")
    windows, faults, tables, text = info(r, "big")
    ok(30 <= windows <= 32, "64 MiB that were filled are in pieces of 2 MiB, but for the heap's first", text)
    ok(0 < faults < 1200, "and took %d faults, not 16,384" % faults, text)
    ok(0 < tables < 20, "and have %d page tables, not 40" % tables, text)
    for target in ("n2", "n1"):
        status, out = r.move("big", target)
        ok(status == 0, "it moves to %s" % target, out)
        windows, faults, tables, text = info(r, "big")
        ok(windows >= 31, "and is in pieces of 2 MiB there: %d" % windows, text)
    status, out = r.command("stun", "big")
    ok(status == 0, "it is stopped", out)
    status, out = r.command("resume", "big")
    ok(status == 0, "and goes on", out)
    ok(p.end() == 0 and any("big," in x and ", 0 errors" in x for x in p.lines), "each word is what it was", p.tail())
    expect_nothing_left(r, before, "64 MiB that moved")
    difference = r.back_to(there, node="n2")
    ok(difference is None, "nor at the other node", difference or "")


def little():
    r = Ring(1, mem="20M")
    before = r.counts()
    p = r.start("--quiet", "--grant", "seg:create", "--name", "pieces", "windows", "pieces", stdin=True)
    p.wait_line("windows: pieces filled")
    windows, faults, tables, text = info(r, "pieces")
    ok(windows <= 1, "memory in pieces: small pages, and it works: %d of 2 MiB" % windows, text)
    p.write("\n")
    ok(p.end() == 0 and any("pieces," in x and ", 0 errors" in x for x in p.lines), "all of them as written", p.tail())
    expect_nothing_left(r, before, "memory in pieces")
    most = before["pages"] * 4096 // (1 << 20) - 2
    status, out = r.run("--quiet", "--grant", "seg:create", "memory", "touch", str(most))
    ok(status == 0 and "0 wrong" in out, "%d MiB of %d free can be touched" % (most, most + 2), out)
    status, out = r.run("--quiet", "--grant", "seg:create", "memory", "touch", str(most + 20))
    ok(status != 0 and "no memory is left" in out, "more cannot, and that is said", out)
    expect_nothing_left(r, before, "memory that was all in use")
    p = r.start("--quiet", "--grant", "seg:create", "--name", "again", "windows", "big", "12", "300")
    p.wait_line("windows: filled")
    windows, faults, tables, text = info(r, "again")
    ok(windows >= 4, "and then it is in one piece again: %d of 2 MiB" % windows, text)
    ok(p.end() == 0, "with the right contents", p.tail())
    expect_nothing_left(r, before, "the next program")
    expect_down(r, "the node stands")


if __name__ == "__main__":
    ring.main(*(on_harts(n, 2, alike, meanwhile, big, mem="160M") for n in (1, 4)), little)
