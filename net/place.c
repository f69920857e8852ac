// SPDX-License-Identifier: BSD-2-Clause
// Where things are, as far as this node knows. The caches are sets of WAYS entries, the latest used first in its set:
// what is busy stays, and what is not asked for is pushed out.
#include "net/place.h"
#include "core/panic.h"
#include "core/port.h"
#include "net/net_priv.h"
#include "net/route.h"
#include <string.h>

// --- What lives here -----------------------------------------------------------------------------

// A process that still arrives is its source's until COMMIT; a dead one is nowhere.
static bool lives(const struct proc *p)
{
    return proc_lives(p);
}

bool place_is_here(struct node *n, ep_t ep)
{
    if (ep == node_ep(n))
        return true;
    const struct proc *p = proc_by_ep(n, ep);
    return p && lives(p);
}

bool place_in_doubt(struct node *n, ep_t ep)
{
    const struct proc *p = proc_by_ep(n, ep);
    return p && p->state == PROC_DOUBT;
}

bool place_server_in_doubt(struct node *n, struct port port)
{
    const struct port_entry *e = port_find(n, port);
    return e && (e->about ? e->about : e->proc)->state == PROC_DOUBT;
}

// A process's own port is served by the kernel that has the process (about), so it is here when the process is.
ep_t place_server_here(struct node *n, struct port port)
{
    const struct port_entry *e = port_find(n, port);
    if (!e || !lives(e->proc) || (e->about && !lives(e->about)))
        return EP_NONE;
    return e->proc->ep;
}

// --- The cache of endpoints ------------------------------------------------------------------------

static struct ep_place *ep_set(struct net *net, ep_t ep)
{
    return net->eps[ep % EP_SETS];
}

// Way in the set that has the key; WAYS: none.
static unsigned ep_way(const struct ep_place *set, ep_t ep)
{
    unsigned w = 0;
    while (w < WAYS && set[w].ep != ep)
        w++;
    return w;
}

// Makes `place` the first of its set; what was at `way`, or the last when there was none, goes.
static void ep_put_first(struct ep_place *set, unsigned way, struct ep_place place)
{
    for (unsigned w = way < WAYS ? way : WAYS - 1; w > 0; w--)
        set[w] = set[w - 1];
    set[0] = place;
}

static ep_t cached_ep(struct net *net, ep_t ep)
{
    struct ep_place *set = ep_set(net, ep);
    unsigned w = ep_way(set, ep);
    if (w == WAYS)
        return EP_NONE;
    struct ep_place place = set[w];
    ep_put_first(set, w, place);
    return place.node;
}

static void cache_ep(struct net *net, ep_t ep, ep_t node)
{
    ASSERT(ep != EP_NONE && node != EP_NONE);
    struct ep_place *set = ep_set(net, ep);
    ep_put_first(set, ep_way(set, ep), (struct ep_place){.ep = ep, .node = node});
}

ep_t place_node(struct node *n, ep_t ep)
{
    if (ep == EP_NONE)
        return EP_NONE;
    if (place_is_here(n, ep))
        return node_ep(n);
    // Not place_moved: what was forgotten because it led nowhere must stay forgotten.
    ep_t node = cached_ep(n->net, ep);
    return node == EP_NONE && route_find(n, ep) ? ep : node; // a node's own endpoint is where the node is
}

static bool worth_noting(struct node *n, ep_t ep, ep_t node)
{
    return ep != EP_NONE && node != EP_NONE && node != node_ep(n) && !place_is_here(n, ep);
}

bool place_note(struct node *n, ep_t ep, ep_t node)
{
    if (!worth_noting(n, ep, node))
        return false;
    cache_ep(n->net, ep, node);
    return true;
}

void place_forget(struct node *n, ep_t ep)
{
    struct ep_place *set = ep_set(n->net, ep);
    unsigned w = ep_way(set, ep);
    if (ep != EP_NONE && w < WAYS)
        set[w] = (struct ep_place){0};
}

void place_each_at(struct node *n, ep_t node, void (*found)(struct node *n, ep_t ep))
{
    for (unsigned s = 0; s < EP_SETS; s++) {
        struct ep_place set[WAYS]; // a copy: found() looks things up, and that reorders the set
        memcpy(set, n->net->eps[s], sizeof(set));
        for (unsigned w = 0; w < WAYS; w++)
            if (set[w].node == node)
                found(n, set[w].ep);
    }
}

// --- The cache of ports ----------------------------------------------------------------------------

static struct port_place *port_set(struct net *net, struct port p)
{
    return net->ports[p.w[0] % PORT_SETS];
}

// Way in the set that has the key; WAYS: none.
static unsigned port_way(const struct port_place *set, struct port p)
{
    unsigned w = 0;
    while (w < WAYS && !port_eq(set[w].port, p))
        w++;
    return w;
}

// As ep_put_first.
static void port_put_first(struct port_place *set, unsigned way, struct port_place place)
{
    for (unsigned w = way < WAYS ? way : WAYS - 1; w > 0; w--)
        set[w] = set[w - 1];
    set[0] = place;
}

ep_t place_server(struct node *n, struct port port)
{
    struct net *net = n->net;
    struct port_place *set = port_set(net, port);
    unsigned w = port_is_null(port) ? WAYS : port_way(set, port);
    if (w == WAYS)
        return EP_NONE;
    struct port_place place = set[w];
    port_put_first(set, w, place);
    if (place_node(n, place.server) == EP_NONE) // the larger, busier cache has lost it; newer knowledge stays
        cache_ep(net, place.server, place.node);
    return place.server;
}

bool place_note_server(struct node *n, struct port port, ep_t server, ep_t node)
{
    if (port_is_null(port) || !worth_noting(n, server, node))
        return false;
    struct port_place *set = port_set(n->net, port);
    cache_ep(n->net, server, node);
    port_put_first(set, port_way(set, port), (struct port_place){.port = port, .server = server, .node = node});
    return true;
}

void place_forget_server(struct node *n, struct port port)
{
    struct port_place *set = port_set(n->net, port);
    unsigned w = port_way(set, port);
    if (!port_is_null(port) && w < WAYS)
        set[w] = (struct port_place){0};
}

// --- "Moved to" ------------------------------------------------------------------------------------

static struct moved *moved_of(struct node *n, ep_t ep)
{
    if (ep == EP_NONE)
        return NULL;
    for (unsigned i = 0; i < MOVED_MAX; i++)
        if (n->net->moved[i].ep == ep)
            return &n->net->moved[i];
    return NULL;
}

ep_t place_moved(struct node *n, ep_t ep)
{
    const struct moved *m = moved_of(n, ep);
    return m && node_now(n) < m->until_ns ? m->node : EP_NONE;
}

void place_set_moved(struct node *n, ep_t ep, ep_t node)
{
    ASSERT(ep != EP_NONE && node != EP_NONE && node != node_ep(n));
    struct moved *m = moved_of(n, ep);
    if (!m) { // the one nearest its end makes room; a free one has 0
        m = &n->net->moved[0];
        for (unsigned i = 1; i < MOVED_MAX; i++)
            if (n->net->moved[i].until_ns < m->until_ns)
                m = &n->net->moved[i];
    }
    if (m->ep != ep && m->until_ns > node_now(n))
        ended_forgot(n, m->until_ns); // a frame for that one would be answered "not here", as if it had never been
    *m = (struct moved){.ep = ep, .node = node, .until_ns = node_now(n) + MOVED_LIFE_NS};
    cache_ep(n->net, ep, node);
}

void place_clear_moved(struct node *n, ep_t ep)
{
    struct moved *m = moved_of(n, ep);
    if (m)
        *m = (struct moved){0};
}
