#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Packs files into a cpio archive (newc) for the boot file system: services/bootfs.h.

usage: mkbootfs.py OUTPUT FILE...     the name of each is the last part of its path

Programs begin on a page of the archive, so that a node can run them where they lie: services/proc/local_source.h. The zeros for
that are in the length of their names, which other readers of cpio bear as well.

The same files give the same bytes: no dates, no owners, sorted by name. `cpio -o -H newc` makes archives that a
node takes just as well; it is not installed everywhere.
"""
import os
import sys

NAME_MAX = 31  # services/cpio.h, NAME_MAX_LEN less the final zero


def padded(data):
    return data + bytes(-len(data) % 4)


HEADER = 110
PAGE = 4096


def entry(number, name, data, mode, at=0):
    """at: where in the archive the entry lies."""
    name = name.encode() + b"\0"
    if data.startswith(b"\x7fELF"):
        name += bytes(-(at + HEADER + len(name)) % PAGE)
    fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
    header = b"070701" + b"".join(b"%08x" % f for f in fields)
    return padded(header + name) + padded(data)


def main(output, paths):
    archive = b""
    names = set()
    for number, path in enumerate(sorted(paths, key=os.path.basename), 1):
        name = os.path.basename(path)
        if len(name.encode()) > NAME_MAX or not name.isascii() or not name.isprintable():
            sys.exit(f"mkbootfs.py: {name}: a name has at most {NAME_MAX} printable ASCII characters")
        if name in names:
            sys.exit(f"mkbootfs.py: two files are called {name}")
        names.add(name)
        with open(path, "rb") as f:
            archive += entry(number, name, f.read(), 0o100644, len(archive))
    archive += entry(0, "TRAILER!!!", b"", 0)
    with open(output, "wb") as f:
        f.write(archive)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
