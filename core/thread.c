// SPDX-License-Identifier: BSD-2-Clause
#include "core/thread.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/sched.h"

static void thread_due(struct node *n, struct timer *tm);

// Numbers are not used again, so they come to an end: after 4 billion, or where a descriptor says so.
bool thread_limit(const struct proc *p)
{
    return p->nthreads >= PROC_THREADS_MAX || p->next_tid == UINT32_MAX;
}

struct thread *thread_create(struct node *n, struct proc *p, uint32_t tid)
{
    if (p->nthreads >= PROC_THREADS_MAX || (tid == 0 && thread_limit(p)))
        return NULL;
    struct thread *t = pool_alloc(n, &n->pool_thread);
    if (!t)
        return NULL;
    t->proc = p;
    t->tid = tid ? tid : p->next_tid++;
    t->state = THREAD_READY;
    list_init(&t->run_link);
    list_init(&t->call.remote_link);
    timer_init(&t->timer, thread_due);
    call_reset(&t->call);
    t->wake_ns = UINT64_MAX;
    list_add_tail(&p->threads, &t->link);
    p->nthreads++;
    return t;
}

void thread_destroy(struct node *n, struct thread *t)
{
    ASSERT(t->state != THREAD_RUN);
    struct proc *p = t->proc;
    txn_thread_gone(n, t);
    timer_cancel(n, &t->timer);
    sched_remove(n, t);
    list_del(&t->call.remote_link);
    list_del(&t->link);
    p->nthreads--;
    if (t->regs.fp)
        pool_free(n, &n->pool_fp, t->regs.fp);
    pool_free(n, &n->pool_thread, t);
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

void thread_set_state(struct thread *t, enum thread_state s)
{
    ASSERT(s < THREAD_STATES);
    t->state = s;
}

const char *thread_state_name(enum thread_state s)
{
    static const char *const names[THREAD_STATES] = {
        "ready", "run", "call", "getreq", "fill", "putrep", "sleep", "futex", "event", "ended",
    };
    return s < THREAD_STATES ? names[s] : "?";
}

// The time of whatever the thread waits for has come. A frozen process's timers do nothing: resuming it looks at every
// deadline again.
static void thread_due(struct node *n, struct timer *tm)
{
    struct thread *t = LIST_ENTRY(tm, struct thread, timer);
    if (proc_frozen(t->proc))
        return;
    switch (t->state) {
    case THREAD_CALL: txn_call_due(n, t); break;
    case THREAD_GETREQ: txn_getreq_due(n, t); break;
    case THREAD_SLEEP:
        if (!thread_is_task(t))
            t->regs.x[REG_A0] = 0;
        sched_wake(n, t);
        break;
    case THREAD_FUTEX:
        t->regs.x[REG_A0] = (uint64_t)-E_TIMEOUT;
        sched_wake(n, t);
        break;
    default: break; // its wait ended in the same instant
    }
}
