// SPDX-License-Identifier: BSD-2-Clause
// What fills a segment from this very node: pages are shared where they lie right, bytes are right in any case.
#include "test/unit/service_bed.h"

#include "core/cap.h"
#include "services/bootfs.h"
#include "services/proc/local_source.h"
#include "services/protocol.h"
#include "services/service.h"
#include "test/unit/files_bed.h"

#define FILE_BYTES 10000u

static struct bed_cpio archive __attribute__((aligned(4096)));

// "aligned" begins on a page, "odd" does not.
static void make_archive(void)
{
    static uint8_t bytes[FILE_BYTES];
    char name[PAGE_SIZE] = "aligned";
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    archive.len = 0;
    // As mkbootfs.py does: the zeros behind the name count as its length.
    archive.len +=
        (size_t)sprintf((char *)archive.bytes, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1, 0100644,
                        0, 0, 1, 0, FILE_BYTES, 0, 0, 0, 0, (unsigned)(PAGE_SIZE - CPIO_HEADER), 0);
    memcpy(archive.bytes + archive.len, name, PAGE_SIZE - CPIO_HEADER);
    memcpy(archive.bytes + PAGE_SIZE, bytes, sizeof bytes);
    archive.len = PAGE_SIZE + sizeof bytes;
    bed_pad(&archive);
    bed_file(&archive, "odd", "0123456789", 10);
    bed_end(&archive);
}

static int setup(void **state)
{
    const struct host_options o = {.clock = unit_clock, .seed = 3};
    make_archive();
    return bed_setup_with(state, &o);
}
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, bed_teardown)

static uint8_t byte_at(struct node *n, struct seg *s, uint64_t off)
{
    uint8_t b = 0;
    assert_int_equal(seg_read(n, s, off, &b, 1), 0);
    return b;
}

static struct seg *new_seg(struct node *n, uint64_t len)
{
    struct seg *s = NULL;
    assert_int_equal(seg_create(n, len, &s), 0);
    return s;
}

// Fills a new segment; its bytes must be the source's, zeros around them.
static struct seg *filled(struct node *n, const struct cap *source, uint64_t off, uint64_t len, uint64_t dest,
                          const uint8_t *expected)
{
    struct seg *s = new_seg(n, 5 * PAGE_SIZE);
    const struct desc_fill f = {.seg = s, .source = *source, .source_off = off, .source_len = len, .dest_off = dest};
    assert_true(local_source_here(n, source));
    assert_int_equal(local_source_fill(n, &f), 1);
    for (uint64_t i = 0; i < s->len; i++)
        assert_int_equal(byte_at(n, s, i), i >= dest && i < dest + len ? expected[i - dest] : 0);
    return s;
}

// --- From a segment ------------------------------------------------------------------------------------------------

static void whole_pages_of_a_segment_are_shared_and_parts_copied(void **state)
{
    struct node *n = unit_node(state);
    static uint8_t bytes[4 * PAGE_SIZE];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 3 + i / 100 + 1);
    struct seg *s = new_seg(n, sizeof bytes);
    assert_int_equal(seg_write(n, s, 0, bytes, sizeof bytes), 0);
    struct cap c = seg_cap(n, s, RIGHT_READ);
    struct unit_rand r = {9};
    for (int i = 0; i < 300; i++) {
        uint64_t off = unit_below(&r, sizeof bytes), len = unit_below(&r, sizeof bytes - off) + 1;
        uint64_t dest = (off & PAGE_MASK) + unit_below(&r, 2) * PAGE_SIZE;
        if (unit_below(&r, 4) == 0)
            off &= ~PAGE_MASK, dest &= ~PAGE_MASK;
        struct seg *d = filled(n, &c, off, len, dest, bytes + off);
        for (uint64_t at = 0; at < d->len; at += PAGE_SIZE) {
            bool whole = at >= dest && at + PAGE_SIZE <= dest + len;
            assert_true(!whole || seg_page(n, d, at, false) == seg_page(n, s, off + at - dest, false));
        }
        assert_int_equal(seg_write(n, d, dest, "!", 1), 0);
        assert_int_equal(byte_at(n, s, off), bytes[off]);
        seg_drop(n, d);
    }
    seg_drop(n, s);
}

static void what_cannot_be_shared_is_left_to_a_transaction_or_refused(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, 2 * PAGE_SIZE), *d = new_seg(n, 4 * PAGE_SIZE);
    struct desc_fill f = {.seg = d, .source = seg_cap(n, s, RIGHT_READ), .source_len = PAGE_SIZE};
    f.dest_off = 8; // at another place of its page
    assert_int_equal(local_source_fill(n, &f), 0);
    f.dest_off = 0, f.source_len = 2 * PAGE_SIZE + 1;
    assert_int_equal(local_source_fill(n, &f), -E_EOF);
    f.source_off = UINT64_MAX & ~PAGE_MASK;
    assert_int_equal(local_source_fill(n, &f), -E_EOF);
    f.source_off = 0, f.source_len = PAGE_SIZE, f.source.check[0] ^= 1;
    assert_int_equal(local_source_fill(n, &f), -E_CAP);
    f.source = seg_cap(n, s, RIGHT_WRITE);
    assert_int_equal(local_source_fill(n, &f), -E_RIGHTS);
    f.source.obj_rights += 5000 << 8;
    assert_int_equal(local_source_fill(n, &f), -E_OBJECT);
    f.source.port.w[0]++; // of another node
    assert_false(local_source_here(n, &f.source));
    assert_int_equal(local_source_fill(n, &f), 0);
    seg_drop(n, s);
    seg_drop(n, d);
}

// --- From a file -----------------------------------------------------------------------------------------------------

static void file_body(struct node *n, void *arg)
{
    struct cap *c = arg;
    struct cap store = bed_lookup(n, "bootfs");
    assert_int_equal(bed_call(n, store, OP_DIR_LOOKUP, 0, 0, "aligned", 7, &c[0], sizeof c[0]), 0);
    assert_int_equal(bed_call(n, store, OP_DIR_LOOKUP, 0, 0, "odd", 3, &c[1], sizeof c[1]), 0);
    c[2] = store;
    assert_int_equal(bed_call(n, c[1], OP_RESTRICT, RIGHT_WRITE, 0, NULL, 0, &c[3], sizeof c[3]), 0);
}

static void processes_of_one_program_have_one_text(void **state)
{
    struct node *n = unit_node(state);
    struct cap c[4];
    assert_null(bootfs_give(n, archive.bytes, archive.len));
    bed_run(n, file_body, c);
    const uint8_t *file = archive.bytes + PAGE_SIZE;
    struct seg *a = filled(n, &c[0], 0, FILE_BYTES, 0, file);
    size_t before = page_free_count(n);
    struct seg *b = filled(n, &c[0], 0, FILE_BYTES, 0, file);
    assert_int_equal(page_free_count(n), before); // not one page of its own
    for (uint64_t at = 0; at < 3 * PAGE_SIZE; at += PAGE_SIZE)
        assert_ptr_equal(seg_page(n, a, at, false), seg_page(n, b, at, false));
    assert_ptr_equal(seg_page(n, a, PAGE_SIZE, false), file + PAGE_SIZE); // where the file lies
    // Its data is its own from the first write on; the file never changes.
    uint8_t first = file[5];
    assert_int_equal(seg_write(n, a, 5, "?", 1), 0);
    assert_int_equal(file[5], first);
    assert_int_equal(byte_at(n, b, 5), first);
    // Memory is short: what is forgotten is made anew, and who has it keeps it.
    bootfs_forget(n);
    assert_int_equal(byte_at(n, b, 9000), file[9000]);
    seg_drop(n, a);
    a = filled(n, &c[0], 4096, 5000, PAGE_SIZE, file + 4096);
    seg_drop(n, a), seg_drop(n, b);
    // Not on a page of the archive, or not at the same place of a page: copied once, shared all the same.
    a = filled(n, &c[1], 2, 5, 4094, (const uint8_t *)"23456");
    b = filled(n, &c[1], 2, 5, 4094, (const uint8_t *)"23456");
    assert_ptr_equal(seg_page(n, a, PAGE_SIZE, false), seg_page(n, b, PAGE_SIZE, false));
    seg_drop(n, a), seg_drop(n, b);
    bootfs_forget(n);
}

static void a_file_is_not_read_without_right_or_beyond_its_end(void **state)
{
    struct node *n = unit_node(state);
    struct cap c[4];
    assert_null(bootfs_give(n, archive.bytes, archive.len));
    bed_run(n, file_body, c);
    struct seg *d = new_seg(n, 4 * PAGE_SIZE);
    struct desc_fill f = {.seg = d, .source = c[1], .source_len = 11};
    assert_int_equal(local_source_fill(n, &f), -E_EOF);
    f.source_off = UINT64_MAX;
    assert_int_equal(local_source_fill(n, &f), -E_EOF);
    f.source_off = 0, f.source_len = 5, f.source.check[2]++;
    assert_int_equal(local_source_fill(n, &f), -E_CAP);
    f.source = c[3];
    assert_int_equal(local_source_fill(n, &f), -E_RIGHTS);
    f.source = c[2];
    assert_int_equal(local_source_fill(n, &f), -E_OP);
    f.source.obj_rights += 9 << 8;
    assert_int_equal(local_source_fill(n, &f), -E_OBJECT);
    f.source = c[0], f.source_len = 3 * PAGE_SIZE - 3000;
    size_t before = page_free_count(n), segs = n->pool_seg.used;
    for (long i = 0;; i++) { // its record, the segment's, its tables and pages, the tables of ours
        n->pages.fail_after = i;
        int r = local_source_fill(n, &f);
        bool was_reached = n->pages.fail_after < 0;
        n->pages.fail_after = -1;
        if (!was_reached) {
            assert_int_equal(r, 1);
            assert_true(i > 0);
            break;
        }
        assert_int_equal(r, -E_MEM);
        bootfs_forget(n);
        assert_int_equal(page_free_count(n), before);
        assert_int_equal(n->pool_seg.used, segs);
    }
    seg_drop(n, d);
    bootfs_forget(n);
}

static void as_many_parts_as_one_likes_and_no_more_remembered_than_the_limit(void **state)
{
    struct node *n = unit_node(state);
    struct cap c[4];
    assert_null(bootfs_give(n, archive.bytes, archive.len));
    bed_run(n, file_body, c);
    const uint8_t *file = archive.bytes + PAGE_SIZE;
    size_t segs = n->pool_seg.used;
    for (unsigned i = 0; i < 200; i++)
        seg_drop(n, filled(n, &c[0], i, 100 + i, 100, file + i));
    assert_int_equal(n->pool_seg.used - segs, 64);
    bootfs_forget(n);
    assert_int_equal(n->pool_seg.used, segs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whole_pages_of_a_segment_are_shared_and_parts_copied),
        TEST(what_cannot_be_shared_is_left_to_a_transaction_or_refused),
        TEST(processes_of_one_program_have_one_text),
        TEST(a_file_is_not_read_without_right_or_beyond_its_end),
        TEST(as_many_parts_as_one_likes_and_no_more_remembered_than_the_limit),
    };
    return UNIT_RUN(tests);
}
