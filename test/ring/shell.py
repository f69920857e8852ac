#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""One node with a shell, as `make qemu` boots it, and somebody who types at its console. No ring, no `rotifer`."""
import os
import pty
import re
import select
import subprocess
import sys
import time
import tty

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import GiveUp, hang, note, ok, same, scratch

STORE = os.path.join(ring.BUILD, "store.cpio")
PROMPT = r"n1> $"
CTRL_C, CTRL_D, CTRL_Z, UP = "\x03", "\x04", "\x1a", "\x1b[A"


class Screen:
    """What a person sees of the bytes: what was erased or overwritten is gone. services/screen.h says what it uses."""

    def __init__(self):
        self.lines, self.row, self.at, self.rest = [], "", 0, ""

    def feed(self, text):
        text = self.rest + text
        self.rest = ""
        i = 0
        while i < len(text):
            c = text[i]
            if c == "\x1b":
                sequence = re.compile(r"\x1b\[([0-9]*)([A-Za-z])").match(text, i)
                if not sequence:  # the rest of it is under way
                    self.rest = text[i:]
                    return
                self.control(int(sequence.group(1) or 0), sequence.group(2))
                i = sequence.end()
                continue
            if c == "\n":
                self.lines.append(self.row)
                self.row, self.at = "", 0
            elif c == "\r":
                self.at = 0
            elif c == "\b":
                self.at = max(0, self.at - 1)
            else:
                self.row = self.row[:self.at].ljust(self.at) + c + self.row[self.at + 1:]
                self.at += 1
            i += 1

    def control(self, number, letter):
        if letter == "K":
            self.row = self.row[:self.at]
        elif letter == "C":
            self.at += number or 1

    def text(self):
        return "\n".join(self.lines + [self.row])


class Console:
    """QEMU with its console on a terminal of ours."""

    def __init__(self, append="node=n1 shell", initrd=STORE, smp=1):
        master, slave = pty.openpty()
        tty.setraw(slave)
        argv = [ring.QEMU, "-M", "virt", "-m", "128M", "-smp", str(smp), "-display", "none", "-monitor", "none",
                "-no-reboot", "-serial", "stdio", "-global", "virtio-mmio.force-legacy=false", "-kernel", ring.IMAGE,
                "-append", append] + (["-initrd", initrd] if initrd else [])
        self.started = time.monotonic()
        self.process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave)
        ring.guardian.write("pid", "%d %s" % (self.process.pid, ring.start_time(self.process.pid)))
        os.close(slave)
        self.master, self.screen, self.seen, self.ended = master, Screen(), 0, False

    def read(self, limit):
        left = limit - time.monotonic()
        if self.ended or left <= 0 or not select.select([self.master], [], [], left)[0]:
            return False
        try:
            data = os.read(self.master, 4096)
        except OSError:  # its other end is closed
            data = b""
        self.ended = not data
        self.screen.feed(data.decode("utf-8", "replace"))
        return True

    def until(self, pattern, seconds=30):
        """Waits until what has come since the last time looks so. All of that, then."""
        limit = time.monotonic() + hang(seconds)
        while True:
            text = self.screen.text()[self.seen:]
            found = re.search(pattern, text)
            if found:
                self.seen += found.end()
                return text[:found.end()]
            if not self.read(limit):
                raise GiveUp("/%s/ did not come; the console:\n%s" % (pattern, self.screen.text()[-3000:]))

    def type(self, text):
        os.write(self.master, text.encode())

    def line(self, text, until=PROMPT, seconds=30):
        """Types a line. What came of it, up to the next prompt."""
        self.type(text + "\r")
        self.until(re.escape(text) + r"\n")
        return self.until(until, seconds)

    def end(self):
        """Waits until QEMU ends. Its exit status."""
        limit = time.monotonic() + hang(30)
        while self.read(limit):
            pass
        os.close(self.master)
        try:
            return self.process.wait(hang(30))
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise GiveUp("QEMU does not end")

    def drop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def with_console(part, **options):
    c = Console(**options)
    try:
        c.until(PROMPT, 20)
        part(c)
    finally:
        c.drop()


def seen(text, pattern, claim):
    return ok(re.search(pattern, text, re.M), claim, "expected /%s/, got\n%s" % (pattern, text))


def newcomer():
    """What docs/shell.md promises to somebody who has read nothing."""
    def part(c):
        seconds = time.monotonic() - c.started
        note("prompt %.2f s after the start of QEMU" % seconds)
        ok(seconds < hang(2), "the prompt comes within two seconds", "%.2f s" % seconds)
        text = c.line("help")
        for command in ("ls", "run", "ps", "stun", "info", "resume", "stop"):
            if not re.search(r"^  %s .*\b%s" % (command, command), text, re.M):
                ok(False, "help explains %s" % command, text)
        ok(all(len(x) < 80 for x in text.split("\n")), "help fits a terminal")
        seen(c.line("ls"), r"hello +\d+ bytes  program\n(.*\n)*  lua ", "ls lists the programs of the store")
        seen(c.line("run hello one 'two words'"), r"Hello from process .*\n  argument 1: one\n  argument 2: two words",
             "a program runs and has its arguments")
        c.line("lua demo.lua 4 &")
        seen(c.line("ps"), r"^[0-9a-f]{6}  lua +run ", "a program in the background is listed")
        seen(c.line("stun lua"), r"lua [0-9a-f]{6} is stunned", "it is stunned by name")
        seen(c.line("ps"), r"^[0-9a-f]{6}  lua +stunned ", "and listed so")
        text = c.line("info lua")
        seen(text, r"segment 0x0000010000 .* r-x\n", "info shows its segments")
        seen(text, r"thread 1: \w+, pc 0x", "and its thread")
        c.line("resume lua", r"goes on")
        text = c.until(r"lua [0-9a-f]{6} ended\n%s" % PROMPT, 60)
        seen(text, r"lua\|    4  words   2496 different", "resumed, it goes on to its end")
        same([int(x) for x in re.findall(r"^lua\| +(\d+)  \w", text, re.M)], [1, 2, 3, 4], "no line lost, none twice")
        c.type("stop\r")
        same(c.end(), 0, "stop switches the node off")
    with_console(part)


def front():
    """Programs that read: the line editor, and the keys that kill and stun."""
    def part(c):
        lua = r"(?:\n|^)> $"
        c.line("lua", lua)
        seen(c.line("x = 6 * 7", lua), "", "Lua reads lines")
        seen(c.line("print(x)", lua), r"^42\n", "and answers")
        c.type("prijt(x)" + 4 * "\x1b[D" + "\bn\r")
        seen(c.until(r"42\n> $"), r"print\(x\)\n42\n", "a line is edited before the program has it")
        c.type(UP + "\r")
        seen(c.until(r"42\n> $"), r"print\(x\)\n42", "and recalled")
        c.type(CTRL_Z)
        seen(c.until(PROMPT), r"lua [0-9a-f]{6} is stunned. Look at it: info lua\nGo on: fg lua", "Ctrl-Z stuns it")
        seen(c.line("info lua"), r"in a transaction: read on port [0-9a-f]{16} \(a service of n1\), waits for the reply",
             "info says what it waits for")
        c.line("fg lua", r"^")
        c.type("print(x + 1)\r")
        c.until(r"43\n> $")
        ok(True, "fg brings it back, with its state")
        c.type(CTRL_D)
        c.until(PROMPT)
        ok(True, "Ctrl-D ends its input, and it")
        c.line("lua", lua)
        c.line("while true do end", r"^")
        c.type(CTRL_C)
        seen(c.until(PROMPT), r"lua [0-9a-f]{6} was killed", "Ctrl-C kills one that only computes")
        c.line("counter 100000 1000 &")
        seen(c.line("kill counter", r"was killed\n" + PROMPT), "", "kill ends one in the background")
        seen(c.line("fault write"), r"died: write to 0x1\w+ at pc 0x1\w+ \(write_text\+0x\w+\), thread 1",
             "a fault is told in a line, with the function")
        seen(c.line("adder_server"), r"ended with status 2", "so is an exit status")
        seen(c.line("nonsense"), r"neither a command nor in the store", "and a mistake")
    with_console(part, smp=2)


def much():
    """Nothing that is printed is lost, however fast it comes, and whoever else prints."""
    def part(c):
        lua = r"(?:\n|^)> $"
        c.line("counter 5 20 &")
        c.line("lua", lua)
        c.type("for i = 1, 3000 do print(i) end\r")
        text = c.until(r"\n3000\n(?s:.)*> $", 120)
        same([int(x) for x in re.findall(r"^(\d+)$", text, re.M)], list(range(1, 3001)),
             "3000 lines come whole and in order")
        c.type(CTRL_D)
        c.until(PROMPT)
        c.type("".join("echo line %d\r" % i for i in range(12)))
        text = c.until(r"\nline 11\n" + PROMPT)
        same(re.findall(r"^line (\d+)$", text, re.M), [str(i) for i in range(12)],
             "lines typed ahead are carried out in turn")
    with_console(part, smp=4)


def store():
    """With other archives than ours, and with none."""
    def empty(c):
        seen(c.line("ls"), r"There is nothing in it", "without an initrd the store is empty")
    with_console(empty, initrd=None)

    path = scratch("broken.cpio")
    with open(STORE, "rb") as f:
        whole = f.read()
    with open(path, "wb") as f:
        f.write(whole[:len(whole) // 2])

    def broken(c):
        seen(c.screen.text() + c.line("log"), r"initrd is refused: .* cut short", "a broken initrd is refused, and why")
        seen(c.line("ls"), r"There is nothing in it", "and the store is empty")
    with_console(broken, initrd=path)


def silent():
    """A node whose console is a file has no shell: it would have nobody to talk to."""
    c = Console(append="node=n1")
    try:
        c.until(r"node n1 ready\n")
        c.type("help\r")
        c.process.terminate()
        c.end()
        ok("Type help" not in c.screen.text(), "without the boot argument there is no shell", c.screen.text())
    finally:
        c.drop()


if __name__ == "__main__":
    ring.main(newcomer, front, much, store, silent)
