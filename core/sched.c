// SPDX-License-Identifier: BSD-2-Clause
// The run queue: a list of ready tasks, one of ready guests for each level, and the hart that is woken, or stopped, for
// a thread that becomes ready.
#include "core/sched.h"
#include "core/entry.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/thread.h"

// --- Priorities -----------------------------------------------------------------------------------------

unsigned sched_priority(struct node *n, const struct thread *t)
{
    unsigned priority = t->proc->priority;
    for (int i = 0; i < PRIO_CHAIN_MAX && (t = txn_client_of(n, t)) != NULL; i++)
        if (t->proc->priority > priority)
            priority = t->proc->priority;
    return priority;
}

void sched_put(struct node *n, struct thread *t, bool first)
{
    unsigned level = sched_priority(n, t);
    n->ready_levels |= 1u << level;
    if (first)
        list_add(&n->ready_guests[level], &t->run_link);
    else
        list_add_tail(&n->ready_guests[level], &t->run_link);
}

// --- Becoming ready ---------------------------------------------------------------------------------------

struct hart *sched_idle_hart(struct node *n)
{
    for (unsigned i = 0; i < n->nharts; i++)
        if (n->harts[i].online && n->harts[i].idle)
            return &n->harts[i];
    return NULL;
}

// The hart whose guest has the lowest priority, if that is below t's: it is to go on with t.
static void preempt(struct node *n, const struct thread *t)
{
    unsigned least = sched_priority(n, t);
    struct hart *victim = NULL;
    for (unsigned i = 0; i < n->nharts; i++) {
        struct hart *h = &n->harts[i];
        if (!h->online || !h->current || thread_is_task(h->current))
            continue;
        unsigned level = sched_priority(n, h->current);
        if (level < least) {
            least = level;
            victim = h;
        }
    }
    if (!victim)
        return;
    victim->lent = false;
    if (victim != arch_this_hart())
        arch_kick(victim);
}

static void wake_a_hart(struct node *n, const struct thread *t)
{
    struct hart *me = arch_this_hart();
    if (me && me->node == n && !me->current)
        return; // this one is on its way through sched_next
    struct hart *h = sched_idle_hart(n);
    if (h) {
        h->idle = false; // so that the next one that gets ready wakes another hart
        arch_kick(h);
        return;
    }
    // All harts are busy. Each that gives out no slices yet must begin to.
    for (unsigned i = 0; i < n->nharts; i++) {
        h = &n->harts[i];
        if (h != me && h->online && h->current && h->slice_end_ns == NO_SLICE)
            arch_kick(h);
    }
    if (!thread_is_task(t))
        preempt(n, t);
}

void sched_ready(struct node *n, struct thread *t)
{
    ASSERT(t->state == THREAD_READY);
    if (list_linked(&t->run_link) || proc_frozen(t->proc))
        return;
    if (thread_is_task(t))
        list_add_tail(&n->ready_tasks, &t->run_link);
    else
        sched_put(n, t, false);
    n->sched_epoch++;
    wake_a_hart(n, t);
}

void sched_wake(struct node *n, struct thread *t)
{
    ASSERT(t->state != THREAD_RUN && t->state != THREAD_READY);
    timer_cancel(n, &t->timer);
    t->wake_ns = UINT64_MAX;
    if (t->state == THREAD_FUTEX || t->state == THREAD_EVENT)
        list_del(&t->run_link);
    thread_set_state(t, THREAD_READY);
    sched_ready(n, t);
}

void sched_switch_to(struct node *n, struct thread *t)
{
    struct hart *h = arch_this_hart();
    if (thread_is_task(t) || !h || h->node != n || h->next || proc_frozen(t->proc)) {
        sched_ready(n, t);
        return;
    }
    ASSERT(t->state == THREAD_READY && !list_linked(&t->run_link));
    h->next = t;
    n->sched_epoch++;
}

void sched_remove(struct node *n, struct thread *t)
{
    list_del(&t->run_link);
    for (unsigned i = 0; i < n->nharts; i++)
        if (n->harts[i].next == t)
            n->harts[i].next = NULL;
}
