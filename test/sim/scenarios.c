// SPDX-License-Identifier: BSD-2-Clause
// One function each. Safety is watched by the oracles after every event; a scenario says what happens, and what must
// have come true when the faults have stopped (liveness), in bounded virtual time.
#include "test/sim/scenarios.h"

#include "services/protocol.h"

#include "core/thread.h"
#include <string.h>

#define LIVE_NS (600 * NS_PER_S)   // after the faults stop, all is done within this
#define SETTLE_NS (100 * NS_PER_S) // after that, nothing is left: longer than every lifetime of core/config.h
_Static_assert(SETTLE_NS > RECORD_LIFE_NS && SETTLE_NS > MOVED_LIFE_NS + 30 * NS_PER_S, "");

// --- Casts --------------------------------------------------------------------------------------------------

static struct guest_spec server_spec(struct sim *s, unsigned threads)
{
    struct guest_spec spec = {.program = GUEST_SERVER, .threads = threads};
    spec.get[0] = ++s->next_port;
    spec.get[1] = 0x7e57;
    return spec;
}

static struct guest_spec nest_spec(struct sim *s, const struct guest_spec *behind)
{
    struct guest_spec spec = {.program = GUEST_NEST, .cap = sim_server_cap(behind)};
    spec.get[0] = ++s->next_port;
    spec.get[1] = 0x7e57;
    return spec;
}

static struct guest_spec front_spec(struct sim *s, const struct guest_spec *behind)
{
    struct guest_spec spec = nest_spec(s, behind);
    spec.program = GUEST_FRONT;
    return spec;
}

static struct guest_spec client_spec(struct sim *s, unsigned id, const struct guest_spec *server, uint64_t calls,
                                     uint64_t max_len)
{
    return (struct guest_spec){.program = GUEST_CLIENT,
                               .id = id,
                               .count = calls,
                               .max_len = max_len,
                               .cap = sim_server_cap(server),
                               .seed = sim_rand(&s->rand),
                               .pause_ns = 2 * NS_PER_MS,
                               .work_ns = 2 * NS_PER_MS};
}

static void weather(struct sim *s, unsigned loss, unsigned dup, uint64_t jitter_ns)
{
    s->weather.loss = loss;
    s->weather.dup = dup;
    s->weather.jitter_ns = jitter_ns;
    sim_say(s, "weather: %u %% lost, %u %% doubled, up to %llu us late", loss, dup,
            (unsigned long long)(jitter_ns / 1000));
}
static void clear_weather(struct sim *s)
{
    weather(s, 0, 0, 10000);
}

// --- What must have come true ----------------------------------------------------------------------------------

static void clients_end(struct sim *s)
{
    enum guest_program clients = GUEST_CLIENT;
    if (!sim_run(s, LIVE_NS, sim_all_ended, &clients))
        sim_trouble(s, "clients do not come to an end");
}

static void all_end(struct sim *s)
{
    if (!sim_run(s, LIVE_NS, sim_all_ended, NULL))
        sim_trouble(s, "guests do not come to an end");
}

// The server executed each call of this client once.
static void check_client(struct sim *s, const struct sim_guest *server, unsigned id, uint64_t calls)
{
    const struct guest_data *d = &server->data;
    if (d->count[id] != calls || d->last[id] != calls)
        sim_trouble(s, "%s executed %llu of %llu calls of client %u, the last one %llu", server->name,
                    (unsigned long long)d->count[id], (unsigned long long)calls, id,
                    (unsigned long long)d->last[id] - 1);
}

static void check_server(struct sim *s, const struct sim_guest *server)
{
    const struct guest_data *d = &server->data;
    if (d->magic != GUEST_MAGIC)
        sim_trouble(s, "%s: the first page was not downloaded", server->name);
    if (d->doubles || d->corrupt || (!server->may_fail && (d->gaps || d->errors)))
        sim_trouble(s, "%s: %llu calls executed twice, %llu left out, %llu corrupt, %llu errors", server->name,
                    (unsigned long long)d->doubles, (unsigned long long)d->gaps, (unsigned long long)d->corrupt,
                    (unsigned long long)d->errors);
}

// Ends servers (in the order given), waits until nothing can be under way any more, and looks at what is left.
static void finish(struct sim *s)
{
    all_end(s);
    sim_run(s, SETTLE_NS, NULL, NULL);
    sim_check_leaks(s);
}

// --- The simplest: a server, some clients -------------------------------------------------------------------------

struct cast {
    struct guest_spec server_spec;
    struct sim_guest *server, *client[8];
    unsigned nclients;
    uint64_t calls;
};

static bool cast_start(struct sim *s, struct cast *c, unsigned server_node, unsigned threads, unsigned nclients,
                       uint64_t calls, uint64_t max_len)
{
    *c = (struct cast){.server_spec = server_spec(s, threads), .nclients = nclients, .calls = calls};
    c->server = sim_exec(s, server_node, &c->server_spec);
    for (unsigned i = 0; c->server && i < nclients; i++) {
        struct guest_spec spec = client_spec(s, i, &c->server_spec, calls, max_len);
        c->client[i] = sim_exec(s, (server_node + 1 + i) % s->nnodes, &spec);
        if (!c->client[i])
            return false;
    }
    return c->server != NULL;
}

static void cast_end(struct sim *s, struct cast *c)
{
    clients_end(s);
    if (s->trouble[0])
        return;
    int64_t status = sim_quit(s, &c->server_spec);
    if (status != 0)
        sim_trouble(s, "the server does not end: %s", error_name(status));
    finish(s);
    check_server(s, c->server);
    for (unsigned i = 0; i < c->nclients; i++)
        if (!c->client[i]->killed)
            check_client(s, c->server, i, c->calls);
}

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

// --- Links ---------------------------------------------------------------------------------------------------------

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

static void isolate(struct sim *s, unsigned node, bool cut)
{
    for (unsigned w = 0; w < s->nwires; w++)
        for (unsigned end = 0; end < s->wire[w].nends; end++)
            if (s->wire[w].node[end] == node)
                sim_wire_set(s, &s->wire[w], cut, true);
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

// --- Stopped servers -------------------------------------------------------------------------------------------------

static void play_stun(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 2, 2, 4, 60, 9000))
        return;
    for (unsigned i = 0; i < 3 && !s->trouble[0]; i++) {
        sim_run(s, sim_between(&s->rand, 1, 30) * NS_PER_MS, NULL, NULL);
        if (sim_guest_order(s, c.server, OP_PROC_STUN) != 0)
            sim_trouble(s, "the server cannot be stunned");
        if (i == 1 && sim_migrate(s, c.server, 1) != 0) // it arrives stunned, too
            sim_trouble(s, "a stunned server cannot be moved");
        sim_run(s, sim_between(&s->rand, 1, 120) * NS_PER_S, NULL, NULL);
        if (sim_guest_order(s, c.server, OP_PROC_RESUME) != 0)
            sim_trouble(s, "the server cannot be resumed");
    }
    cast_end(s, &c);
}

// --- Moves at chosen moments -----------------------------------------------------------------------------------------

static struct proc *proc_of(struct sim *s, const struct sim_guest *g)
{
    struct node *n = g->where >= 0 ? s->node[g->where].n : NULL;
    return n ? proc_by_ep(n, g->ep) : NULL;
}

struct moment {
    struct sim_guest *g;
    enum thread_state state; // of one of its threads
    enum call_state call;    // THREAD_CALL: and of the call
};

static bool moment_come(struct sim *s, void *arg)
{
    const struct moment *m = arg;
    struct proc *p = proc_of(s, m->g);
    if (!p || p->state != PROC_RUN)
        return m->g->ended;
    LIST_FOR (l, &p->threads) {
        const struct thread *t = LIST_ENTRY(l, struct thread, link);
        if (t->state == m->state && (t->state != THREAD_CALL || t->call.state == m->call))
            return true;
    }
    return m->g->ended;
}

// Moves m->g on whenever the moment comes.
static void move_at(struct sim *s, struct moment m, unsigned times)
{
    for (unsigned i = 0; i < times && !m.g->ended && !s->trouble[0]; i++) {
        if (!sim_run(s, LIVE_NS, moment_come, &m) || m.g->ended)
            break;
        unsigned to = (unsigned)(m.g->where + 1 + (int)sim_below(&s->rand, s->nnodes - 1)) % s->nnodes;
        if (sim_migrate(s, m.g, to) == 0)
            s->moves++;
    }
}

static void play_client_moves(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 2, 2, 2, 300, 200 * KIB))
        return;
    weather(s, 5, 5, 500000);
    move_at(s, (struct moment){c.client[0], THREAD_CALL, CALL_WAIT}, 8);
    move_at(s, (struct moment){c.client[0], THREAD_CALL, CALL_RECV}, 8);
    move_at(s, (struct moment){c.client[1], THREAD_CALL, CALL_SEND}, 8);
    if (s->moves < 4)
        sim_trouble(s, "only %u moves came about", (unsigned)s->moves);
    clients_end(s);
    clear_weather(s);
    cast_end(s, &c);
}

static void play_server_moves(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 2, 1, 3, 150, 200 * KIB))
        return;
    weather(s, 5, 5, 500000);
    move_at(s, (struct moment){.g = c.server, .state = THREAD_FILL}, 8);
    move_at(s, (struct moment){.g = c.server, .state = THREAD_PUTREP}, 8);
    move_at(s, (struct moment){.g = c.server, .state = THREAD_GETREQ}, 4);
    move_at(s, (struct moment){.g = c.server, .state = THREAD_SLEEP}, 4);
    if (s->moves < 4)
        sim_trouble(s, "only %u moves came about", (unsigned)s->moves);
    clients_end(s);
    clear_weather(s);
    cast_end(s, &c);
}

// --- Moves that fail -------------------------------------------------------------------------------------------------

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
static bool in_doubt(struct sim *s, void *arg)
{
    struct proc *p = proc_of(s, arg);
    return p && p->state == PROC_DOUBT;
}

struct failing {
    struct sim_order o;
    struct sim_guest *g;
};
static bool failed(struct sim *s, void *arg)
{
    (void)s;
    return ((struct failing *)arg)->o.done;
}

// The target loses power before COMMIT: the process goes on at the source.
static void play_target_dies(struct sim *s)
{
    struct cast c;
    struct failing f;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 1, 1, 1, 100, 20000)) // client on 2
        return;
    sim_run(s, 5 * NS_PER_MS, NULL, NULL);
    sim_migrate_start(s, &f.o, c.server, 3);
    if (!sim_run(s, LIVE_NS, arriving, c.server))
        sim_trouble(s, "the move does not begin");
    sim_run(s, sim_below(&s->rand, 2000) * 1000, NULL, NULL);
    if (!arriving(s, c.server) || in_doubt(s, c.server))
        return; // too late: the other scenario's case
    sim_power_off(s, 3);
    if (sim_chance(&s->rand, 50))
        sim_power_on(s, 3);
    if (!sim_run(s, LIVE_NS, failed, &f))
        sim_trouble(s, "the move does not end");
    struct proc *p = proc_of(s, c.server);
    if (f.o.status >= 0 || !p || p->state != PROC_RUN)
        sim_trouble(s, "the server did not go on at the source: %s", error_name(f.o.status));
    cast_end(s, &c);
}

// The target loses power when COMMIT is under way: it may have run there, so it is not resumed, even when the target is
// born again. Its owner decides.
static void play_doubt(struct sim *s)
{
    struct cast c;
    struct failing f;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 1, 1, 1, 100, 20000))
        return;
    c.client[0]->may_fail = true;
    c.server->may_be_lost = true; // when it ran on the node that died
    sim_run(s, 5 * NS_PER_MS, NULL, NULL);
    sim_migrate_start(s, &f.o, c.server, 3);
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
    if (!sim_run(s, LIVE_NS, failed, &f))
        sim_trouble(s, "the move does not end");
    p = proc_by_ep(s->node[source].n, c.server->ep);
    if (f.o.status == 0) { // its last word was already under way: the server died there
        c.server->started = false;
        clients_end(s);
        finish(s);
        return;
    }
    if (f.o.status != -E_DOUBT || !p || p->state != PROC_DOUBT)
        sim_trouble(s, "the server is not left in doubt: %s", error_name(f.o.status));
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
    struct failing f;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 2, 1, 1, 100, 20000)) // client on 3
        return;
    c.client[0]->may_fail = true; // cut off for longer than a search
    c.server->may_fail = true;
    sim_run(s, 5 * NS_PER_MS, NULL, NULL);
    sim_migrate_start(s, &f.o, c.server, 3);
    // Somewhere on the way, or just when COMMIT and its answer travel.
    bool at_commit = sim_chance(&s->rand, 50);
    if (!sim_run(s, LIVE_NS, at_commit ? in_doubt : arriving, c.server))
        sim_trouble(s, "the move does not begin");
    sim_run(s, sim_below(&s->rand, at_commit ? 120 : 3000) * 1000, NULL, NULL);
    isolate(s, 2, true);
    sim_run(s, sim_between(&s->rand, 100, 45000) * NS_PER_MS, NULL, NULL);
    isolate(s, 2, false);
    if (!sim_run(s, LIVE_NS, failed, &f))
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

// --- Ends ------------------------------------------------------------------------------------------------------------

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

// --- Owners ----------------------------------------------------------------------------------------------------------

// An owner on node 2, its children on nodes 0, 1 and 3, a child of each of these beside it or somewhere else.
struct family {
    struct guest_spec owner_spec;
    struct sim_guest *owner, *child[3], *grandchild[3];
};

static bool family_start(struct sim *s, struct family *f)
{
    static const unsigned nodes[3] = {0, 1, 3};
    struct guest_spec sleeper = {.program = GUEST_SLEEPER, .count = UINT64_MAX, .pause_ns = NS_PER_S, .seed = s->seed};
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

// Found within the grace time, in which frames are lost; and one period, in which the last search begins.
#define ORPHAN_FOUND_NS (ORPHAN_GRACE_NS + ORPHAN_ASK_NS + LOCATE_GIVE_UP_NS)

static void play_orphans(struct sim *s)
{
    struct family f = {0};
    if (!family_start(s, &f))
        return;
    weather(s, 10, 10, 1 * NS_PER_MS);
    sim_movers_start(s, 2, 5 * NS_PER_S);
    sim_run(s, 3 * ORPHAN_FOUND_NS, NULL, NULL);
    sim_movers_stop(s);
    clear_weather(s);
    all_there(s, &f, "after moves, while their owner is");
    if (s->moves < 10)
        sim_trouble(s, "nothing was moved");
    f.owner->killed = true;
    if (!s->trouble[0] && sim_guest_order(s, f.owner, OP_DESTROY) != 0)
        sim_trouble(s, "the owner cannot be killed");
    family_ends(s, &f, ORPHAN_FOUND_NS);
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
        sim_run(s, sim_between(&s->rand, 1, ORPHAN_GRACE_NS / NS_PER_MS - 1000) * NS_PER_MS, NULL, NULL);
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

const struct scenario scenarios[] = {
    {"pair", "two nodes, a client and a server: each call is executed once", play_pair, 2},
    {"clean", "a clean ring of four: calls with up to 200 KiB both ways are executed once", play_clean, 2},
    {"moves", "server and clients moved all the time: no error, nothing executed twice", play_moves_clean, 4},
    {"storm", "20 % lost, 20 % doubled, reordered, all moved at random: no error, nothing executed twice", play_storm,
     4},
    {"large", "large messages arrive whole when 5 % of the frames are lost", play_large, 2},
    {"mixed", "threads in trans, getreq, service, lock and sleep move: each goes on as if nothing had been", play_mixed,
     4},
    {"forward", "requests forwarded once and twice, all moved, 20 % lost: each server executes each once", play_forward,
     6},
    {"cancel", "calls cancelled at random, all moved, 10 % lost: what each caller is told is true", play_cancel, 8},
    {"sixteen", "a ring of sixteen: the same", play_sixteen, 1},
    {"shared", "one wire that all nodes share: the same", play_shared, 2},
    {"cut", "a link is cut and mended: the ring has another way", play_cut, 4},
    {"partition", "a server's node is cut off for long: all calls end, nothing is executed twice", play_partition, 6},
    {"stun", "a call to a stunned server waits for as long as it is stunned, also when that is moved", play_stun, 3},
    {"client-moves", "a client moves while its request goes out, while it waits, while the reply comes in",
     play_client_moves, 4},
    {"server-moves", "a server moves while a request comes in, while it works, while its reply goes out",
     play_server_moves, 4},
    {"refused", "a target without memory refuses: the server goes on at the source", play_refused, 3},
    {"starved", "allocations fail everywhere: nothing hangs, is done twice, or is left behind", play_starved, 4},
    {"target-dies", "a target that dies before COMMIT: the server goes on at the source", play_target_dies, 6},
    {"doubt", "a target that dies after COMMIT: the source does not resume, its owner decides", play_doubt, 6},
    {"source-cut", "a source that is cut off in the middle of a move: one copy goes on", play_source_cut, 6},
    {"kill-client", "a client is killed in the middle of a call: its server goes on", play_kill_client, 4},
    {"kill-server", "a server is killed: every call to it ends with an error", play_kill_server, 4},
    {"reborn", "a node is born again: no frame of before is accepted", play_reborn, 6},
    {"orphans", "an owner ends: so do its children and theirs, and nobody before", play_orphans, 4},
    {"owner-cut", "an owner cut off for less than the grace time keeps its children, and only then", play_owner_cut, 6},
    {"long", "all of that at random, for long", scenario_long, 2},
    {NULL, NULL, NULL, 0},
};

// One round of whatever comes: weather, a cut, a server stunned for a while; moves go on all the time.
static void long_round(struct sim *s, struct sim_guest *server)
{
    struct sim_wire *w = &s->wire[sim_below(&s->rand, s->nwires)];
    bool cut = sim_chance(&s->rand, 40), stun = sim_chance(&s->rand, 20);
    // A question and its answer cross up to twice as many links as there are nodes. It is flooded nine times, and must
    // not be lost each time, or a client is told in good faith that its server is not here.
    weather(s, (unsigned)sim_below(&s->rand, 1 + 48 / s->nnodes), (unsigned)sim_below(&s->rand, 25),
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
