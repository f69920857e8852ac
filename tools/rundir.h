// SPDX-License-Identifier: BSD-2-Clause
// The run directory: everything that a running ring leaves on this machine.
//
//   ring.lock     held (flock) by the host daemon for as long as the ring is up
//   ring.key      32 random bytes, mode 0600: who reads it belongs to the ring
//   ring.state    text: a line "nodes N", then "NAME PID START" for each process that was started
//   ring.changes  held (flock) while a command replaces ring.state
//   cli.sock      the host daemon's link for commands; cli-PID.sock: a command's end of it
//   rI, lI        names of the links' ends, with rI.end, rI.relay: cable.h
//   relay.sock    where the relay takes orders (relay.h), while there is one; relay.err: what it says
//   NAME.log      console of a node; NAME.err: what its QEMU or the daemon says; NAME.qmp: QEMU's control socket
//   NAME.args     how its QEMU was started, for `rotifer node restart`
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

#define RING_NODES_MAX 32
#define RING_PROCESSES_MAX (RING_NODES_MAX + 2) // the nodes, the host daemon, the relay
#define HOST_NODE "host"
#define RELAY_NAME "relay"
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
    struct ring_process proc[RING_PROCESSES_MAX];
};
// False: no ring is recorded.
bool ring_state_read(struct ring_state *s);
// Replaces what is recorded. Returns true, or false after saying why.
bool ring_state_write(const struct ring_state *s);
// Reads what is recorded in order to replace it: no other command does so until ring_state_let_go(). Returns true, or
// false after saying why: then nothing is held.
bool ring_state_take(struct ring_state *s);
void ring_state_let_go(void);
// Returns the process of that name in s, or NULL.
struct ring_process *ring_process_named(struct ring_state *s, const char *name);
// True when it is a node of the ring: the host daemon, or a QEMU.
bool ring_process_is_node(const struct ring_process *p);

// Returns the start time of process number pid, 0 when there is none (a zombie counts as none).
uint64_t process_start(pid_t pid);
// True when it runs: with this number and this start time.
bool process_alive(const struct ring_process *p);
// True when it runs but is stopped, by SIGSTOP.
bool process_paused(const struct ring_process *p);

// Is the run directory ours, and nobody else may look into it? Returns true, or false after saying why. Callers: before
// anything in it is believed: a directory of another user could name processes of ours as the ring's, to be ended.
bool rundir_check(void);

// False: it cannot be read (errno; nothing is said); or EPERM, after saying why: others may have read or made it.
bool ring_key_read(uint8_t key[32]);
// A new key. Returns true, or false after saying why.
bool ring_key_make(uint8_t key[32]);

#endif
