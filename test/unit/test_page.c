// SPDX-License-Identifier: BSD-2-Clause
// Pages: are they zero, given once, and given back?
#include "test/unit/unit.h"

#include "core/poison.h"

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
    uint16_t table[PAGE_TABLE_LEN(8)];
    page_init(n, mem, 8, table);
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

// --- Pages that nobody took yet ------------------------------------------------------------------

// A node of its own that has no pages yet.
#define BARE_PAGES 128
struct bare {
    struct node *n;
    char *mem;
    uint16_t table[PAGE_TABLE_LEN(BARE_PAGES)];
};

static int bare_setup(void **state)
{
    struct bare *b = calloc(1, sizeof *b);
    b->n = calloc(1, sizeof *b->n);
    b->mem = aligned_alloc(PAGE_SIZE, BARE_PAGES * PAGE_SIZE);
    memset(b->mem, 0x5a, BARE_PAGES * PAGE_SIZE); // as memory is at power-on: anything
    page_init(b->n, b->mem, BARE_PAGES, b->table);
    *state = b;
    return 0;
}

static int bare_teardown(void **state)
{
    struct bare *b = *state;
    free(b->mem);
    free(b->n);
    free(b);
    return 0;
}

#define BARE_TEST(f) cmocka_unit_test_setup_teardown(f, bare_setup, bare_teardown)

static char *bare_page(struct bare *b, size_t i)
{
    return b->mem + i * PAGE_SIZE;
}

static void bare_give(struct bare *b, size_t first, size_t end)
{
    page_add_range(b->n, bare_page(b, first), bare_page(b, end));
}

static void giving_memory_does_not_touch_it(void **state)
{
    struct bare *b = *state;
    bare_give(b, 0, BARE_PAGES);
    assert_int_equal(page_free_count(b->n), BARE_PAGES);
    unpoison(b->mem, BARE_PAGES * PAGE_SIZE);
    assert_true(unit_all_bytes(b->mem, 0x5a, BARE_PAGES * PAGE_SIZE));
}

static void a_fresh_page_is_zeroed_and_its_neighbours_are_not_touched(void **state)
{
    struct bare *b = *state;
    bare_give(b, 0, BARE_PAGES);
    char *p = page_alloc(b->n);
    assert_ptr_equal(p, bare_page(b, 0));
    assert_true(unit_all_bytes(p, 0, PAGE_SIZE));
    unpoison(b->mem, BARE_PAGES * PAGE_SIZE);
    assert_true(unit_all_bytes(bare_page(b, 1), 0x5a, (BARE_PAGES - 1) * PAGE_SIZE));
}

static void pages_that_came_back_are_taken_before_fresh_ones(void **state)
{
    struct bare *b = *state;
    bare_give(b, 0, 8);
    char *first = page_alloc(b->n), *second = page_alloc(b->n);
    page_drop(b->n, first);
    assert_int_equal(page_free_count(b->n), 7);
    assert_ptr_equal(page_alloc(b->n), first);
    assert_ptr_equal(page_alloc(b->n), second + PAGE_SIZE);
    assert_int_equal(page_free_count(b->n), 5);
}

static void a_run_comes_from_the_top_of_fresh_memory(void **state)
{
    struct bare *b = *state;
    bare_give(b, 0, 8);
    bare_give(b, 10, 13);
    char *p = page_alloc(b->n);
    page_drop(b->n, p);
    char *top = page_alloc_run(b->n, 3);
    assert_ptr_equal(top, bare_page(b, 10));
    for (int i = 0; i < 3; i++) // higher, but not taken for a run as long as there is fresh memory
        page_drop(b->n, top + i * (int)PAGE_SIZE);
    assert_ptr_equal(page_alloc_run(b->n, 4), bare_page(b, 4));
    assert_ptr_equal(page_alloc_run(b->n, 1), bare_page(b, 3));
    assert_int_equal(page_free_count(b->n), 6);
    assert_ptr_equal(page_alloc_run(b->n, 3), top);
    assert_ptr_equal(page_alloc(b->n), p);
}

static void a_run_may_join_fresh_pages_and_others(void **state)
{
    struct bare *b = *state;
    bare_give(b, 0, 8);
    for (size_t i = 0; i < 4; i++)
        assert_ptr_equal(page_alloc(b->n), bare_page(b, i));
    page_drop(b->n, bare_page(b, 3));
    page_drop(b->n, bare_page(b, 2)); // 2, 3 are listed, 4 to 7 fresh
    char *run = page_alloc_run(b->n, 6);
    assert_ptr_equal(run, bare_page(b, 2));
    assert_true(unit_all_bytes(run, 0, 6 * PAGE_SIZE));
    assert_int_equal(page_free_count(b->n), 0);
    assert_null(page_alloc(b->n));
}

static void a_run_may_leave_fresh_pages_below_it(void **state)
{
    struct bare *b = *state;
    bare_give(b, 0, 4);
    bare_give(b, 4, 8);
    char *high = page_alloc_run(b->n, 2), *low = page_alloc(b->n); // 6, 7 and 0
    page_drop(b->n, high);
    page_drop(b->n, high + PAGE_SIZE);
    page_drop(b->n, low);
    // 1 to 3 and 4 to 5 are fresh. The topmost run of six leaves 1 and the listed 0.
    assert_ptr_equal(page_alloc_run(b->n, 6), bare_page(b, 2));
    assert_ptr_equal(page_alloc(b->n), low);
    assert_ptr_equal(page_alloc(b->n), bare_page(b, 1));
    assert_null(page_alloc(b->n));

    bare_give(b, 20, 24);
    bare_give(b, 25, 28);
    for (size_t i = 20; i < 24; i++)
        assert_ptr_equal(page_alloc(b->n), bare_page(b, i));
    page_drop(b->n, bare_page(b, 23));
    bare_give(b, 24, 25); // the last in a row of ranges: 23 listed, 24, and 25 to 27
    assert_ptr_equal(page_alloc_run(b->n, 5), bare_page(b, 23));
    assert_int_equal(page_free_count(b->n), 0);
}

static void more_ranges_than_the_table_has_are_given_too(void **state)
{
    struct bare *b = *state;
    size_t count = 0;
    for (size_t i = 0; i + 2 < BARE_PAGES; i += 3, count += 2)
        bare_give(b, i, i + 2);
    assert_true(count / 2 > PAGE_FRESH_MAX);
    assert_int_equal(page_free_count(b->n), count);
    assert_int_equal(b->n->pages.total, count);
    assert_int_equal(b->n->pages.nfresh, PAGE_FRESH_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t *p = page_alloc(b->n);
        assert_non_null(p);
        assert_int_equal(*p, 0); // else it was given before, and marked
        *p = i + 1;
    }
    assert_null(page_alloc(b->n));
}

// All of a node's ways at once, against a record of what is taken.
static void random_use_of_many_ranges_keeps_the_count(void **state)
{
    struct bare *b = *state;
    struct unit_rand r = {11};
    bool taken[BARE_PAGES] = {0};
    size_t given = 0, held = 0;
    for (size_t i = 0; i + 5 < BARE_PAGES; i += 1 + unit_below(&r, 2)) {
        size_t len = 1 + unit_below(&r, 5);
        bare_give(b, i, i + len);
        given += len, i += len;
    }
    for (int i = 0; i < 20000; i++) {
        size_t at = unit_below(&r, BARE_PAGES), count = 1 + unit_below(&r, 4);
        if (taken[at]) {
            page_drop(b->n, bare_page(b, at));
            taken[at] = false, held--;
            continue;
        }
        char *p = count == 1 ? page_alloc(b->n) : page_alloc_run(b->n, count);
        for (size_t k = 0; p && k < count; k++, held++) {
            size_t index = (size_t)(p - b->mem) / PAGE_SIZE + k;
            assert_false(taken[index]);
            assert_true(unit_all_bytes(bare_page(b, index), 0, PAGE_SIZE));
            memset(bare_page(b, index), 0xa5, PAGE_SIZE);
            taken[index] = true;
        }
        assert_int_equal(page_free_count(b->n), given - held);
    }
}

static void drop_fresh(void *arg)
{
    struct bare *b = arg;
    page_drop(b->n, bare_page(b, 3));
}

static void dropping_a_page_never_taken_panics(void **state)
{
    struct bare *b = *state;
    bare_give(b, 0, 8);
    assert_true(unit_panics(drop_fresh, b));
}

static void give_within(void *arg)
{
    bare_give(arg, 3, 5);
}

static void give_around(void *arg)
{
    bare_give(arg, 1, 9);
}

static void giving_memory_twice_panics(void **state)
{
    struct bare *b = *state;
    bare_give(b, 2, 8);
    assert_true(unit_panics(give_within, b));
    assert_true(unit_panics(give_around, b));
}

static void the_sanitizer_sees_the_use_of_a_fresh_page(void **state)
{
#ifdef POISON_WORKS
    struct bare *b = *state;
    bare_give(b, 0, 8);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(0);
        (void)*(volatile char *)(bare_page(b, 5) + 100); // must not get further
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
#else
    (void)state;
    skip();
#endif
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
        BARE_TEST(giving_memory_does_not_touch_it),
        BARE_TEST(a_fresh_page_is_zeroed_and_its_neighbours_are_not_touched),
        BARE_TEST(pages_that_came_back_are_taken_before_fresh_ones),
        BARE_TEST(a_run_comes_from_the_top_of_fresh_memory),
        BARE_TEST(a_run_may_join_fresh_pages_and_others),
        BARE_TEST(a_run_may_leave_fresh_pages_below_it),
        BARE_TEST(more_ranges_than_the_table_has_are_given_too),
        BARE_TEST(random_use_of_many_ranges_keeps_the_count),
        BARE_TEST(dropping_a_page_never_taken_panics),
        BARE_TEST(giving_memory_twice_panics),
        BARE_TEST(the_sanitizer_sees_the_use_of_a_fresh_page),
    };
    return UNIT_RUN(tests);
}
