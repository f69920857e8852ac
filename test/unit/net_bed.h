// SPDX-License-Identifier: BSD-2-Clause
// A bed for tests of net/: nodes, wires, and a clock that only the test moves. Frames are copied into one queue and
// delivered HOP_NS later, in order. In place of net/xfer.c there are functions that only take notes; include this in a
// test that does not need the real ones.
#ifndef TEST_UNIT_NET_BED_H
#define TEST_UNIT_NET_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/host/host.h"
#include "core/error.h"
#include "core/life.h"
#include "core/port.h"
#include "net/locate.h"
#include "net/net.h"
#include "net/net_priv.h"
#include "net/place.h"
#include "net/question.h"
#include "net/route.h"
#include "net/waiters.h"
#include "net/xfer.h"

#define UNUSED __attribute__((unused))
#define BED_NODES 16
#define BED_LINKS (BED_NODES * 4)
#define BED_NODE_PAGES 256
#define HOP_NS 50000ull
#define NOTES_MAX 64
#define FRAMES_MAX 100000u // of one test: more is a storm, and the test would not end

struct bed_link {
    struct link l; // first: send() gets its address
    unsigned wire;
};
struct frame {
    struct frame *next;
    uint64_t at_ns;
    struct bed_link *from;
    struct wire_hdr h;
    uint8_t payload[];
};
struct note { // what a node's upper half was given
    struct node *node;
    struct wire_hdr h;
    ep_t found_ep;
    struct port found_port;
};
static struct bed {
    uint64_t now;
    struct node *node[BED_NODES];
    size_t pages_before[BED_NODES];
    unsigned nnodes;
    struct bed_link link[BED_LINKS];
    unsigned nlinks, nwires;
    bool cut[BED_LINKS]; // wires that swallow frames and do not tell
    unsigned doubled;    // every frame is delivered so many times more
    struct frame *first, **last;
    uint64_t frames; // put on any wire
    uint64_t kinds[WIRE_KINDS];
    struct note notes[NOTES_MAX];
    unsigned nnotes;
} bed;

// --- In place of xfer.c ----------------------------------------------------------------------------

static struct note *bed_note(struct node *n)
{
    struct note *note = &bed.notes[bed.nnotes++ % NOTES_MAX];
    memset(note, 0, sizeof(*note));
    note->node = n;
    return note;
}
void xfer_input(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    (void)p, (void)npieces;
    bed_note(n)->h = *h;
}
static void bed_found_ep(struct node *n, ep_t ep)
{
    bed_note(n)->found_ep = ep;
}
static void bed_found_port(struct node *n, struct port p)
{
    bed_note(n)->found_port = p;
}
void xfer_init(struct node *n)
{
    question_on_found(n, bed_found_ep, bed_found_port);
}

UNUSED static const struct note *last_note(void)
{
    assert_true(bed.nnotes > 0);
    return &bed.notes[(bed.nnotes - 1) % NOTES_MAX];
}

// --- Nodes and wires -------------------------------------------------------------------------------

static uint64_t bed_clock(struct node *n)
{
    (void)n;
    return bed.now;
}

static void bed_send(struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned np)
{
    struct bed_link *bl = (struct bed_link *)(void *)l;
    struct frame *f = calloc(1, sizeof(*f) + h->payload);
    size_t at = 0;
    for (unsigned i = 0; i < np; at += p[i++].len)
        memcpy(f->payload + at, p[i].ptr, p[i].len);
    assert_int_equal(at, h->payload);
    assert_null(wire_check(h, h->payload)); // nobody sends what another would refuse
    f->h = *h;
    f->from = bl;
    f->at_ns = bed.now + HOP_NS;
    *bed.last = f;
    bed.last = &f->next;
    assert_true(++bed.frames < FRAMES_MAX);
    bed.kinds[h->kind]++;
}

static struct link *bed_attach(unsigned node, unsigned wire, uint32_t payload_max)
{
    struct bed_link *bl = &bed.link[bed.nlinks++];
    uint8_t mac[6] = {2, 0, 0, 0, (uint8_t)node, (uint8_t)bed.nlinks};
    bl->wire = wire;
    bl->l = (struct link){.name = "net", .payload_max = payload_max, .up = true, .send = bed_send};
    memcpy(bl->l.mac, mac, sizeof(mac));
    assert_int_equal(net_link_add(bed.node[node], &bl->l), 0);
    return &bl->l;
}

static unsigned bed_wire(unsigned a, unsigned b)
{ // a cable between two nodes
    unsigned wire = bed.nwires++;
    bed_attach(a, wire, WIRE_PAYLOAD_MAX);
    bed_attach(b, wire, WIRE_PAYLOAD_MAX);
    return wire;
}

static void bed_new(unsigned nnodes)
{
    assert_true(nnodes <= BED_NODES);
    memset(&bed, 0, sizeof(bed));
    bed.last = &bed.first;
    bed.now = 1000 * NS_PER_S;
    for (unsigned i = 0; i < nnodes; i++) {
        char name[16];
        struct host_options o = {.clock = bed_clock, .seed = 100 + i};
        snprintf(name, sizeof(name), "n%u", i);
        bed.node[i] = host_node_new(name, BED_NODE_PAGES, &o);
        assert_non_null(bed.node[i]);
        host_node_enter(bed.node[i]);
        bed.pages_before[i] = page_free_count(bed.node[i]);
        assert_int_equal(net_init(bed.node[i]), 0);
    }
    bed.nnodes = nnodes;
}

UNUSED static void bed_line(unsigned nnodes)
{
    bed_new(nnodes);
    for (unsigned i = 0; i + 1 < nnodes; i++)
        bed_wire(i, i + 1);
}

UNUSED static void bed_ring(unsigned nnodes)
{ // wire i joins nodes i and i + 1
    bed_line(nnodes);
    bed_wire(nnodes - 1, 0);
}

static int bed_free(void **state)
{
    (void)state;
    size_t lost = 0;
    while (bed.first) {
        struct frame *f = bed.first;
        bed.first = f->next;
        free(f);
    }
    for (unsigned i = 0; i < bed.nnodes; i++) {
        host_node_enter(bed.node[i]);
        LIST_FOR_SAFE (l, next, &bed.node[i]->procs) {
            struct proc *p = LIST_ENTRY(l, struct proc, link);
            if (p != bed.node[i]->kproc)
                proc_destroy(bed.node[i], p, true);
        }
        net_fini(bed.node[i]);
        lost += bed.pages_before[i] - page_free_count(bed.node[i]);
        host_node_free(bed.node[i]);
    }
    if (lost > 0)
        fprintf(stderr, "%zu pages were not given back\n", lost);
    return lost > 0 ? -1 : 0;
}

UNUSED static ep_t ep_of(unsigned node)
{
    return node_ep(bed.node[node]);
}

// --- Time ------------------------------------------------------------------------------------------

static void bed_hand_over(struct frame *f, struct bed_link *to)
{
    struct piece p[2] = {{f->payload, f->h.payload / 2},
                         {f->payload + f->h.payload / 2, f->h.payload - f->h.payload / 2}};
    host_node_enter(to->l.node);
    net_input(to->l.node, &to->l, &f->h, p, 2, f->h.payload);
}

static void bed_deliver(void)
{
    struct frame *f = bed.first;
    bed.first = f->next;
    if (!bed.first)
        bed.last = &bed.first;
    for (unsigned copy = 0; copy <= bed.doubled; copy++)
        for (unsigned i = 0; i < bed.nlinks; i++) {
            struct bed_link *to = &bed.link[i];
            if (to->wire == f->from->wire && to != f->from && to->l.up && !bed.cut[to->wire])
                bed_hand_over(f, to);
        }
    free(f);
}

static uint64_t bed_next(void)
{
    uint64_t at = bed.first ? bed.first->at_ns : UINT64_MAX;
    for (unsigned i = 0; i < bed.nnodes; i++)
        if (timer_next(bed.node[i]) < at)
            at = timer_next(bed.node[i]);
    return at;
}

// Lets everything happen that is due within the next `ns`.
UNUSED static void bed_run(uint64_t ns)
{
    uint64_t end = bed.now + ns;
    for (uint64_t at = bed_next(); at <= end; at = bed_next()) {
        if (at > bed.now)
            bed.now = at;
        while (bed.first && bed.first->at_ns <= bed.now)
            bed_deliver();
        for (unsigned i = 0; i < bed.nnodes; i++) {
            host_node_enter(bed.node[i]);
            timer_run(bed.node[i], bed.now);
        }
    }
    bed.now = end;
}

// Sends a frame of the transport from node a to node b; answers whether it arrived.
UNUSED static bool bed_say(unsigned a, unsigned b)
{
    struct wire_hdr h = {.kind = WIRE_REQUEST, .dst_node = ep_of(b), .src_ep = ep_of(a), .tid = 1};
    unsigned notes = bed.nnotes;
    host_node_enter(bed.node[a]);
    locate_send(bed.node[a], &h, NULL, 0);
    bed_run(5 * NS_PER_MS);
    for (unsigned i = notes; i < bed.nnotes; i++) {
        const struct note *note = &bed.notes[i % NOTES_MAX];
        if (note->node == bed.node[b] && note->h.kind == WIRE_REQUEST && note->h.src_node == ep_of(a))
            return true;
    }
    return false;
}

// Node a looks for node b, as the first frame to it does.
UNUSED static void bed_meet(unsigned a, unsigned b)
{
    question_ask(bed.node[a], EP_NONE, ep_of(b));
    bed_run(100 * NS_PER_MS);
    assert_non_null(route_find(bed.node[a], ep_of(b)));
}

#endif
