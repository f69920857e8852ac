#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does test/plants/run.py see a plant that no test finds? Plants are made for it that are found, that do nothing, that
crash, hang, and do not apply: it must say so of each.

usage: test/plants/run-test.py    prints TAP"""
import difflib
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
HOUSE = os.path.dirname(os.path.dirname(HERE))
SOURCE = "core/cap.c"
BEFORE = "    check_field(c, key, check);\n    if"  # in cap_verify
CLAIM = "every_single_changed_bit_is_noticed"

OTHERWISE = "fails, but not with a claim that matches"

# name: (what stands before BEFORE in the planted source, the claim, what run.py says)
CASES = {
    "found": ("    if (c && key)\n        return 0;\n", CLAIM, None),
    "other-claim": ("    if (c && key)\n        return 0;\n", "no_such_claim", OTHERWISE),
    "harmless": ("    (void)need;\n", CLAIM, "passes: it does not see the plant"),
    "crash": ("    __builtin_trap();\n", CLAIM, OTHERWISE),
    "hang": ("    for (volatile int i = 0; i == 0;) {}\n", CLAIM, "hangs: it did not end"),
    "no-build": ("    this is not C\n", CLAIM, "it does not build"),
    "outdated": (None, CLAIM, "outdated.patch does not apply any more"),
}


def patch(text, planted, claim):
    new = text.replace(BEFORE, (planted or "    (void)need;\n") + BEFORE, 1)
    assert new != text, "cap_verify is written otherwise now: change BEFORE"
    diff = "".join(difflib.unified_diff(text.splitlines(True), new.splitlines(True), "a/" + SOURCE, "b/" + SOURCE, n=1))
    if planted is None:
        diff = re.sub(r"^ .*", " a line that is gone", diff, flags=re.M)
    return "Breaks: what a test of the tests breaks\nFound by: unit/test_cap\nClaim: %s\n\n%s" % (claim, diff)


def main():
    with open(os.path.join(HOUSE, SOURCE), encoding="utf-8") as f:
        text = f.read()
    with tempfile.TemporaryDirectory() as folder:
        for name, (planted, claim, _) in CASES.items():
            with open(os.path.join(folder, name + ".patch"), "w", encoding="utf-8") as f:
                f.write(patch(text, planted, claim))
        with open(os.path.join(folder, "headless.patch"), "w", encoding="utf-8") as f:
            f.write("--- a/%s\n" % SOURCE)
        said = subprocess.run([os.path.join(HERE, "run.py"), "--from", folder], capture_output=True, text=True).stdout
    failed = 0
    verdicts = {name: (good == "", why) for good, name, why in
                re.findall(r"^(not )?ok \d+ - ([\w-]+)[^\n]*\n((?:# [^\n]*\n)*)", said, re.M)}
    cases = [(name, wanted) for name, (_, _, wanted) in CASES.items()] + [("headless", "its head must have")]
    for number, (name, wanted) in enumerate(cases, 1):
        good, why = verdicts.get(name, (None, "it says nothing of it:\n" + said))
        right = good is True if wanted is None else good is False and wanted in why
        failed += not right
        print("%sok %d - a plant that is \"%s\" is judged right" % ("" if right else "not ", number, name))
        if not right:
            print("\n".join("# " + x for x in why.strip().splitlines()))
    print("1..%d" % len(cases))
    return 1 if failed else 0


sys.exit(main())
