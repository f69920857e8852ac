// SPDX-License-Identifier: BSD-2-Clause
// The reaper clears away what has ended, and does what is due (reaper.c). control.h has its alarm.
// Callers: node lock held; the process service's start and stop.
#ifndef SERVICES_PROC_REAPER_H
#define SERVICES_PROC_REAPER_H

struct node;

// Starts the reaper's task. Returns 0, or E_MEM: no memory for the task.
int reaper_start(struct node *n);
// Ends its task. Callers: when no task runs.
void reaper_stop(struct node *n);

#endif
