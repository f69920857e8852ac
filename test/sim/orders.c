// SPDX-License-Identifier: BSD-2-Clause
// What the host command does, done by tasks on node 0 through real transactions.
#include "test/sim/sim.h"

#include "core/abi.h"
#include "core/cap.h"
#include "core/desc.h"
#include "core/panic.h"
#include "core/task.h"
#include "core/thread.h"
#include "services/dir.h"
#include "services/protocol.h"

#include <string.h>

#define ORDER_NS (300 * NS_PER_S) // liveness: no order takes longer than this

// --- One transaction ----------------------------------------------------------------------------------------

// The target's process service, by its boot directory. E_NOTHERE, E_DIED... when it cannot be reached.
static int64_t look_up_proc(struct node *n, struct sim *s, unsigned node, struct cap *out)
{
    struct cap dir = dir_root_cap(s->ring_key, s->node[node].name, RIGHT_ALL);
    struct task_result r;
    int64_t status =
        task_trans(n, &dir, OP_DIR_LOOKUP, NULL, buf_kernel("proc", 4), buf_kernel(out, sizeof *out), 20000, &r);
    return status < 0 ? status : r.len == sizeof *out ? 0 : -E_FORMAT;
}

static void order_main(struct node *n, void *arg)
{
    struct sim_order *o = arg;
    struct task_result r = {0};
    int64_t status = o->migrate ? look_up_proc(n, o->s, o->node, &o->target) : 0;
    if (status == 0)
        status = task_trans(n, &o->cap, o->op, o->arg, o->req, o->rep, o->timeout_ms, &r);
    memcpy(o->res, r.res, sizeof o->res);
    o->len = r.len;
    o->status = status;
    o->done = true;
}

bool sim_order_start(struct sim *s, struct sim_order *o)
{
    struct node *n = s->node[0].n;
    o->s = s;
    o->done = false;
    host_node_enter(n);
    struct thread *t = task_spawn(n, "order", order_main, o);
    sim_poke(&s->node[0]);
    if (!t)
        sim_trouble(s, "no memory for an order");
    return t != NULL;
}

bool sim_order_done(struct sim *s, void *arg)
{
    (void)s;
    return ((struct sim_order *)arg)->done;
}

int64_t sim_order(struct sim *s, struct sim_order *o)
{
    if (!sim_order_start(s, o))
        return -E_MEM;
    if (!sim_run(s, ORDER_NS, sim_order_done, o)) {
        sim_trouble(s, "order %u does not end", o->op);
        return -E_TIMEOUT;
    }
    return o->status;
}

// --- Starting a guest: a descriptor made by hand, whose first page comes by transaction ---------------------------

struct bytes {
    uint8_t at[4096];
    uint64_t len;
    uint32_t sections;
};

static void put(struct bytes *b, const void *p, size_t len)
{
    ASSERT(b->len + len <= sizeof b->at);
    memcpy(b->at + b->len, p, len);
    b->len += len;
}

static void put_section(struct bytes *b, uint32_t tag, const void *p, size_t len)
{
    struct desc_sec sec = {.tag = tag, .len = len};
    ASSERT(len % 8 == 0);
    put(b, &sec, sizeof sec);
    put(b, p, len);
    b->sections++;
}

static void put_memory(struct bytes *b, const struct guest_spec *spec, const struct cap *data)
{
    struct desc_seg d = {.source = *data, .source_len = PAGE_SIZE, .len = PAGE_SIZE};
    struct desc_seg m = {.len = 2 * GUEST_BUFFER};
    unsigned threads = guest_threads(spec);
    put_section(b, DESC_SEG, &d, sizeof d);
    for (unsigned i = 0; i < threads; i++)
        put_section(b, DESC_SEG, &m, sizeof m);
    struct desc_map map = {.va = GUEST_DATA, .len = PAGE_SIZE, .flags = MAP_READ | MAP_WRITE};
    put_section(b, DESC_MAP, &map, sizeof map);
    for (unsigned i = 0; i < threads; i++) {
        map = (struct desc_map){.va = GUEST_REQ(i), .len = 2 * GUEST_BUFFER, .seg = 1 + i, .flags = map.flags};
        put_section(b, DESC_MAP, &map, sizeof map);
    }
}

static void make_descriptor(struct bytes *b, const struct guest_spec *spec, const char *name, const struct cap *data)
{
    struct desc_hdr h = {0};
    struct desc_proc p = {.next_tid = 2, .owner = spec->owner};
    struct desc_thread t = {.tid = 1, .state = THREAD_READY, .wake_left_ns = UINT64_MAX};
    *b = (struct bytes){0};
    put(b, &h, sizeof h);
    snprintf(p.name, sizeof p.name, "%s", name);
    put_section(b, DESC_PROC, &p, sizeof p);
    put_memory(b, spec, data);
    guest_registers(spec, t.x, &t.pc);
    put_section(b, DESC_THRD, &t, sizeof t);
    desc_seal(b->at, b->len, b->sections);
}

// A page in a segment on node 0, written by transaction, from which the new process is filled: a download.
static int64_t make_data(struct sim *s, struct cap *out)
{
    struct guest_data data = {.magic = GUEST_MAGIC};
    struct cap dir = dir_root_cap(s->ring_key, "n0", RIGHT_ALL), seg;
    struct sim_order look = {
        .cap = dir, .op = OP_DIR_LOOKUP, .req = buf_kernel("seg", 3), .rep = buf_kernel(&seg, sizeof seg)};
    int64_t status = sim_order(s, &look);
    struct sim_order create = {
        .cap = seg, .op = OP_SEG_CREATE, .arg = {PAGE_SIZE}, .rep = buf_kernel(out, sizeof *out)};
    if (status == 0)
        status = sim_order(s, &create);
    struct sim_order fill = {.cap = *out, .op = OP_WRITE, .req = buf_kernel(&data, sizeof data)};
    return status < 0 ? status : sim_order(s, &fill);
}

struct sim_guest *sim_exec(struct sim *s, unsigned node, const struct guest_spec *spec)
{
    static struct bytes b; // large; used until the order is done
    ASSERT(s->nguests < SIM_GUESTS);
    struct sim_guest *g = &s->guest[s->nguests];
    *g = (struct sim_guest){.index = s->nguests++, .program = spec->program, .where = -1, .may_fail = spec->may_fail};
    snprintf(g->name, sizeof g->name, "g%u", g->index);
    struct cap data;
    int64_t status = make_data(s, &data);
    make_descriptor(&b, spec, g->name, &data);
    struct sim_order o = {
        .op = OP_PROC_EXEC, .req = buf_kernel(b.at, b.len), .rep = buf_kernel(&g->cap, sizeof g->cap)};
    struct sim_order look = {.cap = dir_root_cap(s->ring_key, s->node[node].name, RIGHT_ALL),
                             .op = OP_DIR_LOOKUP,
                             .req = buf_kernel("proc", 4),
                             .rep = buf_kernel(&o.cap, sizeof o.cap)};
    for (unsigned tries = 0; status == 0 && tries < 3; tries++) // the node may be born again, and n0 not know it yet
        if (sim_order(s, &look) == 0)
            break;
    if (status == 0)
        status = sim_order(s, &o);
    struct sim_order drop = {.cap = data, .op = OP_DESTROY};
    if (status == 0)
        status = sim_order(s, &drop);
    if (status < 0) {
        sim_trouble(s, "%s could not be started: %s", g->name, error_name(status));
        return NULL;
    }
    g->started = true;
    sim_say(s, "%s started on %s", g->name, s->node[node].name);
    return g;
}

struct cap sim_server_cap(const struct guest_spec *spec)
{
    struct port get = {{spec->get[0], spec->get[1]}};
    return (struct cap){.port = cap_put_port(get), .obj_rights = RIGHT_ALL};
}

int64_t sim_quit(struct sim *s, const struct guest_spec *server)
{
    struct sim_order o = {.cap = sim_server_cap(server), .op = GUEST_OP_QUIT};
    return sim_order(s, &o);
}

// --- Orders about a guest -------------------------------------------------------------------------------------------

int64_t sim_guest_order(struct sim *s, struct sim_guest *g, uint32_t op)
{
    struct sim_order o = {.cap = g->cap, .op = op};
    if (op == OP_DESTROY)
        g->killed = true;
    int64_t status = sim_order(s, &o);
    sim_say(s, "order %u about %s: %s", op, g->name, error_name(status));
    return status;
}

// As if another thread of the guest had called SYS_CANCEL.
bool sim_cancel(struct sim *s)
{
    static const uint64_t grace_ns[] = {0, 1 * NS_PER_MS, 30 * NS_PER_MS, 1 * NS_PER_S};
    struct sim_guest *g = &s->guest[sim_below(&s->rand, s->nguests)];
    uint64_t grace = grace_ns[sim_below(&s->rand, 4)];
    if (!g->started || g->ended || g->where < 0 || !s->node[g->where].n)
        return false;
    struct node *n = s->node[g->where].n;
    struct proc *p = proc_by_ep(n, g->ep);
    struct thread *t = p && !proc_frozen(p) ? thread_find(p, 1) : NULL;
    if (!t || t->state != THREAD_CALL)
        return false;
    host_node_enter(n);
    int e = txn_cancel(n, t, grace);
    sim_say(s, "%s: call %llu cancelled, %llu ms to answer: %s", g->name, (unsigned long long)t->call.seq,
            (unsigned long long)(grace / NS_PER_MS), error_name(e));
    sim_poke(&s->node[g->where]);
    return true;
}

void sim_migrate_start(struct sim *s, struct sim_order *o, struct sim_guest *g, unsigned node)
{
    *o = (struct sim_order){.cap = g->cap, .op = OP_PROC_MIGRATE, .migrate = true, .node = node};
    o->req = buf_kernel(&o->target, sizeof o->target);
    sim_order_start(s, o);
}

int64_t sim_migrate(struct sim *s, struct sim_guest *g, unsigned node)
{
    struct sim_order o;
    sim_migrate_start(s, &o, g, node);
    if (!sim_run(s, ORDER_NS, sim_order_done, &o))
        sim_trouble(s, "the move of %s does not end", g->name);
    sim_say(s, "%s to %s: %s", g->name, s->node[node].name, error_name(o.status));
    return o.status;
}

// --- Movers ----------------------------------------------------------------------------------------------------------

struct mover {
    struct sim *s;
    struct sim_rand rand;
    uint64_t max_pause_ns;
};
static struct mover movers[8];

static void mover_move(struct node *n, struct mover *m)
{
    struct sim *s = m->s;
    struct sim_guest *g = &s->guest[sim_below(&m->rand, s->nguests)];
    unsigned node = (unsigned)sim_below(&m->rand, s->nnodes);
    struct cap target;
    if (!g->started || g->ended || !s->node[node].n)
        return;
    int64_t status = look_up_proc(n, s, node, &target);
    if (status == 0)
        status = task_trans(n, &g->cap, OP_PROC_MIGRATE, NULL, buf_kernel(&target, sizeof target), buf_none(), 0, NULL);
    if (status == 0)
        s->moves++;
    else if (status == -E_STATE || status == -E_EXISTS)
        s->moves_refused++; // it moves already, or is there
    else
        s->moves_failed++;
    sim_say(s, "%s to %s: %s", g->name, s->node[node].name, error_name(status));
}

static void mover_main(struct node *n, void *arg)
{
    struct mover *m = arg;
    while (m->s->moving) {
        task_sleep(n, sim_below(&m->rand, m->max_pause_ns));
        if (m->s->moving)
            mover_move(n, m);
    }
    m->s->movers--;
}

void sim_movers_start(struct sim *s, unsigned count, uint64_t max_pause_ns)
{
    struct node *n = s->node[0].n;
    s->moving = true;
    for (unsigned i = 0; i < count && i < 8; i++) {
        movers[i] = (struct mover){.s = s, .rand = {sim_rand(&s->rand)}, .max_pause_ns = max_pause_ns};
        host_node_enter(n);
        if (task_spawn(n, "mover", mover_main, &movers[i]))
            s->movers++;
    }
    sim_poke(&s->node[0]);
}

static bool movers_gone(struct sim *s, void *arg)
{
    (void)arg;
    return s->movers == 0;
}

void sim_movers_stop(struct sim *s)
{
    s->moving = false;
    if (!sim_run(s, ORDER_NS, movers_gone, NULL))
        sim_trouble(s, "a move does not end");
}
