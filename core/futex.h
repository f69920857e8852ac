// SPDX-License-Identifier: BSD-2-Clause
// Guest threads that wait at an address of their process (SYS_WAIT, SYS_WAKE of abi.h): state FUTEX. The waiters of a
// node are in a hash table by process and address, each chain with the longest wait first (Franke, Russell, Kirkwood:
// "Fuss, Futexes and Furwocks", 2002). They go with their process: a wait is two fields of the thread.
// Callers: node lock held.
#ifndef CORE_FUTEX_H
#define CORE_FUTEX_H

#include <stdint.h>

struct node;
struct proc;
struct thread;

// t, a guest thread that is in no list, blocks until a wake at va of its process: state FUTEX. A time-out is the
// caller's to set.
void futex_wait(struct node *n, struct thread *t, uint64_t va);
// Makes at most max (threads) of those ready that wait at va of p, the longest wait first; SYS_WAIT answers them 0.
// Returns how many.
uint64_t futex_wake(struct node *n, struct proc *p, uint64_t va, uint64_t max);

#endif
