// SPDX-License-Identifier: BSD-2-Clause
// The segment service: segments as files, with holes, and who holds them.
#include "test/unit/service_bed.h"

#include "core/seg.h"

#define PAGE 4096u

static struct cap seg_make(struct node *n, uint64_t len)
{
    struct cap c;
    assert_int_equal(bed_call(n, bed_lookup(n, "seg"), OP_SEG_CREATE, len, 0, NULL, 0, &c, sizeof c), 0);
    return c;
}

static void seg_body(struct node *n, void *arg)
{
    (void)arg;
    static uint8_t page[PAGE], got[4 * PAGE];
    memset(page, 7, sizeof page);
    struct cap c = seg_make(n, 10 * PAGE);
    assert_int_equal(bed_call(n, c, OP_SIZE, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(bed_result.res[0], 10 * PAGE);
    assert_int_equal(bed_call(n, c, OP_READ, 0, sizeof got, NULL, 0, got, sizeof got), 0); // all hole
    assert_int_equal(bed_result.len, 0);
    assert_int_equal(bed_result.res[0], 10 * PAGE);
    assert_int_equal(bed_call(n, c, OP_WRITE, 2 * PAGE + 100, 0, page, PAGE, NULL, 0),
                     0); // pages 2 and 3
    assert_int_equal(bed_result.res[0], PAGE);
    assert_int_equal(bed_call(n, c, OP_WRITE, 6 * PAGE, 0, page, 1, NULL, 0), 0); // page 6
    assert_int_equal(bed_call(n, c, OP_READ, 0, sizeof got, NULL, 0, got, sizeof got), 0);
    assert_int_equal(bed_result.len, 0);
    assert_int_equal(bed_result.res[0], 2 * PAGE);
    assert_int_equal(bed_call(n, c, OP_READ, 2 * PAGE + 50, sizeof got, NULL, 0, got, sizeof got), 0);
    assert_int_equal(bed_result.len, 2 * PAGE - 50);
    assert_int_equal(bed_result.res[0], 2 * PAGE);
    assert_true(unit_all_bytes(got, 0, 50));
    assert_true(unit_all_bytes(got + 50, 7, PAGE));
    assert_true(unit_all_bytes(got + 50 + PAGE, 0, PAGE - 100));
    assert_int_equal(bed_call(n, c, OP_READ, 2 * PAGE, 10, NULL, 0, got, sizeof got),
                     0); // no more than wanted
    assert_int_equal(bed_result.len, 10);
    assert_int_equal(bed_result.res[0], 0); // data follow, not a hole
    assert_int_equal(bed_call(n, c, OP_READ, 6 * PAGE, sizeof got, NULL, 0, got, sizeof got), 0);
    assert_int_equal(bed_result.len, PAGE);
    assert_int_equal(bed_result.res[0], 3 * PAGE);
    assert_int_equal(bed_call(n, c, OP_READ, 10 * PAGE, 1, NULL, 0, got, sizeof got), -E_EOF);
    assert_int_equal(bed_call(n, c, OP_READ, UINT64_MAX, 1, NULL, 0, got, sizeof got), -E_EOF);
    assert_int_equal(bed_call(n, c, OP_WRITE, 10 * PAGE - 1, 0, page, 2, NULL, 0), -E_ARG);
    assert_int_equal(bed_call(n, c, OP_WRITE, UINT64_MAX, 0, page, 2, NULL, 0), -E_ARG);
    char text[100] = "";
    assert_int_equal(bed_call(n, c, OP_INFO, 0, 0, NULL, 0, text, sizeof text - 1), 0);
    assert_non_null(strstr(text, "40960 bytes, 3 pages present"));
    assert_int_equal(bed_call(n, bed_lookup(n, "seg"), OP_READ, 0, 1, NULL, 0, got, 1), -E_OBJECT);
    assert_int_equal(bed_call(n, c, OP_SEG_CREATE, PAGE, 0, NULL, 0, got, 32), -E_OP);
    assert_int_equal(bed_call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(bed_call(n, c, OP_SIZE, 0, 0, NULL, 0, NULL, 0), -E_OBJECT);
}
static void a_segment_reads_like_a_file_with_holes(void **state)
{
    bed_run(unit_node(state), seg_body, NULL);
}

static void seg_large_body(struct node *n, void *arg)
{
    struct unit *before = arg;
    size_t len = 1 * MIB;
    uint8_t *bytes = malloc(2 * len), *got = malloc(2 * len);
    struct unit_rand r = {5};
    for (size_t i = 0; i < 2 * len; i++)
        bytes[i] = (uint8_t)unit_rand(&r);
    struct cap c = seg_make(n, 2 * len);
    assert_int_equal(bed_call(n, c, OP_WRITE, 0, 0, bytes, len, NULL, 0), 0);
    assert_int_equal(bed_call(n, c, OP_WRITE, len, 0, bytes + len, len, NULL, 0), 0);
    assert_int_equal(bed_call(n, c, OP_READ, 0, 2 * len, NULL, 0, got, 2 * len), 0);
    assert_int_equal(bed_result.len, 2 * len);
    assert_memory_equal(bytes, got, 2 * len);
    assert_true(page_free_count(n) + 2 * len / PAGE + 32 > before->free_pages); // requests' pages went back at once
    assert_int_equal(bed_call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    free(bytes);
    free(got);
}
static void large_requests_leave_no_memory_behind(void **state)
{
    struct node *n = unit_node(state);
    struct unit before = bed_count(n);
    bed_run(n, seg_large_body, &before);
}

static void seg_destroy_body(struct node *n, void *arg)
{
    (void)arg;
    struct seg *mine;
    assert_int_equal(seg_create(n, PAGE, &mine), 0); // as a process's: not made by transaction
    assert_int_equal(bed_call(n, seg_cap(n, mine, RIGHT_ALL), OP_DESTROY, 0, 0, NULL, 0, NULL, 0), -E_STATE);
    struct cap c = seg_make(n, PAGE);
    struct seg *s = seg_find(n, cap_obj(&c));
    seg_hold(s); // somebody maps it
    assert_int_equal(bed_call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(bed_call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), -E_CAP);
    assert_int_equal(s->refs, 1);
    seg_drop(n, s);
    seg_drop(n, mine);
}
static void destroying_a_segment_takes_only_the_creators_hold(void **state)
{
    bed_run(unit_node(state), seg_destroy_body, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BED_TEST(a_segment_reads_like_a_file_with_holes),
        BED_TEST(large_requests_leave_no_memory_behind),
        BED_TEST(destroying_a_segment_takes_only_the_creators_hold),
    };
    return UNIT_RUN(tests);
}
