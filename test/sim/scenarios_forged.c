// SPDX-License-Identifier: BSD-2-Clause
// Frames from nowhere: requests of clients that do not exist, and announcements of requests whose data never comes.
// They cost memory for a bounded time, and do not keep a service from those who are there.
#include "test/sim/cast.h"
#include "test/sim/scenarios.h"

#include "services/proc/proc_priv.h"
#include "services/protocol.h"

#include <string.h>

static struct sim_link *first_link_of(struct sim *s, unsigned node)
{
    for (unsigned w = 0; w < s->nwires; w++)
        for (unsigned end = 0; end < s->wire[w].nends; end++)
            if (s->wire[w].node[end] == node)
                return s->wire[w].end[end];
    return NULL;
}

struct forgery {
    struct port port;
    ep_t dst;
    uint64_t total; // length that is announced
    ep_t first;     // client; the others follow at some distance
};

// Request number i of a forgery, as it would come from a neighbour. None has a capability that is good.
static struct wire_hdr forged(struct node *n, const struct link *l, const struct forgery *f, unsigned i)
{
    struct wire_hdr h = {
        .ethertype = __builtin_bswap16(WIRE_ETHERTYPE),
        .version = WIRE_VERSION,
        .kind = WIRE_REQUEST,
        .limit = WIRE_HOPS_MAX,
        .path_payload = SIM_FRAG_ETHERNET,
        .src_node = 0x1234567,
        .dst_node = node_ep(n),
        .src_ep = f->first + i * 7919ull,
        .dst_ep = f->dst,
        .tid = 1,
        .op = 200,
        .seq = 1,
        .total = f->total,
        .src_mac = {2, 0, 0, 0, 0, 99},
    };
    memcpy(h.dst_mac, l->mac, sizeof h.dst_mac);
    h.cap.port = f->port;
    return h;
}

static void forge(struct sim *s, unsigned node, const struct forgery *f, unsigned count)
{
    struct node *n = s->node[node].n;
    struct link *l = &first_link_of(s, node)->l;
    host_node_enter(n);
    for (unsigned i = 0; i < count; i++) {
        struct wire_hdr h = forged(n, l, f, i);
        net_input(n, l, &h, NULL, 0, 0);
    }
    sim_poke(&s->node[node]);
}

// --- Records -----------------------------------------------------------------------------------------------------

// Keeps the server busy for ever: a client whose call asks for practically endless work. How much is drawn by the
// client, so it takes some clients until one has drawn so.
static bool keep_busy(struct sim *s, const struct guest_spec *server)
{
    struct guest_spec client = client_spec(s, 0, server, 1, 64);
    client.work_ns = 1ull << 62;
    client.may_fail = true;
    for (unsigned i = 0; i < 30; i++) {
        client.seed = sim_rand(&s->rand);
        client.id = i;
        struct sim_guest *g = sim_exec(s, 2, &client);
        if (!g)
            return false;
        sim_run(s, NS_PER_S, NULL, NULL);
        if (!g->ended)
            return true;
    }
    sim_trouble(s, "no client keeps the server busy");
    return false;
}

// Requests of 10,000 clients that do not exist wait for a busy server. An hour after the last frame none is left.
static void play_queued(struct sim *s)
{
    sim_ring(s, 4);
    struct guest_spec spec = server_spec(s, 1);
    struct sim_guest *server = sim_exec(s, 1, &spec);
    if (!server || !keep_busy(s, &spec))
        return;
    struct node *n = s->node[1].n;
    size_t before = n->pool_rec.used;
    struct forgery f = {sim_server_cap(&spec).port, proc_of(s, server)->ep, 0, 0x100000001ull};
    for (unsigned k = 0; k < 40; k++) {
        forge(s, 1, &f, 250);
        sim_run(s, NS_PER_S, NULL, NULL);
        f.first += 100000000ull;
    }
    size_t most = n->pool_rec.used;
    sim_run(s, 3600 * NS_PER_S, NULL, NULL);
    if (n->pool_rec.used > before)
        sim_trouble(s, "10,000 forged requests: records %zu -> %zu; an hour after the last frame %zu", before, most,
                    n->pool_rec.used);
}

// --- Services held up ---------------------------------------------------------------------------------------------

// To the process service of node 1: long requests, of which no data ever comes.
static struct forgery announcements(struct sim *s)
{
    struct node *n = s->node[1].n;
    return (struct forgery){n->services->proc->put, node_ep(n), 100000, 0x200000001ull};
}

// 40 announcements, repeated every 3 s. The process service answers orders all the same.
static void play_slowloris(struct sim *s)
{
    enum { ORDERS = 20 };
    unsigned answered = 0;
    sim_ring(s, 4);
    struct guest_spec server = server_spec(s, 1);
    if (!sim_exec(s, 1, &server))
        return;
    struct forgery f = announcements(s);
    for (unsigned i = 0; i < ORDERS; i++) {
        struct sim_order o = {
            .cap = s->guest[0].cap, .op = OP_PROC_SET_COMMENT, .req = buf_kernel("x", 1), .timeout_ms = 3000};
        forge(s, 1, &f, 40);
        if (sim_order(s, &o) != 0)
            continue;
        answered++;
        sim_run(s, 3 * NS_PER_S, NULL, NULL);
    }
    if (answered < ORDERS)
        sim_trouble(s, "%u of %u orders to a service that is sent announcements were answered", answered, ORDERS);
}

#define MOVE_MOST_NS (60 * NS_PER_S)

// A move to a node whose process service is held up: it is given up soon, and the process runs meanwhile.
static void play_frozen_move(struct sim *s)
{
    sim_ring(s, 4);
    struct guest_spec sleeper = sleeper_spec(s, NS_PER_MS);
    struct sim_guest *g = sim_exec(s, 2, &sleeper);
    if (!g)
        return;
    struct forgery f = announcements(s);
    struct sim_order o;
    forge(s, 1, &f, 6);
    sim_run(s, 100 * NS_PER_MS, NULL, NULL);
    sim_migrate_start(s, &o, g, 1); // where to: the target's directory answers
    sim_run(s, NS_PER_S, NULL, NULL);
    uint64_t begun = s->now_ns, steps = guest_data_of(s, g)->calls;
    while (!o.done && !s->trouble[0] && s->now_ns - begun < 900 * NS_PER_S) {
        forge(s, 1, &f, 6);
        sim_run(s, 3 * NS_PER_S, NULL, NULL);
    }
    steps = guest_data_of(s, g)->calls - steps;
    if (s->now_ns - begun > MOVE_MOST_NS)
        sim_trouble(s, "a move to a service that is held up ended after %llu s (%s); the process made %llu steps",
                    (unsigned long long)((s->now_ns - begun) / NS_PER_S), error_name(o.status),
                    (unsigned long long)steps);
}

const struct scenario scenarios_forged[] = {
    {"queued", "requests of clients that are no more do not wait for ever", play_queued, .seeds = 1},
    {"slowloris", "announcements without data do not keep the process service from others", play_slowloris, .seeds = 1},
    {"frozen_move", "a move to a node that is busy is given up soon", play_frozen_move, .seeds = 2},
    {0},
};
