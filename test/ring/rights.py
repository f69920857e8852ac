#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A program starts with what it was given and nothing else: what a hostile one tries is refused, by name, under the
shell and under `rotifer run`; what is granted works; and the ring's secret is one."""
import hashlib
import os
import re
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from console import PROMPT, Console
from ring import USAGE, Ring, expect_down, note, ok, same, scratch

GRANT = "the program was not given this; who starts it grants it (--grant, --meet)"
RIGHTS = "the capability lacks a right that the operation needs"
FORMAT = "a length, count or section in the bytes contradicts the rest"
NOTHERE = "no node serves this port; the request was not executed"

# What the hostile program is granted, what it tries, and what each line of it must say.
ATTEMPTS = (
    ((), ("dir",), {"dir": GRANT}),
    ((), ("steal", "witness"), {"proc": GRANT}),
    (("proc",), ("steal", "witness"), {"list of the processes": "ok", "stun it": RIGHTS, "get its descriptor": RIGHTS,
                                       "end it": RIGHTS}),
    ((), ("phish",), {"entered as proc": GRANT}),
    (("dir",), ("phish",), {"entered as proc": RIGHTS}),
    ((), ("stop",), {"node": GRANT}),
    (("node",), ("stop",), {"stop": RIGHTS}),
    ((), ("names-itself",), {"proc": GRANT}),
    (("proc:exec",), ("names-itself",), {"started 000000": FORMAT}),
)


def attempts(where, evil):
    """evil(grants, words): what it says."""
    for grants, words, expected in ATTEMPTS:
        text = evil(grants, words)
        said = dict(re.findall(r"^evil: ([^:\n]+): (.*?)\s*$", text, re.M))
        good = all(said.get(what) == why for what, why in expected.items()) and "stole" not in text
        what = " ".join(words) + (" with --grant " + grants[0] if grants else "")
        ok(good, "%s: evil %s: refused with the right error" % (where, what), text)


def options(grants):
    return [w for g in grants for w in ("--grant", g)]


def hostile(r):
    harts = "%d hart%s" % (r.smp, "s" * (r.smp > 1))
    witness = r.start("--quiet", "--name", "witness", "witness", "600")
    witness.wait_line("^witness: watches")
    attempts("rotifer run, " + harts, lambda grants, words: r.run("--quiet", *options(grants), "evil", *words)[1])
    text = r.run("--quiet", "--grant", "dir", "evil", "dir")[1]
    rights = dict(re.findall(r"^evil: has (\w+), rights (\w\w)$", text, re.M))
    ok(len(rights) >= 5 and set(rights.values()) == {"01"}, "with the right to read the directory, it may read what is "
       "in it, and nothing else, " + harts, text)
    ok("\033" not in r.command("ps")[1], "no order to the terminal is in what ps prints")
    ok(r.where("witness") == "n1" and witness.process.poll() is None, "its neighbour is there, " + harts)
    r.command("kill", "witness")
    witness.end()
    status, out = r.command("nodes")
    ok(status == 0 and len(re.findall(r"^(?:n\d|host) ", out, re.M)) == 3, "all nodes and the host are there, " + harts, out)


def hostile_on(harts):
    def all():
        r = Ring(2, smp=harts)
        r.smp = harts
        hostile(r)
        if harts == 1:
            granted(r)
            meetings(r)
        expect_down(r, "the nodes stand, with %d hart%s" % (harts, "s" * (harts > 1)))
    all.__name__ = "ring_%d" % harts
    return all


# --- What is given -----------------------------------------------------------------------------------------------------

def granted(r):
    p = r.start("--quiet", "--name", "given", "--grant", "proc:exec,read", "--grant", "seg@n2:create", "--meet", "us",
                "sleeper", "600")
    r.wait_process("given")
    text = r.command("info", "given")[1]
    ok(re.search(r"^  granted: \+proc:rx \+seg@n2:c \+meet:us$", text, re.M), "info shows what was granted", text)
    r.command("kill", "given")
    p.end()
    for grant in ("", ":read", "proc:", "proc:fly", "proc:read,", "tty", "meet", "file:x", "@n1", "x@", "x" * 32):
        status, text = r.run("--grant", grant, "hello")
        ok(status == USAGE and "--grant" in text, "--grant '%s': the command line is wrong" % grant, text)
    status, text = r.run("--grant", "nothing", "hello")
    ok(status != 0 and "no entry has this name" in text, "what is not there cannot be granted", text)
    status, text = r.run("--grant", "bootfs:write", "hello")
    ok(status != 0 and "lacks a right" in text, "nor a right that is not there", text)
    status, text = r.run("--quiet", "--grant", "node@n2", "bench_null", "10", "node")
    ok(status == 0, "a service of another node can be granted", text)


def meetings(r):
    server = r.start("--quiet", "--meet", "a", "adder_server", "sums")
    server.wait_line("ready|serves|adder")
    for meet, right in (("a", True), ("b", False)):
        status, text = r.run("--quiet", "--node", "n2", "--meet", meet, "adder_client", "sums", "3", "1")
        ok((status == 0) == right, "two programs that meet in %s find each other%s" % (
            ("the same directory", "") if right else ("different directories", ": no")), text)
        if not right:
            ok("no entry has this name" in text, "for there is no such name", text)
    status, text = r.run("--quiet", "adder_client", "sums", "3", "1")
    ok(status != 0 and GRANT in text, "without a directory to meet in, it says so", text)
    out = [r.run("--quiet", "--meet", meet, "hog", "names")[1] for meet in ("full", "full", "empty")]
    counts = [int(re.search(r"hog: (\d+) names", o)[1]) for o in out]
    ok(counts[0] > 0 and counts[1] == 0 and counts[2] == counts[0],
       "a program that fills its directory fills that of those who meet there, and no other", "%s" % counts)
    same(r.run("--quiet", "--meet", "a", "adder_client", "sums", "stop")[0], 0, "and those in theirs are still found")
    server.end()


# --- Under the shell, where nobody gave the node a ring key ------------------------------------------------------------

def derived(label):
    """What an outsider knows when the ring key is zeros."""
    hashed = hashlib.blake2b(label.encode() + b"\0n1", key=bytes(32)).digest()
    return "%x:%x" % struct.unpack("<QQ", hashed[:16])


def at_shell(harts):
    def all():
        files = []
        for name in ("evil", "witness", "adder_server", "adder_client"):
            files.append(scratch(name))
            shutil.copy(os.path.join(ring.BUILD, "guest", name + ".elf"), files[-1])
        archive = scratch("rights.cpio")
        subprocess.run([sys.executable, os.path.join(ring.ROOT, "tools", "mkbootfs.py"), archive, *files], check=True)
        c = Console(initrd=archive, smp=harts)
        try:
            c.until(PROMPT, 20)
            shell(c, "the shell, %d hart%s" % (harts, "s" * (harts > 1)))
        finally:
            c.drop()
    all.__name__ = "shell_%d" % harts
    return all


def shell(c, where):
    c.line("witness 600 &", r"witness: watches")
    attempts(where, lambda grants, words: c.line(" ".join(["run", *options(grants), "evil", *words])))
    c.seen = len(c.screen.text())
    c.type("evil serves %s %s\r" % (derived("boot-directory"), derived("boot-directory-key")))  # wider than the screen
    text = c.until(r"evil: look up .*\n(?s:.*)%s" % PROMPT)
    ok(re.search(r"^evil: look up .*: %s" % NOTHERE, text, re.M),
       "%s: a node without a ring key has drawn one: its directory is not where zeros would have it" % where, text)
    text = c.line("ps")
    ok(re.search(r" witness +(run|wait)", text), "%s: the neighbour is there" % where, text)
    c.line("kill witness", r"was killed")
    c.line("run --meet us adder_server sums &", r"adder")
    text = c.line("info adder_server")
    ok("granted: +meet:us" in text, "%s: info shows what was granted" % where, text)
    text = c.line("run --meet us adder_client sums 3 1")
    ok("3 calls, 0 errors" in text, "%s: two programs meet" % where, text)
    text = c.line("run --meet others adder_client sums stop")
    ok("no entry has this name" in text, "%s: others do not find them" % where, text)
    for wrong, why in (("--grant", "is no grant"), ("--grant proc:fly evil", "names no right"), ("--meet", "is no meeting"),
                       ("--give x evil", "no option"), ("--grant node", "needs the name of a program"),
                       ("--grant nothing evil", "no entry has this name")):
        text = c.line("run " + wrong)
        ok(why in text, "%s: run %s: %s" % (where, wrong, why), text)


if __name__ == "__main__":
    ring.main(hostile_on(1), hostile_on(4), at_shell(1), at_shell(4))
