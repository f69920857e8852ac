// SPDX-License-Identifier: BSD-2-Clause
// Owners: what they are told of the end of a process and of its faults, and that a silent one delays nobody.
#include "services/proc/proc_priv.h"
#include "test/unit/process_bed.h"

static void killing_a_process_tells_its_owner(void **state)
{
    struct node *n = unit_node(state);
    struct owner *o = owner_new(n);
    struct life l = {.p = plan()};
    l.p.owner = o->cap;
    bed_run(n, exec_only_body, &l);
    assert_int_equal(l.status, 0);
    bed_run(n, destroy_body, &l);
    assert_int_equal(l.status, 0);
    bed_pass(n, NS_PER_S);
    assert_int_equal(o->count, 1);
    assert_int_equal(o->event[0], EVENT_ENDED);
    assert_int_equal(o->ep[0], l.ep);
    assert_int_equal(o->a2[0], (uint64_t)-E_CANCEL);
    assert_null(the_proc(n));
}

static void an_exit_tells_its_status(void **state)
{
    struct node *n = unit_node(state);
    struct owner *o = owner_new(n);
    struct life l = {.p = plan()};
    l.p.owner = o->cap;
    l.p.a7 = SYS_EXIT;
    l.p.a0 = 42;
    bed_run(n, exec_only_body, &l);
    bed_pass(n, NS_PER_S);
    assert_int_equal(o->count, 1);
    assert_int_equal(o->event[0], EVENT_ENDED);
    assert_int_equal(o->a2[0], 42);
    assert_null(the_proc(n));
}

static void a_fault_tells_what_and_where_and_then_the_end(void **state)
{
    struct node *n = unit_node(state);
    struct owner *o = owner_new(n);
    struct life l = {.p = plan()};
    l.p.owner = o->cap;
    l.p.pc = FAULT_PC;
    bed_run(n, exec_only_body, &l);
    bed_pass(n, NS_PER_S);
    assert_int_equal(o->count, 2);
    assert_int_equal(o->event[0], EVENT_FAULT);
    assert_int_equal(o->a2[0], FAULT_READ | 1ull << 32);
    assert_int_equal(o->a3[0], 0x10);
    assert_int_equal(o->fault.pc, FAULT_PC);
    assert_int_equal(o->fault.sp, 0x20000);
    assert_int_equal(o->fault.cause, 13);
    assert_string_equal(o->fault.what, "read from 0x10, a null pointer");
    assert_int_equal(o->event[1], EVENT_ENDED);
    assert_null(the_proc(n));
}

static void a_silent_owner_does_not_delay_the_others(void **state)
{
    struct node *n = unit_node(state);
    struct owner *bad = owner_new(n), *good = owner_new(n);
    bad->silent = true;
    struct life l = {.p = plan()};
    l.p.a7 = SYS_EXIT;
    for (int i = 0; i < 5; i++) {
        l.p.owner = bad->cap;
        bed_run(n, exec_only_body, &l);
        l.p.owner = good->cap;
        bed_run(n, exec_only_body, &l);
    }
    bed_pass(n, NS_PER_S);
    assert_int_equal(good->count, 5);
    assert_non_null(the_proc(n)); // kept until its owner has been told, or did not answer
    bed_pass(n, 15 * NS_PER_S);
    assert_null(the_proc(n));
    assert_false(bed_was_logged("was not told")); // not yet: it is told again
    bed_pass(n, ORPHAN_GRACE_NS + 120 * NS_PER_S);
    assert_true(bed_was_logged("was not told of its end"));
    assert_int_equal(n->services->proc->nwaiting, 0);
}

// Its owner stands still for five minutes and goes on: it hears of all that was to be told.
static void an_owner_that_stood_still_hears_of_the_end(void **state)
{
    struct node *n = unit_node(state);
    struct owner *o = owner_new(n);
    o->silent = true;
    struct life l = {.p = plan()};
    l.p.a7 = SYS_EXIT;
    l.p.owner = o->cap;
    bed_run(n, exec_only_body, &l);
    bed_pass(n, 300 * NS_PER_S);
    unsigned before = o->count; // it took these, and answered none in time
    assert_in_range(before, 5, 20);
    o->silent = false;
    task_wake(n, o);
    bed_pass(n, 40 * NS_PER_S);
    assert_in_range(o->count, before + 1, before + 2);
    for (unsigned i = 0; i < o->count; i++) {
        assert_int_equal(o->event[i], EVENT_ENDED);
        assert_int_equal(o->ep[i], l.ep);
    }
    assert_int_equal(n->services->proc->nwaiting, 0);
}

static void a_fault_waits_for_a_silent_owner_and_not_for_ever(void **state)
{
    struct node *n = unit_node(state);
    struct owner *o = owner_new(n);
    o->silent = true;
    struct life l = {.p = plan()};
    l.p.owner = o->cap;
    l.p.pc = FAULT_PC;
    bed_run(n, exec_only_body, &l);
    bed_pass(n, ORPHAN_GRACE_NS - 60 * NS_PER_S);
    assert_non_null(the_proc(n));
    assert_int_equal(the_proc(n)->state, PROC_STUNNED);
    bed_pass(n, 160 * NS_PER_S);
    assert_null(the_proc(n)); // and its end is not told any more than its fault was, for its grace
    o->silent = false;
    task_wake(n, o);
    bed_pass(n, 60 * NS_PER_S);
    assert_int_equal(o->event[o->count - 1], EVENT_ENDED);
}

static void more_silent_owners_than_reports_end_too(void **state)
{
    struct node *n = unit_node(state);
    struct owner *bad = owner_new(n);
    bad->silent = true;
    struct life l = {.p = plan()};
    l.p.a7 = SYS_EXIT;
    l.p.owner = bad->cap;
    for (int i = 0; i < 20; i++)
        bed_run(n, exec_only_body, &l);
    bed_pass(n, 100 * NS_PER_S);
    assert_null(the_proc(n));
    assert_int_equal(n->services->proc->nwaiting + n->services->proc->nreports, 20);
}

static void beyond_the_bound_the_oldest_report_of_an_end_is_given_up(void **state)
{
    struct node *n = unit_node(state);
    struct owner *bad = owner_new(n), *good = owner_new(n);
    bad->silent = true;
    struct life l = {.p = plan()};
    l.p.a7 = SYS_EXIT;
    l.p.owner = bad->cap;
    for (int i = 0; i < 300; i++)
        bed_run(n, exec_only_body, &l);
    bed_pass(n, 60 * NS_PER_S);
    assert_null(the_proc(n));
    assert_true(bed_was_logged("was not told of its end"));
    assert_in_range(n->services->proc->nwaiting, 200, 256);
    l.p.owner = good->cap;
    bed_run(n, exec_only_body, &l);
    bed_pass(n, 15 * NS_PER_S);
    assert_int_equal(good->count, 1); // it finds a task
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OWNER_TEST(killing_a_process_tells_its_owner),
        OWNER_TEST(an_exit_tells_its_status),
        OWNER_TEST(a_fault_tells_what_and_where_and_then_the_end),
        OWNER_TEST(a_silent_owner_does_not_delay_the_others),
        OWNER_TEST(an_owner_that_stood_still_hears_of_the_end),
        OWNER_TEST(a_fault_waits_for_a_silent_owner_and_not_for_ever),
        OWNER_TEST(beyond_the_bound_the_oldest_report_of_an_end_is_given_up),
        OWNER_TEST(more_silent_owners_than_reports_end_too),
    };
    return UNIT_RUN(tests);
}
