// SPDX-License-Identifier: BSD-2-Clause
// Segments: holes, edges, growth, and what happens when memory ends halfway.
#include "test/unit/unit.h"

#include "core/cap.h"

static struct seg *new_seg(struct node *n, uint64_t len)
{
    struct seg *s = NULL;
    assert_int_equal(seg_create(n, len, &s), 0);
    return s;
}

static void reading_a_hole_gives_zeros_and_makes_no_page(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, 100 * PAGE_SIZE);
    size_t before = page_free_count(n);
    char buf[3 * PAGE_SIZE];
    memset(buf, 1, sizeof buf);
    assert_int_equal(seg_read(n, s, 5000, buf, sizeof buf), 0);
    assert_true(unit_all_bytes(buf, 0, sizeof buf));
    assert_null(seg_page(n, s, 5000, false));
    assert_int_equal(page_free_count(n), before);
    assert_int_equal(s->pages, 0);
    assert_null(s->dir);
    seg_drop(n, s);
}

static void what_was_written_is_read_back_across_pages_and_tables(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, 8 * MIB);
    struct unit_rand r = {5};
    static uint8_t in[20000], out[20000];
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)unit_rand(&r);
    const uint64_t at[] = {0, 1, 4095, 2 * MIB - 1, 2 * MIB - 10000, 4 * MIB + 77, 8 * MIB - sizeof in};
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        assert_int_equal(seg_write(n, s, at[i], in, sizeof in), 0);
        assert_int_equal(seg_read(n, s, at[i], out, sizeof out), 0);
        assert_memory_equal(in, out, sizeof in);
    }
    seg_drop(n, s);
}

static void the_last_byte_is_there_and_the_one_behind_it_is_not(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, 3 * PAGE_SIZE - 5); // rounded up
    char c = 'x';
    assert_int_equal(s->len, 3 * PAGE_SIZE);
    assert_int_equal(seg_write(n, s, s->len - 1, &c, 1), 0);
    assert_int_equal(seg_read(n, s, s->len, &c, 0), 0);
    assert_int_equal(seg_read(n, s, s->len, &c, 1), -E_ARG);
    assert_int_equal(seg_write(n, s, s->len - 1, "ab", 2), -E_ARG);
    assert_int_equal(seg_read(n, s, UINT64_MAX, &c, 1), -E_ARG);
    assert_int_equal(seg_read(n, s, 1, &c, SIZE_MAX), -E_ARG);
    assert_null(seg_page(n, s, s->len, true));
    assert_null(seg_page(n, s, UINT64_MAX, true));
    seg_drop(n, s);
}

static void the_largest_segment_works_at_its_end_and_no_larger_is_made(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, SEG_MAX_BYTES), *none = NULL;
    uint32_t word = 0x12345678, back = 0;
    assert_int_equal(seg_write(n, s, SEG_MAX_BYTES - 4, &word, 4), 0);
    assert_int_equal(seg_read(n, s, SEG_MAX_BYTES - 4, &back, 4), 0);
    assert_int_equal(back, word);
    assert_int_equal(seg_resize(n, s, SEG_MAX_BYTES + 1), -E_LIMIT);
    assert_int_equal(seg_create(n, SEG_MAX_BYTES + 1, &none), -E_LIMIT);
    assert_int_equal(seg_create(n, UINT64_MAX, &none), -E_LIMIT);
    seg_drop(n, s);
}

static void an_empty_segment_has_nothing_and_can_grow(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, 0);
    assert_null(seg_page(n, s, 0, true));
    assert_int_equal(seg_hole(s, 0, 100), 0);
    assert_int_equal(seg_resize(n, s, 1), 0);
    assert_int_equal(s->len, PAGE_SIZE);
    assert_non_null(seg_page(n, s, PAGE_SIZE - 1, true));
    seg_drop(n, s);
}

static void shrinking_frees_what_lies_beyond_and_growing_again_shows_zeros(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, 6 * MIB);
    size_t before = page_free_count(n);
    for (uint64_t off = 0; off < 6 * MIB; off += 512 * KIB)
        assert_int_equal(seg_write(n, s, off, "full", 4), 0);
    assert_int_equal(s->pages, 12);
    assert_int_equal(seg_resize(n, s, 2 * MIB + PAGE_SIZE), 0);
    assert_int_equal(s->pages, 5);                            // 4 in the first table, 1 in the second
    assert_int_equal(page_free_count(n), before - 5 - 2 - 1); // pages, tables, directory
    assert_int_equal(seg_resize(n, s, 2 * MIB), 0);
    assert_int_equal(page_free_count(n), before - 4 - 1 - 1);
    assert_int_equal(seg_resize(n, s, 6 * MIB), 0);
    char buf[4] = "junk";
    assert_int_equal(seg_read(n, s, 2 * MIB + 512 * KIB, buf, 4), 0);
    assert_true(unit_all_bytes(buf, 0, 4));
    assert_int_equal(seg_read(n, s, 512 * KIB, buf, 4), 0);
    assert_memory_equal(buf, "full", 4);
    assert_int_equal(seg_resize(n, s, 0), 0);
    assert_int_equal(page_free_count(n), before);
    assert_null(s->dir);
    seg_drop(n, s);
}

static void few_pages_need_no_tables_wherever_they_are(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, SEG_MAX_BYTES);
    size_t before = page_free_count(n);
    const uint64_t at[SEG_INLINE] = {SEG_MAX_BYTES - PAGE_SIZE, 5 * MIB, 0, 5 * MIB + PAGE_SIZE};
    for (unsigned i = 0; i < SEG_INLINE; i++)
        assert_int_equal(seg_write(n, s, at[i], &i, sizeof i), 0);
    assert_int_equal(page_free_count(n), before - SEG_INLINE);
    assert_int_equal(seg_hole(s, 0, UINT64_MAX), 0);
    assert_int_equal(seg_hole(s, PAGE_SIZE, UINT64_MAX), 5 * MIB - PAGE_SIZE);
    assert_int_equal(seg_hole(s, 5 * MIB + 2 * PAGE_SIZE, UINT64_MAX), SEG_MAX_BYTES - 5 * MIB - 3 * PAGE_SIZE);
    // One more, and they lie in tables: nothing is lost on the way.
    assert_int_equal(seg_write(n, s, 9 * MIB, "x", 1), 0);
    assert_non_null(s->dir);
    for (unsigned i = 0; i < SEG_INLINE; i++) {
        unsigned back = ~0u;
        assert_int_equal(seg_read(n, s, at[i], &back, sizeof back), 0);
        assert_int_equal(back, i);
    }
    assert_int_equal(seg_resize(n, s, PAGE_SIZE), 0);
    assert_int_equal(s->pages, 1);
    seg_drop(n, s);
}

static void a_table_stays_while_a_page_before_the_cut_needs_it(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, 10 * PAGE_SIZE);
    size_t before = page_free_count(n);
    for (int i = 0; i < 10; i++)
        seg_write(n, s, i * PAGE_SIZE, "a", 1);
    seg_resize(n, s, 1 * PAGE_SIZE);
    assert_int_equal(page_free_count(n), before - 1 - 2);
    seg_resize(n, s, 10 * PAGE_SIZE);
    seg_write(n, s, 9 * PAGE_SIZE, "b", 1);
    seg_resize(n, s, 10 * PAGE_SIZE);
    assert_int_equal(s->pages, 2);
    seg_resize(n, s, 0);
    assert_int_equal(page_free_count(n), before);
    seg_drop(n, s);
}

static void holes_are_measured_to_the_next_page_the_end_or_the_limit(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, 8 * MIB);
    assert_int_equal(seg_hole(s, 0, UINT64_MAX), 8 * MIB);
    assert_int_equal(seg_hole(s, 100, 50), 50);
    seg_page(n, s, 5 * MIB, true);
    assert_int_equal(seg_hole(s, 0, UINT64_MAX), 5 * MIB);
    assert_int_equal(seg_hole(s, 4 * MIB + 1, UINT64_MAX), MIB - 1);
    assert_int_equal(seg_hole(s, 5 * MIB, UINT64_MAX), 0);
    assert_int_equal(seg_hole(s, 5 * MIB + PAGE_SIZE - 1, UINT64_MAX), 0);
    assert_int_equal(seg_hole(s, 5 * MIB + PAGE_SIZE, UINT64_MAX), 3 * MIB - PAGE_SIZE);
    assert_int_equal(seg_hole(s, 5 * MIB + PAGE_SIZE + 3, 10), 10);
    assert_int_equal(seg_hole(s, 8 * MIB, 10), 0);
    seg_drop(n, s);
}

static void the_last_holder_frees_it(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, PAGE_SIZE);
    uint32_t number = s->number;
    seg_page(n, s, 0, true);
    seg_hold(s);
    seg_drop(n, s);
    assert_ptr_equal(seg_find(n, number), s);
    seg_drop(n, s);
    assert_null(seg_find(n, number));
}

static void numbers_in_use_are_not_given_again_after_the_count_wraps(void **state)
{
    struct node *n = unit_node(state);
    struct seg *one = new_seg(n, 0);
    n->next_seg = 2 * (CAP_OBJ_MAX + 1) + one->number - 2;
    struct seg *a = new_seg(n, 0), *b = new_seg(n, 0);
    assert_true(a->number != one->number && b->number != one->number && a->number != b->number);
    assert_true(a->number <= CAP_OBJ_MAX && b->number <= CAP_OBJ_MAX);
    assert_true(a->number != 0 && b->number != 0);
    seg_drop(n, one);
    seg_drop(n, a);
    seg_drop(n, b);
}

static void its_capability_names_it_and_no_other(void **state)
{
    struct node *n = unit_node(state);
    struct seg *a = new_seg(n, 0), *b = new_seg(n, 0);
    struct cap c = seg_cap(n, a, RIGHT_READ);
    assert_true(port_eq(c.port, n->seg_put));
    assert_int_equal(cap_obj(&c), a->number);
    assert_int_equal(cap_verify(&c, seg_key(n, a), RIGHT_READ), 0);
    assert_int_equal(cap_verify(&c, seg_key(n, b), RIGHT_READ), -E_CAP);
    seg_drop(n, a);
    seg_drop(n, b);
}

// All that a segment can ask memory for, in a row. 0 or the first error.
static int use_memory(struct node *n)
{
    struct seg *s;
    int err = seg_create(n, 5 * MIB, &s);
    if (err)
        return err;
    static char buf[5 * PAGE_SIZE];
    err = seg_write(n, s, 2 * MIB - PAGE_SIZE, buf, sizeof buf);
    if (!err && !seg_page(n, s, 4 * MIB, true))
        err = -E_MEM;
    seg_drop(n, s);
    return err;
}

static void running_out_of_memory_at_any_allocation_leaves_nothing_behind(void **state)
{
    struct node *n = unit_node(state);
    size_t before = page_free_count(n);
    long i;
    for (i = 0; i < 100; i++) {
        n->pages.fail_after = i;
        int err = use_memory(n);
        bool was_reached = n->pages.fail_after < 0;
        n->pages.fail_after = -1;
        assert_int_equal(page_free_count(n), before);
        assert_int_equal(n->pool_seg.used, 0);
        if (!was_reached) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, -E_MEM);
    }
    assert_int_equal(i, 11); // record; directory, 3 tables, 6 pages
}

// A page that cannot be had must leave the segment as it was, for the caller tries again.
static void after_a_failed_page_the_segment_still_works(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, 4 * MIB);
    n->pages.fail_after = 0;
    assert_null(seg_page(n, s, 3 * MIB, true));
    assert_int_equal(s->pages, 0);
    for (unsigned i = 0; i < SEG_INLINE; i++)
        assert_non_null(seg_page(n, s, 3 * MIB + i * PAGE_SIZE, true));
    size_t before = page_free_count(n);
    for (long i = 0; i < 4; i++) { // the page, the directory, a table for the few, a table for this one
        n->pages.fail_after = i;
        assert_null(seg_page(n, s, 0, true));
        assert_int_equal(s->pages, SEG_INLINE);
        assert_null(s->dir);
        assert_int_equal(page_free_count(n), before);
        assert_int_equal(seg_hole(s, 0, UINT64_MAX), 3 * MIB);
    }
    assert_non_null(seg_page(n, s, 0, true));
    assert_int_equal(s->pages, SEG_INLINE + 1);
    assert_int_equal(seg_hole(s, PAGE_SIZE, UINT64_MAX), 3 * MIB - PAGE_SIZE);
    seg_drop(n, s);
}

static void random_use_agrees_with_a_plain_array(void **state)
{
    struct node *n = unit_node(state);
    enum { BYTES = 40 * 4096 };
    struct unit_rand r = {11};
    uint8_t *model = calloc(1, BYTES), *buf = malloc(BYTES);
    uint64_t len = BYTES;
    struct seg *s = new_seg(n, len);
    for (int i = 0; i < 3000; i++) {
        uint64_t off = unit_below(&r, BYTES);
        size_t run = unit_below(&r, 9000);
        bool inside = off + run <= len;
        uint64_t what = unit_below(&r, 20);
        if (what == 0) {
            len = PAGES_FOR(unit_below(&r, BYTES)) * PAGE_SIZE;
            assert_int_equal(seg_resize(n, s, len), 0);
            memset(model + len, 0, BYTES - len);
        } else if (what < 10) {
            memset(buf, (int)unit_below(&r, 255), run);
            assert_int_equal(seg_write(n, s, off, buf, run), inside ? 0 : -E_ARG);
            if (inside)
                memcpy(model + off, buf, run);
        } else {
            assert_int_equal(seg_read(n, s, off, buf, run), inside ? 0 : -E_ARG);
            if (inside)
                assert_memory_equal(buf, model + off, run);
        }
    }
    seg_drop(n, s);
    free(model);
    free(buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(reading_a_hole_gives_zeros_and_makes_no_page),
        UNIT_TEST(what_was_written_is_read_back_across_pages_and_tables),
        UNIT_TEST(the_last_byte_is_there_and_the_one_behind_it_is_not),
        UNIT_TEST(the_largest_segment_works_at_its_end_and_no_larger_is_made),
        UNIT_TEST(an_empty_segment_has_nothing_and_can_grow),
        UNIT_TEST(shrinking_frees_what_lies_beyond_and_growing_again_shows_zeros),
        UNIT_TEST(few_pages_need_no_tables_wherever_they_are),
        UNIT_TEST(a_table_stays_while_a_page_before_the_cut_needs_it),
        UNIT_TEST(holes_are_measured_to_the_next_page_the_end_or_the_limit),
        UNIT_TEST(the_last_holder_frees_it),
        UNIT_TEST(numbers_in_use_are_not_given_again_after_the_count_wraps),
        UNIT_TEST(its_capability_names_it_and_no_other),
        UNIT_TEST(running_out_of_memory_at_any_allocation_leaves_nothing_behind),
        UNIT_TEST(after_a_failed_page_the_segment_still_works),
        UNIT_TEST(random_use_agrees_with_a_plain_array),
    };
    return UNIT_RUN(tests);
}
