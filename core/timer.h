// SPDX-License-Identifier: BSD-2-Clause
// Timers of a node: a pairing heap of deadlines (Fredman et al. 1986), intrusive, no allocation. Insert O(1), cancel
// and expire O(log n) amortized.
// Callers: node lock held; nothing here blocks.
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct node;

struct timer {
    uint64_t at_ns;                                // [N] deadline
    void (*fire)(struct node *n, struct timer *t); // [I] runs once, with the timer disarmed
    struct timer *child, *sibling, *prev;          // [N] heap links; prev = parent for a first child
    bool armed;                                    // [N]
};
struct timers {
    struct timer *root;
};

// Makes *t a timer, not armed, that calls fire. Not for one that is armed: it would stay in the heap.
void timer_init(struct timer *t, void (*fire)(struct node *n, struct timer *t));
// Arms t, or moves it, to the absolute time at_ns of the node's clock (node_now). timer_init came before (asserted). A
// time that is past fires as soon as a hart looks.
void timer_set(struct node *n, struct timer *t, uint64_t at_ns);
// Disarms t; harmless when it is not armed.
void timer_cancel(struct node *n, struct timer *t);
// Returns the earliest deadline, UINT64_MAX: none is armed.
uint64_t timer_next(const struct node *n);
// Fires those that are due at now_ns, in order of their deadlines, at most TIMERS_A_RUN of them; one that fire() itself
// arms at or before now_ns counts too.
// Callers: entry_timer; node lock held.
void timer_run(struct node *n, uint64_t now_ns);

#endif
