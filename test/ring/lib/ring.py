# SPDX-License-Identifier: BSD-2-Clause
"""What the ring tests share: TAP lines, machines, rings, and the certainty that nothing is left behind.

A test waits for events (a line, the end of a command, a count that is right again); its time-outs are for
hangs only and grow with the load of the machine. All that a test starts is written down with a guardian, a
process of its own, which ends it when the test does: by itself, by a signal or by kill -9.
"""
import atexit
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.join(ROOT, "build")
ROTIFER = os.environ.get("ROTIFER", os.path.join(BUILD, "rotifer"))
IMAGE = os.path.join(BUILD, "Image")
QEMU = "qemu-system-riscv64"

# Exit statuses that the command gives of itself, and no program by accident: tools/say.h, docs/tools.md
FAILED, USAGE, NO_RING, NOBODY, REFUSED, LOST = range(200, 206)


def hang(seconds):
    """Seconds after which what should take a part of `seconds` counts as hung, on a machine as busy as this."""
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * max(1.0, load)


# --- TAP ---------------------------------------------------------------------------------------------------

_count = 0
_failed = 0
_on_failure = []  # functions that print what a person needs to find the cause
TOLD_MAX = 3  # times: what follows is mostly of the same cause


def note(text):
    """A comment in the log, line by line."""
    for line in str(text).rstrip("\n").split("\n"):
        print("# " + line)
    sys.stdout.flush()


def ok(good, claim, detail=""):
    """One claim. On failure all that is known about it is printed, too."""
    global _count, _failed
    _count += 1
    print("%s %d - %s" % ("ok" if good else "not ok", _count, claim), flush=True)
    if not good:
        _failed += 1
        if detail:
            note(detail)
        for tell in _on_failure if _failed <= TOLD_MAX else []:
            try:
                tell()
            except Exception as e:  # the claim has failed already; the rest is courtesy
                note("(%s)" % e)
    return good


def same(got, expected, claim):
    return ok(got == expected, claim, "got      %r\nexpected %r" % (got, expected))


def known_fault(name, sentence, holds, shows, detail=""):
    """A claim that fails today (docs/tests.md, "Known faults"). holds: what is right is so; shows: it is not, and in the
    way that the sentence says. Whoever mends it makes this an ok(holds, what is right)."""
    holds, shows = bool(holds), bool(shows)
    verdict = ("no longer fails: remove the mark" if holds else
               "fails as expected" if shows else "fails, but not as expected")
    return ok(shows and not holds, "known fault: %s: %s (%s)" % (name, sentence, verdict), detail)


def skip(claim, why):
    global _count
    _count += 1
    print("ok %d - %s # SKIP %s" % (_count, claim, why), flush=True)


class GiveUp(Exception):
    """The test cannot go on; what was claimed last has failed."""


def main(*parts):
    """Runs the parts of a test, each by itself: one that breaks is one failure, and the next begins."""
    signal.signal(signal.SIGTERM, _ended)
    signal.signal(signal.SIGINT, _ended)
    signal.signal(signal.SIGHUP, _ended)
    wanted = sys.argv[1:]  # by name: for whoever looks for the cause of one failure
    for part in parts:
        if wanted and part.__name__ not in wanted:
            continue
        start = time.monotonic()
        try:
            part()
        except GiveUp as e:
            ok(False, "%s goes to its end" % part.__name__, e)
        except Exception:
            ok(False, "%s goes to its end" % part.__name__, traceback.format_exc())
        finally:
            for r in list(Ring.all):
                r.down()
        note("%s: %.1f s" % (part.__name__, time.monotonic() - start))
    print("1..%d" % _count, flush=True)
    sys.exit(1 if _failed else 0)


def _ended(number, frame):
    sys.exit(128 + number)  # by way of atexit


# --- The guardian --------------------------------------------------------------------------------------------

class Guardian:
    """Reads, from a pipe, what the test has started; when the pipe closes, for whatever reason, ends all of it."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="rt.")  # short: paths of sockets have 107 bytes
        read, self.pipe = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.pipe)
            try:
                self._guard(read)
            finally:
                os._exit(0)
        os.close(read)
        os.set_inheritable(self.pipe, False)
        atexit.register(self.end)

    def write(self, kind, text):
        os.write(self.pipe, ("%s %s\n" % (kind, text)).encode())

    def _guard(self, read):
        os.setsid()  # what is meant for the test's process group is not for us
        for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(s, signal.SIG_IGN)
        with os.fdopen(read) as f:
            lines = f.read().split("\n")
        for line in lines:
            kind, _, text = line.partition(" ")
            if kind == "pid":
                pid, _, started = text.partition(" ")
                kill_same(pid, started)
        for line in lines:
            kind, _, text = line.partition(" ")
            if kind == "ring":
                ring_end(text)
        shutil.rmtree(self.directory, ignore_errors=True)

    def end(self):
        if self.pid and os.getpid() != self.pid:
            os.close(self.pipe)
            os.waitpid(self.pid, 0)
            self.pid = 0


def start_time(pid):
    """Of a process: with its number, who it is. "" when there is none."""
    try:
        with open("/proc/%d/stat" % int(pid)) as f:
            fields = f.read().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except OSError:
        return ""


def kill_same(pid, started):
    if started and start_time(pid) == started:
        try:
            os.kill(int(pid), signal.SIGKILL)
        except OSError:
            pass


def ring_end(run):
    if not os.path.isdir(run):
        return
    env = dict(os.environ, ROTIFER_RUN=run)
    try:
        subprocess.run([ROTIFER, "ring", "down"], env=env, stdin=subprocess.DEVNULL, timeout=hang(60),
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        pass


guardian = Guardian()


def scratch(name):
    """A path in the test's own directory."""
    return os.path.join(guardian.directory, name)


# --- Programs with lines -----------------------------------------------------------------------------------

class Lines:
    """A program that runs beside the test. Its lines (stdout and stderr) are read as they come and kept."""

    def __init__(self, argv, env=None, stdin=False, apart=False, cwd=None):
        self.argv = argv
        self.lines = []
        self.unfinished = ""  # of stdout, what came after the last line's end: a prompt, most often
        self.errors = []  # apart: the lines of stderr; else they are among the others
        self.more = threading.Condition()
        self.process = subprocess.Popen(
            argv, env=env, cwd=cwd, text=True, errors="replace", bufsize=1,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if apart else subprocess.STDOUT)
        guardian.write("pid", "%d %s" % (self.process.pid, start_time(self.process.pid)))
        self.readers = [threading.Thread(target=self._read, args=(self.process.stdout, self.lines), daemon=True)]
        if apart:
            self.readers.append(threading.Thread(target=self._read, args=(self.process.stderr, self.errors),
                                                 daemon=True))
        self.open = len(self.readers)
        for r in self.readers:
            r.start()

    def _read(self, stream, lines):
        rest = b""
        while True:
            data = os.read(stream.fileno(), 65536)
            whole = (rest + data).split(b"\n")
            rest = whole.pop()
            with self.more:
                lines += [x.decode(errors="replace").rstrip("\r") for x in whole + ([] if data or not rest else [rest])]
                if lines is self.lines:
                    self.unfinished = rest.decode(errors="replace")
                self.more.notify_all()
            if not data:
                break
        with self.more:
            self.open -= 1
            self.more.notify_all()

    def until(self, good, seconds=60, what="a line"):
        """Waits until good(self) is true; GiveUp at the end of the program, or when it hangs."""
        with self.more:
            limit = time.monotonic() + hang(seconds)
            while not good(self):
                left = limit - time.monotonic()
                if self.open == 0 or left <= 0:
                    raise GiveUp("%s: %s, and %s did not come:\n%s" %
                                 (" ".join(self.argv[-4:]), "ended" if self.open == 0 else "hangs", what, self.tail()))
                self.more.wait(left)

    def wait_line(self, pattern, seconds=60):
        """The first line that matches, from now or before."""
        self.until(lambda s: any(re.search(pattern, x) for x in s.lines), seconds, "/%s/" % pattern)
        return next(x for x in self.lines if re.search(pattern, x))

    def wait_next(self, pattern, after, seconds=60):
        """The same, of the lines from number `after` on."""
        self.until(lambda s: any(re.search(pattern, x) for x in s.lines[after:]), seconds, "/%s/" % pattern)

    def wait_prompt(self, pattern, seconds=60):
        """Until the last line, which has not ended, looks so."""
        self.until(lambda s: re.search(pattern, s.unfinished), seconds, "/%s/" % pattern)

    def wait_count(self, number, seconds=60):
        self.until(lambda s: len(s.lines) >= number, seconds, "line %d" % number)

    def write(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def end_of_input(self):
        self.process.stdin.close()

    def end(self, seconds=120):
        """Waits for its end. Its exit status."""
        try:
            status = self.process.wait(hang(seconds))
        except subprocess.TimeoutExpired:
            raise GiveUp("%s hangs:\n%s" % (" ".join(self.argv[-4:]), self.tail()))
        for r in self.readers:
            r.join(hang(30))
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()

    def tail(self):
        return "\n".join("    " + x for x in (self.lines + self.errors)[-25:])


# --- QEMU's own words ----------------------------------------------------------------------------------------

def qmp(path, *commands):
    """Says commands to a QEMU: a word, or (word, arguments). It has answered all of them then."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(hang(30))
        s.connect(path)
        with s.makefile("rw") as f:
            for c in ("qmp_capabilities",) + commands:
                word, arguments = c if isinstance(c, tuple) else (c, {})
                f.write(json.dumps({"execute": word, "arguments": arguments}) + "\n")
                f.flush()
                answer = {}
                while not answer.keys() & {"return", "error"}:  # what else comes are greetings and events
                    answer = json.loads(f.readline())
                if "error" in answer:
                    raise GiveUp("QEMU to %s: %s" % (word, answer["error"]))


# --- A machine without a ring ------------------------------------------------------------------------------

class Machine:
    """QEMU with our image, its console in lines; ended through QMP."""

    number = 0

    def __init__(self, *options, kernel=IMAGE, append="node=n1", machine="virt"):
        Machine.number += 1
        self.qmp_path = scratch("m%d.qmp" % Machine.number)
        argv = [QEMU, "-M", machine, "-display", "none", "-monitor", "none", "-no-reboot", "-serial", "stdio",
                "-qmp", "unix:%s,server=on,wait=off" % self.qmp_path]
        if machine == "virt":
            argv += ["-global", "virtio-mmio.force-legacy=false"]
        if kernel:
            argv += ["-kernel", kernel, "-append", append]
        self.console = Lines(argv + list(options), stdin=True)
        _on_failure.append(self.tell)

    def tell(self):
        note("QEMU %s; its console:" % " ".join(self.console.argv[1:]))
        note(self.console.tail())

    def ready(self):
        return self.console.wait_line(r"^node \S+ ready$", 60)

    def quit(self):
        """Exit status of QEMU after "quit"."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(hang(30))
            s.connect(self.qmp_path)
            for word in ("qmp_capabilities", "quit"):
                s.sendall(json.dumps({"execute": word}).encode() + b"\n")
            try:
                while s.recv(4096):
                    pass
            except ConnectionResetError:  # it ended without reading all: that is its way of hearing
                pass
        return self.end()

    def end(self):
        status = self.console.end(60)
        _on_failure.remove(self.tell)
        return status

    def drop(self):
        if self.console.process.poll() is None:
            self.console.kill()
        if self.tell in _on_failure:
            _on_failure.remove(self.tell)


class Debugger:
    """QEMU's own debugger port (gdb's remote protocol): stops a machine, changes registers of a hart, lets it go on."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(hang(30))
        self.socket.connect(path)
        self.buffer = b""
        self.ask("qXfer:features:read:target.xml:0,fff")  # who has not read it may not set single registers

    def ask(self, packet):
        self.send(packet)
        return self.answer()

    def send(self, packet):
        data = packet.encode()
        self.socket.sendall(b"$" + data + b"#%02x" % (sum(data) & 0xff))

    def answer(self):
        while True:
            start = self.buffer.find(b"$")
            end = self.buffer.find(b"#", start)
            if start >= 0 and 0 <= end <= len(self.buffer) - 3:
                packet = self.buffer[start + 1:end].decode()
                self.buffer = self.buffer[end + 3:]
                self.socket.sendall(b"+")
                return packet
            more = self.socket.recv(4096)
            if not more:
                raise GiveUp("the debugger port is closed")
            self.buffer += more

    def stop(self):
        self.socket.sendall(b"\x03")
        self.answer()

    def stop_at(self, address, wanted):
        """Lets the machine run until one of the wanted harts gets there: which one."""
        while True:
            self.ask("Z0,%x,2" % address)
            told = self.ask("c")
            self.ask("z0,%x,2" % address)
            thread = re.search(r"thread:p?0*(?:1\.)?([0-9a-f]+);", told)
            if not thread:
                raise GiveUp("the debugger says %r" % told)
            hart = int(thread[1], 16) - 1
            self.ask("Hg%x" % (hart + 1))
            if hart in wanted:
                return hart
            self.ask("s")

    def get(self, register):
        return int.from_bytes(bytes.fromhex(self.ask("p%x" % register)), "little")

    def set(self, register, value):
        if self.ask("P%x=%s" % (register, value.to_bytes(8, "little").hex())) != "OK":
            raise GiveUp("the debugger cannot set a register")

    def go(self):
        self.send("c")


# --- A ring --------------------------------------------------------------------------------------------------

class Ring:
    all = []
    number = 0

    def __init__(self, nodes, smp=1, mem="64M"):
        Ring.number += 1
        self.nodes = nodes
        self.run_dir = scratch("r%d" % Ring.number)
        self.env = dict(os.environ, ROTIFER_RUN=self.run_dir)
        self.dead = set()  # nodes that the test killed
        guardian.write("ring", self.run_dir)
        status, out = self.command("ring", "up", str(nodes), "--smp", str(smp), "--mem", mem, seconds=300)
        if status != 0:
            raise GiveUp("the ring did not come up:\n" + out)
        Ring.all.append(self)
        _on_failure.append(self.tell)

    # Commands

    def command(self, *words, seconds=120, text=None):
        """Runs a `rotifer` command to its end: (exit status, all that it printed)."""
        p = subprocess.Popen([ROTIFER] + list(words), env=self.env, cwd=ROOT,
                             stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        guardian.write("pid", "%d %s" % (p.pid, start_time(p.pid)))
        try:
            out = p.communicate(text, timeout=hang(seconds))[0]
        except subprocess.TimeoutExpired:
            p.kill()
            raise GiveUp("rotifer %s hangs; it said:\n%s" % (" ".join(words), p.communicate()[0]))
        return p.returncode, out

    def run(self, *words, **more):
        return self.command("run", *words, **more)

    def start(self, *words, stdin=False, apart=False):
        """A program on the ring, beside the test."""
        return Lines([ROTIFER, "run"] + list(words), env=self.env, stdin=stdin, apart=apart, cwd=ROOT)

    def move(self, process, node):
        return self.command("migrate", process, node)

    def processes(self, everything=False):
        """{name: (node, state, moves)}; one name may be there more than once: then a list under "twice"."""
        status, out = self.command("ps", *(["-a"] if everything else []))
        found = []
        for line in out.split("\n")[1:]:
            m = re.match(r"([0-9a-f]{6})  (\S+)\s+(\S+)\s+(in doubt|\S+)\s+(\d+)\s+([\d,]+)\s+([\d,]+)", line)
            if m:
                found.append((m[2], m[3], m[4], int(m[7].replace(",", ""))))
        return found

    def where(self, name):
        for p in self.processes():
            if p[0] == name:
                return p[1]
        return None

    def wait_process(self, name, good=lambda p: True, seconds=60):
        """Waits until the process is listed and `good`; what is listed then."""
        limit = time.monotonic() + hang(seconds)
        while True:
            for p in self.processes(True):
                if p[0] == name and good(p):
                    return p
            if time.monotonic() > limit:
                raise GiveUp("%s did not come to be as it should:\n%s" % (name, self.command("ps", "-a")[1]))

    # Counts

    def counts(self, node="n1"):
        """What the node has in use, from `rotifer nodes -l`."""
        status, out = self.command("nodes", "-l")
        here = False
        for line in out.split("\n"):
            if line and not line.startswith(" "):
                here = line.split()[0] == node
            m = here and re.search(r"records: ([\d,]+) processes, ([\d,]+) threads, ([\d,]+) segments, "
                                   r"([\d,]+) transactions, ([\d,]+) pages free", line)
            if m:
                names = ("processes", "threads", "segments", "transactions", "pages")
                return dict(zip(names, (int(x.replace(",", "")) for x in m.groups())))
        raise GiveUp("%s is not among the nodes:\n%s" % (node, out))

    def back_to(self, before, exactly=False, node="n1", seconds=60):
        """Waits until all counts are as before; what is different, or None.

        For some time a node keeps more: records of transactions (20 s, the rule of Delta-t), and tasks of services
        that had much to do, and buffers of the others (10 s). So much is allowed for; `exactly` waits until it is
        gone as well, but for the records, which these looks make more of."""
        limit = time.monotonic() + hang(seconds)
        start, first = time.monotonic(), None
        pause = 0.05
        while True:
            now = self.counts(node)
            first = first or now
            more = {k: max(0, now[k] - before[k]) for k in ("threads", "segments", "transactions")}
            tasks = 0 if exactly else 6
            explained = 1 + more["transactions"] // 4 + (0 if exactly else 40 + 9 * more["threads"])
            if (now["processes"] == before["processes"] and more["threads"] <= tasks and
                    more["segments"] <= tasks and now["pages"] + explained >= before["pages"]):
                if time.monotonic() - start > 2:
                    note("counts of %s took %.1f s to come back: before %r, at first %r" %
                         (node, time.monotonic() - start, before, first))
                return None
            if time.monotonic() > limit:
                return "before %r\nnow    %r" % (before, now)
            select.select([], [], [], pause)  # between two looks, which leave traces themselves
            pause = min(2 * pause, 2)

    # Health

    def log(self, node):
        try:
            with open(os.path.join(self.run_dir, node + ".log"), errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def names(self):
        return ["n%d" % i for i in range(1, self.nodes + 1)]

    def pids(self):
        return {m[0]: int(m[1]) for m in re.findall(r"^\s+(\S+)\s+pid (\d+)", self.command("ring", "status")[1], re.M)}

    def qmp(self, node, *commands):
        qmp(os.path.join(self.run_dir, node + ".qmp"), *commands)

    def kill_node(self, node):
        self.dead.add(node)
        status, out = self.command("node", "kill", node)
        if status != 0:
            raise GiveUp(out)

    def standing(self):
        """None, or which node has stopped or panicked, and what it said."""
        status, out = self.command("ring", "status")
        for node in self.names():
            log = self.log(node)
            at = log.find("--- panic")
            if at >= 0 or "fault in the kernel" in log:
                return "%s panicked:\n%s" % (node, log[max(0, log.find("fault in the kernel")):][-4000:])
            if node not in self.dead and not re.search(r"^\s+%s\s+pid \d+\s+runs$" % node, out, re.M):
                return "%s has ended:\n%s\n%s" % (node, out, log[-2000:])
        return None

    def tell(self):
        for node in self.names():
            note("console of %s:" % node)
            log = self.log(node)
            log = log[max(0, log.find("\nrotifer ")):]  # without the firmware's words
            note("\n".join("    " + x for x in log.strip().split("\n")[-60:]))
            if node not in self.dead:
                note("trace of %s:" % node)
                try:
                    trace = self.command("trace", node, seconds=20)[1].rstrip().split("\n")[-40:]
                    note("\n".join("    " + x for x in trace))
                except GiveUp as e:
                    note(e)

    def down(self):
        if self in Ring.all:
            Ring.all.remove(self)
            _on_failure.remove(self.tell)
        status, out = self.command("ring", "down")
        return status == 0 and not os.path.exists(self.run_dir)


def expect_nothing_left(r, before, claim):
    difference = r.back_to(before)
    ok(difference is None, claim + ": nothing is left of it", difference or "")


def expect_standing(r, claim):
    why = r.standing()
    return ok(why is None, claim, why or "")


def expect_checks(r, least, claim, *words):
    """A guest that checks itself and says "N checks, 0 errors": it made more than so many. words: of `rotifer run`."""
    status, out = r.run("--quiet", *words)
    m = re.search(r"(\d+) checks, 0 errors", out)
    return ok(status == 0 and m and int(m[1]) > least, claim, out)


def expect_down(r, claim):
    """The end of a ring: its nodes stand (the claim says which), and nothing of it is left on this machine."""
    expect_standing(r, claim)
    ok(r.down(), "the ring goes down, and nothing is left of it")


def on_harts(harts, nodes, *parts, **more):
    """For main(): these parts, one after another, on one ring whose nodes have so many harts. more: of Ring()."""
    def all():
        r = Ring(nodes, smp=harts, **more)
        for part in parts:
            part(r)
        expect_down(r, "the node%s, with %d hart%s" % (" stands" if nodes == 1 else "s stand", harts, "s" * (harts > 1)))
    all.__name__ = "harts_%d" % harts
    return all
