// SPDX-License-Identifier: BSD-2-Clause
// Clients elsewhere that wait for a stopped process: a small table that is searched from end to end, for it is used by
// moves only.
#include "net/waiters.h"
#include "core/panic.h"
#include "net/locate.h"
#include "net/net_priv.h"

static struct waiter *waiter_of(struct net *net, const struct wire_hdr *h)
{
    for (unsigned i = 0; i < WAITERS_MAX; i++) {
        struct waiter *w = &net->waiters[i];
        if (w->server == h->dst_ep && w->client == h->src_ep && w->tid == h->tid)
            return w;
    }
    return &net->waiters[net->next_waiter++ % WAITERS_MAX];
}

void waiters_note(struct node *n, const struct wire_hdr *request)
{
    ASSERT(request->kind == WIRE_REQUEST);
    if (request->dst_ep == EP_NONE) // it is for any server of the port, and its client looks for one again
        return;
    *waiter_of(n->net, request) = (struct waiter){
        .server = request->dst_ep,
        .client = request->src_ep,
        .node = request->src_node,
        .tid = request->tid,
        .seq = request->seq,
    };
}

// Sends every waiter of the server this header, addressed to it, and forgets the waiter.
static void tell(struct node *n, ep_t server, struct wire_hdr h)
{
    ASSERT(server != EP_NONE);
    for (unsigned i = 0; i < WAITERS_MAX; i++) {
        struct waiter *w = &n->net->waiters[i];
        if (w->server != server)
            continue;
        h.dst_node = w->node;
        h.dst_ep = w->client;
        h.tid = w->tid;
        h.seq = w->seq;
        w->server = EP_NONE;
        locate_send(n, &h, NULL, 0);
    }
}

void waiters_tell_resumed(struct node *n, ep_t server)
{
    tell(n, server, (struct wire_hdr){.kind = WIRE_REQUEST_ACK, .src_ep = server});
}

void waiters_tell_held(struct node *n, ep_t server)
{
    tell(n, server,
         (struct wire_hdr){.kind = WIRE_NOTHERE, .op = NOTHERE_PORT, .src_ep = server, .arg = {server, WIRE_REQUEST}});
}

void waiters_tell_moved(struct node *n, ep_t server, ep_t node)
{
    tell(n, server, (struct wire_hdr){.kind = WIRE_MOVED, .src_ep = node_ep(n), .arg = {server, node}});
}
