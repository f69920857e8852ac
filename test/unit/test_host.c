// SPDX-License-Identifier: BSD-2-Clause
// Nodes inside this process: tasks, their stacks, time that the test makes.
#include "test/unit/unit.h"

#include "core/abi.h"
#include "core/entry.h"
#include "core/panic.h"
#include "core/task.h"
#include "core/thread.h"

static struct node *new_node(const char *name, void *world)
{
    const struct host_options o = {.clock = unit_clock, .seed = 1, .world = world};
    struct node *n = host_node_new(name, 256, &o);
    assert_non_null(n);
    return n;
}

static void count_up(struct node *n, void *arg)
{
    char large[100000]; // more than the stack a task has on a board
    for (size_t i = 0; i < 3; i++) {
        large[i * 40000] = (char)i;
        ++*(int *)arg;
        task_sleep(n, 1000);
    }
    *(int *)arg += large[0];
}

static void tasks_of_two_nodes_run_side_by_side_by_their_clock(void **state)
{
    (void)state;
    int a_count = 0, b_count = 0;
    struct node *a = new_node("a", NULL), *b = new_node("b", NULL);
    size_t before = page_free_count(a);
    host_node_enter(a);
    for (int i = 0; i < 5; i++)
        assert_non_null(task_spawn(a, "count", count_up, &a_count));
    host_node_enter(b);
    assert_non_null(task_spawn(b, "count", count_up, &b_count));
    for (int round = 1; round <= 3; round++) {
        assert_true(host_node_step(a));
        assert_true(host_node_step(b));
        assert_int_equal(a_count, 5 * round);
        assert_int_equal(b_count, round);
        assert_false(host_node_step(a));
        assert_int_equal(host_node_deadline(a), unit_now_ns + 1000);
        unit_now_ns += 1000;
    }
    assert_true(host_node_step(a));
    assert_true(host_node_step(b));
    assert_false(host_node_step(a));
    assert_int_equal(host_node_deadline(a), UINT64_MAX);
    assert_int_equal(page_free_count(a), before);
    host_node_free(a);
    host_node_free(b);
}

static void wait_for_arg(struct node *n, void *arg)
{
    for (;;)
        task_wait(n, arg);
}

static void a_node_can_end_while_its_tasks_wait(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) { // stacks are mapped again at addresses used before
        struct node *n = new_node("n", NULL);
        host_node_enter(n);
        for (int k = 0; k < 5; k++)
            assert_non_null(task_spawn(n, "wait", wait_for_arg, n));
        host_node_step(n);
        task_wake(n, n);
        host_node_free(n);
    }
}

static void no_node_begins_without_pages(void **state)
{
    (void)state;
    assert_null(host_node_new("small", 1, NULL));
}

static unsigned guest_turns;
static void guest_turn(struct node *n, struct thread *t)
{
    assert_ptr_equal(n->harts[0].current, t);
    assert_ptr_equal(arch_this_hart(), &n->harts[0]);
    if (++guest_turns < 3)
        return; // preempted
    t->regs.x[REG_A7] = SYS_EXIT;
    entry_syscall(&n->harts[0], t);
}

static void a_guest_thread_gets_its_turns_until_it_exits(void **state)
{
    (void)state;
    const struct host_options o = {.clock = unit_clock, .seed = 1, .guest_run = guest_turn};
    struct node *n = host_node_new("n", 256, &o);
    struct proc *p;
    assert_int_equal(proc_create(n, EP_NONE, &p), 0);
    struct thread *t = thread_create(n, p, 0);
    assert_non_null(t);
    assert_int_equal(proc_resume(n, p), 0);
    guest_turns = 0;
    while (host_node_step(n))
        ;
    assert_int_equal(guest_turns, 3);
    host_node_free(n);
}

static void a_node_can_end_while_a_guest_is_on_its_hart(void **state)
{
    (void)state;
    const struct host_options o = {.clock = unit_clock, .seed = 1, .guest_run = guest_turn};
    struct node *n = host_node_new("n", 256, &o);
    struct proc *p;
    assert_int_equal(proc_create(n, EP_NONE, &p), 0);
    assert_non_null(thread_create(n, p, 0));
    assert_int_equal(proc_resume(n, p), 0);
    guest_turns = 0;
    assert_true(host_node_step(n));
    assert_non_null(n->harts[0].current);
    host_node_free(n);
}

static void fail_an_assertion(void *arg)
{
    ASSERT(arg == NULL);
}

static void a_failed_assertion_ends_the_process(void **state)
{
    (void)state;
    int x;
    assert_true(unit_panics(fail_an_assertion, &x));
    assert_false(unit_panics(fail_an_assertion, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_of_two_nodes_run_side_by_side_by_their_clock),
        cmocka_unit_test(a_node_can_end_while_its_tasks_wait),
        cmocka_unit_test(no_node_begins_without_pages),
        cmocka_unit_test(a_guest_thread_gets_its_turns_until_it_exits),
        cmocka_unit_test(a_node_can_end_while_a_guest_is_on_its_hart),
        cmocka_unit_test(a_failed_assertion_ends_the_process),
    };
    return UNIT_RUN(tests);
}
