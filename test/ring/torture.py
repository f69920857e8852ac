#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Stuns at random instants (guest/tests/shaker.c) of two processes that do everything a program can do and serve each
other (guest/tests/victim.c). Each goes on from its descriptor, decoded. Neither may notice.

COUNT=N: stuns on each machine (100000 for the whole; default 10000 with one hart, fewer with more, where an emulator that
has fewer cores than that makes each hart wait for the others). SEED=N: other instants."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import Ring, expect_down, ok

SEED = int(os.environ.get("SEED", "1"))


def on(harts, usual):
    count = int(os.environ.get("COUNT", usual))
    patience = max(300, count / 5)  # seconds; a loaded machine is no failure

    def all():
        r = Ring(1, smp=harts, mem="128M")
        before = r.counts()
        victims = [r.start("--quiet", "--meet", "torture@n1", "--name", a, "victim", a, b)
                   for a, b in (("va", "vb"), ("vb", "va"))]
        for v in victims:
            v.wait_line(r": ready$")
        shaker = r.start("--quiet", "--meet", "torture@n1", "--grant", "proc:read,control", "shaker",
                         str(count), str(SEED), "va", "vb")
        status = shaker.end(patience)
        last = shaker.lines[-1] if shaker.lines else ""
        ok(status == 0 and re.search(r"^shaker: %d stuns in " % count, last),
           "%d stuns, each through encode and decode, with %d hart%s" % (count, harts, "s" * (harts > 1)), shaker.tail())
        ring.note(last)
        for v in victims:
            if status != 0:
                r.command("kill", v.argv[v.argv.index("--name") + 1])
            good = v.end() == 0 and re.search(r": 0 errors$", v.lines[-1] if v.lines else "")
            ok(good, "%s: every result as if nothing had happened" % v.argv[-2], v.tail())
            ring.note("; ".join(x.split(": ", 1)[1] for x in v.lines if re.search(r": \d+$|made", x)))
        difference = r.back_to(before, exactly=True)
        ok(difference is None, "nothing is left of them", difference or "")
        expect_down(r, "the kernel stands, with %d hart%s" % (harts, "s" * (harts > 1)))
    all.__name__ = "harts_%d" % harts
    return all


if __name__ == "__main__":
    ring.main(on(1, 10000), on(2, 2000), on(4, 1000))
