// SPDX-License-Identifier: BSD-2-Clause
// One function each. Safety is watched by the oracles after every event; a scenario says what happens, and what must
// have come true when the faults have stopped (liveness), in bounded virtual time.
#include "test/sim/scenarios.h"

#include "services/protocol.h"

#include <string.h>

#define LIVE_NS (600 * NS_PER_S)    // after the faults stop, all is done within this
#define SETTLE_NS (100 * NS_PER_S)  // after that, nothing is left: longer than every lifetime of core/config.h
_Static_assert(SETTLE_NS > RECORD_LIFE_NS && SETTLE_NS > MOVED_LIFE_NS + 30 * NS_PER_S, "");

// --- Casts --------------------------------------------------------------------------------------------------

static struct guest_spec server_spec(struct sim *s, unsigned threads)
{
    struct guest_spec spec = {.program = GUEST_SERVER, .threads = threads};
    spec.get[0] = ++s->next_port;
    spec.get[1] = 0x7e57;
    return spec;
}

__attribute__((unused)) static struct guest_spec nest_spec(struct sim *s, const struct guest_spec *behind)
{
    struct guest_spec spec = {.program = GUEST_NEST, .cap = sim_server_cap(behind)};
    spec.get[0] = ++s->next_port;
    spec.get[1] = 0x7e57;
    return spec;
}

static struct guest_spec client_spec(struct sim *s, unsigned id, const struct guest_spec *server, uint64_t calls,
                                     uint64_t max_len)
{
    return (struct guest_spec){.program = GUEST_CLIENT, .id = id, .count = calls, .max_len = max_len,
                               .cap = sim_server_cap(server), .seed = sim_rand(&s->rand),
                               .pause_ns = 2 * NS_PER_MS, .work_ns = 2 * NS_PER_MS};
}

static void weather(struct sim *s, unsigned loss, unsigned dup, uint64_t jitter_ns)
{
    s->weather.loss = loss;
    s->weather.dup = dup;
    s->weather.jitter_ns = jitter_ns;
    sim_say(s, "weather: %u %% lost, %u %% doubled, up to %llu us late", loss, dup,
            (unsigned long long)(jitter_ns / 1000));
}
static void clear_weather(struct sim *s) { weather(s, 0, 0, 10000); }

// --- What must have come true ----------------------------------------------------------------------------------

static void clients_end(struct sim *s)
{
    enum guest_program clients = GUEST_CLIENT;
    if (!sim_run(s, LIVE_NS, sim_all_ended, &clients))
        sim_trouble(s, "clients do not come to an end");
}

static void all_end(struct sim *s)
{
    if (!sim_run(s, LIVE_NS, sim_all_ended, NULL))
        sim_trouble(s, "guests do not come to an end");
}

// The server executed each call of this client once.
static void check_client(struct sim *s, const struct sim_guest *server, unsigned id, uint64_t calls)
{
    const struct guest_data *d = &server->data;
    if (d->count[id] != calls || d->last[id] != calls)
        sim_trouble(s, "%s executed %llu of %llu calls of client %u, the last one %llu", server->name,
                    (unsigned long long)d->count[id], (unsigned long long)calls, id,
                    (unsigned long long)d->last[id] - 1);
}

static void check_server(struct sim *s, const struct sim_guest *server)
{
    const struct guest_data *d = &server->data;
    if (d->magic != GUEST_MAGIC)
        sim_trouble(s, "%s: the first page was not downloaded", server->name);
    if (d->doubles || d->gaps || d->corrupt || d->errors)
        sim_trouble(s, "%s: %llu calls executed twice, %llu left out, %llu corrupt, %llu errors", server->name,
                    (unsigned long long)d->doubles, (unsigned long long)d->gaps, (unsigned long long)d->corrupt,
                    (unsigned long long)d->errors);
}

// Ends servers (in the order given), waits until nothing can be under way any more, and looks at what is left.
static void finish(struct sim *s)
{
    all_end(s);
    sim_run(s, SETTLE_NS, NULL, NULL);
    sim_check_leaks(s);
}

// --- The simplest: a server, some clients -------------------------------------------------------------------------

struct cast {
    struct guest_spec server_spec;
    struct sim_guest *server, *client[8];
    unsigned nclients;
    uint64_t calls;
};

static bool cast_start(struct sim *s, struct cast *c, unsigned server_node, unsigned threads, unsigned nclients,
                       uint64_t calls, uint64_t max_len)
{
    *c = (struct cast){.server_spec = server_spec(s, threads), .nclients = nclients, .calls = calls};
    c->server = sim_exec(s, server_node, &c->server_spec);
    for (unsigned i = 0; c->server && i < nclients; i++) {
        struct guest_spec spec = client_spec(s, i, &c->server_spec, calls, max_len);
        c->client[i] = sim_exec(s, (server_node + 1 + i) % s->nnodes, &spec);
        if (!c->client[i])
            return false;
    }
    return c->server != NULL;
}

static void cast_end(struct sim *s, struct cast *c)
{
    clients_end(s);
    if (s->trouble[0])
        return;
    int64_t status = sim_quit(s, &c->server_spec);
    if (status != 0)
        sim_trouble(s, "the server does not end: %s", error_name(status));
    finish(s);
    check_server(s, c->server);
    for (unsigned i = 0; i < c->nclients; i++)
        if (!c->client[i]->killed)
            check_client(s, c->server, i, c->calls);
}

static void play_pair(struct sim *s)
{
    struct cast c;
    sim_ring(s, 2);
    if (cast_start(s, &c, 1, 1, 1, 50, 20000))
        cast_end(s, &c);
}

static void play_clean(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (cast_start(s, &c, 1, 2, 3, 100, 200 * KIB))
        cast_end(s, &c);
}

static void play_moves_clean(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 1, 2, 3, 100, 200 * KIB))
        return;
    sim_movers_start(s, 2, 50 * NS_PER_MS);
    clients_end(s);
    sim_movers_stop(s);
    cast_end(s, &c);
}

static void play_storm(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 1, 2, 3, 300, 24000))
        return;
    weather(s, 20, 20, 2 * NS_PER_MS);
    sim_movers_start(s, 2, 1 * NS_PER_S);
    clients_end(s);
    clear_weather(s);
    sim_movers_stop(s);
    if (s->moves == 0)
        sim_trouble(s, "nothing was moved");
    cast_end(s, &c);
}

static void play_large(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 1, 2, 2, 40, 256 * KIB))
        return;
    weather(s, 5, 2, 200000);
    clients_end(s);
    clear_weather(s);
    cast_end(s, &c);
}

const struct scenario scenarios[] = {
    {"pair", "two nodes, a client and a server: each call is executed once", play_pair, 2},
    {"clean", "a clean ring of four: calls with up to 200 KiB both ways are executed once", play_clean, 2},
    {"moves", "server and clients moved all the time: no error, nothing executed twice", play_moves_clean, 3},
    {"storm", "20 % lost, 20 % doubled, reordered, all moved at random: no error, nothing executed twice", play_storm,
     3},
    {"large", "large messages arrive whole when 5 % of the frames are lost", play_large, 2},
    {NULL, NULL, NULL, 0},
};

void scenario_long(struct sim *s) { play_storm(s); }
