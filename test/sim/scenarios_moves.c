// SPDX-License-Identifier: BSD-2-Clause
// Servers that are stunned, and moves at chosen moments of a call.
#include "test/sim/cast.h"
#include "test/sim/scenarios.h"

#include <string.h>

#include "core/thread.h"
#include "services/protocol.h"

// --- Stopped servers ------------------------------------------------------------------------------------------------

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

// --- Moves at chosen moments ----------------------------------------------------------------------------------------
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

#define WINDOW_FRAMES 16u

// Fragment i of a request to a server that was on node 1, as its client's window brings it there.
static struct wire_hdr fragment(struct sim *s, const struct link *l, ep_t server, unsigned i)
{
    struct wire_hdr h = {
        .ethertype = WIRE_ETHERTYPE_BE,
        .version = WIRE_VERSION,
        .kind = WIRE_REQUEST,
        .limit = WIRE_HOPS_MAX,
        .path_payload = SIM_FRAG_ETHERNET,
        .src_node = node_ep(s->node[0].n),
        .dst_node = node_ep(s->node[1].n),
        .src_ep = 0x777,
        .dst_ep = server,
        .tid = 1,
        .seq = 1,
        .total = WINDOW_FRAMES * 1024ull,
        .offset = i * 1024ull,
        .frag = 1024,
        .payload = 1024,
        .src_mac = {2, 0, 0, 0, 0, 99},
    };
    memcpy(h.dst_mac, l->mac, sizeof h.dst_mac);
    return h;
}

// A window of frames was under way when the server moved: one goes after it, and its sender is told once.
static void play_window(struct sim *s)
{
    static const uint8_t bytes[1024];
    struct piece p = {(void *)(uintptr_t)bytes, sizeof bytes};
    sim_ring(s, 3);
    struct guest_spec spec = server_spec(s, 1);
    struct sim_guest *g = sim_exec(s, 1, &spec);
    if (!g)
        return;
    int64_t status = sim_migrate(s, g, 2);
    if (status != 0)
        sim_trouble(s, "the server cannot be moved: %s", error_name(status));
    sim_run(s, NS_PER_S, NULL, NULL);
    uint64_t sent = s->frames_of[WIRE_REQUEST], told = s->frames_of[WIRE_MOVED];
    struct link *l = &s->wire[0].end[1]->l;
    host_node_enter(l->node);
    for (unsigned i = 0; i < WINDOW_FRAMES; i++) {
        struct wire_hdr h = fragment(s, l, g->ep, i);
        net_input(l->node, l, &h, &p, 1, sizeof bytes);
    }
    sent = s->frames_of[WIRE_REQUEST] - sent;
    told = s->frames_of[WIRE_MOVED] - told;
    if (sent != 1 || told != 1)
        sim_trouble(s, "of a window %llu frames are sent on, and its sender is told %llu times",
                    (unsigned long long)sent, (unsigned long long)told);
}

// --- Orders that meet a process in its freeze ------------------------------------------------------------------------

#define ORDERS_AT_ONCE 30u // more than a process service has tasks

static bool freezes(struct sim *s, void *guest)
{
    struct proc *p = proc_of(s, guest);
    return p && (p->state == PROC_MOVING || p->state == PROC_DOUBT);
}

static bool orders_done(struct sim *s, void *arg)
{
    const struct sim_order *o = arg;
    for (unsigned i = 0; i < ORDERS_AT_ONCE; i++)
        if (!sim_order_done(s, (void *)&o[i]))
            return false;
    return true;
}

// Thirty orders for another priority, once the process is in its freeze; the client of each is on node 0.
static void orders_meet(struct sim *s, struct sim_guest *g, uint64_t priority)
{
    static struct sim_order o[ORDERS_AT_ONCE];
    for (unsigned i = 0; i < ORDERS_AT_ONCE; i++) {
        o[i] = (struct sim_order){.cap = g->cap, .op = OP_PROC_SET_PRIORITY, .arg = {priority}};
        sim_order_start(s, &o[i]);
    }
    if (!sim_run(s, LIVE_NS, orders_done, o))
        sim_trouble(s, "orders that met a move do not end");
    for (unsigned i = 0; i < ORDERS_AT_ONCE; i++)
        if (o[i].status != 0)
            sim_trouble(s, "an order that met a move: %s", error_name(o[i].status));
    if (!s->trouble[0] && proc_of(s, g)->priority != priority)
        sim_trouble(s, "an order that met a move was answered and not carried out");
}

static void play_orders_meet(struct sim *s)
{
    struct cast c;
    sim_ring(s, 4);
    if (!cast_start(s, &c, 2, 2, 2, 400, 9000))
        return;
    weather(s, 5, 5, 2 * NS_PER_MS);
    for (unsigned i = 0; i < 12 && !s->trouble[0]; i++) {
        struct sim_order move;
        unsigned to = (unsigned)(c.server->where + 1 + (int)sim_below(&s->rand, 3)) % 4;
        sim_migrate_start(s, &move, c.server, to);
        if (!sim_run(s, LIVE_NS, freezes, c.server))
            sim_trouble(s, "the move does not begin");
        sim_run(s, sim_below(&s->rand, 4000) * 1000, NULL, NULL);
        orders_meet(s, c.server, 1 + i % 4);
        if (!sim_run(s, LIVE_NS, sim_order_done, &move))
            sim_trouble(s, "the move does not end");
        s->moves += move.status == 0;
    }
    if (s->moves < 8)
        sim_trouble(s, "only %u moves came about", (unsigned)s->moves);
    clear_weather(s);
    cast_end(s, &c);
}

// An order to kill meets a move: the process ends, wherever it is by then.
static void play_kill_meets(struct sim *s)
{
    struct guest_spec sleeper = sleeper_spec(s, NS_PER_MS);
    struct sim_order move, kill;
    sim_ring(s, 4);
    struct sim_guest *g = sim_exec(s, 2, &sleeper);
    if (!g)
        return;
    weather(s, 5, 5, 2 * NS_PER_MS);
    sim_migrate_start(s, &move, g, 3);
    if (!sim_run(s, LIVE_NS, freezes, g))
        sim_trouble(s, "the move does not begin");
    sim_run(s, sim_below(&s->rand, 4000) * 1000, NULL, NULL);
    g->killed = true;
    kill = (struct sim_order){.cap = g->cap, .op = OP_DESTROY};
    sim_order_start(s, &kill);
    if (!sim_run(s, LIVE_NS, sim_order_done, &kill) || kill.status != 0)
        sim_trouble(s, "an order to kill that met a move: %s", error_name(kill.status));
    if (!sim_run(s, LIVE_NS, sim_order_done, &move))
        sim_trouble(s, "the move does not end");
    clear_weather(s);
    if (!s->trouble[0])
        finish(s);
}

const struct scenario scenarios_moves[] = {
    {"orders-meet", "orders that meet a process in its freeze are carried out, thirty at once too", play_orders_meet,
     .seeds = 4},
    {"kill-meets", "an order to kill that meets a process in its freeze ends it", play_kill_meets, .seeds = 6},
    {"stun", "a call to a stunned server waits for as long as it is stunned, also when that is moved", play_stun,
     .seeds = 3},
    {"client-moves", "a client moves while its request goes out, while it waits, while the reply comes in",
     play_client_moves, .seeds = 4},
    {"server-moves", "a server moves while a request comes in, while it works, while its reply goes out",
     play_server_moves, .seeds = 4},
    {"window", "a window comes after a server has moved: one frame is sent on, and told", play_window, .seeds = 1},
    {0},
};
