// SPDX-License-Identifier: BSD-2-Clause
// Clients and servers, alone and all at once, in clean and in bad weather.
#include "test/sim/cast.h"
#include "test/sim/scenarios.h"

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

// --- Everything at once -----------------------------------------------------------------------------------------

// A server, a server that calls it while it serves, clients of both, two threads that take turns, one that sleeps.
static void play_mixed(struct sim *s)
{
    struct cast c;
    struct guest_spec futex = {.program = GUEST_FUTEX, .count = 300};
    struct guest_spec sleeper = {.program = GUEST_SLEEPER, .count = 100, .pause_ns = 20 * NS_PER_MS, .seed = s->seed};
    sim_ring(s, 4);
    if (!cast_start(s, &c, 1, 3, 2, 100, 20000))
        return;
    struct guest_spec nest = nest_spec(s, &c.server_spec);
    struct sim_guest *nested = sim_exec(s, 2, &nest);
    struct guest_spec far = client_spec(s, 5, &nest, 100, 20000);
    struct sim_guest *pair = sim_exec(s, 3, &futex);
    if (!nested || !pair || !sim_exec(s, 0, &far) || !sim_exec(s, 1, &sleeper))
        return;
    weather(s, 5, 5, 1 * NS_PER_MS);
    sim_movers_start(s, 3, 200 * NS_PER_MS);
    clients_end(s);
    clear_weather(s);
    sim_movers_stop(s);
    if (s->trouble[0] || sim_quit(s, &nest) != 0)
        sim_trouble(s, "the nested server does not end");
    cast_end(s, &c);
    if (s->trouble[0])
        return;
    check_server(s, nested);
    check_client(s, nested, 5, 100);
    check_client(s, c.server, 5 + GUEST_NESTED, 100);
    if (pair->data.calls != 600)
        sim_trouble(s, "the pair took %llu turns of 600", (unsigned long long)pair->data.calls);
}

// A server that two fronts forward to, one of them to the other first: the reply goes straight to the client.
static void play_forward(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 1, 2, 1, 100, 20000))
        return;
    struct guest_spec near = front_spec(s, &c.server_spec), far = front_spec(s, &near);
    struct sim_guest *second = sim_exec(s, 2, &near), *first = sim_exec(s, 0, &far);
    struct guest_spec one = client_spec(s, 5, &near, 100, 20000);
    struct guest_spec two = client_spec(s, 6, &far, 100, 100 * KIB);
    if (!second || !first || !sim_exec(s, 3, &one) || !sim_exec(s, 1, &two))
        return;
    weather(s, 20, 20, 2 * NS_PER_MS);
    sim_movers_start(s, 3, 500 * NS_PER_MS);
    clients_end(s);
    clear_weather(s);
    sim_movers_stop(s);
    if (s->trouble[0] || sim_quit(s, &far) != 0 || sim_quit(s, &near) != 0)
        sim_trouble(s, "the fronts do not end");
    cast_end(s, &c);
    if (s->trouble[0])
        return;
    check_server(s, first);
    check_server(s, second);
    check_client(s, first, 6, 100);
    check_client(s, second, 5, 100);
    check_client(s, second, 6, 100);
    check_client(s, c.server, 5, 100);
    check_client(s, c.server, 6, 100);
}

// What a client was told of each of its calls is true.
static void check_marks(struct sim *s, const struct sim_guest *client, const struct sim_guest *server, unsigned id)
{
    for (unsigned i = 0; i < GUEST_MARKS; i++) {
        uint64_t bit = 1ull << i % 64;
        bool done = server->data.done[id][i / 64] & bit;
        if (done && (client->data.never[i / 64] & bit))
            sim_trouble(s, "call %u of %s was executed by %s, and it was told that it was not", i, client->name,
                        server->name);
        if (!done && (client->data.good[i / 64] & bit))
            sim_trouble(s, "call %u of %s has a reply, and %s did not execute it", i, client->name, server->name);
    }
}

static unsigned told_never(const struct sim_guest *g)
{
    unsigned count = 0;
    for (unsigned i = 0; i < 4; i++)
        count += (unsigned)__builtin_popcountll(g->data.never[i]);
    return count;
}

// Calls of clients and of a server between are cancelled at random, with moves and losses.
static void play_cancel(struct sim *s)
{
    enum guest_program clients = GUEST_CLIENT;
    unsigned cancelled = 0;
    sim_ring(s, 4);
    struct guest_spec server = server_spec(s, 1), nest = nest_spec(s, &server);
    server.may_fail = nest.may_fail = true;
    struct sim_guest *back = sim_exec(s, 1, &server), *mid = sim_exec(s, 2, &nest), *g[4];
    for (unsigned i = 0; i < 4; i++) {
        struct guest_spec spec = client_spec(s, i, i < 2 ? &server : &nest, 120, 60000);
        spec.may_fail = true;
        spec.work_ns = 40 * NS_PER_MS;
        if (!back || !mid || !(g[i] = sim_exec(s, i, &spec)))
            return;
    }
    weather(s, 10, 10, 1 * NS_PER_MS);
    sim_movers_start(s, 2, 500 * NS_PER_MS);
    while (!s->trouble[0] && !sim_all_ended(s, &clients) && s->now_ns < LIVE_NS) {
        sim_run(s, sim_below(&s->rand, 15) * NS_PER_MS, NULL, NULL);
        cancelled += sim_cancel(s);
    }
    clear_weather(s);
    clients_end(s);
    sim_movers_stop(s);
    if (s->trouble[0] || sim_quit(s, &nest) != 0 || sim_quit(s, &server) != 0)
        sim_trouble(s, "the servers do not end");
    finish(s);
    if (s->trouble[0])
        return;
    check_server(s, back);
    check_server(s, mid);
    unsigned never = 0;
    for (unsigned i = 0; i < 4; i++) {
        check_marks(s, g[i], i < 2 ? back : mid, i);
        never += told_never(g[i]);
        if (g[i]->data.odd)
            sim_trouble(s, "%llu calls of %s ended with errors that no cancel explains: %s",
                        (unsigned long long)g[i]->data.odd, g[i]->name, error_name((int64_t)g[i]->data.odd_status));
    }
    sim_say(s, "%u calls cancelled, %u of them before a server took them", cancelled, never);
    if (cancelled < 20 || never == 0)
        sim_trouble(s, "only %u calls were cancelled, %u withdrawn", cancelled, never);
}

static void play_sixteen(struct sim *s)
{
    struct cast c;
    sim_ring(s, 16);
    if (!cast_start(s, &c, 8, 4, 8, 30, 20000))
        return;
    sim_movers_start(s, 4, 50 * NS_PER_MS);
    clients_end(s);
    sim_movers_stop(s);
    cast_end(s, &c);
}

// One wire for all: everybody sees every frame.
static void play_shared(struct sim *s)
{
    struct cast c;
    for (unsigned i = 0; i < 4; i++)
        sim_add_node(s);
    struct sim_wire *w = sim_add_wire(s, SIM_FRAG_ETHERNET, 0, 1);
    sim_wire_join(w, 2);
    sim_wire_join(w, 3);
    for (unsigned i = 0; i < 4; i++)
        sim_power_on(s, i);
    if (!cast_start(s, &c, 1, 2, 3, 50, 20000))
        return;
    weather(s, 5, 5, 100000);
    sim_movers_start(s, 2, 100 * NS_PER_MS);
    clients_end(s);
    clear_weather(s);
    sim_movers_stop(s);
    cast_end(s, &c);
}

const struct scenario scenarios_calls[] = {
    {"pair", "two nodes, a client and a server: each call is executed once", play_pair, .seeds = 2},
    {"clean", "a clean ring of four: calls with up to 200 KiB both ways are executed once", play_clean, .seeds = 2},
    {"moves", "server and clients moved all the time: no error, nothing executed twice", play_moves_clean, .seeds = 4},
    {"storm", "20 % lost, 20 % doubled, reordered, all moved at random: no error, nothing executed twice", play_storm,
     .seeds = 4},
    {"large", "large messages arrive whole when 5 % of the frames are lost", play_large, .seeds = 2},
    {"mixed", "threads in trans, getreq, service, lock and sleep move: each goes on as if nothing had been", play_mixed,
     .seeds = 4},
    {"forward", "requests forwarded once and twice, all moved, 20 % lost: each server executes each once", play_forward,
     .seeds = 6},
    {"cancel", "calls cancelled at random, all moved, 10 % lost: what each caller is told is true", play_cancel,
     .seeds = 8},
    {"sixteen", "a ring of sixteen: the same", play_sixteen, .seeds = 1},
    {"shared", "one wire that all nodes share: the same", play_shared, .seeds = 2},
    {0},
};
