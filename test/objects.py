# SPDX-License-Identifier: BSD-2-Clause
"""The object files of the kernel image, as the linker sees them: which symbols a file defines, and which symbols each
of its functions and tables names. Calls that were inlined are gone from here; what is left is exact, no name is
guessed.

For test/check-circles.py and test/check-walks.py."""
import glob
import os
import re
import struct

SHT_SYMTAB, SHT_RELA = 2, 4
SHN_UNDEF, SHN_COMMON = 0, 0xfff2
STB_LOCAL = 0
STT_OBJECT, STT_FUNC, STT_SECTION, STT_FILE = 1, 2, 3, 4


class Reference:
    """One relocation: in `file`, the function or table `user` names `symbol`, which the file itself does not define
    (own = False), or does (own = True)."""

    def __init__(self, file, user, symbol, own):
        self.file, self.user, self.symbol, self.own = file, user, symbol, own


class Object:
    """defined: the names that other files may use. users: every function and table. references: see above."""

    def __init__(self, file, path):
        self.file = file
        with open(path, "rb") as f:
            self.data = f.read()
        if self.data[:6] != b"\x7fELF\2\1":
            raise ValueError("%s is not an object file of 64 bits" % path)
        at, = struct.unpack_from("<Q", self.data, 0x28)
        size, count, names = struct.unpack_from("<HHH", self.data, 0x3a)
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, at + i * size) for i in range(count)]
        self.section_names = [self.string(names, x[0]) for x in self.sections]
        self.read_symbols()
        self.references = [x for i, s in enumerate(self.sections) if s[1] == SHT_RELA for x in self.relocations(s)]
        del self.data

    def string(self, section, offset):
        at = self.sections[section][4] + offset
        return self.data[at:self.data.index(b"\0", at)].decode()

    def read_symbols(self):
        table = next(x for x in self.sections if x[1] == SHT_SYMTAB)
        self.symbols = []           # (name, section number, local)
        self.places = {}            # section number -> [(offset, name)]
        for at in range(table[4], table[4] + table[5], 24):
            name, info, _, section, value, _ = struct.unpack_from("<IBBHQQ", self.data, at)
            name, kind, local = self.string(table[6], name), info & 15, info >> 4 == STB_LOCAL
            self.symbols.append((name, section, local))
            real = section not in (SHN_UNDEF, SHN_COMMON) and section < len(self.sections)
            if real and name and (kind in (STT_OBJECT, STT_FUNC) or not local) and kind not in (STT_SECTION, STT_FILE):
                self.places.setdefault(section, []).append((value, name))
        for x in self.places.values():
            x.sort()
        self.defined = {n for n, s, local in self.symbols if n and not local and s != SHN_UNDEF}
        self.users = {without_suffix(n) for x in self.places.values() for _, n in x}

    def relocations(self, section):
        target = section[7]
        if self.section_names[target].startswith((".debug", ".eh_frame")):
            return
        for at in range(section[4], section[4] + section[5], 24):
            offset, info, _ = struct.unpack_from("<QQq", self.data, at)
            name, where, local = self.symbols[info >> 32]
            if name and not name.startswith(".L"):
                yield Reference(self.file, self.user(target, offset), without_suffix(name), local or where != SHN_UNDEF)

    def user(self, section, offset):
        """The function or table that has this byte of the section; the section's name when nothing there has one."""
        before = [name for value, name in self.places.get(section, []) if value <= offset]
        return without_suffix(before[-1]) if before else self.section_names[section]


def without_suffix(name):
    """The name in the source: of a copy that the compiler made for some of its callers, too."""
    return re.sub(r"\.(?:part|isra|constprop|cold|lto_priv|localalias)\b.*", "", name)


def source_of(path, root):
    """The source of an object below `root`, or None: the build directory may hold objects of sources that are gone."""
    stem = os.path.relpath(path, root)[:-2]
    return next((stem + x for x in (".c", ".S") if os.path.exists(stem + x)), None)


def load(root="build/kernel", rooms=("arch", "boards", "core", "net", "services")):
    """The objects of the image, sorted by the name of their source."""
    paths = [p for room in rooms for p in glob.glob(os.path.join(root, room, "**", "*.o"), recursive=True)]
    found = [(source_of(p, root), p) for p in paths]
    return [Object(source, p) for source, p in sorted(x for x in found if x[0])]
