// SPDX-License-Identifier: BSD-2-Clause
// Who runs next: priorities, slices, and what is lent to those below. Time moves only when the test says so.
#include "core/sched.h"
#include "core/thread.h"
#include "test/unit/actor_bed.h"

static struct thread *next(struct node *n)
{
    host_node_enter(n);
    return sched_next(&n->harts[0]);
}

// The slice of whoever runs is over; who has the next one.
static struct thread *slice(struct node *n)
{
    struct hart *h = &n->harts[0];
    if (h->slice_end_ns != UINT64_MAX)
        unit_now_ns = h->slice_end_ns;
    else
        unit_now_ns += SLICE_NS;
    entry_timer(h);
    return next(n);
}

static struct actor at(struct node *n, unsigned priority)
{
    struct actor a = actor(n);
    a.p->priority_limit = PRIO_LEVELS - 1;
    assert_int_equal(proc_set_priority(n, a.p, priority), 0);
    return a;
}

static void equals_take_turns(void **state)
{
    struct node *n = unit_node(state);
    struct actor a = at(n, 4), b = at(n, 4);
    assert_ptr_equal(next(n), a.t);
    for (int i = 0; i < 10; i++)
        assert_ptr_equal(slice(n), i % 2 ? a.t : b.t);
    gone(&a);
    gone(&b);
}

static void a_higher_one_has_sixteen_slices_of_seventeen(void **state)
{
    struct node *n = unit_node(state);
    struct actor low = at(n, 1), mid = at(n, 3), high = at(n, 5);
    unsigned count[3] = {0};
    struct thread *t = next(n);
    for (unsigned i = 0; i < 17 * 20; i++, t = slice(n))
        count[t == low.t ? 0 : t == mid.t ? 1 : 2]++;
    assert_int_equal(count[2], 16 * 20);
    assert_int_equal(count[0] + count[1], 20); // lent, to each in its turn
    assert_int_equal(count[0], 10);
    gone(&low);
    gone(&mid);
    gone(&high);
}

static void one_of_higher_priority_takes_the_hart_at_once_and_gives_it_back(void **state)
{
    struct node *n = unit_node(state);
    struct actor low = at(n, 2), other = at(n, 2), high = at(n, 6);
    assert_ptr_equal(next(n), high.t);
    *reg(high.t, 0) = 5 * NS_PER_MS;
    assert_false(sys(&high, SYS_SLEEP));
    assert_ptr_equal(next(n), low.t);
    pass(n, 5 * NS_PER_MS);
    assert_ptr_equal(next(n), high.t); // no slice has ended
    *reg(high.t, 0) = NS_PER_S;
    assert_false(sys(&high, SYS_SLEEP));
    assert_ptr_equal(next(n), low.t); // it kept its place
    assert_ptr_equal(slice(n), other.t);
    gone(&low);
    gone(&other);
    gone(&high);
}

static void a_lent_slice_ends_when_somebody_higher_wakes(void **state)
{
    struct node *n = unit_node(state);
    struct actor low = at(n, 1), high = at(n, 5), top = at(n, 7);
    assert_ptr_equal(next(n), top.t);
    *reg(top.t, 0) = 1000 * NS_PER_S;
    assert_false(sys(&top, SYS_SLEEP));
    struct thread *t = next(n);
    for (int i = 0; i < 100 && t != low.t; i++)
        t = slice(n);
    assert_ptr_equal(t, low.t);
    n->sched_epoch++;
    assert_ptr_equal(next(n), low.t); // the one that lent it does not take it back
    sched_wake(n, top.t);
    assert_ptr_equal(next(n), top.t);
    gone(&low);
    gone(&high);
    gone(&top);
}

static void a_server_works_at_the_priority_of_its_client(void **state)
{
    struct node *n = unit_node(state);
    struct actor s1 = server(n, 1), s2 = server(n, 2);
    s1.p->priority = s2.p->priority = 1;
    assert_false(serve(&s1));
    assert_false(serve(&s2));
    struct actor high = at(n, 6);
    assert_int_equal(sched_priority(n, s1.t), 1);
    assert_false(call(&high, &s1.cap, 1, 0, 0));
    assert_int_equal(sched_priority(n, s1.t), 6);
    assert_false(call(&s1, &s2.cap, 1, 0, 0)); // and so does the server that it calls
    assert_int_equal(sched_priority(n, s2.t), 6);
    struct actor mid = at(n, 4);
    assert_ptr_equal(next(n), s2.t); // nobody between comes first
    assert_true(reply(&s2, 0, 0));
    assert_int_equal(sched_priority(n, s2.t), 1);
    assert_ptr_equal(next(n), s1.t);
    assert_true(reply(&s1, 0, 0)); // its client comes before it now
    assert_ptr_equal(next(n), high.t);
    *reg(high.t, 0) = NS_PER_S;
    assert_false(sys(&high, SYS_SLEEP));
    assert_ptr_equal(next(n), mid.t);
    gone(&mid);
    gone(&high);
    gone(&s1);
    gone(&s2);
}

static void a_yield_is_for_equals(void **state)
{
    struct node *n = unit_node(state);
    struct actor low = at(n, 2), a = at(n, 4), b = at(n, 4);
    assert_ptr_equal(next(n), a.t);
    sys(&a, SYS_YIELD);
    assert_ptr_equal(next(n), b.t);
    gone(&a);
    assert_ptr_equal(next(n), b.t);
    sys(&b, SYS_YIELD);
    assert_ptr_equal(next(n), b.t);
    // Yet a thread that spins on yield for one below it gets there.
    unsigned yields = 0;
    for (; next(n) == b.t && yields < 100; yields++)
        sys(&b, SYS_YIELD);
    assert_ptr_equal(next(n), low.t);
    gone(&low);
    gone(&b);
}

static void a_priority_above_the_limit_is_refused(void **state)
{
    struct node *n = unit_node(state);
    struct actor a = actor(n);
    assert_int_equal(a.p->priority, PRIO_DEFAULT);
    assert_int_equal(proc_set_priority(n, a.p, PRIO_DEFAULT + 1), -E_LIMIT);
    assert_int_equal(a.p->priority, PRIO_DEFAULT);
    assert_int_equal(proc_set_priority(n, a.p, 0), 0);
    gone(&a);
}

static void a_change_of_priority_counts_at_once(void **state)
{
    struct node *n = unit_node(state);
    struct actor a = at(n, 4), b = at(n, 2);
    assert_ptr_equal(next(n), a.t);
    assert_int_equal(proc_set_priority(n, b.p, 6), 0);
    assert_ptr_equal(next(n), b.t);
    assert_int_equal(proc_set_priority(n, b.p, 1), 0);
    assert_ptr_equal(next(n), a.t);
    gone(&a);
    gone(&b);
}

static void an_idle_hart_sets_no_timer(void **state)
{
    struct node *n = unit_node(state);
    struct actor a = actor(n);
    assert_ptr_equal(next(n), a.t);
    assert_int_equal(n->harts[0].slice_end_ns, UINT64_MAX); // alone: no slices
    *reg(a.t, 0) = DATA;
    *reg(a.t, 1) = 0;
    *reg(a.t, 2) = 0;
    assert_false(sys(&a, SYS_WAIT));
    assert_null(next(n));
    assert_true(n->harts[0].idle);
    assert_int_equal(n->harts[0].arch.timer_at, UINT64_MAX);
    gone(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(equals_take_turns),
        UNIT_TEST(a_higher_one_has_sixteen_slices_of_seventeen),
        UNIT_TEST(one_of_higher_priority_takes_the_hart_at_once_and_gives_it_back),
        UNIT_TEST(a_lent_slice_ends_when_somebody_higher_wakes),
        UNIT_TEST(a_server_works_at_the_priority_of_its_client),
        UNIT_TEST(a_yield_is_for_equals),
        UNIT_TEST(a_priority_above_the_limit_is_refused),
        UNIT_TEST(a_change_of_priority_counts_at_once),
        UNIT_TEST(an_idle_hart_sets_no_timer),
    };
    return UNIT_RUN(tests);
}
