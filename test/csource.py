# SPDX-License-Identifier: BSD-2-Clause
"""C as clang-format leaves it, read by its layout: a definition begins in column 0 and its body ends at a } in column
0. That is enough to find functions, their bodies, their comments and declarations, and needs no parser of C.

For test/check-contracts.py, test/check-walks.py and test/figures.py."""
import glob
import os
import re

ATTRIBUTE = r"__attribute__\(\((?:[^()]|\([^()]*\))*\)\)|\b_Noreturn\b"
NOT_FUNCTIONS = {"if", "for", "while", "switch", "return", "sizeof", "defined", "_Static_assert", "static_assert",
                 "__attribute__"}
HEAD = re.compile(r"^(?P<type>[A-Za-z_][\w\s*]*?[\s*])(?P<name>[A-Za-z_]\w*)\((?P<args>.*)\)\s*$", re.S)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def sources(folders, extensions="chS"):
    """The C and assembly files below these folders, sorted."""
    found = []
    for folder in folders:
        for x in extensions:
            found += glob.glob(os.path.join(folder, "**", "*." + x), recursive=True)
    return sorted(found)


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def without_comments(text):
    """Comments become blanks, strings stay: every line and column keeps its place."""
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/',
                  lambda m: m[0] if m[0][0] in "\"'" else blank(m), text, flags=re.S)


def code_only(text):
    """Comments and the insides of strings and characters become blanks."""
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                  lambda m: m[0][0] + " " * (len(m[0]) - 2) + m[0][0], without_comments(text))


class Function:
    """A function's declaration or definition. first, last: its lines, from 0; body: from its { to its }, or ""."""

    def __init__(self, path, head, first, last, body):
        m = HEAD.match(head)
        self.path, self.name, self.first, self.last, self.body = path, m["name"], first, last, body
        words = m["type"].split()
        self.static = "static" in words
        self.type = " ".join(x for x in words if x not in ("static", "inline", "extern", "const")).replace(" *", "*")
        self.args = [x.strip() for x in re.split(r",(?![^(]*\))", m["args"]) if x.strip() not in ("", "void", "...")]


def top_level(text):
    """A file's declarations and definitions: (head, first line, last line, body); without preprocessor and comments."""
    lines = code_only(re.sub(r"^[ \t]*#(?:.*\\\n)*.*", blank, without_comments(text), flags=re.M)).split("\n")
    at = 0
    while at < len(lines):
        if not re.match(r"[A-Za-z_]", lines[at]):
            at += 1
            continue
        first, head = at, []
        # A head ends with ; or with the { of a body.
        while at < len(lines):
            head.append(lines[at])
            if re.search(r"[;{]", lines[at]):
                break
            at += 1
        text_of_head = "\n".join(head)
        body = ""
        if "{" in text_of_head:
            begin, depth = at, 0
            while True:
                depth += lines[at].count("{") - lines[at].count("}")
                if depth <= 0 or at + 1 == len(lines):
                    break
                at += 1
            body = "\n".join(lines[begin:at + 1])
            text_of_head = text_of_head[:text_of_head.index("{")]
        yield text_of_head.rstrip("; \n"), first, min(at, len(lines) - 1), body
        at += 1


def functions(path, text=None):
    """The functions that a file declares or defines, in order."""
    found = []
    for head, first, last, body in top_level(read(path) if text is None else text):
        head = re.sub(ATTRIBUTE, " ", head).strip()
        m = HEAD.match(head)
        if m and m["name"] not in NOT_FUNCTIONS and not head.startswith("typedef ") and "=" not in head.split("(")[0]:
            found.append(Function(path, head, first, last, body))
    return found
