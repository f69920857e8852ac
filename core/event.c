// SPDX-License-Identifier: BSD-2-Clause
// Sleep and wakeup: tasks that wait for an event are on node->event_waiters, oldest first.
#include "core/event.h"
#include "core/hart.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/sched.h"
#include "core/thread.h"

struct thread *task_self(struct node *n)
{
    struct hart *h = arch_this_hart();
    ASSERT(h && h->node == n && h->current && thread_is_task(h->current));
    return h->current;
}

void task_block(struct thread *t)
{
    struct hart *h = arch_this_hart();
    ASSERT(t->state != THREAD_RUN);
    arch_ctx_switch(&t->task->ctx, &h->loop);
}

void task_wait(struct node *n, const void *event)
{
    struct thread *t = task_self(n);
    t->task->event = event;
    thread_set_state(t, THREAD_EVENT);
    list_add_tail(&n->event_waiters, &t->run_link);
    task_block(t);
}

void task_wake(struct node *n, const void *event)
{
    LIST_FOR_SAFE (l, next, &n->event_waiters) {
        struct thread *t = LIST_ENTRY(l, struct thread, run_link);
        if (t->task->event == event)
            sched_wake(n, t);
    }
}
