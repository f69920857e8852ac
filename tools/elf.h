// SPDX-License-Identifier: BSD-2-Clause
// Programs as files: static ELF64 executables for RISC-V. Every field that is used is checked first.
#ifndef TOOLS_ELF_H
#define TOOLS_ELF_H

#include "core/types.h"

#define ELF_LOADS_MAX 16
#define ELF_FILE_MAX (512ull << 20)

struct elf_load {
    uint64_t va, mem_len;   // bytes; va need not be the start of a page
    uint64_t off, file_len; // what of the file is there; the rest of mem_len is zeros
    uint32_t flags;         // MAP_READ, MAP_WRITE, MAP_EXEC of abi.h
};
struct elf {
    const unsigned char *file; // all of it, in memory; the caller's
    uint64_t len;
    uint64_t entry;
    unsigned nloads;
    struct elf_load load[ELF_LOADS_MAX];       // by rising address, no two in one page
    uint64_t end;                              // first page boundary after the last load
    uint64_t sym_off, nsyms, str_off, str_len; // of the symbol table; nsyms 0: stripped
};

// NULL when the file can be run, else what is wrong with it (one sentence, a constant).
const char *elf_parse(struct elf *e, const void *file, uint64_t len);
// Function that pc is in, and how far; NULL when the file does not say. The name is inside the file.
const char *elf_function(const struct elf *e, uint64_t pc, uint64_t *off);

#endif
