#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Capabilities: forged, widened, squatted, rotated; on one node, and over the wire."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import Ring, expect_checks, expect_down, ok


def caps(r):
    for where, more in (("on its own node", ["--grant", "seg:create", "--grant", "proc:all"]),
                        ("over the wire", ["--node", "n2", "--grant", "seg@n1:create", "--grant", "proc@n1:all"])):
        before = r.counts()
        expect_checks(r, 300, "forged, widened, squatted and rotated, %s: refused by name" % where, *more, "caps")
        difference = r.back_to(before)
        ok(difference is None, "nothing is left of it, %s" % where, difference or "")


def all():
    r = Ring(2)
    caps(r)
    expect_down(r, "the nodes stand")


if __name__ == "__main__":
    ring.main(all)
