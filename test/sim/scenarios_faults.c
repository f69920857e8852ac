// SPDX-License-Identifier: BSD-2-Clause
// Moves that fail, and nodes without memory.
#include "test/sim/cast.h"
#include "test/sim/scenarios.h"

#include "services/protocol.h"

static void play_refused(struct sim *s)
{
    struct cast c;
    sim_ring(s, 3);
    if (!cast_start(s, &c, 1, 1, 2, 60, 20000))
        return;
    struct node *n = s->node[2].n;
    for (uint64_t at = 0; at < 8; at++) {
        sim_run(s, 10 * NS_PER_MS, NULL, NULL);
        n->pages.fail_after = (long)(at * at); // somewhere on the way
        int64_t status = sim_migrate(s, c.server, 2);
        n->pages.fail_after = -1;
        if (status == 0 && sim_migrate(s, c.server, 1) != 0)
            sim_trouble(s, "the way back is refused");
    }
    cast_end(s, &c);
}
static bool arriving(struct sim *s, void *arg)
{
    const struct sim_guest *g = arg;
    struct proc *p = proc_by_ep(s->node[3].n, g->ep);
    return p && p->state == PROC_ARRIVING;
}

// The target loses power before COMMIT: the process goes on at the source.
static void play_target_dies(struct sim *s)
{
    struct cast c;
    struct sim_order o;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 1, 1, 1, 100, 20000)) // client on 2
        return;
    sim_run(s, 5 * NS_PER_MS, NULL, NULL);
    sim_migrate_start(s, &o, c.server, 3);
    if (!sim_run(s, LIVE_NS, arriving, c.server))
        sim_trouble(s, "the move does not begin");
    sim_run(s, sim_below(&s->rand, 2000) * 1000, NULL, NULL);
    if (!arriving(s, c.server) || in_doubt(s, c.server))
        return; // too late: the other scenario's case
    sim_power_off(s, 3);
    if (sim_chance(&s->rand, 50))
        sim_power_on(s, 3);
    if (!sim_run(s, LIVE_NS, sim_order_done, &o))
        sim_trouble(s, "the move does not end");
    struct proc *p = proc_of(s, c.server);
    if (o.status >= 0 || !p || p->state != PROC_RUN)
        sim_trouble(s, "the server did not go on at the source: %s", error_name(o.status));
    cast_end(s, &c);
}

// The target loses power when COMMIT is under way: it may have run there, so it is not resumed, even when the target
// is born again. Its owner decides.
static void play_doubt(struct sim *s)
{
    struct cast c;
    struct sim_order o;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 1, 1, 1, 100, 20000))
        return;
    c.client[0]->may_fail = true;
    c.server->may_be_lost = true; // when it ran on the node that died
    sim_run(s, 5 * NS_PER_MS, NULL, NULL);
    sim_migrate_start(s, &o, c.server, 3);
    if (!sim_run(s, LIVE_NS, in_doubt, c.server))
        sim_trouble(s, "the move does not begin");
    unsigned source = (unsigned)c.server->where;
    sim_run(s, sim_below(&s->rand, 100) * 1000, NULL, NULL);
    struct proc *p = proc_by_ep(s->node[source].n, c.server->ep);
    if (s->trouble[0] || !p)
        return; // the answer was faster
    sim_power_off(s, 3);
    if (sim_chance(&s->rand, 50))
        sim_power_on(s, 3);
    if (!sim_run(s, LIVE_NS, sim_order_done, &o))
        sim_trouble(s, "the move does not end");
    p = proc_by_ep(s->node[source].n, c.server->ep);
    if (o.status == 0) { // its last word was already under way: the server died there
        c.server->started = false;
        clients_end(s);
        finish(s);
        return;
    }
    if (o.status != -E_DOUBT || !p || p->state != PROC_DOUBT)
        sim_trouble(s, "the server is not left in doubt: %s", error_name(o.status));
    if (sim_guest_order(s, c.server, OP_DESTROY) != 0)
        sim_trouble(s, "the owner cannot end the doubt");
    c.server->started = false; // nobody sees it end
    clients_end(s);
    finish(s);
}

// The source is cut off in the middle of a move and comes back: one copy goes on, here or there.
static void play_source_cut(struct sim *s)
{
    struct cast c;
    struct sim_order o;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 2, 1, 1, 100, 20000)) // client on 3
        return;
    c.client[0]->may_fail = true; // cut off for longer than a search
    c.server->may_fail = true;
    sim_run(s, 5 * NS_PER_MS, NULL, NULL);
    sim_migrate_start(s, &o, c.server, 3);
    // Somewhere on the way, or just when COMMIT and its answer travel.
    bool at_commit = sim_chance(&s->rand, 50);
    if (!sim_run(s, LIVE_NS, at_commit ? in_doubt : arriving, c.server))
        sim_trouble(s, "the move does not begin");
    sim_run(s, sim_below(&s->rand, at_commit ? 120 : 3000) * 1000, NULL, NULL);
    isolate(s, 2, true);
    sim_run(s, sim_between(&s->rand, 100, 45000) * NS_PER_MS, NULL, NULL);
    isolate(s, 2, false);
    if (!sim_run(s, LIVE_NS, sim_order_done, &o))
        sim_trouble(s, "the move does not end");
    clients_end(s);
    c.nclients = 0;
    cast_end(s, &c);
}

// Allocations fail all the time, one here and one there, in whatever is just being done: guests may die of it, calls
// and moves may fail, but nothing hangs, nothing is done twice, and nothing is left behind.
static void play_starved(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 1, 2, 3, 100, 60000))
        return;
    for (unsigned i = 0; i < s->nguests; i++)
        s->guest[i].may_fail = true;
    weather(s, 5, 5, 200000);
    sim_movers_start(s, 2, 50 * NS_PER_MS);
    for (unsigned i = 0; i < 400 && !s->trouble[0]; i++) {
        sim_run(s, sim_between(&s->rand, 10, 2000) * 1000, NULL, NULL);
        struct sim_node *sn = &s->node[sim_below(&s->rand, s->nnodes)];
        sn->n->pages.fail_after = (long)sim_below(&s->rand, 10);
    }
    for (unsigned i = 0; i < s->nnodes; i++)
        s->node[i].n->pages.fail_after = -1;
    sim_movers_stop(s); // who moves on all the time begins each search for a dead server afresh
    clients_end(s);
    clear_weather(s);
    if (!s->trouble[0] && !c.server->ended && sim_quit(s, &c.server_spec) != 0)
        sim_trouble(s, "the server does not end");
    finish(s);
}

const struct scenario scenarios_faults[] = {
    {"refused", "a target without memory refuses: the server goes on at the source", play_refused, .seeds = 3},
    {"starved", "allocations fail everywhere: nothing hangs, is done twice, or is left behind", play_starved,
     .seeds = 4},
    {"target-dies", "a target that dies before COMMIT: the server goes on at the source", play_target_dies, .seeds = 6},
    {"doubt", "a target that dies after COMMIT: the source does not resume, its owner decides", play_doubt, .seeds = 6},
    {"source-cut", "a source that is cut off in the middle of a move: one copy goes on", play_source_cut, .seeds = 6},
    {0},
};
