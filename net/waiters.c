// SPDX-License-Identifier: BSD-2-Clause
// Clients elsewhere that wait for a stopped process: a small table that is searched from end to end, for it is used by
// moves only. So is the one of senders beside it.
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
        .inc = request->client_inc,
        .server_inc = request->server_inc,
        .ask = request->ask,
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
        h.client_inc = w->inc;
        h.server_inc = w->server_inc;
        h.ask = w->ask;
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

// --- Sent on ---------------------------------------------------------------------------------------

static struct sent_on *sent_on_of(struct net *net, const struct wire_hdr *h)
{
    for (unsigned i = 0; i < SENT_ON_MAX; i++) {
        struct sent_on *s = &net->sent_on[i];
        if (s->node == h->src_node && s->from == h->src_ep && s->to == h->dst_ep && s->tid == h->tid &&
            s->kind == h->kind)
            return s;
    }
    return NULL;
}

bool waiters_send_on(struct node *n, const struct wire_hdr *h)
{
    struct net *net = n->net;
    struct sent_on *s = sent_on_of(net, h);
    uint64_t now = node_now(n);
    if (s && now - s->at_ns < RETRY_FIRST_NS)
        return false;
    if (!s)
        s = &net->sent_on[net->next_sent_on++ % SENT_ON_MAX];
    *s = (struct sent_on){
        .node = h->src_node, .from = h->src_ep, .to = h->dst_ep, .tid = h->tid, .kind = h->kind, .at_ns = now};
    return true;
}
