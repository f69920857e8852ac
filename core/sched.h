// SPDX-License-Identifier: BSD-2-Clause
// Which thread runs where: tasks before guests, guests by the priority of their process, equals round robin in slices
// of SLICE_NS. A thread that becomes ready takes the hart from one of lower priority at once. sched_next() and the
// entry points are in entry.h.
//
// A server works at the priority of its client when that is higher than its own, and the client's client, and so on
// (sched_priority). That is looked up when two threads compare, not written down when a request comes in: it costs a
// transaction nothing, and can never be out of date. A client on another node, and one that waits in the queue, lends
// nothing.
//
// A hart that a transaction hands from client to server, or back, goes there without a look at who else is ready: the
// two share a slice, and share what they have of it. Somebody of a priority between theirs so waits for a slice at
// most.
#ifndef CORE_SCHED_H
#define CORE_SCHED_H

#include "core/hart.h"

// Puts a READY thread into the queue and wakes an idle hart for it. Nothing for a frozen process.
void sched_ready(struct node *n, struct thread *t);
// The wait of t, which is blocked, is over: its results are in its registers (guest) or record (task). Cancels its
// timer and makes it ready. A thread of a frozen process stays off the queue until that is resumed.
void sched_wake(struct node *n, struct thread *t);
// Like sched_ready, but this hart, now in a system call, goes on with t: a transaction hands over the processor.
void sched_switch_to(struct node *n, struct thread *t);
// At which a thread competes: its process's, or that of the client whose request it works on, if that is higher.
unsigned sched_priority(struct node *n, const struct thread *t);
void sched_remove(struct node *n, struct thread *t); // from the queue; harmless when not in it

// --- The queue itself, for loop.c ---------------------------------------------------------------------------

#define NO_SLICE UINT64_MAX // hart.slice_end_ns: nobody waits, the thread may run on

// Queues a guest at its level; first: before the others there, for it has had only a part of its turn.
void sched_put(struct node *n, struct thread *t, bool first);
// Returns a hart that waits for something to do; NULL: all are busy.
struct hart *sched_idle_hart(struct node *n);

#endif
