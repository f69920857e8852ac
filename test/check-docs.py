#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Are README.md and docs/ true, as far as names go? What they name must be there: files, functions, types, constants, make's
targets and variables, commands, tests, and the headings that links lead to. A row "`struct x` | `file`" of a table must name the file that
declares it. And what is there must be named: each chapter in the table of contents, each room on the map.

usage: test/check-docs.py [ROOT]; prints what is wrong, with file and line; exit status 1 if anything is."""
import fnmatch
import glob
import os
import re
import subprocess
import sys

import verdict

ROOMS = ["arch", "boards", "core", "guest", "linker", "mk", "net", "services", "test", "tools"]
# What a reader is to put his own in the place of.
EXAMPLES = re.compile(r"^(my\w*|a|b|FILE|NAME|NODE|PROC|FLAGS)(\.(c|elf|o|lua))?$|^path/to/|^\.\.\.$")
EXTENSIONS = r"(?:c|h|S|py|sh|mk|ld|lua|md|csv|cpio)"
# Of C, of Linux, of libraries: not ours to define.
FOREIGN = {"printf", "scanf", "malloc", "fopen", "main", "exit", "abort", "time", "sleep", "getpid", "assert", "memcpy",
           "clock_gettime", "nanosleep", "dofile", "print", "require"}


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


class Code:
    """All names that the sources know."""

    def __init__(self):
        self.files = ["Makefile"] + glob.glob("*.md")
        for room in ROOMS + ["docs", ".ci"]:
            for directory, _, names in os.walk(room):
                self.files += [os.path.join(directory, x) for x in names if not x.endswith(".pyc")]
        self.bases = {os.path.basename(x) for x in self.files}
        sources = [x for x in self.files if not x.endswith(".md") and os.path.relpath(__file__) != x]
        self.text = text = "\n".join(read(x) for x in sources)
        self.words = set(re.findall(r"[A-Za-z_]\w*", text)) | FOREIGN
        # At the beginning of a line: a definition, a prototype, a label; anywhere: a macro with arguments, a method.
        self.functions = FOREIGN | set(re.findall(r"^[A-Za-z_](?:[\w\s*]*[\s*])?(\w+)\([^;]", text, re.M)) | \
            set(re.findall(r"^#define (\w+)\(", text, re.M)) | set(re.findall(r"^(\w+):", text, re.M)) | \
            set(re.findall(r"^\s*def (\w+)\(", text, re.M))
        self.types = set(re.findall(r"\b(?:struct|enum|union) \w+", text))
        self.commands = {os.path.basename(x)[4:-2].split("_")[0] for x in glob.glob("tools/cmd_*.c")} | {"help"}
        self.shell = set(re.findall(r'\{"([a-z]+)",', read("services/shell/shell_commands.c")))
        made = subprocess.run(["make", "--no-print-directory", "-pn", "help"], capture_output=True, text=True).stdout
        self.targets = set(re.findall(r"^([\w./+-]+):(?!=)", made, re.M))
        self.variables = set(re.findall(r"^([A-Z]\w*) [:?+]?= ", made, re.M)) | {"PROG", "PROG_NAME", "PROG_CFLAGS", "T", "SEED"}
        self.tests = ["unit/" + x[:-2] for x in self.bases if re.match(r"test_\w+\.c$", x)] + \
            ["fuzz/" + x[:-2] for x in self.bases if re.match(r"fuzz_\w+\.c$", x)] + \
            ["ring/" + os.path.basename(x) for x in glob.glob("test/ring/*.py")] + re.findall(r"\badd ([a-z-]+) ", read("test/run.sh")) + \
            [re.sub(r"test/check-(.*)\.py", r"\1", x) for x in glob.glob("test/check-*-test.py")]

    def has_file(self, path, near):
        """As named from the root, from where it is named, by its own name alone; or a pattern of these."""
        path = path.rstrip("/")
        return any(glob.glob(x) for x in (path, os.path.join(near, path), os.path.join("*", path))) or \
            "/" not in path and path in self.bases

    def makes(self, path):
        """Below build/: does make have a rule for it, or a source its name? What happens to lie there says nothing."""
        return path in self.targets or any(fnmatch.fnmatch(x, path) for x in self.targets) or \
            re.search(r"(?<![\w/])%s(?!\w)" % re.escape(path), self.text) is not None


class Page:
    def __init__(self, path, code):
        self.path, self.code, self.bad = path, code, []
        self.text = read(path)

    def say(self, at, what):
        self.bad.append("%s:%d: %s" % (self.path, self.text.count("\n", 0, at) + 1, what))

    def check(self):
        fences = [(m.start(), m.end()) for m in re.finditer(r"^```.*?^```", self.text, re.M | re.S)]
        fences += [(m.start(), m.end()) for m in re.finditer(r"(?:^    .*\n)+", self.text, re.M)]
        prose = self.text
        for a, b in fences:
            self.commands(a, self.text[a:b])
            prose = prose[:a] + re.sub(r"[^\n]", " ", prose[a:b]) + prose[b:]
        for m in re.finditer(r"`([^`]+)`", prose):
            self.commands(m.start(), m[1])
            self.names(m.start(), m[1])
        for m in re.finditer(r"`((?:struct|enum) \w+)` *\| *`([\w./-]+\.[ch])`", prose):
            self.declared(m.start(), m[1], m[2])
        for m in re.finditer(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)", prose):
            self.link(m.start(), m[1], m[2])

    def names(self, at, text):
        code = self.code
        for path in re.findall(r"[\w.*/+-]*[\w*]\.%s\b(?!\()|(?<![\w/])(?:%s)/[\w./*-]*" % (EXTENSIONS, "|".join(ROOMS)), text):
            if not EXAMPLES.match(path) and not EXAMPLES.match(os.path.basename(path)) and \
                    not path.startswith("build/") and not code.has_file(path, os.path.dirname(self.path)):
                self.say(at, "there is no file %s" % path)
        text = re.sub(r"\S*[/.](?:\w+)", " ", text) if "->" not in text else text
        for name in re.findall(r"\b([A-Za-z_]\w*)\(\)", text):
            if name not in code.functions:
                self.say(at, "there is no function %s()" % name)
        for kind in re.findall(r"\b(?:struct|enum) \w+", text):
            if kind not in code.types:
                self.say(at, "there is no %s" % kind)
        for name in re.findall(r"\b([A-Za-z]\w*_\w+)(\*?)", text):
            word, star = name
            if star:
                if not any(x.startswith(word) for x in code.words):
                    self.say(at, "nothing is called %s*" % word)
            elif word not in code.words and not EXAMPLES.match(word):
                self.say(at, "nothing is called %s" % word)

    def commands(self, at, text):
        """Of a piece of code: what is typed at a prompt."""
        code = self.code
        for m in re.finditer(r"\bmake((?: +(?:[A-Z]\w*=(?:'[^']*'|\"[^\"]*\"|\S*)|-[sj]\d*|-C \S+|[a-z][a-z-]+))*)(?=\s|$|[;&)#])", text):
            before = text[:m.start()].rsplit("\n", 1)[-1]
            if re.search(r"[\w#'\"][^`$&;>(]*$", before) and not re.search(r"(\w+=\S+|&&|\$) *$", before):
                continue  # a word of a sentence, in a comment
            for word in re.findall(r"[A-Z]\w*=(?:'[^']*'|\"[^\"]*\"|\S*)|-C \S+|\S+", m[1]):
                self.make_word(at + m.start(), word)
        for variable, part in re.findall(r"\b([A-Z]+)=\S+ +make test T=(\w+)", text):
            if not any(part in x and variable in read(x) for x in glob.glob("test/ring/*.py")):
                self.say(at, "no test %s knows %s" % (part, variable))
        for m in re.finditer(r"\brotifer +([a-z]+)\b", text):
            before = text[:m.start()]
            if before.endswith("build/") and m[1] not in code.commands:
                self.say(at + m.start(), "rotifer has no command %s" % m[1])
        for m in re.finditer(r"^n\d> *([a-z][\w.]*)", text, re.M):
            if m[1] not in code.shell and m[1] + ".c" not in code.bases and m[1] not in ("lua", "my"):
                self.say(at + m.start(), "the shell has no command %s" % m[1])
        for m in re.finditer(r"((?:[A-Z]+=\S+ +)*)\b((?:test|tools)/[\w/.-]+\.(?:py|sh))", text):
            if not os.path.exists(m[2]):
                self.say(at + m.start(), "there is no file %s" % m[2])
                continue
            for variable in re.findall(r"([A-Z]+)=", m[1]):
                if variable not in read(m[2]):
                    self.say(at + m.start(), "%s does not know %s" % (m[2], variable))
        for path in re.findall(r"(?<![\w/.])build/[\w/.*+-]*\w", text):
            if not code.makes(path) and not path.startswith("build/guest/my"):
                self.say(at, "nothing makes %s" % path)

    def declared(self, at, kind, path):
        if os.path.exists(path) and not re.search(r"^\s*%s \{" % kind, read(path), re.M):
            self.say(at, "%s does not declare %s" % (path, kind))

    def make_word(self, at, word):
        code = self.code
        name, is_variable, value = word.partition("=")
        if word.startswith("-"):
            return
        if not is_variable:
            if name not in code.targets:
                self.say(at, "make has no target %s" % name)
        elif name not in code.variables:
            self.say(at, "make knows no %s" % name)
        elif name == "T":
            for part in value.strip("'\"").split():
                if part != "name" and not any(part in x for x in code.tests):
                    self.say(at, "no test is called %s" % part)

    def link(self, at, path, anchor):
        if re.match(r"https?:", path):
            return
        target = os.path.join(os.path.dirname(self.path), path) if path else self.path
        if not os.path.exists(target):
            self.say(at, "the link leads nowhere: %s" % path)
        elif anchor:
            heads = [re.sub(r"[^\w -]", "", x.lower()).strip().replace(" ", "-")
                     for x in re.findall(r"^#+ +(.*)$", read(target), re.M)]
            if anchor not in heads:
                self.say(at, "%s has no heading #%s" % (target, anchor))


def complete():
    """What is there is named."""
    bad = []
    contents = read("docs/README.md")
    for path in sorted(glob.glob("docs/*.md")):
        if path != "docs/README.md" and "(%s)" % os.path.basename(path) not in contents:
            bad.append("docs/README.md: %s is not in the table of contents" % path)
    for room in sorted(x.split("/")[0] for x in glob.glob("*/*.[ch]") + glob.glob("*/*.md") + glob.glob("*/*.ld")):
        if room not in ("build", "run", "third_party") and "`%s/" % room not in read("README.md"):
            bad.append("README.md: the room %s/ is not on the map" % room)
    return sorted(set(bad))


def main():
    os.chdir(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    code = Code()
    bad = complete()
    for path in ["README.md"] + sorted(glob.glob("docs/*.md")):
        page = Page(path, code)
        page.check()
        bad += page.bad
    verdict.end(dict.fromkeys(bad), "What README.md and docs/ name is there.")


if __name__ == "__main__":
    main()
