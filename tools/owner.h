// SPDX-License-Identifier: BSD-2-Clause
// The owner's side of a process: what its kernel tells when it ends, faults or is in doubt. Callers: tasks of the
// command; nothing here locks.
#ifndef TOOLS_OWNER_H
#define TOOLS_OWNER_H

#include "services/protocol.h"

struct node;

struct owner_report {
    bool over; // ENDED: nothing more will come
    unsigned wanted,
        ended;     // processes that are owned (0 counts as 1); of these, how many have ended
    uint32_t last; // enum owner_event
    ep_t ep;
    bool faulted;
    uint32_t fault_kind, tid; // enum fault_kind of core/entry.h
    struct owner_fault fault;
    int64_t status; // ENDED; of several, the first that is not 0
    ep_t doubt;     // DOUBT: node that may run it
};

// Starts serving; *cap is what goes into the descriptor. Returns 0 or a negative error. Errors: as service_open().
int owner_start(struct node *n, struct cap *cap);
// Returns what has been reported so far. Tasks sleep on its address: task_wait(n, owner_so_far()).
struct owner_report *owner_so_far(void);

#endif
