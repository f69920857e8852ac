// SPDX-License-Identifier: BSD-2-Clause
// Which way to a node. Nodes send no routes about: each learns them from where frames come from, so there is nothing to
// keep consistent, and what is wrong is put right by the next frame or flood.
//
// A frame of node X came (hops, neighbour); there is a route to X already:
//
//   from the same neighbour             refresh, also when the way has become longer: the neighbour goes it
//   shorter                             replace
//   as long, from another               replace when the present one was not heard for ROUTE_QUIET_NS
//   longer, but it proves the way       the same. Proof is the first copy of a flood (the answer must get back
//                                       by it, and had the present way worked, its copy were here), or
//                                       an answer: so nodes in between mend the routes of those they serve
//   longer, else                        replace when the present one was not heard for ROUTE_STALE_NS
#include "net/route.h"
#include "core/panic.h"
#include "net/net_priv.h"
#include <string.h>

// --- The table -----------------------------------------------------------------------------------

static uint16_t *chain_of(struct net *net, ep_t node)
{
    return &net->route_heads[node % ROUTES_HASH];
}

static struct route *find(struct net *net, ep_t node)
{
    for (uint16_t i = *chain_of(net, node); i != 0; i = net->routes[i - 1].next)
        if (net->routes[i - 1].node == node)
            return &net->routes[i - 1];
    return NULL;
}

const struct route *route_find(struct node *n, ep_t node)
{
    return node == EP_NONE ? NULL : find(n->net, node);
}

static void forget(struct node *n, struct route *r)
{
    struct net *net = n->net;
    uint16_t self = (uint16_t)(r - net->routes + 1);
    uint16_t *at = chain_of(net, r->node);
    while (*at != self) {
        ASSERT(*at != 0); // it is in its chain
        at = &net->routes[*at - 1].next;
    }
    *at = r->next;
    trace(n, TRACE_ROUTE, 0, r->node, r->link->index);
    memset(r, 0, sizeof(*r));
}

// A free entry, or that of the node not heard for longest.
static struct route *make_room(struct node *n)
{
    struct net *net = n->net;
    struct route *oldest = &net->routes[0];
    for (unsigned i = 0; i < ROUTES_MAX; i++) {
        struct route *r = &net->routes[i];
        if (r->node == EP_NONE)
            return r;
        if (r->heard_ns < oldest->heard_ns)
            oldest = r;
    }
    forget(n, oldest);
    return oldest;
}

static struct route *add(struct node *n, ep_t node)
{
    struct route *r = make_room(n);
    uint16_t *head = chain_of(n->net, node);
    r->node = node;
    r->next = *head;
    *head = (uint16_t)(r - n->net->routes + 1);
    return r;
}

// --- Learning ------------------------------------------------------------------------------------

static bool same_neighbour(const struct route *r, const struct link *l, const uint8_t mac[6])
{
    return r->link == l && memcmp(r->mac, mac, sizeof(r->mac)) == 0;
}

static bool better(const struct route *r, unsigned hops, bool proof, uint64_t now)
{
    uint64_t quiet_ns = now - r->heard_ns;
    if (hops < r->hops || !r->link->up)
        return true;
    if (hops == r->hops || proof)
        return quiet_ns >= ROUTE_QUIET_NS;
    return quiet_ns >= ROUTE_STALE_NS;
}

void route_learn(struct node *n, ep_t node, struct link *l, const uint8_t mac[6], unsigned hops, uint32_t payload,
                 bool proof)
{
    ASSERT(node != EP_NONE && node != node_ep(n));
    ASSERT(hops >= 1 && hops <= WIRE_HOPS_MAX + 1);
    if (!l->up)
        return; // a last frame out of a queue: nothing goes back this way
    uint64_t now = node_now(n);
    struct route *r = find(n->net, node);
    bool refresh = r && same_neighbour(r, l, mac);
    if (r && !refresh && !better(r, hops, proof, now))
        return;
    if (!r)
        r = add(n, node);
    if (!refresh) {
        r->since_ns = now;
        trace(n, TRACE_ROUTE, hops, node, l->index);
    }
    r->link = l;
    memcpy(r->mac, mac, sizeof(r->mac));
    r->hops = (uint16_t)hops;
    r->payload = (uint32_t)min_u64(payload, l->payload_max);
    r->heard_ns = now;
}

void route_link_down(struct node *n, struct link *l)
{
    for (unsigned i = 0; i < ROUTES_MAX; i++) {
        struct route *r = &n->net->routes[i];
        if (r->node != EP_NONE && r->link == l)
            forget(n, r);
    }
}

// since, not heard: a wire that is broken in one direction still brings the node's frames.
void route_suspect(struct node *n, ep_t node)
{
    struct route *r = find(n->net, node);
    if (r && node_now(n) - r->since_ns >= ROUTE_NEW_NS)
        forget(n, r);
}

uint32_t route_payload(struct node *n, ep_t node)
{
    struct net *net = n->net;
    if (node == node_ep(n))
        return WIRE_PAYLOAD_MAX;
    const struct route *r = route_find(n, node);
    if (r)
        return r->payload;
    uint32_t payload = ROUTE_PAYLOAD_SAFE;
    for (unsigned i = 0; i < net->nlinks; i++)
        payload = (uint32_t)min_u64(payload, net->links[i]->payload_max);
    return payload;
}

// --- Sending -------------------------------------------------------------------------------------

// Fields of a frame that starts here.
static void originate(struct node *n, struct wire_hdr *h, unsigned limit)
{
    h->hops = 0;
    h->limit = (uint8_t)limit;
    h->path_payload = WIRE_PAYLOAD_MAX; // each link it crosses lowers it, the first one too
    h->src_node = node_ep(n);
    memset(h->tag, 0, sizeof(h->tag));
    trace(n, TRACE_FRAME_OUT, h->kind, h->dst_node, h->seq);
}

static void put_towards(struct node *n, struct link *l, const uint8_t mac[6], struct wire_hdr *h, const struct piece *p,
                        unsigned npieces)
{
    memcpy(h->dst_mac, mac, sizeof(h->dst_mac));
    h->path_payload = (uint32_t)min_u64(h->path_payload, l->payload_max);
    link_put(n, l, h, p, npieces);
}

bool route_send(struct node *n, struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    ASSERT(h->dst_node != EP_NONE);
    if (h->dst_node == node_ep(n))
        return false; // there is no way from here to here, and nothing to look for
    const struct route *r = find(n->net, h->dst_node);
    if (!r) {
        trace(n, TRACE_DROP, DROP_NO_ROUTE, h->dst_node, h->kind);
        return false;
    }
    originate(n, h, WIRE_HOPS_MAX);
    put_towards(n, r->link, r->mac, h, p, npieces);
    return true;
}

static unsigned copies_of(const struct wire_hdr *h)
{
    return h->kind == WIRE_LOCATE && h->arg[1] >= ROUND_FAR ? ROUND_COPIES : 1;
}

// Copies of one frame out of every link but `except`. Each starts from the same path_payload.
static void put_everywhere(struct node *n, const struct link *except, struct wire_hdr *h, const struct piece *p,
                           unsigned npieces)
{
    uint32_t path_payload = h->path_payload;
    for (unsigned i = 0; i < n->net->nlinks; i++) {
        struct link *l = n->net->links[i];
        if (l == except || !l->up)
            continue;
        for (unsigned copies = copies_of(h); copies > 0; copies--) {
            h->path_payload = path_payload;
            put_towards(n, l, link_mac_everyone, h, p, npieces);
        }
    }
}

void route_flood(struct node *n, struct wire_hdr *h, const struct piece *p, unsigned npieces, unsigned limit)
{
    ASSERT(limit >= 1 && limit <= WIRE_HOPS_MAX);
    h->dst_node = EP_NONE;
    h->seq = ++n->net->flood_seq;
    originate(n, h, limit);
    put_everywhere(n, NULL, h, p, npieces);
}

void route_spread(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    if (h->hops + 1u >= h->limit)
        return;
    struct wire_hdr on = *h;
    on.hops++;
    put_everywhere(n, l, &on, p, npieces);
}

bool route_forward(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    if (h->hops + 1u >= h->limit) {
        trace(n, TRACE_DROP, DROP_HOPS, h->src_node, h->kind);
        return true;
    }
    struct route *r = find(n->net, h->dst_node);
    // The neighbour believes that this node is on the way, and this node that the neighbour is: one is wrong, and the
    // frame would go to and fro until its hops are used up.
    if (r && same_neighbour(r, l, h->src_mac)) {
        trace(n, TRACE_DROP, DROP_BOUNCE, h->src_node, h->kind);
        forget(n, r);
        r = NULL;
    }
    if (!r) {
        trace(n, TRACE_DROP, DROP_NO_ROUTE, h->dst_node, h->kind);
        return false;
    }
    struct wire_hdr on = *h;
    on.hops++;
    put_towards(n, r->link, r->mac, &on, p, npieces);
    return true;
}

// --- Floods --------------------------------------------------------------------------------------

static struct flood *flood_of(struct net *net, ep_t node)
{
    struct flood *oldest = &net->floods[0];
    for (unsigned i = 0; i < FLOOD_SOURCES; i++) {
        struct flood *f = &net->floods[i];
        if (f->node == node)
            return f;
        if (f->heard_ns < oldest->heard_ns)
            oldest = f; // free ones have 0
    }
    *oldest = (struct flood){.node = node};
    return oldest;
}

bool route_flood_seen(struct node *n, ep_t node, uint64_t seq)
{
    uint64_t now = node_now(n);
    struct flood *f = flood_of(n->net, node);
    if (now - f->heard_ns >= PACKET_LIFE_NS)
        f->newest = f->mask = 0; // no copy from then is on its way any more
    if (f->mask == 0 || seq > f->newest) {
        uint64_t step = seq - f->newest;
        f->mask = f->mask == 0 || step >= 64 ? 1 : f->mask << step | 1;
        f->newest = seq;
    } else {
        uint64_t age = f->newest - seq;
        if (age >= 64 || (f->mask >> age & 1))
            return true;
        f->mask |= 1ull << age;
    }
    f->heard_ns = now; // only here: a window spoilt by one wild number heals by itself
    return false;
}

// Floods are paid for in time: each moves flood_paid_ns by its share of a second, and a node may be ahead of the clock
// by a burst. ring_paid_ns is moved by others' floods too. Nodes whose turn it is at the same time may all take it;
// what they took is counted, so over time the ring carries no more.
static uint64_t *paid(uint64_t *paid_ns, uint64_t now)
{
    if (*paid_ns < now)
        *paid_ns = now;
    return paid_ns;
}

static void ring_pay(struct node *n, const struct wire_hdr *h)
{
    uint64_t now = node_now(n), *at = paid(&n->net->ring_paid_ns, now);
    *at = min_u64(*at + copies_of(h) * (NS_PER_S / RING_FLOODS_PER_S), now + RING_DEBT_NS);
}

void route_flood_heard(struct node *n, const struct wire_hdr *h)
{
    ring_pay(n, h);
}

// With all links down there is nothing to wait for.
static bool alone(const struct net *net)
{
    for (unsigned i = 0; i < net->nlinks; i++)
        if (net->links[i]->up)
            return false;
    return true;
}

uint64_t route_flood_wait(struct node *n, enum flood_class class)
{
    uint64_t now = node_now(n), ahead_ns = *paid(&n->net->ring_paid_ns, now) - now;
    uint64_t most_ns = class == FLOOD_SEARCH ? RING_AHEAD_NS : 0;
    return class == FLOOD_NOW || ahead_ns <= most_ns || alone(n->net) ? 0 : ahead_ns - most_ns;
}

bool route_flood_allowed(struct node *n, const struct wire_hdr *h, enum flood_class class)
{
    const uint64_t price_ns = NS_PER_S / FLOODS_PER_S;
    uint64_t now = node_now(n), *own = paid(&n->net->flood_paid_ns, now);
    if (*own - now > (class == FLOOD_NOW ? FLOOD_BURST - 1 : FLOOD_BURST / 2) * price_ns)
        return false;
    if (route_flood_wait(n, class) > 0)
        return false;
    *own += copies_of(h) * price_ns;
    if (!alone(n->net))
        ring_pay(n, h);
    return true;
}
