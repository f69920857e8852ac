// SPDX-License-Identifier: BSD-2-Clause
// Frames in: check, learn, and hand on: back (echo), further (forward, flood) or up (xfer, locate).
#include "net/net.h"
#include "core/error.h"
#include "core/page.h"
#include "core/panic.h"
#include "core/task.h"
#include "net/net_priv.h"
#include "net/xfer.h"
#include <string.h>

#define BE16(x) ((uint16_t)((x) >> 8 | ((x)&0xffu) << 8))

int net_init(struct node *n)
{
    ASSERT(n->net == NULL);
    n->net = page_alloc_run(n, NET_PAGES);
    if (!n->net)
        return -E_MEM;
    locate_init(n);
    n->transport = &xfer_transport;
    return 0;
}

void net_fini(struct node *n)
{
    ASSERT(n->net);
    locate_fini(n);
    for (unsigned i = 0; i < n->net->nlinks; i++)
        n->net->links[i]->node = NULL;
    for (size_t i = 0; i < NET_PAGES; i++)
        page_drop(n, (uint8_t *)n->net + i * PAGE_SIZE);
    n->net = NULL;
    n->transport = NULL;
}

int net_link_add(struct node *n, struct link *l)
{
    struct net *net = n->net;
    ASSERT(net && l->send && !l->node);
    ASSERT(l->payload_max >= 8 && l->payload_max <= WIRE_PAYLOAD_MAX);
    ASSERT(l->payload_max % 8 == 0);
    ASSERT(!(l->mac[0] & 1)); // one station's address
    if (net->nlinks == LINKS_MAX)
        return -E_LIMIT;
    l->node = n;
    l->index = net->nlinks;
    net->links[net->nlinks++] = l;
    if (l->up)
        locate_link_up(n);
    return 0;
}

void net_link_changed(struct node *n, struct link *l)
{
    ASSERT(l->node == n);
    if (l->up)
        locate_link_up(n);
    else
        route_link_down(n, l);
}

void link_put(struct node *n, struct link *l, struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    ASSERT(npieces <= WIRE_PIECES_MAX);
    if (!l->up || h->payload > l->payload_max) {
        trace(n, TRACE_DROP, DROP_LINK, h->dst_node, h->kind);
        l->stat.tx_drop++;
        return;
    }
    memcpy(h->src_mac, l->mac, sizeof(h->src_mac));
    h->ethertype = BE16(WIRE_ETHERTYPE);
    h->version = WIRE_VERSION;
    l->stat.tx++;
    l->stat.tx_bytes += sizeof(*h) + h->payload;
    l->send(l, h, p, npieces);
}

// --- Echo: the limit of a link, so no table is looked at -----------------------------------------

static void echo_header(struct node *n, struct link *l, struct wire_hdr *h, enum wire_kind kind)
{
    h->kind = (uint8_t)kind;
    h->hops = 0;
    h->limit = 1;
    h->path_payload = l->payload_max;
    h->src_node = node_ep(n);
}

struct link *net_link(struct node *n, unsigned i)
{
    return i < n->net->nlinks ? n->net->links[i] : NULL;
}

void net_echo(struct node *n, struct link *l, uint32_t payload)
{
    ASSERT(l->node == n && payload <= l->payload_max);
    struct wire_hdr h = {.payload = payload, .seq = ++l->echo.sent};
    struct piece p[WIRE_PIECES_MAX];
    unsigned np = 0;
    for (uint32_t left = payload; left > 0; np++) {
        uint32_t len = left < PAGE_SIZE ? left : (uint32_t)PAGE_SIZE;
        p[np] = (struct piece){.ptr = n->zero_page, .len = len};
        left -= len;
    }
    echo_header(n, l, &h, WIRE_ECHO);
    memcpy(h.dst_mac, mac_everyone, sizeof(h.dst_mac));
    l->echo.sent_ns = node_now(n);
    link_put(n, l, &h, p, np);
}

static void echo_turn(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    struct wire_hdr back = *h;
    memcpy(back.dst_mac, h->src_mac, sizeof(back.dst_mac));
    back.dst_node = h->src_node;
    echo_header(n, l, &back, WIRE_ECHO_BACK);
    link_put(n, l, &back, p, npieces);
}

// On a shared wire everybody answers: the first one counts.
static void echo_returned(struct node *n, struct link *l, const struct wire_hdr *h)
{
    if (h->dst_node != node_ep(n) || h->seq != l->echo.sent || l->echo.back == h->seq)
        return;
    l->echo.back = h->seq;
    l->echo.back_ns = node_now(n);
    task_wake(n, l);
}

// --- The rest ------------------------------------------------------------------------------------

static void input_mine(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    trace(n, TRACE_FRAME_IN, h->kind, h->src_node, h->seq);
    if (h->kind == WIRE_HEREIS)
        locate_hereis(n, h, p, npieces);
    else if (h->kind == WIRE_LOCATE) // we are asked alone, and nobody is if we cannot answer
        (void)locate_answer(n, h);
    else if (h->kind == WIRE_MOVED && h->tid == 0)
        locate_moved_hint(n, h);
    else
        xfer_input(n, h, p, npieces);
}

// The route is learned from duplicates too: the copy that comes second may have come the shorter way.
static void input_flood(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p,
                        unsigned npieces, bool first)
{
    if (first && !locate_answer(n, h))
        route_spread(n, l, h, p, npieces);
}

// Our own frame: a flood once round the ring, or what a wire shows us of what we send. Only a frame that another node
// sent on to where its endpoint has moved to may come by here and still have a way to go.
static void input_own(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    if (h->kind <= WIRE_REPLY_ACK && h->dst_node != node_ep(n))
        route_forward(n, l, h, p, npieces);
}

static bool adds_up(const struct piece *p, unsigned npieces, uint64_t len)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < npieces; i++)
        sum += p[i].len;
    return sum == len;
}

static bool addressed_to(const struct link *l, const struct wire_hdr *h)
{
    return (h->dst_mac[0] & 1) || memcmp(h->dst_mac, l->mac, sizeof(h->dst_mac)) == 0;
}

void net_input(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces,
               uint64_t payload_len)
{
    ASSERT(n->net && l->node == n);
    ASSERT(npieces <= WIRE_PIECES_MAX);
    ASSERT(adds_up(p, npieces, payload_len));
    const char *bad = wire_check(h, payload_len);
    if (bad) {
        l->stat.rx_bad++;
        trace(n, TRACE_DROP, DROP_FORM, h->src_node, (uintptr_t)bad);
        return;
    }
    l->stat.rx++;
    l->stat.rx_bytes += sizeof(*h) + payload_len;
    if (!addressed_to(l, h)) {
        trace(n, TRACE_DROP, DROP_ALIEN, h->src_node, h->kind);
        return; // on a shared wire, forwarding this too would double it at every node
    }
    if (h->src_node == node_ep(n)) {
        input_own(n, l, h, p, npieces);
        return;
    }
    if (h->kind == WIRE_ECHO) {
        echo_turn(n, l, h, p, npieces);
        return;
    }
    if (h->kind == WIRE_ECHO_BACK) {
        echo_returned(n, l, h);
        return;
    }

    bool flood = h->dst_node == EP_NONE;
    bool first = flood && !route_flood_seen(n, h->src_node, h->seq);
    bool proof = first || h->kind == WIRE_HEREIS;
    route_learn(n, h->src_node, l, h->src_mac, h->hops + 1u, h->path_payload, proof);
    // Only the transaction's own frames are sent by the endpoint they name; others may speak about it.
    locate_heard(n, h->kind <= WIRE_REPLY_ACK ? h->src_ep : EP_NONE, h->src_node);
    if (flood)
        input_flood(n, l, h, p, npieces, first);
    else if (h->dst_node == node_ep(n))
        input_mine(n, h, p, npieces);
    else
        route_forward(n, l, h, p, npieces);
}
