#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Are there knots in the house? A circle of files, each of which calls the next, can only be understood as one: whoever
changes one of them has to know them all. So there is none, but for those that ALLOWED names with their reason.

What calls what is read from the relocations of the image's objects (test/objects.py), tables of function pointers
included. What the compiler put in line is no reference; a header shows that anyway. Circles are looked for in each
room by itself, and then in all of the image.

usage: test/check-circles.py [-C ROOT] [--edges | --json] [BUILD]

Prints every circle that is not allowed, with one reference for each step of it; exit status 1 if there is one, or if
an allowance is larger than its circle. --edges: who names whom, a line for each pair of files. --json: the same with
the circles. -C: of the sources in another folder. BUILD: where its objects are (build/kernel)."""
import argparse
import json
import os
import sys

import objects
import verdict

# Circles that stay. No more than what is named may be in one, and all that is named must be in one.
ALLOWED = [
    # The machine of a transaction: a call becomes a request, that a reply, and each of them may end the others.
    "core/call core/serve core/reply core/forward core/cancel",
    # One trap changes registers, translations and the floating-point unit together.
    "arch/riscv/hart arch/riscv/sv39 arch/riscv/fpu arch/riscv/entry arch/riscv/trap",
]
# Names that tie all rooms together and say nothing about what a room knows: a reference to one is no step of a circle.
IGNORED = {
    "panic": "every room may end the node; boards prints how it ended",
    "assert_failed": "the same, of a condition that does not hold",
    "kmain": "boot: the first instruction jumps to what starts everything",
}
# The way up from a trap (core/entry.h): arch/riscv may name these, and a circle that goes over one crosses that
# contract.
WAY_UP = {"sched_next", "entry_"}


def is_ignored(reference):
    if reference.symbol in IGNORED:
        return True
    return reference.file.startswith("arch/") and any(
        reference.symbol == x or x.endswith("_") and reference.symbol.startswith(x) for x in WAY_UP)


def stem(path):
    return os.path.splitext(path)[0]


def room(path):
    return path.split("/")[0]


def edges_of(house):
    """{file: {other file: [references]}}"""
    home = {symbol: x.file for x in house for symbol in x.defined}
    edges = {x.file: {} for x in house}
    for x in house:
        for r in x.references:
            other = None if r.own else home.get(r.symbol)
            if other and other != x.file and not is_ignored(r):
                edges[x.file].setdefault(other, []).append(r)
    return edges


def circles_of(edges, members):
    """The strongly connected components with more than one file, of these members alone (Tarjan 1972)."""
    number, low, stack, on_stack, found = {}, {}, [], set(), []
    for root in sorted(members):
        if root in number:
            continue
        work = [(root, iter(sorted(x for x in edges[root] if x in members)))]
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in number:
                    number[other] = low[other] = len(number)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(x for x in edges[other] if x in members))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], number[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    circle = set(stack[stack.index(node):])
                    del stack[stack.index(node):]
                    on_stack -= circle
                    if len(circle) > 1:
                        found.append(circle)
    return sorted(found, key=sorted)


def all_circles(edges):
    """Those of each room, and those of the image that no room has by itself: [(where, files)]"""
    found = []
    for name in sorted({room(x) for x in edges}):
        found += [(name, x) for x in circles_of(edges, {f for f in edges if room(f) == name})]
    inside = [x for _, x in found]
    return found + [("across rooms", x) for x in circles_of(edges, set(edges)) if x not in inside]


def describe(where, circle, edges):
    lines = ["A circle of %d files (%s): %s" % (len(circle), where, " ".join(stem(x) for x in sorted(circle)))]
    for a in sorted(circle):
        for b in sorted(x for x in edges[a] if x in circle):
            r, more = edges[a][b][0], len({(x.user, x.symbol) for x in edges[a][b]}) - 1
            lines.append("    %-28s -> %-28s %s -> %s%s" % (a, b, r.user, r.symbol,
                                                            ", and %d more" % more if more else ""))
    return "\n".join(lines)


def judge(edges, circles):
    """The faults found, in words."""
    bad, met = [], set()
    for where, circle in circles:
        names = {stem(x) for x in circle}
        fit = next((x for x in ALLOWED if names <= set(x.split())), None)
        if fit is None:
            bad.append(describe(where, circle, edges))
        else:
            met.add(fit)
            if names != set(fit.split()):
                bad.append("Shrink the allowance in test/check-circles.py: no circle goes through %s any more" %
                           " ".join(sorted(set(fit.split()) - names)))
    # An allowance may also be unmet because its circle has grown: then the larger circle is what there is to say.
    grown = [{stem(x) for x in circle} for _, circle in circles]
    for x in ALLOWED:
        if x not in met and not any(set(x.split()) & names for names in grown):
            bad.append("Remove the allowance in test/check-circles.py: there is no circle of %s any more" % x)
    return bad


def main():
    parser = argparse.ArgumentParser(description="Are there circles of files in the kernel image?")
    parser.add_argument("-C", dest="root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    parser.add_argument("--edges", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("build", nargs="?", default="build/kernel")
    options = parser.parse_args()
    os.chdir(options.root)
    house = objects.load(options.build)
    if not house:
        sys.exit("There are no objects in %s. Try: make kernel" % options.build)
    edges = edges_of(house)
    circles = all_circles(edges)
    pairs = [(a, b, sorted({(r.user, r.symbol) for r in edges[a][b]})) for a in sorted(edges) for b in sorted(edges[a])]
    if options.edges:
        for a, b, names in pairs:
            print("%s -> %s: %s" % (a, b, ", ".join("%s > %s" % x for x in names)))
        return
    if options.json:
        print(json.dumps({"edges": pairs, "circles": [{"where": w, "files": sorted(c)} for w, c in circles]}, indent=1))
        return
    verdict.end(judge(edges, circles), "%d files, and no circle but those that are allowed." % len(edges),
                "What a circle is, and which are allowed, is said at the top of test/check-circles.py.")


if __name__ == "__main__":
    main()
