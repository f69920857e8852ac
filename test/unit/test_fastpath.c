// SPDX-License-Identifier: BSD-2-Clause
// The fast path of a transaction (core/fastpath.c) leaves, after each system call, what the slow path leaves: the same
// calls on two equal nodes, one of which is made to look round before each, and the descriptors of client and server
// compared byte for byte.
#include "core/loop.h"
#include "test/unit/unit.h"

#include "core/abi.h"
#include "core/desc.h"
#include "core/entry.h"
#include "core/proc.h"
#include "core/sched.h"
#include "core/thread.h"

#define DATA 0x100000ull
#define DATA_LEN (256 * KIB)
#define ROOM 20000u
#define CALLS_MAX 9u
#define OP 77u

struct sizes {
    uint64_t req, rep;
};

struct world {
    struct node *n;
    struct proc *client, *server;
    struct thread *c, *s;
    struct cap cap;
    uint64_t handle;
    bool look_round;
};

static uint64_t *a(struct thread *t, unsigned i)
{
    return &t->regs.x[REG_A0 + i];
}

static struct proc *new_proc(struct node *n, uint8_t fill, struct thread **t)
{
    static uint8_t bytes[DATA_LEN];
    struct proc *p;
    struct seg *s;
    assert_int_equal(proc_create(n, EP_NONE, &p), 0);
    assert_int_equal(seg_create(n, DATA_LEN, &s), 0);
    assert_int_equal(proc_map(n, p, DATA, DATA_LEN, s, 0, MAP_READ | MAP_WRITE), 0);
    memset(bytes, fill, sizeof bytes);
    struct buf b = buf_user(p, DATA, DATA_LEN);
    assert_int_equal(buf_write(n, &b, 0, bytes, sizeof bytes), 0);
    *t = thread_create(n, p, 0);
    assert_non_null(*t);
    assert_int_equal(proc_resume(n, p), 0);
    return p;
}

// One system call of t, whose turn it is. Was it the fast path, to another thread?
static bool sys(struct world *w, struct thread *t, uint64_t number)
{
    struct hart *h = &w->n->harts[0];
    host_node_enter(w->n);
    while (sched_next(h) != t) { // the first time: whoever is ready gives way
        assert_non_null(h->current);
        uint64_t a0 = *a(h->current, 0), a7 = *a(h->current, 7);
        struct thread *other = h->current;
        *a(other, 7) = SYS_YIELD;
        entry_syscall(h, other);
        *a(other, 0) = a0;
        *a(other, 7) = a7;
    }
    if (w->look_round)
        w->n->sched_epoch++;
    *a(t, 7) = number;
    entry_syscall(h, t);
    return h->current != t && h->current->state == THREAD_RUN;
}

static struct world new_world(bool look_round)
{
    const struct host_options options = {.clock = unit_clock, .seed = 5};
    struct world w = {.n = host_node_new("quick", UNIT_PAGES, &options), .look_round = look_round};
    assert_non_null(w.n);
    host_node_enter(w.n);
    w.server = new_proc(w.n, 0x55, &w.s);
    w.client = new_proc(w.n, 0xcc, &w.c);
    *a(w.s, 0) = 0x6e7;
    *a(w.s, 1) = 0x1234;
    (void)sys(&w, w.s, SYS_PORT_LISTEN);
    w.handle = *a(w.s, 0);
    w.cap = (struct cap){
        .port = {{*a(w.s, 1), *a(w.s, 2)}},
        .obj_rights = 0x8765432fu,
        .check = {0x11111111u, 0x82222222u, 0x93333333u},
    };
    return w;
}

static bool call_trans(struct world *w, unsigned i, const struct sizes *z)
{
    struct thread *t = w->c;
    memcpy(a(t, 0), &w->cap, sizeof w->cap);
    *a(t, 4) = 0xffffffff00000000u | (OP + i); // the upper half is nobody's
    *a(t, 5) = DATA + 100;
    *a(t, 6) = z->req;
    t->regs.x[REG_T0] = DATA + 50000;
    t->regs.x[REG_T1] = ROOM;
    t->regs.x[REG_T2] = 0;
    for (unsigned k = 0; k < 4; k++)
        t->regs.x[REG_T3 + k] = 1000 * i + k;
    return sys(w, t, SYS_TRANS);
}

static bool call_putrep_getreq(struct world *w, unsigned i, const struct sizes *z)
{
    struct thread *t = w->s;
    *a(t, 0) = i;
    *a(t, 1) = DATA + 3;
    *a(t, 2) = z->rep;
    for (unsigned k = 0; k < 4; k++)
        *a(t, 3 + k) = 2000 * i + k;
    t->regs.x[REG_T0] = 1ull << w->handle;
    t->regs.x[REG_T1] = DATA + 60000;
    t->regs.x[REG_T2] = ROOM;
    t->regs.x[REG_T3] = 0;
    return sys(w, t, SYS_PUTREP_GETREQ);
}

static bool call_getreq(struct world *w)
{
    *a(w->s, 0) = 1ull << w->handle;
    *a(w->s, 1) = DATA + 60000;
    *a(w->s, 2) = ROOM;
    *a(w->s, 3) = 0;
    return sys(w, w->s, SYS_GETREQ);
}

// The first `calls` system calls. How many of them took the fast path.
static unsigned run(struct world *w, unsigned calls, const struct sizes *z)
{
    unsigned quick = 0;
    for (unsigned i = 0; i < calls; i++)
        if (i == 0)
            (void)call_getreq(w);
        else
            quick += i % 2 ? call_trans(w, i, z) : call_putrep_getreq(w, i, z);
    return quick;
}

struct bytes {
    uint8_t *at;
    uint64_t len;
};

static struct bytes descriptor(struct node *n, struct proc *p)
{
    struct hart *h = &n->harts[0];
    assert_int_equal(proc_stun(n, p), 0);
    (void)sched_next(h); // whoever of it was on the hart leaves it
    assert_int_equal(p->state, PROC_STUNNED);
    struct seg *s;
    struct bytes b;
    assert_int_equal(desc_encode(n, p, &s, &b.len), 0);
    b.at = malloc(b.len);
    assert_non_null(b.at);
    assert_int_equal(seg_read(n, s, 0, b.at, b.len), 0);
    seg_drop(n, s);
    return b;
}

static void end(struct world *w)
{
    struct hart *h = &w->n->harts[0];
    if (h->current) {
        thread_set_state(h->current, THREAD_READY);
        sched_leave(w->n, h);
    }
    proc_destroy(w->n, w->client, false);
    proc_destroy(w->n, w->server, false);
    host_node_free(w->n);
}

static void compare(unsigned calls, const struct sizes *z)
{
    struct bytes d[2][2];
    for (unsigned longer = 0; longer < 2; longer++) {
        struct world w = new_world(longer);
        unsigned quick = run(&w, calls, z);
        // Getreq and a first request by the slow path, which makes the record; what follows is short.
        assert_int_equal(quick, longer || calls < 3 ? 0 : calls - 2);
        d[longer][0] = descriptor(w.n, w.client);
        d[longer][1] = descriptor(w.n, w.server);
        end(&w);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(d[0][i].len, d[1][i].len);
        assert_memory_equal(d[0][i].at, d[1][i].at, d[0][i].len);
        free(d[0][i].at);
        free(d[1][i].at);
    }
}

static void after_each_call_both_ways_leave_the_same_descriptors(void **state)
{
    static const struct sizes sizes[] = {{0, 0},      {1, 0},      {0, 1},        {64, 64},
                                         {100, 4096}, {4096, 100}, {20000, 4096}, {0, 4096}};
    (void)state;
    unit_now_ns = NS_PER_S;
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (unsigned calls = 1; calls <= CALLS_MAX; calls++)
            compare(calls, &sizes[i]);
}

// What must not be taken the fast path: each ends as the slow path says, and nothing else has changed.
static void expect_error(struct world *w, int error)
{
    assert_int_equal((int64_t)*a(w->c, 0), -error);
    assert_int_equal(w->c->state, THREAD_RUN);
    assert_int_equal(w->s->state, THREAD_GETREQ);
}

static void bad_arguments_are_refused_as_ever(void **state)
{
    (void)state;
    struct world w = new_world(false);
    const struct sizes none = {0, 0};
    (void)run(&w, 5, &none);        // ready for a short call
    struct sizes z = {DATA_LEN, 0}; // runs over the end of the mapping
    assert_false(call_trans(&w, 5, &z));
    expect_error(&w, E_FAULT);
    z.req = UINT64_MAX - 50;
    assert_false(call_trans(&w, 5, &z));
    expect_error(&w, E_ARG);
    z.req = ROOM + 1;
    assert_false(call_trans(&w, 5, &z));
    assert_int_equal((int64_t)*a(w.c, 0), -E_TOOBIG);
    (void)sched_next(&w.n->harts[0]);
    assert_true(call_trans(&w, 6, &none)); // and the next is short again
    z = (struct sizes){0, ROOM + 1};
    assert_false(call_putrep_getreq(&w, 7, &z));
    assert_int_equal((int64_t)*a(w.s, 0), -E_TOOBIG);
    assert_true(w.s->serve.open);
    end(&w);
}

static void a_closed_port_is_closed_to_the_short_way_too(void **state)
{
    (void)state;
    struct world w = new_world(false);
    const struct sizes none = {0, 0};
    (void)run(&w, 4, &none); // the server works on the second request
    *a(w.s, 0) = w.handle;
    (void)sys(&w, w.s, SYS_PORT_CLOSE);
    assert_false(call_putrep_getreq(&w, 4, &none)); // its mask names no port now
    (void)sched_next(&w.n->harts[0]);
    assert_int_equal(w.c->state == THREAD_CALL, w.s->serve.open);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_each_call_both_ways_leave_the_same_descriptors),
        cmocka_unit_test(bad_arguments_are_refused_as_ever),
        cmocka_unit_test(a_closed_port_is_closed_to_the_short_way_too),
    };
    return UNIT_RUN(tests);
}
