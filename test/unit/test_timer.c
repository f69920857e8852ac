// SPDX-License-Identifier: BSD-2-Clause
// Timers: does each fire once, in order, unless it was cancelled, whatever was done before?
#include "test/unit/unit.h"

struct item {
    struct timer t; // first
    unsigned fired;
};

static uint64_t last_fired_ns;

static void note(struct node *n, struct timer *t)
{
    (void)n;
    assert_false(t->armed);
    assert_true(t->at_ns >= last_fired_ns);
    last_fired_ns = t->at_ns;
    ((struct item *)(void *)t)->fired++;
}

static int timers_setup(void **state)
{
    *state = calloc(1, sizeof(struct node));
    last_fired_ns = 0;
    return 0;
}
static int timers_teardown(void **state)
{
    free(*state);
    return 0;
}
#define TIMER_TEST(f) cmocka_unit_test_setup_teardown(f, timers_setup, timers_teardown)

static void without_timers_the_next_deadline_is_never(void **state)
{
    struct node *n = *state;
    assert_int_equal(timer_next(n), UINT64_MAX);
    timer_run(n, UINT64_MAX);
}

static void a_timer_fires_once_at_its_time_and_not_before(void **state)
{
    struct node *n = *state;
    struct item a = {0};
    timer_init(&a.t, note);
    timer_set(n, &a.t, 100);
    assert_int_equal(timer_next(n), 100);
    timer_run(n, 99);
    assert_int_equal(a.fired, 0);
    timer_run(n, 100);
    timer_run(n, 1000);
    assert_int_equal(a.fired, 1);
    assert_int_equal(timer_next(n), UINT64_MAX);
}

static void setting_again_moves_it_both_ways(void **state)
{
    struct node *n = *state;
    struct item a = {0}, b = {0};
    timer_init(&a.t, note);
    timer_init(&b.t, note);
    timer_set(n, &a.t, 100);
    timer_set(n, &b.t, 200);
    timer_set(n, &a.t, 300);
    assert_int_equal(timer_next(n), 200);
    timer_set(n, &a.t, 50);
    assert_int_equal(timer_next(n), 50);
    timer_run(n, 1000);
    assert_int_equal(a.fired + b.fired, 2);
}

static void a_cancelled_timer_does_not_fire(void **state)
{
    struct node *n = *state;
    struct item a = {0};
    timer_init(&a.t, note);
    timer_cancel(n, &a.t); // not armed: harmless
    timer_set(n, &a.t, 5);
    timer_cancel(n, &a.t);
    timer_cancel(n, &a.t);
    timer_run(n, 10);
    assert_int_equal(a.fired, 0);
}

static struct item victim, sitter;
static void cancel_the_victim(struct node *n, struct timer *t)
{
    timer_cancel(n, &victim.t);
    if (++sitter.fired < 3)
        timer_set(n, t, t->at_ns + 10);
}

static void a_timer_may_cancel_others_and_arm_itself_again(void **state)
{
    struct node *n = *state;
    victim = sitter = (struct item){0};
    timer_init(&victim.t, note);
    timer_init(&sitter.t, cancel_the_victim);
    timer_set(n, &sitter.t, 10);
    timer_set(n, &victim.t, 10);
    timer_set(n, &victim.t, 11); // due in the same run
    timer_run(n, 15);
    assert_int_equal(victim.fired, 0);
    assert_int_equal(sitter.fired, 1);
    assert_int_equal(timer_next(n), 20);
    timer_run(n, 100);
    assert_int_equal(sitter.fired, 3);
}

static void a_hundred_thousand_timers_need_no_deep_stack(void **state)
{
    struct node *n = *state;
    enum { COUNT = 100000 };
    struct item *items = calloc(COUNT, sizeof *items);
    for (int i = 0; i < COUNT; i++) {
        timer_init(&items[i].t, note);
        timer_set(n, &items[i].t, (uint64_t)(i * 7919ll % COUNT));
    }
    unsigned runs = 0;
    for (; timer_next(n) != UINT64_MAX; runs++)
        timer_run(n, COUNT);
    assert_int_equal(runs, (COUNT + TIMERS_A_RUN - 1) / TIMERS_A_RUN); // each is an event of its own length
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(items[i].fired, 1);
    free(items);
}

enum { MODEL = 200 };
struct model {
    bool armed[MODEL];
    uint64_t at[MODEL];
};

static uint64_t model_next(const struct model *m)
{
    uint64_t next = UINT64_MAX;
    for (int i = 0; i < MODEL; i++)
        if (m->armed[i] && m->at[i] < next)
            next = m->at[i];
    return next;
}

static void model_run(struct model *m, struct item *items, uint64_t now)
{
    for (int i = 0; i < MODEL; i++) {
        bool due = m->armed[i] && m->at[i] <= now;
        assert_int_equal(items[i].fired, due);
        assert_int_equal(items[i].t.armed, m->armed[i] && !due);
        items[i].fired = 0;
        if (due)
            m->armed[i] = false;
    }
}

static void random_use_agrees_with_a_model(void **state)
{
    struct node *n = *state;
    struct item items[MODEL] = {0};
    struct model m = {0};
    uint64_t now = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct unit_rand r = {seed};
        for (int i = 0; i < MODEL; i++) {
            timer_cancel(n, &items[i].t);
            timer_init(&items[i].t, note);
            m.armed[i] = false;
        }
        for (int step = 0; step < 5000; step++) {
            size_t i = unit_below(&r, MODEL);
            uint64_t what = unit_below(&r, 10);
            if (what < 6) {
                m.at[i] = now + 1 + unit_below(&r, what == 0 ? 3 : 1000); // many alike
                m.armed[i] = true;
                timer_set(n, &items[i].t, m.at[i]);
            } else if (what < 8) {
                m.armed[i] = false;
                timer_cancel(n, &items[i].t);
            } else {
                now += unit_below(&r, 100);
                do
                    timer_run(n, now);
                while (timer_next(n) <= now);
                model_run(&m, items, now);
            }
            assert_int_equal(timer_next(n), model_next(&m));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TIMER_TEST(without_timers_the_next_deadline_is_never),
        TIMER_TEST(a_timer_fires_once_at_its_time_and_not_before),
        TIMER_TEST(setting_again_moves_it_both_ways),
        TIMER_TEST(a_cancelled_timer_does_not_fire),
        TIMER_TEST(a_timer_may_cancel_others_and_arm_itself_again),
        TIMER_TEST(a_hundred_thousand_timers_need_no_deep_stack),
        TIMER_TEST(random_use_agrees_with_a_model),
    };
    return UNIT_RUN(tests);
}
