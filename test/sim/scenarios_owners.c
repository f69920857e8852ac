// SPDX-License-Identifier: BSD-2-Clause
// Owners and their children: who ends with whom.
#include "test/sim/cast.h"
#include "test/sim/scenarios.h"

#include "services/protocol.h"

// An owner on node 2, its children on nodes 0, 1 and 3, a child of each of these beside it or somewhere else.
struct family {
    struct guest_spec owner_spec;
    struct sim_guest *owner, *child[3], *grandchild[3];
};

static bool family_start(struct sim *s, struct family *f)
{
    static const unsigned nodes[3] = {0, 1, 3};
    struct guest_spec sleeper = sleeper_spec(s, NS_PER_S);
    sim_ring(s, 4);
    f->owner_spec = server_spec(s, 1);
    f->owner = sim_exec(s, 2, &f->owner_spec);
    for (unsigned i = 0; f->owner && i < 3; i++) {
        struct guest_spec child = server_spec(s, 1);
        child.owner = sim_server_cap(&f->owner_spec);
        sleeper.owner = sim_server_cap(&child);
        f->child[i] = sim_exec(s, nodes[i], &child);
        f->grandchild[i] = sim_exec(s, (unsigned)sim_below(&s->rand, 4), &sleeper);
        if (!f->child[i] || !f->grandchild[i])
            return false;
    }
    return f->owner != NULL;
}

static unsigned family_left(const struct family *f)
{
    unsigned left = 0;
    for (unsigned i = 0; i < 3; i++)
        left += !f->child[i]->ended + (unsigned)!f->grandchild[i]->ended;
    return left;
}

static bool nobody_left(struct sim *s, void *arg)
{
    (void)s;
    return family_left(arg) == 0;
}

// From now on they may be ended as orphans: children within `ns`, their children within as much again.
static void family_ends(struct sim *s, struct family *f, uint64_t ns)
{
    for (unsigned i = 0; i < 3; i++)
        f->child[i]->killed = f->grandchild[i]->killed = true;
    if (!sim_run(s, 2 * ns, nobody_left, f))
        sim_trouble(s, "%u orphans are left", family_left(f));
}

static void all_there(struct sim *s, const struct family *f, const char *when)
{
    if (family_left(f) != 6)
        sim_trouble(s, "%u of 6 are there %s", family_left(f), when);
}

// Found within the grace time, in which frames are lost; and two periods, in which the first and the last search begin.
#define ORPHAN_FOUND_NS (ORPHAN_GRACE_NS + 2 * ORPHAN_ASK_NS + LOCATE_GIVE_UP_NS)
// An end that the owner's node has seen is heard of in the next search.
#define END_HEARD_NS (ORPHAN_ASK_NS + ORPHAN_ENDED_NS + LOCATE_GIVE_UP_NS)

static void play_orphans(struct sim *s)
{
    struct family f = {0};
    if (!family_start(s, &f))
        return;
    weather(s, 10, 10, 1 * NS_PER_MS);
    sim_movers_start(s, 2, 5 * NS_PER_S);
    sim_run(s, 200 * NS_PER_S, NULL, NULL);
    sim_movers_stop(s);
    clear_weather(s);
    all_there(s, &f, "after moves, while their owner is");
    if (s->moves < 10)
        sim_trouble(s, "nothing was moved");
    f.owner->killed = true;
    if (!s->trouble[0] && sim_guest_order(s, f.owner, OP_DESTROY) != 0)
        sim_trouble(s, "the owner cannot be killed");
    family_ends(s, &f, END_HEARD_NS);
    finish(s);
}

// Cut off for less than the grace time, as often as may be: nobody is taken for an orphan.
static void play_owner_cut(struct sim *s)
{
    struct family f = {0};
    if (!family_start(s, &f))
        return;
    for (unsigned i = 0; i < 3; i++) {
        sim_run(s, sim_between(&s->rand, 1, 30000) * NS_PER_MS, NULL, NULL);
        isolate(s, 2, true);
        sim_run(s, sim_between(&s->rand, 1, ORPHAN_GRACE_NS / NS_PER_MS) * NS_PER_MS, NULL, NULL);
        isolate(s, 2, false);
        sim_run(s, ORPHAN_ASK_NS + LOCATE_GIVE_UP_NS, NULL, NULL); // it is found again
    }
    all_there(s, &f, "after cuts that were short");
    bool dies = sim_chance(&s->rand, 50);
    if (dies) { // its node loses power, with all that it had
        f.owner->may_be_lost = true;
        f.owner->started = false;
        for (unsigned i = 0; i < 3; i++)
            if (f.grandchild[i]->where == 2) {
                f.grandchild[i]->may_be_lost = f.grandchild[i]->ended = true;
                f.grandchild[i]->started = false;
            }
        sim_power_off(s, 2);
        if (sim_chance(&s->rand, 50))
            sim_power_on(s, 2);
    } else {
        isolate(s, 2, true);
    }
    family_ends(s, &f, ORPHAN_FOUND_NS);
    isolate(s, 2, false);
    if (!s->trouble[0] && !dies && sim_quit(s, &f.owner_spec) != 0)
        sim_trouble(s, "the owner was harmed");
    finish(s);
}

// --- Owners that hear of it late -------------------------------------------------------------------------------------

// Its child ends while an owner is stunned, or cut off, for minutes: it is told when it can hear again.
static void play_told_late(struct sim *s)
{
    struct guest_spec owner = server_spec(s, 1), child = server_spec(s, 1);
    bool cut = sim_chance(&s->rand, 50);
    sim_ring(s, 4);
    child.owner = sim_server_cap(&owner);
    struct sim_guest *o = sim_exec(s, 2, &owner), *c = o ? sim_exec(s, 0, &child) : NULL;
    if (!c)
        return;
    o->may_fail = true;
    sim_run(s, NS_PER_S, NULL, NULL);
    if (cut)
        isolate(s, 2, true);
    else if (sim_guest_order(s, o, OP_PROC_STUN) != 0)
        sim_trouble(s, "the owner cannot be stunned");
    c->killed = true;
    if (sim_guest_order(s, c, OP_DESTROY) != 0)
        sim_trouble(s, "the child cannot be killed");
    sim_run(s, sim_between(&s->rand, 20, 500) * NS_PER_S, NULL, NULL);
    if (!cut && sim_guest_order(s, o, OP_PROC_RESUME) != 0)
        sim_trouble(s, "the owner cannot be resumed");
    isolate(s, 2, false);
    sim_run(s, 50 * NS_PER_S, NULL, NULL);
    if (guest_data_of(s, o)->events[EVENT_ENDED] == 0)
        sim_trouble(s, "the owner, %s for a while, never heard of its child's end", cut ? "cut off" : "stunned");
    if (!s->trouble[0] && sim_quit(s, &owner) != 0)
        sim_trouble(s, "the owner does not end");
    if (!s->trouble[0])
        finish(s);
}

const struct scenario scenarios_owners[] = {
    {"told-late", "an owner that is stunned or cut off for minutes hears of its child's end", play_told_late,
     .seeds = 6},
    {"orphans", "an owner ends: so do its children and theirs, and nobody before", play_orphans, .seeds = 4},
    {"owner-cut", "an owner cut off for less than the grace time keeps its children, and only then", play_owner_cut,
     .seeds = 6},
    {0},
};
