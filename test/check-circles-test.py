#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does test/check-circles.py see a circle? Into a copy of the image's objects a call is planted that closes one, in
core, in net (by a table of function pointers), in services and across rooms: it must be reported each time, by name.
And does the compiler keep net/ from writing the record of a call, which is core's?

usage: test/check-circles-test.py    after make kernel; prints TAP"""
import glob
import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tempfile

import csource

HERE = os.path.dirname(os.path.abspath(__file__))
ROOMS = ["arch", "boards", "core", "net", "services"]
CALL = "void %(to)s(void);\nvoid planted(void);\nvoid planted(void)\n{\n    %(to)s();\n}\n"
TABLE = "void %(to)s(void);\nextern void (*const planted[])(void);\nvoid (*const planted[])(void) = {%(to)s};\n"

VISIBLE = "It does: struct call is not opaque. Its fields belong into a header that net/ may not include."

count, failed = 0, 0


def ok(good, claim, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%s %d - %s" % ("ok" if good else "not ok", count, claim))
    if not good and why:
        print("\n".join("# " + x for x in why.strip().split("\n")))


def load_check():
    spec = importlib.util.spec_from_file_location("check_circles", os.path.join(HERE, "check-circles.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compiler():
    """The command that compiles a kernel source, as make would call it."""
    rule = "print-compiler: ; @echo $(CROSS)gcc $(KERNEL_CFLAGS)"
    said = subprocess.run(["make", "-s", "--no-print-directory", "--eval", rule, "print-compiler"],
                          check=True, capture_output=True, text=True).stdout
    return [x for x in shlex.split(said) if x not in ("-MMD", "-MP")]


def copy_of_the_house(folder):
    """A folder in which check-circles finds the same sources, and the same objects, as links."""
    for room in ROOMS:
        os.symlink(os.path.abspath(room), os.path.join(folder, room))
        for path in glob.glob("build/kernel/%s/**/*.o" % room, recursive=True):
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            os.symlink(os.path.abspath(path), os.path.join(folder, path))


def reaches(edges, a, b):
    seen, todo = set(), [a]
    while todo:
        x = todo.pop()
        if x == b:
            return True
        if x not in seen:
            seen.add(x)
            todo += edges[x]
    return False


def functions_of(check, house, edges, file):
    """Functions of a file that a planted call may name."""
    x = next(x for x in house if x.file == file)
    return sorted(n for n in x.defined if re.fullmatch(r"[a-z]\w+", n) and n not in check.IGNORED and
                  not any(n.startswith(y) for y in check.WAY_UP))


def place_for(check, house, edges, room_from, room_to):
    """(file, function): a call of the function, planted in the file, closes a circle that was not there."""
    for a in sorted(edges):
        for b in sorted(edges[a]):
            if check.room(a) == room_to and check.room(b) == room_from and not reaches(edges, b, a) and \
                    b.endswith(".c") and functions_of(check, house, edges, a):
                return b, functions_of(check, house, edges, a)[0]
    return None


def plant(gcc, folder, file, text):
    """Makes the text part of a file's object: linked into one, so that the relocation is a real one."""
    source, added = os.path.join(folder, "planted.c"), os.path.join(folder, "planted.o")
    with open(source, "w", encoding="utf-8") as f:
        f.write(text)
    subprocess.run(gcc + ["-c", "-o", added, source], check=True)
    link = os.path.join(folder, "build/kernel", os.path.splitext(file)[0] + ".o")
    real = os.path.realpath(link)
    os.unlink(link)
    subprocess.run([re.sub(r"gcc$", "ld", gcc[0]), "-r", "-o", link, real, added], check=True)


def planted_circle(check, house, edges, gcc, where, room_from, room_to, text):
    place = place_for(check, house, edges, room_from, room_to)
    if not place:
        ok(False, "%s: there is a place to plant a call" % where)
        return
    file, to = place
    with tempfile.TemporaryDirectory() as folder:
        copy_of_the_house(folder)
        plant(gcc, folder, file, text % {"to": to})
        run = subprocess.run([os.path.join(HERE, "check-circles.py"), "-C", folder], capture_output=True, text=True)
    step = r"(?m)^ +%s +-> +\S+ +planted -> %s$" % (re.escape(file), to)
    ok(run.returncode == 1 and re.search(step, run.stdout),
       "%s: a call of %s() planted in %s is reported" % (where, to, file), run.stdout + run.stderr)


def circles(check, gcc):
    house = check.objects.load()
    edges = check.edges_of(house)
    ok(not any(r.user == "planted" for x in edges.values() for y in x.values() for r in y), "nothing is planted before")
    for room, text in ("core", CALL), ("net", TABLE), ("services", CALL):
        planted_circle(check, house, edges, gcc, room, room, room, text)
    planted_circle(check, house, edges, gcc, "across rooms", "core", "services", CALL)


def allowances(check):
    """On made-up files: an allowance is exact."""
    reference = check.objects.Reference("x", "user", "symbol", False)

    def judge(circle):
        edges = {a + ".c": {b + ".c": [reference] for b in circle if b != a} for a in circle}
        return [x for x in check.judge(edges, check.all_circles(edges)) if "there is no circle of" not in x]

    allowed = check.ALLOWED[0].split()
    ok(judge(allowed) == [], "a circle that is allowed passes")
    ok(any(x.startswith("Shrink") for x in judge(allowed[:-1])), "an allowance larger than its circle is reported")
    ok(any(x.startswith("A circle of %d files" % (len(allowed) + 1)) for x in judge(allowed + ["core/planted"])),
       "a circle larger than its allowance is reported")
    ok(any(x.startswith("Remove") for x in check.judge({}, [])), "an allowance without a circle is reported")


def hidden():
    """Headers of core that net/ may not include: test/check-arrows.sh says which, and holds it."""
    return "(%s)\\.h" % re.search(r"^net_hidden='(.*)'$", csource.read("test/check-arrows.sh"), re.M)[1]


def arrows(folder, line):
    """What test/check-arrows.sh says of a house that has this line in a file of net/."""
    os.symlink(os.path.abspath("core"), os.path.join(folder, "core"))
    os.mkdir(os.path.join(folder, "net"))
    with open(os.path.join(folder, "net", "planted.c"), "w", encoding="utf-8") as f:
        f.write(line + "\n")
    return subprocess.run(["test/check-arrows.sh", folder], capture_output=True, text=True).stdout


def compile_errors(gcc, folder, line):
    """What the compiler says of a file of net/ with this line in it, which includes all that core shows to others."""
    path = os.path.join(folder, "planted.c")
    shown = sorted(x for x in glob.glob("core/*.h") if not re.fullmatch(hidden(), os.path.basename(x)))
    with open(path, "w", encoding="utf-8") as f:
        f.write("".join('#include "%s"\n' % x for x in shown))
        f.write("void planted(struct thread *t, struct call *c);\nvoid planted(struct thread *t, struct call *c)\n{\n"
                "    (void)t, (void)c;\n    %s\n}\n" % line)
    run = subprocess.run(gcc + ["-fsyntax-only", path], capture_output=True, text=True)
    return run.stderr if run.returncode else ""


def opaque(gcc):
    for record in "call", "rec":
        declared = [x for x in glob.glob("core/*.h") if re.search(r"^struct %s \{" % record, csource.read(x), re.M)]
        ok(len(declared) == 1, "a header of core declares struct %s" % record, " ".join(declared))
        with tempfile.TemporaryDirectory() as folder:
            said = arrows(folder, '#include "%s"' % declared[0])
            ok("net may not see" in said and "net/planted.c:1" in said, "net/ may not include %s" % declared[0], said)
    with tempfile.TemporaryDirectory() as folder:
        said = compile_errors(gcc, folder, "")
        ok(not said, "a file of net/ that includes the headers of core compiles", said)
        # Whether the thread has the record in it or points to it: neither way may compile, and for the right reason.
        both = [compile_errors(gcc, folder, x) for x in ("t->call.state = 0;", "t->call->state = 0;")]
        ok(all(both) and re.search("incomplete type|undefined type|has no member named", "".join(both)),
           "a write of a thread's call.state in net/ does not compile", "".join(both) if all(both) else VISIBLE)
        for line, what in ("c->server = 0;", "call->server"), ("((struct rec *)(void *)c)->seq = 0;", "rec->seq"):
            said = compile_errors(gcc, folder, line)
            ok(re.search("incomplete type|undefined type", said), "a write of %s in net/ does not compile" % what,
               said or VISIBLE)


def main():
    os.chdir(os.path.join(HERE, ".."))
    check, gcc = load_check(), compiler()
    circles(check, gcc)
    allowances(check)
    opaque(gcc)
    print("1..%d" % count)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
