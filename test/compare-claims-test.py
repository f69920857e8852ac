#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does compare-claims.py find what it should? Two small outputs of tests, and tables that explain more or less."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BEFORE = """ok 1 - stays
ok 2 - is renamed
      ok 3 - takes 14 s
not ok 4 - was broken
ok 5 - has no place any more
ok 6 - cannot run # SKIP no such machine
# ok - tests
"""
AFTER = """ok 7 - stays
ok 8 - has another name
ok 9 - takes 17 s
ok 10 - was broken
ok 11 - known fault: x: is wrong (fails as expected)
ok 12 - cannot run
"""
WHOLE = """# A renamed claim, one with a figure, and one that is gone.
is renamed -> has another name
takes * s -> takes * s
# What it was about is no more.
has no place any more -> -
"""
count = 0
bad = 0


def ok(good, claim, detail):
    global count, bad
    count += 1
    bad += not good
    print("%sok %d - %s" % ("" if good else "not ", count, claim))
    if not good:
        print("\n".join("# " + x for x in detail.split("\n")))


def run(folder, table):
    path = os.path.join(folder, "table")
    with open(path, "w") as f:
        f.write(table)
    p = subprocess.run([sys.executable, os.path.join(HERE, "compare-claims.py"), os.path.join(folder, "before"),
                        os.path.join(folder, "after.log"), path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True)
    return p.returncode, p.stdout


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "before"))
        for name, text in (("before/a.log", BEFORE), ("after.log", AFTER)):
            with open(os.path.join(folder, name), "w") as f:
                f.write(text)
        status, out = run(folder, WHOLE)
        ok(status == 0 and "6 claims before, 6 after" in out and "VANISHED: 0" in out,
           "a table that explains all that is gone is enough", out)
        ok("new claims: 3\n" in out and "    known fault: x: is wrong\n" in out,
           "new claims are listed, a known fault without its verdict", out)
        status, out = run(folder, "")
        ok(status == 1 and "VANISHED: 3\n    has no place any more\n    is renamed\n    takes 14 s\n" in out,
           "without a table they are listed, and it fails", out)
        status, out = run(folder, WHOLE.replace("has another name", "is nowhere"))
        ok(status == 1 and "line 2: is renamed -> is nowhere: its new claim is not there" in out,
           "what took the place of a claim must be there", out)
        status, out = run(folder, WHOLE.replace("# What it was about is no more.\n", ""))
        ok(status == 1 and "no comment says why" in out, "a claim for which nothing came wants a reason", out)
        status, out = run(folder, "a line without an arrow\n")
        ok(status != 0 and ":1: not" in out, "a table that cannot be read is said to be so", out)
    print("1..%d" % count)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
