// SPDX-License-Identifier: BSD-2-Clause
// No memory at the n-th allocation, for every n until the call comes through: each system call that may take memory
// then answers with an error, and nothing is left of it; and what a thread costs.
#include "core/thread.h"
#include "test/unit/actor_bed.h"

struct attempt {
    uint64_t number;
    uint64_t a0, a1, a2, a3, a4, a5, a6, t0, t1;
};

// Registers of one call, before it.
static void load(struct thread *t, const struct attempt *c)
{
    const uint64_t a[7] = {c->a0, c->a1, c->a2, c->a3, c->a4, c->a5, c->a6};
    memcpy(&t->regs.x[REG_A0], a, sizeof a);
    t->regs.x[REG_T0] = c->t0;
    t->regs.x[REG_T1] = c->t1;
    t->regs.x[REG_T2] = t->regs.x[REG_T3] = 0;
}

// One process makes the call with fail_after = after; then it ends. Whether the allocation that failed was reached.
static bool once(struct node *n, const struct attempt *c, long after)
{
    struct unit before = unit_counts(n);
    struct actor a = actor(n);
    to_hart(n, a.t);
    load(a.t, c);
    n->pages.fail_after = after;
    bool over = sys(&a, c->number);
    bool reached = n->pages.fail_after < 0;
    n->pages.fail_after = -1;
    if (reached && over)
        assert_true(result(&a) == -E_MEM || result(&a) == -E_FAULT || result(&a) >= 0);
    if (!reached && over)
        assert_true(result(&a) >= 0);
    if (a.t->state == THREAD_RUN) {
        thread_set_state(a.t, THREAD_READY);
        sched_leave(n, &n->harts[0]);
    }
    proc_destroy(n, a.p, false);
    pass(n, 120 * NS_PER_S); // records are forgotten
    struct unit now = unit_counts(n);
    assert_memory_equal(&before, &now, sizeof now);
    return reached;
}

static void each_system_call_survives_every_failed_allocation(void **state)
{
    struct node *n = unit_node(state);
    static const struct attempt calls[] = {
        {.number = SYS_NULL},
        {.number = SYS_PORT_LISTEN, .a0 = 5, .a1 = 6},
        {.number = SYS_THREAD_CREATE, .a0 = DATA, .a1 = DATA},
        {.number = SYS_WAIT, .a0 = DATA},
        {.number = SYS_WAKE, .a0 = DATA, .a1 = 1},
        {.number = SYS_MAP, .a1 = 3 * PAGE_SIZE, .a2 = MAP_READ | MAP_WRITE},
        {.number = SYS_RANDOM, .a0 = DATA + PAGE_SIZE - 8, .a1 = 200},
        {.number = SYS_SLEEP, .a0 = 1000},
        {.number = SYS_TIME},
        {.number = SYS_SELF},
        {.number = SYS_YIELD},
        {.number = SYS_TRANS, .a0 = 77, .a1 = 78, .a5 = DATA, .a6 = 9000, .t0 = DATA + 0x10000, .t1 = 5000},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        long after = 0;
        while (once(n, &calls[i], after))
            assert_true(++after < 100);
    }
}

// A transaction from beginning to end; whichever allocation fails, the caller has an answer, and the server is free.
static void a_transaction_survives_every_failed_allocation(void **state)
{
    struct node *n = unit_node(state);
    bool reached = true;
    for (long after = 0; reached; after++) {
        assert_true(after < 200);
        struct unit before = unit_counts(n);
        struct actor s = server(n, 4711), c = actor(n);
        to_hart(n, s.t);
        load(s.t, &(struct attempt){.a0 = 1, .a1 = DATA, .a2 = 0x20000});
        s.t->regs.x[REG_A3] = 0;
        n->pages.fail_after = after;
        (void)sys(&s, SYS_GETREQ);
        if (s.t->state == THREAD_GETREQ) {
            (void)call(&c, &s.cap, 1, 20000, 0);
            if (s.t->state == THREAD_READY || s.t->state == THREAD_RUN) {
                to_hart(n, s.t);
                load(s.t, &(struct attempt){.a1 = DATA, .a2 = 3000});
                (void)sys(&s, SYS_PUTREP);
            }
        }
        reached = n->pages.fail_after < 0;
        n->pages.fail_after = -1;
        if (!reached) {
            to_hart(n, c.t);
            assert_int_equal(result(&c), 0);
            assert_int_equal(*reg(c.t, 1), 3000);
        }
        struct thread *both[] = {s.t, c.t};
        for (int i = 0; i < 2; i++)
            if (both[i]->state == THREAD_RUN) {
                thread_set_state(both[i], THREAD_READY);
                sched_leave(n, &n->harts[0]);
            }
        proc_destroy(n, c.p, false);
        proc_destroy(n, s.p, false);
        pass(n, 120 * NS_PER_S);
        struct unit now = unit_counts(n);
        assert_memory_equal(&before, &now, sizeof now);
    }
}

static void a_thread_without_memory_for_fp_state_ends_its_process(void **state)
{
    struct node *n = unit_node(state);
    struct actor a = actor(n);
    to_hart(n, a.t);
    n->pages.fail_after = 0;
    assert_false(entry_fp_first(&n->harts[0], a.t));
    n->pages.fail_after = -1;
    assert_int_equal(a.p->state, PROC_DEAD);
    assert_int_equal(a.p->exit_status, -E_MEM);
    thread_set_state(a.t, THREAD_READY);
    sched_leave(n, &n->harts[0]);
    proc_destroy(n, a.p, true);
}

static void a_thread_that_waits_takes_less_than_1_kib(void **state)
{
    struct node *n = unit_node(state);
    struct actor a = actor(n);
    size_t before = page_free_count(n);
    for (int i = 0; i < 1000; i++)
        assert_non_null(thread_create(n, a.p, 0));
    assert_true((before - page_free_count(n)) * PAGE_SIZE < 1000 * 1024);
    proc_destroy(n, a.p, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(each_system_call_survives_every_failed_allocation),
        UNIT_TEST(a_transaction_survives_every_failed_allocation),
        UNIT_TEST(a_thread_without_memory_for_fp_state_ends_its_process),
        UNIT_TEST(a_thread_that_waits_takes_less_than_1_kib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
