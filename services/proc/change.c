// SPDX-License-Identifier: BSD-2-Clause
#include "services/proc/change.h"
#include "core/desc.h"
#include "core/error.h"
#include "core/panic.h"
#include "services/proc/control.h"
#include "services/proc/instantiate.h"
#include "services/services_priv.h"

struct change {       // under way
    struct list link; // services.changes
    ep_t ep;          // of the process that is changed
    bool given_up;
    struct instance *in; // one page
};

static struct change *change_find(struct node *n, ep_t ep)
{
    LIST_FOR (l, &n->services->changes) {
        struct change *c = LIST_ENTRY(l, struct change, link);
        if (c->ep == ep)
            return c;
    }
    return NULL;
}

bool change_busy(struct node *n, ep_t ep)
{
    return change_find(n, ep) != NULL;
}

void change_give_up(struct node *n, ep_t ep)
{
    struct change *c = change_find(n, ep);
    if (c)
        c->given_up = true;
}

static struct change *change_new(struct node *n, ep_t ep)
{
    struct change *c = pool_alloc(n, &n->services->pool_change);
    if (!c)
        return NULL;
    c->in = page_alloc(n);
    if (!c->in) {
        pool_free(n, &n->services->pool_change, c);
        return NULL;
    }
    c->ep = ep;
    list_add_tail(&n->services->changes, &c->link);
    return c;
}

static void change_free(struct node *n, struct change *c)
{
    list_del(&c->link);
    page_drop(n, c->in);
    pool_free(n, &n->services->pool_change, c);
}

// The new state is made beside the old one; nobody finds it. From here on only the filling of its segments can fail.
static int64_t change_fill(struct node *n, struct change *c)
{
    int64_t status = instantiate_fill(n, c->in, &c->given_up);
    instantiate_end(n, c->in);
    if (status < 0)
        proc_drop(n, c->in->p, true);
    return status;
}

int64_t change_apply(struct node *n, struct proc *p, const struct buf *b)
{
    ASSERT(!change_busy(n, p->ep));
    struct change *c = change_new(n, p->ep);
    if (!c)
        return -E_MEM;
    int64_t status = instantiate_make(n, p, b, UINT64_MAX, c->in);
    if (status == 0)
        status = change_fill(n, c);
    p = proc_by_ep(n, c->ep); // every order waited: it is there, and stands still
    ASSERT(p && p->state == PROC_STUNNED);
    if (status == 0) {
        desc_change_commit(n, p, c->in->p);
        proc_watch_owner(n, c->in->p);
    } else {
        task_wake(n, &p->stun_event); // orders that waited
    }
    change_free(n, c);
    return status;
}

int change_try(struct node *n, struct proc *p, const struct buf *b, const char **why)
{
    int e = instantiate_check(n, p, b, why);
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
    pool_init(&n->services->pool_change, "change", sizeof(struct change));
    list_init(&n->services->changes);
}

// Processes go with the node.
void change_stop(struct node *n)
{
    LIST_FOR_SAFE (l, next, &n->services->changes)
        change_free(n, LIST_ENTRY(l, struct change, link));
}
