// SPDX-License-Identifier: BSD-2-Clause
// As many nodes as the kernel's tables are made for, and as many questions as one program can ask.
#include "test/sim/cast.h"
#include "test/sim/scenarios.h"

#define LARGE_PAGES 1024u // of a node, when there are many

// --- Calls, moves and a cut ----------------------------------------------------------------------------------------

static void sim_bus(struct sim *s, unsigned nodes)
{
    for (unsigned i = 0; i < nodes; i++)
        sim_add_node(s);
    struct sim_wire *w = sim_add_wire(s, SIM_FRAG_ETHERNET, 0, 1);
    for (unsigned i = 2; i < nodes; i++)
        sim_wire_join(w, i);
    for (unsigned i = 0; i < nodes; i++)
        sim_power_on(s, i);
}

// A server on one side, clients all round; the server and the clients are moved, and for some seconds a wire swallows
// what it gets: of a ring any one, of a bus the only one.
static void large(struct sim *s, unsigned nodes, void (*wires)(struct sim *s, unsigned nodes))
{
    struct cast c = {.server_spec = server_spec(s, 2), .nclients = 4, .calls = 40};
    s->node_pages = LARGE_PAGES;
    wires(s, nodes);
    c.server = sim_exec(s, nodes / 2, &c.server_spec);
    for (unsigned i = 0; c.server && i < c.nclients; i++) {
        struct guest_spec spec = client_spec(s, i, &c.server_spec, c.calls, 20000);
        spec.pause_ns = 100 * NS_PER_MS;
        c.client[i] = sim_exec(s, 1 + i * nodes / c.nclients, &spec);
        if (!c.client[i])
            return;
    }
    if (!c.server)
        return;
    sim_movers_start(s, 2, 500 * NS_PER_MS);
    sim_run(s, 500 * NS_PER_MS, NULL, NULL);
    struct sim_wire *w = &s->wire[sim_below(&s->rand, s->nwires)];
    sim_wire_set(s, w, true, true);
    sim_run(s, 3 * NS_PER_S, NULL, NULL);
    sim_wire_set(s, w, false, true);
    sim_run(s, 5 * NS_PER_S, NULL, NULL);
    clients_end(s);
    sim_movers_stop(s);
    if (!s->trouble[0] && s->moves < 4)
        sim_trouble(s, "only %llu moves", (unsigned long long)s->moves);
    cast_end(s, &c);
}

static void play_ring_large(struct sim *s)
{
    large(s, 96, sim_ring);
}

static void play_bus_large(struct sim *s)
{
    large(s, 48, sim_bus);
}

static void play_ring256(struct sim *s)
{
    large(s, 256, sim_ring);
}

static void play_bus256(struct sim *s)
{
    large(s, 256, sim_bus);
}

// --- Dead ports ----------------------------------------------------------------------------------------------------

#define GROWTH_NUM 3u // questions on a link grow by at most 3/2
#define GROWTH_DEN 2u
#define WATCH_S 30u

// On each node a client calls a dead port of its own again and again. Returns the questions that all wires carry in
// WATCH_S, for each wire.
static uint64_t questions_on_a_link(struct sim *s, unsigned nodes)
{
    s->node_pages = LARGE_PAGES;
    sim_ring(s, nodes);
    for (unsigned i = 0; i < nodes; i++) {
        struct guest_spec none = server_spec(s, 1);
        struct guest_spec client = client_spec(s, i % GUEST_NESTED, &none, UINT64_MAX, 64);
        client.may_fail = true;
        client.pause_ns = 1000;
        if (!sim_exec(s, i, &client))
            return 0;
    }
    sim_run(s, 10 * NS_PER_S, NULL, NULL);
    uint64_t before = s->frames_of[WIRE_LOCATE];
    sim_run(s, WATCH_S * NS_PER_S, NULL, NULL);
    return (s->frames_of[WIRE_LOCATE] - before) / s->nwires;
}

static void dead_growth(struct sim *s, unsigned nodes)
{
    struct sim *four = sim_new(s->name, s->seed, s->node_pages, s->totals);
    uint64_t few = questions_on_a_link(four, 4);
    if (four->trouble[0])
        sim_trouble(s, "of four nodes: %s", four->trouble);
    sim_free(four);
    uint64_t many = questions_on_a_link(s, nodes);
    sim_say(s, "in %u s a link carries %llu questions of 4 nodes and %llu of %u", WATCH_S, (unsigned long long)few,
            (unsigned long long)many, nodes);
    if (few == 0 || many == 0)
        sim_trouble(s, "nobody asks");
    if (many * GROWTH_DEN > few * GROWTH_NUM)
        sim_trouble(s, "dead ports cost %llu questions on a link with 4 nodes and %llu with %u",
                    (unsigned long long)few, (unsigned long long)many, nodes);
}

static void play_growth64(struct sim *s)
{
    dead_growth(s, 64);
}

static void play_growth256(struct sim *s)
{
    dead_growth(s, 256);
}

// --- One program calls very many dead ports ------------------------------------------------------------------------

#define SEEKER_PORTS 1500u
#define FIRST_CALL_NS (50 * NS_PER_MS)

// A first call to a server that is there.
static void first_call(struct sim *s, unsigned id, unsigned node, const struct guest_spec *server)
{
    struct guest_spec client = client_spec(s, id, server, 1, 64);
    client.work_ns = 0;
    struct sim_guest *g = sim_exec(s, node, &client);
    uint64_t begun = s->now_ns;
    while (g && !g->ended && !s->trouble[0] && s->now_ns - begun < 100 * NS_PER_S)
        sim_run(s, NS_PER_MS, NULL, NULL);
    if (g && s->now_ns - begun > FIRST_CALL_NS)
        sim_trouble(s, "a first call on n%u takes %llu ms", node,
                    (unsigned long long)((s->now_ns - begun) / NS_PER_MS));
}

// At once, while the seeker's first questions are asked, and later, when nearly all wait their turn: its neighbours on
// the same node and on others call servers for the first time.
static void play_seeker(struct sim *s)
{
    enum { SERVERS = 8 };
    struct guest_spec server[SERVERS];
    struct guest_spec seeker = {.program = GUEST_SEEKER, .threads = SEEKER_PORTS, .may_fail = true};
    seeker.get[0] = 0x5ee4e4;
    seeker.get[1] = 0x7e58;
    sim_ring(s, 4);
    for (unsigned i = 0; i < SERVERS; i++) {
        server[i] = server_spec(s, 1);
        if (!sim_exec(s, i % 2 ? 1 : 3, &server[i]))
            return;
    }
    struct sim_guest *g = sim_exec(s, 2, &seeker);
    if (!g)
        return;
    for (unsigned i = 0; i < SERVERS && !s->trouble[0]; i++) {
        first_call(s, 8 + i, i % 4 == 3 ? 0 : 2, &server[i]);
        sim_run(s, i * 4 * NS_PER_S, NULL, NULL);
    }
    const struct guest_data *d = guest_data_of(s, g);
    sim_say(s, "%llu calls of the seeker ended", (unsigned long long)d->calls);
    if (d->calls == 0)
        sim_trouble(s, "no call of the seeker was answered");
    if (d->errors)
        sim_trouble(s, "a dead port answers %s", error_name((int64_t)d->first_status));
}

const struct scenario scenarios_large[] = {
    {"ring96", "a ring of 96 nodes, calls, moves and a cut: no error, nothing executed twice", play_ring_large,
     .seeds = 1},
    {"bus48", "48 nodes on one wire, calls, moves and a cut: no error, nothing executed twice", play_bus_large,
     .seeds = 1},
    {"ring256", "a ring of 256 nodes, calls, moves and a cut: no error, nothing executed twice", play_ring256,
     .seeds = 1, .slow = true},
    {"bus256", "256 nodes on one wire, calls, moves and a cut: no error, nothing executed twice", play_bus256,
     .seeds = 1, .slow = true},
    {"growth64", "a dead port on each of 64 nodes costs a link little more than on each of 4", play_growth64,
     .seeds = 1},
    {"growth256", "a dead port on each of 256 nodes costs a link little more than on each of 4", play_growth256,
     .seeds = 1, .slow = true},
    {"seeker", "a program calls 1,500 dead ports: no first call of others fails or takes 50 ms", play_seeker,
     .seeds = 1},
    {0},
};
