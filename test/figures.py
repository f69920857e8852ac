#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The house in figures, by room: how long its functions are, how much it explains, how much it asserts.

    lines, code       of C, headers and assembly; code: lines with something besides a comment and white space
    comment           lines with a comment / (lines of code + lines with a comment)
    functions, ...    definitions in C and headers, from the line that declares it to the closing brace
    assert/kl         ASSERT, assert, static_assert, _Static_assert in 1,000 lines of code
    no head           files whose first lines say nothing but the licence
    globals           variables of a file, or static ones of a function, that can change

usage: test/figures.py [-C ROOT] [--list]     prints a table; --list: and what the last four columns count, by name"""
import argparse
import os
import re

import csource

ROOMS = ["arch/riscv", "core", "net", "services", "boards", "guest/lib", "tools", "test"]
IMAGE = ["arch/riscv", "core", "net", "services", "boards"]
LONG = 40
ASSERTION = re.compile(r"\b(?:ASSERT|assert|static_assert|_Static_assert)\s*\(")
STATIC_LOCAL = re.compile(r"^[ \t]+static (?!const|inline|_Noreturn)(?!.*\bconst\b)[\w *]*?(\w+)(?:\[[^]]*\])*"
                          r"(?: = [^;]*)?;", re.M)
VARIABLE = re.compile(r"(?:static |_Thread_local |_Alignas\([^)]*\) )*(?:struct |enum |union )?\w+[\s*]+(?:const )?"
                      r"(\w+)\s*(?:\[[^]]*\]\s*)*(?:=|$)")
COLUMNS = [("files", 6), ("lines", 7), ("code", 7), ("comment", 8), ("functions", 10), ("median", 7), ("p90", 5),
           ("longest", 8), ("> %d" % LONG, 6), ("assert/kl", 10), ("no head", 8), ("globals", 8),
           ("longest function", 0)]


class Figures:
    def __init__(self, files):
        self.files, self.lines, self.code, self.comment = len(files), 0, 0, 0
        self.assertions, self.headless, self.globals, self.functions = 0, [], [], []
        for path in files:
            self.add(path)

    def add(self, path):
        text = csource.read(path)
        bare, code = csource.without_comments(text), csource.code_only(text)
        self.lines += text.count("\n")
        for line, without in zip(text.split("\n"), bare.split("\n")):
            self.code += without.strip() != ""
            self.comment += without.rstrip() != line.rstrip()
        self.assertions += len(ASSERTION.findall(re.sub(r"#define \w*ASSERT\(.*", "", code)))
        if not re.match(r"(?://|/\*|#) ?SPDX[^\n]*\n(?://|/\*|# )", text):
            self.headless.append(path)
        if path.endswith((".c", ".h")):
            self.add_c(path, text, code)

    def add_c(self, path, text, code):
        for f in csource.functions(path, text):
            if f.body:
                self.functions.append((f.last - f.first + 1, f.name, path))
        self.globals += ["%s:%s" % (path, x) for x in globals_of(text)]
        self.globals += ["%s:%s" % (path, x) for x in STATIC_LOCAL.findall(code)]

    def row(self):
        sizes = sorted(x for x, _, _ in self.functions) or [0]
        longest = max(self.functions, default=(0, "-", ""))
        share = 100.0 * self.comment / max(1, self.code + self.comment)
        return [self.files, self.lines, self.code, "%.0f %%" % share, len(self.functions), sizes[len(sizes) // 2],
                sizes[min(len(sizes) - 1, len(sizes) * 9 // 10)], longest[0], sum(x > LONG for x in sizes),
                "%.1f" % (1000.0 * self.assertions / max(1, self.code)), len(self.headless), len(self.globals),
                "%s (%s)" % (longest[1], os.path.basename(longest[2]))]


def globals_of(text):
    """The variables at file scope that can change, by name."""
    found = []
    for head, _, _, body in csource.top_level(text):
        head = re.sub(csource.ATTRIBUTE, " ", head)
        anonymous = re.search(r"\} (\w+)[^\n]*;$", body.rstrip())
        if anonymous and re.match(r"(static )?(struct|union)\b[\w ]*$", head):
            found.append(anonymous[1])
            continue
        if re.match(r"(typedef|extern|enum \w* ?$|struct \w+ ?$|union \w+ ?$|_Static_assert|static_assert)", head) or \
                csource.HEAD.match(head) or re.search(r"\bconst\b[^=*]*(?:=|\[|$)", head.split("=")[0] + "="):
            continue
        m = VARIABLE.match(head)
        if m and m[1] not in csource.NOT_FUNCTIONS:
            found.append(m[1])
    return found


def print_row(name, cells):
    line = "%-12s" % name
    for cell, (_, width) in zip(cells, COLUMNS):
        line += str(cell).rjust(width) if width else "  " + str(cell)
    print(line)


def main():
    parser = argparse.ArgumentParser(description="The house in figures, by room.")
    parser.add_argument("-C", dest="root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    parser.add_argument("--list", action="store_true", help="files without a head, globals, long functions by name")
    options = parser.parse_args()
    os.chdir(options.root)
    print_row("room", [name for name, _ in COLUMNS])
    everything = {x: Figures(csource.sources([x])) for x in ROOMS}
    print_row("image", Figures(csource.sources(IMAGE)).row())
    for name, figures in everything.items():
        print_row("  " + name if name in IMAGE else name, figures.row())
    if options.list:
        for name, figures in everything.items():
            for what, names in ("no head", figures.headless), ("global", figures.globals), \
                    ("long", ["%s:%s %d" % (p, n, x) for x, n, p in figures.functions if x > LONG]):
                print("".join("%s: %s: %s\n" % (name, what, x) for x in names), end="")


if __name__ == "__main__":
    main()
