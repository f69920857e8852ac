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
// A hart that a transaction hands from client to server, or back, goes there before equals in the queue: the two share
// what is left of a slice. A ready guest of higher priority still comes first, except on the fast path (fastpath.c): it
// looks at no queue, so a guest whose priority is between theirs may have to wait for the end of the slice.
//
// Inheritance: L. Sha, R. Rajkumar, J. Lehoczky: Priority Inheritance Protocols, 1990; here along a chain of
// PRIO_CHAIN_MAX servers at most.
// Callers: node lock held; nothing here blocks.
#ifndef CORE_SCHED_H
#define CORE_SCHED_H

#include "core/hart.h"

// Puts a READY thread (asserted) into the queue and wakes an idle hart for it, or has the hart of a guest of lower
// priority look again. Nothing when it is queued already, or its process is frozen: resuming that queues it.
void sched_ready(struct node *n, struct thread *t);
// The wait of t, which is blocked (asserted: neither RUN nor READY), is over: its results are in its registers (guest)
// or record (task). Cancels its timer and makes it ready. A thread of a frozen process stays off the queue until that
// is resumed.
void sched_wake(struct node *n, struct thread *t);
// Like sched_ready, but this hart, now in a system call, goes on with t: a transaction hands over the processor. Just
// sched_ready for a task, for a frozen process, when the hart was handed to another thread already, or when this is no
// hart of n.
void sched_switch_to(struct node *n, struct thread *t);
// Returns the priority at which a thread competes, 0..PRIO_LEVELS - 1, larger is more urgent: its process's, or that of
// the client whose request it works on, if that is higher, and so on.
unsigned sched_priority(struct node *n, const struct thread *t);
// Takes t out of the queue, whichever its run_link is in, and takes back a hart that was handed to it. Harmless when it
// is in none.
void sched_remove(struct node *n, struct thread *t);

// --- The queue itself, for loop.c ---------------------------------------------------------------------------

#define NO_SLICE UINT64_MAX // hart.slice_end_ns: nobody waits, the thread may run on

// Queues a ready guest, which is in no queue, at its level; first: before the others there, for it has had only a part
// of its turn.
void sched_put(struct node *n, struct thread *t, bool first);
// Returns a hart that waits for something to do; NULL: all are busy.
struct hart *sched_idle_hart(struct node *n);

#endif
