#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Priorities: who gets how much when harts are short, counted in work done and not in seconds."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import ok, on_harts, same

UNITS = 20000  # some hundred slices


def compete(r, claim, harts, high, low, good):
    """As many busy processes as harts keep all but one busy at the highest level; two compete for the rest."""
    before = r.counts()
    ballast = []
    for i in range(harts - 1):
        p = r.start("--quiet", "--name", "ballast%d" % i, "lua", "-e", "while true do end")
        r.wait_process("ballast%d" % i)
        same(r.command("priority", "ballast%d" % i, "7")[0], 0, "ballast %d is above both" % i)
        ballast.append(p)
    a = r.start("--quiet", "--meet", "priority", "--name", "upper", "spin", "upper", "lower", str(UNITS))
    b = r.start("--quiet", "--meet", "priority", "--name", "lower", "spin", "lower", "upper", str(UNITS))
    a.wait_line("ready")
    b.wait_line("ready")
    for name, level in (("upper", high), ("lower", low)):  # neither could be the beginning of a number
        status, out = r.command("priority", name, str(level))
        ok(status == 0 and re.match(r"%s .*priority %d" % (name, level), out), "%s gets priority %d" % (name, level), out)
    r.run("--quiet", "--meet", "priority", "go", "go", "on")
    a.end(300)
    b.end(300)
    r.run("--quiet", "--meet", "priority", "go", "go", "off")
    line = next((x for x in a.lines + b.lines if re.match(r"spin: \w+ \d+, \w+ \d+", x)), "")
    m = dict(re.findall(r"(upper|lower) (\d+)", line))
    ok(len(m) == 2 and good(int(m["upper"]), int(m["lower"])), "%s: %s" % (claim, line), a.tail() + b.tail())
    for i, p in enumerate(ballast):
        r.command("kill", "ballast%d" % i)
        p.end()
    difference = r.back_to(before)
    ok(difference is None, "nothing is left of it", difference or "")


def sleeper(r):
    busy = r.start("--quiet", "--name", "busy", "lua", "-e", "while true do end")
    busy2 = r.start("--quiet", "--name", "busy2", "lua", "-e", "while true do end")
    for p in ("busy", "busy2"):
        r.wait_process(p)
    s = r.start("--quiet", "--meet", "priority", "--name", "sleeper", "spin", "sleeper", "300")
    s.wait_line("ready")
    r.command("priority", "sleeper", "6")
    s.end()
    m = re.search(r"at most (\d+) us late", "\n".join(s.lines))
    # Wall time on a shared machine: noted, not judged. That it does not wait for the slice is judged by unit/test_sched.
    ok(m, "a sleeper of high priority under load ran")
    ring.note("latest wake-up of 300 beside two busy processes: %s us" % (m[1] if m else "?"))
    for name, p in (("busy", busy), ("busy2", busy2)):
        r.command("kill", name)
        p.end()


def on(harts):
    def levels(r):
        compete(r, "equals do as much as each other", harts, 4, 4, lambda a, b: min(a, b) * 2 >= max(a, b))
        compete(r, "the higher one is through first, the lower one has had a slice in seventeen, no more than a fifth",
                harts, 6, 2, lambda a, b: a == UNITS and 0 < b < UNITS / 5)
    return on_harts(harts, 1, levels, sleeper)


if __name__ == "__main__":
    ring.main(on(1), on(2))
