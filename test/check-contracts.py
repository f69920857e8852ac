#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Do the headers say what they promise, and is it kept? Three things that a script can hold:

 1. Who includes a private header. A header NAME_priv.h is for files of its own room alone, and of these for those
    that PRIVATE names. Tests may include everything.

 2. Who writes a state. A field whose comment says "set by foo_set_state only" is assigned in that function alone, and
    where a record is made (..._STRUCT_create, _init). "set by foo_set_state only, and by fast.c" admits one file
    more.

 3. What a function's caller must know. Each function that a header declares has a comment, directly above it or
    behind it on its last line. Declarations without an empty line between them may share the comment above the first,
    which names them all.

        // A link: one Ethernet port of a node, between a driver and net/.
        // Callers: node lock held.

        // Hands the link to the node, which keeps it for ever. Returns 0, or E_LIMIT: the node has LINKS_MAX links.
        int net_link_add(struct node *n, struct link *l);

    - arguments: the comment names each parameter that is a number, with its unit, unless the parameter's name says it
      (UNITS).
    - result: the comment of a function that is not void says Returns, True if, False if or NULL if.
    - errors: it names every E_... that the function's own body returns; or says "as foo()", whose comment has them.
    - callers: "Callers: ..." says from where a function may be called: at the head of the header for all, or for one.

usage: test/check-contracts.py [-C ROOT] [--counts] [HEADER...]

Prints what is wrong, with file and line; exit status 1 if anything is. HEADER: comments of these alone. --counts:
how much is wrong, by header. -C: of the sources in another folder."""
import argparse
import collections
import os
import re
import sys

import csource
import verdict

ROOMS = ["arch", "core", "net", "services", "boards", "tools", "guest/lib"]

# Of the files in a private header's own room, those that may include it: a regular expression for the names without
# .c and .h. Not here: all of the room.
PRIVATE = {
    "core/txn_priv.h": r"call|serve|rec|reply|forward|cancel|answer|inline|fastpath|syscall|txn\w*",
    "core/desc_priv.h": r"desc\w*",
    "core/seg_priv.h": r"seg\w*",
    "services/service_priv.h": r"list|service|inline",
    "services/shell/shell_priv.h": r"shell\w*|ask",
}

# These states must have a setter: a comment that is lost must not take its check along.
STATES = [("thread", "state"), ("call", "state"), ("rec", "state"), ("proc", "state")]

# Names of numbers that say what they count.
UNITS = re.compile(r".*_(ns|ms|us|s|hz|bytes|pages|words|len|off|cap|va|pa|rights|mask|max|id|index|tid|status)|"
                   r"len|off|size|bytes|cap|va|pa|addr|tid|irq|op|seq|hart|prio|status|error|mask|rights|argc|fd")
NUMBER = re.compile(r"^(?:const )?(?:u?int(?:8|16|32|64)_t|uintptr_t|size_t|ssize_t|unsigned(?: int| long)*|int|long|"
                    r"double) (\*?)(\w+)$")
SET_BY = re.compile(r"(\w+)(?: : \d+)?;[^\n]*?set by (\w+) only((?:(?:,| and|, and)(?: by)? [\w/]+\.c)*)")
RESULT = re.compile(r"\bReturns?\b|\b(?:True|False|NULL)(?: if\b| when\b|:)", re.I)
CALLERS = re.compile(r"\bCallers:")


class Header:
    """A header, with the comment of each of its functions."""

    def __init__(self, path):
        self.path, self.text = path, csource.read(path)
        self.lines = self.text.split("\n")
        self.functions = csource.functions(path, self.text)
        self.comments = {}
        first_line = self.functions[0].first if self.functions else 0
        head_end = first_line
        while head_end > 0 and self.lines[head_end - 1].startswith("//"):
            head_end -= 1
        comments_above = "\n".join(x for x in self.lines[:head_end] if x.lstrip().startswith("//"))
        self.callers = bool(CALLERS.search(comments_above))
        self.read_comments()

    def above(self, line):
        """The comment that ends directly above the line. A heading ("// --- x ---") is none."""
        first = line
        while first > 0 and self.lines[first - 1].startswith("//"):
            first -= 1
        return "\n".join(x[2:].strip() for x in self.lines[first:line] if not re.match(r"// ?---|// SPDX", x))

    def read_comments(self):
        run, end = "", -1  # the comments of declarations without an empty line between them
        for f in self.functions:
            if "" in self.lines[end + 1:f.first]:
                run = ""
            own = self.above(f.first)
            run += "\n" + own
            head = self.lines[f.first:f.last + 1]
            if f.body:
                head = head[:next(i for i, x in enumerate(head) if x.startswith("{"))]
            behind = [x.split("//", 1)[1] for x in head if "//" in x]
            shared = run if re.search(r"\b%s\b" % f.name, run) else ""
            self.comments[f.name] = "\n".join([own, shared] + behind).strip()
            end = f.last


class House:
    def __init__(self):
        self.headers = {x: Header(x) for x in csource.sources(ROOMS, "h")}
        self.bodies = collections.defaultdict(list)  # name -> definitions that other files may call
        self.all = []                                # every definition
        self.texts = {}
        for path in csource.sources(ROOMS, "ch"):
            self.texts[path] = text = csource.read(path)
            for f in csource.functions(path, text):
                if f.body:
                    self.all.append(f)
                    if not f.static or path.endswith(".h"):
                        self.bodies[f.name].append(f)
        self.comments = {}
        for h in self.headers.values():
            for name, comment in h.comments.items():
                self.comments.setdefault(name, comment)

    def definitions(self, function):
        """Those of its own room: guest/lib has namesakes of core's functions. arch/ has each one twice."""
        found = self.bodies[function.name]
        near = [x for x in found if room(x.path) == room(function.path)]
        return near or found


def room(path):
    return "guest/lib" if path.startswith("guest/lib/") else path.split("/")[0]


# --- 1. private headers ---------------------------------------------------------------------------------------------

def private_headers(house):
    bad = ["PRIVATE in test/check-contracts.py names %s, which is not there" % x
           for x in PRIVATE if x not in house.headers]
    for path, text in house.texts.items():
        for m in re.finditer(r'^#include "([\w/]+_priv\.h)"', text, re.M):
            header, stem = m[1], os.path.splitext(os.path.basename(path))[0]
            if header not in house.headers:
                continue
            own = os.path.dirname(path) == os.path.dirname(header) or path.startswith(os.path.dirname(header) + "/")
            if not own or not re.fullmatch(PRIVATE.get(header, r"\w+"), stem):
                bad.append("%s:%d: may not include %s: it is private (PRIVATE in test/check-contracts.py)" %
                           (path, text.count("\n", 0, m.start()) + 1, header))
    return bad


# --- 2. states ------------------------------------------------------------------------------------------------------

class State:
    def __init__(self, struct, field, setter, files):
        self.struct, self.field, self.setter, self.files = struct, field, setter, files


def structs_of(text):
    """(name, body) of each struct that a file declares at its beginning of a line."""
    return [(m[1], m[2]) for m in re.finditer(r"^struct (\w+) \{\n(.*?)^\}", text, re.M | re.S)]


def states_of(house):
    found = []
    for text in house.texts.values():
        for struct, body in structs_of(text):
            for m in SET_BY.finditer(body):
                found.append(State(struct, m[1], m[2], re.findall(r"([\w/]+\.c)", m[3])))
    return found


class Types:
    """Of which struct is an expression? From the declarations in its function, and from the fields of all structs."""

    def __init__(self, house):
        self.fields = collections.defaultdict(set)
        for text in house.texts.values():
            for _, body in structs_of(csource.without_comments(text)):
                for m in re.finditer(r"struct (\w+) ([^;{(]*);", body):
                    for name in re.findall(r"\*?(\w+)(?:\[[^]]*\])?\s*(?:,|$)", m[2].strip()):
                        self.fields[name].add(m[1])

    def of(self, function_text, expression):
        """The structs that it may be of; an empty set when no declaration is found."""
        parts = re.split(r"->|\.", re.sub(r"\[[^]]*\]|[()*& ]", "", expression))
        if len(parts) > 1:
            return self.fields.get(parts[-1], set())
        declared = r"struct (\w+)\s[\s*]*(?:\w+(?: = [^;,]*)?, \*?)*%s\b" % re.escape(parts[0])
        return set(re.findall(declared, function_text))


def state_writers(house):
    states, types, bad = states_of(house), Types(house), []
    for struct, field in STATES:
        if not any(x.struct == struct and x.field == field for x in states):
            bad.append('struct %s: no comment says who sets %s: "set by %s_set_%s only"' %
                       (struct, field, struct, field))
    for f in house.all:
        lines = house.texts[f.path].split("\n")[f.first:f.last + 1]
        text = csource.code_only("\n".join(lines))
        for field in sorted({x.field for x in states}):
            written = r"([\w\])]+(?:(?:->|\.)[\w\])\[]+)*?)(?:->|\.)%s\s*(?:[-+|&^]?=(?!=)|\+\+|--)" % field
            for m in re.finditer(written, text):
                for x in states:
                    if x.field == field and x.struct in types.of(text, m[1]) and not may_write(f, x):
                        bad.append("%s:%d: %s() writes %s of struct %s, which %s only may" % (
                            f.path, f.first + 1 + text.count("\n", 0, m.start()), f.name, field, x.struct,
                            "%s()" % x.setter + "".join(" and " + y for y in x.files)))
    return bad


def may_write(function, state):
    return function.name == state.setter or re.search(r"(?:^|_)%s_(create|init)$" % state.struct, function.name) or \
        any(function.path == x or os.path.basename(function.path) == x for x in state.files)


# --- 3. comments of functions ---------------------------------------------------------------------------------------

def errors_in(body):
    """The E_... that a body returns itself: not those it compares with, and not arguments of calls."""
    found = set()
    for statement in re.findall(r"\breturn\b([^;]*);", body):
        flat = statement
        while re.search(r"\w\([^()]*\)", flat):
            flat = re.sub(r"\w\([^()]*\)", "x", flat)
        found |= set(re.findall(r"(?<![=!]= )(?<![=!]= -)\b(E_[A-Z]+)\b", flat))
    return found


def said_errors(house, comment, seen=()):
    """The errors that a comment names, by itself or by "as foo()"."""
    found = set(re.findall(r"\bE_[A-Z]+\b", comment))
    for other in re.findall(r"\b[Aa]s (?:of |for |from )?(\w+)\b(?:\(\))?", comment):
        if other in house.comments and other not in seen:
            found |= said_errors(house, house.comments[other], seen + (other,))
    return found


def function_faults(house, header, function):
    comment = header.comments[function.name]
    if not comment:
        return ["has no comment"]
    bad = []
    for arg in function.args:
        m = NUMBER.match(re.sub(r"\[[^]]*\]$", "", arg.replace("* ", "*")))
        constant = arg.startswith("const ")
        if m and not (m[1] and constant) and "[" not in arg and not UNITS.fullmatch(m[2]) and \
                not re.search(r"\b%s\b" % re.escape(m[2]), comment):
            bad.append("the comment does not say what %s is" % m[2])
    if function.type != "void" and not RESULT.search(comment):
        bad.append("the comment does not say what it returns")
    if function.type in ("int", "int64_t"):
        returned = set().union(*[errors_in(x.body) for x in house.definitions(function)])
        missing = returned - said_errors(house, comment)
        if missing:
            bad.append("the comment does not name %s" % ", ".join(sorted(missing)))
    if not header.callers and not CALLERS.search(comment):
        bad.append("nothing says who may call it (Callers:)")
    return bad


def header_faults(house, header):
    return ["%s:%d: %s: %s" % (header.path, f.first + 1, f.name, x)
            for f in header.functions for x in function_faults(house, header, f)]


def comments(house):
    return [x for header in house.headers.values() for x in header_faults(house, header)]


def counts(house):
    for path, header in house.headers.items():
        if header.functions:
            print("%-36s %3d functions, %3d to say" % (path, len(header.functions), len(header_faults(house, header))))


def main():
    parser = argparse.ArgumentParser(description="Do the headers say what they promise, and is it kept?")
    parser.add_argument("-C", dest="root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    parser.add_argument("--counts", action="store_true")
    parser.add_argument("headers", nargs="*")
    options = parser.parse_args()
    os.chdir(options.root)
    house = House()
    if options.counts:
        counts(house)
        return
    if options.headers:
        bad = [y for x in options.headers for y in header_faults(house, house.headers[x])]
    else:
        bad = private_headers(house) + state_writers(house) + comments(house)
    verdict.end(bad, "%d headers say what they promise." % len(options.headers or house.headers),
                "What a header says, and how, is said at the top of test/check-contracts.py.")


if __name__ == "__main__":
    main()
