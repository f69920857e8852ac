#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does test/check-walks.py see a walk that is not true? Of two small files, compiled for the kernel's processor.

usage: test/check-walks-test.py    prints TAP"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CROSS = os.environ.get("CROSS", "riscv64-unknown-elf-")

FILES = {
    "core/begin.c": """
void end(int x);
void middle(int x);
extern void (*const table[])(int x);
static inline int in_line(int x)
{
    end(x);
    return x + 1;
}

void begin(int x)
{
    middle(in_line(x));
    table[x](x);
}
""",
    "core/end.c": """
void end(int x);
void middle(int x);
void far(int x);
static void pointed(int x)
{
    end(x);
}

void (*const table[])(int x) = {pointed};

void middle(int x)
{
    end(x);
}

void end(int x)
{
    __asm__ volatile("" : : "r"(x));
}

void far(int x)
{
    end(x);
}
""",
}
RIGHT = """begin()      core/begin.c   event: somebody begins
  in_line()  core/begin.c   # put in line by the compiler
    end()    core/end.c
  middle()   core/end.c
    end()    core/end.c     # the end
  pointed()  core/end.c     via table
far()        core/end.c     event: a timer
"""
# A walk, and what is said of it.
WRONG = [
    ("a call that is not there", RIGHT.replace("  middle()   core/end.c", "  far()      core/end.c"),
     "begin() does not call far()"),
    ("a call from a function in line that is not there",
     RIGHT.replace("    end()    core/end.c\n", "    middle() core/end.c\n", 1), "in_line() does not call middle()"),
    ("a function in another file", RIGHT.replace("middle()   core/end.c", "middle()   core/begin.c"),
     "there is no middle() in core/begin.c"),
    ("a pointer that the caller does not name", RIGHT.replace("via table", "via tables"),
     "begin() does not call pointed() via tables"),
    ("a pointer that never gets the function", RIGHT.replace("  pointed() ", "  far()     "),
     "begin() does not call far() via table"),
    ("a line without a caller", RIGHT.replace("event: a timer", ""), "far() has no caller in the walk"),
    ("an event without words", RIGHT.replace("event: a timer", "event:"), "far(): which event?"),
    ("a line that is none", RIGHT + "and so on\n", "not a line of a walk: and so on"),
    ("too many changes of file", RIGHT + "begin() core/begin.c event: x\nfar() core/end.c event: x\n" * 20,
     "the walk changes file 41 times"),
]


def make_house(folder):
    for path, text in FILES.items():
        source = os.path.join(folder, path)
        made = os.path.join(folder, "build/kernel", path[:-2] + ".o")
        for x in source, made:
            os.makedirs(os.path.dirname(x), exist_ok=True)
        with open(source, "w", encoding="utf-8") as f:
            f.write(text)
        subprocess.run([CROSS + "gcc", "-march=rv64imac", "-mabi=lp64", "-O2", "-fno-inline-functions-called-once",
                        "-ffunction-sections", "-c", "-o", made, source], check=True)
    os.mkdir(os.path.join(folder, "docs"))


def check(folder, walks, move):
    for page, texts in ("transaction", walks), ("move", [move]):
        with open(os.path.join(folder, "docs", page + ".md"), "w", encoding="utf-8") as f:
            f.write("".join("Words.\n```walk\n%s```\n" % x for x in texts))
    run = subprocess.run([os.path.join(HERE, "check-walks.py"), "-C", folder], capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


def main():
    claims = []
    with tempfile.TemporaryDirectory() as folder:
        make_house(folder)
        status, said = check(folder, [RIGHT, RIGHT], RIGHT)
        claims.append((status == 0 and "7 functions, 1 changes of file" in said, "walks that are true pass", said))
        status, said = check(folder, [RIGHT], RIGHT)
        missing = status == 1 and "2 walks are wanted, there are 1" in said
        claims.append((missing, "a walk that is missing is reported", said))
        for what, walk, words in WRONG:
            status, said = check(folder, [RIGHT, walk], RIGHT)
            alone = status == 1 and words in said and said.count("\n") == 1
            claims.append((alone, what + " is reported, and nothing else", said))
    for i, (good, claim, said) in enumerate(claims, 1):
        print("%s %d - %s" % ("ok" if good else "not ok", i, claim))
        if not good:
            print("\n".join("# " + x for x in said.split("\n")))
    print("1..%d" % len(claims))
    sys.exit(not all(x[0] for x in claims))


if __name__ == "__main__":
    main()
