// SPDX-License-Identifier: BSD-2-Clause
// Many of something: moves at once, records, nodes, calls to ports that nobody serves. What is full makes others wait;
// it does not refuse them, and it costs no bystander anything.
#include "test/sim/cast.h"
#include "test/sim/scenarios.h"

#include "core/rec.h"
#include "services/protocol.h"

#include <string.h>

// --- Moves at once --------------------------------------------------------------------------------------------------

#define MOVES_MOST 64u

struct moves {
    struct sim_order order[MOVES_MOST];
    unsigned count;
};

static bool all_moved(struct sim *s, void *arg)
{
    const struct moves *m = arg;
    (void)s;
    for (unsigned i = 0; i < m->count; i++)
        if (!m->order[i].done)
            return false;
    return true;
}

static void moves_check(struct sim *s, const struct moves *m)
{
    unsigned full = 0, other = 0;
    int64_t last = 0;
    for (unsigned i = 0; i < m->count; i++) {
        int64_t status = m->order[i].status;
        full += status == -E_LIMIT;
        if (status != 0 && status != -E_LIMIT) {
            other++;
            last = status;
        }
    }
    if (other)
        sim_trouble(s, "%u of %u moves at once failed: %s", other, m->count, error_name(last));
    if (full)
        sim_trouble(s, "%u of %u moves at once were refused: E_LIMIT", full, m->count);
}

// All guests are told to move to the next node, at the same time.
static void many_moves(struct sim *s, unsigned nodes, unsigned guests)
{
    struct moves m = {.count = guests};
    sim_ring(s, nodes);
    struct guest_spec sleeper = sleeper_spec(s, NS_PER_S);
    for (unsigned i = 0; i < guests; i++)
        if (!sim_exec(s, i % nodes, &sleeper))
            return;
    sim_run(s, 5 * NS_PER_S, NULL, NULL);
    for (unsigned i = 0; i < guests; i++)
        sim_migrate_start(s, &m.order[i], &s->guest[i], (i + 1) % nodes);
    if (!sim_run(s, 2000 * NS_PER_S, all_moved, &m))
        sim_trouble(s, "the moves do not end");
    else
        moves_check(s, &m);
}

static void play_moves64_4(struct sim *s)
{
    many_moves(s, 4, 64);
}

static void play_moves64_2(struct sim *s)
{
    many_moves(s, 2, 64);
}

static void play_moves40_2(struct sim *s)
{
    many_moves(s, 2, 40);
}

// --- Records ----------------------------------------------------------------------------------------------------

// As after so many calls of as many threads of clients within the last 20 s.
static bool records_make(struct sim *s, struct node *n, struct proc *p, unsigned count)
{
    host_node_enter(n);
    for (unsigned i = 0; i < count; i++) {
        struct rec *r = txn_rec_create(n, p, 0x300000001ull + i / 100 * 7919ull, i % 100 + 1);
        if (!r) {
            sim_trouble(s, "no memory for record %u", i);
            return false;
        }
        r->seq = 1;
        r->remote = true;
        r->peer.heard_ns = node_now(n);
        timer_set(n, &r->timer, node_now(n) + RECORD_LIFE_NS);
    }
    return true;
}

// A server with many records of finished calls can be moved.
static void many_records(struct sim *s, unsigned count)
{
    s->node_pages = 16384;
    sim_ring(s, 4);
    struct guest_spec spec = server_spec(s, 1);
    struct sim_guest *server = sim_exec(s, 1, &spec);
    if (!server)
        return;
    sim_run(s, NS_PER_S, NULL, NULL);
    if (!records_make(s, s->node[1].n, proc_of(s, server), count))
        return;
    int64_t status = sim_migrate(s, server, 2);
    if (status != 0)
        sim_trouble(s, "a server with %u records of finished calls cannot be moved: %s", count, error_name(status));
}

static void play_recs10k(struct sim *s)
{
    many_records(s, 10000);
}

static void play_recs30k(struct sim *s)
{
    many_records(s, 40000);
}

// --- Long rings ---------------------------------------------------------------------------------------------------

// A client calls a server on the opposite side.
static void long_ring(struct sim *s, unsigned nodes)
{
    sim_ring(s, nodes);
    struct guest_spec server = server_spec(s, 1);
    if (!sim_exec(s, 1, &server))
        return;
    struct guest_spec client = client_spec(s, 0, &server, 5, 64);
    client.may_fail = true;
    client.work_ns = 0;
    struct sim_guest *g = sim_exec(s, (1 + nodes / 2) % nodes, &client);
    if (!g)
        return;
    clients_end(s);
    if (g->status != 0)
        sim_trouble(s, "%llu of 5 calls across a ring of %u failed, first %s", (unsigned long long)g->data.errors,
                    nodes, error_name((int64_t)g->data.first_status));
}

static void play_ring32(struct sim *s)
{
    long_ring(s, 32);
}

static void play_ring64(struct sim *s)
{
    long_ring(s, 64);
}

static void play_ring70(struct sim *s)
{
    long_ring(s, 70);
}

// --- Ports that nobody serves --------------------------------------------------------------------------------------

// Questions a second on one link, whatever the number of nodes and of those who ask.
#define QUESTIONS_MOST 20u
#define WATCH_S 60u

// On each node clients that call a dead port again and again, all the same one or each its own.
static void dead_ports(struct sim *s, unsigned nodes, unsigned each, bool same)
{
    sim_ring(s, nodes);
    struct guest_spec server = server_spec(s, 1);
    for (unsigned i = 0; i < nodes * each; i++) {
        if (!same)
            server = server_spec(s, 1);
        struct guest_spec client = client_spec(s, i % GUEST_NESTED, &server, UINT64_MAX, 64);
        client.may_fail = true;
        client.pause_ns = 1000;
        if (!sim_exec(s, i % nodes, &client))
            return;
    }
    sim_run(s, 10 * NS_PER_S, NULL, NULL);
    uint64_t before = s->frames_of[WIRE_LOCATE];
    sim_run(s, WATCH_S * NS_PER_S, NULL, NULL);
    uint64_t questions = (s->frames_of[WIRE_LOCATE] - before) / WATCH_S;
    sim_say(s, "%llu questions a second in the ring", (unsigned long long)questions);
    if (questions > (uint64_t)QUESTIONS_MOST * s->nwires)
        sim_trouble(s, "dead ports cost %llu questions a second in the ring, %llu on each link",
                    (unsigned long long)questions, (unsigned long long)(questions / s->nwires));
}

static void play_dead4(struct sim *s)
{
    dead_ports(s, 4, 1, true);
}

static void play_dead16(struct sim *s)
{
    dead_ports(s, 16, 1, true);
}

static void play_dead32(struct sim *s)
{
    dead_ports(s, 32, 1, true);
}

static void play_dead64(struct sim *s)
{
    dead_ports(s, 64, 1, true);
}

static void play_dead4x30(struct sim *s)
{
    dead_ports(s, 4, 30, false);
}

static void play_dead16x8(struct sim *s)
{
    dead_ports(s, 16, 8, false);
}

#define DEAD_CALLERS 120u

// On node 2; each calls a port of its own that nobody serves.
static bool dead_callers_start(struct sim *s)
{
    for (unsigned i = 0; i < DEAD_CALLERS; i++) {
        struct guest_spec none = server_spec(s, 1);
        struct guest_spec client = client_spec(s, i % GUEST_NESTED, &none, UINT64_MAX, 64);
        client.may_fail = true;
        client.pause_ns = 1000;
        if (!sim_exec(s, 2, &client))
            return false;
    }
    return true;
}

// A program calls ports that nobody serves; its neighbours on the same node call live servers for the first time.
static void play_neighbours(struct sim *s)
{
    enum { SERVERS = 8 };
    struct guest_spec server[SERVERS];
    unsigned bad = 0;
    sim_ring(s, 4);
    for (unsigned i = 0; i < SERVERS; i++) {
        server[i] = server_spec(s, 1);
        if (!sim_exec(s, 1, &server[i]))
            return;
    }
    if (!dead_callers_start(s))
        return;
    sim_run(s, 20 * NS_PER_S, NULL, NULL);
    for (unsigned i = 0; i < SERVERS; i++) {
        struct guest_spec client = client_spec(s, 8 + i, &server[i], 1, 64);
        client.may_fail = true;
        client.work_ns = 0;
        struct sim_guest *g = sim_exec(s, 2, &client);
        if (!g)
            return;
        uint64_t begun = s->now_ns;
        while (!g->ended && !s->trouble[0] && s->now_ns - begun < 100 * NS_PER_S)
            sim_run(s, NS_PER_MS, NULL, NULL);
        bad += !g->ended || g->data.errors > 0;
    }
    if (bad)
        sim_trouble(s, "%u of %u first calls to live servers failed, for others on the node call dead ports", bad,
                    SERVERS);
}

static const struct known_fault too_many_records = {"a server with 40,000 records of finished calls cannot be moved",
                                                    "records of finished calls cannot be moved: E_LIMIT",
                                                    {1}};

const struct scenario scenarios_crowd[] = {
    {"moves64_4", "64 moves at once between four nodes: all are done", play_moves64_4, .seeds = 2},
    {"moves64_2", "64 moves at once between two nodes: all are done", play_moves64_2, .seeds = 2},
    {"moves40_2", "40 moves at once between two nodes: all are done", play_moves40_2, .seeds = 2},
    {"recs10k", "a server with 10,000 records of finished calls can be moved", play_recs10k, .seeds = 1},
    {"recs30k", "a server with 40,000 records of finished calls can be moved", play_recs30k, .seeds = 1,
     .fault = &too_many_records},
    {"ring32", "a call across a ring of 32 nodes", play_ring32, .seeds = 1},
    {"ring64", "a call across a ring of 64 nodes", play_ring64, .seeds = 1},
    {"ring70", "a call across a ring of 70 nodes", play_ring70, .seeds = 1},
    {"dead4", "four nodes call a dead port: few questions on each link", play_dead4, .seeds = 1},
    {"dead16", "sixteen nodes call a dead port: no more questions on each link", play_dead16, .seeds = 1},
    {"dead32", "32 nodes call a dead port: no more questions on each link", play_dead32, .seeds = 1, .slow = true},
    {"dead64", "64 nodes call a dead port: no more questions on each link", play_dead64, .seeds = 1, .slow = true},
    {"dead4x30", "120 clients call dead ports: no more questions on each link", play_dead4x30, .seeds = 1},
    {"dead16x8", "128 clients on sixteen nodes call dead ports: no more questions on each link", play_dead16x8,
     .seeds = 1, .slow = true},
    {"neighbours", "who calls dead ports takes nothing from others on the same node", play_neighbours, .seeds = 1},
    {0},
};
