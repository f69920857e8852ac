// SPDX-License-Identifier: BSD-2-Clause
// Guests that stand still, and those who have to do with them: a client that is stunned, or out of memory, in the
// middle of a request or a reply must not hold its server's thread, which others wait for; and to wait costs little.
#include "test/sim/cast.h"
#include "test/sim/scenarios.h"

#include "core/rec.h"
#include "services/protocol.h"

#define STILL_NS (600 * NS_PER_S) // so long nothing changes for the one that stands still

// The record of client 0 at the server, in this state with a message longer than `len`; NULL: none.
static const struct rec *rec_of(struct sim *s, const struct cast *c, enum rec_state state, uint64_t len)
{
    struct proc *p = proc_of(s, c->server);
    if (!p)
        return NULL;
    LIST_FOR (l, &p->recs) {
        const struct rec *r = LIST_ENTRY(l, struct rec, link);
        uint64_t has = state == REC_FILL ? r->req_len : r->rep_len;
        if (r->state == state && r->server && r->client == c->client[0]->ep && has > len)
            return r;
    }
    return NULL;
}

static bool takes_in(struct sim *s, void *arg)
{
    return rec_of(s, arg, REC_FILL, 30000) != NULL;
}

static bool gives_out(struct sim *s, void *arg)
{
    return rec_of(s, arg, REC_REPLY, 30000) != NULL;
}

static bool begins_to_give_out(struct sim *s, void *arg)
{
    const struct rec *r = rec_of(s, arg, REC_REPLY, 150000);
    return r && r->sent.base == 0;
}

static uint64_t calls_of_others(struct sim *s, const struct cast *c)
{
    return guest_data_of(s, c->client[1])->calls + guest_data_of(s, c->client[2])->calls;
}

// Three clients of a server with one thread, and the moment at which it has to do with client 0.
static bool moment(struct sim *s, struct cast *c, bool (*when)(struct sim *s, void *cast))
{
    sim_ring(s, 4);
    if (!cast_start(s, c, 1, 1, 3, 3000, 200 * KIB))
        return false;
    if (!sim_run(s, LIVE_NS, when, c))
        sim_trouble(s, "the moment did not come");
    return !s->trouble[0];
}

static void stunned_client(struct sim *s, bool (*when)(struct sim *s, void *cast))
{
    struct cast c;
    if (!moment(s, &c, when))
        return;
    if (sim_guest_order(s, c.client[0], OP_PROC_STUN) != 0)
        sim_trouble(s, "the client cannot be stunned");
    sim_run(s, 2 * NS_PER_S, NULL, NULL);
    if (!when(s, &c)) {
        sim_say(s, "the client was through before it stood still");
        return;
    }
    uint64_t before = calls_of_others(s, &c);
    sim_run(s, STILL_NS, NULL, NULL);
    if (calls_of_others(s, &c) == before)
        sim_trouble(s, "client 0 is stunned: the others made no call in %llu s",
                    (unsigned long long)(STILL_NS / NS_PER_S));
}

static void play_stunned_fill(struct sim *s)
{
    stunned_client(s, takes_in);
}

static void play_stunned_putrep(struct sim *s)
{
    stunned_client(s, gives_out);
}

// The node of a client has no memory for the reply that comes in.
static void play_reply_nomem(struct sim *s)
{
    struct cast c;
    void *held[4096];
    unsigned count = 0;
    if (!moment(s, &c, begins_to_give_out))
        return;
    struct node *n = s->node[c.client[0]->where].n;
    while (count < 4096 && (held[count] = page_alloc(n)))
        count++;
    uint64_t before = calls_of_others(s, &c);
    sim_run(s, STILL_NS, NULL, NULL);
    uint64_t made = calls_of_others(s, &c) - before;
    while (count > 0)
        page_drop(n, held[--count]);
    if (made < 10)
        sim_trouble(s, "client 0 has no memory for its reply: the others made %llu calls in %llu s",
                    (unsigned long long)made, (unsigned long long)(STILL_NS / NS_PER_S));
}

// Eight callers of a stunned server wait for as long as it is stunned. To wait gets cheaper with time.
static void play_waiting(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 2, 1, 8, 60000, 64))
        return;
    if (sim_guest_order(s, c.server, OP_PROC_STUN) != 0)
        sim_trouble(s, "the server cannot be stunned");
    sim_run(s, 30 * NS_PER_S, NULL, NULL);
    uint64_t frames = s->frames_sent, most = c.nclients * (STILL_NS / NS_PER_S);
    sim_run(s, STILL_NS, NULL, NULL);
    frames = s->frames_sent - frames;
    if (frames > most)
        sim_trouble(s, "%u callers of a stunned server cost %llu frames in %llu s: more than one a second each",
                    c.nclients, (unsigned long long)frames, (unsigned long long)(STILL_NS / NS_PER_S));
}

const struct scenario scenarios_stopped[] = {
    {"stunned_fill", "a client is stunned in the middle of its request: its server serves others", play_stunned_fill,
     .seeds = 2},
    {"stunned_putrep", "a client is stunned in the middle of its reply: its server serves others", play_stunned_putrep,
     .seeds = 2},
    {"reply_nomem", "a client has no memory for its reply: its server serves others", play_reply_nomem, .seeds = 1,
     .slow = true},
    {"waiting", "to wait for a stunned server costs at most a frame a second", play_waiting, .seeds = 1},
    {0},
};
