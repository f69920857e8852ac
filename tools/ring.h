// SPDX-License-Identifier: BSD-2-Clause
// The processes of a ring on this machine: what `ring up`, `ring down` and `ring status` have in common. Callers: one
// thread, in the run directory (rundir_enter); nothing here locks.
#ifndef TOOLS_RING_H
#define TOOLS_RING_H

#include "tools/qemu.h"
#include "tools/rundir.h"

struct ring {
    struct qemu_options qemu;
    struct ring_state state;
    int lock; // descriptor of ring.lock, held
    uint8_t key[32];
};

// Stops all that runs of it: each is asked, then told, then killed, 5 s apart. The host daemon is last: commands still
// under way get an answer for longer.
void ring_stop(const struct ring_state *s);
// Removes what a ring leaves in the directory; its lock stays.
void ring_remove_files(bool keep_logs);
// True when one of its processes runs.
bool ring_any_runs(const struct ring_state *s);
// Returns one of its processes that has ended, or NULL: all run. Children among them are reaped.
const struct ring_process *ring_one_that_ended(const struct ring_state *s);
// Prints the last lines of NODE.SUFFIX on stderr, indented; nothing when it is empty or not there.
void ring_show_tail(const char *node, const char *suffix);
// Waits for ms milliseconds. Callers: no node is running in this process.
void ring_nap(unsigned ms);

#endif
