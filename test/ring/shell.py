#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""One node with a shell, as `make qemu` boots it, and somebody who types at its console. No ring, no `rotifer`."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from console import CTRL_C, CTRL_D, CTRL_Z, PROMPT, BOOTFS, UP, Console, seen, with_console
from ring import hang, note, ok, same, scratch


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
        seen(c.line("ls"), r"hello +\d+ bytes  program\n(.*\n)*  lua ", "ls lists the programs of the node")
        seen(c.line("run hello one 'two words'"), r"Hello from process .*\n  argument 1: one\n  argument 2: two words",
             "a program runs and has its arguments")
        c.line("lua demo.lua 4 &")
        seen(c.line("ps"), r"^[0-9a-f]{6}  lua +run ", "a program in the background is listed")
        seen(c.line("stun lua"), r"lua [0-9a-f]{6} is stunned", "it is stunned by name")
        seen(c.line("ps"), r"^[0-9a-f]{6}  lua +stunned ", "and listed so")
        text = c.line("info lua")
        seen(text, r"segment 0x0000010000 .* r-x, code\n", "info shows its segments")
        seen(text, r"thread 1: \w+, pc 0x.*, in \w+\+0x\w+\n", "and its thread, with the function")
        seen(c.line("trace"), r"proc +[0-9a-f]{6}: stunning -> stunned\n", "trace tells of it in words")
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
        text = c.line("info lua")
        for _ in range(20):  # its prompt is there a little earlier than it waits for us
            if "in a transaction" in text:
                break
            c.line("fg lua", r"> $")
            c.type(CTRL_Z)
            c.until(PROMPT)
            text = c.line("info lua")
        seen(text, r"in a transaction: read on port [0-9a-f]{16} \(a service of n1\), waits for the reply",
             "info says what it waits for")
        c.line("fg lua", r"^")
        c.type("print(x + 1)\r")
        c.until(r"43\n> $")
        ok(True, "fg brings it back, with its state")
        c.type(CTRL_D)
        c.until(PROMPT)
        ok(True, "Ctrl-D ends its input, and it")
        c.line("lua guess.lua", r"Your guess: $")
        c.type(CTRL_Z)
        c.until(PROMPT)
        seen(c.line("info"), r"^lua [0-9a-f]{6} on n1: stunned", "with one process, no name is needed")
        c.line("fg", r"^Your guess: $")
        ok(True, "and its question is asked again when it is back")
        c.type(CTRL_C)
        c.until(PROMPT)
        seen(c.line("lua queens.lua"), r"\n8 queens: 92 ways\n", "a script of the node")
        lua = r"(?:\n|^)> $"
        c.line("lua", lua)
        seen(c.line("dofile('hello.lua')", lua), r"Hello from Lua 5.4.\n", "dofile reads the boot files")
        c.type(CTRL_D)
        c.until(PROMPT)
        c.line("lua", lua)
        c.line("while true do end", r"^")
        c.type(CTRL_C)
        seen(c.until(PROMPT), r"lua [0-9a-f]{6} was killed", "Ctrl-C kills one that only computes")
        c.line("counter 100000 1000 &")
        seen(c.line("kill counter", r"was killed\n" + PROMPT), "", "kill ends one in the background")
        seen(c.line("fault write"), r"fault \w+ died: write to 0x1\w+, mapped r-x\n"
             r"  thread 1, at write_text\+0x\w+, pc 0x1\w+; called from main\+0x\w+\n(.*\n)+.*addr2line .*/fault.elf 0x1\w+\n",
             "a fault: the cause, the function, and how to find the line")
        seen(c.line("adder_server"), r"ended with status 2", "so is an exit status")
        seen(c.line("nonsense"), r"neither a command nor a file on this node", "and a mistake")
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


def files():
    """With other archives than ours, and with none."""
    def empty(c):
        seen(c.line("ls"), r"There is nothing in it", "without an initrd there are no boot files")
    with_console(empty, initrd=None)

    path = scratch("broken.cpio")
    with open(BOOTFS, "rb") as f:
        whole = f.read()
    with open(path, "wb") as f:
        f.write(whole[:len(whole) // 2])

    def broken(c):
        seen(c.screen.text() + c.line("log"), r"initrd is refused: .* cut short", "a broken initrd is refused, and why")
        seen(c.line("ls"), r"There is nothing in it", "and there are no boot files")
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
    ring.main(newcomer, front, much, files, silent)
