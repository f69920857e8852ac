// SPDX-License-Identifier: BSD-2-Clause
// A process begins, and ceases, to serve a port.
#include "core/listen.h"
#include "core/cap.h"
#include "core/error.h"
#include "core/node.h"
#include "core/port.h"

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
    if (n->policy->port_closed)
        n->policy->port_closed(n, put);
    return 0;
}
