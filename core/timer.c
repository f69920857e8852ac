// SPDX-License-Identifier: BSD-2-Clause
// Pairing heap of deadlines (Fredman, Sedgewick, Sleator, Tarjan: "The pairing heap", 1986). A timer's children are a
// list through sibling; prev leads back to the left sibling, or from the first child to the parent, so that any timer
// can be taken out.
#include "core/timer.h"

#include "core/node.h"
#include "core/panic.h"

// Joins two heaps, either may be empty. A tie goes to a, the elder.
static struct timer *meld(struct timer *a, struct timer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->at_ns < a->at_ns) {
        struct timer *swap = a;
        a = b;
        b = swap;
    }
    b->sibling = a->child;
    if (a->child)
        a->child->prev = b;
    b->prev = a;
    a->child = b;
    return a;
}

// Makes one heap of a list of siblings: first pairs from the left, then all of them from the right. This order is what
// makes the cost logarithmic. The pairs wait on a stack through their sibling.
static struct timer *meld_siblings(struct timer *first)
{
    struct timer *stack = NULL;
    while (first) {
        struct timer *a = first, *b = a->sibling;
        first = b ? b->sibling : NULL;
        a->sibling = NULL;
        if (b)
            b->sibling = NULL;
        struct timer *pair = meld(a, b);
        pair->sibling = stack;
        stack = pair;
    }
    struct timer *heap = NULL;
    while (stack) {
        struct timer *pair = stack;
        stack = pair->sibling;
        pair->sibling = NULL;
        heap = meld(heap, pair);
    }
    return heap;
}

static void cut_from_siblings(struct timer *t)
{
    if (t->prev->child == t)
        t->prev->child = t->sibling;
    else
        t->prev->sibling = t->sibling;
    if (t->sibling)
        t->sibling->prev = t->prev;
}

static void disarm(struct timers *ts, struct timer *t)
{
    struct timer *orphans = meld_siblings(t->child);
    if (t == ts->root) {
        ts->root = orphans;
    } else {
        cut_from_siblings(t);
        ts->root = meld(ts->root, orphans);
    }
    if (ts->root)
        ts->root->prev = NULL;
    t->child = t->sibling = t->prev = NULL;
    t->armed = false;
}

void timer_init(struct timer *t, void (*fire)(struct node *n, struct timer *t))
{
    *t = (struct timer){.fire = fire};
}

void timer_set(struct node *n, struct timer *t, uint64_t at_ns)
{
    ASSERT(t->fire);
    timer_cancel(n, t);
    t->at_ns = at_ns;
    t->armed = true;
    n->timers.root = meld(n->timers.root, t);
    n->sched_epoch++;
}

void timer_cancel(struct node *n, struct timer *t)
{
    if (t->armed)
        disarm(&n->timers, t);
}

uint64_t timer_next(const struct node *n)
{
    return n->timers.root ? n->timers.root->at_ns : UINT64_MAX;
}

// Those that are left over make the hart's timer ring again at once (loop.c): between two runs the node lock is free.
void timer_run(struct node *n, uint64_t now_ns)
{
    struct timer *t;
    for (unsigned i = 0; i < TIMERS_A_RUN && (t = n->timers.root) && t->at_ns <= now_ns; i++) {
        disarm(&n->timers, t);
        t->fire(n, t);
    }
}
