// SPDX-License-Identifier: BSD-2-Clause
// The life of processes and threads: how they begin, stop, go on and end. The states and what each means are in proc.h
// and thread.h; here is what moves a process from one to the next, and with it every thread, transaction, mapping and
// port that it has.
//
// A process stops as a whole and at a well-defined point: when proc_stun() returns no thread of it will execute another
// instruction, or will leave its hart at the next trap, and STUNNED says that all have. Nothing of it is on a kernel
// stack then, so its records are all there is to it, and a move or an inspection may read them.
// Callers: node lock held.
#ifndef CORE_LIFE_H
#define CORE_LIFE_H

#include "core/types.h"

struct node;
struct proc;
struct thread;

// Makes an empty process, state ARRIVING: nobody finds it, nothing runs. ep EP_NONE: endpoint, control port and key are
// drawn. *out: the process. Returns 0, or E_EXISTS: the endpoint or its process number lives here; E_MEM.
int proc_create(struct node *n, ep_t ep, struct proc **out);
// Frees the process and all that it has. No thread of it is RUN, and it is not the kernel's own. silent: nobody is
// told, the process lives on elsewhere; otherwise clients are told E_DIED; those whose request still waits in the
// queue, E_NOTHERE: it was not executed.
void proc_destroy(struct node *n, struct proc *p, bool silent);
// Gives q (ARRIVING, made beside p: desc_change.c) the endpoint, number, control port and key of p, which nobody finds
// any more.
void proc_take_place(struct node *n, struct proc *p, struct proc *q);

// Stops p: RUN -> STUNNING -> STUNNED (at once when no thread of it is on a hart), then wakes p->stun_event. Returns 0,
// or E_STATE: it is not RUN, or is the kernel's own.
int proc_stun(struct node *n, struct proc *p);
// The last thread of p has left its hart: STUNNING -> STUNNED. Callers: the loop (loop.c), proc_stun.
void proc_stopped(struct node *n, struct proc *p);
// STUNNED, MOVING, DOUBT or ARRIVING -> RUN. Ready threads are queued, transactions in progress are taken up again at
// once (txn_kick_proc). The process's clock, and with it every time-out of its own, goes on from where it stood when it
// stopped. Returns 0, or E_STATE: any other state.
int proc_resume(struct node *n, struct proc *p);
// Takes effect at once, wherever its threads are. priority: a level, larger is more urgent. Returns 0, or E_LIMIT:
// above p->priority_limit.
int proc_set_priority(struct node *n, struct proc *p, unsigned priority);
// The process ends (exit, kill, fault): state DEAD, its threads leave their harts, then proc_ended. status is what its
// owner is told: the argument of SYS_EXIT, or a negative error number. DEAD already, or the kernel's own: nothing.
void proc_finish(struct node *n, struct proc *p, int64_t status);
// p is DEAD and the last of its threads has left its hart: policy->ended sees to it, or the reaper is woken. Callers:
// the loop (loop.c), proc_finish.
void proc_ended(struct node *n, struct proc *p);

// Makes a thread of p, state READY, in no queue yet (sched_ready). tid 0: the next number. Returns it, or NULL: no
// memory, or thread_limit().
struct thread *thread_create(struct node *n, struct proc *p, uint32_t tid);
// Takes t out of every queue, ends its calls (peers are told), frees the record. Not RUN.
void thread_destroy(struct node *n, struct thread *t);

#endif
