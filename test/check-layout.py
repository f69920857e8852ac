#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The layout of our C and assembly files, as far as clang-format does not see to it: no line is longer than 120 characters,
no declaration is split only because of the comment behind it, every file begins with its licence and says what it is.

usage: test/check-layout.py [ROOT]; prints every offending line; exit status 1 if there is one."""
import os
import re
import subprocess
import sys

import verdict

ROOMS = ["arch", "boards", "core", "guest", "net", "services", "test", "tools"]
COLUMNS = 120
# A line that is the beginning of a declaration and no more: a type, alone.
TYPE_ALONE = re.compile(r"^\s+(?:(?:const|static|volatile|unsigned|signed|struct|enum|union|_Atomic|_Alignas\(\w+\)) )*\w+(?: \*+| const)?$")
STATEMENT = re.compile(r"^\s*(?:else|do|return|continue|break|default)\b")
NAME_AND_COMMENT = re.compile(r"^\s+[*\w\[\]]+(?:\[[^]]*\])?(?:, [*\w]+)*;\s+//")


def sources():
    for room in ROOMS:
        for directory, _, names in os.walk(room):
            for name in sorted(names):
                if re.search(r"\.[chS]$", name):
                    yield os.path.join(directory, name)


def problems(path):
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    if not lines[0].startswith("// SPDX-License-Identifier: BSD-2-Clause"):
        yield 1, "does not begin with its licence"
    elif len(lines) < 2 or not lines[1].startswith("// "):
        yield 2, "does not say at its head what it is"
    for i, line in enumerate(lines):
        if len(line) > COLUMNS:
            yield i + 1, "%d characters" % len(line)
        if TYPE_ALONE.match(line) and not STATEMENT.match(line) and i + 1 < len(lines) and NAME_AND_COMMENT.match(lines[i + 1]):
            yield i + 1, "a declaration is split by the comment behind it: put the comment above"


def self_test():
    """What it is to find, it finds."""
    assert TYPE_ALONE.match("    uintptr_t") and NAME_AND_COMMENT.match("        listed; // [I] per page")
    assert TYPE_ALONE.match("    struct thread *") or TYPE_ALONE.match("    const struct map")
    assert not TYPE_ALONE.match("    foo(a);") and not NAME_AND_COMMENT.match("    rec_arm(n, r); // why")


def main():
    os.chdir(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    self_test()
    bad = ["%s:%d: %s" % (path, line, what) for path in sources() for line, what in problems(path)]
    verdict.end(bad, "Lines, declarations and heads of files are laid out as they should be.")


if __name__ == "__main__":
    main()
