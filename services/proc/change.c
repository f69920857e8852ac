// SPDX-License-Identifier: BSD-2-Clause
// The new state is made beside the old one, as a process that nobody finds, filled, and then takes the old one's place.
#include "services/proc/change.h"
#include "core/desc.h"
#include "core/error.h"
#include "core/panic.h"
#include "services/proc/control.h"
#include "services/proc/instantiate.h"
#include "services/proc/order.h"
#include "services/proc/proc_priv.h"

struct change {          // under way
    struct order order;  // of the process that is changed
    struct instance *in; // one page
};

static struct change *change_begin(struct node *n, const struct proc *p)
{
    struct change *c = pool_alloc(n, &n->services->proc->pool_change);
    if (!c)
        return NULL;
    c->in = page_alloc(n);
    if (!c->in) {
        pool_free(n, &n->services->proc->pool_change, c);
        return NULL;
    }
    order_begin(n, &c->order, p, ORDER_CHANGE);
    return c;
}

static void change_end(struct node *n, struct change *c)
{
    order_end(n, &c->order);
    page_drop(n, c->in);
    pool_free(n, &n->services->proc->pool_change, c);
}

// From here on only the filling of the new state's segments can fail.
static int64_t change_fill(struct node *n, struct change *c)
{
    ASSERT(c->in->p->state == PROC_ARRIVING);
    int64_t status = instantiate_fill(n, c->in, &c->order.given_up);
    instantiate_end(n, c->in);
    if (status < 0)
        proc_drop(n, c->in->p, true);
    return status;
}

int64_t change_apply(struct node *n, struct proc *p, const struct buf *b)
{
    ASSERT(p->state == PROC_STUNNED);
    struct change *c = change_begin(n, p);
    if (!c)
        return -E_MEM;
    int64_t status = instantiate_make(n, p, b, UINT64_MAX, c->in);
    if (status == 0)
        status = change_fill(n, c);
    p = proc_by_ep(n, c->order.ep); // every other order waited, so it is there and stunned
    ASSERT(p && p->state == PROC_STUNNED);
    if (status == 0) {
        desc_change_commit(n, p, c->in->p);
        proc_watch_owner(n, c->in->p);
    }
    change_end(n, c);
    return status;
}

int change_try(struct node *n, struct proc *p, const struct buf *b, const char **why)
{
    struct desc_info info;
    int e = instantiate_check(n, p, b, &info, why);
    if (e < 0)
        return e;
    struct instance *in = page_alloc(n);
    if (!in)
        return -E_MEM;
    e = instantiate_make(n, p, b, UINT64_MAX, in);
    if (e == 0) {
        instantiate_end(n, in);
        proc_drop(n, in->p, true);
    }
    *why = error_string(e);
    page_drop(n, in);
    return e;
}

void change_start(struct node *n)
{
    pool_init(&n->services->proc->pool_change, "change", sizeof(struct change));
}

// Processes go with the node.
void change_stop(struct node *n)
{
    for (struct order *o; (o = order_first(n, ORDER_CHANGE));)
        change_end(n, LIST_ENTRY(o, struct change, order));
}
