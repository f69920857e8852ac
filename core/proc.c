// SPDX-License-Identifier: BSD-2-Clause
#include "core/proc.h"
#include "core/abi.h"
#include "core/cap.h"
#include "core/entry.h"
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

static struct list *bucket(struct node *n, ep_t ep)
{
    return &n->procs_hash[ep % PROCS_HASH];
}

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
    if (ep != EP_NONE && (proc_by_ep(n, ep) || proc_by_pid(n, (uint32_t)ep & CAP_OBJ_MAX)))
        return -E_EXISTS;
    struct proc *p = pool_alloc(n, &n->pool_proc);
    if (!p)
        return -E_MEM;
    p->node = n;
    p->state = PROC_ARRIVING;
    list_init(&p->threads);
    list_init(&p->receivers);
    list_init(&p->recs);
    list_init(&p->queue);
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
    list_add_tail(bucket(n, p->ep), &p->hash_link);
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
    list_del(&p->hash_link);
    txn_proc_gone(n, p, silent);
    LIST_FOR_SAFE (l, next, &p->threads)
        thread_destroy(n, LIST_ENTRY(l, struct thread, link));
    arch_aspace_free(n, &p->aspace);
    map_drop_all(n, p);
    list_del(&p->link);
    pool_free(n, &n->pool_proc, p);
    if (known)
        txn_kick_peer(n, ep);
}

void proc_take_place(struct node *n, struct proc *p, struct proc *q)
{
    list_del(&p->hash_link);
    list_del(&q->hash_link);
    q->ep = p->ep;
    q->pid = p->pid;
    q->ctl_get = p->ctl_get;
    q->ctl_put = p->ctl_put;
    memcpy(q->key, p->key, sizeof q->key);
    list_add_tail(bucket(n, q->ep), &q->hash_link);
    LIST_FOR (l, &q->threads) { // where a thread waits at an address depends on whose address it is
        struct thread *t = LIST_ENTRY(l, struct thread, link);
        if (t->state != THREAD_FUTEX)
            continue;
        list_del(&t->run_link);
        futex_wait(n, t, t->wait_va);
    }
    port_about(n, p->ctl_put, p, q);
}

struct proc *proc_by_ep(struct node *n, ep_t ep)
{
    LIST_FOR (l, bucket(n, ep)) {
        struct proc *p = LIST_ENTRY(l, struct proc, hash_link);
        if (p->ep == ep)
            return p;
    }
    return NULL;
}

struct proc *proc_by_pid(struct node *n, uint32_t pid)
{
    LIST_FOR (l, &n->procs) {
        struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (p->pid == pid)
            return p;
    }
    return NULL;
}

void proc_set_state(struct proc *p, enum proc_state s)
{
    ASSERT(s < PROC_STATES);
    trace(p->node, TRACE_PROC, p->pid, p->state, s);
    p->node->sched_epoch++;
    if (s == PROC_STUNNED && (p->state == PROC_RUN || p->state == PROC_STUNNING))
        p->stopped_ns = node_now(p->node);
    p->state = s;
}

const char *proc_state_name(enum proc_state s)
{
    static const char *const names[PROC_STATES] = {
        "arriving", "run", "stunning", "stunned", "moving", "in doubt", "dead",
    };
    return s < PROC_STATES ? names[s] : "?";
}

// --- Life -----------------------------------------------------------------------------------------

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
    task_wake(n, &p->stun_event);
    if (p->tell)
        task_wake(n, &n->procs); // who tells its owner (services/proc/owner.c)
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
    p->tell = 0;
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
    if (!n->ended || !n->ended(n, p))
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

struct cap proc_cap(struct proc *p, uint32_t rights)
{
    return cap_make(p->ctl_put, p->pid, rights, p->key);
}

// A fault that nothing was done about: the process stands still and its owner is asked; without an owner it ends.
static void stop_by_fault(struct node *n, struct thread *t, const struct proc_fault *f)
{
    struct proc *p = t->proc;
    if (p->state != PROC_RUN)
        return; // it stops already, for another reason: going on, it comes to this instruction again
    trace(n, TRACE_FAULT, f->kind, f->addr, f->pc);
    p->fault = *f;
    if (cap_is_null(&p->owner)) {
        proc_finish(n, p, f->error);
        return;
    }
    p->tell = EVENT_OF_FAULT;
    p->stay_stunned = true; // a move that comes in between leaves it so
    (void)proc_stun(n, p);
}

void entry_fault(struct hart *h, struct thread *t, enum fault_kind kind, uint64_t addr, uint64_t cause)
{
    struct node *n = h->node;
    int r = -E_FAULT;
    if (kind == FAULT_READ || kind == FAULT_WRITE || kind == FAULT_EXEC) {
        unsigned prot = kind == FAULT_READ ? PROT_R : kind == FAULT_WRITE ? PROT_W : PROT_X;
        r = proc_fault(n, t->proc, addr, prot);
        if (r == 0)
            return;
    }
    stop_by_fault(
        n, t,
        &(struct proc_fault){
            .kind = (uint32_t)kind, .tid = t->tid, .error = r, .cause = cause, .addr = addr, .pc = t->regs.pc});
}

bool entry_fp_first(struct hart *h, struct thread *t)
{
    int r = thread_use_fp(h->node, t);
    if (r < 0)
        stop_by_fault(
            h->node, t,
            &(struct proc_fault){.kind = FAULT_OTHER, .tid = t->tid, .error = r, .addr = t->regs.pc, .pc = t->regs.pc});
    return r == 0;
}
