// SPDX-License-Identifier: BSD-2-Clause
// Programs as files: static ELF64 executables for RISC-V. Every field that is used is checked first. The file is read
// piece by piece through a function, so it may be in memory, in a file system or on another node.
// Callers: any context in which elf_file.read may be called; nothing here locks.
#ifndef SERVICES_ELF_H
#define SERVICES_ELF_H

#include "core/types.h"

// --- The format: System V ABI, chapters 4 and 5; RISC-V ELF psABI, 8.1. Little endian -------------------------

struct elf_header {
    uint8_t magic[4];   // 7f 'E' 'L' 'F'
    uint8_t class;      // ELF_CLASS_64
    uint8_t data;       // ELF_DATA_LITTLE
    uint8_t id_version; // 1
    uint8_t abi[9];
    uint16_t type, machine; // ELF_TYPE_EXEC, ELF_MACHINE_RISCV
    uint32_t version;       // 1
    uint64_t entry;
    uint64_t phoff, shoff; // tables of program headers, of section headers
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
struct elf_shdr {
    uint32_t name, type;
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t addralign, entsize;
};
struct elf_sym {
    uint32_t name;
    uint8_t info, other; // low 4 bits of info: kind
    uint16_t shndx;
    uint64_t value, size;
};
_Static_assert(sizeof(struct elf_header) == 64 && sizeof(struct elf_phdr) == 56, "ABI, chapters 4, 5");
_Static_assert(sizeof(struct elf_shdr) == 64 && sizeof(struct elf_sym) == 24, "ABI, chapter 4");

#define ELF_CLASS_64 2
#define ELF_DATA_LITTLE 1
#define ELF_TYPE_REL 1
#define ELF_TYPE_EXEC 2
#define ELF_TYPE_DYN 3
#define ELF_MACHINE_RISCV 243
#define ELF_FLAG_RVE 8u
#define ELF_PT_LOAD 1
#define ELF_PT_INTERP 3
#define ELF_PF_X 1u
#define ELF_PF_W 2u
#define ELF_PF_R 4u
#define ELF_SHT_SYMTAB 2
#define ELF_SHT_STRTAB 3
#define ELF_STT_FUNC 2

// --- A program ------------------------------------------------------------------------------------------------

// The source of the bytes. read copies [off, off + len), which lies inside the file, to dst and returns 0, or a
// negative error. It may block, when its caller may.
struct elf_file {
    int64_t (*read)(void *arg, uint64_t off, void *dst, size_t len);
    void *arg;
    uint64_t len; // bytes
};

#define ELF_LOADS_MAX 16
struct elf_load {
    uint64_t va, mem_len;   // bytes; va need not be the start of a page
    uint64_t off, file_len; // what of the file is there; the rest of mem_len is zeros
    uint32_t flags;         // MAP_READ, MAP_WRITE, MAP_EXEC of abi.h
};
struct elf {
    uint64_t entry;
    unsigned nloads;
    struct elf_load load[ELF_LOADS_MAX]; // by rising address, no two in one page
    uint64_t end;                        // first page boundary after the last load
};

// Returns NULL if the file can be run, and fills in *e; else what is wrong with it (the end of a sentence, a constant):
// then *e means nothing.
const char *elf_parse(struct elf *e, const struct elf_file *f);
// Finds the function that pc (an address in the program) is in: its name, cut to size - 1 bytes, and *off, how far in.
// False if the file does not say. The file need not have passed elf_parse.
bool elf_function(const struct elf_file *f, uint64_t pc, char *name, size_t size, uint64_t *off);

#endif
