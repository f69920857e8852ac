// SPDX-License-Identifier: BSD-2-Clause
// Frames in: check, learn, and hand on: back (echo), further (forward, flood) or up (xfer, locate, nodes).
//
//   net     what came in            xfer      transactions            question  what this node asks the ring
//                                   nodes     all nodes' names        place     where things are, as far as known
//                                   locate    what frames say of it   route     which way to a node
//                                                                     link      the wire
//
// Each knows those to its right and below. What question finds, it tells xfer by a hook.
#include "net/net.h"
#include "core/error.h"
#include "core/log.h"
#include "core/page.h"
#include "core/panic.h"
#include "net/locate.h"
#include "net/net_priv.h"
#include "net/question.h"
#include "net/route.h"
#include "net/xfer.h"
#include <string.h>

#define VERSION_SAID_NS (60 * NS_PER_S) // an unknown version of the wire format is logged so often at most

int net_init(struct node *n)
{
    ASSERT(n->net == NULL);
    n->net = page_alloc_run(n, NET_PAGES);
    if (!n->net)
        return -E_MEM;
    question_init(n);
    nodes_init(n);
    xfer_init(n);
    return 0;
}

void net_fini(struct node *n)
{
    ASSERT(n->net);
    question_fini(n);
    nodes_fini(n);
    for (unsigned i = 0; i < n->net->nlinks; i++)
        n->net->links[i]->node = NULL;
    for (size_t i = 0; i < NET_PAGES; i++)
        page_drop(n, (uint8_t *)n->net + i * PAGE_SIZE);
    n->net = NULL;
    n->transport = NULL;
}

// --- Links ---------------------------------------------------------------------------------------

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
        question_link_up(n);
    return 0;
}

void net_link_changed(struct node *n, struct link *l)
{
    ASSERT(n->net && l->node == n);
    if (l->up)
        question_link_up(n);
    else
        route_link_down(n, l);
}

// --- Frames --------------------------------------------------------------------------------------

static bool answer_question(struct node *n, const struct wire_hdr *h)
{
    if (h->op != LOCATE_NODES)
        return locate_answer(n, h);
    nodes_say_name(n, h);
    return false; // all nodes are asked
}

static void input_mine(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    trace(n, TRACE_FRAME_IN, h->kind, h->src_node, h->seq);
    if (h->kind == WIRE_HEREIS && h->op == LOCATE_NODES)
        nodes_hereis(n, h, p, npieces);
    else if (h->kind == WIRE_HEREIS)
        locate_hereis(n, h);
    else if (h->kind == WIRE_LOCATE) // this node is asked alone, and no other if it cannot answer
        (void)answer_question(n, h);
    else if (h->kind == WIRE_MOVED && h->tid == 0)
        locate_moved_hint(n, h);
    else
        xfer_input(n, h, p, npieces);
}

// The route is learned from duplicates too: the copy that comes second may have come the shorter way.
static void input_flood(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p,
                        unsigned npieces, bool first)
{
    if (!first)
        return;
    route_flood_heard(n, h);
    if (!answer_question(n, h))
        route_spread(n, l, h, p, npieces);
}

// Our own frame: a flood once round the ring, or what a wire shows us of what we send. Only a frame that another node
// sent on to where its endpoint has moved to may come by here and still have a way to go.
static void input_own(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    if (h->kind <= WIRE_REPLY_ACK && h->dst_node != node_ep(n))
        locate_forward(n, l, h, p, npieces);
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

// A node with another version of the wire format is deaf to this one, and nothing else would say why.
static void note_version(struct node *n, const struct link *l, const struct wire_hdr *h)
{
    uint64_t now = node_now(n), *said = &n->net->version_said_ns;
    if (h->ethertype != WIRE_ETHERTYPE_BE || h->version == WIRE_VERSION ||
        (*said != 0 && now - *said < VERSION_SAID_NS))
        return;
    *said = now;
    node_log(n, "%s: a frame of wire version %u was dropped; this node has version %u", l->name, h->version,
             WIRE_VERSION);
}

void net_input(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces,
               uint64_t payload_len)
{
    ASSERT(n->net && l->node == n);
    ASSERT(npieces <= WIRE_PIECES_MAX);
    ASSERT(adds_up(p, npieces, payload_len));
    const char *bad = wire_check(h, payload_len);
    if (bad) {
        note_version(n, l, h);
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
    if (link_echo_input(n, l, h, p, npieces))
        return;

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
        locate_forward(n, l, h, p, npieces);
}
