// SPDX-License-Identifier: BSD-2-Clause
// What a blocking system call answers. Its results are put into the guest's registers when the wait ends, by whichever
// event ends it; from then on nothing in the kernel remembers the call. A task has no such registers: it reads its own
// record (t->call, t->serve) when it goes on.
// Callers: node lock held.
#ifndef CORE_ANSWER_H
#define CORE_ANSWER_H

struct node;
struct thread;

// Puts the results of t's call (t->call: status, res, rep_total) into the registers of SYS_TRANS. t may be a task:
// nothing happens. The caller makes the thread ready.
void answer_trans(struct thread *t);

// Puts the request that t has received (t->serve.rec, whole in t's buffer) into the registers of SYS_GETREQ. t may be a
// task: nothing happens. The caller makes the thread ready.
void answer_request(struct thread *t);

// The wait of t in getreq or FILL ends without a request: error, a negative error number, is what SYS_GETREQ answers.
// t is in no list of receivers any more; it is ready afterwards.
void answer_getreq(struct node *n, struct thread *t, int error);

// The wait of t in putrep ends: its reply has reached the client, or has no reader any more. t owes nothing and is
// ready afterwards.
void answer_putrep(struct node *n, struct thread *t);

#endif
