#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Calls that go on to another server, or are called back; on one node, between two, and while somebody moves."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import Ring, expect_down, ok, same

CALLS = 120


def forwards(r, where, node_of, move=None):
    """client -> far -> near -> adder: two fronts, one behind the other. The adder counts what is executed twice."""
    before = r.counts()
    adder = r.start("--quiet", "--meet", "calls", "--node", node_of["adder"], "adder_server", "adder")
    adder.wait_line("ready")
    near = r.start("--quiet", "--meet", "calls", "--name", "near", "--node", node_of["near"], "front", "near", "adder", str(CALLS))
    near.wait_line("ready")
    far = r.start("--quiet", "--meet", "calls", "--name", "far", "--node", node_of["far"], "front", "far", "near",
                  str(CALLS))
    far.wait_line("ready")
    client = r.start("--quiet", "--meet", "calls", "--name", "client", "--node", node_of["client"], "adder_client", "far", str(CALLS), "1",
                     *(["20"] if move else []))
    moved = 0
    while move and client.process.poll() is None:
        for name in move:
            moved += r.move(name, "n%d" % (1 + moved % 2))[0] == 0
    ok(client.end() == 0 and any("%d calls, 0 errors" % CALLS in x for x in client.lines),
       "forwarded twice, %s: every reply is right" % where, client.tail())
    if move:
        ok(moved > 0, "%d moves meanwhile" % moved)
    ok(near.end() == 0 and far.end() == 0, "each front forwarded each call once", near.tail() + far.tail())
    status, out = r.run("--quiet", "--meet", "calls", "adder_client", "adder", "stop")
    ok(status == 0 and re.search(r" %d calls, 0 duplicates, 0 gaps" % CALLS, out), "the last server executed each once", out)
    adder.end()
    difference = r.back_to(before)
    ok(difference is None, "nothing is left of it, %s" % where, difference or "")


def forward():
    r = Ring(2)
    names = ("adder", "near", "far", "client")
    forwards(r, "on one node", dict.fromkeys(names, "n1"))
    forwards(r, "over the wire", dict(zip(names, ("n1", "n2", "n1", "n2"))))
    forwards(r, "while the fronts and the client move", dict(zip(names, ("n1", "n2", "n1", "n2"))), ("near", "far", "client"))
    expect_down(r, "the nodes stand")


# --- Interrupts ------------------------------------------------------------------------------------------------

def interrupts(r, where, nodes, move=False):
    """client -> near -> middle -> last: three deep. Each answers what the last one says."""
    before = r.counts()
    chain = []
    for name, role, node in (("last", ["serve", "last"], nodes[0]), ("middle", ["relay", "middle", "last"], nodes[1]),
                             ("near", ["relay", "near", "middle"], nodes[2])):
        p = r.start("--quiet", "--meet", "calls", "--name", name, "--node", node, "interrupt", *role)
        p.wait_line("ready")
        chain.append(p)
    client = r.start("--quiet", "--meet", "calls", "--name", "client", "--node", nodes[3], "interrupt", "client", "near")
    moved = 0
    while move and client.process.poll() is None:
        for name in ("last", "middle", "near", "client"):
            moved += r.move(name, "n%d" % (1 + moved % 2))[0] == 0
    ok(client.end() == 0 and any("0 errors" in x for x in client.lines),
       "three deep, %s: caught, found out, shielded, withdrawn, timed out" % where, client.tail())
    if move:
        ok(moved > 0, "%d moves meanwhile" % moved)
    def interrupted():
        said = r.run("--quiet", "--meet", "calls", "interrupt", "report", "near")[1]
        return int(re.search(r"(\d+) interrupted", said)[1])
    count = interrupted()
    while interrupted() == count:  # killed before its request was at the end of the chain, it interrupts nobody there
        hangs = r.start("--quiet", "--meet", "calls", "--name", "hangs", "--node", nodes[3], "interrupt", "hang", "near")
        hangs.wait_line("calls")
        r.wait_process("hangs")
        r.command("kill", "hangs")
        hangs.end()
    ok(True, "killing a client interrupts the server at the end of its chain")
    same(r.run("--quiet", "--meet", "calls", "interrupt", "stop", "near")[0], 0, "and all three serve as before")
    ok(all(p.end() == 0 for p in chain), "and end", "\n".join(p.tail() for p in chain))
    difference = r.back_to(before)
    ok(difference is None, "nothing is left of it, %s" % where, difference or "")


def cancel():
    r = Ring(2)
    interrupts(r, "on one node", ("n1", "n1", "n1", "n1"))
    interrupts(r, "over the wire", ("n1", "n2", "n1", "n2"))
    interrupts(r, "while all of them move", ("n2", "n1", "n2", "n1"), move=True)
    expect_down(r, "the nodes stand")


if __name__ == "__main__":
    ring.main(forward, cancel)
