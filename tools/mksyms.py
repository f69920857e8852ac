#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Function names for the kernel's backtraces.

    nm -n build/first.elf | tools/mksyms.py > build/symbols.S

The kernel is linked twice: once to learn where the functions are, then with this table, which kernel.ld
puts behind all code so that nothing moves. The format is drawn in arch/riscv/backtrace.c.
"""
import sys


def functions(lines):
    """(offset from _start, name) of each function, ascending; of several names for one place the first."""
    found = {}
    for line in lines:
        fields = line.split()
        if len(fields) == 3 and fields[1] in "tT" and not fields[2].startswith((".", "$")):
            found.setdefault(int(fields[0], 16), fields[2])
    start = next(at for at, name in found.items() if name in ("_start", "header"))
    end = max(found)
    return [(at - start, name) for at, name in sorted(found.items()) if start <= at <= end]


def main():
    table = functions(sys.stdin)
    print("// Made by tools/mksyms.py\n    .section .symbols, \"a\"\n    .balign 8")
    print(f"    .word {len(table)}, 0")
    offset = 0
    for at, name in table:
        print(f"    .word {at:#x}, {offset}")
        offset += len(name) + 1
    for _, name in table:
        print(f'    .asciz "{name}"')


if __name__ == "__main__":
    main()
