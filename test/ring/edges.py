#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What breaks at the edges: faults that are known and not mended yet, each as a claim that is expected to fail
(docs/tests.md, "Known faults"). Who mends one makes its known_fault() an ok().

SLOW=1: also those that take long, for make soak. A part's name as an argument: that part alone."""
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
import unicodedata

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from console import PROMPT, Console, Screen
from ring import GiveUp, Ring, hang, known_fault, note, ok, same, scratch

SLOW = os.environ.get("SLOW") == "1"
MIB_PAGES = 256


# --- Rights: what a program can do with less than it should need (test/ring/rights.py: what holds) --------------------

def evil(r, *words, grant, node="n1"):
    """What the hostile program says, on this node, with one grant."""
    return r.run("--quiet", "--node", node, "--grant", grant, "evil", *words)[1]


def refused(text, what):
    """(right, wrong): it was refused; it was done."""
    m = re.search(r"^evil: %s: (.*)$" % what, text, re.M)
    return m is None or m[1] != "ok", m is not None and m[1] == "ok"


def raised(r):
    text = evil(r, "raise", grant="proc:all")
    known_fault("evil raise", "a program gives itself the highest priority, and memory without limit",
                *refused(text, "priority 7"), text)


def identities(r):
    r.run("--quiet", "--detach", "--name", "single", "sleeper", "1000000")
    r.wait_process("single")
    ep = re.search(r"endpoint ([0-9a-f]{16})", r.command("info", "single")[1])[1]
    text = evil(r, "double", ep, grant="proc:exec", node="n2")
    started = re.search(r"^evil: started ([0-9a-f]{6}): ok$", text, re.M)
    ok(not started, "no process is started under the endpoint of another", text)


# --- Nobody takes all: what a program leaves behind, or takes from others --------------------------------------------

def leftovers(r):
    before = r.counts()
    out = r.run("--quiet", "--grant", "seg:create", "hog", "segments", "3", "4")[1]
    now = r.counts()
    missing = before["pages"] - now["pages"]
    known_fault("hog segments", "segments that a program made stay when it has ended",
                "3 segments" in out and missing < 4 * MIB_PAGES, "3 segments" in out and missing > 11 * MIB_PAGES,
                "%s\n%d pages are missing" % (out, missing))


def given_up(r):
    """How much of a request has come when its client gives up depends on the machine: more time, until it is enough."""
    before, missing, out = r.counts(), 0, ""
    for ms in (20, 40, 80, 160, 320):
        out = r.run("--quiet", "--grant", "node", "hog", "give-up", "node", "48", str(ms))[1]
        missing = before["pages"] - r.counts()["pages"]
        if missing > 4 * MIB_PAGES or "time given has passed" not in out:
            break
    known_fault("hog give-up", "what had come of a request that was given up stays in the server's buffer",
                missing < MIB_PAGES, missing > 4 * MIB_PAGES, "%s\n%d pages are missing" % (out, missing))


def rights_and_leftovers():
    r = Ring(2)
    for part in (raised, identities, leftovers, given_up):
        part(r)
    r.down()


def announced():
    """Two long requests with a capability that is forged: their bytes must not be asked for."""
    r = Ring(1)
    before = r.counts()["pages"]
    p = r.start("--quiet", "--grant", "node", "hog", "announce", "node", "64", "2")
    p.wait_line("^hog: announced")
    least = before
    for _ in range(10):
        least = min(least, free_pages(r))
        if least < before / 2:
            break
    known_fault("hog announce", "a request is taken into memory before its capability is looked at",
                least > before - 8 * MIB_PAGES, least < before / 2, "%d of %d pages are free" % (least, before))
    p.kill()
    r.down()


def free_pages(r):
    """0: the node has not even enough to say so."""
    try:
        return r.counts()["pages"]
    except GiveUp:
        return 0


def filled():
    r = Ring(1, mem="32M")
    witness = r.start("--quiet", "--name", "witness", "witness", "600")
    witness.wait_line("^witness: watches")
    p = r.start("--quiet", "--name", "hog", "hog", "fill", "random")
    p.wait_line("^hog: fills")
    pages, before = free_pages(r), -1
    while pages != before:  # until it has got all that it gets
        before, pages = pages, free_pages(r)
    status, out = r.run("--quiet", "hello")
    known_fault("hog fill", "memory that the kernel writes for a program is taken from what is reserved for orders",
                status == 0 and pages > 0, status != 0 and pages < 64, "%d pages are free\n%s" % (pages, out))
    p.kill()
    witness.kill()
    r.down()


# --- Chains of nested calls ------------------------------------------------------------------------------------------

def goes_down(r, p):
    """None when the kernel took the whole chain down; else what it said."""
    try:
        p.until(lambda x: any(re.search("^chain: (end|the first call ended)", line) for line in x.lines) or r.standing(),
                30)
    except GiveUp:  # killed: it says nothing more
        pass
    r.command("ps")  # a node that answers has come to the end of it
    return r.standing()


def chain(links, how, harts=1, mem="64M"):
    """A chain in one process, taken down from its first call, on a node of its own: its kernel stands."""
    r = Ring(1, smp=harts, mem=mem)
    p = r.start("--quiet", "--name", "chain", "chain", str(links), *how)
    p.wait_line("^chain: %d links stand" % links)
    why = goes_down(r, p)
    ok(why is None, "a chain of %d nested calls is taken down (%s): the kernel stands, %d harts"
       % (links, how[0], harts), why or p.tail())
    ok(any("the first call ended" in line for line in p.lines), "and the caller is told", p.tail())
    p.kill()
    r.down()


def killed_chain(links, harts, mem="256M"):
    """The process that all of a chain is in is killed: this holds."""
    r = Ring(1, smp=harts, mem=mem)
    p = r.start("--quiet", "--name", "chain", "chain", str(links), "stand")
    p.wait_line("^chain: %d links stand" % links)
    r.command("kill", "chain")
    why = goes_down(r, p)
    ok(why is None, "a process with a chain of %d nested calls is killed: its kernel stands, %d harts" % (links, harts),
       why or "")
    p.kill()
    r.down()


def chain_of_two(links, harts, mem="256M"):
    """The first caller is another process, and is killed."""
    r = Ring(1, smp=harts, mem=mem)
    server = r.start("--quiet", "--meet", "chain@n1", "--name", "links", "chain", str(links), "serve")
    server.wait_line("^chain: serves")
    caller = r.start("--quiet", "--meet", "chain@n1", "--name", "caller", "chain", "call")
    server.wait_line("^chain: %d links stand" % links)
    r.command("kill", "caller")
    why = goes_down(r, caller)
    ok(why is None, "the first caller of a chain of %d calls in another process is killed: the kernel stands, %d harts"
       % (links, harts), why or caller.tail())
    server.kill()
    caller.kill()
    r.down()


def chains():
    chain(400, ("cancel",))


def chains_all():
    for harts in (1, 4):
        for how in (("cancel",), ("timeout", "3000")):
            chain(4000, how, harts, "256M")
        killed_chain(4000, harts)
        chain_of_two(4000, harts)


# --- A node without a ring, and somebody who types -------------------------------------------------------------------

class WideScreen(Screen):
    """As a terminal draws: a wide character takes two columns, a combining one none."""

    def __init__(self):
        super().__init__()
        self.drawn = 0  # letters and accents so far

    def feed(self, text):
        for c in text:
            self.drawn += c.isalpha() or unicodedata.combining(c) > 0
            if unicodedata.combining(c):
                continue
            super().feed(c)
            if unicodedata.east_asian_width(c) in "WF":
                super().feed("\0")  # the second half of it


def read_until(c, good, what):
    limit = time.monotonic() + hang(10)
    while not good():
        if not c.read(limit):
            raise GiveUp("%s does not come:\n%s" % (what, c.screen.text()[-500:]))


CTRL_A, CTRL_E, CTRL_U = "\x01", "\x05", "\x15"
START = len("n1> ")


def column_of_end(c, text):
    """The columns of this text, and the one in which the cursor is when it was sent to the start and the end."""
    screen, shown = c.screen, c.screen.drawn
    c.type(text)
    read_until(c, lambda: screen.drawn == shown + len(text), repr(text))
    width = len(screen.row)
    c.type(CTRL_A)
    read_until(c, lambda: screen.at == START, "the start of the line")
    c.type(CTRL_E)
    read_until(c, lambda: screen.at > START, "the end of the line")
    end = screen.at
    c.type(CTRL_U)
    read_until(c, lambda: screen.row.rstrip() == "n1>", "an empty line")
    return width, end


def word_of(c, keys):
    """What the shell is given when somebody types these keys and "!". No program is called so."""
    c.seen = len(c.screen.text())
    c.type(keys + "!\r")
    return re.search(r"^(.*): neither a command", c.until(r"neither a command.*\n%s" % PROMPT), re.M)[1]


def editor(c):
    for name, text, sentence in (("wide", "日本語", "the cursor goes two columns for a character that takes two"),
                                 ("accent", "xe\u0301e", "the cursor goes none for an accent, which takes none")):
        width, end = column_of_end(c, text)
        ok(end == width, "in the line editor, " + sentence,
           "the line ends in column %d, the cursor is in column %d" % (width, end))
    for name, keys in (("OSC", "\x1b]0;evil\x07"), ("DCS", "\x1bP1$r0m\x1b\\")):
        same(word_of(c, keys), "!", "a terminal's answer (%s) is no text of the line" % name)


def crowded_terminal(c):
    c.line("hog readers 12 &", r"hog: reads")
    c.line("lua", r"\n> ")
    c.type("print(6*7)\r")
    text = c.until(r"\n42\n|n1> ")
    known_fault("hog readers", "a few readers of a terminal make other programs' reads end as if input had",
                "42" in text, "n1> " in text, text)


def at_console():
    files = []
    for name in ("hog", "lua"):
        files.append(scratch(name))
        shutil.copy(os.path.join(ring.BUILD, "guest", name + ".elf"), files[-1])
    archive = scratch("edges.cpio")
    subprocess.run([sys.executable, os.path.join(ring.ROOT, "tools", "mkbootfs.py"), archive, *files], check=True)
    c = Console(initrd=archive)
    c.screen = WideScreen()
    try:
        c.until(PROMPT, 20)
        for part in (editor, crowded_terminal):
            part(c)
    finally:
        c.drop()


# --- Orders that meet a process on its way ---------------------------------------------------------------------------

class Big:
    """A large process that is just being moved from n1 to n2."""

    def __init__(self, r):
        self.ring = r
        self.run = r.start("--quiet", "--name", "big", "--node", "n1", "big", "72", "600")
        self.run.wait_line("^big: filled")
        self.mover = ring.Lines([ring.ROTIFER, "migrate", "big", "n2"], env=r.env, cwd=ring.ROOT)
        while self.mover.process.poll() is None and not any(p[2] == "moving" for p in r.processes()):
            pass

    def order(self, *words):
        status, out = self.ring.command(*words)
        self.mover.end()
        return status, out

    def end(self):
        self.ring.command("kill", "big")
        self.run.end()  # it hears of the end: an owner that did not would keep the memory for 10 s


def ordered(r, what, words, right):
    """right(): what the order says is so, when the move has ended."""
    b = Big(r)
    status, out = b.order(*words)
    ok(status == 0 and right(), "an order that meets a process in its freeze is carried out: %s" % what,
       "status %d, %s%s" % (status, out, b.mover.tail()))
    b.end()


def interrupted(r):
    b = Big(r)
    b.run.process.send_signal(signal.SIGINT)
    status = b.run.end()
    b.mover.end()
    lives = r.where("big")
    ok(not lives and status == 130, "Ctrl-C that meets a process in its freeze ends it",
       "status %d, it is on %s" % (status, lives))
    b.end()


def state_of(r, name):
    return next((p[2] for p in r.processes() if p[0] == name), None)


def orders():
    r = Ring(2, mem="192M")
    ordered(r, "kill", ("kill", "big"), lambda: r.where("big") is None)
    ordered(r, "stun", ("stun", "big"), lambda: state_of(r, "big") == "stunned")
    ordered(r, "priority", ("priority", "big", "2"), lambda: "priority 2" in r.command("info", "big")[1])
    interrupted(r)
    r.down()


# --- Processors that differ ------------------------------------------------------------------------------------------

WRAPPER = """#!/bin/sh
# The second node of a ring gets another processor.
case "$*" in *path=n2.log,*) set -- "$@" -cpu sifive-u54;; esac
exec %s "$@"
"""


def processors():
    """A program with Zbb goes to a node that does not have it: it must be refused, and go on where it is."""
    folder = scratch("path")
    os.mkdir(folder)
    wrapper = os.path.join(folder, ring.QEMU)
    with open(wrapper, "w") as f:
        f.write(WRAPPER % shutil.which(ring.QEMU))
    os.chmod(wrapper, 0o755)
    path = os.environ["PATH"]
    os.environ["PATH"] = folder + ":" + path
    try:
        r = Ring(2)
    finally:
        os.environ["PATH"] = path
    p = r.start("--quiet", "zbb")
    p.wait_line("^zbb: ")
    status, out = r.move("zbb", "n2")
    died = status == 0 and p.end() != 0
    known_fault("zbb", "a process moves to a node whose harts lack its instructions, and dies there",
                status != 0 and r.where("zbb") == "n1", died and "illegal instruction" in p.tail(), out + p.tail())
    p.kill()
    r.down()


# --- Long cuts, and many moves: for make soak ------------------------------------------------------------------------

def links(r, node, up):
    r.qmp(node, *[("set_link", {"name": "nic%d" % i, "up": up}) for i in range(2)])


def cut(cut_off, back, what):
    """40 s, which is less than the grace that docs/process.md promises."""
    r = Ring(4)
    p = r.start("--quiet", "--node", "n2", "--name", "counter", "counter", "100000", "100")
    p.wait_count(2)
    cut_off(r)
    end = time.monotonic() + 40
    while time.monotonic() < end and p.process.poll() is None:
        select.select([], [], [], 1)  # the time of the cut is what is tested
    gave_up = p.process.poll() is not None
    back(r)
    note("rotifer run %s" % ("gave up" if gave_up else "waits"))
    alive = False
    end = time.monotonic() + hang(20)
    while not alive and not gave_up and time.monotonic() < end:
        alive = r.where("counter") == "n2"
    ok(alive and not gave_up, "a process lives on, and its run waits, when its node is %s for 40 s" % what, p.tail())
    p.kill()
    r.down()


def cuts():
    cut(lambda r: links(r, "n2", False), lambda r: links(r, "n2", True), "cut off")
    cut(lambda r: r.qmp("n2", "stop"), lambda r: r.qmp("n2", "cont"), "paused")


class Wanderer:
    """A process that checks itself, and is moved round the ring for as long as it lives."""

    def __init__(self, r, number, seconds):
        self.ring, self.number, self.moves = r, number, 0
        self.name = "soak%d" % number
        self.run = r.start("--quiet", "--name", self.name, "--node", "n%d" % number, "soak", str(seconds), "2")
        self.thread = threading.Thread(target=self.wander, daemon=True)

    def wander(self):
        position = self.number
        while self.run.process.poll() is None:
            position = position % 4 + 1
            self.moves += self.ring.move(self.name, "n%d" % position)[0] == 0

    def good(self):
        return self.run.end(300) == 0 and ", 0 bad" in self.run.lines[-1]


def lost():
    """Four healthy processes that move all the time: nobody says that one is lost."""
    r = Ring(4, smp=2)
    wanderers = [Wanderer(r, i, 150) for i in range(1, 5)]
    for w in wanderers:
        w.run.wait_line("^soak: begun")
    for w in wanderers:
        w.thread.start()
    good = [w.good() for w in wanderers]
    for w in wanderers:
        w.thread.join()
    said = "\n".join(w.run.tail() for w in wanderers)
    ok(all(good), "processes that move often are not declared lost, nor ended",
       "%s\nmoves: %s" % (said, [w.moves for w in wanderers]))
    r.down()


# --- What takes long -------------------------------------------------------------------------------------------------

def order_beside(name, sentence, *words, until="^hog: "):
    """While a program does this, or when it has, an order of the operator's must be carried out."""
    r = Ring(1)
    p = r.start("--quiet", "--grant", "proc:exec", "--name", "hog", "hog", *words)
    p.wait_line(until)
    status, out = r.run("--quiet", "hello")
    known_fault("hog " + name, sentence, status == 0, status != 0 and re.search(r"E_TIMEOUT|E_MEM|E_LIMIT", out), out)
    p.kill()
    r.down()


def orders_beside():
    order_beside("starts", "starts of processes whose memory never comes keep all orders from being carried out",
                 "starts", "23")
    order_beside("processes", "a program starts processes that nobody owns until no order finds memory", "processes",
                 until="^hog: .* processes")


def deaf():
    """What the kernel keeps for calls counts for the process that makes them."""
    r = Ring(1)
    before = r.counts()["pages"]
    p = r.start("--quiet", "--name", "hog", "hog", "deaf", "4000")
    p.wait_line("^hog: calls")
    missing = before - r.counts()["pages"]
    charged = int(re.search(r"^[0-9a-f]{6}  hog .*?([\d,]+) +\d+$", r.command("ps")[1], re.M)[1].replace(",", ""))
    known_fault("hog deaf", "what a kernel keeps for calls counts for nobody", missing - charged < MIB_PAGES,
                missing - charged > 2 * MIB_PAGES,
                "%d pages are missing, %d count for the process" % (missing, charged))
    r.command("kill", "hog")
    p.end()
    r.down()


LONG_CALL_US = 20000


def long_calls():
    """A copy of 200 MiB is mapped and unmapped, and a neighbour on another hart waits in a null call."""
    r = Ring(1, smp=2, mem="512M")
    worst = []
    for copies in (False, True):
        witness = r.start("--quiet", "witness", "5")
        witness.wait_line("^witness: watches")
        if copies:
            r.run("--quiet", "--grant", "seg:create", "hog", "copies", "200", "10")
        witness.end()
        worst.append(max(int(x) for x in re.findall(r"worst null call (\d+) us", "\n".join(witness.lines))))
    known_fault("hog copies", "a system call that copies 200 MiB keeps all others of the node out of the kernel",
                worst[1] < max(LONG_CALL_US, 2 * worst[0]), worst[1] > max(LONG_CALL_US, 2 * worst[0]),
                "worst null call: %d us alone, %d us beside it" % tuple(worst))
    r.down()


def main():
    parts = [rights_and_leftovers, announced, filled, chains, at_console, orders, processors]
    if SLOW:
        parts += [chains_all, orders_beside, deaf, long_calls, cuts, lost]
    ring.main(*parts)


if __name__ == "__main__":
    main()
