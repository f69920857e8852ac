// SPDX-License-Identifier: BSD-2-Clause
// A stopped process is changed to what a descriptor says (core/desc_change.c), on somebody's order or as its owner's
// answer. While segments of the new state are filled, every other order for the process waits (order.h).
#ifndef SERVICES_CHANGE_H
#define SERVICES_CHANGE_H

#include "core/node.h"

// Applies b to the process, which is STUNNED and has no other order under way. May block. 0: it is changed, still
// STUNNED, under the same endpoint, and the record of before is no more. On error it is as it was: those of desc_check,
// desc_change_check, desc_change_make; E_MEM; E_CANCEL it was to be destroyed meanwhile; errors of its sources.
int64_t change_apply(struct node *n, struct proc *p, const struct buf *b);
// Would it be applied? Changes nothing, fetches nothing. *why: a constant string. p NULL: may it be started here?
int change_try(struct node *n, struct proc *p, const struct buf *b, const char **why);

void change_start(struct node *n);
void change_stop(struct node *n);

#endif
