#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A program of one's own: a C file somewhere becomes a program of the node's, by make PROG= and by plain gcc."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from console import seen, with_console
from ring import ok, same, scratch

NAME = "ring_test_own"

MAIN = r"""
#include <assert.h>
#include <rotifer.h>
#include <stdio.h>
#include <time.h>
#include "part.h"

static void *work(void *arg)
{
    return (void *)(twice((long)arg) + FACTOR);
}

int main(int argc, char **argv)
{
    struct timespec a, b, ms = {0, 1000000};
    assert(clock_gettime(CLOCK_MONOTONIC, &a) == 0 && nanosleep(&ms, NULL) == 0);
    assert(clock_gettime(CLOCK_MONOTONIC, &b) == 0);
    assert((b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec >= 1000000);
    struct thread *t = thread_create(work, (void *)20, 0);
    printf("own: %d words, thread says %ld\n", argc, (long)thread_join(t));
    assert(argc < 3);
    return argc + 40;
}
"""


def make(*args):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    p = subprocess.run(["make", "-C", ring.ROOT, *args], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True)
    return p.returncode, p.stdout


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def built():
    folder = scratch("own")
    os.mkdir(folder)
    os.mkdir(os.path.join(folder, "deep"))
    main = write(folder, NAME + ".c", MAIN)
    write(folder, "part.h", "long twice(long x);\n")
    part = write(os.path.join(folder, "deep"), "part.c", '#include "../part.h"\nlong twice(long x) { return 2 * x; }\n')
    both = "PROG=%s %s" % (main, part)
    try:
        status, out = make(both, "PROG_CFLAGS=-DFACTOR=2")
        ok(status == 0 and "type: run " + NAME in out, "make PROG= builds two files and says what is next", out)

        def part_of_it(c):
            seen(c.line("run " + NAME), r"own: 1 words, thread says 42\n%s [0-9a-f]{6} ended with status 41" % NAME,
                 "make qemu's shell runs it")
            seen(c.line(NAME + " a b"), r"own: 3 words, .*\n(.*\n)*.*assert.*argc < 3.*%s.c(.*\n)*.*status 134" % NAME,
                 "an assertion that fails says which, and ends it with status 134")
        with_console(part_of_it)

        write(folder, NAME + ".c", MAIN.replace("own:", "changed:"))
        status, out = make("build/guest/%s.elf" % NAME)
        with open(os.path.join(ring.BUILD, "guest", NAME + ".elf"), "rb") as f:
            ok(status == 0 and b"changed: %d words" in f.read(), "a later make sees that the source changed", out)

        elf = os.path.join(folder, "by_hand.elf")
        command = "%sgcc -w -DFACTOR=2 %s %s $(make -s -C %s guest-flags) -o %s" % (
            os.environ.get("CROSS", "riscv64-unknown-elf-"), main, part, ring.ROOT, elf)
        p = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        r = ring.Ring(1)
        status, out = r.run("--quiet", elf) if p.returncode == 0 else (-1, p.stdout)
        same((status, out), (41, "changed: 1 words, thread says 42\n"), "gcc with the flags of guest-flags builds it too")
        r.down()
    finally:
        shutil.rmtree(folder)
    status, out = make("build/bootfs.cpio")
    left = [f for f in ("own/%s.mk" % NAME, "guest/%s.elf" % NAME, "bootfs/" + NAME)
            if os.path.exists(os.path.join(ring.BUILD, f))]
    ok(status == 0 and NAME + " is forgotten" in out and not left, "without its source it is forgotten",
       "%s\nleft: %s" % (out, left))


def refused():
    folder = scratch("refused")
    os.mkdir(folder)
    hello, text, wrong = write(folder, "hello.c", MAIN), write(folder, "notes.txt", ""), write(folder, "wrong.c", "int x")
    for args, words in (
            (["PROG=" + os.path.join(folder, "nothing.c")], "there is no file"),
            (["PROG="], "which file"),
            (["prog"], "Which program"),
            (["PROG=" + text], "does not end in .c"),
            (["PROG=" + folder], "does not end in .c"),
            (["PROG=" + hello], "comes with Rotifer"),
            (["PROG=" + hello, "PROG_NAME=a/b"], "letters, digits"),
            (["PROG=" + hello, "PROG_NAME=" + "n" * 30], "letters, digits"),
            (["PROG=" + wrong, "PROG_NAME=ring_test_wrong"], "rm build/own/ring_test_wrong.mk")):
        status, out = make(*args)
        ok(status != 0 and words in out, "make %s: %s" % (" ".join(os.path.basename(a) for a in args), words), out)
    shutil.rmtree(folder)
    status, out = make("build/bootfs.cpio")
    same(status, 0, "and none of it is in the way of the next make")


if __name__ == "__main__":
    ring.main(built, refused)
