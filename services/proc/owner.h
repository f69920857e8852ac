// SPDX-License-Identifier: BSD-2-Clause
// Owners are told: of exceptions, of the end, of a hand-off in doubt (protocol.h, enum owner_event). And the reaper,
// who clears away what has ended.
#ifndef SERVICES_OWNER_H
#define SERVICES_OWNER_H

#include "core/node.h"

// Starts the reaper. E_MEM.
int reaper_start(struct node *n);
void reaper_stop(struct node *n);
// The process is in doubt; `target` is the node that may run it. May block, when there is no memory for a task.
void owner_tell_doubt(struct node *n, const struct proc *p, ep_t target);

#endif
