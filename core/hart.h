// SPDX-License-Identifier: BSD-2-Clause
// A hart as core sees it.
#ifndef CORE_HART_H
#define CORE_HART_H

#include "arch/arch.h"

struct thread;

struct hart {
    struct arch_hart arch;  // [h]
    struct node *node;      // [I]
    unsigned index;         // [I] 0..HARTS_MAX-1, dense; not the hart id
    struct thread *current; // [N] guest thread or task on this hart, NULL in the idle loop
    struct thread *next;    // [N] a transaction handed the processor to this thread: it runs next
    struct arch_ctx loop;   // [h] where a task goes back to
    bool online, idle;      // [N]
    uint64_t slice_end_ns;  // [N] when current will have had its turn; UINT64_MAX: nobody waits
    uint64_t epoch_seen;    // [N] node->sched_epoch when sched_next last looked
    bool slice_over;        // [N] it has, and somebody may be waiting
    bool lend, lent;        // [N] the next slice goes to a lower level; the present one has
};

#endif
