#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Has a claim that a test printed before vanished?

usage: compare-claims.py BEFORE AFTER [TABLE]

BEFORE and AFTER are what tests printed: a file, or a folder of files as build/test-logs/, each read for TAP lines ("ok 3 -
claim"). What counts is the text of a claim, not its number, nor the program that says it. Skipped claims are there.

TABLE (test/claims-replaced.txt) says what took the place of a claim that is gone on purpose: "old claim -> new claim", one
a line; "*" stands for any text, for claims with figures in them, and "# why" for a comment. The new claim must be there;
"-> -" says that nothing took its place, and wants a comment on the line before that says why.

Prints the claims that vanished and those that are new. Exit status 1 if one vanished that is not in the table, or if the
table is wrong: its new claim is not there either.
"""
import os
import re
import sys

LINE = re.compile(r"^\s*(not )?ok\b\s*\d*\s*-?\s*(.*)$")
VERDICT = re.compile(r" \((fails as expected|no longer fails: remove the mark|fails, but not as expected)\)$")


def files(path):
    if not os.path.isdir(path):
        return [path]
    return sorted(os.path.join(path, name) for name in os.listdir(path) if name.endswith(".log"))


def claims(path):
    """{claim: did it hold every time}"""
    found = {}
    for name in files(path):
        with open(name, errors="replace") as f:
            for line in f:
                m = LINE.match(line)
                claim = m and VERDICT.sub("", re.sub(r"\s*# *SKIP.*", "", m[2]).strip())
                if claim:
                    found[claim] = found.get(claim, True) and not m[1]
    return found


class Rule:
    """One line of the table."""

    def __init__(self, number, old, new, why):
        self.number, self.old, self.new, self.why = number, old, new, why
        self.pattern = re.compile(".*".join(map(re.escape, old.split("*"))) + "$")
        self.wanted = re.compile(".*".join(map(re.escape, new.split("*"))) + "$")

    def problem(self, after):
        if self.new == "-":
            return None if self.why else "nothing took its place, and no comment says why"
        return None if any(self.wanted.match(x) for x in after) else "its new claim is not there"


def table(path):
    rules, why = [], ""
    with open(path) as f:
        for number, line in enumerate(f, 1):
            line = line.strip()
            old, arrow, new = line.partition(" -> ")
            if arrow and not line.startswith("#"):
                rules.append(Rule(number, old.strip(), new.strip(), why))
            elif line and not line.startswith("#"):
                sys.exit("%s:%d: not \"old claim -> new claim\"" % (path, number))
            why = line[1:].strip() if line.startswith("#") else ""
    return rules


def tell(title, lines):
    print("%s: %d" % (title, len(lines)))
    for line in lines:
        print("    " + line)


def compare(before, after, rules):
    vanished = sorted(set(before) - set(after))
    unexplained, replaced, wrong = [], [], []
    for claim in vanished:
        rule = next((r for r in rules if r.pattern.match(claim)), None)
        if rule is None:
            unexplained.append(claim)
            continue
        problem = rule.problem(after)
        replaced.append("%s -> %s" % (claim, rule.new))
        if problem:
            wrong.append("line %d: %s -> %s: %s" % (rule.number, claim, rule.new, problem))
    tell("new claims", sorted(set(after) - set(before)))
    tell("claims that something took the place of", replaced)
    tell("claims that do not hold", sorted(x for x in after if not after[x]))
    tell("wrong in the table", wrong)
    tell("claims that VANISHED", unexplained)
    return not unexplained and not wrong


def main(words):
    if len(words) not in (2, 3):
        sys.exit(__doc__)
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "claims-replaced.txt")
    path = words[2] if len(words) == 3 else default
    before, after = claims(words[0]), claims(words[1])
    if not before or not after:
        sys.exit("no claims in %s" % (words[1] if before else words[0]))
    print("%d claims before, %d after" % (len(before), len(after)))
    return 0 if compare(before, after, table(path)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
