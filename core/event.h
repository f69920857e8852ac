// SPDX-License-Identifier: BSD-2-Clause
// Sleep and wakeup for tasks (Lampson and Redell, 1980; Unix). An event is an address that waiters and wakers agree on,
// mostly that of the field which changes; nothing is stored there. A wake is a hint: the condition may have changed
// again before the task has the hart, so a task checks it in a loop:
//
//     while (!condition)
//         task_wait(n, &field);
//
// Node lock held, given up while a task is blocked: whatever a task remembers of a record may be out of date, or the
// record freed, when task_wait returns.
// Callers: tasks (may sleep), but for task_wake: node lock held.
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

struct node;
struct thread;

// Returns the task that runs on this hart.
struct thread *task_self(struct node *n);
// Gives up the hart; returns when some hart's loop resumes t, the running task. t's state says what it waits for.
void task_block(struct thread *t);
// Blocks the running task until task_wake(n, event), or until the request that it serves is cancelled.
void task_wait(struct node *n, const void *event);
// Makes every task that waits for this event ready. Callers: node lock held.
void task_wake(struct node *n, const void *event);

#endif
