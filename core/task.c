// SPDX-License-Identifier: BSD-2-Clause
// Tasks: their stacks, their beginning and end, and the system calls as functions that return when the wait is over.
#include "core/task.h"
#include "core/life.h"
#include "core/listen.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/port.h"
#include "core/rec.h"
#include "core/sched.h"
#include "core/thread.h"

static void task_main(void *arg)
{
    struct thread *t = arg;
    struct node *n = t->proc->node;
    t->task->fn(n, t->task->arg);
    thread_set_state(t, THREAD_ENDED);
    struct hart *h = arch_this_hart();
    arch_ctx_switch(&t->task->ctx, &h->loop);
    panic("an ended task was resumed");
}

struct thread *task_spawn(struct node *n, const char *name, void (*fn)(struct node *n, void *arg), void *arg)
{
    void *stack = page_alloc_run(n, TASK_STACK_PAGES);
    if (!stack)
        return NULL;
    struct thread *t = thread_create(n, n->kproc, 0);
    if (!t) {
        for (size_t i = 0; i < TASK_STACK_PAGES; i++)
            page_drop(n, (char *)stack + i * PAGE_SIZE);
        return NULL;
    }
    t->task = stack;
    *t->task = (struct task){.name = name, .fn = fn, .arg = arg, .guard = TASK_GUARD};
    arch_ctx_init(&t->task->ctx, t->task + 1, TASK_STACK_PAGES * PAGE_SIZE - sizeof *t->task, task_main, t);
    sched_ready(n, t);
    return t;
}

void task_free(struct node *n, struct thread *t)
{
    void *stack = t->task;
    arch_ctx_free(&t->task->ctx);
    thread_destroy(n, t);
    for (size_t i = 0; i < TASK_STACK_PAGES; i++)
        page_drop(n, (char *)stack + i * PAGE_SIZE);
}

int64_t task_trans(struct node *n, const struct cap *cap, uint32_t op, const uint64_t arg[4], struct buf req,
                   struct buf rep, uint64_t timeout_ms, struct task_result *out)
{
    static const uint64_t none[4];
    struct thread *t = task_self(n);
    int r = txn_trans(n, t, cap, op, arg ? arg : none, req, rep, timeout_ms * NS_PER_MS);
    if (r < 0)
        return r;
    task_block(t);
    if (out) {
        for (int i = 0; i < 4; i++)
            out->res[i] = t->call.res[i];
        out->len = t->call.rep_total;
    }
    return t->call.status;
}

int task_getreq(struct node *n, uint64_t mask, struct buf buf, uint64_t timeout_ms, struct task_request *out)
{
    struct thread *t = task_self(n);
    const struct rec *q;
    for (;;) {
        int r = txn_getreq(n, t, mask, buf, timeout_ms * NS_PER_MS);
        if (r < 0)
            return r;
        task_block(t);
        if (t->serve.result < 0)
            return (int)t->serve.result;
        ASSERT(t->serve.open);
        q = t->serve.rec;
        if (q)
            break;
        t->serve.open = false; // its client gave up before this task had the processor: nobody wants an answer
    }
    out->handle = q->handle;
    out->op = q->op;
    for (int i = 0; i < 4; i++)
        out->arg[i] = q->arg[i];
    out->cap = q->cap;
    out->len = q->req_len;
    const struct port_entry *e = port_find(n, q->cap.port);
    out->about = e ? e->about : NULL;
    return 0;
}

int task_putrep(struct node *n, int64_t status, const uint64_t res[4], struct buf rep)
{
    static const uint64_t none[4];
    struct thread *t = task_self(n);
    int r = txn_putrep(n, t, status, res ? res : none, rep);
    if (r < 0)
        return r;
    if (r == 0) {
        task_block(t);
        return (int)t->serve.result;
    }
    return 0;
}

bool task_cancelled(struct node *n)
{
    return txn_cancelled(task_self(n));
}

int task_forward(struct node *n, const struct cap *cap, uint32_t op, const uint64_t arg[4])
{
    static const uint64_t none[4];
    return txn_forward(n, task_self(n), cap, op, arg ? arg : none);
}

void task_sleep(struct node *n, uint64_t ns)
{
    struct thread *t = task_self(n);
    thread_set_state(t, THREAD_SLEEP);
    timer_set(n, &t->timer, node_now(n) + ns);
    task_block(t);
}

void task_yield(struct node *n)
{
    struct thread *t = task_self(n);
    thread_set_state(t, THREAD_READY);
    sched_ready(n, t);
    task_block(t);
}

int task_listen(struct node *n, struct port get, struct port *put)
{
    return port_listen(n, n->kproc, get, put);
}
