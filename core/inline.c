// SPDX-License-Identifier: BSD-2-Clause
// A request to a service of this kernel, if it can be answered on the spot. Then there is nothing to be remembered: the
// call begins and ends between two instructions of the guest.
#include "core/abi.h"
#include "core/node.h"
#include "core/port.h"
#include "core/task.h"
#include "core/thread.h"
#include "core/txn_priv.h"
#include "core/words.h"

static inline bool reply_fits(struct node *n, struct proc *p, const struct buf *rep)
{
    return rep->len == 0 || proc_map_covers(p, rep->at, rep->len, MAP_WRITE) || buf_check(n, rep, true) == 0;
}

bool txn_inline(struct node *n, struct thread *t, bool saved)
{
    uint64_t *x = t->regs.x;
    struct task_inline q;
    copy_cap(&q.in.cap, (const struct cap *)(const void *)&x[REG_A0]);
    if (!n->policy->inline_call || port_is_null(q.in.cap.port))
        return false;
    const struct port_entry *e = port_find(n, q.in.cap.port);
    if (!e || e->proc != n->kproc)
        return false;
    q.saved = saved;
    q.in.handle = e->handle;
    q.in.op = (uint32_t)x[REG_A4];
    words_copy_4(q.in.arg, &x[REG_T3]);
    q.in.len = x[REG_A6];
    q.in.about = e->about;
    q.req = buf_user(t->proc, x[REG_A5], x[REG_A6]);
    q.rep = buf_user(t->proc, x[REG_T0], x[REG_T1]);
    if (q.rep.len > MESSAGE_MAX_BYTES || !reply_fits(n, t->proc, &q.rep) || !n->policy->inline_call(n, &q))
        return false;
    x[REG_A0] = (uint64_t)q.status;
    x[REG_A1] = q.len;
    words_copy_4(&x[REG_A2], q.res);
    n->stat.trans_local++;
    return true;
}
