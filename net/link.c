// SPDX-License-Identifier: BSD-2-Clause
// Links: what every frame that leaves gets last, and the echo, which measures a link. An echo is turned round before
// any table is looked at, so that nothing but the link, its driver and its wire is measured.
#include "net/link.h"
#include "core/error.h"
#include "core/event.h"
#include "core/panic.h"
#include "core/transport.h"
#include "net/net_priv.h"
#include <string.h>

#define ECHO_TIMEOUT_NS (1 * NS_PER_S)

const uint8_t link_mac_everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct link *link_at(struct node *n, unsigned i)
{
    return i < n->net->nlinks ? n->net->links[i] : NULL;
}

void link_put(struct node *n, struct link *l, struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    ASSERT(l->node == n);
    ASSERT(npieces <= WIRE_PIECES_MAX);
    if (!l->up || h->payload > l->payload_max) {
        trace(n, TRACE_DROP, DROP_LINK, h->dst_node, h->kind);
        l->stat.tx_drop++;
        return;
    }
    memcpy(h->src_mac, l->mac, sizeof(h->src_mac));
    h->ethertype = WIRE_ETHERTYPE_BE;
    h->version = WIRE_VERSION;
    l->stat.tx++;
    l->stat.tx_bytes += sizeof(*h) + h->payload;
    l->send(l, h, p, npieces);
}

bool link_status(struct node *n, unsigned i, struct link_status *out)
{
    const struct link *l = link_at(n, i);
    if (!l)
        return false;
    *out = (struct link_status){.up = l->up,
                                .payload_max = l->payload_max,
                                .tx = l->stat.tx,
                                .rx = l->stat.rx,
                                .tx_drop = l->stat.tx_drop,
                                .rx_bad = l->stat.rx_bad};
    strncpy(out->name, l->name, sizeof out->name - 1);
    return true;
}

// --- Echo ----------------------------------------------------------------------------------------

static void echo_header(struct node *n, struct link *l, struct wire_hdr *h, enum wire_kind kind)
{
    h->kind = (uint8_t)kind;
    h->hops = 0;
    h->limit = 1;
    h->path_payload = l->payload_max;
    h->src_node = node_ep(n);
}

void link_echo(struct node *n, struct link *l, uint32_t payload)
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
    memcpy(h.dst_mac, link_mac_everyone, sizeof(h.dst_mac));
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

// On a shared wire every station answers: the first answer counts.
static void echo_returned(struct node *n, struct link *l, const struct wire_hdr *h)
{
    if (h->dst_node != node_ep(n) || h->seq != l->echo.sent || l->echo.back == h->seq)
        return;
    l->echo.back = h->seq;
    l->echo.back_ns = node_now(n);
    task_wake(n, l);
}

// A lost echo would leave the task asleep: a timer wakes it as its return would.
struct echo_alarm {
    struct timer timer;
    struct link *link;
};

static void echo_overdue(struct node *n, struct timer *t)
{
    task_wake(n, ((struct echo_alarm *)(void *)t)->link);
}

int link_echo_wait(struct node *n, unsigned i, uint32_t payload)
{
    struct link *l = link_at(n, i);
    if (!l || payload > l->payload_max)
        return -E_ARG;
    struct echo_alarm alarm = {.link = l};
    timer_init(&alarm.timer, echo_overdue);
    uint64_t until = node_now(n) + ECHO_TIMEOUT_NS;
    timer_set(n, &alarm.timer, until);
    link_echo(n, l, payload);
    while (l->echo.back != l->echo.sent && node_now(n) < until)
        task_wait(n, l);
    timer_cancel(n, &alarm.timer);
    return l->echo.back == l->echo.sent ? 0 : -E_TIMEOUT;
}

bool link_echo_input(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    if (h->kind == WIRE_ECHO)
        echo_turn(n, l, h, p, npieces);
    else if (h->kind == WIRE_ECHO_BACK)
        echo_returned(n, l, h);
    else
        return false;
    return true;
}
