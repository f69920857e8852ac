// SPDX-License-Identifier: BSD-2-Clause
// What a client is told of a call whose server ends: an executed call is never said to be not executed, never executed
// once more by another server, and its reply arrives although the server is gone.
#include "test/sim/cast.h"
#include "test/sim/scenarios.h"

#include "services/protocol.h"

#define CALLERS 4u
#define CALLS 200u // below GUEST_MARKS: each has its bit

static bool marked(const uint64_t bits[4], unsigned call)
{
    return bits[call / 64] & 1ull << call % 64;
}

// Short calls in quick succession; each may end with an error.
static bool callers_start(struct sim *s, const struct guest_spec *server, struct sim_guest *g[CALLERS])
{
    for (unsigned i = 0; i < CALLERS; i++) {
        struct guest_spec spec = client_spec(s, i, server, CALLS, 600);
        spec.may_fail = true;
        spec.work_ns = 0;
        spec.pause_ns = 200000;
        g[i] = sim_exec(s, i, &spec);
        if (!g[i])
            return false;
    }
    return true;
}

// Somewhere in the middle, in weather that doubles frames: copy 1 of a request is executed and its reply is lost, the
// server ends, copy 2 arrives.
static void bad_weather(struct sim *s)
{
    weather(s, 20, 30, 4 * NS_PER_MS);
    sim_run(s, sim_between(&s->rand, 1, 60) * NS_PER_MS, NULL, NULL);
}

// Kills a guest, whatever comes of the order: it may have ended by itself.
static void end_guest(struct sim *s, struct sim_guest *g)
{
    g->killed = true;
    if (!g->ended)
        (void)sim_guest_order(s, g, OP_DESTROY);
}

static void twin_check(struct sim *s, const struct sim_guest *a, const struct sim_guest *b,
                       const struct sim_guest *client, unsigned id)
{
    for (unsigned call = 0; call < CALLS; call++) {
        bool by_a = marked(a->data.done[id], call), by_b = marked(b->data.done[id], call);
        if (by_a && by_b)
            sim_trouble(s, "call %u of client %u was executed by BOTH servers of the port", call, id);
        if ((by_a || by_b) && marked(client->data.never, call))
            sim_trouble(s, "call %u of client %u was executed (%s), client was told E_NOTHERE", call, id,
                        by_a ? "a" : "b");
    }
}

// Two servers of one port; one is killed in the middle. No call is executed by both.
static void play_twin(struct sim *s)
{
    struct sim_guest *g[CALLERS];
    sim_ring(s, 4);
    struct guest_spec server = server_spec(s, 2);
    server.may_fail = true;
    struct sim_guest *a = sim_exec(s, 1, &server);
    if (!a || !callers_start(s, &server, g))
        return;
    struct sim_guest *b = sim_exec(s, 2, &server);
    if (!b)
        return;
    bad_weather(s);
    end_guest(s, a);
    clients_end(s);
    clear_weather(s);
    if (s->trouble[0])
        return;
    sim_quit(s, &server);
    sim_run(s, 200 * NS_PER_S, NULL, NULL);
    end_guest(s, b);
    sim_run(s, SETTLE_NS, NULL, NULL);
    for (unsigned i = 0; i < CALLERS; i++)
        twin_check(s, a, b, g[i], i);
}

// One server, killed in the middle. What is said to be "not here" was not executed.
static void play_killed_truth(struct sim *s)
{
    struct sim_guest *g[CALLERS];
    sim_ring(s, 4);
    struct guest_spec server = server_spec(s, 2);
    server.may_fail = true;
    struct sim_guest *a = sim_exec(s, 1, &server);
    if (!a || !callers_start(s, &server, g))
        return;
    bad_weather(s);
    end_guest(s, a);
    for (unsigned i = 0; i < CALLERS; i++)
        g[i]->killed = true;
    sim_run(s, 30 * NS_PER_S, NULL, NULL);
    clear_weather(s);
    for (unsigned i = 0; i < CALLERS; i++)
        end_guest(s, g[i]);
    sim_run(s, SETTLE_NS, NULL, NULL);
    for (unsigned i = 0; i < CALLERS; i++)
        for (unsigned call = 0; call < CALLS; call++)
            if (marked(a->data.done[i], call) && marked(g[i]->data.never, call))
                sim_trouble(s, "call %u of client %u was executed, client was told E_NOTHERE", call, i);
}

// Servers that reply and end at once. One frame in five is lost: the reply must still reach its client.
static void play_last_reply(struct sim *s)
{
    enum { SERVERS = 10 };
    struct guest_spec spec[SERVERS];
    unsigned bad = 0;
    int64_t last = 0;
    sim_ring(s, 4);
    for (unsigned i = 0; i < SERVERS; i++) {
        spec[i] = server_spec(s, 1);
        if (!sim_exec(s, 1 + i % 3, &spec[i]))
            return;
    }
    weather(s, 20, 0, 100000);
    for (unsigned i = 0; i < SERVERS; i++) {
        int64_t status = sim_quit(s, &spec[i]);
        bad += status != 0;
        last = status != 0 ? status : last;
    }
    clear_weather(s);
    if (bad)
        sim_trouble(s, "%u of %u calls to a server that replied and then ended got %s", bad, SERVERS, error_name(last));
}

static const struct known_fault executed_twice = {
    "a doubled request, whose server has ended, is executed by a second server of the port",
    "executed by BOTH servers",
    {188, 346, 368}};
static const struct known_fault not_here_untrue = {
    "a client is told \"not here\" of a call that was executed", "client was told E_NOTHERE", {54, 104, 126}};
static const struct known_fault reply_lost = {
    "the reply of a server that ends at once is lost with one frame", "got E_DIED", {1}};

const struct scenario scenarios_truth[] = {
    {"twin", "two servers of a port, one is killed: no call is executed by both", play_twin, .seeds = 4,
     .fault = &executed_twice},
    {"killed_truth", "a server is killed: what its clients are told is \"not here\" was not executed",
     play_killed_truth, .seeds = 4, .fault = &not_here_untrue},
    {"last_reply", "a server that replies and ends at once: the reply reaches its client", play_last_reply, .seeds = 4,
     .fault = &reply_lost},
    {0},
};
