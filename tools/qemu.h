// SPDX-License-Identifier: BSD-2-Clause
// Nodes as QEMU processes: how they are cabled, started and stopped.
// Callers: one thread, in the run directory (rundir_enter); nothing here locks.
#ifndef TOOLS_QEMU_H
#define TOOLS_QEMU_H

#include "core/types.h"

#include <sys/types.h>

struct qemu_options {
    unsigned harts;
    const char *memory;    // "64M", as QEMU takes it
    const char *append;    // added to the kernel's command line, or NULL
    uint64_t orphan_grace; // seconds; 0: the kernel's own
    bool icount;           // count instructions: time is 1 ns each (platform: exact, slow)
    bool count;            // with the plugin that counts each instruction; into nI.count in the run directory
};
// Starts node number `position` (1 to nodes) in the current directory, as a session of its own, with its console in
// nI.log. Returns its pid, or -1 after saying why.
pid_t qemu_start(unsigned position, unsigned nodes, const uint8_t key[32], const struct qemu_options *o);
// Starts the node called name with the command line that it was started with first. Returns as qemu_start().
pid_t qemu_start_again(const char *name);
// True when QEMU is on the PATH; false after saying that it is not.
bool qemu_present(void);
// Asks it to end, through its control socket NAME.qmp in the current directory. False: it could not be asked.
bool qemu_quit(const char *name);

// Starts argv in a session of its own: nothing on standard input, all output to `log`. keep_fd, a descriptor, stays
// open in it (-1: none). Returns the child's pid, or -1 after saying why.
pid_t start_process(char *const argv[], const char *log, int keep_fd);

#endif
