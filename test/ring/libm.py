#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The mathematical functions of guests beside this machine's: guest/tests/libm.c is run on a node and here. What C and IEEE
754 define exactly is equal to the bit; the rest lies within 2 units in the last place (ulp), or within what EXCEPTIONS says.

From the environment: COUNT, arguments for each function."""
import math
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import Ring, hang, note, ok, same

COUNT = os.environ.get("COUNT", "500")
EXACT = {"floor", "ceil", "trunc", "rint", "round", "nearbyint", "sqrt", "fabs", "logb", "fmod", "remainder", "fmin", "fmax", "fdim",
         "copysign", "nextafter", "scalbn", "fma", "floorf", "ceilf", "truncf", "rintf", "sqrtf"}
ULP = 2
# Function: ulp. tgamma is guest/lib/gamma.c: 9 of 2,000,000 arguments. lgamma is picolibc's: next to its zeros, between the
# poles below 0, a small absolute error is a large relative one (12 seen; nobody's is right there but by more precision).
EXCEPTIONS = {"tgamma": 9, "lgamma": 24}


def value(bits):
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def rank(bits):
    """Doubles in order, as integers in a row."""
    return bits if bits < 1 << 63 else (1 << 63) - bits


def rank_single(bits):
    return rank(struct.unpack("<I", struct.pack("<f", value(bits)))[0] << 32) >> 32


def distance(name, a, b):
    """Units in the last place between two results; None: they are of different kinds (a NaN, an infinity)."""
    x, y = value(a), value(b)
    if math.isnan(x) or math.isnan(y):
        return 0 if math.isnan(x) and math.isnan(y) else None
    if a == b:
        return 0
    if math.isinf(x) or math.isinf(y):
        return None
    if x == 0 and y == 0:
        return None if name in EXACT else 0  # the sign of a zero
    return abs(rank_single(a) - rank_single(b)) if name.endswith("f") and name != "erf" else abs(rank(a) - rank(b))


def table(text):
    found = {}
    for line in text.splitlines():
        name, *words = line.split()
        found.setdefault(name, []).append([int(x, 16) for x in words])
    return found


def worst(name, there, here):
    """The largest distance, and where."""
    most, at = 0, None
    for a, b in zip(there, here):
        if any(x != y and not math.isnan(value(x)) for x, y in zip(a[:-1], b[:-1])):
            return None, "the arguments differ: %s and %s" % (a, b)
        d = distance(name, a[-1], b[-1])
        if d is None or d > most:
            most, at = d, "%s(%s): %r, here %r" % (name, ", ".join("%r" % value(x) for x in a[:-1]), value(a[-1]), value(b[-1]))
            if d is None:
                break
    return most, at


def main():
    here = subprocess.run([os.path.join(ring.BUILD, "test", "libm"), COUNT], stdout=subprocess.PIPE, text=True, timeout=hang(120),
                          check=True).stdout
    r = Ring(1)
    status, there = r.run("--quiet", os.path.join(ring.BUILD, "guest", "libm.elf"), COUNT)
    r.down()
    same(status, 0, "libm ends well")
    here, there = table(here), table(there)
    same(sorted(there), sorted(here), "%d functions, %s arguments each" % (len(here), COUNT))
    figures = []
    for name in here:
        allowed = 0 if name in EXACT else EXCEPTIONS.get(name, ULP)
        most, at = worst(name, there[name], here[name])
        ok(most is not None and most <= allowed and len(there[name]) == len(here[name]),
           "%s is %s" % (name, "exact" if name in EXACT else "within %d ulp of this machine's" % allowed), at)
        figures.append("%s %s" % (name, most))
    note("worst, in ulp: " + ", ".join(figures))


if __name__ == "__main__":
    ring.main(main)
