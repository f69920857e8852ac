// SPDX-License-Identifier: BSD-2-Clause
// The run directory: everything that a running ring leaves on this machine.
//
//   ring.lock     held (flock) by the host daemon for as long as the ring is up
//   ring.key      32 random bytes, mode 0600: who reads it belongs to the ring
//   ring.state    text: a line "nodes N", then "NAME PID START" for each process that was started
//   cli.sock      the host daemon's link for commands; cli-PID.sock: a command's end of it
//   rI, lI        sockets of the links between nodes (platform: each is written by one owner)
//   NAME.log      console of a node; NAME.err: what its QEMU or the daemon says; NAME.qmp: QEMU's control socket
//
// Socket names are bound and used relative to this directory, because the kernel takes no path of more than 107 bytes,
// and checkouts live deep.
//
// Callers: one thread; nothing here locks. What is read or written by plain name is in the run directory: after
// rundir_enter().
#ifndef TOOLS_RUNDIR_H
#define TOOLS_RUNDIR_H

#include "core/types.h"

#include <sys/types.h>

#define RING_NODES_MAX 8
#define HOST_NODE "host"
#define RUN_PATH_MAX 4096

// Returns its absolute path: $ROTIFER_RUN, else "run" beside the directory of this executable; NULL, after saying why,
// when it cannot be told.
const char *rundir_path(void);
// Makes it (0700) when it is not there. Returns true, or false after saying why.
bool rundir_make(void);
// Changes to the run directory; rundir_leave() goes back to where the user is. False: it does not exist, or is not ours
// (errno); nothing is said.
bool rundir_enter(void);
void rundir_leave(void);

// Returns the path of a file beside this executable: beside("Image"). Good until the next call.
const char *beside(const char *name);

struct ring_process {
    char name[32];
    pid_t pid;
    uint64_t start; // clock ticks after boot: tells a process from a later one with its number
};
struct ring_state {
    unsigned nodes; // QEMU nodes
    unsigned count;
    struct ring_process proc[RING_NODES_MAX + 1];
};
// False: no ring is recorded.
bool ring_state_read(struct ring_state *s);
// Replaces what is recorded. Returns true, or false after saying why.
bool ring_state_write(const struct ring_state *s);

// Returns the start time of process number pid, 0 when there is none (a zombie counts as none).
uint64_t process_start(pid_t pid);
// True when it runs: with this number and this start time.
bool process_alive(const struct ring_process *p);

// Is the run directory ours, and nobody else may look into it? Returns true, or false after saying why. Callers: before
// anything in it is believed: a directory of another user could name processes of ours as the ring's, to be ended.
bool rundir_check(void);

// False: it cannot be read (errno; nothing is said); or EPERM, after saying why: others may have read or made it.
bool ring_key_read(uint8_t key[32]);
// A new key. Returns true, or false after saying why.
bool ring_key_make(uint8_t key[32]);

#endif
