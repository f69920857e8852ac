// SPDX-License-Identifier: BSD-2-Clause
// Bad weather: how much may be lost and doubled before a live server is no longer found. Whatever the ring, a client
// whose server is there gets its replies; it only takes longer.
#include "test/sim/cast.h"
#include "test/sim/scenarios.h"

// --- Nothing moves -----------------------------------------------------------------------------------------------

static void loss(struct sim *s, unsigned nodes, unsigned percent)
{
    struct cast c;
    sim_ring(s, nodes);
    if (!cast_start(s, &c, 1, 2, nodes > 4 ? 6 : 3, 60, 20000))
        return;
    weather(s, percent, 30, 2 * NS_PER_MS);
    clients_end(s);
    clear_weather(s);
    cast_end(s, &c);
}

static void play_loss30_2(struct sim *s)
{
    struct cast c;
    sim_ring(s, 2);
    if (!cast_start(s, &c, 1, 1, 1, 200, 20000))
        return;
    weather(s, 30, 30, 2 * NS_PER_MS);
    clients_end(s);
    clear_weather(s);
    cast_end(s, &c);
}

static void play_loss30_4(struct sim *s)
{
    loss(s, 4, 30);
}

// A question and its answer cross up to eight cables: three in four are lost. It is flooded nine times in 5 s, two of
// them in a row; for the last 2.45 s nobody listens any more.
static void play_loss30_8(struct sim *s)
{
    loss(s, 8, 30);
}

static void play_loss20_8(struct sim *s)
{
    loss(s, 8, 20);
}

static void play_loss10_8(struct sim *s)
{
    loss(s, 8, 10);
}

static void play_loss10_16(struct sim *s)
{
    loss(s, 16, 10);
}

// --- All moves ---------------------------------------------------------------------------------------------------

static void storm(struct sim *s, unsigned nodes, unsigned percent)
{
    struct cast c;
    sim_ring(s, nodes);
    if (!cast_start(s, &c, 1, 2, 3, 100, 24000))
        return;
    weather(s, percent, percent, 2 * NS_PER_MS);
    sim_movers_start(s, 2, 1 * NS_PER_S);
    clients_end(s);
    clear_weather(s);
    sim_movers_stop(s);
    cast_end(s, &c);
}

static void play_storm30m_2(struct sim *s)
{
    storm(s, 2, 30);
}

static void play_storm30m_4(struct sim *s)
{
    storm(s, 4, 30);
}

static void play_storm30m_8(struct sim *s)
{
    storm(s, 8, 30);
}

static void play_storm10m_8(struct sim *s)
{
    storm(s, 8, 10);
}

// --- One frame is lost -----------------------------------------------------------------------------------------

#define RESENT_MOST 4u // a quarter of a sender's window

// Data frames that a client sends for its calls, when the frame `lost` of them is lost (0: none). Each call of it has
// the same client, the same seed, and thus the same length.
static uint64_t data_frames(struct sim *s, const struct guest_spec *client, uint64_t lost)
{
    enum guest_program clients = GUEST_CLIENT;
    s->data_frames = 0;
    s->data_lost_at = lost;
    if (!sim_exec(s, 0, client))
        return 0;
    if (!sim_run(s, LIVE_NS, sim_all_ended, &clients))
        sim_trouble(s, "the client does not come to an end");
    return s->data_frames;
}

// One data frame of a long request is lost on the way: what was lost is sent again, and not all that came after it.
static void play_one_lost(struct sim *s)
{
    struct cast c;
    sim_add_node(s);
    sim_add_node(s);
    sim_add_wire(s, SIM_FRAG_ETHERNET, 0, 1);
    sim_power_on(s, 0);
    sim_power_on(s, 1);
    if (!cast_start(s, &c, 1, 1, 0, 0, 0))
        return;
    struct guest_spec client = client_spec(s, 0, &c.server_spec, 40, 256 * KIB);
    client.work_ns = 0;
    sim_run(s, NS_PER_S, NULL, NULL);
    uint64_t clean = data_frames(s, &client, 0);
    client.id = 1; // the server counts each client for itself
    uint64_t again = data_frames(s, &client, 1 + sim_below(&s->rand, clean));
    if (s->trouble[0])
        return;
    sim_say(s, "%llu data frames when none is lost, %llu when one is", (unsigned long long)clean,
            (unsigned long long)again);
    if (again <= clean)
        sim_trouble(s, "no data frame was sent again");
    if (again > clean + RESENT_MOST)
        sim_trouble(s, "one frame is lost, and %llu are sent again", (unsigned long long)(again - clean));
    cast_end(s, &c);
}

static const struct known_fault not_found_30 = {
    "a live server is \"not here\" when 30 % of the frames are lost", "errors, first -13", {3, 4, 5}};
static const struct known_fault died_30 = {
    "a live server is \"not here\" or has \"died\" when 30 % of the frames are lost and all moves",
    "errors, first -1",
    {39, 12, 15}};

const struct scenario scenarios_loss[] = {
    {"loss30_2", "two nodes, 30 % lost, 30 % doubled: no error, nothing executed twice", play_loss30_2, .seeds = 2},
    {"loss30_4", "a ring of four, 30 % lost, 30 % doubled: no error, nothing executed twice", play_loss30_4,
     .seeds = 2},
    {"loss30_8", "a ring of eight, 30 % lost, 30 % doubled: no error, nothing executed twice", play_loss30_8,
     .seeds = 8, .fault = &not_found_30},
    {"loss20_8", "a ring of eight, 20 % lost, 30 % doubled: no error, nothing executed twice", play_loss20_8,
     .seeds = 8},
    {"loss10_8", "a ring of eight, 10 % lost, 30 % doubled: no error, nothing executed twice", play_loss10_8,
     .seeds = 1},
    {"loss10_16", "a ring of sixteen, 10 % lost, 30 % doubled: no error, nothing executed twice", play_loss10_16,
     .seeds = 1},
    {"storm30m_2", "two nodes, 30 % lost and doubled, all moved: no error, nothing executed twice", play_storm30m_2,
     .seeds = 2},
    {"storm30m_4", "four nodes, 30 % lost and doubled, all moved: no error, nothing executed twice", play_storm30m_4,
     .seeds = 2},
    {"storm30m_8", "eight nodes, 30 % lost and doubled, all moved: no error, nothing executed twice", play_storm30m_8,
     .seeds = 8, .fault = &died_30},
    {"storm10m_8", "eight nodes, 10 % lost and doubled, all moved: no error, nothing executed twice", play_storm10m_8,
     .seeds = 1},
    {"one_lost", "one frame of a long request is lost: little more than that one is sent again", play_one_lost,
     .seeds = 2},
    {0},
};
