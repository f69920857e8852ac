// SPDX-License-Identifier: BSD-2-Clause
// Pages: are they zero, given once, and given back?
#include "test/unit/unit.h"

static void a_page_is_zero_and_aligned(void **state)
{
    struct node *n = unit_node(state);
    void *p = page_alloc(n);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p & PAGE_MASK, 0);
    assert_true(unit_all_bytes(p, 0, PAGE_SIZE));
    page_drop(n, p);
}

static void a_page_used_before_comes_back_zeroed(void **state)
{
    struct node *n = unit_node(state);
    void *p = page_alloc(n);
    memset(p, 0xaa, PAGE_SIZE);
    page_drop(n, p);
    void *again = page_alloc(n);
    assert_ptr_equal(p, again);
    assert_true(unit_all_bytes(again, 0, PAGE_SIZE));
    page_drop(n, again);
}

static void the_last_drop_frees_the_page(void **state)
{
    struct node *n = unit_node(state);
    size_t before = page_free_count(n);
    char *p = page_alloc(n);
    page_hold(n, p + 100);
    page_drop(n, p + 4095);
    assert_int_equal(page_free_count(n), before - 1);
    page_drop(n, p);
    assert_int_equal(page_free_count(n), before);
}

static void every_page_can_be_taken_and_none_twice(void **state)
{
    struct node *n = unit_node(state);
    size_t count = page_free_count(n);
    void **taken = calloc(count, sizeof *taken);
    for (size_t i = 0; i < count; i++) {
        taken[i] = page_alloc(n);
        assert_non_null(taken[i]);
        assert_int_equal(*(uint64_t *)taken[i], 0); // else it was given before, and marked
        *(uint64_t *)taken[i] = i + 1;
    }
    assert_null(page_alloc(n));
    assert_int_equal(page_free_count(n), 0);
    for (size_t i = 0; i < count; i++)
        page_drop(n, taken[i]);
    free(taken);
}

static void addresses_outside_are_ignored(void **state)
{
    struct node *n = unit_node(state);
    int on_stack = 0;
    page_hold(n, &on_stack);
    page_drop(n, &on_stack);
    page_drop(n, NULL);
    page_drop(n, n->pages.base + (n->pages.span << PAGE_SHIFT));
    page_drop(n, n->pages.base - 1);
}

static void a_run_lies_in_a_row_and_goes_back_page_by_page(void **state)
{
    struct node *n = unit_node(state);
    size_t before = page_free_count(n);
    char *run = page_alloc_run(n, 7);
    assert_non_null(run);
    assert_int_equal(page_free_count(n), before - 7);
    assert_true(unit_all_bytes(run, 0, 7 * PAGE_SIZE));
    for (int i = 0; i < 7; i++)
        page_drop(n, run + i * (int)PAGE_SIZE);
    assert_int_equal(page_free_count(n), before);
}

static void a_run_longer_than_any_gap_is_refused(void **state)
{
    struct node *n = unit_node(state);
    size_t count = page_free_count(n);
    void **taken = calloc(count, sizeof *taken);
    for (size_t i = 0; i < count; i++)
        taken[i] = page_alloc(n);
    for (size_t i = 0; i < count; i += 2) {
        page_drop(n, taken[i]);
        taken[i] = NULL;
    }
    assert_null(page_alloc_run(n, 2));
    void *single = page_alloc_run(n, 1);
    assert_non_null(single);
    page_drop(n, single);
    for (size_t i = 1; i < count; i += 2)
        page_drop(n, taken[i]);
    free(taken);
}

static void the_chosen_allocation_fails_and_the_next_does_not(void **state)
{
    struct node *n = unit_node(state);
    n->pages.fail_after = 1;
    void *a = page_alloc(n), *b = page_alloc(n), *c = page_alloc(n);
    assert_non_null(a);
    assert_null(b);
    assert_non_null(c);
    assert_int_equal(n->pages.fail_after, -1);
    n->pages.fail_after = 0;
    assert_null(page_alloc_run(n, 2));
    page_drop(n, a);
    page_drop(n, c);
}

// Random pages and runs, taken and dropped; each carries its own mark all the time.
static void random_use_keeps_pages_apart(void **state)
{
    struct node *n = unit_node(state);
    struct unit_rand r = {7};
    enum { SLOTS = 300 };
    char *page[SLOTS] = {0};
    size_t before = page_free_count(n), held = 0;
    for (int i = 0; i < 20000; i++) {
        size_t at = unit_below(&r, SLOTS - 8), count = 1 + unit_below(&r, 8);
        if (page[at]) {
            assert_int_equal(*(size_t *)page[at], at);
            page_drop(n, page[at]);
            page[at] = NULL, held--;
        } else if (count == 1) {
            page[at] = page_alloc(n), held++;
            *(size_t *)page[at] = at;
        } else {
            bool room = true;
            for (size_t k = 0; k < count; k++)
                room = room && !page[at + k];
            char *run = room ? page_alloc_run(n, count) : NULL;
            for (size_t k = 0; run && k < count; k++, held++) {
                page[at + k] = run + k * PAGE_SIZE;
                *(size_t *)page[at + k] = at + k;
            }
        }
        assert_int_equal(page_free_count(n), before - held);
    }
    for (size_t i = 0; i < SLOTS; i++)
        if (page[i])
            page_drop(n, page[i]);
}

static void only_whole_pages_of_a_range_are_given(void **state)
{
    (void)state;
    struct node *n = calloc(1, sizeof *n);
    char *mem = aligned_alloc(PAGE_SIZE, 8 * PAGE_SIZE);
    uint16_t holders[8];
    page_init(n, mem, 8, holders);
    assert_null(page_alloc(n));
    page_add_range(n, mem + 1, mem + 3 * PAGE_SIZE - 1);         // page 1
    page_add_range(n, mem + 5 * PAGE_SIZE, mem + 7 * PAGE_SIZE); // pages 5, 6
    assert_int_equal(n->pages.total, 3);
    page_hold(n, mem); // a hole: nothing happens
    page_drop(n, mem);
    assert_int_equal(page_free_count(n), 3);
    assert_ptr_equal(page_alloc_run(n, 2), mem + 5 * PAGE_SIZE);
    assert_ptr_equal(page_alloc(n), mem + PAGE_SIZE);
    assert_null(page_alloc(n));
    free(mem);
    free(n);
}

static void drop_twice(void *arg)
{
    struct node *n = arg;
    void *p = page_alloc(n);
    page_drop(n, p);
    page_drop(n, p);
}

static void dropping_a_free_page_panics(void **state)
{
    assert_true(unit_panics(drop_twice, unit_node(state)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_page_is_zero_and_aligned),
        UNIT_TEST(a_page_used_before_comes_back_zeroed),
        UNIT_TEST(the_last_drop_frees_the_page),
        UNIT_TEST(every_page_can_be_taken_and_none_twice),
        UNIT_TEST(addresses_outside_are_ignored),
        UNIT_TEST(a_run_lies_in_a_row_and_goes_back_page_by_page),
        UNIT_TEST(a_run_longer_than_any_gap_is_refused),
        UNIT_TEST(the_chosen_allocation_fails_and_the_next_does_not),
        UNIT_TEST(random_use_keeps_pages_apart),
        cmocka_unit_test(only_whole_pages_of_a_range_are_given),
        UNIT_TEST(dropping_a_free_page_panics),
    };
    return UNIT_RUN(tests);
}
