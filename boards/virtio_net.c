// SPDX-License-Identifier: BSD-2-Clause
// Network device: VIRTIO 1.2, section 5.1. One struct link for each.
//
// A chain is always one descriptor for the device's header and our wire header behind it, then descriptors for payload.
// So received payload lands in whole pages, and payload to send is read where it lies. Chain number i has a fixed place
// in the queue (descriptors i * stride ...): no search, and a number that the device returns is easy to check.
//
//   offset  0      4            16                       232
//           | pad  | virtio, 12 | wire header, 192       |
//
// The device does not interrupt for frames that it has sent. Their pages are given back at the next send, at the next
// frame received, or by a timer at the latest.
#include "arch/riscv/boot.h"
#include "boards/net_links.h"
#include "boards/plic.h"
#include "boards/virtio.h"
#include "core/config.h"
#include "core/log.h"
#include "core/node.h"
#include "core/panic.h"

#define F_MTU (1ull << 3) // 5.1.3
#define F_MAC (1ull << 5)
#define F_STATUS (1ull << 16)
#define RX_QUEUE 0 // 5.1.2
#define TX_QUEUE 1
// 5.1.4
struct config {
    uint8_t mac[6], status[2], queue_pairs[2], mtu[2]; // numbers are little-endian
};
_Static_assert(offsetof(struct config, status) == 6 && offsetof(struct config, mtu) == 10, "5.1.4: virtio_net_config");
#define STATUS_LINK_UP 1u
#define ETHERNET_HEADER 14u
#define MTU_DEFAULT 1500u

struct head {
    uint8_t pad[4];
    uint8_t virtio[12]; // 5.1.6, struct virtio_net_hdr; all zero for us
    struct wire_hdr wire;
};
#define HEAD_BYTES (sizeof(struct head) - offsetof(struct head, virtio))
_Static_assert(sizeof(struct head) == 232 && HEAD_BYTES == 228 && offsetof(struct head, wire) == 16, "as drawn");
_Static_assert(sizeof(((struct head *)0)->virtio) == 12, "5.1.6: virtio_net_hdr with num_buffers");
#define HEADS_A_PAGE (PAGE_SIZE / sizeof(struct head))

#define PAYLOAD_PAGES (WIRE_PAYLOAD_MAX / PAGE_SIZE)
_Static_assert(WIRE_PAYLOAD_MAX % PAGE_SIZE == 0, "the payload of the largest frame fills its pages");
#define RX_CHAINS_MAX 192
#define RX_PAGES_MAX 192 // 24 full frames; of a node's free pages at most 1/64
#define RX_PAGES_MIN 32
#define RX_BUDGET 256 // frames taken at one go, so that a flood does not keep the node lock
#define TX_STRIDE (1 + WIRE_PIECES_MAX)
#define TX_CHAINS_MAX (1024 / TX_STRIDE)
#define QUEUE_MAX 1024
#define QUEUE_SMALL 256        // for a node with little memory
#define SMALL_NODE_PAGES 8192u // 32 MiB
#define SLOW_NS (5 * NS_PER_MS)
_Static_assert(QUEUE_SMALL >= TX_STRIDE && TX_CHAINS_MAX * TX_STRIDE <= QUEUE_MAX, "a queue holds its chains");

enum chain_state { CHAIN_FREE, CHAIN_DEVICE }; // the driver has the chain; the device has it
struct rx_chain {
    enum chain_state state;
    struct head *head;
    void *page[PAYLOAD_PAGES];
};
struct tx_chain {
    enum chain_state state;
    struct head *head;
    unsigned npieces;
    struct piece piece[WIRE_PIECES_MAX]; // held until the device has read them
};

struct vnet {
    struct link link;
    struct virtio dev;
    struct virtq rx, tx;
    struct node *node;
    struct timer slow;
    unsigned payload_pages; // of a receive chain
    unsigned rx_chains, rx_posted;
    unsigned tx_chains, tx_busy, tx_last;
    struct rx_chain rx_chain[RX_CHAINS_MAX];
    struct tx_chain tx_chain[TX_CHAINS_MAX];
};
// --- Pages ---------------------------------------------------------------------------------------

static void hold_piece(struct node *n, const struct piece *p, void (*change)(struct node *, const void *))
{
    const uint8_t *at = p->ptr, *end = at + p->len;
    for (; at < end; at = (const uint8_t *)(((uintptr_t)at | PAGE_MASK) + 1))
        change(n, at);
}

static bool held_elsewhere(const struct node *n, const void *page)
{
    size_t i = (size_t)((const uint8_t *)page - n->pages.base) >> PAGE_SHIFT;
    return n->pages.holders[i] > 1;
}

// --- Sending -------------------------------------------------------------------------------------

static void tx_reclaim(struct vnet *v)
{
    uint32_t id, len;
    while (virtq_used(&v->tx, &id, &len)) {
        uint32_t i = id / TX_STRIDE;
        struct tx_chain *c = i < v->tx_chains ? &v->tx_chain[i] : NULL;
        if (!c || id % TX_STRIDE != 0 || c->state != CHAIN_DEVICE)
            continue; // not a chain that the device has: it is broken
        for (unsigned k = 0; k < c->npieces; k++)
            hold_piece(v->node, &c->piece[k], page_drop);
        ASSERT(v->tx_busy > 0);
        c->state = CHAIN_FREE;
        v->tx_busy--;
    }
}

static struct tx_chain *tx_free_chain(struct vnet *v)
{
    if (v->tx_busy == v->tx_chains)
        return NULL;
    do
        v->tx_last = (v->tx_last + 1) % v->tx_chains;
    while (v->tx_chain[v->tx_last].state != CHAIN_FREE);
    return &v->tx_chain[v->tx_last];
}

static void tx_fill(struct vnet *v, struct tx_chain *c, uint16_t first, const struct piece *p, unsigned npieces)
{
    struct virtq_desc *d = &v->tx.desc[first];
    ASSERT(c->state == CHAIN_FREE && npieces < TX_STRIDE && first + npieces < v->tx.size);
    d->flags = 0; // .addr, .len of the head never change
    c->npieces = 0;
    for (unsigned i = 0; i < npieces; i++) {
        if (p[i].len == 0)
            continue;
        hold_piece(v->node, &p[i], page_hold);
        c->piece[c->npieces++] = p[i];
        d->flags = VIRTQ_DESC_F_NEXT;
        d++;
        *d = (struct virtq_desc){.addr = arch_phys(p[i].ptr), .len = (uint32_t)p[i].len};
        d->next = (uint16_t)(d - v->tx.desc + 1);
    }
}

static void vnet_send(struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    struct vnet *v = l->driver;
    uint64_t total = 0;
    tx_reclaim(v);
    for (unsigned i = 0; i < npieces; i++)
        total += p[i].len;
    struct tx_chain *c = npieces <= WIRE_PIECES_MAX && total <= l->payload_max && l->up ? tx_free_chain(v) : NULL;
    if (!c) {
        l->stat.tx_drop++;
        return;
    }
    uint16_t first = (uint16_t)((unsigned)(c - v->tx_chain) * TX_STRIDE);
    c->head->wire = *h;
    tx_fill(v, c, first, p, npieces);
    c->state = CHAIN_DEVICE;
    v->tx_busy++;
    virtq_post(&v->tx, first);
    virtq_notify(&v->tx);
    if (!v->slow.armed)
        timer_set(v->node, &v->slow, node_now(v->node) + SLOW_NS);
}

// --- Receiving -----------------------------------------------------------------------------------

static unsigned rx_stride(const struct vnet *v)
{
    return 1 + v->payload_pages;
}

// Makes every page of the chain one that nothing else holds: a page that is still being sent (of a forwarded frame) is
// replaced by a fresh one. False: no memory for that now.
static bool rx_own_pages(struct vnet *v, struct rx_chain *c, struct virtq_desc *d)
{
    for (unsigned i = 0; i < v->payload_pages; i++) {
        if (c->page[i] && !held_elsewhere(v->node, c->page[i]))
            continue;
        void *fresh = page_alloc(v->node);
        if (!fresh)
            return false;
        if (c->page[i])
            page_drop(v->node, c->page[i]);
        c->page[i] = fresh;
        d[1 + i].addr = arch_phys(fresh);
    }
    return true;
}

// Posts all free chains to the device.
static void rx_post(struct vnet *v)
{
    unsigned posted = 0;
    for (unsigned i = 0; i < v->rx_chains && v->rx_posted < v->rx_chains; i++) {
        struct rx_chain *c = &v->rx_chain[i];
        uint16_t first = (uint16_t)(i * rx_stride(v));
        if (c->state != CHAIN_FREE || !rx_own_pages(v, c, &v->rx.desc[first]))
            continue;
        c->state = CHAIN_DEVICE;
        virtq_post(&v->rx, first);
        v->rx_posted++;
        posted++;
    }
    if (posted)
        virtq_notify(&v->rx);
}

static void rx_deliver(struct vnet *v, struct rx_chain *c, uint32_t len)
{
    struct piece piece[PAYLOAD_PAGES];
    unsigned n = 0;
    if (len < HEAD_BYTES || len > HEAD_BYTES + v->payload_pages * PAGE_SIZE) {
        v->link.stat.rx_bad++; // too short for us; or the device is broken
        return;
    }
    ASSERT(c->state == CHAIN_FREE);
    uint32_t payload = len - (uint32_t)HEAD_BYTES;
    for (uint32_t left = payload; left > 0; n++) {
        uint32_t here = left < PAGE_SIZE ? left : (uint32_t)PAGE_SIZE;
        piece[n] = (struct piece){c->page[n], here};
        left -= here;
    }
    net_input(v->node, &v->link, &c->head->wire, piece, n, payload);
}

// Takes the frames that have come. True: there may be more.
static bool rx_poll(struct vnet *v)
{
    uint32_t id, len;
    for (unsigned i = 0; i < RX_BUDGET; i++) {
        if (!virtq_used(&v->rx, &id, &len))
            return false;
        uint32_t at = id / rx_stride(v);
        struct rx_chain *c = at < v->rx_chains ? &v->rx_chain[at] : NULL;
        if (!c || id % rx_stride(v) != 0 || c->state != CHAIN_DEVICE)
            continue; // not a chain that the device has: it is broken
        ASSERT(v->rx_posted > 0);
        c->state = CHAIN_FREE;
        v->rx_posted--;
        rx_deliver(v, c, len);
        if (v->rx_posted <= v->rx_chains / 2)
            rx_post(v);
    }
    return true;
}

static void rx_all(struct vnet *v)
{
    virtq_interrupts(&v->rx, false);
    bool more = rx_poll(v);
    if (!more) {
        virtq_interrupts(&v->rx, true);
        more = rx_poll(v); // what came before that was seen
    }
    tx_reclaim(v);
    rx_post(v);
    if (more)
        timer_set(v->node, &v->slow, node_now(v->node));
}

// --- Interrupts, timer ---------------------------------------------------------------------------

static bool carrier(struct vnet *v)
{
    uint8_t status[2];
    if (!(v->dev.features & F_STATUS))
        return true;
    virtio_config(&v->dev, offsetof(struct config, status), status, sizeof status);
    return status[0] & STATUS_LINK_UP;
}

static void on_interrupt(void *arg)
{
    struct vnet *v = arg;
    uint32_t why = virtio_interrupts(&v->dev);
    if (why & VIRTIO_INT_QUEUE)
        rx_all(v);
    if ((why & VIRTIO_INT_CONFIG) && carrier(v) != v->link.up) {
        v->link.up = !v->link.up;
        net_link_changed(v->node, &v->link);
    }
}

// The timer: frames are being sent, or receiving was cut short, or there was no memory for receive pages.
static void on_slow(struct node *n, struct timer *t)
{
    struct vnet *v = LIST_ENTRY(t, struct vnet, slow);
    rx_all(v);
    if (!t->armed && (v->tx_busy || v->rx_posted < v->rx_chains))
        timer_set(n, t, node_now(n) + SLOW_NS);
}

// --- Starting ------------------------------------------------------------------------------------

static bool make_heads(struct vnet *v, struct head **slot, size_t slot_stride, unsigned count)
{
    struct head *page = NULL;
    for (unsigned i = 0; i < count; i++) {
        if (i % HEADS_A_PAGE == 0 && !(page = page_alloc(v->node)))
            return false;
        *(struct head **)(void *)((char *)slot + i * slot_stride) = page + i % HEADS_A_PAGE;
    }
    return true;
}

static bool make_rx(struct vnet *v)
{
    size_t pages = page_free_count(v->node) / 64;
    pages = pages > RX_PAGES_MAX ? RX_PAGES_MAX : pages < RX_PAGES_MIN ? RX_PAGES_MIN : pages;
    unsigned chains = (unsigned)pages / v->payload_pages;
    if (chains > v->rx.size / rx_stride(v))
        chains = v->rx.size / rx_stride(v);
    v->rx_chains = chains > RX_CHAINS_MAX ? RX_CHAINS_MAX : chains;
    ASSERT(v->rx_chains * rx_stride(v) <= v->rx.size);
    if (v->rx_chains == 0 || !make_heads(v, &v->rx_chain[0].head, sizeof v->rx_chain[0], v->rx_chains))
        return false;
    for (unsigned i = 0; i < v->rx_chains; i++) {
        unsigned first = i * rx_stride(v);
        for (unsigned k = 0; k < rx_stride(v); k++)
            v->rx.desc[first + k] = (struct virtq_desc){
                .len = PAGE_SIZE, .flags = VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, .next = (uint16_t)(first + k + 1)};
        v->rx.desc[first].addr = arch_phys(v->rx_chain[i].head->virtio);
        v->rx.desc[first].len = HEAD_BYTES;
        v->rx.desc[first + v->payload_pages].flags = VIRTQ_DESC_F_WRITE;
        if (!rx_own_pages(v, &v->rx_chain[i], &v->rx.desc[first]))
            return false;
    }
    return true;
}

static bool make_tx(struct vnet *v)
{
    v->tx_chains = v->tx.size / TX_STRIDE;
    ASSERT(v->tx_chains <= TX_CHAINS_MAX && v->tx_chains * TX_STRIDE <= v->tx.size);
    if (v->tx_chains == 0 || !make_heads(v, &v->tx_chain[0].head, sizeof v->tx_chain[0], v->tx_chains))
        return false;
    for (unsigned i = 0; i < v->tx_chains; i++)
        v->tx.desc[i * TX_STRIDE] = (struct virtq_desc){
            .addr = arch_phys(v->tx_chain[i].head->virtio), .len = HEAD_BYTES, .next = (uint16_t)(i * TX_STRIDE + 1)};
    virtq_interrupts(&v->tx, false);
    return true;
}

static void read_config(struct vnet *v)
{
    uint32_t mtu = MTU_DEFAULT;
    uint8_t raw[2];
    if (v->dev.features & F_MTU) {
        virtio_config(&v->dev, offsetof(struct config, mtu), raw, sizeof raw);
        mtu = (uint32_t)raw[1] << 8 | raw[0];
    }
    if (v->dev.features & F_MAC)
        virtio_config(&v->dev, offsetof(struct config, mac), v->link.mac, sizeof v->link.mac);
    if (mtu < 576) // smaller than any Ethernet's: nonsense
        mtu = MTU_DEFAULT;
    uint32_t payload = (ETHERNET_HEADER + mtu - (uint32_t)sizeof(struct wire_hdr)) & ~7u;
    v->link.payload_max = payload < WIRE_PAYLOAD_MAX ? payload : WIRE_PAYLOAD_MAX;
    v->payload_pages = (unsigned)PAGES_FOR(v->link.payload_max);
    ASSERT(v->payload_pages >= 1 && v->payload_pages <= PAYLOAD_PAGES && v->link.payload_max % 8 == 0);
}

static bool vnet_setup(struct vnet *v)
{
    uint16_t size = page_free_count(v->node) < SMALL_NODE_PAGES ? QUEUE_SMALL : QUEUE_MAX;
    if (!virtio_negotiate(&v->dev, F_MTU | F_MAC | F_STATUS))
        return false;
    read_config(v);
    if (!virtq_init(v->node, &v->dev, &v->rx, RX_QUEUE, size) || !virtq_init(v->node, &v->dev, &v->tx, TX_QUEUE, size))
        return false;
    timer_init(&v->slow, on_slow);
    v->link.up = carrier(v);
    v->link.send = vnet_send;
    v->link.driver = v;
    return make_rx(v) && make_tx(v);
}

static void vnet_go(struct link *l)
{
    struct vnet *v = l->driver;
    if (!plic_handle(v->dev.irq, on_interrupt, v))
        node_log(v->node, "%s: no interrupt: it will be slow", l->name);
    virtio_ready(&v->dev);
    rx_post(v);
}

// The memory of a device that failed is not given back: that happens at boot, if at all.
static void vnet_start(struct node *n, const struct virtio *d, uint64_t pa)
{
    ASSERT(d->id == VIRTIO_ID_NET);
    struct virtio dev = *d;
    struct vnet *v = page_alloc_run(n, PAGES_FOR(sizeof *v));
    const char *why = "no memory";
    if (v) {
        v->node = n;
        v->dev = dev;
        why = vnet_setup(v) ? net_links_found(&v->link, vnet_go) : "set-up failed";
    }
    if (why) {
        node_log(n, "virtio-net at %lx: %s", (unsigned long)pa, why);
        virtio_fail(&dev);
    }
}

const struct virtio_driver net_virtio_driver = {VIRTIO_ID_NET, vnet_start};
