// SPDX-License-Identifier: BSD-2-Clause
// Links that are cut, and nodes that are cut off.
#include "test/sim/cast.h"
#include "test/sim/scenarios.h"

// One wire at a time is cut, silently or with the carrier gone; the ring has another way.
static void play_cut(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 2, 2, 3, 200, 20000))
        return;
    sim_movers_start(s, 1, 500 * NS_PER_MS);
    for (unsigned i = 0; i < 4 && !s->trouble[0]; i++) {
        struct sim_wire *w = &s->wire[sim_below(&s->rand, s->nwires)];
        bool carrier = sim_chance(&s->rand, 50);
        sim_run(s, sim_between(&s->rand, 1, 300) * NS_PER_MS, NULL, NULL);
        sim_wire_set(s, w, true, carrier);
        sim_run(s, sim_between(&s->rand, 1, 8000) * NS_PER_MS, NULL, NULL);
        sim_wire_set(s, w, false, true);
    }
    clients_end(s);
    sim_movers_stop(s);
    cast_end(s, &c);
}

// Cut off for longer than anyone searches: calls may end with an error then, but they end, and nothing is done twice.
static void play_partition(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 2, 2, 3, 200, 20000))
        return;
    for (unsigned i = 0; i < 3; i++)
        c.client[i]->may_fail = true;
    c.server->may_fail = true;
    sim_run(s, sim_between(&s->rand, 1, 200) * NS_PER_MS, NULL, NULL);
    isolate(s, 2, true);
    // About as long as a search: one end may have given up, the other not.
    uint64_t most_ms = sim_chance(&s->rand, 70) ? 11000 : 40000;
    sim_run(s, sim_between(&s->rand, 7000, most_ms) * NS_PER_MS, NULL, NULL);
    isolate(s, 2, false);
    clients_end(s);
    c.nclients = 0; // what they missed, they missed
    cast_end(s, &c);
}

const struct scenario scenarios_links[] = {
    {"cut", "a link is cut and mended: the ring has another way", play_cut, .seeds = 4},
    {"partition", "a server's node is cut off for long: all calls end, nothing is executed twice", play_partition,
     .seeds = 6},
    {0},
};
