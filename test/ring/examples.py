#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The programs of guest/examples do what their first lines promise, on one node and on two; and Lua is the host's Lua."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import Ring, expect_standing, hang, note, ok, same

LIB = os.path.join("test", "ring", "lib")


def monitor(r):
    for words, last in ((("monitor",), "5 philosophers ate 1000 meals, 0 with"),
                        (("monitor", "3", "1000"), "3 philosophers ate 3000 meals, 0 with"),
                        (("monitor", "300", "5"), "300 philosophers ate 1500 meals, 0 with")):
        status, out = r.run("--quiet", *words)
        ok(status == 0 and last in out, " ".join(words), "status %d\n%s" % (status, out))
    status, out = r.run("--quiet", "monitor", "2")
    ok(status == 2 and "usage: monitor" in out, "two philosophers are refused", out)


RESULT = "farm: 78498 primes below 1000000"
LONG, LONG_RESULT = "10000000", "farm: 664579 primes below 10000000"  # so that all have work when one is killed


def farm(r):
    status, out = r.run("--quiet", "farm")
    pieces = [int(x) for x in re.findall(r"farm: worker \d did (\d+) of 50", out)]
    ok(status == 0 and RESULT in out and len(pieces) == 4 and sum(pieces) == 50, "farm in one process",
       "status %d\n%s" % (status, out))

    master = r.start("--quiet", "--meet", "examples", "farm", "master", "fields", LONG)
    master.wait_line("waits for workers")
    workers = [r.start("--quiet", "--meet", "examples", "--node", node, "--name", "w%d" % i, "farm", "worker", "fields")
               for i, node in enumerate(("n1", "n2", "n2"))]
    r.wait_process("w0")
    status, out = r.command("kill", "w0")
    moved = r.move("w1", "n1")[0]
    ok(master.end() == 0 and master.lines[-1] == LONG_RESULT, "farm of processes on two nodes, a worker killed, one moved",
       master.tail())
    pieces = [int(x) for x in re.findall(r"worker \d did (\d+) of 50", "\n".join(master.lines))]
    same(sum(pieces), 50, "every piece was counted once")
    ends = [w.end() for w in workers]
    note("kill: %s; status of the move: %d; pieces %s" % (out.strip(), moved, pieces))
    ok(ends[1:] == [0, 0], "the workers that lived ended well", "%s\n%s" % (ends, workers[1].tail() + workers[2].tail()))
    status, out = r.run("--quiet", "--meet", "examples", "farm", "worker", "fields")
    ok(status == 1 and "no entry has this name" in out, "afterwards nobody finds the farm", out)


def counter(r):
    status, out = r.run("--quiet", "counter", "10", "1", "64")
    ok(status == 0 and out.endswith("counter: 10 lines, 0 errors\n"), "counter", out)


def client_and_server(r):
    server = r.start("--quiet", "--meet", "examples", "--node", "n2", "adder_server", "sums", "3")
    server.wait_line("sums ready, 3 threads")
    clients = [r.start("--quiet", "--meet", "examples", "--node", "n%d" % (i + 1), "adder_client", "sums", "100", str(i))
               for i in range(2)]
    for i, c in enumerate(clients):
        ok(c.end() == 0 and c.lines[-1] == "client %d: 100 calls, 0 errors" % i, "client %d" % i, c.tail())
    status, out = r.run("--quiet", "--meet", "examples", "adder_client", "sums", "stop")
    same((status, out), (0, "adder: sum 10100, 200 calls, 0 duplicates, 0 gaps\n"), "the server counted the same")
    same(server.end(), 0, "and ended when told so")


TYPED = "12 rest\nabcdef\nline\none\ntwo\n"


def lua(r):
    expected = subprocess.run(["lua5.4", "language.lua", "a", "b"], cwd=os.path.join(ring.ROOT, LIB), input=TYPED,
                              text=True, stdout=subprocess.PIPE, timeout=hang(60))
    status, out = r.run("--quiet", "--files", LIB, "lua", "language.lua", "a", "b", text=TYPED)
    got, want = out.split("\n"), expected.stdout.split("\n")
    ok(len(want) > 100 and (status, got) == (expected.returncode, want),
       "%d lines about all of Lua are those of the host's lua5.4, and so is its status" % len(want),
       "status %d\n%s" % (status, "\n".join("< %s\n> %s" % x for x in zip(want, got) if x[0] != x[1])[:3000]))
    for words in (["hello.lua", "a", "b c"], ["queens.lua", "6"]):
        words[0] = "guest/examples/" + words[0]
        expected = subprocess.run(["lua5.4"] + words, cwd=ring.ROOT, text=True, stdout=subprocess.PIPE, timeout=hang(60))
        status, out = r.run("--quiet", "lua", *words)
        ok(out == expected.stdout and "e" in out, "%s prints what it prints here" % words[0], out)
    status, out = r.run("--quiet", "--files", LIB, "lua", "-e", 
                        "for _, f in ipairs{'../../README.md', '..', '.', '/etc/passwd', ''} do print((io.open(f))) end")
    same((status, out), (0, 5 * "nil\n"), "no way leads out of the folder")
    status, out = r.run("--files", "no-such-folder", "lua", "-e", "")
    ok(status == ring.FAILED and "no-such-folder: No such file" in out, "a folder that is not there", out)


def all():
    r = Ring(2, smp=2, mem="128M")
    before = r.counts()
    for part in (counter, client_and_server, monitor, farm, lua):
        part(r)
    difference = r.back_to(before)
    ok(difference is None, "nothing is left of them", difference or "")
    expect_standing(r, "both nodes stand")
    ok(r.down(), "the ring goes down")


if __name__ == "__main__":
    ring.main(all)
