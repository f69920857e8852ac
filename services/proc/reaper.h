// SPDX-License-Identifier: BSD-2-Clause
// The reaper clears away what has ended, and does what is due (reaper.c). control.h has its alarm.
// Callers: node lock held; the process service's start and stop, but where it says otherwise.
#ifndef SERVICES_PROC_REAPER_H
#define SERVICES_PROC_REAPER_H

#include <stdbool.h>

struct node;
struct proc;

// Starts the reaper's task. Returns 0, or E_MEM: no memory for the task.
int reaper_start(struct node *n);
// Ends its task. Callers: when no task runs.
void reaper_stop(struct node *n);

// policy.ended (core/node.h): p is DEAD and on no hart. Returns true if an idle task tells p's owner at once; false:
// the reaper has to be woken. Callers: core.
bool reaper_end_at_once(struct node *n, struct proc *p);

#endif
