// SPDX-License-Identifier: BSD-2-Clause
// The answers of the blocking system calls: results of a transaction, into the registers of the guest that waited.
#include "core/answer.h"
#include "core/abi.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/rec.h"
#include "core/sched.h"
#include "core/thread.h"
#include "core/txn.h"
#include "core/words.h"

void answer_trans(struct thread *t)
{
    const struct call *c = &t->call;
    if (thread_is_task(t))
        return;
    uint64_t *x = t->regs.x;
    x[REG_A0] = (uint64_t)c->status;
    x[REG_A1] = c->rep_total;
    words_copy_4(&x[REG_A2], c->res);
}
_Static_assert(REG_A2 + 3 == REG_A5, "results are in registers that follow each other");

void answer_request(struct thread *t)
{
    const struct rec *r = t->serve.rec;
    if (thread_is_task(t))
        return;
    uint64_t *x = t->regs.x;
    x[REG_A0] = 0;
    x[REG_A1] = r->req_len;
    x[REG_A2] = r->handle;
    x[REG_A3] = r->op;
    words_copy_4(&x[REG_A4], r->arg);
    x[REG_T0] = r->cap.obj_rights;
    x[REG_T1] = r->cap.check[0] | (uint64_t)r->cap.check[1] << 32;
    x[REG_T2] = r->cap.check[2];
}
_Static_assert(REG_A4 + 3 == REG_A7, "arguments are in registers that follow each other");

void answer_getreq(struct node *n, struct thread *t, int error)
{
    ASSERT(t->state == THREAD_GETREQ || t->state == THREAD_FILL);
    ASSERT(!list_linked(&t->run_link));
    t->serve.result = error;
    if (!thread_is_task(t))
        t->regs.x[REG_A0] = (uint64_t)(int64_t)error;
    sched_wake(n, t);
}

void answer_putrep(struct node *n, struct thread *t)
{
    ASSERT(t->state == THREAD_PUTREP);
    t->serve.open = false;
    t->serve.result = 0;
    if (!thread_is_task(t))
        t->regs.x[REG_A0] = 0;
    sched_wake(n, t);
}
