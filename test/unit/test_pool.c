// SPDX-License-Identifier: BSD-2-Clause
// Pools: are records zeroed and apart, and do empty pages go back?
#include "test/unit/unit.h"

static void records_are_zeroed_aligned_and_apart(void **state)
{
    struct node *n = unit_node(state);
    struct pool p;
    enum { COUNT = 500 };
    char *rec[COUNT];
    pool_init(&p, "test", 100); // becomes 112
    assert_int_equal(p.size, 112);
    for (int i = 0; i < COUNT; i++) {
        rec[i] = pool_alloc(n, &p);
        assert_true(unit_all_bytes(rec[i], 0, p.size));
        assert_int_equal((uintptr_t)rec[i] % 16, 0);
        memset(rec[i], i & 0xff, p.size);
    }
    assert_int_equal(p.used, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_true(unit_all_bytes(rec[i], i & 0xff, p.size));
        pool_free(n, &p, rec[i]);
    }
    assert_int_equal(p.used, 0);
}

static void an_empty_page_goes_back_at_once(void **state)
{
    struct node *n = unit_node(state);
    struct pool p;
    pool_init(&p, "test", 1024);
    size_t before = page_free_count(n);
    void *rec[4];
    for (int i = 0; i < 4; i++)
        rec[i] = pool_alloc(n, &p); // three fit on a page
    assert_int_equal(page_free_count(n), before - 2);
    pool_free(n, &p, rec[3]);
    assert_int_equal(page_free_count(n), before - 1);
    for (int i = 0; i < 3; i++)
        pool_free(n, &p, rec[i]);
    assert_int_equal(page_free_count(n), before);
}

static void the_largest_and_the_smallest_record_fit(void **state)
{
    struct node *n = unit_node(state);
    const size_t sizes[] = {16, 32, PAGE_SIZE - 64};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct pool p;
        pool_init(&p, "test", sizes[i]);
        void *a = pool_alloc(n, &p), *b = pool_alloc(n, &p);
        memset(a, 1, sizes[i]);
        memset(b, 2, sizes[i]);
        assert_true(unit_all_bytes(a, 1, sizes[i]));
        pool_free(n, &p, a);
        pool_free(n, &p, b);
    }
}

static void random_use_agrees_with_the_count(void **state)
{
    struct node *n = unit_node(state);
    struct unit_rand r = {3};
    struct pool p;
    enum { SLOTS = 400 };
    uint64_t *rec[SLOTS] = {0};
    size_t held = 0;
    pool_init(&p, "test", 240);
    for (int i = 0; i < 50000; i++) {
        size_t at = unit_below(&r, SLOTS);
        if (rec[at]) {
            assert_int_equal(rec[at][29], at);
            pool_free(n, &p, rec[at]);
            rec[at] = NULL, held--;
        } else {
            rec[at] = pool_alloc(n, &p), held++;
            rec[at][0] = rec[at][29] = at;
        }
        assert_int_equal(p.used, held);
    }
    for (size_t i = 0; i < SLOTS; i++)
        if (rec[i])
            pool_free(n, &p, rec[i]);
}

static void without_memory_there_is_no_record_and_no_harm(void **state)
{
    struct node *n = unit_node(state);
    struct pool p;
    pool_init(&p, "test", 2000); // two on a page
    n->pages.fail_after = 0;
    assert_null(pool_alloc(n, &p));
    assert_int_equal(p.used, 0);
    void *a = pool_alloc(n, &p);
    n->pages.fail_after = 0;
    void *b = pool_alloc(n, &p); // needs no page
    assert_non_null(b);
    n->pages.fail_after = -1;
    pool_free(n, &p, a);
    pool_free(n, &p, b);
}

static void free_twice(void *arg)
{
    struct node *n = arg;
    struct pool p;
    pool_init(&p, "test", 64);
    pool_alloc(n, &p); // keeps the page
    void *rec = pool_alloc(n, &p);
    pool_free(n, &p, rec);
    pool_free(n, &p, rec);
}

static void free_into_another_pool(void *arg)
{
    struct node *n = arg;
    struct pool p, q;
    pool_init(&p, "test", 64);
    pool_init(&q, "other", 64);
    pool_free(n, &q, pool_alloc(n, &p));
}

static void free_the_middle(void *arg)
{
    struct node *n = arg;
    struct pool p;
    pool_init(&p, "test", 64);
    pool_free(n, &p, (char *)pool_alloc(n, &p) + 16);
}

static void freeing_wrongly_panics(void **state)
{
    assert_true(unit_panics(free_twice, unit_node(state)));
    assert_true(unit_panics(free_into_another_pool, unit_node(state)));
    assert_true(unit_panics(free_the_middle, unit_node(state)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(records_are_zeroed_aligned_and_apart),          UNIT_TEST(an_empty_page_goes_back_at_once),
        UNIT_TEST(the_largest_and_the_smallest_record_fit),       UNIT_TEST(random_use_agrees_with_the_count),
        UNIT_TEST(without_memory_there_is_no_record_and_no_harm), UNIT_TEST(freeing_wrongly_panics),
    };
    return UNIT_RUN(tests);
}
