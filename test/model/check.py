#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Are the rules of the hand-off, of "at most once" and of owners enough? Each model (test/model/*.pml) is searched
whole by spin; then once more with each of its rules broken (-DMUT=k), and then spin must find what the rule is for. And
the models speak of the states that the code has: each state of a model is one of the enum that it names.

usage: test/model/check.py [MODEL]    prints TAP; a way to a broken claim is in build/model/
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
HOUSE = os.path.dirname(os.path.dirname(HERE))
OUT = os.path.join(HOUSE, "build", "model")
LIMIT_S, LIMIT_MB = 60, 2000

# model: what is searched without a broken rule (a claim, the sizes), the sizes for its mutations, and these: the rule
# that is broken, and the claims (in the assertion's text) of which one must fail then; its own sizes, if it needs them.
MODELS = {
    "move": (
        [("two moves, a target that boots again, two frames lost: one copy runs, and no doubt is left",
          "LOSSES=2 BOOTS=1 FORGETS=0 FAILS=0"),
         ("two moves, a source that fails, a target that forgets: one copy runs, and its owner hears of a doubt",
          "LOSSES=1 BOOTS=1 FORGETS=1 FAILS=1")],
        "LOSSES=1 BOOTS=1 FORGETS=0 FAILS=0",
        [(1, "migrate.h, 1: the target's copy runs before COMMIT", "one_copy_runs"),
         (2, "migrate.h, 4: the source resumes because nobody answers", "one_copy_runs"),
         (3, "migrate.h, 3: a number that may be forgotten is refused", "one_copy_runs",
          "LOSSES=1 BOOTS=1 FORGETS=1 FAILS=0"),
         (4, "migrate.h, 5: a target that booted again answers for the boot before", "one_copy_runs"),
         (5, "offer.c: an offer whose time is over runs", "one_copy_runs"),
         (6, "migrate.h: the source stops asking (after 60 s)", "no_doubt_is_left"),
         (7, "offer.c: an offer without COMMIT is never swept", "no_offer_is_left"),
         (8, "offer.c: COMMIT is answered once only", "no_doubt_is_left"),
         (9, "migrate.h, 2: COMMIT is sent for an offer that was given up", "one_copy_runs"),
         (10, "migrate.h, 3: OFFER is executed twice", "one_copy_runs"),
         (11, "migrate.h: an ordinary RESUME resumes a copy in doubt", "one_copy_runs"),
         (12, "orphan.h: a copy in doubt is ended because its owner is silent", "silence_ends_nothing")]),
    "call": (
        [("two calls, a move, a server that ends: each is executed at most once, and \"not here\" is true",
          "CALLS=2 LOSSES=1 MOVES=1 CRASHES=0"),
         ("a call, a move, nodes that are restarted: it is executed at most once, and \"not here\" is true",
          "CALLS=1 LOSSES=2 MOVES=1 CRASHES=2")],
        "CALLS=2 LOSSES=0 MOVES=1 CRASHES=1",
        [(1, "proc.h: a frozen process takes requests", "died_is_true at_most_once"),
         (2, "txn.h: a request with a lower number is taken", "at_most_once"),
         (3, "txn.h: a finished request that comes again is executed again", "at_most_once"),
         (4, "xfer.c: a request for a process that is gone is given to the port's server",
          "at_most_once not_here_is_true"),
         (5, "xfer.c: a call that was sent more than once goes to a second server", "at_most_once not_here_is_true"),
         (6, "xfer.c: a process that ended is \"not here\", as if it had never been", "at_most_once not_here_is_true"),
         (7, "xfer.c: a server's last reply ends with it", "last_words_arrive"),
         (8, "txn.h: a finished record is forgotten while frames of it live", "at_most_once"),
         (9, "desc.h: records with replies do not go along", "at_most_once died_is_true"),
         (10, "xfer.c: no \"moved to\" is left behind", "at_most_once not_here_is_true"),
         (11, "net.h: a node that has just booted says \"not here\"", "at_most_once not_here_is_true")]),
    "owner": (
        [("two faults, a move, an owner that is silent, comes back, or ends: only its word or end ends a process",
          "LOSSES=2")],
        "LOSSES=2",
        [(1, "owner.c: an owner that does not answer in time has said \"end it\"", "only_its_owner_ends_it"),
         (2, "owner.c: an owner is told once only", "the_owner_is_heard"),
         (3, "desc.h: what has to be reported does not go along", "the_owner_is_heard"),
         (4, "orphan.h: an owner that is silent counts as gone", "only_its_owner_ends_it")]),
}

# What each model must be able to come to, or its claims would be true of nothing.
HAPPENS = {
    "move": [("a refused COMMIT resumes the source", "refused[1] && src == PROC_RUN"),
             ("a second move succeeds after a first that failed", "off[2] == OFFER_COMMITTED && id == 2"),
             ("an owner resumes a copy in doubt", "by_owner && src == PROC_RUN"),
             ("a process leaves its target before the source knows", "further && src == PROC_DOUBT"),
             ("a target boots again with the process on it", "boot == 2 && ran_there && src == PROC_DOUBT")],
    "call": [("a client is told E_NOTHERE", "result[1] == E_NOTHERE"),
             ("a client is told E_DIED", "result[1] == E_DIED"),
             ("a call is answered after a move", "at == 1 && ran[2] == 1 && s == 3 && p == PROC_RUN"),
             ("another server executes it", "rec2 == REC_SERVE && says[0] == PROC_DEAD"),
             ("a record is forgotten", "ran[1] == 1 && seq == 0 && p == PROC_RUN"),
             ("last words arrive", "p == PROC_DEAD && s == 2 && rec == REC_REPLY && tries == 0")],
    "owner": [("the owner resumes it", "p == PROC_RUN && faults == 0"),
              ("the owner ends it", "p == PROC_DEAD && end_it"),
              ("it ends because its owner has", "p == PROC_DEAD && gone == E_NOTHERE && !end_it")],
}


def search(job):
    """Searches one model with one set of definitions. Returns (what is wrong, states, seconds, megabytes). witness: a
    state that is looked for, instead of a broken claim."""
    model, sizes, mut, witness = job
    name = "%s-%s" % (model, mut or sizes.replace(" ", "-").replace("=", ""))
    source = model + ".pml"
    defines = ["-D" + x for x in sizes.split()] + ["-DMUT=%d" % mut]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(HERE, source), folder)  # spin -f writes a file beside the model
        look = ["-f", "<> (%s)" % witness] if witness else []
        made = subprocess.run(["spin", "-a"] + look + defines + [source], cwd=folder, capture_output=True, text=True)
        if made.returncode or "rror" in made.stdout:
            return "spin: " + made.stdout + made.stderr, 0, 0, 0
        how = ["-O0" if mut or witness else "-O2", "-w"]
        how += ["-DSAFETY", "-DCOLLAPSE", "-DNOREDUCE", "-DMEMLIM=%d" % LIMIT_MB]
        subprocess.run(["gcc"] + how + ["-o", "pan", "pan.c"], cwd=folder, check=True)
        ran = subprocess.run(["timeout", str(10 * LIMIT_S), "./pan", "-m1000000", "-n", "-w20"], cwd=folder,
                             capture_output=True, text=True).stdout
        trail = source + ".trail"
        if os.path.exists(os.path.join(folder, trail)) and not witness:
            told = subprocess.run(["spin", "-p", "-g", "-t", "-k", trail] + defines + [source], cwd=folder,
                                  capture_output=True, text=True).stdout
            with open(os.path.join(OUT, name + ".txt"), "w", encoding="utf-8") as f:
                f.write(told)
    numbers = (r"(\d+) states, stored", r"elapsed time ([\d.]+)", r"([\d.]+)\s+total actual memory")
    states, seconds, megabytes = [float(x.group(1)) if x else -1 for x in (re.search(n, ran) for n in numbers)]
    wrong = re.search(r"pan:1: (.*) \(at depth", ran)
    if wrong:
        return wrong.group(1), states, seconds, megabytes
    short = re.search(r"max search depth too small|out of memory|memory limit", ran)
    if "errors: 0" not in ran or short or states <= 0:
        return "not searched whole: " + ran[-600:], states, seconds, megabytes
    return "", states, seconds, megabytes


def enum_of_the_code(name):
    """The members of `enum name`, wherever the code defines it; an enum made from a table (core/error.h) too."""
    rooms = [os.path.join(HOUSE, room, "**", "*.[hc]") for room in ("core", "net", "services")]
    for path in sorted(p for room in rooms for p in glob.glob(room, recursive=True)):
        text = re.sub(r"//[^\n]*", "", open(path, encoding="utf-8").read())
        found = re.search(r"\benum %s\s*\{(.*?)\}" % name, text, re.S)
        if found:
            body = found.group(1)
            return set(re.findall(r"\b[A-Z]\w+", body if "#" not in body else text))
    return set()


def unknown_states(model):
    text = open(os.path.join(HERE, model + ".pml"), encoding="utf-8").read()
    lists = re.findall(r"^mtype:(\w+) = \{([^}]*)\}", text, re.M)
    bad = ["%s has no enum at all" % model] if not lists else []
    for name, members in lists:
        known = enum_of_the_code(name)
        bad += ["enum %s has no %s" % (name, m) for m in re.findall(r"\w+", members) if m not in known]
    return bad


def claimed(wrong, claim):
    """Does what spin says name one of these claims? Each assertion of a model has the name of what it claims in it."""
    return wrong.startswith("assertion violated") and bool(set(re.findall(r"\w+", wrong)) & set(claim.split()))


count, failed = 0, 0


def ok(good, claim, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%s %d - %s" % ("ok" if good else "not ok", count, claim), flush=True)
    if not good and why:
        print("\n".join("# " + x for x in why.strip().split("\n")))


def main():
    wanted = [m for m in MODELS if len(sys.argv) < 2 or m in sys.argv[1:]]
    if not shutil.which("spin"):
        print("ok 1 - the models # SKIP spin is not installed (apt-get install spin)\n1..1")
        return 0
    os.makedirs(OUT, exist_ok=True)
    jobs = []
    for model in wanted:
        whole, small, broken = MODELS[model]
        jobs += [(model, sizes, 0, "", claim) for claim, sizes in whole]
        jobs += [(model, small, 0, state, what) for what, state in HAPPENS[model]]
        jobs += [(model, (more + [small])[0], mut, "", (rule, word)) for mut, rule, word, *more in broken]
    for model in wanted:
        bad = unknown_states(model)
        ok(not bad, "%s: its states are those of the code" % model, "\n".join(bad))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for job, (wrong, states, seconds, megabytes) in zip(jobs, pool.map(search, [j[:4] for j in jobs])):
            model, _, mut, witness, what = job
            if witness:
                there = wrong.startswith("assertion violated")
                ok(there, "%s: it can happen: %s" % (model, what), wrong or "it cannot")
                continue
            if mut:
                ok(claimed(wrong, what[1]), "%s: seen when broken: %s" % (model, what[0]),
                   "spin says: " + (wrong or "no error in %d states" % states))
                continue
            print("# %d states, %.1f s, %d MB" % (states, seconds, megabytes))
            ok(not wrong, "%s: %s" % (model, what), wrong)
            if seconds > LIMIT_S or megabytes > LIMIT_MB:
                print("# more than %d s or %d MB" % (LIMIT_S, LIMIT_MB))
    print("1..%d" % count)
    return 1 if failed else 0


sys.exit(main())
