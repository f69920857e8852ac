// SPDX-License-Identifier: BSD-2-Clause
// One long run in which everything happens at random.
#include "test/sim/cast.h"
#include "test/sim/scenarios.h"

#include "services/protocol.h"

// One round of whatever comes: weather, a cut, a server stunned for a while; moves go on all the time.
static void long_round(struct sim *s, struct sim_guest *server)
{
    struct sim_wire *w = &s->wire[sim_below(&s->rand, s->nwires)];
    bool cut = sim_chance(&s->rand, 40), stun = sim_chance(&s->rand, 20);
    weather(s, (unsigned)sim_below(&s->rand, 31), (unsigned)sim_below(&s->rand, 31),
            sim_between(&s->rand, 1, 3000) * 1000);
    if (cut)
        sim_wire_set(s, w, true, sim_chance(&s->rand, 50));
    stun = stun && !server->ended && sim_guest_order(s, server, OP_PROC_STUN) == 0;
    sim_run(s, sim_between(&s->rand, 10, 3000) * NS_PER_MS, NULL, NULL);
    while (stun && !s->trouble[0] && sim_guest_order(s, server, OP_PROC_RESUME) != 0)
        sim_run(s, 100 * NS_PER_MS, NULL,
                NULL); // "not executed", when it was just moving: ask again
    if (cut)
        sim_wire_set(s, w, false, true);
}

void scenario_long(struct sim *s)
{
    struct cast c;
    struct guest_spec futex = {.program = GUEST_FUTEX, .count = 2000};
    sim_ring(s, (unsigned)sim_between(&s->rand, 3, 8));
    if (!cast_start(s, &c, 1, (unsigned)sim_between(&s->rand, 1, 4), (unsigned)sim_between(&s->rand, 2, 6), 500,
                    sim_between(&s->rand, 64, 200 * KIB)))
        return;
    struct guest_spec nest = nest_spec(s, &c.server_spec);
    struct guest_spec far = client_spec(s, 20, &nest, 300, 20000);
    struct sim_guest *nested = sim_exec(s, 2, &nest);
    if (!nested || !sim_exec(s, 0, &far) || !sim_exec(s, 1, &futex))
        return;
    enum guest_program clients = GUEST_CLIENT;
    sim_movers_start(s, 3, 1 * NS_PER_S);
    for (unsigned i = 0; i < 200 && !s->trouble[0] && !sim_all_ended(s, &clients); i++)
        long_round(s, c.server);
    clear_weather(s);
    clients_end(s);
    sim_movers_stop(s);
    if (!s->trouble[0] && sim_quit(s, &nest) != 0)
        sim_trouble(s, "the nested server does not end");
    cast_end(s, &c);
}

const struct scenario scenarios_long[] = {
    {"long", "all of that at random, for long", scenario_long, .seeds = 2},
    {0},
};
