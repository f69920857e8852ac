// SPDX-License-Identifier: BSD-2-Clause
// The table of served ports.
#include "core/port.h"
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
        if (!port_eq(e->put, put) || !proc_lives(e->proc))
            continue;
        if (!best)
            best = e;
        if (!list_empty(&e->proc->receivers))
            return e;
    }
    return best;
}
