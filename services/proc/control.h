// SPDX-License-Identifier: BSD-2-Clause
// A process can be reached on this node: the kernel serves its control port, and looks after its owner, from here on.
// The lowest floor of services/proc/: every other file there may call this one.
// Callers: node lock held.
#ifndef SERVICES_PROC_CONTROL_H
#define SERVICES_PROC_CONTROL_H

#include "core/node.h"

// The process's own control port is served from now on, by this node's process service. Before the process becomes RUN.
// Returns 0, or E_MEM: no memory for the port's entry; then nothing has changed.
int proc_serve(struct node *n, struct proc *p);
// Stops serving the control port and destroys the process; tasks that wait for the process are woken, and find it gone.
// silent: it lives elsewhere, or never ran, so its clients are not told that it died.
// The only caller of proc_destroy in services/.
void proc_drop(struct node *n, struct proc *p, bool silent);
// p is here from now on, or was given another owner: the owner is looked after (orphan.h). Does not fail: no memory is
// needed yet.
void proc_watch_owner(struct node *n, const struct proc *p);
// The reaper (reaper.h) wakes at at_ns at the latest. UINT64_MAX: no new alarm.
void reaper_by(struct node *n, uint64_t at_ns);

#endif
