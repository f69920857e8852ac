// SPDX-License-Identifier: BSD-2-Clause
// Which thread runs where: one queue of ready threads, round robin, tasks before guests. sched_next() and
// the entry points are in entry.h.
#ifndef CORE_SCHED_H
#define CORE_SCHED_H

#include "core/hart.h"
#include "core/thread.h"

// Puts a READY thread into the queue and wakes an idle hart for it. Nothing for a frozen process.
void sched_ready(struct node *n, struct thread *t);
// Like sched_ready, but this hart, now in a system call, goes on with t: a transaction hands over the processor.
void sched_handoff(struct node *n, struct thread *t);
void sched_remove(struct node *n, struct thread *t); // from the queue; harmless when not in it
// h->current stops being on the hart (it blocked, ended its slice or was stunned): FP state saved,
// on_harts counted down, STUNNING -> STUNNED when it was the last. State must have been set before.
void sched_leave(struct node *n, struct hart *h);

#endif
