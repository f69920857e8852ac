#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Are the walks through the code true? A chapter may list the functions that something goes through, in the order of
the calls:

    ```walk
    entry_syscall()     core/syscall.c    event: a thread's ecall
      call_begin()      core/call.c       # the request is written down
        proc_find()     core/proc.c
      call_send()       core/call.c       via transport->send
    ```

A line is a function, its file, and why (behind a #). It is called by the line above it that is indented less. That is
looked up in the relocations of the image's objects (test/objects.py): the function of the caller names it; or, where
the compiler put one of the two in line, the caller's source names it. A line without a caller in the walk says what
makes it run, "event: ...". One that is reached by a pointer says which, "via ...": the caller's source names that,
and somewhere the function's address is taken.

A reader turns back at each change of file: a walk may have CHANGES_MAX.

usage: test/check-walks.py [-C ROOT] [--mend] [BUILD]

Prints what is wrong, with file and line; exit status 1 if anything is. --mend: first writes the new file of each
function that has moved into the chapters."""
import argparse
import os
import re
import sys

import csource
import objects
import verdict

# How many walks a chapter has at least.
CHAPTERS = {"docs/transaction.md": 2, "docs/move.md": 1}
CHANGES_MAX = 40
ROOMS = ["arch/riscv", "core", "net", "services", "boards"]
LINE = re.compile(r"^( *)(\w+)\(\) +([\w/.-]+)(?: +event: *(?P<event>[^#\n]*?))?(?: +via (?P<via>[\w>.\[\]-]+))? *"
                  r"(?:#.*)?$")
WALK = re.compile(r"^```walk\n(.*?)^```", re.M | re.S)


class House:
    """What is defined where, with its text, and what names what."""

    def __init__(self, build):
        self.bodies = {}  # (file, function) -> (its text, can it be in line?)
        for path in csource.sources(ROOMS):
            text = csource.without_comments(csource.read(path))
            if path.endswith(".S"):
                for m in re.finditer(r"^(\w+):(.*?)(?=^\w+:|\Z)", text, re.M | re.S):
                    self.bodies[path, m[1]] = m[2], False
            else:
                for f in csource.functions(path, text):
                    if f.body:
                        self.bodies[path, f.name] = f.body, f.static
        house = objects.load(build)
        self.calls = {(r.file, r.user, r.symbol) for x in house for r in x.references}
        self.named = {r.symbol for x in house for r in x.references}
        self.users = {(x.file, name) for x in house for name in x.users}

    def files_of(self, name):
        return [file for file, x in self.bodies if x == name]

    def calls_it(self, caller, callee):
        """Does one (file, function) call the other?"""
        (file, name), (_, symbol) = caller, callee
        if (file, name, symbol) in self.calls:
            return True
        if file.endswith(".S"):  # runs from label to label
            return any(x[0] == file and x[2] == symbol for x in self.calls)
        may_be_inline = self.bodies[callee][1] or file == callee[0] or caller not in self.users
        return may_be_inline and re.search(r"\b%s\(" % symbol, self.bodies[caller][0]) is not None

    def by_pointer(self, caller, callee, pointer):
        return callee[1] in self.named and \
            re.search(r"\b%s\b" % re.split(r"\W+", pointer.strip("[]"))[-1], self.bodies[caller][0]) is not None


class Step:
    def __init__(self, line, depth, place, event, via):
        self.line, self.depth, self.place, self.event, self.via = line, depth, place, event, via


def read_walk(first, text, bad):
    """The steps of a walk; says which lines are none."""
    steps = []
    for i, line in enumerate(text.split("\n")):
        m = LINE.match(line)
        if m:
            steps.append(Step(first + i, len(m[1]), (m[3], m[2]), m["event"], m["via"]))
        elif line.strip():
            bad.append((first + i, "not a line of a walk: %s" % line.strip()))
    return steps


def check_step(house, above, step):
    """What is wrong with a step, or None. above: the steps before it."""
    file, name = step.place
    if step.place not in house.bodies:
        return "there is no %s() in %s%s" % (name, file, "".join("; but in " + x for x in house.files_of(name)))
    if step.event is not None:
        return None if step.event else "%s(): which event?" % name
    caller = next((x for x in reversed(above) if x.depth < step.depth), None)
    if caller is None:
        return "%s() has no caller in the walk: event: ...?" % name
    if caller.place not in house.bodies:
        return None  # said there
    if step.via:
        return None if house.by_pointer(caller.place, step.place, step.via) else \
            "%s() does not call %s() via %s" % (caller.place[1], name, step.via)
    return None if house.calls_it(caller.place, step.place) else "%s() does not call %s()" % (caller.place[1], name)


def check_walk(house, first, text):
    """(what is wrong: [(line, words)], how many steps, how many changes of file)"""
    bad = []
    steps = read_walk(first, text, bad)
    for i, step in enumerate(steps):
        fault = check_step(house, steps[:i], step)
        if fault:
            bad.append((step.line, fault))
    changes = sum(a.place[0] != b.place[0] for a, b in zip(steps, steps[1:]))
    if changes > CHANGES_MAX:
        bad.append((first, "the walk changes file %d times, %d are allowed" % (changes, CHANGES_MAX)))
    return bad, len(steps), changes


def mended(house, walk):
    """The walk with functions that have moved, and are in one file alone, in their new files; in straight columns."""
    rows = []
    for line in walk.split("\n"):
        m = re.match(r"( *(\w+)\(\)) +([\w/.-]+) *(.*)$", line)
        there = house.files_of(m[2]) if m and (m[3], m[2]) not in house.bodies else []
        rows.append([m[1], there[0] if len(there) == 1 else m[3], m[4]] if m else [line, "", ""])
    wide = [max(len(x[i]) for x in rows) for i in (0, 1)]
    return "\n".join("  ".join([x[0].ljust(wide[0]), x[1].ljust(wide[1]), x[2]]).rstrip() for x in rows)


def mend(house, page):
    text = csource.read(page)
    now = WALK.sub(lambda m: "```walk\n" + mended(house, m[1]) + "```", text)
    if now != text:
        with open(page, "w", encoding="utf-8") as f:
            f.write(now)


def main():
    parser = argparse.ArgumentParser(description="Are the walks through the code true?")
    parser.add_argument("-C", dest="root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    parser.add_argument("--mend", action="store_true")
    parser.add_argument("build", nargs="?", default="build/kernel")
    options = parser.parse_args()
    os.chdir(options.root)
    house, wrong, told = House(options.build), [], []
    if not house.users:
        sys.exit("There are no objects in %s. Try: make kernel" % options.build)
    for page, least in CHAPTERS.items():
        if options.mend:
            mend(house, page)
        text = csource.read(page)
        walks = [(text.count("\n", 0, m.start(1)) + 1, m[1]) for m in WALK.finditer(text)]
        if len(walks) < least:
            wrong.append("%s: %d walks are wanted, there are %d" % (page, least, len(walks)))
        for first, walk in walks:
            bad, steps, changes = check_walk(house, first, walk)
            wrong += ["%s:%d: %s" % (page, line, fault) for line, fault in bad]
            told.append("%s:%d: %d functions, %d changes of file" % (page, first, steps, changes))
    verdict.end(wrong, "\n".join(told))


if __name__ == "__main__":
    main()
