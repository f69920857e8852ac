#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sixteen programs that do not trust each other, on two nodes (guest/tests/intruder.c): each tries at random to get at
what it was not given. Every attempt is refused, and whatever was not granted is as it was: memory, registers, names,
terminals, files, processes. CALLS: of each program; SEED."""
import hashlib
import os
import queue
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import GiveUp, Ring, expect_down, note, ok, scratch

SEED = int(os.environ.get("SEED", "1"))
CALLS = int(os.environ.get("CALLS", "6250"))
PROGRAMS = 16
GRANTS = ["--grant", "proc", "--grant", "node", "--grant", "dir", "--grant", "seg:create"]


def names(r, node):
    """What is in the boot directory of a node, and what each service says of itself."""
    return sorted(re.findall(r"^evil: has (.*)$", r.run("--quiet", "--node", node, "--grant", "dir", "evil", "dir")[1], re.M))


def secret_file(i):
    path = scratch("f%d" % i)
    with open(path, "wb") as f:
        f.write(hashlib.sha256(b"%d %d" % (SEED, i)).digest() * 64)
    return path


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).digest()


def start(r, i, path):
    node = "n%d" % (1 + i % 2)
    # The file is named from its own folder: a name of more than 26 bytes no program can open.
    return ring.Lines([ring.ROTIFER, "run", "--quiet", "--node", node, "--name", "intruder%d" % i, "--meet", "market", *GRANTS,
                       "intruder", str(i), str(PROGRAMS), str(CALLS), str(SEED), os.path.basename(path)],
                      env=r.env, cwd=os.path.dirname(path))


def first_hole(programs):
    """Waits until one of them says that it found a hole, or all have ended. What holes they told till then."""
    seconds = max(300, PROGRAMS * CALLS / 500)
    told = queue.Queue()

    def watch(p):
        try:
            p.wait_line("HOLE", seconds)
            told.put(True)
        except GiveUp:  # its end, mostly
            told.put(False)

    for p in programs:
        threading.Thread(target=watch, args=(p,), daemon=True).start()
    any(told.get() for _ in programs)
    return [line for p in programs for line in p.lines if "HOLE" in line]


def intruders():
    r = Ring(2, smp=2)
    before = {n: names(r, n) for n in ("n1", "n2", "host")}
    vault = r.start("--quiet", "--meet", "vault", "--name", "vault", "adder_server", "sums")
    vault.wait_line("ready")
    files = [secret_file(i) for i in range(PROGRAMS)]
    content = [digest(f) for f in files]
    begin = time.monotonic()
    programs = [start(r, i, files[i]) for i in range(PROGRAMS)]
    holes = first_hole(programs)
    if not ok(not holes, "whatever a program was not given is refused, and stays as it was", "\n".join(holes[:20])):
        for p in programs + [vault]:  # who has got in may have stopped them, or the node: nobody waits for that
            p.kill()
        r.down()
        return
    last, foreign, ended = [], [], []
    for i, p in enumerate(programs):
        status = p.end()
        ended.append(status)
        foreign += [line for line in p.lines if not line.startswith("intruder %d: " % i)]
        last.append(re.fullmatch(r"intruder %d: (\d+) calls, 0 holes" % i, p.lines[-1] if p.lines else ""))
    calls = sum(int(m[1]) for m in last if m)
    note("%d calls in %.1f s" % (calls, time.monotonic() - begin))
    ok(all(last) and ended == [0] * PROGRAMS, "all %d programs come to their end" % PROGRAMS,
       "%s\n%s" % (ended, "\n".join(p.tail() for i, p in enumerate(programs) if not last[i])[:3000]))
    ok(calls >= PROGRAMS * CALLS, "%d calls of %d programs" % (calls, PROGRAMS))
    ok(not foreign, "each terminal has what its own program wrote", "\n".join(foreign[:20]))
    ok([digest(f) for f in files] == content, "the files are as they were")
    after = {n: names(r, n) for n in before}
    ok(after == before, "the names are as they were", "%s\n%s" % (before, after))
    status, text = r.run("--quiet", "--meet", "vault", "adder_client", "sums", "stop")
    ok(status == 0 and " 0 calls" in text, "a server in a directory of its own was called by nobody", text)
    vault.end()
    expect_down(r, "both nodes stand")


if __name__ == "__main__":
    ring.main(intruders)
