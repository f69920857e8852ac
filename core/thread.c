// SPDX-License-Identifier: BSD-2-Clause
// The record of a thread: its number, its state, its FP registers. What it goes through is in life.c.
#include "core/thread.h"
#include "core/node.h"
#include "core/panic.h"

// Numbers are not used again, so they come to an end: after 4 billion, or where a descriptor says so.
bool thread_limit(const struct proc *p)
{
    return p->nthreads >= PROC_THREADS_MAX || p->next_tid == UINT32_MAX;
}

struct thread *thread_find(struct proc *p, uint32_t tid)
{
    LIST_FOR (l, &p->threads) {
        struct thread *t = LIST_ENTRY(l, struct thread, link);
        if (t->tid == tid)
            return t;
    }
    return NULL;
}

int thread_use_fp(struct node *n, struct thread *t)
{
    ASSERT(!t->regs.fp);
    t->regs.fp = pool_alloc(n, &n->pool_fp);
    return t->regs.fp ? 0 : -E_MEM;
}

const char *thread_state_name(enum thread_state s)
{
    static const char *const names[THREAD_STATES] = {
        "ready", "run", "call", "getreq", "fill", "putrep", "sleep", "futex", "event", "ended",
    };
    return s < THREAD_STATES ? names[s] : "?";
}
