#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Do the tests see what they are for? Each test/plants/NAME.patch plants one fault: its head says in one sentence what
it breaks, which test must find it, and which claim must fail then. A crash or a hang finds nothing: the claim must be
named, within three times the time that the test takes on the sources as they are.

usage: test/plants/run.py [NAME...]     all of them, or these; prints TAP
       test/plants/run.py --draw N      N of them, others for each commit
       test/plants/run.py --list
       test/plants/run.py --from FOLDER ...     patches of another folder (run-test.py)

The head of a patch, one line each:

    Breaks: what is wrong then, in one sentence
    Found by: unit/test_txn             a unit test; or: sim NAME FROM TO (a scenario, these seeds); or: ring/NAME
    Claim: a regular expression         of a line "not ok"; for the simulator, of what an oracle says

Works in build/plants/, a copy that is kept from run to run. Each patch is applied there, and taken back. One run at a
time: the second waits."""
import fcntl
import filecmp
import os
import random
import re
import shutil
import subprocess
import sys
import time

HOUSE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLANTS = os.path.join(HOUSE, "test", "plants")
COPY = os.path.join(HOUSE, "build", "plants")
HEAD = {"Breaks", "Found by", "Claim"}
LEAST_S = 10  # a time-out below that would be about the machine
ROOMS = ["Makefile", "arch", "boards", "core", "linker", "mk", "net", "services", "test", "tools", "guest"]


class Plant:
    def __init__(self, folder, name):
        self.name = name
        self.patch = os.path.join(folder, name + ".patch")
        head, _, self.diff = open(self.patch, encoding="utf-8").read().partition("\n---")
        self.head = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
        if set(self.head) != HEAD or not self.diff:
            wanted = ", ".join(sorted(HEAD))
            raise ValueError("%s.patch: its head must have %s, and a diff must follow" % (name, wanted))
        self.test = self.head["Found by"].split()
        self.sim = self.test[0] == "sim"
        self.ring = re.match(r"ring/\w+$", self.head["Found by"])
        if not (self.sim and len(self.test) == 4 or self.ring or re.match(r"unit/test_\w+$", self.head["Found by"])):
            raise ValueError("%s.patch: no test is called %s" % (name, self.head["Found by"]))
        self.programs = ["build/sim-run" if self.sim else "build/" + self.test[0]]
        self.command = self.programs + (["each"] + self.test[1:] if self.sim else [])
        if self.ring:
            guests = [f[:-2] for f in os.listdir(os.path.join(HOUSE, "guest", "tests")) if f.endswith(".c")]
            self.programs = ["build"] + ["build/guest/%s.elf" % g for g in sorted(guests)]
            self.command = ["test/" + self.test[0] + ".py"]

    def claims(self, said):
        """The lines of what a test said that speak of a claim which failed. A crash is none, whatever cmocka says."""
        oracle, failure = r"^# --- .*?, seed \d+, at [\d.]+ s: (.*)", r"^not ok .*(?!\n# Test failed with exception)$"
        return re.findall(oracle if self.sim else failure, said, re.M)


def sources():
    """Files of the house, tracked or new. Without git (an unpacked archive): all that there are."""
    git = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=HOUSE, capture_output=True, text=True)
    if git.returncode == 0:
        files = [f for f in git.stdout.splitlines() if f.split("/")[0] in ROOMS]
        return [f for f in files if os.path.isfile(os.path.join(HOUSE, f))]
    found = []
    for room in ROOMS:
        for folder, _, names in os.walk(os.path.join(HOUSE, room)):
            found += [os.path.relpath(os.path.join(folder, x), HOUSE) for x in names]
    return found + ["Makefile"]


def copy_house():
    """Brings the copy up to date. Times of files are kept, so that objects which are up to date here are so there."""
    os.makedirs(COPY, exist_ok=True)
    wanted = set(sources())
    for room in ROOMS:
        for folder, _, names in os.walk(os.path.join(COPY, room)):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.relpath(path, COPY) not in wanted:
                    os.remove(path)
    for f in wanted:
        there, here = os.path.join(COPY, f), os.path.join(HOUSE, f)
        if os.path.exists(there) and filecmp.cmp(here, there, shallow=False):
            continue
        os.makedirs(os.path.dirname(there), exist_ok=True)
        if os.path.exists(there):
            # With the time of now: the copy's objects may be newer than the file is here.
            shutil.copyfile(here, there)
            shutil.copymode(here, there)
        else:
            shutil.copy2(here, there)
    if not os.path.islink(COPY + "/third_party"):
        os.symlink(os.path.join(HOUSE, "third_party"), COPY + "/third_party")
    if not os.path.isdir(COPY + "/build"):  # what is compiled already need not be compiled again
        for part in ("san", "host", "include", "list"):
            if os.path.isdir(os.path.join(HOUSE, "build", part)):
                subprocess.run(["mkdir", "-p", COPY + "/build"], check=True)
                subprocess.run(["cp", "-a", os.path.join(HOUSE, "build", part), COPY + "/build/"], check=True)


def build(programs):
    # As if a person had typed it, also when make has started this script: on all processors, without make's variables.
    makes = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "T", "P")
    env = {k: v for k, v in os.environ.items() if k not in makes}
    made = subprocess.run(["make", "--no-print-directory", "WERROR=", *programs], cwd=COPY, env=env, capture_output=True,
                          text=True)
    return None if made.returncode == 0 else "it does not build:\n" + "\n".join(made.stderr.splitlines()[-10:])


def play(command, limit_s):
    """Runs a test. Returns (status, what it said, seconds); status None: it did not end in time."""
    start = time.monotonic()
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    child = subprocess.Popen(command, cwd=COPY, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             errors="replace")
    try:
        said, _ = child.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        child.kill()
        said, _ = child.communicate()
        return None, said, time.monotonic() - start
    return child.returncode, said, time.monotonic() - start


def normal_s(plant, known):
    """How long the test takes on the sources as they are, where it must pass. Each test once."""
    key = " ".join(plant.command)
    if key not in known:
        why = build(plant.programs)
        status, said, seconds = (1, "", 0) if why else play(plant.command, 600)
        if status != 0:
            return None, why or "without the plant, too, %s fails:\n%s" % (key, said[-1000:])
        known[key] = seconds
    return known[key], ""


def patch(plant, *options):
    # No fuzz: what stands beside the fault must be what stood there, or it is planted where it breaks something else.
    command = ["patch", "-p1", "-s", "-f", "-F0", "--no-backup-if-mismatch", "-r", "-", "-i", plant.patch]
    return subprocess.run(command + list(options), cwd=COPY, capture_output=True, text=True)


def verdict(plant, limit_s):
    """Returns what is wrong; empty: the test found the plant and named the claim."""
    why = build(plant.programs)
    if why:
        return why
    status, said, seconds = play(plant.command, limit_s)
    if status is None:
        return "%s hangs: it did not end within %.0f s" % (plant.head["Found by"], limit_s)
    if status == 0:
        return "%s passes: it does not see the plant" % plant.head["Found by"]
    failed = plant.claims(said)
    if not any(re.search(plant.head["Claim"], line) for line in failed):
        return "%s fails, but not with a claim that matches \"%s\" (exit status %d):\n%s" % (
            plant.head["Found by"], plant.head["Claim"], status, "\n".join(failed) or said[-1500:])
    return ""


def run(plant, known):
    limit_s, why = normal_s(plant, known)
    if limit_s is None:
        return why
    dry = patch(plant, "--dry-run")
    if dry.returncode:
        return "%s does not apply any more:\n%s" % (os.path.relpath(plant.patch, HOUSE), dry.stdout + dry.stderr)
    try:
        patch(plant)
        return verdict(plant, max(3 * limit_s, LEAST_S))
    finally:
        patch(plant, "-R")
        for f in re.findall(r"^\+\+\+ b/(\S+)", plant.diff, re.M):
            os.utime(os.path.join(COPY, f))


def drawn(names, n):
    """n of the names: by the commit, so that the same commit draws the same, and the next one others."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=HOUSE, capture_output=True, text=True).stdout.strip()
    return sorted(random.Random(head or "no git").sample(names, min(n, len(names))))


def main():
    asked, folder = sys.argv[1:], PLANTS
    if asked[:1] == ["--from"]:
        folder, asked = asked[1], asked[2:]
    names = sorted(f[:-6] for f in os.listdir(folder) if f.endswith(".patch"))
    os.makedirs(os.path.dirname(COPY), exist_ok=True)
    lock = open(COPY + ".lock", "w", encoding="utf-8")
    if asked == ["--list"]:
        for name in names:
            print("%-24s %-24s %s" % (name, Plant(folder, name).head["Found by"], Plant(folder, name).head["Breaks"]))
        return 0
    if asked[:1] == ["--draw"]:
        names = drawn(names, int(asked[1]))
    elif asked:
        unknown = [x for x in asked if x not in names]
        if unknown:
            print("no plant is called " + ", ".join(unknown))
            return 2
        names = asked
    fcntl.flock(lock, fcntl.LOCK_EX)
    copy_house()
    known, failed = {}, 0
    for number, name in enumerate(names, 1):
        start = time.monotonic()
        try:
            plant = Plant(folder, name)
            why = run(plant, known)
            claim = "%s: %s finds: %s" % (name, plant.head["Found by"], plant.head["Breaks"])
        except ValueError as e:
            why, claim = str(e), name
        failed += bool(why)
        print("%s %d - %s" % ("not ok" if why else "ok", number, claim), flush=True)
        told = why.splitlines() or ["%.1f s" % (time.monotonic() - start)]
        print("\n".join("# " + x for x in told), flush=True)
    print("1..%d" % len(names))
    return 1 if failed else 0


sys.exit(main())
