// SPDX-License-Identifier: BSD-2-Clause
#include "core/port.h"
#include "core/cap.h"
#include "core/error.h"
#include "core/node.h"

static struct list *bucket(struct node *n, struct port put)
{
    return &n->ports_hash[put.w[0] % PORTS_HASH]; // a put-port is a hash: its bits are as good as any
}

int port_add(struct node *n, struct port put, struct proc *server, uint32_t handle, struct proc *about)
{
    struct port_entry *e = pool_alloc(n, &n->pool_port);
    if (!e)
        return -E_MEM;
    e->put = put;
    e->proc = server;
    e->handle = handle;
    e->about = about;
    list_add_tail(bucket(n, put), &e->link);
    return 0;
}

void port_remove(struct node *n, struct port put, const struct proc *server, const struct proc *about)
{
    LIST_FOR_SAFE (l, next, bucket(n, put)) {
        struct port_entry *e = LIST_ENTRY(l, struct port_entry, link);
        if (port_eq(e->put, put) && e->proc == server && e->about == about) {
            list_del(&e->link);
            pool_free(n, &n->pool_port, e);
        }
    }
}

void port_about(struct node *n, struct port put, const struct proc *from, struct proc *to)
{
    LIST_FOR (l, bucket(n, put)) {
        struct port_entry *e = LIST_ENTRY(l, struct port_entry, link);
        if (port_eq(e->put, put) && e->about == from)
            e->about = to;
    }
}

struct port_entry *port_find(struct node *n, struct port put)
{
    struct port_entry *best = NULL;
    LIST_FOR (l, bucket(n, put)) {
        struct port_entry *e = LIST_ENTRY(l, struct port_entry, link);
        if (!port_eq(e->put, put) || e->proc->state == PROC_DEAD || e->proc->state == PROC_ARRIVING)
            continue;
        if (!best)
            best = e;
        if (!list_empty(&e->proc->receivers))
            return e;
    }
    return best;
}

int port_listen(struct node *n, struct proc *p, struct port get, struct port *put)
{
    int slot = -1;
    if (port_is_null(get)) // no secret; and in a descriptor it means "none"
        return -E_ARG;
    for (int i = 0; i < PROC_PORTS_MAX; i++) {
        if (port_is_null(p->ports[i].put)) {
            if (slot < 0)
                slot = i;
        } else if (port_eq(p->ports[i].get, get)) {
            return -E_EXISTS;
        }
    }
    if (slot < 0)
        return -E_LIMIT;
    struct port pp = cap_put_port(get);
    int r = port_add(n, pp, p, (uint32_t)slot, NULL);
    if (r < 0)
        return r;
    p->listened = true;
    p->ports[slot].get = get;
    p->ports[slot].put = pp;
    p->port_mask |= 1ull << slot;
    *put = pp;
    return slot;
}

int port_close(struct node *n, struct proc *p, uint32_t handle)
{
    if (handle >= PROC_PORTS_MAX || port_is_null(p->ports[handle].put))
        return -E_ARG;
    struct port put = p->ports[handle].put;
    port_remove(n, put, p, NULL);
    p->ports[handle] = (struct served_port){0};
    p->port_mask &= ~(1ull << handle);
    txn_port_closed(n, p, handle);
    if (n->port_closed)
        n->port_closed(n, put);
    return 0;
}
