// SPDX-License-Identifier: BSD-2-Clause
// Waiting at an address.
#include "core/futex.h"
#include "core/node.h"
#include "core/sched.h"
#include "core/thread.h"

static struct list *waiters_at(struct node *n, const struct proc *p, uint64_t va)
{
    uint64_t x = (p->ep ^ va >> 2) * 0x9e3779b97f4a7c15ull; // Fibonacci hashing (TAOCP 3, 6.4)
    return &n->waiters[(x >> 32) % WAITERS_HASH];
}

void futex_wait(struct node *n, struct thread *t, uint64_t va)
{
    t->wait_va = va;
    thread_set_state(t, THREAD_FUTEX);
    list_add_tail(waiters_at(n, t->proc, va), &t->run_link);
}

uint64_t futex_wake(struct node *n, struct proc *p, uint64_t va, uint64_t max)
{
    uint64_t woken = 0;
    LIST_FOR_SAFE (l, next, waiters_at(n, p, va)) {
        struct thread *t = LIST_ENTRY(l, struct thread, run_link);
        if (woken == max)
            break;
        if (t->proc != p || t->wait_va != va)
            continue;
        t->regs.x[REG_A0] = 0;
        sched_wake(n, t);
        woken++;
    }
    return woken;
}
