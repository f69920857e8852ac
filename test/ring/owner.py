#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Faults and stuns reach an owner that is a guest (guest/tests/owner.c), with cause and address, and its answer is what
happens to the process: it ends, goes on repaired, stays. Causes: table 4.2 of the privileged architecture; kinds: enum
fault_kind of core/entry.h."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import Ring, expect_standing, ok, same

# mistake: kind, cause, address
FAULTS = {
    "illegal": (4, 2, r"0xffffffff"),
    "privileged": (4, 2, r"0x100[0-9a-f]{5}"),
    "unmapped": (1, 13, r"0x700000000"),
    "text": (2, 15, r"0x1[0-9a-f]{4}"),
    "execute": (3, 12, r"0x1[0-9a-f]{4}"),
    "kernel": (3, 12, r"0xffffffff80200000"),
    "stack": (2, 15, r"0x3f[0-9a-f]{8}"),
    "memory": (2, 15, r"0x[0-9a-f]+"),
    "break": (5, 3, r"0x[0-9a-f]+"),
    "atomic": (6, 6, r"0x1[0-9a-f]{4}"),
}


def owned(r, what):
    return r.start("--quiet", "--dir", "n1", "--name", what, "owned", "nurse", what)


def told(r, owner):
    for what, (kind, cause, address) in FAULTS.items():
        p = owned(r, what)
        line = owner.wait_line(r"^owner: %s: kind" % what)
        short = ", no memory is left" in line
        ok(re.search(r"kind %d cause %d address %s:" % (kind, cause, address), line) and short == (what == "memory"),
           "%s: kind %d, cause %d and the address" % (what, kind, cause), line)
        same(owner.wait_line(r"^owner: %s: descriptor" % what), "owner: %s: descriptor: the same pc and sp" % what,
             "%s: its owner has the descriptor, as of that instruction" % what)
        line = owner.wait_line(r"^owner: %s: ended" % what)
        why = "not enough free memory" if short else "not mapped with the access"
        ok(why in line, "%s: refused by its owner, it ends, and the status says why" % what, line)
        p.kill()
    p = owned(r, "divide")
    line = p.wait_line(r"^owned: 7/0")
    same(line, "owned: 7/0 = -1, 7%0 = 7; min/-1 = min, min%-1 = 0", "divisions that have no result are no faults")
    p.wait_line("^owned: alive")
    p.kill()


def repaired(r, owner):
    p = owned(r, "missing")
    same(p.wait_line("^owned: the page"), "owned: the page is there: 5", "the owner maps the missing page")
    ok(p.wait_line("^owned: alive"), "and the program goes on to its end")
    p.kill()
    p = owned(r, "question")
    same(p.wait_line("^owned: the answer"), "owned: the answer is 42", "the owner changes pc and a register")
    p.wait_line("^owned: alive")
    p.kill()
    p = owned(r, "wrong")
    line = owner.wait_line("^owner: wrong: refused")
    ok("an argument has a value" in line, "a change that may not be is refused, and the owner hears why", line)
    owner.wait_line("^owner: wrong: ended")
    p.kill()
    p = owned(r, "refuse")
    ok(owner.wait_line("^owner: refuse: ended"), "an owner that answers with an error ends it")
    p.kill()


def kept(r, owner):
    p = owned(r, "keep")
    owner.wait_line("^owner: keep: kind 5")
    state = r.wait_process("keep", lambda x: x[2] == "stunned")
    ok(state[2] == "stunned", "an owner may leave it stunned")
    text = r.command("info", "keep")[1]
    ok("fault" in text and "breakpoint" in text, "its kernel says why it stands still", text)
    r.command("kill", "keep")
    ok(owner.wait_line("^owner: keep: ended"), "and is told when somebody kills it")
    p.kill()


def all():
    r = Ring(1, smp=2)
    owner = r.start("--quiet", "--dir", "n1", "--name", "nurse", "owner", "nurse")
    owner.wait_line("^owner: ready")
    before = r.counts()
    for part in (told, repaired, kept):
        part(r, owner)
    difference = r.back_to(before)
    ok(difference is None, "nothing is left of them", difference or "")
    r.command("kill", "nurse")
    owner.end()
    expect_standing(r, "the kernel stands")
    ok(r.down(), "the ring goes down, and nothing is left of it")


if __name__ == "__main__":
    ring.main(all)
