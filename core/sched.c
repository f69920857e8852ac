// SPDX-License-Identifier: BSD-2-Clause
#include "core/sched.h"
#include "core/entry.h"
#include "core/node.h"
#include "core/task.h"

#define NO_SLICE UINT64_MAX // nobody waits: the thread may run on

static struct hart *idle_hart(struct node *n)
{
    for (unsigned i = 0; i < n->nharts; i++)
        if (n->harts[i].online && n->harts[i].idle)
            return &n->harts[i];
    return NULL;
}

static void wake_a_hart(struct node *n)
{
    struct hart *me = arch_this_hart();
    if (me && me->node == n && !me->current)
        return; // this one is on its way through sched_next
    struct hart *h = idle_hart(n);
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
}

void sched_ready(struct node *n, struct thread *t)
{
    ASSERT(t->state == THREAD_READY);
    if (list_linked(&t->run_link) || proc_frozen(t->proc))
        return;
    list_add_tail(thread_is_task(t) ? &n->ready_tasks : &n->ready_guests, &t->run_link);
    n->changes++;
    wake_a_hart(n);
}

void sched_handoff(struct node *n, struct thread *t)
{
    struct hart *h = arch_this_hart();
    if (thread_is_task(t) || !h || h->node != n || h->handoff || proc_frozen(t->proc)) {
        sched_ready(n, t);
        return;
    }
    ASSERT(t->state == THREAD_READY && !list_linked(&t->run_link));
    h->handoff = t;
    n->changes++;
}

void sched_remove(struct node *n, struct thread *t)
{
    list_del(&t->run_link);
    for (unsigned i = 0; i < n->nharts; i++)
        if (n->harts[i].handoff == t)
            n->harts[i].handoff = NULL;
}

void sched_leave(struct node *n, struct hart *h)
{
    struct thread *t = h->current;
    struct proc *p = t->proc;
    ASSERT(t->state != THREAD_RUN);
    arch_fp_save(h, &t->regs);
    h->current = NULL;
    t->hart = NULL;
    ASSERT(p->on_harts > 0);
    if (--p->on_harts > 0)
        return;
    if (p->state == PROC_STUNNING) {
        proc_stopped(n, p);
    } else if (p->state == PROC_DEAD) {
        task_wake(n, &n->procs);
    }
}

static struct thread *pop(struct list *queue)
{
    if (list_empty(queue))
        return NULL;
    struct thread *t = LIST_ENTRY(queue->next, struct thread, run_link);
    list_del(&t->run_link);
    return t;
}

// The guest on this hart goes on unless it blocked, was frozen, has had its turn, or a task is ready. Tasks come
// first because the drivers and services that everyone waits for are tasks, and none of them computes for long.
static bool current_goes_on(struct node *n, struct hart *h)
{
    struct thread *t = h->current;
    if (t->state != THREAD_RUN)
        return false;
    if (proc_frozen(t->proc) || !list_empty(&n->ready_tasks))
        return false;
    if (list_empty(&n->ready_guests) && !h->handoff) {
        h->slice_over = false;
        return true;
    }
    if (h->slice_over)
        return false;
    // The clock is read only when a slice begins: threads that hand the processor to and fro share one.
    if (h->slice_end_ns == NO_SLICE)
        h->slice_end_ns = node_now(n) + SLICE_NS;
    struct thread *next = h->handoff;
    if (next && idle_hart(n)) { // this thread did not wait for it: another hart can have it now
        h->handoff = NULL;
        sched_ready(n, next);
    }
    return true;
}

static void put_back(struct node *n, struct hart *h)
{
    struct thread *t = h->current;
    if (t->state == THREAD_RUN) {
        thread_set_state(t, THREAD_READY);
        sched_leave(n, h);
        if (proc_frozen(t->proc))
            return;
        // Preempted by a task: keeps its place. At the end of its slice: to the end of the queue.
        if (h->slice_over)
            list_add_tail(&n->ready_guests, &t->run_link);
        else
            list_add(&n->ready_guests, &t->run_link);
    } else {
        sched_leave(n, h);
    }
}

static void run_task(struct node *n, struct hart *h, struct thread *t)
{
    thread_set_state(t, THREAD_RUN);
    t->hart = h;
    t->proc->on_harts++;
    h->current = t;
    n->stat.switches++;
    arch_ctx_switch(&h->loop, &t->task->ctx);
    // Back on this hart's stack: the task blocked, yielded or ended.
    ASSERT(h->current == t && t->state != THREAD_RUN);
    ASSERT(t->task->guard == TASK_GUARD); // else its stack has overflowed
    h->current = NULL;
    t->hart = NULL;
    t->proc->on_harts--;
    if (t->state == THREAD_ENDED)
        task_free(n, t);
}

static void set_timer(struct node *n, struct hart *h)
{
    uint64_t at = timer_next(n);
    if (h->current && h->slice_end_ns < at)
        at = h->slice_end_ns;
    if (at != h->arch.timer_at)
        arch_timer_set(h, at);
}

struct thread *sched_next(struct hart *h)
{
    struct node *n = h->node;
    if (h->current) {
        if (h->changes_seen == n->changes && h->current->state == THREAD_RUN)
            return h->current;
        h->changes_seen = n->changes;
        if (current_goes_on(n, h)) {
            set_timer(n, h);
            return h->current;
        }
        put_back(n, h);
    }
    for (;;) {
        struct thread *t = pop(&n->ready_tasks);
        if (t) {
            run_task(n, h, t);
            continue;
        }
        bool handed = h->handoff != NULL;
        t = handed ? h->handoff : pop(&n->ready_guests);
        h->handoff = NULL;
        if (!t)
            break;
        if (proc_frozen(t->proc))
            continue; // resuming the process queues it again
        thread_set_state(t, THREAD_RUN);
        t->hart = h;
        t->proc->on_harts++;
        h->current = t;
        h->idle = false;
        n->stat.switches++;
        if (!handed || h->slice_over) {
            h->slice_end_ns = list_empty(&n->ready_guests) ? NO_SLICE : node_now(n) + SLICE_NS;
            h->slice_over = false;
        }
        set_timer(n, h);
        h->changes_seen = n->changes;
        return t;
    }
    h->idle = true;
    h->slice_end_ns = NO_SLICE;
    set_timer(n, h);
    return NULL;
}

void entry_hart_online(struct node *n, struct hart *h)
{
    h->node = n;
    h->slice_end_ns = NO_SLICE;
    h->online = true;
}

void entry_timer(struct hart *h)
{
    uint64_t now = node_now(h->node);
    h->idle = false;
    if (now >= h->slice_end_ns) {
        h->slice_over = true;
        h->slice_end_ns = NO_SLICE;
    }
    h->node->changes++;
    timer_run(h->node, now);
}

void entry_kick(struct hart *h)
{
    h->idle = false;
    h->node->changes++;
}

void entry_external(struct hart *h)
{
    h->idle = false;
    if (h->node->irq)
        h->node->irq(h->node);
}
