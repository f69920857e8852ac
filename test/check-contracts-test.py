#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does test/check-contracts.py see what is missing? A header with one fault of each kind, a source that writes a
state and one that includes what is private are planted in a copy of the sources, and a private header is taken away; each
fault must be reported, and nothing that is right.

usage: test/check-contracts-test.py    prints TAP"""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

HEADER = """// SPDX-License-Identifier: BSD-2-Clause
// Planted.
#ifndef NET_PLANTED_H
#define NET_PLANTED_H

int planted_bare(void);

// Does it for every `count`th. Returns 0. Callers: any.
void planted_right(unsigned count);
// Does it. Callers: any.
void planted_number(unsigned count);
// Does it. Callers: any.
bool planted_result(void);
// Returns 0, or E_ARG. Callers: any.
int planted_error(void);
// Errors as planted_error(). Returns one of them. Callers: any.
int planted_as(void);
// Does it.
void planted_callers(void);

// planted_one and planted_two share this. Callers: any.
void planted_one(void);
void planted_two(void);
void planted_three(void); // (is not in it)

#endif
"""
SOURCE = """// SPDX-License-Identifier: BSD-2-Clause
#include "core/desc_priv.h"

int planted_error(void)
{
    return planted_state() == E_CAP ? -E_MEM : -E_ARG;
}

int planted_as(void)
{
    return -E_ARG;
}

void planted_state(struct thread *t)
{
    ASSERT(t->state == THREAD_RUN);
    t->proc->state = PROC_RUN;
    t->state = THREAD_READY;
}
"""
ROOM_MATE = """// SPDX-License-Identifier: BSD-2-Clause
#include "services/service_priv.h"
"""
# What is reported, each in a line of its own; and what must not be in any line.
REPORTED = {
    "planted_bare: has no comment": "a function without a comment",
    "planted_number: the comment does not say what count is": "a number that the comment does not name",
    "planted_result: the comment does not say what it returns": "a result that the comment does not name",
    "planted_error: the comment does not name E_MEM": "an error that the body returns and the comment does not name",
    "planted_callers: nothing says who may call it": "a function without callers",
    "planted_three: nothing says who may call it": "a function that the comment of its group does not name",
    "net/planted.c:2: may not include core/desc_priv.h": "a private header included by another room",
    "net/planted.c:17: planted_state() writes state of struct proc": "a state written through another record",
    "net/planted.c:18: planted_state() writes state of struct thread": "a state written by another than its setter",
    "services/planted.c:2: may not include services/service_priv.h": "a private header included by another file of its room",
    "names core/seg_priv.h, which is not there": "a private header that is gone",
}
SILENT = ["planted_right", "planted_as", "planted_one", "planted_two", "net/planted.c:16", "E_CAP"]


def main():
    os.chdir(os.path.join(HERE, ".."))
    with tempfile.TemporaryDirectory() as folder:
        for room in ("arch", "core", "net", "services", "boards", "tools", "guest/lib"):
            shutil.copytree(room, os.path.join(folder, room), symlinks=True)
        for path, text in ("net/planted.h", HEADER), ("net/planted.c", SOURCE), \
                ("services/planted.c", ROOM_MATE):
            with open(os.path.join(folder, path), "w", encoding="utf-8") as f:
                f.write(text)
        os.remove(os.path.join(folder, "core/seg_priv.h"))
        run = subprocess.run([os.path.join(HERE, "check-contracts.py"), "-C", folder], capture_output=True, text=True)
    lines = [x for x in run.stdout.split("\n") if "planted" in x or "is not there" in x]
    claims = [(any(x in y for y in lines), claim + " is reported") for x, claim in REPORTED.items()]
    claims.append((not any(x in y for x in SILENT for y in lines), "what is right is not reported"))
    claims.append((run.returncode == 1, "the exit status says that something is wrong"))
    for i, (good, claim) in enumerate(claims, 1):
        print("%s %d - %s" % ("ok" if good else "not ok", i, claim))
    if not all(good for good, _ in claims):
        print("\n".join("# " + x for x in lines + run.stderr.split("\n")))
    print("1..%d" % len(claims))
    sys.exit(not all(good for good, _ in claims))


if __name__ == "__main__":
    main()
