// SPDX-License-Identifier: BSD-2-Clause
// Moves that are cut at their most delicate moment, for longer than anybody asks; and power that comes and goes while
// all moves. At most one copy runs, and whatever is in doubt heals when the ring is whole again.
#include "test/sim/cast.h"
#include "test/sim/scenarios.h"

#include "services/protocol.h"

#define HEAL_NS (60 * NS_PER_S) // the ring is whole again for so long

// --- Cut off at COMMIT ---------------------------------------------------------------------------------------------

// A server moves from node `from` to the next; its node is cut off just when COMMIT and its answer travel, for
// `cut_ns`.
static bool cut_at_commit(struct sim *s, struct cast *c, struct sim_order *o, unsigned from, uint64_t cut_ns)
{
    sim_ring(s, 4);
    if (!cast_start(s, c, from, 1, 1, 100, 20000)) // the client on the target
        return false;
    c->client[0]->may_fail = c->server->may_fail = true;
    sim_run(s, 5 * NS_PER_MS, NULL, NULL);
    sim_migrate_start(s, o, c->server, from + 1);
    if (!sim_run(s, LIVE_NS, in_doubt, c->server))
        sim_trouble(s, "the move does not begin");
    sim_run(s, sim_below(&s->rand, 120) * 1000, NULL, NULL);
    isolate(s, from, true);
    if (cut_ns == 0)
        cut_ns = sim_between(&s->rand, 75, 120) * NS_PER_S;
    sim_run(s, cut_ns, NULL, NULL);
    isolate(s, from, false);
    sim_run(s, HEAL_NS, NULL, NULL);
    return !s->trouble[0];
}

// Clients of the server that come later, one on each node; how many of them are not through in an hour.
static unsigned late_clients(struct sim *s, const struct cast *c)
{
    struct guest_spec late = client_spec(s, 7, &c->server_spec, 10, 64);
    struct sim_guest *g[4];
    unsigned waiting = 0;
    late.may_fail = true;
    late.work_ns = 0;
    for (unsigned i = 0; i < 4; i++) {
        late.id = 10 + i;
        g[i] = sim_exec(s, i, &late);
        if (!g[i])
            return 0;
    }
    sim_run(s, 3600 * NS_PER_S, NULL, NULL);
    for (unsigned i = 0; i < 4; i++)
        waiting += !g[i]->ended;
    return waiting;
}

// The source is cut off for longer than it asks, and comes back: its copy does not stay in doubt, and no client hangs
// at it.
static void play_cut_long(struct sim *s)
{
    struct cast c;
    struct sim_order o;
    if (!cut_at_commit(s, &c, &o, 2, 0) || (o.done && o.status == 0))
        return; // the move was done before the cut
    unsigned waiting = late_clients(s, &c);
    struct proc *source = proc_by_ep(s->node[2].n, c.server->ep);
    if (waiting || (source && source->state == PROC_DOUBT))
        sim_trouble(s, "an hour after the cut the copy at the source is %s; %u of 4 new clients wait",
                    source ? proc_state_name(source->state) : "gone", waiting);
}

// As before, nearer to who gives orders: an order of good faith to resume the copy in doubt is refused, for the process
// runs at the target. Watched by the oracle of the one copy.
static void play_doubt_resume(struct sim *s)
{
    struct cast c;
    struct sim_order o;
    if (!cut_at_commit(s, &c, &o, 1, 75 * NS_PER_S))
        return;
    struct proc *source = proc_by_ep(s->node[1].n, c.server->ep);
    struct proc *target = proc_by_ep(s->node[2].n, c.server->ep);
    if (!source || !target || target->state != PROC_RUN)
        return; // there is one copy only
    (void)sim_guest_order(s, c.server, OP_PROC_RESUME);
    sim_run(s, NS_PER_S, NULL, NULL);
}

// --- Five minutes apart ----------------------------------------------------------------------------------------------

#define APART_NS (300 * NS_PER_S)
#define HEALED_NS (10 * NS_PER_S) // so long after the cut all is as it should be

enum owner_hears { BOTH, ONE, NONE, NO_OWNER };

// Exactly one copy is left, and it runs.
static bool one_runs(struct sim *s, void *guest)
{
    const struct sim_guest *g = guest;
    unsigned copies = 0, running = 0;
    for (unsigned i = 0; i < s->nnodes; i++) {
        struct proc *p = proc_by_ep(s->node[i].n, g->ep);
        copies += p != NULL && p->state != PROC_ARRIVING;
        running += p != NULL && p->state == PROC_RUN;
    }
    return copies == 1 && running == 1;
}

static bool cut_begins(struct sim *s, enum owner_hears hears)
{
    switch (hears) {
    case BOTH:
    case NO_OWNER:
        s->apart[0] = &s->node[1];
        s->apart[1] = &s->node[2];
        return true;
    case ONE: isolate(s, 1 + (unsigned)sim_below(&s->rand, 2), true); return true;
    case NONE:
        s->apart[0] = &s->node[1];
        s->apart[1] = &s->node[2];
        isolate(s, 0, true);
        return true;
    }
    return false;
}

static void cut_ends(struct sim *s)
{
    s->apart[0] = s->apart[1] = NULL;
    for (unsigned i = 0; i < s->nnodes; i++)
        isolate(s, i, false);
}

// Whoever looks for it finds it: a new client on each node calls it at once.
static void everybody_finds(struct sim *s, const struct guest_spec *server)
{
    struct guest_spec late = client_spec(s, 7, server, 3, 64);
    struct sim_guest *g[4];
    late.work_ns = 0;
    for (unsigned i = 0; i < 4; i++) {
        late.id = 10 + i;
        g[i] = sim_exec(s, i, &late);
        if (!g[i])
            return;
    }
    sim_run(s, HEALED_NS, NULL, NULL);
    for (unsigned i = 0; i < 4; i++)
        if (!g[i]->ended || g[i]->status != 0)
            sim_trouble(s, "a new client on n%u does not find the process, or is not through", i);
}

// A process on node 1 moves to node 2, and they do not hear each other from COMMIT on; its owner is on node 0, or on
// the side of one of them.
static void parted(struct sim *s, enum owner_hears hears)
{
    struct guest_spec owner = server_spec(s, 1), server = server_spec(s, 1);
    struct sim_order o;
    sim_ring(s, 4);
    if (hears != NO_OWNER) {
        owner.may_fail = true; // it is told of the doubt, which is no call of a client's
        if (!sim_exec(s, 0, &owner))
            return;
        server.owner = sim_server_cap(&owner);
    }
    struct sim_guest *g = sim_exec(s, 1, &server);
    if (!g)
        return;
    g->may_fail = true;
    sim_run(s, 5 * NS_PER_MS, NULL, NULL);
    sim_migrate_start(s, &o, g, 2);
    if (!sim_run(s, LIVE_NS, in_doubt, g))
        sim_trouble(s, "the move does not begin");
    sim_run(s, sim_below(&s->rand, 120) * 1000, NULL, NULL);
    if (!cut_begins(s, hears))
        return;
    sim_run(s, APART_NS, NULL, NULL);
    cut_ends(s);
    if (!sim_run(s, HEALED_NS, one_runs, g))
        sim_trouble(s, "10 s after the cut not exactly one copy is left, which runs");
    if (!s->trouble[0])
        everybody_finds(s, &server);
}

static void play_parted(struct sim *s)
{
    parted(s, BOTH);
}

static void play_parted_one(struct sim *s)
{
    parted(s, ONE);
}

static void play_parted_none(struct sim *s)
{
    parted(s, NONE);
}

static void play_parted_ownerless(struct sim *s)
{
    parted(s, NO_OWNER);
}

// --- Power -------------------------------------------------------------------------------------------------------

static void servers_serve(struct sim *s, struct cast *c)
{
    clients_end(s);
    if (c->server->started && !s->trouble[0]) {
        c->server->where = 1;
        if (sim_quit(s, &c->server_spec) != 0)
            sim_trouble(s, "the server at the target does not serve");
    }
}

// The source of a move loses power at any moment of it: the process is gone, or runs at the target.
static void play_source_dies(struct sim *s)
{
    struct cast c;
    struct sim_order o;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 2, 2, 2, 100, 60000)) // clients on 3, 0
        return;
    for (unsigned i = 0; i < s->nguests; i++)
        s->guest[i].may_fail = s->guest[i].may_be_lost = true;
    sim_run(s, sim_between(&s->rand, 1, 20) * NS_PER_MS, NULL, NULL);
    sim_migrate_start(s, &o, c.server, 1);
    sim_run(s, sim_below(&s->rand, 4000) * 1000, NULL, NULL);
    sim_power_off(s, 2);
    if (sim_chance(&s->rand, 50))
        sim_power_on(s, 2);
    if (!sim_run(s, LIVE_NS, sim_order_done, &o))
        sim_trouble(s, "the order to move does not end");
    sim_run(s, HEAL_NS, NULL, NULL);
    struct proc *p = proc_by_ep(s->node[1].n, c.server->ep);
    if (p && p->state != PROC_RUN)
        sim_trouble(s, "the copy at the target is %s", proc_state_name(p->state));
    c.server->started = p != NULL;
    servers_serve(s, &c);
    if (!s->trouble[0])
        finish(s);
}

static bool chaos_start(struct sim *s)
{
    sim_ring(s, 4);
    struct guest_spec server = server_spec(s, 2), nest = nest_spec(s, &server);
    server.may_fail = nest.may_fail = true;
    struct sim_guest *a = sim_exec(s, 1, &server), *b = sim_exec(s, 2, &nest);
    for (unsigned i = 0; i < 6; i++) {
        struct guest_spec spec = client_spec(s, i, i % 2 ? &server : &nest, 400, 20000);
        spec.may_fail = true;
        if (!a || !b || !sim_exec(s, i % 4, &spec))
            return false;
    }
    for (unsigned i = 0; i < s->nguests; i++)
        s->guest[i].may_fail = s->guest[i].may_be_lost = s->guest[i].killed = true;
    return true;
}

// Nodes 1 to 3 lose power and get it again; half of them at once.
static void power_comes_and_goes(struct sim *s)
{
    for (unsigned i = 0; i < 12 && !s->trouble[0]; i++) {
        sim_run(s, sim_between(&s->rand, 1, 3000) * NS_PER_MS, NULL, NULL);
        unsigned node = 1 + (unsigned)sim_below(&s->rand, 3);
        if (!s->node[node].n) {
            sim_power_on(s, node);
            continue;
        }
        sim_power_off(s, node);
        if (sim_chance(&s->rand, 50))
            sim_power_on(s, node);
    }
    for (unsigned node = 1; node < 4; node++)
        if (!s->node[node].n)
            sim_power_on(s, node);
}

static struct proc *copy_at(struct sim *s, const struct sim_guest *g, unsigned node)
{
    return g->ep ? proc_by_ep(s->node[node].n, g->ep) : NULL;
}

// Every copy that is left, in whatever state, ends by an order to its number.
static void kill_all(struct sim *s)
{
    for (unsigned i = 0; i < s->nguests * s->nnodes && !s->trouble[0]; i++) {
        struct sim_guest *g = &s->guest[i / s->nnodes];
        if (!copy_at(s, g, i % s->nnodes))
            continue;
        struct sim_order o = {.cap = g->cap, .op = OP_DESTROY, .timeout_ms = 100000};
        (void)sim_order(s, &o);
        sim_run(s, NS_PER_S, NULL, NULL);
    }
    for (unsigned i = 0; i < s->nguests * s->nnodes && !s->trouble[0]; i++) {
        struct proc *p = copy_at(s, &s->guest[i / s->nnodes], i % s->nnodes);
        if (p)
            sim_trouble(s, "%s cannot be killed: on %s it is %s", p->name, s->node[i % s->nnodes].name,
                        proc_state_name(p->state));
    }
}

static void play_chaos(struct sim *s)
{
    if (!chaos_start(s))
        return;
    weather(s, 5, 10, 1 * NS_PER_MS);
    sim_movers_start(s, 3, 100 * NS_PER_MS);
    power_comes_and_goes(s);
    clear_weather(s);
    sim_movers_stop(s);
    if (s->trouble[0])
        return;
    sim_run(s, 2 * HEAL_NS, NULL, NULL);
    kill_all(s);
    sim_run(s, SETTLE_NS, NULL, NULL);
    if (!s->trouble[0])
        sim_check_leaks(s);
}

const struct scenario scenarios_doubt[] = {
    {"cut_long", "a source that is cut off at COMMIT for minutes: its copy does not stay in doubt", play_cut_long,
     .seeds = 4},
    {"doubt_resume", "a copy in doubt is told to resume, and the process runs elsewhere: one runs", play_doubt_resume,
     .seeds = 4},
    {"parted", "source and target part at COMMIT for five minutes; the owner hears both: one runs, and is found",
     play_parted, .seeds = 4},
    {"parted_one", "the same, the owner on the target's side or the source's", play_parted_one, .seeds = 4},
    {"parted_none", "the same, the owner hears neither", play_parted_none, .seeds = 4},
    {"parted_ownerless", "the same, and the process has no owner", play_parted_ownerless, .seeds = 4},
    {"source_dies", "the source of a move loses power: the process runs at the target, or nowhere", play_source_dies,
     .seeds = 2},
    {"chaos", "nodes lose power at random while all moves: what is left can be killed, nothing leaks", play_chaos,
     .seeds = 2},
    {0},
};
