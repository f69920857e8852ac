// SPDX-License-Identifier: BSD-2-Clause
// A program that is to be started: its file, arguments, environment and capabilities; and the process descriptor
// made of them. A node execs the descriptor and fills the segments by reading the capabilities in it.
//
// Where things lie in the new process:
//   the program    where its file says
//   heap           from the first MiB boundary at least a MiB behind it; one page, grows up (SYS_GROW)
//   stack          ends at PROGRAM_STACK_TOP; grows down by itself as far as PROGRAM_STACK_MAX
//                  at its top: struct startup, the arrays it names, their strings; sp is just below
#ifndef TOOLS_PROGRAM_H
#define TOOLS_PROGRAM_H

#include "core/abi.h"
#include "core/config.h"
#include "tools/elf.h"

struct node;

#define PROGRAM_STACK_TOP (USER_END - 1 * MIB)
#define PROGRAM_STACK_MAX (1 * MIB)
#define PROGRAM_STACK_FIRST (64 * KIB) // mapped from the beginning, besides the startup block
#define PROGRAM_STARTUP_MAX (256 * KIB)
#define PROGRAM_CAPS_MAX 64
#define PROGRAM_ENV_MAX 64

struct program {
    char name[NAME_MAX_LEN];
    void *file;
    uint64_t len;
    struct elf elf;
    int argc;
    char **argv;
    unsigned nenv, ncaps;
    const char *env[PROGRAM_ENV_MAX]; // "NAME=value"
    struct startup_cap cap[PROGRAM_CAPS_MAX];
};

// Reads and checks the program: a path, or the NAME of build/guest/NAME.elf. false, after saying why.
bool program_load(struct program *p, const char *what);
// false: no room, or the name is longer than a startup_cap has room for.
bool program_add_cap(struct program *p, const char *name, const struct cap *cap);
// The descriptor, malloc()ed; its sources are objects of files.c. NULL, after saying why.
void *program_descriptor(struct node *n, const struct program *p, const struct cap *owner,
                         uint64_t *len);

#endif
