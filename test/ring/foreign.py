#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs that nobody here wrote, with checks of their own (mk/foreign.mk): what each says on a node is what it says on
this machine, byte for byte; libsodium's tests say what libsodium's authors say.

In make test the quick ones; with SLOW=1 the slow tests of libsodium too, and the others longer (make soak)."""
import glob
import os
import random
import re
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import Ring, hang, note, ok, same, skip

BUILT = os.path.join(ring.BUILD, "foreign")
SODIUM = os.path.join(ring.ROOT, "third_party", "libsodium", "test", "default")
SLOW = os.environ.get("SLOW", "") not in ("", "0")
# Seconds each on an emulator: hash functions made to be slow, and two thousand multiplications on curves.
SLOW_SODIUM = {"pwhash_argon2i", "pwhash_argon2id", "pwhash_scrypt", "core_ed25519", "core_ristretto255", "box7", "box8"}


SOURCES = {"lz4fuzzer": "lz4", "minigzip": "zlib", "mujs": "mujs", "picosat": "picosat", "speedtest1": "sqlite3"}


def built(name):
    """Paths of a program for a guest and for this machine; None: its source could not be fetched."""
    if not os.path.exists(os.path.join(ring.ROOT, "third_party", SOURCES[name], ".sha256")):
        return None
    return os.path.join(BUILT, "guest", name + ".elf"), os.path.join(BUILT, "host", name)


def on_host(program, *words, stdin=b""):
    done = subprocess.run([program, *words], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=hang(300))
    return done.returncode, done.stdout


def on_node(r, program, *words, stdin=b"", node="n1"):
    done = subprocess.run([ring.ROTIFER, "run", "--quiet", "--node", node, program, *words], input=stdin, env=r.env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=hang(300))
    return done.returncode, done.stdout


def equal(r, name, claim, *words, stdin=b"", say=lambda out: out, status=None):
    """One claim: the program ends the same way and says the same on a node as here. say: what of it is compared."""
    programs = built(name)
    if not programs:
        skip(claim, "the source of %s could not be fetched" % SOURCES[name])
        return None
    there, here = on_node(r, programs[0], *words, stdin=stdin), on_host(programs[1], *words, stdin=stdin)
    good = (there[0], say(there[1])) == (here[0], say(here[1])) and (status is None or here[0] == status)
    ok(good, claim, "there: status %d\n%s\nhere: status %d\n%s" %
       (there[0], there[1][-2000:].decode(errors="replace"), here[0], here[1][-2000:].decode(errors="replace")))
    return there[1]


# --- libsodium -------------------------------------------------------------------------------------------------------

def sodium_test(r, program, name, node):
    """Runs one of libsodium's tests. Returns what is wrong, or None. (Some end in the middle, on purpose, with status 0.)"""
    with open(os.path.join(SODIUM, name + ".exp"), "rb") as f:
        expected = f.read()
    status, out = on_node(r, program, name, node=node)
    lines = out.split(b"\n")
    said = b"\n".join(x for x in lines if not x.startswith(b"=== ") and x != b"--- SUCCESS ---")
    ran = b"=== %s" % name.encode() in lines
    if status == 0 and ran and said.rstrip(b"\n") == expected.rstrip(b"\n"):
        return None
    return "%s: status %d, %d bytes of %d\n%s" % (name, status, len(said), len(expected), out[-500:].decode(errors="replace"))


def sodium(r):
    program = os.path.join(BUILT, "guest", "sodium_tests.elf")
    names = sorted(os.path.basename(x)[:-2] for x in glob.glob(os.path.join(SODIUM, "*.c")))
    names = [x for x in names if SLOW or x not in SLOW_SODIUM]
    wrong, left, lock = [], list(names), threading.Lock()

    def work(node):
        while True:
            with lock:
                if not left:
                    return
                name = left.pop(0)
            why = sodium_test(r, program, name, node)
            if why:
                wrong.append(why)

    threads = [threading.Thread(target=work, args=(node,)) for node in ("n1", "n2")]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    ok(not wrong and len(names) >= 70, "libsodium's tests say what its authors say: all %d" % len(names), "\n".join(wrong) or names)


# --- the others -------------------------------------------------------------------------------------------------------

def without_times(out):
    return re.sub(rb" *[\d.]+s$", b"", out, flags=re.M)


def sqlite(r):
    out = equal(r, "speedtest1", "sqlite's speedtest1 --memdb --verify", "--memdb", "--verify", "--size", "40" if SLOW else "6",
                say=without_times, status=0)
    if out is not None:
        ok(b"Verification Hash: " in out, "and its hash was taken", out[-500:])


def lz4(r):
    """Its progress is told by the clock, so only what it says at the end is compared."""
    rounds = "200" if SLOW else "20"
    equal(r, "lz4fuzzer", "lz4's fuzzer, %s rounds" % rounds, "-i" + rounds, "-s20261128",
          say=lambda out: out[out.rindex(b"all tests completed"):] if b"all tests completed" in out else out, status=0)


def minigzip(r):
    programs = built("minigzip")
    if not programs:
        return skip("minigzip there and back", "the source of zlib could not be fetched")
    with open(ring.IMAGE, "rb") as f:
        data = f.read()[: 2000000 if SLOW else 150000]
    packed = equal(r, "minigzip", "minigzip packs the kernel's image to the same bytes", stdin=data, status=0)
    status, back = on_node(r, programs[0], "-d", stdin=packed)
    ok(status == 0 and back == data, "and unpacks it again", "status %d, %d of %d bytes" % (status, len(back), len(data)))
    status, out = on_node(r, programs[0], "-d", stdin=packed[:-20] + b"\0" * 20)
    ok(status != 0 and b"minigzip" in out, "spoilt bytes are refused by its own check", (status, out[-200:]))


def clauses(seed, variables, count):
    """A random 3-SAT formula in DIMACS format, and its clauses."""
    r = random.Random(seed)
    found = [[v * r.choice((1, -1)) for v in r.sample(range(1, variables + 1), 3)] for _ in range(count)]
    text = "p cnf %d %d\n" % (variables, count) + "".join("%d %d %d 0\n" % tuple(x) for x in found)
    return text.encode(), found


def pigeons(n):
    """n pigeons into n - 1 holes: no way, and hard to see."""
    hole = lambda p, h: p * (n - 1) + h + 1
    found = [[hole(p, h) for h in range(n - 1)] for p in range(n)]
    found += [[-hole(p, h), -hole(q, h)] for h in range(n - 1) for p in range(n) for q in range(p)]
    return ("p cnf %d %d\n" % (n * (n - 1), len(found)) + "".join(" ".join(map(str, x)) + " 0\n" for x in found)).encode()


def picosat(r):
    for seed in range(1, 9 if SLOW else 4):
        text, found = clauses(seed, 120, 460)
        out = equal(r, "picosat", "picosat on a random formula (seed %d)" % seed, stdin=text)
        if out is None:
            return
        if b"s SATISFIABLE" in out:
            true = {int(x) for line in out.decode().split("\n") if line.startswith("v ") for x in line.split()[1:]}
            ok(all(any(x in true for x in c) for c in found), "and its answer makes every clause true", out[-300:])
        else:
            ok(b"s UNSATISFIABLE" in out, "and its answer is that there is none", out[-300:])
    out = equal(r, "picosat", "picosat sees that 8 pigeons do not fit 7 holes", stdin=pigeons(8), status=20)
    ok(out is not None and b"s UNSATISFIABLE" in out, "and says so", out)


def mujs(r):
    out = equal(r, "mujs", "mujs runs a program as it does here", os.path.join("test", "foreign", "check.js"), status=0)
    if out is not None:
        ok(b"fib 6765\n" in out and b"objects 9874750\n" in out, "and it is the program that we meant", out[-500:])


def main():
    r = Ring(2, mem="256M")
    for part in (sodium, sqlite, lz4, minigzip, picosat, mujs):
        part(r)
    note("slow ones: %s" % ("yes" if SLOW else "no, SLOW=1 for them"))
    r.down()


if __name__ == "__main__":
    ring.main(main)
