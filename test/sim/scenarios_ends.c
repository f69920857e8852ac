// SPDX-License-Identifier: BSD-2-Clause
// Guests that are killed, and nodes that are born again.
#include "test/sim/cast.h"
#include "test/sim/scenarios.h"

#include "services/protocol.h"

static void play_kill_client(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 1, 2, 3, 60, 200 * KIB))
        return;
    weather(s, 5, 5, 500000);
    sim_run(s, sim_between(&s->rand, 1, 40) * NS_PER_MS, NULL, NULL);
    if (!c.client[0]->ended && sim_guest_order(s, c.client[0], OP_DESTROY) != 0 && !c.client[0]->ended)
        sim_trouble(s, "the client cannot be killed");
    clients_end(s);
    clear_weather(s);
    cast_end(s, &c);
}

// Every call to a server that was killed ends, with an error.
static void play_kill_server(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 1, 2, 3, 30, 200 * KIB))
        return;
    for (unsigned i = 0; i < 3; i++)
        c.client[i]->may_fail = true;
    weather(s, 5, 5, 500000);
    sim_run(s, sim_between(&s->rand, 1, 40) * NS_PER_MS, NULL, NULL);
    if (sim_guest_order(s, c.server, OP_DESTROY) != 0)
        sim_trouble(s, "the server cannot be killed");
    clients_end(s);
    clear_weather(s);
    finish(s);
}

// A node is born again, with a server of the same port, while frames of before are under way: none is accepted.
static void play_reborn(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 2, 2, 3, 100, 20000)) // clients on 3, 0, 1
        return;
    for (unsigned i = 0; i < 3; i++)
        c.client[i]->may_fail = true;
    weather(s, 0, 30, 40 * NS_PER_MS);
    sim_run(s, sim_between(&s->rand, 20, 400) * NS_PER_MS, NULL, NULL);
    c.server->may_be_lost = true;
    c.server->started = false;
    sim_power_off(s, 2);
    sim_power_on(s, 2);
    c.server_spec.may_fail = true; // it was not there for the first calls
    struct sim_guest *again = sim_exec(s, 2, &c.server_spec);
    if (!again)
        return;
    clients_end(s);
    clear_weather(s);
    c.server = again;
    c.nclients = 0;
    cast_end(s, &c);
}

const struct scenario scenarios_ends[] = {
    {"kill-client", "a client is killed in the middle of a call: its server goes on", play_kill_client, .seeds = 4},
    {"kill-server", "a server is killed: every call to it ends with an error", play_kill_server, .seeds = 4},
    {"reborn", "a node is born again: no frame of before is accepted", play_reborn, .seeds = 6},
    {0},
};
