// SPDX-License-Identifier: BSD-2-Clause
// Guests of one node as their registers: threads that make the system calls a hart would bring in. For tests of
// transactions among more than two.
#ifndef TEST_UNIT_ACTOR_BED_H
#define TEST_UNIT_ACTOR_BED_H

#include "core/loop.h"
#include "test/unit/unit.h"

#include "core/abi.h"
#include "core/entry.h"
#include "core/node.h"
#include "core/proc.h"
#include "core/sched.h"
#include "core/thread.h"
#include "core/txn.h"

#define DATA 0x100000ull // a mapping of every process, read and write
#define DATA_LEN (1 * MIB)

struct actor {
    struct node *n;
    struct proc *p;
    struct thread *t;
    struct cap cap; // of its port
};

static inline uint64_t *reg(struct thread *t, unsigned i)
{
    return &t->regs.x[REG_A0 + i];
}
static inline int64_t result(const struct actor *a)
{
    return (int64_t)a->t->regs.x[REG_A0];
}

// Lets what is due happen.
static inline void settle(struct node *n)
{
    host_node_enter(n);
    for (int i = 0; i < 1000 && timer_next(n) <= unit_now_ns; i++)
        timer_run(n, unit_now_ns);
}
static inline void pass(struct node *n, uint64_t ns)
{
    uint64_t end = unit_now_ns + ns;
    host_node_enter(n);
    for (uint64_t at; (at = timer_next(n)) <= end;) {
        unit_now_ns = at > unit_now_ns ? at : unit_now_ns;
        timer_run(n, unit_now_ns);
    }
    unit_now_ns = end;
}

// Brings t, which is ready, to the hart; others that want it give it up again.
static inline void to_hart(struct node *n, struct thread *t)
{
    struct hart *h = &n->harts[0];
    host_node_enter(n);
    assert_true(t->state == THREAD_READY || t->state == THREAD_RUN);
    for (int i = 0; i < 100; i++) {
        struct thread *now = sched_next(h);
        if (now == t)
            return;
        assert_non_null(now);
        thread_set_state(now, THREAD_READY);
        sched_leave(n, h);
        sched_ready(n, now);
    }
    fail();
}

// One system call; whether it was over at once.
static inline bool sys(struct actor *a, uint64_t number)
{
    a->t->regs.x[REG_A7] = number;
    entry_syscall(&a->n->harts[0], a->t);
    bool over = a->t->state == THREAD_RUN;
    if (!over)
        sched_next(&a->n->harts[0]); // somebody else's turn
    return over;
}

static inline struct actor actor(struct node *n)
{
    struct actor a = {.n = n};
    struct seg *s;
    host_node_enter(n);
    assert_int_equal(proc_create(n, EP_NONE, &a.p), 0);
    assert_int_equal(seg_create(n, DATA_LEN, &s), 0);
    assert_int_equal(proc_map(n, a.p, DATA, DATA_LEN, s, 0, MAP_READ | MAP_WRITE), 0);
    a.t = thread_create(n, a.p, 0);
    assert_non_null(a.t);
    proc_set_state(a.p, PROC_RUN);
    sched_ready(n, a.t);
    return a;
}

// It serves a port of its own as handle 0.
static inline struct actor server(struct node *n, uint64_t secret)
{
    struct actor a = actor(n);
    to_hart(n, a.t);
    *reg(a.t, 0) = secret;
    *reg(a.t, 1) = 0x1234;
    assert_true(sys(&a, SYS_PORT_LISTEN));
    assert_int_equal(result(&a), 0);
    a.cap = (struct cap){.port = {{*reg(a.t, 1), *reg(a.t, 2)}}, .obj_rights = 7};
    return a;
}

static inline bool call(struct actor *a, const struct cap *cap, uint32_t op, uint64_t req_len, uint64_t ms)
{
    to_hart(a->n, a->t);
    memcpy(reg(a->t, 0), cap, sizeof *cap);
    *reg(a->t, 4) = op;
    *reg(a->t, 5) = DATA;
    *reg(a->t, 6) = req_len;
    a->t->regs.x[REG_T0] = DATA + DATA_LEN / 2;
    a->t->regs.x[REG_T1] = 4096;
    a->t->regs.x[REG_T2] = ms;
    for (unsigned i = 0; i < 4; i++)
        a->t->regs.x[REG_T3 + i] = 100 + i;
    return sys(a, SYS_TRANS);
}

static inline bool serve(struct actor *a)
{
    to_hart(a->n, a->t);
    *reg(a->t, 0) = 1;
    *reg(a->t, 1) = DATA;
    *reg(a->t, 2) = DATA_LEN / 2;
    *reg(a->t, 3) = 0;
    return sys(a, SYS_GETREQ);
}

static inline bool reply(struct actor *a, int64_t status, uint64_t len)
{
    to_hart(a->n, a->t);
    *reg(a->t, 0) = (uint64_t)status;
    *reg(a->t, 1) = DATA;
    *reg(a->t, 2) = len;
    for (unsigned i = 0; i < 4; i++)
        *reg(a->t, 3 + i) = 200 + i;
    return sys(a, SYS_PUTREP);
}

static inline bool forward_to(struct actor *a, const struct cap *cap, uint32_t op)
{
    to_hart(a->n, a->t);
    memcpy(reg(a->t, 0), cap, sizeof *cap);
    *reg(a->t, 4) = op;
    for (unsigned i = 0; i < 4; i++)
        a->t->regs.x[REG_T3 + i] = 300 + i;
    return sys(a, SYS_FORWARD);
}

static inline void gone(struct actor *a)
{
    struct hart *h = &a->n->harts[0];
    host_node_enter(a->n);
    if (h->current && h->current->proc == a->p) {
        thread_set_state(h->current, THREAD_READY);
        sched_leave(a->n, h);
    }
    proc_destroy(a->n, a->p, false);
    settle(a->n);
}

static inline void put_bytes(struct actor *a, uint64_t va, uint8_t value, size_t len)
{
    uint8_t *bytes = malloc(len);
    memset(bytes, value, len);
    struct buf b = buf_user(a->p, va, len);
    assert_int_equal(buf_write(a->n, &b, 0, bytes, len), 0);
    free(bytes);
}
static inline void expect_bytes(struct actor *a, uint64_t va, uint8_t value, size_t len)
{
    uint8_t *bytes = malloc(len);
    struct buf b = buf_user(a->p, va, len);
    assert_int_equal(buf_read(a->n, &b, 0, bytes, len), 0);
    assert_true(unit_all_bytes(bytes, value, len));
    free(bytes);
}

#endif
