#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs on one node, with four harts and with one: how they run, how they end, and what they leave: nothing."""
import json
import os
import random
import re
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import Ring, expect_down, ok, same

SEED = int(os.environ.get("SEED", "1"))

# mistake: exit status, what is said of it, cause (scause; table 4.2 of the privileged architecture)
FAULTS = {
    "illegal": (132, r"illegal instruction 0xffffffff", 2),
    "null": (139, r"read from 0x0, a null pointer", 13),
    "write": (139, r"write to 0x[0-9a-f]+, mapped r-x", 15),
    "execute": (139, r"jump to 0x[0-9a-f]+, mapped rw-", 12),
    "kernel": (139, r"read from 0xffffffff80200000, no address of a program", 13),
    "stack": (139, r"write to 0x[0-9a-f]+, the stack is full", 15),
    "thread": (139, r"write to 0x[0-9a-f]+, guard page below a stack", 15),
    "privileged": (132, r"illegal instruction 0x[0-9a-f]+", 2),
    "break": (133, r"breakpoint", 3),
    "atomic": (135, r"misaligned access to 0x1[0-9a-f]+1$", 6),
}


def counted(r, before, claim, exactly=False):
    difference = r.back_to(before, exactly)
    ok(difference is None, claim + ": nothing is left of it", difference or "")


def harmless(r):
    """hello, threads, and what looks like a fault and is none."""
    before = r.counts()
    status, out = r.run("--quiet", "hello", "one", "two words")
    ok(status == 0 and re.search(r"Hello from process [0-9a-f]{6} on node [0-9a-f]{16}\.\n  argument 1: one\n"
                                 r"  argument 2: two words\n", out), "hello, with arguments", out)
    for i in range(4):
        status, out = r.run("--quiet", "threads", "1000")
        ok(status == 0 and "0 errors" in out, "threads, run %d" % (i + 1), out)
    status, out = r.run("--quiet", "--grant", "node", "manythreads", "1000")
    ok(status == 0 and "1000 threads, 0 errors" in out, "1000 threads at once, each with a guarded stack", out)
    ring.note(" / ".join(re.findall(r"manythreads: ((?:one|all|KiB).*)", out)))
    status, out = r.run("--quiet", "fault", "div")
    ok(status == 0 and "1 / 0 = -1, 1 % 0 = 1" in out, "a division by zero is none", out)
    status, out = r.run("--quiet", "fault", "misaligned")
    ok(status == 0 and "right" in out, "a misaligned load works", out)
    status, out = r.run("--quiet", "timeout")
    same((status, out), (0, "timeout: getreq E_FAULT, trans E_TIMEOUT\n"),
         "a time-out comes although the server's buffer went away")
    counted(r, before, "programs that end well")


def faults(r):
    before = r.counts()
    for name, (expected, what, cause) in FAULTS.items():
        status, out = r.run("fault", name)
        m = re.search(r"thread \d: (.*) \(scause (\d+)\)\n +at +(0x[0-9a-f]+)", out)
        causes = [cause, 4] if name == "atomic" else [cause]  # with one hart, QEMU begins it as a load
        ok(status == expected and m and re.search(what, m[1]) and int(m[2]) in causes and "fault: " + name in out,
           "fault %s: status %d, cause %d and the address are told" % (name, expected, cause),
           "status %d\n%s" % (status, out))
    status, out = r.run("fault", "memory")
    ok((status, "no memory is left" in out) == (139, True) or (status, "malloc returned NULL" in out) == (0, True),
       "more memory than there is: malloc says so, or the fault does", "status %d\n%s" % (status, out))
    log = r.log("n1")
    ok(len(re.findall(r" thread \d: ", log)) >= len(FAULTS), "the node's console tells of each")
    counted(r, before, "programs that fault")


def statuses(r):
    before = r.counts()
    for given, seen in ((0, 0), (1, 1), (7, 7), (255, 255), (256, 0)):
        status, out = r.run("--quiet", "lua", "-e", "os.exit(%d, true)" % given)
        ok((status, out) == (seen, ""), "exit(%d) is status %d" % (given, seen), "%d %s" % (status, out))
    status, out = r.run("--quiet", "fault", "abort")
    same(status, 134, "abort() is status 134")
    status, out = r.run("--quiet", "lua", "-e", "error('on purpose')")
    ok(status == 1 and "on purpose" in out, "an error in Lua is status 1", out)
    status, out = r.run("no-such-program")
    ok(status == ring.FAILED and "cannot read the program no-such-program" in out, "a program that is not there", out)
    status, out = r.run("--node", "n9", "hello")
    ok(status == ring.NOBODY and "n9" in out, "a node that is not there", out)
    counted(r, before, "programs with a status")


# --- ELF files that are none ---------------------------------------------------------------------------------

def patched(elf, off, fmt, *values):
    b = bytearray(elf)
    struct.pack_into(fmt, b, off, *values)
    return bytes(b)


def broken_files(elf):
    """name: (bytes, words of the message). Offsets: System V ABI, chapters 4 and 5."""
    ph = struct.unpack_from("<Q", elf, 32)[0]
    loads = [ph + 56 * i for i in range(struct.unpack_from("<H", elf, 56)[0])
             if struct.unpack_from("<I", elf, ph + 56 * i)[0] == 1]
    first, last = loads[0], loads[-1]
    va, _, filesz, memsz = struct.unpack_from("<QQQQ", elf, first + 16)
    return {
        "empty": (b"", "too short|empty"),
        "a text": (b"#!/bin/sh\necho not for you\n" * 10, "not an ELF"),
        "cut in its header": (elf[:40], "too short"),
        "cut in its text": (elf[:struct.unpack_from("<Q", elf, first + 8)[0] + filesz // 2], "cut short"),
        "for 32 bits": (patched(elf, 4, "B", 1), "32-bit"),
        "big-endian": (patched(elf, 5, "B", 2), "byte order"),
        "for x86-64": (patched(elf, 18, "<H", 62), "another processor"),
        "a library": (patched(elf, 16, "<H", 3), "position-independent"),
        "an object file": (patched(elf, 16, "<H", 1), "object file"),
        "with its headers nowhere": (patched(elf, 32, "<Q", 1 << 63), "beyond the end"),
        "with wrong header sizes": (patched(elf, 54, "<H", 57), "header sizes"),
        "with no headers": (patched(elf, 56, "<H", 0), "nothing to load"),
        "longer in the file than in memory": (patched(elf, first + 32, "<Q", memsz + 1), "longer in the file"),
        "with an offset that wraps": (patched(elf, first + 8, "<Q", 2**64 - 8), "beyond the end"),
        "at address 0": (patched(elf, first + 16, "<Q", 0), "first 64 KiB"),
        "in the kernel's half": (patched(elf, last + 16, "<Q", 0xffffffff80200000), "above the addresses"),
        "with an end that wraps": (patched(elf, last + 40, "<Q", 2**64 - 1), "above the addresses"),
        "of 2 GiB": (patched(elf, last + 40, "<Q", 2 << 30), "1 GiB"),
        "with two segments on one page": (patched(elf, last + 16, "<Q", va), "share a page"),
        "with an odd entry": (patched(elf, 24, "<Q", va + 1), "odd"),
        "with its entry elsewhere": (patched(elf, 24, "<Q", 0x3000000000), "executable segment"),
    }


def elves(r):
    before = r.counts()
    with open(os.path.join(ring.BUILD, "guest", "hello.elf"), "rb") as f:
        elf = f.read()
    path = ring.scratch("broken.elf")
    wrong = []
    files = broken_files(elf)
    for name, (content, words) in files.items():
        with open(path, "wb") as f:
            f.write(content)
        status, out = r.run(path)
        if status != ring.FAILED or not re.search(words, out):
            wrong.append("%s: status %d, %s" % (name, status, out))
    ok(not wrong, "%d broken ELF files are refused, and told why" % len(files), "\n".join(wrong))
    # Anything may happen to a file with wrong bits but a crash of ours or of the node.
    rng = random.Random(SEED)
    crashed = []
    for i in range(16):
        b = bytearray(elf)
        for _ in range(rng.randrange(1, 4)):
            b[rng.randrange(0, 64 + 56 * 4)] ^= 1 << rng.randrange(8)
        with open(path, "wb") as f:
            f.write(b)
        p = r.start("--quiet", "--name", "bits", path)
        # Where the program went wrong it may also go nowhere: then its owner ends it.
        try:
            status = p.process.wait(1)
        except Exception:
            r.command("kill", "bits")
            status = p.end()
        if status < 0:
            crashed.append("seed %d, file %d: rotifer run ended by signal %d" % (SEED, i, -status))
    ok(not crashed, "16 files with turned bits bring nothing down", "\n".join(crashed))
    os.unlink(path)
    counted(r, before, "broken files")


# --- Orders --------------------------------------------------------------------------------------------------

def orders_for_programs(r):
    """The same orders, with answers that programs read."""
    def ask(*words):
        status, out = r.command(*words, "--json")
        return json.loads(out) if status == 0 else {"status": status, "said": out}

    p = r.start("--quiet", "counter", "100000", "20")
    p.wait_line("counter: 2 ")
    done = ask("stun", "counter")
    who = {k: done.get(k) for k in ("pid", "name", "node")}
    same(done, dict(who, name="counter", node="n1", done="stunned"), "stun --json")
    listed = ask("ps")
    ok(len(listed) == 1 and dict(listed[0], **who) == listed[0] and listed[0]["state"] == "stunned" and
       type(listed[0]["pages"]) is int and len(listed[0]["endpoint"]) == 16 and listed[0]["endpoint"].endswith(who["pid"]),
       "ps --json lists the same one", listed)
    info = ask("info", "counter")
    ok(dict(info, **who) == info and info["pages"] == listed[0]["pages"] and info["threads"] == 1 and
       "\n".join(info["lines"]) + "\n" == r.command("info", "counter")[1].replace("\n\n", "\n"), "info --json", info)
    same(ask("migrate", "counter", "n1"), dict(who, to="n1", moved=False), "migrate --json to where it is")
    same(ask("priority", "counter", "2"), dict(who, done="priority 2"), "priority --json")
    same(ask("kill", "counter"), dict(who, done="killed"), "kill --json")
    same(p.end(), 137, "and it is")


def orders(r):
    before = r.counts()
    p = r.start("counter", "100000", "20")
    p.wait_line("counter: 2 ")
    status, out = r.command("kill", "counter")
    ok(status == 0 and "killed" in out, "kill says what it did", out)
    same(p.end(), 137, "a killed program is status 137")
    ok(any("was killed" in x for x in p.lines), "and its terminal says so", p.tail())
    counted(r, before, "a killed program")

    p = r.start("--quiet", "counter", "40", "20")
    p.wait_line("counter: 3 ")
    status, out = r.command("stun", "counter")
    ok(status == 0 and "stunned" in out, "stun says what it did", out)
    first, second = r.command("info", "counter"), r.command("info", "counter")
    state = [x for x in r.processes() if x[0] == "counter"]
    ok(first == second and first[0] == 0 and state and state[0][2] == "stunned",
       "a stunned program stands still, and ps says so", "%s\n%s\n%s" % (first, second, state))
    same(r.command("stun", "counter")[0], 0, "stunned twice is stunned")
    ok(p.process.poll() is None, "its terminal waits")
    status, out = r.command("resume", "counter")
    ok(status == 0 and p.end() == 0 and "counter: 40 lines, 0 errors" in p.lines,
       "resumed, it goes on to its end and has noticed nothing", out + p.tail())
    counted(r, before, "a stunned and resumed program")

    p = r.start("counter", "100000", "20")
    p.wait_line("counter: 2 ")
    r.command("stun", "counter")
    status, out = r.command("kill", "counter")
    ok(status == 0 and p.end() == 137, "a stunned program can be killed", out)
    orders_for_programs(r)
    p = r.start("--quiet", "threads", "1000000")
    r.wait_process("threads")
    status, out = r.command("kill", "threads")
    ok(status == 0 and p.end() == 137, "a program with seven threads can be killed", out)
    for order in ("kill", "stun", "resume", "info"):
        status, out = r.command(order, "nobody")
        ok(status == ring.NOBODY and "nobody" in out, "%s of a process that is not there" % order, out)
    counted(r, before, "orders")


def input(r):
    before = r.counts()
    status, out = r.run("--quiet", "lua", "-", text="print(6 * 7)\nprint(_VERSION)\n")
    same((status, out), (0, "42\nLua 5.4\n"), "Lua runs a program from standard input")
    text = "".join("line %d %s\n" % (i, "x" * (i * 37 % 1000)) for i in range(300))
    status, out = r.run("--quiet", "lua", "-e", "for l in io.lines() do print(l:upper()) end", text=text)
    ok((status, out) == (0, text.upper()), "%d bytes of input come out whole" % len(text), "status %d, %d bytes" %
       (status, len(out)))
    p = r.start("--quiet", "lua", "-e", "io.write('name? ') io.flush() print('hello ' .. io.read())", stdin=True)
    r.wait_process("lua")
    p.write("ring\n")
    ok(p.end() == 0 and p.lines[-1:] == ["name? hello ring"], "a question and an answer", p.tail())
    p = r.start("lua", "-e", "io.read()", stdin=True)
    p.wait_line("runs on n1")
    p.process.send_signal(2)
    same(p.end(), 130, "Ctrl-C ends a program that waits for input")
    for i in range(5):
        p = r.start("lua", "-e", "while true do end")
        r.wait_process("lua")  # the node may know it before its owner does
        p.process.send_signal(2)
        p.end()
    ok(not r.processes(True), "Ctrl-C at its very start leaves no orphan", r.command("ps", "-a")[1])
    counted(r, before, "programs that read")


def on(harts):
    def all():
        r = Ring(1, smp=harts)
        before = r.counts()
        for part in (harmless, faults, statuses, elves, orders, input):
            start = time.monotonic()
            part(r)
            ring.note("%s, %d hart%s: %.1f s" % (part.__name__, harts, "s" * (harts > 1), time.monotonic() - start))
        counted(r, before, "all of these programs", exactly=True)
        expect_down(r, "the node stands, with %d hart%s" % (harts, "s" * (harts > 1)))
    all.__name__ = "harts_%d" % harts
    return all


if __name__ == "__main__":
    ring.main(on(4), on(1))
