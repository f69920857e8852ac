#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command's own words: help, sentences about a wrong line, exit statuses, JSON. Without QEMU: the ring is a host
daemon alone, or there is none."""
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import FAILED, NO_RING, NOBODY, REFUSED, USAGE, GiveUp, Lines, hang, ok, same

OK = 0
COMMANDS = [f[4:-2].replace("_", " ") for f in os.listdir(os.path.join(ring.ROOT, "tools")) if re.match(r"cmd_\w+\.c$", f)]
INTERNAL = ["hostd", "relay"]
GROUPS = ["ring", "node", "links", "process", "show"]
EMPTY_GROUPS = ["store", "debug"]
NOBODY_ID = 65534  # user and group "nobody" on every Linux


def rotifer(*words, run="nowhere", env=None):
    """(status, stdout, stderr) of a command."""
    env = dict(os.environ, ROTIFER_RUN=ring.scratch(run), **(env or {}))
    p = subprocess.run([ring.ROTIFER] + list(words), env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=hang(60))
    return p.returncode, p.stdout, p.stderr


def fits(text):
    lines = text.rstrip("\n").split("\n")
    return len(lines) <= 24 and max(map(len, lines)) <= 80


# --- Help ----------------------------------------------------------------------------------------------------

def helps():
    status, out, err = rotifer("help")
    ok(status == OK and fits(out) and not err, "help fits a screen of 24 lines of 80", out)
    listed = ", ".join(x.rstrip(",") for x in re.findall(r"^ {12}(.*)", out, re.M)).split(", ")
    same(sorted(listed), sorted(set(COMMANDS) - set(INTERNAL)), "and names each command once")
    same(re.findall(r"^  (\w+)", out, re.M), GROUPS, "by group, and no group without commands")
    same(rotifer("--help"), (status, out, err), "--help is the same")
    status, nothing, err = rotifer()
    same((status, nothing, err), (USAGE, "", out), "without a command it is shown on stderr")
    for group in GROUPS:
        status, out, err = rotifer("help", group)
        ok(status == OK and fits(out) and out.startswith(group + ": ") and not err, "help of group " + group, out + err)
    for group in EMPTY_GROUPS:
        status, out, err = rotifer("help", group)
        ok(status == USAGE and not out, "there is no help of group %s, which has no commands yet" % group, out)
    for command in sorted(COMMANDS):
        status, out, err = rotifer("help", *command.split())
        ok(status == OK and fits(out) and out.startswith("usage: rotifer " + command) and not err, "help of " + command,
           out + err)
        for word in ("--help", "-h"):
            same(rotifer(*command.split(), word), (status, out, err), "%s %s is the same" % (command, word))
    status, out, err = rotifer("ring", "--help")
    same((status, out), rotifer("help", "ring")[:2], "ring --help is the help of the group")
    same(rotifer("--version")[:2], (OK, "rotifer 0.1\n"), "--version")


# --- A wrong line ----------------------------------------------------------------------------------------------

def wrong_lines():
    for line, said, about in (
            ("frobnicate", "there is no command 'frobnicate'", ""),
            ("help frobnicate", "no command or group is called 'frobnicate'", ""),
            ("ring", "ring is a group: which of its commands is missing", "ring"),
            ("ring sideways", "ring has no command 'sideways'", "ring"),
            ("ring up 33", "N is a number from 1 to 32 nodes, not '33'", "ring up"),
            ("ring up --smp none", "--smp is a number from 1 to 8 harts, not 'none'", "ring up"),
            ("ring up --mem=64X", "--mem: '64X' is no size; give something like 64M", "ring up"),
            ("ring up --append a\"b", "--append: 'a\"b' holds a \" or a line end: the kernel's command line cannot", "ring up"),
            ("ring down now", "'now' is one word too many", "ring down"),
            ("ps n1", "'n1' is one word too many", "ps"),
            ("ps --node", "--node needs a value: NODE", "ps"),
            ("nodes --longer", "there is no option '--longer'", "nodes"),
            ("kill", "PROC is missing", "kill"),
            ("migrate lua", "NODE is missing", "migrate"),
            ("priority lua 8", "LEVEL is a number from 0 to 7, not '8'", "priority"),
            ("run", "PROGRAM is missing", "run"),
            ("run --copies 0 lua", "--copies is a number from 1 to 4000 copies, not '0'", "run"),
            ("run --env home lua", "--env: 'home' is not NAME=value", "run"),
            ("run --quiet=yes lua", "--quiet takes no value, but 'yes' was given", "run"),
            ("run --detach --files . lua", "--files . needs this command to serve it, and --detach ends the command", "run"),
            ("bench --bytes 1,2,x", "--bytes: '1,2,x' is no list of at most 8 numbers of bytes, each at most 32768", "bench"),
            ("link n1", "a link has two ends: the second NODE is missing", "link"),
            ("capture --stop x", "--stop ends a capture and takes no FILE", "capture"),
            ("node kill", "NODE is missing", "node kill"),
            ("node sideways", "node has no command 'sideways'", "node"),
            ("bench --csv --json", "it is either --csv or --json", "bench")):
        expected = "rotifer: %s. Try: rotifer help%s\n" % (said, " " + about if about else "")
        same(rotifer(*line.split()), (USAGE, "", expected), "rotifer " + line)
    status, out, err = rotifer("run", "--name", 32 * "n", "lua")
    ok(status == USAGE and "1 to 31 bytes" in err, "a name that is too long is refused", err)


# --- Without a ring ------------------------------------------------------------------------------------------------

def no_ring():
    lines = ("nodes", "ps", "ps --json", "migrate lua n2", "kill lua", "stun lua", "resume lua", "priority lua 3", "info lua",
             "trace n1", "bench", "ring status", "ring status --json", "link", "link n1 n2 --loss 1", "link --json", "capture",
             "capture --stop", "node kill n1", "node restart n1", "node pause n1", "node go n1 --json")
    for line in lines:
        status, out, err = rotifer(*line.split())
        ok(status == NO_RING and not out and re.match(r"rotifer: no ring is up .*Try: rotifer ring up\n$", err),
           "without a ring: rotifer " + line, "status %d\n%s%s" % (status, out, err))
    os.mkdir(ring.scratch("empty"))
    status, out, err = rotifer("ps", run="empty")
    ok(status == NO_RING and "no ring is up" in err, "in a directory without a ring", err)
    status, out, err = rotifer("ring", "down")
    ok(status == OK and "No ring is up" in out, "ring down where there is none is no failure", out + err)
    status, out, err = rotifer("run", "no-such-program")
    ok(status == FAILED and "cannot read the program no-such-program" in err, "a program that is not there", err)
    status, out, err = rotifer("run", __file__)
    ok(status == FAILED and "cannot run" in err, "a file that is no program", err)


# --- With a ring of one -----------------------------------------------------------------------------------------------

class Daemon:
    def __init__(self, run):
        self.run = ring.scratch(run)
        self.lines = Lines([ring.ROTIFER, "hostd"], env=dict(os.environ, ROTIFER_RUN=self.run), cwd=ring.ROOT)
        self.lines.wait_line("host: up")


def as_json(*words, run):
    status, out, err = rotifer(*words, "--json", run=run)
    try:
        return status, json.loads(out), err
    except ValueError as e:
        raise GiveUp("rotifer %s --json: %s\n%s%s" % (" ".join(words), e, out, err))


def typed(record, types):
    return {k: type(v).__name__ for k, v in record.items()} == types


def with_a_ring():
    d = Daemon("one")
    status, out, err = rotifer("nodes", run="one")
    ok(status == OK and re.search(r"^host +[0-9a-f]{16} ", out, re.M) and out.startswith("NODE "), "nodes", out + err)
    status, nodes, err = as_json("nodes", "-l", run="one")
    host = [n for n in nodes if n.get("node") == "host"]
    ok(status == OK and len(host) == 1 and host[0]["free_bytes"] % 4096 == 0 and
       0 < host[0]["free_bytes"] <= host[0]["memory_bytes"] and host[0]["uptime_ns"] > 0, "nodes --json: numbers as they are",
       nodes)
    text = ("node", "endpoint")
    numbers = ("hops", "harts", "free_bytes", "memory_bytes", "processes", "links_up", "links", "uptime_ns",
               "transactions_local", "transactions_remote", "retries", "duplicates_dropped", "process_records", "threads",
               "segments", "transaction_records", "pages_free", "system_calls", "switches")
    ok(typed(host[0], dict([(k, "str") for k in text] + [(k, "int") for k in numbers] + [("link", "list"), ("faults", "list")])),
       "each field has its type", host)
    ok(all(typed(link, dict(name="str", up="bool", payload_max_bytes="int", frames_out="int", frames_in="int",
                            frames_dropped="int", frames_bad="int")) for link in host[0]["link"]) and host[0]["link"],
       "and so has each link's", host)
    status, out, err = rotifer("ps", run="one")
    ok(status == OK and re.match(r"PID +NAME +NODE +STATE +THREADS +PAGES +MOVES\n$", out), "ps of no process", out + err)
    same(as_json("ps", "-a", run="one"), (OK, [], ""), "ps --json of no process is an empty array")
    status, events, err = as_json("trace", "host", run="one")
    ok(status == OK and events and all(typed(e, dict(at_us="int", event="str")) for e in events) and
       [e["at_us"] for e in events] == sorted(e["at_us"] for e in events), "trace --json, in the order of time", events[:5])
    status, state, err = as_json("ring", "status", run="one")
    ok(status == OK and state["whole"] is True and [p["name"] for p in state["processes"]] == ["host"] and
       state["processes"][0]["pid"] == d.lines.process.pid, "ring status --json", state)

    for line in ("kill lua", "stun lua", "resume lua --json", "info lua", "priority lua 3", "migrate lua host"):
        status, out, err = rotifer(*line.split(), run="one")
        ok(status == NOBODY and not out and "no process is called 'lua'" in err, "of nobody: rotifer " + line, err)
    for line in ("trace n9", "ps --node n9", "run --node n9 hello", "bench --from n9"):
        status, out, err = rotifer(*line.split(), run="one")
        ok(status == NOBODY and not out and "no node called 'n9' answers; these do: host" in err, "on no node: rotifer " + line,
           "status %d\n%s%s" % (status, out, err))
    status, out, err = rotifer("run", "--node", "host", "hello", run="one")
    ok(status == REFUSED and "host takes no processes" in err, "a node that refuses", "status %d\n%s" % (status, err))
    status, out, err = rotifer("run", "--node", "host", "--files", ring.scratch("no"), "hello", run="one")
    ok(status == FAILED and "--files" in err, "a folder that is not there", "status %d\n%s" % (status, err))

    d.lines.process.kill()
    d.lines.process.wait()
    status, out, err = rotifer("ring", "status", run="one")
    ok(status == NOBODY and re.search(r"host +pid \d+ +has ended", out), "ring status of a daemon that was killed", out + err)
    status, out, err = rotifer("ring", "down", run="one")
    ok(status == OK and not os.path.exists(d.run), "ring down clears up after it", out + err)


def somebody_elses():
    """A user who may not enter the run directory is told so. No file mode keeps root out: as root, nobody asks, with a copy
    of the command that it can reach. Another user cannot become nobody: it shuts the directory to itself."""
    d = Daemon("theirs")
    command, asks_as = ring.ROTIFER, {}
    if os.geteuid() == 0:
        command = shutil.copy(ring.ROTIFER, ring.scratch("rotifer"))
        os.chmod(command, 0o755)
        os.chmod(os.path.dirname(command), 0o711)
        asks_as = dict(user=NOBODY_ID, group=NOBODY_ID, extra_groups=[])
    else:
        os.chmod(d.run, 0)
    try:
        p = subprocess.run([command, "ps"], env=dict(os.environ, ROTIFER_RUN=d.run), cwd="/", stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=hang(60), **asks_as)
    finally:
        os.chmod(d.run, 0o700)
    ok(p.returncode == NO_RING and not p.stdout and "belongs to somebody else" in p.stderr, "a ring of somebody else's",
       "status %d\n%s%s" % (p.returncode, p.stdout, p.stderr))
    status, out, err = rotifer("ps", run="theirs")
    ok(status == OK, "which answers its own user", "status %d\n%s%s" % (status, out, err))
    status, out, err = rotifer("ring", "down", run="theirs")
    ok(status == OK and not os.path.exists(d.run), "and goes down for that user", out + err)


# --- A ring that others could get into ---------------------------------------------------------------------------------

def open_to_others():
    """What others could have read or written is not used: the directory, the key, the list of processes to end."""
    run = ring.scratch("open")
    os.mkdir(run)
    os.chmod(run, 0o755)
    for words in (("ring", "up", "1"), ("hostd",)):
        status, out, err = rotifer(*words, run="open")
        ok(status == FAILED and re.search(r"is open to others \(mode 755\)\. Try: chmod 700", err) and not os.listdir(run),
           "%s in a directory that others can enter: refused" % " ".join(words), "status %d\n%s%s" % (status, out, err))
    sleeper = Lines(["sleep", "600"])
    with open(os.path.join(run, "ring.state"), "w", encoding="ascii") as f:
        f.write("nodes 1\nn1 %d %s\n" % (sleeper.process.pid, ring.start_time(sleeper.process.pid)))
    os.chmod(run, 0o777)
    status, out, err = rotifer("ring", "down", run="open")
    ok(status == NO_RING and "open to others" in err and sleeper.process.poll() is None,
       "a list of processes that others can write: none of them is ended", "status %d\n%s%s" % (status, out, err))
    sleeper.kill()
    os.remove(os.path.join(run, "ring.state"))
    os.chmod(run, 0o700)
    d = Daemon("open")
    key = os.path.join(run, "ring.key")
    same(os.stat(key).st_mode & 0o777, 0o600, "the ring's key is its user's alone")
    ok(open(key, "rb").read() != bytes(32), "and is no zeros")
    os.chmod(key, 0o644)
    status, out, err = rotifer("ps", run="open")
    ok(status == NO_RING and "is no secret" in err, "a key that others may have read is not used", err)
    os.chmod(key, 0o600)
    same(rotifer("ps", run="open")[0], OK, "one that is closed is")
    if os.geteuid() == 0:
        os.chown(run, NOBODY_ID, NOBODY_ID)
        status, out, err = rotifer("ps", run="open")
        ok(status == NO_RING and "belongs to another user" in err, "a directory of another user is not used", err)
        os.chown(run, 0, 0)
    rotifer("ring", "down", run="open")
    d.lines.end()
    os.makedirs(run, 0o700, exist_ok=True)
    with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as f:
        f.write(bytes(32))
    status, out, err = rotifer("hostd", run="open")
    ok(status == FAILED and "is no secret" in err, "a key of zeros is not used", err)


if __name__ == "__main__":
    ring.main(helps, wrong_lines, no_ring, with_a_ring, somebody_elses, open_to_others)
