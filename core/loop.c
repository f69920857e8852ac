// SPDX-License-Identifier: BSD-2-Clause
// What a hart does next: whether its thread goes on, which comes after it, how tasks run in between, and when the
// hart's timer is to ring.
#include "core/loop.h"
#include "core/entry.h"
#include "core/life.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/sched.h"
#include "core/task.h"
#include "core/thread.h"

// --- Levels of ready guests -----------------------------------------------------------------------------

// Of eight bits, one of which is set. Without Zbb, __builtin_clz() calls a function of 45 instructions.
_Static_assert(PRIO_LEVELS <= 8, "highest_bit looks at eight bits");
static int highest_bit(uint32_t bits)
{
    uint32_t at = bits > 15 ? 4 : 0;
    bits >>= at;
    uint32_t more = bits > 3 ? 2 : 0;
    return (int)(at + more + (bits >> more > 1));
}

// The highest level below limit at which a guest is ready, -1: none is.
static int level_search(struct node *n, unsigned limit)
{
    for (;;) {
        uint32_t levels = n->ready_levels & ((1u << limit) - 1);
        if (levels == 0)
            return -1;
        int level = highest_bit(levels);
        if (!list_empty(&n->ready_guests[level]))
            return level;
        n->ready_levels &= ~(1u << level); // its last one was taken out (sched_remove)
    }
}

// Mostly no guest is ready, and one comparison answers.
static inline int level_below(struct node *n, unsigned limit)
{
    return n->ready_levels == 0 ? -1 : level_search(n, limit);
}
static inline int level_top(struct node *n)
{
    return level_below(n, PRIO_LEVELS);
}

bool sched_any_ready(struct node *n)
{
    return level_top(n) >= 0;
}

// --- A thread leaves ---------------------------------------------------------------------------------

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
        proc_ended(n, p);
    }
}

void sched_end_slice(struct node *n, struct hart *h)
{
    if (!sched_any_ready(n) && !h->next)
        return;
    h->slice_over = true;
    h->slice_end_ns = NO_SLICE;
    n->sched_epoch++;
}

// --- Does the guest go on? ---------------------------------------------------------------------------

static bool lower_levels_wait(struct node *n, int than)
{
    return than > 0 && level_below(n, (unsigned)than) >= 0;
}

// The slice is over. Does the guest have another at once, since only lower ones wait? Now and then it is lent to them.
static bool another_slice(struct node *n, struct hart *h, int mine, int top)
{
    if (!h->lent && lower_levels_wait(n, mine > top ? mine : top) && ++n->passed >= PRIO_LEND) {
        n->passed = 0;
        h->lend = true;
        return false;
    }
    if (h->lent || top >= mine || h->next)
        return false;
    h->slice_over = false;
    h->slice_end_ns = node_now(n) + SLICE_NS;
    return true;
}

// The guest on this hart goes on unless it blocked, was frozen, has had its turn, or somebody is ready who comes before
// it: a task, a guest of higher priority. Tasks come first because the drivers and services that everyone waits for are
// tasks, and none of them computes for long.
static bool current_goes_on(struct node *n, struct hart *h)
{
    struct thread *t = h->current;
    if (t->state != THREAD_RUN)
        return false;
    if (proc_frozen(t->proc) || !list_empty(&n->ready_tasks))
        return false;
    int top = level_top(n);
    if (top < 0 && !h->next) {
        h->slice_over = h->lent = false;
        return true;
    }
    int mine = (int)sched_priority(n, t);
    if (h->slice_over)
        return another_slice(n, h, mine, top);
    if (top > mine && !h->lent)
        return false;
    if (h->next && (int)sched_priority(n, h->next) > mine)
        return false;
    // The clock is read only when a slice begins: threads that hand the processor to and fro share one.
    if (h->slice_end_ns == NO_SLICE)
        h->slice_end_ns = node_now(n) + SLICE_NS;
    struct thread *next = h->next;
    if (next && sched_idle_hart(n)) { // this thread did not wait for it: another hart can have it now
        h->next = NULL;
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
        // Preempted: keeps its place, and so it does when it only lends a slice. At the end of its slice: to the end of
        // the queue, behind the one that it handed the hart to.
        if (h->slice_over && h->next) {
            sched_put(n, h->next, false);
            h->next = NULL;
        }
        sched_put(n, t, !h->slice_over || h->lend);
    } else {
        sched_leave(n, h);
    }
}

// --- Which is next ------------------------------------------------------------------------------------

static struct thread *pop(struct list *queue)
{
    if (list_empty(queue))
        return NULL;
    struct thread *t = LIST_ENTRY(queue->next, struct thread, run_link);
    list_del(&t->run_link);
    return t;
}

// A lower level, each in its turn.
static struct thread *pop_lent(struct node *n)
{
    int top = level_top(n);
    int level = top > 0 ? level_below(n, n->lent_last < (uint32_t)top ? n->lent_last : (uint32_t)top) : -1;
    if (level < 0 && top > 0)
        level = level_below(n, (unsigned)top);
    if (level < 0)
        return NULL;
    n->lent_last = (uint32_t)level;
    return pop(&n->ready_guests[level]);
}

// The thread to run next: h->next, unless a guest of higher priority is ready; else the first of the highest level, or
// of a lower one when this slice is lent. *handed: the slice goes on.
static struct thread *pick(struct node *n, struct hart *h, bool *handed)
{
    struct thread *t = h->next;
    h->next = NULL;
    *handed = t != NULL;
    int top = level_top(n);
    if (t && top >= 0 && !h->lent && !proc_frozen(t->proc) && (int)sched_priority(n, t) < top) {
        sched_put(n, t, true);
        *handed = false;
        t = NULL;
    }
    if (t)
        return t;
    h->lent = h->lend;
    h->lend = false;
    if (h->lent && (t = pop_lent(n)) != NULL)
        return t;
    h->lent = false;
    return top < 0 ? NULL : pop(&n->ready_guests[top]);
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
        if (h->epoch_seen == n->sched_epoch && h->current->state == THREAD_RUN)
            return h->current;
        h->epoch_seen = n->sched_epoch;
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
        bool handed;
        t = pick(n, h, &handed);
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
            h->slice_end_ns = sched_any_ready(n) ? node_now(n) + SLICE_NS : NO_SLICE;
            h->slice_over = false;
        }
        set_timer(n, h);
        h->epoch_seen = n->sched_epoch;
        return t;
    }
    h->idle = true;
    h->slice_end_ns = NO_SLICE;
    set_timer(n, h);
    return NULL;
}

// --- The way up (entry.h) ------------------------------------------------------------------------------

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
    h->node->sched_epoch++;
    timer_run(h->node, now);
}

void entry_kick(struct hart *h)
{
    h->idle = false;
    h->node->sched_epoch++;
}

void entry_external(struct hart *h)
{
    h->idle = false;
    if (h->node->irq)
        h->node->irq(h->node);
}
