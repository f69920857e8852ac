// SPDX-License-Identifier: BSD-2-Clause
// A program of this machine that is to be started: its file, read and checked, and what goes along with it. The
// descriptor itself is made by services/program.c, as on any node.
// Callers: one thread; nothing here locks.
#ifndef TOOLS_PROGRAM_H
#define TOOLS_PROGRAM_H

#include "services/program.h"

#define PROGRAM_CAPS_MAX 64
#define PROGRAM_ENV_MAX 64
#define PROGRAM_FILE_MAX (512ull << 20)

struct program_file {
    char name[NAME_MAX_LEN];
    char note[NAME_MAX_LEN]; // grant_note
    void *file;
    uint64_t len;
    struct elf elf;
    int argc;
    char *const *argv;
    unsigned nenv, ncaps;
    const char *env[PROGRAM_ENV_MAX]; // "NAME=value"
    struct startup_cap cap[PROGRAM_CAPS_MAX];
    uint64_t orphan_grace_ns; // struct desc_proc; 0: the node's
};

// Reads and checks the program: a path, or the NAME of build/guest/NAME.elf. Returns true, or false after saying why.
bool program_file_load(struct program_file *p, const char *what);
// The program gets this capability, under this name. False: no room, or the name is longer than a startup_cap takes.
bool program_file_add_cap(struct program_file *p, const char *name, const struct cap *cap);
// Returns the descriptor, malloc()ed, *len bytes, or NULL after saying why. Its sources are objects of files.c.
// Callers: a task of the node.
void *program_file_descriptor(struct node *n, const struct program_file *p, const struct cap *owner, uint64_t *len);
// The function of the program that pc (an address) is in, into size bytes at name, and how many bytes in: *off. False:
// the file does not say.
bool program_file_function(const struct program_file *p, uint64_t pc, char *name, size_t size, uint64_t *off);

#endif
