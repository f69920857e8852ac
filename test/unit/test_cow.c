// SPDX-License-Identifier: BSD-2-Clause
// Pages that several segments have, copy-on-write, and what was written since. Processes are seen as a hart sees them:
// through the translations that the kernel made, which must never show more, nor allow more, than they should.
#include "test/unit/memory_bed.h"

#include "core/abi.h"
#include "core/thread.h"

#define BASE 0x100000ull

static struct seg *clone(struct node *n, struct seg *s)
{
    struct seg *c = NULL;
    assert_int_equal(seg_clone(n, s, 0, s->len, &c), 0);
    return c;
}

// A guest's store and load of one byte. 0, the byte, or the fault's error.
static int guest_write(struct node *n, struct proc *p, uint64_t va, uint8_t value)
{
    void *at;
    int r = guest_at(n, p, va, PROT_W, &at);
    if (r == 0)
        *(uint8_t *)at = value;
    return r;
}

static int guest_read(struct node *n, struct proc *p, uint64_t va)
{
    void *at;
    int r = guest_at(n, p, va, PROT_R, &at);
    return r < 0 ? r : *(uint8_t *)at;
}

static int byte_of(struct node *n, struct seg *s, uint64_t off)
{
    uint8_t b = 0;
    assert_int_equal(seg_read(n, s, off, &b, 1), 0);
    return b;
}

static void put_byte(struct node *n, struct seg *s, uint64_t off, uint8_t b)
{
    assert_int_equal(seg_write(n, s, off, &b, 1), 0);
}

// --- Copy-on-write ---------------------------------------------------------------------------------------------

static void a_clone_shows_the_same_bytes_and_takes_no_pages(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, 40 * PAGE_SIZE);
    for (unsigned i = 0; i < 40; i += 2)
        put_byte(n, s, i * PAGE_SIZE, (uint8_t)(i + 1));
    size_t before = page_free_count(n);
    struct seg *c = clone(n, s);
    assert_int_equal(before - page_free_count(n), 2); // its tables
    assert_int_equal(c->pages, 20);
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(byte_of(n, c, i * PAGE_SIZE), i % 2 ? 0 : i + 1);
        assert_int_equal(seg_hole(c, i * PAGE_SIZE, PAGE_SIZE), i % 2 ? PAGE_SIZE : 0);
    }
    seg_drop(n, s); // the clone does not need it
    assert_int_equal(byte_of(n, c, 38 * PAGE_SIZE), 39);
    seg_drop(n, c);
}

static void a_write_to_either_is_seen_there_only_and_copies_that_page_only(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, 3 * PAGE_SIZE);
    for (unsigned i = 0; i < 3; i++)
        put_byte(n, s, i * PAGE_SIZE, 1);
    struct seg *c = clone(n, s);
    size_t before = page_free_count(n);
    put_byte(n, c, 0, 2);
    assert_int_equal(before - page_free_count(n), 1);
    put_byte(n, s, PAGE_SIZE, 3);
    assert_int_equal(before - page_free_count(n), 2);
    assert_int_equal(byte_of(n, s, 0), 1);
    assert_int_equal(byte_of(n, c, 0), 2);
    assert_int_equal(byte_of(n, s, PAGE_SIZE), 3);
    assert_int_equal(byte_of(n, c, PAGE_SIZE), 1);
    // The other half is the last holder of its page by now: no copy.
    put_byte(n, s, 0, 4);
    put_byte(n, c, PAGE_SIZE, 5);
    assert_int_equal(before - page_free_count(n), 2);
    assert_ptr_equal(seg_page(n, s, 2 * PAGE_SIZE, false), seg_page(n, c, 2 * PAGE_SIZE, false));
    seg_drop(n, s);
    seg_drop(n, c);
}

static void a_part_can_be_shared_at_another_place(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, 4 * MIB), *d = new_seg(n, 8 * MIB);
    put_byte(n, s, 2 * MIB + 5, 7);
    assert_int_equal(seg_share(n, d, 6 * MIB, s, 2 * MIB, 2 * MIB), 0);
    assert_int_equal(byte_of(n, d, 6 * MIB + 5), 7);
    assert_int_equal(seg_share(n, d, 6 * MIB, s, 2 * MIB, PAGE_SIZE), -E_EXISTS);
    assert_int_equal(seg_share(n, d, 0, s, 1, PAGE_SIZE), -E_ARG);
    assert_int_equal(seg_share(n, d, 0, s, 0, 100), -E_ARG);
    assert_int_equal(seg_share(n, d, 0, d, 4 * MIB, PAGE_SIZE), -E_ARG);
    assert_int_equal(seg_share(n, d, 8 * MIB, s, 0, PAGE_SIZE), -E_ARG);
    assert_int_equal(seg_share(n, d, 0, s, 4 * MIB - PAGE_SIZE, 2 * PAGE_SIZE), -E_ARG);
    assert_int_equal(seg_share(n, d, UINT64_MAX & ~PAGE_MASK, s, 0, 2 * PAGE_SIZE), -E_ARG);
    seg_drop(n, s);
    seg_drop(n, d);
}

static void a_guest_that_could_write_faults_after_the_clone_and_gets_its_own_page(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n), *q = new_proc(n);
    struct seg *s = new_seg(n, 2 * PAGE_SIZE);
    map(n, p, BASE, s, RW);
    assert_int_equal(guest_write(n, p, BASE, 1), 0);
    struct seg *c = clone(n, s);
    map(n, q, BASE, c, RW);
    assert_null(arch_host_page(&p->aspace, BASE, PROT_W)); // the source is protected, too
    assert_non_null(arch_host_page(&p->aspace, BASE, PROT_R));
    assert_int_equal(guest_read(n, q, BASE), 1);
    assert_null(arch_host_page(&q->aspace, BASE, PROT_W));
    assert_int_equal(guest_write(n, p, BASE, 2), 0);
    assert_int_equal(guest_read(n, p, BASE), 2);
    assert_int_equal(guest_read(n, q, BASE), 1);
    assert_int_equal(guest_write(n, q, BASE, 3), 0); // the last holder: in place
    assert_int_equal(guest_read(n, p, BASE), 2);
    assert_int_equal(guest_read(n, q, BASE), 3);
    seg_drop(n, s);
    seg_drop(n, c);
    proc_destroy(n, p, true);
    proc_destroy(n, q, true);
}

static void the_kernel_writing_for_a_guest_breaks_the_share(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n);
    struct seg *s = new_seg(n, 4 * PAGE_SIZE);
    map(n, p, BASE, s, RW);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(guest_write(n, p, BASE + i * PAGE_SIZE, 1), 0);
    struct seg *c = clone(n, s);
    assert_int_equal(guest_read(n, p, BASE), 1);
    static char twos[3 * PAGE_SIZE];
    memset(twos, 2, sizeof twos);
    struct buf user = buf_user(p, BASE + PAGE_SIZE / 2, 2 * PAGE_SIZE), all = buf_seg(c, 0, c->len);
    assert_int_equal(buf_write(n, &user, 0, twos, 2 * PAGE_SIZE), 0);
    assert_int_equal(guest_read(n, p, BASE + PAGE_SIZE - 1), 2); // not through the old translation
    assert_int_equal(guest_read(n, p, BASE + PAGE_SIZE), 2);
    assert_int_equal(byte_of(n, c, PAGE_SIZE - 1), 0);
    assert_int_equal(byte_of(n, c, PAGE_SIZE), 1);
    // And into the other half, as it comes off the wire: pages that arrive whole.
    assert_int_equal(buf_write(n, &all, PAGE_SIZE, twos, sizeof twos), 0);
    assert_int_equal(byte_of(n, s, 3 * PAGE_SIZE), 1);
    assert_int_equal(guest_read(n, p, BASE + 3 * PAGE_SIZE), 1);
    assert_int_equal(byte_of(n, c, 3 * PAGE_SIZE), 2);
    seg_drop(n, s);
    seg_drop(n, c);
    proc_destroy(n, p, true);
}

// One segment in two processes, read and write; then a clone of it. Both must move on to the copy together.
static void processes_that_share_a_segment_see_each_others_writes_also_after_a_clone(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n), *q = new_proc(n);
    struct seg *s = new_seg(n, 2 * PAGE_SIZE);
    map(n, p, BASE, s, RW);
    map(n, q, 2 * BASE, s, RW);
    map(n, q, 4 * BASE, s, MAP_READ); // twice in one process, and not to be written there
    assert_int_equal(guest_write(n, p, BASE + PAGE_SIZE, 1), 0);
    assert_int_equal(guest_read(n, q, 2 * BASE + PAGE_SIZE), 1);
    assert_int_equal(guest_read(n, q, 4 * BASE + PAGE_SIZE), 1);
    struct seg *c = clone(n, s);
    assert_int_equal(guest_write(n, q, 2 * BASE + PAGE_SIZE, 2), 0);
    assert_int_equal(guest_read(n, p, BASE + PAGE_SIZE), 2);
    assert_int_equal(guest_read(n, q, 4 * BASE + PAGE_SIZE), 2);
    assert_int_equal(byte_of(n, c, PAGE_SIZE), 1);
    assert_int_equal(guest_write(n, q, 4 * BASE, 3), -E_FAULT);
    // A shorter segment: nobody sees what was beyond.
    assert_int_equal(seg_resize(n, s, PAGE_SIZE), 0);
    assert_null(arch_host_page(&p->aspace, BASE + PAGE_SIZE, PROT_R));
    assert_int_equal(guest_read(n, p, BASE + PAGE_SIZE), -E_FAULT);
    assert_int_equal(guest_read(n, q, 2 * BASE + PAGE_SIZE), -E_FAULT);
    seg_drop(n, s);
    seg_drop(n, c);
    proc_destroy(n, p, true);
    proc_destroy(n, q, true);
}

static void a_mapping_that_shrinks_takes_nothing_from_others(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n), *q = new_proc(n);
    struct seg *s = new_seg(n, 4 * PAGE_SIZE);
    map(n, p, BASE, s, RW | MAP_GROW_UP);
    map(n, q, BASE, s, RW);
    seg_drop(n, s);
    assert_int_equal(guest_write(n, q, BASE + 3 * PAGE_SIZE, 1), 0);
    assert_int_equal(proc_grow(n, p, BASE, PAGE_SIZE), 0);
    assert_int_equal(guest_read(n, q, BASE + 3 * PAGE_SIZE), 1);
    assert_int_equal(guest_read(n, p, BASE + 3 * PAGE_SIZE), -E_FAULT);
    assert_int_equal(proc_grow(n, p, BASE, 2 * PAGE_SIZE), 0);
    assert_int_equal(guest_read(n, q, BASE + 3 * PAGE_SIZE), 1);
    proc_destroy(n, q, true);
    assert_int_equal(proc_grow(n, p, BASE, PAGE_SIZE), 0); // alone: what is beyond goes
    assert_int_equal(p->maps[0]->seg->len, PAGE_SIZE);
    proc_destroy(n, p, true);
}

static void a_page_that_a_driver_still_sends_from_is_written_in_place(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, PAGE_SIZE);
    put_byte(n, s, 0, 1);
    void *page = seg_page(n, s, 0, false);
    page_hold(n, page); // as drivers do
    put_byte(n, s, 0, 2);
    assert_ptr_equal(seg_page(n, s, 0, false), page);
    // Shared as well: the copy is the segment's, the driver keeps what it had.
    struct seg *c = clone(n, s);
    put_byte(n, s, 0, 3);
    seg_drop(n, c);
    assert_int_equal(*(uint8_t *)page, 2);
    page_drop(n, page);
    seg_drop(n, s);
}

static void a_page_with_too_many_holders_is_copied(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, PAGE_SIZE);
    put_byte(n, s, 0, 1);
    char *page = seg_page(n, s, 0, false);
    uint16_t *holders = &n->pages.holders[(size_t)(page - (char *)n->pages.base) >> PAGE_SHIFT];
    *holders = 0xf000;
    struct seg *c = clone(n, s);
    assert_ptr_not_equal(seg_page(n, c, 0, false), page);
    assert_int_equal(byte_of(n, c, 0), 1);
    *holders = 1;
    put_byte(n, s, 0, 2);
    assert_int_equal(byte_of(n, c, 0), 1);
    seg_drop(n, s);
    seg_drop(n, c);
}

static uint8_t outside[2 * 4096] __attribute__((aligned(4096)));

static void a_page_of_the_boot_files_is_shared_and_never_written(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, 2 * PAGE_SIZE);
    memset(outside, 7, sizeof outside);
    size_t before = page_free_count(n);
    assert_int_equal(seg_adopt(n, s, 0, outside), 0);
    assert_int_equal(seg_adopt(n, s, 0, outside), -E_EXISTS);
    assert_int_equal(seg_adopt(n, s, 2 * PAGE_SIZE, outside), -E_ARG);
    assert_int_equal(page_free_count(n), before);
    struct seg *c = clone(n, s);
    put_byte(n, s, 1, 8);
    put_byte(n, c, 2, 9);
    assert_true(unit_all_bytes(outside, 7, sizeof outside));
    assert_int_equal(byte_of(n, s, 1), 8);
    assert_int_equal(byte_of(n, s, 2), 7);
    assert_int_equal(byte_of(n, c, 1), 7);
    seg_drop(n, s);
    seg_drop(n, c);
}

static void without_memory_a_clone_fails_whole_and_a_write_leaves_the_share(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, 6 * MIB), *c = NULL;
    struct proc *p = new_proc(n);
    map(n, p, BASE, s, RW);
    for (uint64_t off = 0; off < 6 * MIB; off += MIB)
        assert_int_equal(guest_write(n, p, BASE + off, 1), 0);
    size_t before = page_free_count(n), segs = n->pool_seg.used;
    long i;
    for (i = 0; i < 100; i++) {
        n->pages.fail_after = i;
        int r = seg_clone(n, s, 0, s->len, &c);
        bool was_reached = n->pages.fail_after < 0;
        n->pages.fail_after = -1;
        if (!was_reached)
            break;
        assert_int_equal(r, -E_MEM);
        assert_int_equal(page_free_count(n), before);
        assert_int_equal(n->pool_seg.used, segs);
        assert_int_equal(guest_write(n, p, BASE, (uint8_t)i), 0);
    }
    assert_int_equal(i, 4); // directory and three tables; its record fits beside the other's
    n->pages.fail_after = 0;
    assert_int_equal(guest_write(n, p, BASE, 99), -E_MEM);
    assert_int_equal(guest_read(n, p, BASE), i - 1);
    assert_int_equal(guest_write(n, p, BASE, 99), 0); // the failure was for once
    assert_int_equal(byte_of(n, c, 0), i - 1);
    seg_drop(n, c);
    seg_drop(n, s);
    proc_destroy(n, p, true);
}

// --- Everything at random against plain arrays -------------------------------------------------------------------

enum { SEGS = 5, PAGES = 9 };
struct model {
    struct seg *s;
    struct proc *p; // maps it at BASE, or NULL
    uint8_t byte[PAGES];
    bool written[PAGES]; // since the mark
    bool marked;
};

static void model_new(struct node *n, struct model *m, const struct model *from)
{
    *m = (struct model){0};
    if (from) {
        m->s = clone(n, from->s);
        memcpy(m->byte, from->byte, sizeof m->byte);
    } else {
        m->s = new_seg(n, PAGES * PAGE_SIZE);
    }
    m->p = new_proc(n);
    map(n, m->p, BASE, m->s, RW);
}

static void model_end(struct node *n, struct model *m)
{
    seg_drop(n, m->s);
    proc_destroy(n, m->p, true);
    m->s = NULL;
}

// No translation shows another page than the segment's, none can be written through that others would see or that the
// mark would miss.
static void model_check(struct node *n, const struct model *m)
{
    uint64_t off = 0;
    bool written[PAGES] = {false};
    for (uint64_t len; m->marked && (len = seg_written(m->s, &off)) > 0; off += len)
        for (uint64_t at = off; at < off + len; at += PAGE_SIZE)
            written[at / PAGE_SIZE] = true;
    for (unsigned i = 0; i < PAGES; i++) {
        uint64_t at = i * PAGE_SIZE, va = BASE + at;
        const void *page = seg_page(n, m->s, at, false);
        const void *seen = arch_host_page(&m->p->aspace, va, PROT_R);
        assert_int_equal(byte_of(n, m->s, at + i), m->byte[i]);
        assert_true(!seen || seen == page);
        assert_true(!m->marked || written[i] == m->written[i]);
        if (arch_host_page(&m->p->aspace, va, PROT_W)) {
            assert_false(page_is_shared(n, page));
            assert_true(!m->marked || m->written[i]);
        }
    }
}

static void random_clones_and_writes_agree_with_plain_arrays(void **state)
{
    struct node *n = unit_node(state);
    struct model m[SEGS] = {{0}};
    struct unit_rand r = {77};
    for (int step = 0; step < 20000; step++) {
        struct model *a = &m[unit_below(&r, SEGS)], *b = &m[unit_below(&r, SEGS)];
        unsigned i = (unsigned)unit_below(&r, PAGES);
        uint8_t value = (uint8_t)unit_rand(&r);
        struct buf user = buf_user(a->p, BASE + i * PAGE_SIZE + i, 1);
        if (!a->s) {
            model_new(n, a, b != a && b->s ? b : NULL);
            continue;
        }
        switch (unit_below(&r, 12)) {
        case 0: model_end(n, a); continue;
        case 1:
            a->marked = true;
            seg_mark(n, a->s);
            memset(a->written, 0, sizeof a->written);
            break;
        case 2:
            a->marked = false;
            seg_unmark(n, a->s);
            break;
        case 3:
        case 4:
            assert_int_equal(buf_write(n, &user, 0, &value, 1), 0);
            a->byte[i] = value, a->written[i] = true;
            break;
        case 5:
            put_byte(n, a->s, i * PAGE_SIZE + i, value);
            a->byte[i] = value, a->written[i] = true;
            break;
        case 6: // shorter and long again: zeros from there on
            assert_int_equal(seg_resize(n, a->s, i * PAGE_SIZE), 0);
            assert_int_equal(seg_resize(n, a->s, PAGES * PAGE_SIZE), 0);
            for (; i < PAGES; i++)
                a->byte[i] = 0, a->written[i] = true;
            break;
        case 7:
            if (seg_page(n, a->s, i * PAGE_SIZE, false) == NULL)
                a->written[i] = true; // a page of zeros comes into a hole: told, though nothing changed
            assert_int_equal(guest_read(n, a->p, BASE + i * PAGE_SIZE + i), a->byte[i]);
            break;
        default:
            assert_int_equal(guest_write(n, a->p, BASE + i * PAGE_SIZE + i, value), 0);
            a->byte[i] = value, a->written[i] = true;
        }
        for (unsigned k = 0; k < SEGS; k++)
            if (m[k].s)
                model_check(n, &m[k]);
    }
    for (unsigned k = 0; k < SEGS; k++)
        if (m[k].s)
            model_end(n, &m[k]);
}

// --- What was written --------------------------------------------------------------------------------------------

static void exactly_the_pages_written_since_the_mark_are_told(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n);
    struct seg *s = new_seg(n, 6 * MIB);
    map(n, p, BASE, s, RW);
    for (uint64_t off = 0; off < 6 * MIB; off += 64 * KIB)
        assert_int_equal(guest_write(n, p, BASE + off, 1), 0);
    uint64_t first = seg_mark(n, s), off = 0;
    assert_int_equal(seg_written(s, &off), 0);
    assert_int_equal(guest_read(n, p, BASE), 1); // reading is not writing
    assert_int_equal(seg_written(s, &off), 0);
    assert_int_equal(guest_write(n, p, BASE + 64 * KIB, 2), 0);
    assert_int_equal(guest_write(n, p, BASE + 64 * KIB + PAGE_SIZE, 2), 0);
    put_byte(n, s, 5 * MIB, 3);
    struct buf user = buf_user(p, BASE + 2 * MIB - 1, 2);
    assert_int_equal(buf_write(n, &user, 0, "ab", 2), 0);
    const uint64_t told[][2] = {{64 * KIB, 2 * PAGE_SIZE}, {2 * MIB - PAGE_SIZE, 2 * PAGE_SIZE}, {5 * MIB, PAGE_SIZE}};
    for (size_t i = 0; i < 3; i++) {
        uint64_t len = seg_written(s, &off);
        assert_int_equal(off, told[i][0]);
        assert_int_equal(len, told[i][1]);
        off += len;
    }
    assert_int_equal(seg_written(s, &off), 0);
    // The next round begins; a page written before it has to be written again to be told again.
    seg_mark_run(n, s, 64 * KIB, 2 * PAGE_SIZE);
    seg_mark_run(n, s, 2 * MIB - PAGE_SIZE, 2 * PAGE_SIZE);
    off = 0;
    assert_int_equal(seg_written(s, &off), PAGE_SIZE);
    assert_int_equal(off, 5 * MIB);
    assert_int_equal(guest_write(n, p, BASE + 64 * KIB, 4), 0);
    off = 0;
    assert_int_equal(seg_written(s, &off), PAGE_SIZE);
    assert_int_equal(off, 64 * KIB);
    assert_true(seg_mark(n, s) > first);
    off = 0;
    assert_int_equal(seg_written(s, &off), 0);
    seg_drop(n, s);
    proc_destroy(n, p, true);
}

static void what_a_shorter_length_cut_off_counts_as_written(void **state)
{
    struct node *n = unit_node(state);
    struct seg *s = new_seg(n, 10 * PAGE_SIZE);
    for (unsigned i = 0; i < 10; i++)
        put_byte(n, s, i * PAGE_SIZE, 1);
    seg_mark(n, s);
    assert_int_equal(seg_resize(n, s, 6 * PAGE_SIZE), 0);
    uint64_t off = 0;
    assert_int_equal(seg_written(s, &off), 0); // it is not there
    assert_int_equal(seg_resize(n, s, 12 * PAGE_SIZE), 0);
    assert_int_equal(seg_written(s, &off), 6 * PAGE_SIZE);
    assert_int_equal(off, 6 * PAGE_SIZE);
    off = 7 * PAGE_SIZE;
    assert_int_equal(seg_written(s, &off), 5 * PAGE_SIZE);
    assert_int_equal(off, 7 * PAGE_SIZE);
    seg_mark_run(n, s, 6 * PAGE_SIZE, 6 * PAGE_SIZE);
    off = 0;
    assert_int_equal(seg_written(s, &off), 0);
    seg_drop(n, s);
}

static void while_it_is_off_nobody_faults_for_it(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n);
    struct seg *s = new_seg(n, 2 * PAGE_SIZE);
    map(n, p, BASE, s, RW);
    assert_int_equal(guest_write(n, p, BASE, 1), 0);
    seg_mark(n, s);
    assert_null(arch_host_page(&p->aspace, BASE, PROT_W));
    seg_unmark(n, s);
    assert_int_equal(guest_read(n, p, BASE + PAGE_SIZE), 0);
    assert_non_null(arch_host_page(&p->aspace, BASE + PAGE_SIZE, PROT_W)); // one fault for both accesses
    assert_int_equal(guest_write(n, p, BASE, 1), 0);
    assert_non_null(arch_host_page(&p->aspace, BASE, PROT_W));
    seg_drop(n, s);
    proc_destroy(n, p, true);
}

// --- By capability -----------------------------------------------------------------------------------------------

static void a_capability_maps_what_it_names_with_no_more_than_its_rights(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n);
    struct seg *s = new_seg(n, 4 * PAGE_SIZE);
    s->named = true;
    put_byte(n, s, 3 * PAGE_SIZE, 5);
    struct cap all = seg_cap(n, s, RIGHT_ALL), read = seg_cap(n, s, RIGHT_READ), bad = read;
    assert_int_equal(proc_map_cap(n, p, &read, BASE, 0, 0, RW), -E_RIGHTS);
    assert_int_equal(proc_map_cap(n, p, &read, BASE, PAGE_SIZE, 3 * PAGE_SIZE - 1, MAP_READ), BASE);
    assert_int_equal(guest_read(n, p, BASE + 2 * PAGE_SIZE), 5);
    assert_int_equal(guest_write(n, p, BASE, 1), -E_FAULT);
    assert_int_equal(proc_map_cap(n, p, &all, 2 * BASE, 0, 0, RW), 2 * BASE);
    assert_int_equal(guest_write(n, p, 2 * BASE + PAGE_SIZE, 6), 0);
    assert_int_equal(guest_read(n, p, BASE), 6);
    assert_int_equal(proc_map_cap(n, p, &read, 4 * BASE, 0, 0, RW | MAP_COPY), 4 * BASE);
    assert_int_equal(guest_write(n, p, 4 * BASE + PAGE_SIZE, 7), 0);
    assert_int_equal(guest_read(n, p, BASE), 6);
    assert_int_equal(proc_map_cap(n, p, &all, BASE, 0, 0, RW), -E_OVERLAP);
    assert_int_equal(proc_map_cap(n, p, &all, 0, 4 * PAGE_SIZE, 0, RW), -E_ARG);
    assert_int_equal(proc_map_cap(n, p, &all, 0, PAGE_SIZE, UINT64_MAX, RW), -E_ARG);
    assert_int_equal(proc_map_cap(n, p, &all, 0, 0, 0, RW | MAP_GROW_UP), -E_ARG);
    bad.check[0]++;
    assert_int_equal(proc_map_cap(n, p, &bad, 0, 0, 0, MAP_READ), -E_CAP);
    bad = read, bad.port.w[0]++;
    assert_int_equal(proc_map_cap(n, p, &bad, 0, 0, 0, MAP_READ), -E_NOTHERE);
    s->named = false; // somebody's own memory, to be read by who has the right, but not shared
    assert_int_equal(proc_map_cap(n, p, &all, 0, 0, 0, MAP_READ), -E_STATE);
    int64_t copy = proc_map_cap(n, p, &all, 0, 0, 0, MAP_READ | MAP_COPY);
    assert_true(copy > 0);
    assert_int_equal(guest_read(n, p, (uint64_t)copy + PAGE_SIZE), 6);
    p->mem_limit = 20 * PAGE_SIZE; // 15 of them are mapped
    assert_int_equal(proc_map_cap(n, p, &all, 0, 0, 0, MAP_READ | MAP_COPY), 0x400000000 + 5 * PAGE_SIZE);
    size_t before = page_free_count(n), segs = n->pool_seg.used;
    assert_int_equal(proc_map_cap(n, p, &all, 0, 0, 0, MAP_READ | MAP_COPY), -E_LIMIT);
    p->mem_limit = 0;
    n->pages.fail_after = 0;
    assert_int_equal(proc_map_cap(n, p, &all, BASE, 0, 0, MAP_READ | MAP_COPY), -E_OVERLAP);
    n->pages.fail_after = -1;
    assert_int_equal(page_free_count(n), before);
    assert_int_equal(n->pool_seg.used, segs);
    seg_drop(n, s);
    proc_destroy(n, p, true);
}

static void a_stack_grows_no_further_than_the_limit(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n);
    struct seg *s = new_seg(n, 10 * PAGE_SIZE);
    const uint64_t top = BASE + 10 * PAGE_SIZE;
    assert_int_equal(proc_map(n, p, top - 2 * PAGE_SIZE, 2 * PAGE_SIZE, s, 8 * PAGE_SIZE, RW | MAP_GROW_DOWN), 0);
    p->mem_limit = 4 * PAGE_SIZE;
    assert_int_equal(proc_fault(n, p, top - 4 * PAGE_SIZE, PROT_W), 0);
    size_t before = page_free_count(n);
    assert_int_equal(proc_fault(n, p, top - 5 * PAGE_SIZE, PROT_W), -E_LIMIT);
    assert_int_equal(proc_used(p), 4 * PAGE_SIZE);
    assert_int_equal(page_free_count(n), before);
    assert_int_equal(proc_fault(n, p, top - 11 * PAGE_SIZE, PROT_W), -E_FAULT); // no stack there
    p->mem_limit = 0;
    assert_int_equal(proc_fault(n, p, top - 5 * PAGE_SIZE, PROT_W), 0);
    proc_destroy(n, p, true);
}

static void threads_but_the_first_count_for_the_limit(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n);
    assert_non_null(thread_create(n, p, 0));
    p->mem_limit = 2 * THREAD_COST_BYTES;
    assert_int_equal(proc_used(p), 0);
    assert_non_null(thread_create(n, p, 0));
    assert_int_equal(proc_used(p), THREAD_COST_BYTES);
    assert_int_equal(proc_room(p, THREAD_COST_BYTES), 0);
    assert_int_equal(proc_room(p, THREAD_COST_BYTES + 1), -E_LIMIT);
    proc_destroy(n, p, true);
}

static void numbers_of_threads_come_to_an_end_and_not_round_again(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n);
    p->next_tid = UINT32_MAX - 1; // a descriptor may say so
    assert_int_equal(thread_create(n, p, 0)->tid, UINT32_MAX - 1);
    assert_true(thread_limit(p));
    assert_null(thread_create(n, p, 0));
    proc_destroy(n, p, true);
}

static void a_process_shares_while_anybody_else_can_see_its_segment(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = new_proc(n), *q = new_proc(n);
    struct seg *s = new_seg(n, PAGE_SIZE), *own = new_seg(n, PAGE_SIZE);
    map(n, p, 2 * BASE, own, RW);
    assert_false(proc_shares(p));
    s->named = true;
    map(n, p, BASE, s, MAP_READ);
    assert_true(proc_shares(p)); // who has the capability may map it any time
    s->named = false;
    assert_false(proc_shares(p));
    map(n, q, BASE, s, MAP_READ);
    assert_true(proc_shares(p) && proc_shares(q));
    assert_int_equal(proc_unmap(n, q, BASE), 0);
    map(n, p, 4 * BASE, s, RW); // twice, but only in itself
    assert_false(proc_shares(p) || proc_shares(q));
    struct seg *c = clone(n, own); // pages in common are not sharing
    map(n, q, BASE, c, RW);
    assert_false(proc_shares(p) || proc_shares(q));
    seg_drop(n, s), seg_drop(n, own), seg_drop(n, c);
    proc_destroy(n, p, true);
    proc_destroy(n, q, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_clone_shows_the_same_bytes_and_takes_no_pages),
        UNIT_TEST(a_write_to_either_is_seen_there_only_and_copies_that_page_only),
        UNIT_TEST(a_part_can_be_shared_at_another_place),
        UNIT_TEST(a_guest_that_could_write_faults_after_the_clone_and_gets_its_own_page),
        UNIT_TEST(the_kernel_writing_for_a_guest_breaks_the_share),
        UNIT_TEST(processes_that_share_a_segment_see_each_others_writes_also_after_a_clone),
        UNIT_TEST(a_mapping_that_shrinks_takes_nothing_from_others),
        UNIT_TEST(a_page_that_a_driver_still_sends_from_is_written_in_place),
        UNIT_TEST(a_page_with_too_many_holders_is_copied),
        UNIT_TEST(a_page_of_the_boot_files_is_shared_and_never_written),
        UNIT_TEST(without_memory_a_clone_fails_whole_and_a_write_leaves_the_share),
        UNIT_TEST(random_clones_and_writes_agree_with_plain_arrays),
        UNIT_TEST(exactly_the_pages_written_since_the_mark_are_told),
        UNIT_TEST(what_a_shorter_length_cut_off_counts_as_written),
        UNIT_TEST(while_it_is_off_nobody_faults_for_it),
        UNIT_TEST(a_capability_maps_what_it_names_with_no_more_than_its_rights),
        UNIT_TEST(a_stack_grows_no_further_than_the_limit),
        UNIT_TEST(threads_but_the_first_count_for_the_limit),
        UNIT_TEST(numbers_of_threads_come_to_an_end_and_not_round_again),
        UNIT_TEST(a_process_shares_while_anybody_else_can_see_its_segment),
    };
    return UNIT_RUN(tests);
}
