// SPDX-License-Identifier: BSD-2-Clause
// Nodes as QEMU processes: how they are cabled, started and stopped.
// Callers: one thread, in the run directory (rundir_enter); nothing here locks.
#ifndef TOOLS_QEMU_H
#define TOOLS_QEMU_H

#include "core/types.h"

#include <sys/types.h>

// The ring is host - n1 - n2 - ... - nN - host. Each node has two network devices: 0 towards the next, 1 towards the
// previous node. Position 0 is the host daemon. Socket names, one for each end, relative to the run directory.
struct ring_socket_names {
    char local[2][16], remote[2][16];
    uint8_t mac[2][6];
};
// Returns the names and MAC addresses for a position (0 to nodes) of a ring of so many nodes.
struct ring_socket_names ring_sockets(unsigned position, unsigned nodes);

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
// True when QEMU is on the PATH; false after saying that it is not.
bool qemu_present(void);
// Asks it to end, through its control socket NAME.qmp in the current directory. False: it could not be asked.
bool qemu_quit(const char *name);

// Starts argv in a session of its own: nothing on standard input, all output to `log`. keep_fd, a descriptor, stays
// open in it (-1: none). Returns the child's pid, or -1 after saying why.
pid_t start_process(char *const argv[], const char *log, int keep_fd);

#endif
