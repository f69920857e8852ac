// SPDX-License-Identifier: BSD-2-Clause
// Owners are told: of faults and stops, of the end, of a move in doubt (services/protocol/proc.h). An answer to a
// fault or a stop is carried out here.
// Callers: node lock held; tasks (may sleep, when there is no memory for a task that makes the report).
#ifndef SERVICES_PROC_OWNER_H
#define SERVICES_PROC_OWNER_H

#include "core/node.h"

struct report;

// p is in doubt: `target` is the node that may run it.
void owner_tell_doubt(struct node *n, const struct proc *p, ep_t target);
// p is STUNNED and p->to_report says why: its owner is told, until it answers, and the answer is applied.
void owner_tell_stop(struct node *n, struct proc *p);
// p is DEAD and on no hart. It is kept until its owner has been told, or did not answer; it goes then, and the report
// is repeated.
void owner_tell_end(struct node *n, struct proc *p);
// Returns a task that can tell p's owner of its end at once, or NULL: none is idle, or p has no owner.
// Callers: any context that holds the node lock; does not sleep.
struct report *owner_idle(struct node *n, const struct proc *p);
// The same as owner_tell_end, by that task. Callers: any context that holds the node lock; does not sleep.
void owner_tell_end_by(struct node *n, struct report *idle, const struct proc *p);
// Has reports made again that are due. Returns when to come again (ns), UINT64_MAX: none waits. Callers: the reaper.
uint64_t reports_sweep(struct node *n);
// True if a task tells the end of this process just now.
bool owner_is_told_of_end(struct node *n, ep_t ep);

// The pool and the list of reports. Callers: the process service's start.
void reports_start(struct node *n);
// Ends all reports. Callers: no task of them runs.
void reports_stop(struct node *n);

#endif
