#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Faults and stuns reach an owner that is a guest (guest/tests/owner.c), with cause and address, and its answer is what
happens to the process: it ends, goes on repaired, stays. Whose owner is gone ends, wherever that was; whose owner is
nobody does not. Causes: table 4.2 of the privileged architecture; kinds: enum fault_kind of core/entry.h."""
import os
import re
import select
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import GiveUp, Ring, expect_down, hang, note, ok, same

MEET = ["--meet", "owner@n1"]
OWNER = MEET + ["--grant", "proc:read,control,destroy,owner"]

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
    return r.start("--quiet", *MEET, "--name", what, "owned", "nurse", what)


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


# --- Owners that are gone ----------------------------------------------------------------------------------------

GRACE = 40  # s: given to the run that is killed; without, it is ORPHAN_GRACE_NS of core/config.h


def gone(r, name, seconds):
    """Waits until no node has a process of that name."""
    limit = time.monotonic() + hang(seconds)
    while any(p[0] == name for p in r.processes(True)):
        if time.monotonic() > limit:
            raise GiveUp("%s is still there:\n%s" % (name, r.command("ps", "-a")[1]))
        select.select([], [], [], 0.2)  # between two looks


def last_words(r, name, node="n1"):
    """What the node's kernel said of its end as an orphan; a line of a program may stand before it."""
    m = re.search(r"proc: %s \([0-9a-f]{6}\) is an orphan and ends: (.*)" % name, r.log(node))
    return m[1].strip() if m else ""


def orphans_begin(r):
    """A run that is killed -9, and a child whose owner has moved to the other node. The rest of the test passes meanwhile."""
    keeper = r.start("--quiet", *OWNER, "--name", "keeper", "owner", "keeper")
    keeper.wait_line("^owner: ready")
    ward = r.start("--quiet", *MEET, "--name", "ward", "owned", "keeper", "idle")
    ward.wait_line("^owned: idle")
    status, out = r.move("keeper", "n2")
    same(status, 0, "an owner moves to another node")
    lost = r.start("--quiet", "--orphan-grace", str(GRACE), "--name", "lost", "sleeper", "1000000")
    r.wait_process("lost")
    lost.kill()
    return keeper, ward


def orphans_end(r, keeper, ward):
    gone(r, "lost", 3 * GRACE)
    same(last_words(r, "lost"), "nobody has served its owner's port for %d s" % GRACE,
         "rotifer run is killed -9: its program ends too, and its kernel says why")
    text = r.command("info", "ward")[1]
    ok("owner: port" in text and "not found" not in text and r.where("ward") == "n1",
       "the child of the owner that moved is still there", text)
    r.command("kill", "ward")
    gone(r, "ward", 30)
    ward.kill()
    r.command("kill", "keeper")
    keeper.end()


def children_go(r):
    """On one node it is known that the owner has ended."""
    mother = r.start("--quiet", *OWNER, "--name", "mother", "owner", "mother")
    mother.wait_line("^owner: ready")
    children = [r.start("--quiet", *MEET, "--name", "child%d" % i, "owned", "mother", "idle") for i in range(3)]
    for c in children:
        c.wait_line("^owned: idle")
    r.command("stun", "child2")
    start = time.monotonic()
    r.command("kill", "mother")
    mother.end()
    for i in range(3):
        gone(r, "child%d" % i, 30)
    note("%.1f s until they were gone" % (time.monotonic() - start))
    for i in range(3):
        same(last_words(r, "child%d" % i), "its owner has ended", "an owner ends: child %d ends too" % i)
    for c in children:
        c.kill()


def stopped(r):
    """Ctrl-Z at the command: no owner, and a stunned process, until it goes on."""
    p = r.start("--quiet", "--name", "pausing", "sleeper", "300")
    p.wait_line("^sleeper: sleep")
    p.process.send_signal(signal.SIGTSTP)
    r.wait_process("pausing", lambda x: x[2] == "stunned")
    os.waitid(os.P_PID, p.process.pid, os.WSTOPPED | os.WNOWAIT)
    text = r.command("info", "pausing")[1]
    ok("owner: nobody" in text, "Ctrl-Z stuns the program, and nobody owns it meanwhile", text)
    p.process.send_signal(signal.SIGCONT)
    status = p.end()
    ok(status == 0 and "sleeper: 0 errors" in p.lines[-1], "and it goes on where it was", p.tail())


def detached(r):
    status, out = r.run("--detach", "--node", "n2", "--name", "loner", "sleeper", "1000000")
    same(status, 0, "run --detach starts a program and leaves")
    ok("loner" in out and r.where("loner") == "n2", "which runs", out)
    text = r.command("info", "loner")[1]
    ok("owner: nobody" in text, "and has no owner", text)
    status, out = r.run("--detach", "--quiet", "--node", "n2", "hello", "you")
    for _ in range(300):
        if "Hello" in r.log("n2"):
            break
        select.select([], [], [], 0.1)
    ok(status == 0 and "Hello" in r.log("n2"), "what a detached program prints is on the console of its node", r.log("n2"))
    r.command("kill", "loner")
    gone(r, "loner", 30)


def all():
    r = Ring(2, smp=2)
    before = {n: r.counts(n) for n in r.names()}
    orphans = orphans_begin(r)
    owner = r.start("--quiet", *OWNER, "--name", "nurse", "owner", "nurse")
    owner.wait_line("^owner: ready")
    for part in (told, repaired, kept):
        part(r, owner)
    for part in (children_go, stopped, detached):
        part(r)
    orphans_end(r, *orphans)
    r.command("kill", "nurse")
    owner.end()
    for n in r.names():
        difference = r.back_to(before[n], node=n)
        ok(difference is None, "nothing is left of them on %s" % n, difference or "")
    expect_down(r, "the kernels stand")


if __name__ == "__main__":
    ring.main(all)
