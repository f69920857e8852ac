#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Where the instructions of an operation go: from what tools/plugin/count.c counted, by source file.

usage: where.py COUNTS ROUNDS MAP    MAP: the kernel's link map, build/rotifer.map
Prints one line for each: WHERE INSTRUCTIONS-PER-ROUND (what is under one is left out), the largest first; before them
the total, how often satp was changed and translations were flushed, and how often the kernel was left (sret): each
system call, fault or interrupt once."""
import bisect
import re
import sys

KERNEL = 0xFFFFFFFF00000000
MACHINE_MODE = (0x80000000, 0x80200000)  # the firmware, under QEMU's virt machine
PHYSICAL = (0x80200000, 0x100000000)  # the kernel before paging is on: arch/riscv/entry.S


def sections(path):
    """[(address, end, file)] of the kernel's text, from lines like ' .text.f 0x.. 0x.. build/kernel/core/f.o'."""
    found = []
    text = open(path).read()
    for m in re.finditer(r"^ \.text\S*\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$", text, re.M):
        start, size, obj = int(m[1], 16), int(m[2], 16), m[3]
        if start < KERNEL or size == 0:
            continue
        ours = re.match(r"build/kernel/(.*)\.o$", obj)
        lib = re.search(r"([^/(]+)\.a\(", obj)
        found.append((start, start + size, ours[1] if ours else lib[1] if lib else obj))
    return sorted(found)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.split("\n\n")[1])
    rounds, table = int(sys.argv[2]), sections(sys.argv[3])
    starts = [s[0] for s in table]
    where, kinds = {}, {}
    for line in open(sys.argv[1]):
        address, count, kind = line.split()
        pc, count = int(address, 16), int(count)
        if pc >= KERNEL:
            i = bisect.bisect(starts, pc) - 1
            name = table[i][2] if i >= 0 and pc < table[i][1] else "kernel, unknown"
        elif MACHINE_MODE[0] <= pc < MACHINE_MODE[1]:
            name = "firmware"
        else:
            name = "arch/riscv/entry" if PHYSICAL[0] <= pc < PHYSICAL[1] else "guest"
        where[name] = where.get(name, 0) + count
        kinds[kind] = kinds.get(kind, 0) + count
    print(f"total {sum(where.values()) / rounds:.0f}")
    for kind in ("satp", "sfence", "sret"):
        print(f"{kind} {kinds.get(kind, 0) / rounds:.2f}")
    for name, count in sorted(where.items(), key=lambda x: -x[1]):
        if count / rounds >= 1:
            print(f"{name.replace(' ', '_')} {count / rounds:.0f}")


if __name__ == "__main__":
    main()
