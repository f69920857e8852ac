#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The C library of guests: guest/tests/libc.c says on a node what the same file says on this machine, line by line; and a
sleep of centuries is long."""
import difflib
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import Ring, hang, ok, same, scratch

HOST = os.path.join(ring.BUILD, "test", "libc")


def answers(r):
    text = scratch("left.txt")
    with open(text, "w") as f:
        f.write("left777")
    here = subprocess.run([HOST, text], stdout=subprocess.PIPE, text=True, timeout=hang(60), check=True).stdout
    status, there = r.run("--quiet", os.path.join(ring.BUILD, "guest", "libc.elf"), text)
    difference = "\n".join(difflib.unified_diff(here.splitlines(), there.splitlines(), "here", "on the node", lineterm="", n=0))
    same(status, 0, "libc ends well")
    ok(difference == "", "%d answers of the C library are those of this machine's" % len(here.splitlines()), difference[:4000])


def main():
    r = Ring(1)
    answers(r)
    status, out = r.run("--quiet", os.path.join(ring.BUILD, "guest", "longsleep.elf"))
    same((status, out), (0, "longsleep: 3 of 3 sleep on\n"), "to sleep for centuries takes longer than a moment")
    r.down()


if __name__ == "__main__":
    ring.main(main)
