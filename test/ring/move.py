#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Processes that move while they run, compute, call, serve, sleep and wait, between four nodes: nothing may notice.

SEED=N replays the same choices (not the same instants: those are the machine's)."""
import os
import random
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import Ring, expect_down, hang, ok, same

SEED = int(os.environ.get("SEED", "1"))
WORK = "test/ring/lib/work.lua"  # a path as short as names in the startup block must be
MOVED = re.compile(r"^(\S+) [0-9a-f]{6}: (\S+) -> (\S+), .* bytes, .* pages, freeze [\d.]+ ms$", re.M)


class Mover:
    """Moves processes about and counts; a move that fails is kept with what was said."""

    def __init__(self, r, rng):
        self.r, self.rng, self.done, self.failed = r, rng, 0, []
        self.at = {}  # process: where it is, as far as we know

    def move(self, name, node):
        status, out = self.r.move(name, node)
        self.at[name] = node
        m = MOVED.search(out)
        if status == 0 and m and m[3] == node:
            self.done += 1
            return True
        self.at.pop(name)
        if status != 0 or "already" not in out:
            self.failed.append("%s -> %s: status %d, %s" % (name, node, status, out.strip()))
        return False

    def anywhere(self, name):
        here = self.at.get(name) or self.r.where(name)
        return self.move(name, self.rng.choice([n for n in self.r.names() if n != here]))

    def keep_moving(self, name, p, most):
        """Moves the process that p shows until it ends, or `most` moves are done."""
        while self.done < most:
            if self.anywhere(name):
                continue
            # It may just have come to its end: then this is no failure.
            try:
                p.process.wait(hang(8))
                self.failed.pop()
            except subprocess.TimeoutExpired:
                pass
            return

    def all_well(self, least, claim):
        ok(not self.failed and self.done >= least, "%s: moved %d times" % (claim, self.done) if self.done >= least
           else "%s: moved at least %d times" % (claim, least), "%d\n%s" % (self.done, "\n".join(self.failed)))


# --- What computes -------------------------------------------------------------------------------------------

def lua(r, rng):
    parts = 20
    fed = "".join("line %d\n" % i for i in range(parts))
    expected = subprocess.run(["lua5.4", WORK, str(parts)], cwd=ring.ROOT, input=fed, text=True, check=True,
                              stdout=subprocess.PIPE, timeout=hang(60)).stdout.split("\n")[:-1]
    m = Mover(r, rng)
    p = r.start("--quiet", "lua", WORK, str(parts), stdin=True, apart=True)
    for i in range(parts):
        p.wait_count(4 * i + 1)  # in the middle of the part's three lines; the part's input comes after the move
        m.anywhere("lua")
        p.write("line %d\n" % i)
    status = p.end()
    m.all_well(parts, "Lua")
    ok(status == 0 and p.lines == expected, "its %d lines are those of the host's lua5.4" % len(expected),
       "status %d\n%s" % (status, "\n".join("< %s\n> %s" % x for x in zip(expected, p.lines) if x[0] != x[1])
                          + p.tail()))


def threads(r, rng):
    m = Mover(r, rng)
    right = True
    while m.done < 12 and not m.failed and right:  # as many runs as it takes on this machine
        p = r.start("--quiet", "threads", "40000")
        r.wait_process("threads")
        m.keep_moving("threads", p, 16)
        status = p.end()
        right = status == 0 and re.search(r"^threads: checksum (\d+), expected \1, 0 errors$", p.lines[-1])
    m.all_well(12, "seven threads with mutex, condition, semaphore, FP and malloc")
    ok(right, "their checksum is right", p.tail())


def counter(r, rng):
    m = Mover(r, rng)
    right, nodes = True, set()
    while m.done < 10 and not m.failed and right:
        p = r.start("--quiet", "counter", "60", "50", "2048")
        p.wait_line("counter: 1 ")
        m.keep_moving("counter", p, 12)
        status = p.end()
        numbers = [int(x) for x in re.findall(r"counter: (\d+) on", "\n".join(p.lines))]
        nodes |= set(re.findall(r"on node (\S+)", "\n".join(p.lines)))
        right = status == 0 and p.lines[-1] == "counter: 60 lines, 0 errors" and numbers == list(range(1, 61))
    m.all_well(10, "2 MiB, rounding modes, registers, thread-local variables and clock")
    ok(right, "each line came once, and no state was lost", p.tail())
    ok(len(nodes) > 2, "they came from several nodes", p.tail())


# --- What calls and serves -----------------------------------------------------------------------------------

def start_adder(r, node="n2"):
    p = r.start("--quiet", "--meet", "move", "--node", node, "--name", "adder", "adder_server", "adder", "2")
    p.wait_line("adder ready")
    return p


def stop_adder(r, server, calls, claim):
    status, out = r.run("--quiet", "--meet", "move", "adder_client", "adder", "stop")
    same(re.findall(r"(\d+) calls, (\d+) duplicates, (\d+) gaps", out), [(str(calls), "0", "0")],
         "%s: all of %d calls executed, none twice, none left out" % (claim, calls))
    same(server.end(), 0, "%s: the server ends well" % claim)


def service(moves, calls):
    def service(r, rng):
        server = start_adder(r)
        m = Mover(r, rng)
        clients = {}
        for number, node in ((1, "n1"), (2, "n4")):
            name = "client-%d" % number
            clients[name] = r.start("--quiet", "--meet", "move", "--node", node, "--name", name, "adder_client", "adder", str(calls),
                                    str(number), "12")
            r.wait_process(name)
        while m.done < moves and not m.failed:
            alive = [n for n, p in clients.items() if p.process.poll() is None]
            name = rng.choice(["adder"] + alive)
            m.keep_moving(name, clients.get(name, server), m.done + 1)
        ends = [p.end() for p in clients.values()]
        m.all_well(moves, "a server and two clients that call it all the time")
        said = [p.lines for p in clients.values()]
        same((ends, said), ([0, 0], [["client %d: %d calls, 0 errors" % (i, calls)] for i in (1, 2)]),
             "no client saw an error")
        stop_adder(r, server, 2 * calls, "after %d moves" % moves)
    return service


def stunned(r, rng):
    server = start_adder(r)
    same(r.command("stun", "adder")[0], 0, "a server is stunned")
    p = r.start("--quiet", "--meet", "move", "--node", "n3", "adder_client", "adder", "6", "1")
    q = r.start("--quiet", "--meet", "move", "--node", "n2", "--name", "near", "adder_client", "adder", "6", "2")
    for name in ("adder_client", "near"):
        r.wait_process(name)
        wait_thread(r, name, "call")
    m = Mover(r, rng)
    m.move("adder_client", "n4")
    m.move("adder", "n1")
    m.move("near", "n3")
    m.all_well(3, "a blocked client, its stunned server, and a client that was on the server's node")
    state = r.wait_process("adder")
    ok(state[2] == "stunned" and p.process.poll() is None and q.process.poll() is None,
       "the server is stunned still, and the clients wait", state)
    same(r.command("resume", "adder")[0], 0, "it is resumed where it is now")
    ok(p.end() == 0 and q.end() == 0, "their calls complete: 0 errors", p.tail() + q.tail())
    stop_adder(r, server, 12, "stunned")


# --- What waits ----------------------------------------------------------------------------------------------

def wait_thread(r, name, state):
    """Waits until a thread of the process is in this state."""
    limit = time.monotonic() + hang(60)
    while not re.search(r"thread \d+: %s," % state, r.command("info", name)[1]):
        if time.monotonic() > limit:
            raise ring.GiveUp("no thread of %s is in %s:\n%s" % (name, state, r.command("info", name)[1]))


def sleepers(r, rng):
    m = Mover(r, rng)
    p = r.start("--quiet", "sleeper", "700")
    p.wait_line("sleeper: sleep$")
    m.keep_moving("sleeper", p, 6)
    status = p.end()
    m.all_well(3, "a process that sleeps, waits with a time-out, waits to be woken")
    took = [int(x) for x in re.findall(r"took (\d+) ms", "\n".join(p.lines))]
    ok(status == 0 and len(took) == 3 and max(took) < 700 + 1000 * hang(5), "no wait was too short, nor began anew",
       p.tail())


def receivers(r, rng):
    server = start_adder(r, "n1")
    m = Mover(r, rng)
    for node in ("n3", "n2", "n4"):
        wait_thread(r, "adder", "getreq")
        m.move("adder", node)
    m.all_well(3, "a server that waits for requests")
    status, out = r.run("--quiet", "--meet", "move", "--node", "n1", "adder_client", "adder", "12", "9")
    ok(status == 0, "it receives them where it is", out)
    stop_adder(r, server, 12, "moved while it waited")
    p = r.start("--quiet", "lua", "-e", "for l in io.lines() do print('got ' .. l) end", stdin=True)
    m = Mover(r, rng)
    for i in range(4):
        wait_thread(r, "lua", "call")  # the read of its terminal
        m.anywhere("lua")
        p.write("line %d\n" % i)
        p.wait_line("got line %d" % i)
    p.end_of_input()
    m.all_well(4, "a process that waits for its terminal's input")
    ok(p.end() == 0 and len(p.lines) == 4, "it gets each line once, and the end", p.tail())


# --- Mistakes --------------------------------------------------------------------------------------------------

def mistakes(r, rng):
    p = r.start("--quiet", "counter", "1000000", "20")
    p.wait_line("counter: 1 ")
    before = r.where("counter")
    status, out = r.move("counter", "n7")
    ok(status == ring.NOBODY and "n7" in out, "a move to a node that is not there is refused", out)
    status, out = r.move("counter", before)
    ok(status == 0 and "already" in out, "a move to where it is, is none", out)
    status, out = r.move("nobody", "n2")
    ok(status == ring.NOBODY and "nobody" in out, "a move of a process that is not there", out)
    status, out = r.move("counter", "host")
    ok(status != 0, "a move to the host, which runs no guests", out)
    number = len(p.lines)
    p.wait_count(number + 3)
    ok(r.where("counter") == before, "after all this it runs where it was", p.tail())
    r.command("kill", "counter")
    same(p.end(), 137, "and can be killed")


def power_cut(r, rng):
    """kill -9 of the target's QEMU in the middle of a move."""
    victim = "n3"
    pid = r.pids()[victim]
    p = r.start("counter", "12", "300", "24000")
    p.wait_line("counter: 1 ")
    mover = ring.Lines([ring.ROTIFER, "migrate", "counter", victim], env=r.env)
    r.wait_process("counter", lambda x: x[1] == victim or x[2] in ("moving", "arriving", "in doubt")
                   or mover.process.poll() is not None)
    r.dead.add(victim)
    os.kill(pid, 9)
    said = mover.end(300)
    status = p.end(300)
    numbers = [int(x) for x in re.findall(r"counter: (\d+) on", "\n".join(p.lines))]
    ok(numbers == list(range(1, len(numbers) + 1)), "no line of it came twice or is missing", p.tail())
    if said == 0:
        ok(status == ring.LOST and "lost" in p.tail(), "it had moved: its loss is reported", p.tail())
    elif status == ring.LOST:
        ok("in doubt" in p.tail() or "may run the process" in p.tail(), "it is reported in doubt", p.tail())
    else:
        ok(status == 0 and "counter: 12 lines, 0 errors" in p.lines, "it goes on at the source, to its end",
           p.tail() + mover.tail())
    ring.note("migrate said: %s" % mover.tail())
    for command in ("ps", "nodes"):
        status, out = r.command(command)
        ok(status == ring.NOBODY and "%s does not answer: its process has ended" % victim in out,
           "%s says which node does not answer" % command, "status %d\n%s" % (status, out))
    status, out = r.run("--quiet", "--node", "n4", "hello")
    ok(status == 0, "the ring goes on without the node", out)
    ok(not r.processes(), "and no copy is left", r.command("ps", "-a")[1])


def on(harts, *parts):
    def all():
        r = Ring(4, smp=harts)
        before = {n: r.counts(n) for n in r.names()}
        for part in parts:
            if part is power_cut:
                for n in r.names():
                    difference = r.back_to(before[n], node=n)
                    ok(difference is None, "after all this nothing is left on %s" % n, difference or "")
            rng = random.Random("%d %s" % (SEED, part.__name__))
            start = time.monotonic()
            try:
                part(r, rng)
            except ring.GiveUp as e:
                ok(False, "%s goes to its end" % part.__name__, e)
                for p in r.processes(True):
                    r.command("kill", p[0])
            ring.note("%s, %d hart%s: %.1f s" % (part.__name__, harts, "s" * (harts > 1),
                                                 time.monotonic() - start))
        expect_down(r, "all nodes stand, with %d hart%s each" % (harts, "s" * (harts > 1)))
    all.__name__ = "harts_%d" % harts
    return all


if __name__ == "__main__":
    ring.main(on(2, lua, threads, service(20, 150)),
              on(1, lua, threads, counter, service(60, 500), stunned, sleepers, receivers, mistakes, power_cut))
