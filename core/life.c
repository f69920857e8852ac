// SPDX-License-Identifier: BSD-2-Clause
// How processes and threads begin, stop, go on and end.
#include "core/life.h"
#include "core/cap.h"
#include "core/event.h"
#include "core/futex.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/port.h"
#include "core/random.h"
#include "core/sched.h"
#include "core/thread.h"
#include "core/txn_net.h"
#include <string.h>

// --- Threads ----------------------------------------------------------------------------------------

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

// --- Processes --------------------------------------------------------------------------------------

// One secret is all of a new process's identity: the control port is its image, the endpoint, a name that everybody may
// know, is half of that, and until it is rotated it is the key of the process's capabilities too. (What is hashed with
// it there is longer than the label of a port.)
static void draw_identity(struct node *n, struct proc *p)
{
    // What people type must be unique here; across the ring 24 random bits do.
    do {
        node_random(n, &p->ctl_get, sizeof p->ctl_get);
        p->ctl_put = cap_put_port(p->ctl_get);
        p->ep = p->ctl_put.w[0];
    } while (port_is_null(p->ctl_get) || ((uint32_t)p->ep & CAP_OBJ_MAX) == 0 ||
             proc_by_pid(n, (uint32_t)p->ep & CAP_OBJ_MAX));
    memcpy(p->key, &p->ctl_get, sizeof p->key);
    p->time_offset = 0 - p->stopped_ns;
}

int proc_create(struct node *n, ep_t ep, struct proc **out)
{
    struct proc *same = ep != EP_NONE ? proc_by_ep(n, ep) : NULL;
    if (same && proc_lingers(same)) { // its former life; what it said last is in the new one's records
        txn_last_words_end(n, same);
        same = NULL;
    }
    if (same || (ep != EP_NONE && proc_by_pid(n, (uint32_t)ep & CAP_OBJ_MAX)))
        return -E_EXISTS;
    struct proc *p = pool_alloc(n, &n->pool_proc);
    if (!p)
        return -E_MEM;
    p->node = n;
    p->state = PROC_ARRIVING;
    list_init(&p->hash_link);
    list_init(&p->threads);
    list_init(&p->receivers);
    list_init(&p->recs);
    list_init(&p->queue);
    list_init(&p->still);
    p->next_tid = 1;
    p->priority = p->priority_limit = PRIO_DEFAULT;
    p->stopped_ns = node_now(n);
    p->last_map = &map_none;
    if (arch_aspace_init(n, &p->aspace) < 0) {
        pool_free(n, &n->pool_proc, p);
        return -E_MEM;
    }
    if (ep == EP_NONE)
        draw_identity(n, p);
    else
        p->ep = ep;
    p->called = p->listened = ep != EP_NONE; // what it did elsewhere, or before, nobody here can say
    p->pid = (uint32_t)p->ep & CAP_OBJ_MAX;
    list_add_tail(&n->procs, &p->link);
    proc_enter(n, p);
    *out = p;
    return 0;
}

void proc_destroy(struct node *n, struct proc *p, bool silent)
{
    ASSERT(p->on_harts == 0 && p != n->kproc);
    ep_t ep = p->ep;
    bool known = p->called || p->listened;
    proc_set_state(p, PROC_DEAD); // nobody finds it from here on
    for (uint64_t i = 0; p->port_mask >> i; i++)
        if (p->port_mask >> i & 1)
            port_remove(n, p->ports[i].put, p, NULL);
    if (silent)
        list_del(&p->hash_link);
    txn_proc_gone(n, p, silent);
    LIST_FOR_SAFE (l, next, &p->threads)
        thread_destroy(n, LIST_ENTRY(l, struct thread, link));
    arch_aspace_free(n, &p->aspace);
    map_drop_all(n, p);
    if (list_empty(&p->recs))
        proc_free(n, p);
    else
        proc_linger(n, p);
    if (known)
        txn_kick_peer(n, ep);
}

void proc_take_place(struct node *n, struct proc *p, struct proc *q)
{
    list_del(&p->hash_link);
    q->ep = p->ep;
    q->pid = p->pid;
    q->ctl_get = p->ctl_get;
    q->ctl_put = p->ctl_put;
    memcpy(q->key, p->key, sizeof q->key);
    proc_enter(n, q);
    LIST_FOR (l, &q->threads) { // where a thread waits at an address depends on whose address it is
        struct thread *t = LIST_ENTRY(l, struct thread, link);
        if (t->state != THREAD_FUTEX)
            continue;
        list_del(&t->run_link);
        futex_wait(n, t, t->wait_va);
    }
    port_about(n, p->ctl_put, p, q);
}

static void leave_harts(struct node *n, struct proc *p)
{
    LIST_FOR (l, &p->threads) {
        struct thread *t = LIST_ENTRY(l, struct thread, link);
        if (t->state == THREAD_READY)
            sched_remove(n, t);
        else if (t->hart && t->hart != arch_this_hart())
            arch_kick(t->hart);
    }
}

void proc_stopped(struct node *n, struct proc *p)
{
    proc_set_state(p, PROC_STUNNED);
    txn_proc_stopped(n, p);
    task_wake(n, &p->stun_event);
    if (p->to_report)
        task_wake(n, &n->procs); // the task that tells its owner (services/proc/reaper.c)
}

int proc_stun(struct node *n, struct proc *p)
{
    if (p->state != PROC_RUN || p == n->kproc)
        return -E_STATE;
    proc_set_state(p, PROC_STUNNING);
    leave_harts(n, p);
    if (p->on_harts == 0)
        proc_stopped(n, p);
    return 0;
}

static void later(uint64_t *at_ns, uint64_t by)
{
    if (*at_ns != UINT64_MAX)
        *at_ns = *at_ns < UINT64_MAX - 1 - by ? *at_ns + by : UINT64_MAX - 1;
}

int proc_resume(struct node *n, struct proc *p)
{
    if (p->state != PROC_STUNNED && p->state != PROC_MOVING && p->state != PROC_ARRIVING && p->state != PROC_DOUBT)
        return -E_STATE;
    proc_set_state(p, PROC_RUN);
    p->runs++;
    p->fault = (struct proc_fault){0};
    p->to_report = STOP_NONE;
    uint64_t stood = node_now(n) - p->stopped_ns;
    p->time_offset -= stood;
    LIST_FOR (l, &p->threads) {
        struct thread *t = LIST_ENTRY(l, struct thread, link);
        later(&t->wake_ns, stood);
        if (t->state == THREAD_CALL)
            later(&t->call.deadline_ns, stood);
        if (t->state == THREAD_READY)
            sched_ready(n, t);
        else if (t->wake_ns != UINT64_MAX)
            timer_set(n, &t->timer, t->wake_ns);
    }
    if (p->called || p->listened)
        txn_kick_proc(n, p);
    else
        txn_kick_own(n, p);
    return 0;
}

int proc_set_priority(struct node *n, struct proc *p, unsigned priority)
{
    if (priority > p->priority_limit)
        return -E_LIMIT;
    p->priority = (uint8_t)priority;
    LIST_FOR (l, &p->threads) {
        struct thread *t = LIST_ENTRY(l, struct thread, link);
        if (t->state == THREAD_READY && list_linked(&t->run_link)) {
            sched_remove(n, t);
            sched_ready(n, t);
        } else if (t->hart && t->hart != arch_this_hart()) {
            arch_kick(t->hart); // somebody else may be next there
        }
    }
    n->sched_epoch++;
    return 0;
}

void proc_ended(struct node *n, struct proc *p)
{
    if (!n->policy->ended || !n->policy->ended(n, p))
        task_wake(n, &n->procs);
}

void proc_finish(struct node *n, struct proc *p, int64_t status)
{
    if (p->state == PROC_DEAD || p == n->kproc)
        return;
    proc_set_state(p, PROC_DEAD);
    p->exit_status = status;
    leave_harts(n, p);
    if (p->on_harts == 0)
        proc_ended(n, p);
}
