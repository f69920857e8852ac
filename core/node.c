// SPDX-License-Identifier: BSD-2-Clause
// A node's beginning and end.
#include "core/node.h"

#include "core/cap.h"
#include "core/config.h"
#include "core/error.h"
#include "core/life.h"
#include "core/loop.h"
#include "core/panic.h"
#include "core/port.h"
#include "core/random.h"
#include "core/rec.h"
#include "core/sched.h"
#include "core/task.h"
#include "core/thread.h"

#include <sodium/utils.h>
#include <stdio.h>
#include <string.h>

// Until the services start, and in nodes without any.
static const struct policy policy_none;

static void init_hash(struct list *heads, size_t count)
{
    for (size_t i = 0; i < count; i++)
        list_init(&heads[i]);
}

static void init_lists(struct node *n)
{
    list_init(&n->procs);
    list_init(&n->segs);
    list_init(&n->calls);
    list_init(&n->last_words);
    timer_init(&n->sweep, txn_sweep);
    list_init(&n->ready_tasks);
    list_init(&n->event_waiters);
    init_hash(n->ready_guests, PRIO_LEVELS);
    init_hash(n->procs_hash, PROCS_HASH);
    init_hash(n->waiters, WAITERS_HASH);
    init_hash(n->ports_hash, PORTS_HASH);
    init_hash(n->recs_hash, RECS_HASH);
}

static void init_pools(struct node *n)
{
    pool_init(&n->pool_proc, "proc", sizeof(struct proc));
    pool_init(&n->pool_thread, "thread", sizeof(struct thread));
    pool_init(&n->pool_fp, "fp", sizeof(struct arch_fp));
    pool_init(&n->pool_seg, "seg", sizeof(struct seg));
    pool_init(&n->pool_map, "map", sizeof(struct map));
    pool_init(&n->pool_rec, "rec", sizeof(struct rec));
    pool_init(&n->pool_port, "port", sizeof(struct port_entry));
}

// The process whose threads are the tasks. Its endpoint is this node's, new at every boot.
static int init_kproc(struct node *n)
{
    struct proc *p;
    int err = proc_create(n, EP_NONE, &p);
    if (err)
        return err;
    n->kproc = p;
    snprintf(p->name, sizeof p->name, "kernel");
    proc_set_state(p, PROC_RUN);
    return 0;
}

int node_init(struct node *n)
{
    ASSERT(n->clock);
    ASSERT(n->entropy);
    ASSERT(n->pages.base);
    init_lists(n);
    init_pools(n);
    random_init(n);
    if (sodium_is_zero(n->ring_key, sizeof n->ring_key))
        node_random(n, n->ring_key, sizeof n->ring_key);
    n->policy = &policy_none;
    n->timers.root = NULL;
    n->zero_page = page_alloc(n);
    if (!n->zero_page)
        return -E_MEM;
    node_random(n, &n->seg_get, sizeof n->seg_get);
    n->seg_put = cap_put_port(n->seg_get);
    int err = init_kproc(n);
    if (err) {
        page_drop(n, n->zero_page);
        n->zero_page = NULL;
    }
    return err;
}

// A guest that was to go on when its hart next enters the kernel.
static void leave_harts(struct node *n)
{
    for (unsigned i = 0; i < n->nharts; i++) {
        struct hart *h = &n->harts[i];
        if (!h->current)
            continue;
        ASSERT(h->current->proc != n->kproc); // else we would be on its stack
        if (h->current->state == THREAD_RUN)
            thread_set_state(h->current, THREAD_READY);
        sched_leave(n, h);
    }
}

static void end_guests(struct node *n)
{
    LIST_FOR_SAFE (l, next, &n->procs) {
        struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (p != n->kproc)
            proc_destroy(n, p, true);
    }
}

static void end_last_words(struct node *n)
{
    LIST_FOR_SAFE (l, next, &n->last_words)
        txn_last_words_end(n, LIST_ENTRY(l, struct proc, link));
}

static void end_kproc(struct node *n)
{
    struct proc *kproc = n->kproc;
    LIST_FOR_SAFE (l, next, &kproc->threads)
        task_free(n, LIST_ENTRY(l, struct thread, link));
    n->kproc = NULL; // from here on a process like any other
    proc_destroy(n, kproc, true);
}

// A segment that is still held by somebody stays: a test that counts pages then sees it.
void node_fini(struct node *n)
{
    n->transport = NULL; // the node is dead: nobody is told anything
    leave_harts(n);
    end_guests(n);
    end_last_words(n);
    end_kproc(n);
    page_drop(n, n->zero_page);
    n->zero_page = NULL;
    random_fini(n);
}
