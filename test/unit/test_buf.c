// SPDX-License-Identifier: BSD-2-Clause
// Message buffers: do all kinds show the same bytes, and is what is not allowed refused?
#include "test/unit/unit.h"

#include "core/abi.h"

#define BASE 0x100000ull

static struct proc *new_proc(struct node *n)
{
    struct proc *p = NULL;
    assert_int_equal(proc_create(n, EP_NONE, &p), 0);
    return p;
}

// Maps a new segment of len bytes from its byte off on; the process holds it.
static struct seg *map_new(struct node *n, struct proc *p, uint64_t va, uint64_t len, uint64_t off, uint32_t flags)
{
    struct seg *s = NULL;
    assert_int_equal(seg_create(n, off + len, &s), 0);
    assert_int_equal(proc_map(n, p, va, len, s, off, flags), 0);
    return s;
}

static void reading_a_hole_gives_the_page_of_zeros_and_makes_none(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n);
    map_new(n, p, BASE, 4 * PAGE_SIZE, 0, MAP_READ | MAP_WRITE);
    size_t before = page_free_count(n);
    struct buf b = buf_user(p, BASE + 10, 3 * PAGE_SIZE);
    void *ptr;
    size_t run;
    assert_int_equal(buf_at(n, &b, 0, false, &ptr, &run), 0);
    assert_ptr_equal(ptr, (char *)n->zero_page + 10);
    assert_int_equal(run, PAGE_SIZE - 10);
    assert_int_equal(buf_at(n, &b, 3 * PAGE_SIZE - 1, false, &ptr, &run), 0);
    assert_ptr_equal(ptr, (char *)n->zero_page + 9);
    assert_int_equal(run, 1);
    assert_int_equal(page_free_count(n), before);
    proc_destroy(n, p, true);
}

static void writing_never_touches_the_page_of_zeros(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n);
    map_new(n, p, BASE, 4 * PAGE_SIZE, 0, MAP_READ | MAP_WRITE);
    struct buf b = buf_user(p, BASE, 4 * PAGE_SIZE);
    static char ones[4 * PAGE_SIZE];
    memset(ones, 1, sizeof ones);
    assert_int_equal(buf_write(n, &b, 0, ones, sizeof ones), 0);
    assert_true(unit_all_bytes(n->zero_page, 0, PAGE_SIZE));
    proc_destroy(n, p, true);
}

static void a_buffer_may_lie_across_two_mappings(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n);
    struct seg *low = map_new(n, p, BASE, PAGE_SIZE, 0, MAP_READ | MAP_WRITE);
    struct seg *high = map_new(n, p, BASE + PAGE_SIZE, PAGE_SIZE, 3 * PAGE_SIZE, MAP_READ | MAP_WRITE);
    struct buf b = buf_user(p, BASE + PAGE_SIZE - 3, 6);
    char back[4] = {0};
    assert_int_equal(buf_check(n, &b, true), 0);
    assert_int_equal(buf_write(n, &b, 0, "abcdef", 6), 0);
    assert_int_equal(seg_read(n, low, PAGE_SIZE - 3, back, 3), 0);
    assert_string_equal(back, "abc");
    assert_int_equal(seg_read(n, high, 3 * PAGE_SIZE, back, 3), 0);
    assert_string_equal(back, "def");
    proc_destroy(n, p, true);
}

static void a_mapping_refuses_the_access_that_its_flags_lack(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n);
    map_new(n, p, BASE, PAGE_SIZE, 0, MAP_READ);
    map_new(n, p, BASE + PAGE_SIZE, PAGE_SIZE, 0, MAP_WRITE);
    struct buf r = buf_user(p, BASE, PAGE_SIZE), w = buf_user(p, BASE + PAGE_SIZE, PAGE_SIZE);
    struct buf both = buf_user(p, BASE, 2 * PAGE_SIZE);
    char c = 0;
    assert_int_equal(buf_check(n, &r, false), 0);
    assert_int_equal(buf_check(n, &r, true), -E_FAULT);
    assert_int_equal(buf_check(n, &w, true), 0);
    assert_int_equal(buf_check(n, &w, false), -E_FAULT);
    assert_int_equal(buf_check(n, &both, false), -E_FAULT);
    assert_int_equal(buf_check(n, &both, true), -E_FAULT);
    assert_int_equal(buf_write(n, &r, 0, &c, 1), -E_FAULT);
    assert_int_equal(buf_read(n, &w, 0, &c, 1), -E_FAULT);
    proc_destroy(n, p, true);
}

// Two strides of 4 pages: | guard x x x | guard x x x |
static void a_guard_page_is_refused_to_every_access_and_never_comes_into_being(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n);
    struct seg *s = map_new(n, p, BASE, 8 * PAGE_SIZE, 0, MAP_READ | MAP_WRITE | MAP_GUARD(14));
    struct buf first = buf_user(p, BASE, PAGE_SIZE), page = buf_user(p, BASE + PAGE_SIZE, 1);
    struct buf stack = buf_user(p, BASE + PAGE_SIZE, 3 * PAGE_SIZE);
    struct buf over = buf_user(p, BASE + PAGE_SIZE, 3 * PAGE_SIZE + 1);
    struct buf second = buf_user(p, BASE + 5 * PAGE_SIZE, 3 * PAGE_SIZE);
    for (int write = 0; write < 2; write++) {
        assert_int_equal(buf_check(n, &first, write), -E_FAULT);
        assert_int_equal(buf_check(n, &page, write), 0);
        assert_int_equal(buf_check(n, &stack, write), 0);
        assert_int_equal(buf_check(n, &over, write), -E_FAULT);
        assert_int_equal(buf_check(n, &second, write), 0);
    }
    char c = 1;
    assert_int_equal(buf_write(n, &over, 3 * PAGE_SIZE, &c, 1), -E_FAULT);
    assert_int_equal(buf_write(n, &stack, 3 * PAGE_SIZE - 1, &c, 1), 0);
    for (uint64_t i = 0; i < 8; i++)
        assert_int_equal(proc_fault(n, p, BASE + i * PAGE_SIZE + 8, PROT_W), i % 4 ? 0 : -E_FAULT);
    assert_int_equal(s->pages, 6);
    assert_int_equal(proc_unmap(n, p, BASE), 0); // by its start, which is a guard page
    proc_destroy(n, p, true);
}

static void a_guard_distance_that_makes_no_sense_is_refused(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n);
    static const uint32_t wrong[] = {
        MAP_READ | MAP_GUARD(1),
        MAP_READ | MAP_GUARD(12),
        MAP_READ | MAP_GUARD(31),
        MAP_READ | MAP_GUARD(14) | MAP_GROW_UP,
        MAP_GUARD(14),
        MAP_READ | MAP_GUARD(14) | MAP_GROW_DOWN,
        MAP_READ | 1u << 5,
        MAP_READ | 1u << 31,
    };
    struct seg *s = NULL;
    assert_int_equal(seg_create(n, 8 * PAGE_SIZE, &s), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(proc_map(n, p, BASE, 8 * PAGE_SIZE, s, 0, wrong[i]), -E_ARG);
    assert_int_equal(proc_map(n, p, BASE, 8 * PAGE_SIZE, s, 0, MAP_READ | MAP_GUARD(13)), 0);
    proc_destroy(n, p, true);
}

static void what_is_not_mapped_or_wraps_is_refused(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n);
    map_new(n, p, BASE, PAGE_SIZE, 0, MAP_READ | MAP_WRITE);
    const struct buf bad[] = {
        buf_user(p, BASE - 1, 2),          buf_user(p, BASE, PAGE_SIZE + 1), buf_user(p, 0, 1),
        buf_user(p, BASE + 1, UINT64_MAX), buf_user(p, UINT64_MAX - 1, 8),   buf_user(p, UINT64_MAX, 1),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(buf_check(n, &bad[i], false), -E_FAULT);
        assert_int_equal(buf_check(n, &bad[i], true), -E_FAULT);
    }
    struct buf empty = buf_user(p, 0, 0);
    assert_int_equal(buf_check(n, &empty, true), 0);
    proc_destroy(n, p, true);
}

static void nothing_behind_the_end_of_a_buffer_is_reached(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s;
    assert_int_equal(seg_create(n, 4 * PAGE_SIZE, &s), 0);
    char bytes[10], out[20];
    struct buf k = buf_kernel(bytes, sizeof bytes), g = buf_seg(s, 5, 10), none = buf_none();
    assert_int_equal(buf_read(n, &k, 0, out, 11), -E_FAULT);
    assert_int_equal(buf_read(n, &k, 10, out, 1), -E_FAULT);
    assert_int_equal(buf_read(n, &g, 0, out, 11), -E_FAULT);
    assert_int_equal(buf_read(n, &g, UINT64_MAX, out, 1), -E_FAULT);
    assert_int_equal(buf_read(n, &none, 0, out, 1), -E_FAULT);
    assert_int_equal(buf_read(n, &none, 0, out, 0), 0);
    assert_int_equal(buf_check(n, &none, false), 0);
    seg_drop(n, s);
}

static void a_buffer_longer_than_its_segment_is_refused(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s;
    assert_int_equal(seg_create(n, PAGE_SIZE, &s), 0);
    struct buf good = buf_seg(s, 1, PAGE_SIZE - 1), bad = buf_seg(s, 1, PAGE_SIZE);
    char c;
    assert_int_equal(buf_check(n, &good, true), 0);
    assert_int_equal(buf_check(n, &bad, true), -E_FAULT);
    assert_int_equal(buf_read(n, &bad, PAGE_SIZE - 1, &c, 1), -E_FAULT);
    seg_drop(n, s);
}

static void pieces_are_read_as_one_and_never_written(void **state)
{
    struct node *n = unit_node(state);
    char one[] = "Roti", two[] = "fer", out[8] = {0};
    struct piece pieces[] = {{one, 4}, {one, 0}, {two, 3}};
    struct buf b = {.kind = BUF_PIECES, .at = (uint64_t)(uintptr_t)pieces, .len = 7};
    assert_int_equal(buf_read(n, &b, 0, out, 7), 0);
    assert_string_equal(out, "Rotifer");
    memset(out, 0, sizeof out);
    assert_int_equal(buf_read(n, &b, 3, out, 3), 0);
    assert_string_equal(out, "ife");
    assert_int_equal(buf_read(n, &b, 6, out, 2), -E_FAULT);
    assert_int_equal(buf_check(n, &b, false), 0);
    assert_int_equal(buf_check(n, &b, true), -E_FAULT);
    assert_int_equal(buf_write(n, &b, 0, "x", 1), -E_FAULT);
    b.len = 5; // the buffer ends inside a piece
    assert_int_equal(buf_read(n, &b, 3, out, 3), -E_FAULT);
}

static void a_copy_to_the_same_place_leaves_it_as_it_was(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s;
    assert_int_equal(seg_create(n, 2 * PAGE_SIZE, &s), 0);
    struct buf b = buf_seg(s, 0, 2 * PAGE_SIZE);
    seg_write(n, s, 0, "here", 4);
    assert_int_equal(buf_copy(n, &b, 0, &b, 0, 2 * PAGE_SIZE), 0);
    char out[4];
    assert_int_equal(buf_read(n, &b, 0, out, 4), 0);
    assert_memory_equal(out, "here", 4);
    assert_int_equal(buf_copy(n, &b, 1, &b, 0, 4), 0); // overlaps
    assert_int_equal(buf_read(n, &b, 1, out, 4), 0);
    assert_memory_equal(out, "here", 4);
    seg_drop(n, s);
}

static void a_copy_stops_at_the_first_error_and_keeps_what_it_did(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n);
    map_new(n, p, BASE, PAGE_SIZE, 0, MAP_READ | MAP_WRITE);
    struct buf dst = buf_user(p, BASE, 2 * PAGE_SIZE);
    static char ones[2 * PAGE_SIZE];
    memset(ones, 1, sizeof ones);
    assert_int_equal(buf_write(n, &dst, 0, ones, sizeof ones), -E_FAULT);
    char out[PAGE_SIZE];
    assert_int_equal(buf_read(n, &dst, 0, out, PAGE_SIZE), 0);
    assert_true(unit_all_bytes(out, 1, PAGE_SIZE));
    proc_destroy(n, p, true);
}

static void without_memory_a_write_is_refused_and_a_read_is_not(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s;
    assert_int_equal(seg_create(n, PAGE_SIZE, &s), 0);
    struct buf b = buf_seg(s, 0, PAGE_SIZE);
    char c = 1;
    n->pages.fail_after = 0;
    assert_int_equal(buf_read(n, &b, 0, &c, 1), 0);
    assert_int_equal(buf_write(n, &b, 0, &c, 1), -E_MEM);
    assert_int_equal(n->pages.fail_after, -1);
    seg_drop(n, s);
}

// The same bytes through every kind of buffer, at random places.
static void all_kinds_show_the_same_bytes(void **state)
{
    struct node *n = unit_node(state);
    enum { BYTES = 10 * 4096 };
    struct unit_rand r = {9};
    struct proc *p = new_proc(n);
    struct seg *s;
    assert_int_equal(seg_create(n, BYTES, &s), 0);
    map_new(n, p, BASE, BYTES, PAGE_SIZE, MAP_READ | MAP_WRITE);
    uint8_t *kernel = calloc(1, BYTES), *out = malloc(BYTES), *model = calloc(3, BYTES);
    struct buf b[3] = {buf_kernel(kernel, BYTES), buf_seg(s, 0, BYTES), buf_user(p, BASE, BYTES)};
    for (int i = 0; i < BYTES; i++)
        kernel[i] = model[i] = (uint8_t)unit_rand(&r);
    for (int i = 0; i < 2000; i++) {
        size_t from = unit_below(&r, 3), to = unit_below(&r, 3);
        size_t soff = unit_below(&r, BYTES), doff = unit_below(&r, BYTES);
        size_t len = unit_below(&r, BYTES - (soff > doff ? soff : doff) + 1);
        if (from == to)
            continue; // overlaps go page by page
        assert_int_equal(buf_copy(n, &b[to], doff, &b[from], soff, len), 0);
        memcpy(model + to * BYTES + doff, model + from * BYTES + soff, len);
    }
    for (size_t k = 0; k < 3; k++) {
        assert_int_equal(buf_read(n, &b[k], 0, out, BYTES), 0);
        assert_memory_equal(out, model + k * BYTES, BYTES);
    }
    free(kernel), free(out), free(model);
    seg_drop(n, s);
    proc_destroy(n, p, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(reading_a_hole_gives_the_page_of_zeros_and_makes_none),
        UNIT_TEST(writing_never_touches_the_page_of_zeros),
        UNIT_TEST(a_buffer_may_lie_across_two_mappings),
        UNIT_TEST(a_mapping_refuses_the_access_that_its_flags_lack),
        UNIT_TEST(a_guard_page_is_refused_to_every_access_and_never_comes_into_being),
        UNIT_TEST(a_guard_distance_that_makes_no_sense_is_refused),
        UNIT_TEST(what_is_not_mapped_or_wraps_is_refused),
        UNIT_TEST(nothing_behind_the_end_of_a_buffer_is_reached),
        UNIT_TEST(a_buffer_longer_than_its_segment_is_refused),
        UNIT_TEST(pieces_are_read_as_one_and_never_written),
        UNIT_TEST(a_copy_to_the_same_place_leaves_it_as_it_was),
        UNIT_TEST(a_copy_stops_at_the_first_error_and_keeps_what_it_did),
        UNIT_TEST(without_memory_a_write_is_refused_and_a_read_is_not),
        UNIT_TEST(all_kinds_show_the_same_bytes),
    };
    return UNIT_RUN(tests);
}
