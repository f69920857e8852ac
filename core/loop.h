// SPDX-License-Identifier: BSD-2-Clause
// What a hart does next. sched.h has the run queue and says who comes before whom; this is the way of one hart through
// it: sched_next() and the entry points, which arch/ calls, are in entry.h.
//
// A guest's turn is a slice of SLICE_NS. It begins when another guest becomes ready, not before: who is alone is never
// interrupted. h->slice_end_ns is when it ends; h->slice_over that it has ended, which sched_next acts on.
// Callers: node lock held.
#ifndef CORE_LOOP_H
#define CORE_LOOP_H

struct hart;
struct node;

// h->current stops being on the hart: it blocked, ended its slice or was stunned, and its state, not RUN, says which.
// Saves its FP registers and counts proc->on_harts down; the last thread of a process to leave brings it from STUNNING
// to STUNNED, or has a DEAD one cleared away.
void sched_leave(struct node *n, struct hart *h);
// The thread on this hart, in a system call, gives up the rest of its slice. Nobody else is ready: nothing happens.
void sched_end_slice(struct node *n, struct hart *h);

#endif
