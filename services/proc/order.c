// SPDX-License-Identifier: BSD-2-Clause
// One order at a time for each process; the rules are in order.h.
#include "services/proc/order.h"
#include "core/error.h"
#include "core/panic.h"
#include "core/port.h"
#include "core/rec.h"
#include "core/txn_net.h"
#include "services/proc/migrate.h"
#include "services/proc/proc_priv.h"

static struct order *order_find(struct node *n, ep_t ep)
{
    LIST_FOR (l, &n->services->proc->orders) {
        struct order *o = LIST_ENTRY(l, struct order, link);
        if (o->ep == ep)
            return o;
    }
    return NULL;
}

bool order_busy(struct node *n, ep_t ep)
{
    return order_find(n, ep) != NULL;
}

void order_begin(struct node *n, struct order *o, const struct proc *p, enum order_kind kind)
{
    ASSERT(p->ep != EP_NONE && p != n->kproc);
    ASSERT(!order_busy(n, p->ep));
    o->ep = p->ep;
    o->kind = kind;
    o->given_up = false;
    list_add_tail(&n->services->proc->orders, &o->link);
}

void order_end(struct node *n, struct order *o)
{
    ASSERT(order_find(n, o->ep) == o);
    list_del(&o->link);
    struct proc *p = proc_by_ep(n, o->ep);
    if (p)
        task_wake(n, &p->stun_event);
    if (n->transport && o->kind == ORDER_MOVE)
        n->transport->resumed(n, n->kproc);
}

// Orders to move that have been taken: they wait for a task, or one carries them out.
static unsigned moves_taken(struct node *n)
{
    unsigned taken = 0;
    LIST_FOR (l, &n->kproc->recs) {
        const struct rec *r = LIST_ENTRY(l, struct rec, link);
        taken += r->op == OP_PROC_MIGRATE && (r->state == REC_QUEUED || r->state == REC_FILL || r->state == REC_SERVE);
    }
    return taken;
}

bool order_holds(struct node *n, const struct txn_request *q)
{
    if (q->op == OP_PROC_MIGRATE && moves_taken(n) >= MOVES_MAX)
        return true;
    if (list_empty(&n->services->proc->orders) || q->op == OP_INFO || q->op == OP_STATUS || q->op == OP_RESTRICT)
        return false;
    const struct port_entry *e = port_find(n, q->cap.port);
    const struct order *o = e && e->about ? order_find(n, e->about->ep) : NULL;
    return o && o->kind == ORDER_MOVE;
}

void order_give_up(struct node *n, ep_t ep)
{
    struct order *o = order_find(n, ep);
    if (o && o->kind == ORDER_CHANGE)
        o->given_up = true;
}

struct proc *order_wait(struct node *n, ep_t ep, int *gone)
{
    for (;;) {
        struct proc *p = proc_by_ep(n, ep);
        if (!p || !proc_lives(p)) {
            *gone = p && p->state == PROC_DEAD ? -E_OBJECT : -E_NOTHERE;
            return NULL;
        }
        if (p->state != PROC_STUNNING && !order_busy(n, ep))
            return p;
        task_wait(n, &p->stun_event);
    }
}

struct order *order_first(struct node *n, enum order_kind kind)
{
    LIST_FOR (l, &n->services->proc->orders) {
        struct order *o = LIST_ENTRY(l, struct order, link);
        if (o->kind == kind)
            return o;
    }
    return NULL;
}
