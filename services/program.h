// SPDX-License-Identifier: BSD-2-Clause
// A program that is to be started: what its file says, arguments, environment and capabilities; and the process
// descriptor made of them. A node execs the descriptor and fills the segments by reading the capabilities in it: one of
// the file, one of the startup block.
//
// Where things lie in the new process:
//   the program    where its file says
//   heap           from the first MiB boundary at least a MiB behind it; one page, grows up (SYS_GROW)
//   stack          ends at PROGRAM_STACK_TOP; grows down by itself as far as PROGRAM_STACK_MAX
//                  at its top: struct startup, the arrays it names, their strings; sp is just below
// Callers: any context; nothing here locks.
#ifndef SERVICES_PROGRAM_H
#define SERVICES_PROGRAM_H

#include "core/abi.h"
#include "core/buf.h"
#include "core/config.h"
#include "core/desc.h"
#include "services/elf.h"

#define PROGRAM_STACK_TOP (USER_END - 1 * MIB)
#define PROGRAM_STACK_MAX (1 * MIB)
#define PROGRAM_STACK_FIRST (64 * KIB) // mapped from the beginning, besides the startup block
#define PROGRAM_STARTUP_MAX (256 * KIB)

// One SEG and one MAP section for each load, for the heap and for the stack; one PROC, one THRD.
#define PROGRAM_PARTS_MAX (ELF_LOADS_MAX + 2)
#define PROGRAM_DESC_MAX                                                                                               \
    (sizeof(struct desc_hdr) + sizeof(struct desc_proc) + sizeof(struct desc_start) + 2 * sizeof(struct desc_sec) +    \
     PROGRAM_PARTS_MAX * (2 * sizeof(struct desc_sec) + sizeof(struct desc_seg) + sizeof(struct desc_map)))
_Static_assert(PROGRAM_DESC_MAX <= PAGE_SIZE, "a page is room enough for any program's descriptor");

// Everything is the caller's, and only read.
struct program {
    const char *name; // shorter than NAME_MAX_LEN
    const char *note; // shorter than NAME_MAX_LEN: what it was given (grant_note); NULL: nothing
    const struct elf *elf;
    unsigned argc, nenv, ncaps;
    const char *const *argv; // argc strings
    const char *const *env;  // nenv strings, "NAME=value"
    const struct startup_cap *cap;
    uint64_t orphan_grace_ns; // struct desc_proc; 0: the node's
};

// Fills in a slot of program.cap. False if the name is longer than there is room for.
bool program_cap(struct startup_cap *slot, const char *name, const struct cap *cap);

// Returns the bytes of the startup block. The caller refuses more than PROGRAM_STARTUP_MAX.
uint64_t program_startup_size(const struct program *p);
// Writes the startup block to the start of `to`, which has room for it. Returns 0, or E_MEM, E_FAULT. Callers: node
// lock held.
int program_startup(struct node *n, const struct program *p, const struct buf *to);
// Writes the sealed descriptor to `to` (zeroed, PROGRAM_DESC_MAX bytes). Returns its length in bytes. file, startup:
// the capabilities by which the node that execs it reads the program's bytes and the startup block. owner may be null.
uint64_t program_descriptor(const struct program *p, const struct cap *file, const struct cap *startup,
                            const struct cap *owner, void *to);

#endif
