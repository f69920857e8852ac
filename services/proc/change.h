// SPDX-License-Identifier: BSD-2-Clause
// A stunned process is changed to what a descriptor says (core/desc_change.c), by an order or as its owner's answer.
// While segments of the new state are filled, every other order for the process waits (order.h).
// Callers: node lock held; tasks (may sleep).
#ifndef SERVICES_CHANGE_H
#define SERVICES_CHANGE_H

#include "core/node.h"

// Applies b to the process, which is STUNNED and has no other order under way. Returns 0: it is changed, still STUNNED,
// under the same endpoint, and the record p is freed; or an error: it is as it was. Errors: those of desc_check,
// desc_change_check, desc_change_make; E_MEM; E_CANCEL: it is to be destroyed; those of the sources of its segments.
int64_t change_apply(struct node *n, struct proc *p, const struct buf *b);
// Would it be applied? Changes nothing, fetches nothing. p NULL: may it be started here? Returns 0, or the error that
// it would have (E_MEM among them), and *why, the reason in words (a constant).
int change_try(struct node *n, struct proc *p, const struct buf *b, const char **why);

// The pool of changes. Callers: the process service's start.
void change_start(struct node *n);
// Frees the records of changes under way. Callers: the process service's stop, when no task runs.
void change_stop(struct node *n);

#endif
