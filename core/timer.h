// SPDX-License-Identifier: BSD-2-Clause
// Timers of a node: a pairing heap of deadlines (Fredman et al. 1986), intrusive, no allocation. Insert O(1), cancel
// and expire O(log n) amortized. All under the node lock.
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

void timer_init(struct timer *t, void (*fire)(struct node *n, struct timer *t));
// Arms, or moves, to the absolute time at_ns.
void timer_set(struct node *n, struct timer *t, uint64_t at_ns);
void timer_cancel(struct node *n, struct timer *t); // harmless when not armed
// Earliest deadline, UINT64_MAX when none.
uint64_t timer_next(const struct node *n);
// Fires all that are due at now_ns, in order of their deadlines.
void timer_run(struct node *n, uint64_t now_ns);

#endif
