# SPDX-License-Identifier: BSD-2-Clause
"""One node with a shell, as `make qemu` boots it, and somebody who types at its console."""
import codecs
import os
import pty
import re
import select
import subprocess
import time
import tty

import ring
from ring import GiveUp, hang, ok

BOOTFS = os.path.join(ring.BUILD, "bootfs.cpio")
PROMPT = r"n1> $"
CTRL_C, CTRL_D, CTRL_Z, UP = "\x03", "\x04", "\x1a", "\x1b[A"


class Screen:
    """What a person sees of the bytes: what was erased or overwritten is gone. services/terminal/screen.h says what it uses."""

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

    def __init__(self, append="node=n1 shell", initrd=BOOTFS, smp=1):
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
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a character may come in two parts

    def read(self, limit):
        left = limit - time.monotonic()
        if self.ended or left <= 0 or not select.select([self.master], [], [], left)[0]:
            return False
        try:
            data = os.read(self.master, 4096)
        except OSError:  # its other end is closed
            data = b""
        self.ended = not data
        self.screen.feed(self.decoder.decode(data))
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
