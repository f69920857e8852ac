// SPDX-License-Identifier: BSD-2-Clause
// All nodes: a question to the whole ring that is repeated at growing intervals, and its answers, each reported once.
#include "net/nodes.h"
#include "core/panic.h"
#include "core/text.h"
#include "net/locate.h"
#include "net/net_priv.h"
#include "net/route.h"
#include <string.h>

// --- Answering -------------------------------------------------------------------------------------

static struct piece own_name(struct node *n)
{
    return (struct piece){.ptr = n->net->name, .len = strlen(n->net->name)};
}

void nodes_say_name(struct node *n, const struct wire_hdr *q)
{
    struct wire_hdr a = {.kind = WIRE_HEREIS, .arg = {node_ep(n)}};
    struct piece name = own_name(n);
    a.payload = (uint32_t)name.len;
    locate_reply(n, q, &a, &name, 1);
}

// --- Asking ----------------------------------------------------------------------------------------

static bool nodes_first_time(struct nodes_query *nq, ep_t node)
{
    for (unsigned i = 0; i < nq->count; i++)
        if (nq->nodes[i] == node)
            return false;
    if (nq->count == NODES_SEEN_MAX)
        return false; // better a long list than one with repetitions
    nq->nodes[nq->count++] = node;
    return true;
}

// The name is for people and their terminals, and came from outside.
static void name_copy(char *name, size_t size, const struct piece *p, unsigned npieces)
{
    size_t at = 0;
    for (unsigned i = 0; i < npieces; i++) {
        const uint8_t *from = p[i].ptr;
        for (size_t k = 0; k < p[i].len && at + 1 < size; k++)
            name[at++] = from[k] != ' ' && text_char_is_plain(from[k]) ? (char)from[k] : '?';
    }
    name[at] = '\0';
}

void nodes_hereis(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    struct nodes_query *nq = &n->net->nodes;
    if (!nq->seen || !nodes_first_time(nq, h->src_node))
        return;
    struct net_node who = {.node = h->src_node, .hops = h->hops + 1u};
    name_copy(who.name, sizeof(who.name), p, npieces);
    nq->seen(n, nq->arg, &who);
}

static void nodes_fire(struct node *n, struct timer *t)
{
    struct nodes_query *nq = LIST_ENTRY(t, struct nodes_query, timer);
    struct wire_hdr h = {.kind = WIRE_LOCATE, .op = LOCATE_NODES, .src_ep = node_ep(n)};
    if (route_flood_allowed(n, &h, FLOOD_NOW))
        route_flood(n, &h, NULL, 0, WIRE_HOPS_MAX);
    timer_set(n, t, node_now(n) + nq->interval_ns);
    nq->interval_ns *= 2;
    if (nq->interval_ns > NODES_LAST_NS)
        nq->interval_ns = NODES_LAST_NS;
}

void nodes_ask(struct node *n, void (*seen)(struct node *n, void *arg, const struct net_node *who), void *arg)
{
    struct nodes_query *nq = &n->net->nodes;
    ASSERT(seen && !nq->seen); // one question at a time
    struct net_node self = {.node = node_ep(n)};
    struct piece name = own_name(n);
    name_copy(self.name, sizeof(self.name), &name, 1);
    nq->count = 0;
    nq->seen = seen;
    nq->arg = arg;
    nq->interval_ns = NODES_FIRST_NS;
    nodes_fire(n, &nq->timer);
    seen(n, arg, &self); // last: it may stop the query
}

void nodes_stop(struct node *n)
{
    timer_cancel(n, &n->net->nodes.timer);
    n->net->nodes.seen = NULL;
}

// --- Begin and end ---------------------------------------------------------------------------------

void nodes_init(struct node *n)
{
    timer_init(&n->net->nodes.timer, nodes_fire);
    memcpy(n->net->name, n->name, sizeof(n->net->name));
    n->net->name[sizeof(n->net->name) - 1] = '\0';
}

void nodes_fini(struct node *n)
{
    timer_cancel(n, &n->net->nodes.timer);
}
