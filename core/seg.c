// SPDX-License-Identifier: BSD-2-Clause
// Segments. Two levels of tables, each a page:
//
//   dir[off >> 21] -> leaf[(off >> 12) & 511] -> page
//
// A table exists exactly while something hangs on it, so an empty segment costs only its record,
// and an allocation that fails halfway leaves nothing behind.
#include "core/seg.h"

#include "core/cap.h"
#include "core/entry.h"
#include "core/error.h"
#include "core/node.h"

#include <string.h>

#define TABLE_ENTRIES 512u
#define LEAF_SHIFT 21u // a leaf table covers 2 MiB
#define LEAF_BYTES (1ull << LEAF_SHIFT)
_Static_assert(SEG_MAX_BYTES == TABLE_ENTRIES * LEAF_BYTES, "one directory covers a segment");

static inline size_t dir_index(uint64_t off)
{
    return (size_t)(off >> LEAF_SHIFT);
}
static inline size_t leaf_index(uint64_t off)
{
    return (size_t)(off >> PAGE_SHIFT) & (TABLE_ENTRIES - 1);
}
static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// --- pages ---------------------------------------------------------------------------------------

static void drop_empty_dir(struct node *n, struct seg *s)
{
    if (s->pages > 0 || !s->dir)
        return;
    page_drop(n, s->dir);
    s->dir = NULL;
}

// Apart, so that seg_page of a page that is there stays a few loads. src: its bytes, NULL = zeros.
__attribute__((noinline)) static void *make_page(struct node *n, struct seg *s, uint64_t off,
                                                 const void *src)
{
    if (!s->dir)
        s->dir = page_alloc(n);
    if (!s->dir)
        return NULL;
    void ***slot = &s->dir[dir_index(off)];
    void **leaf = *slot ? *slot : page_alloc(n);
    void *page = !leaf ? NULL : src ? page_alloc_raw(n) : page_alloc(n);
    if (!page) {
        if (leaf && !*slot)
            page_drop(n, leaf);
        drop_empty_dir(n, s);
        return NULL;
    }
    if (src)
        memcpy(page, src, PAGE_SIZE);
    *slot = leaf;
    leaf[leaf_index(off)] = page;
    s->pages++;
    return page;
}

void *seg_page(struct node *n, struct seg *s, uint64_t off, bool make)
{
    if (off >= s->len)
        return NULL;
    void **leaf = s->dir ? s->dir[dir_index(off)] : NULL;
    void *page = leaf ? leaf[leaf_index(off)] : NULL;
    if (page || !make)
        return page;
    return make_page(n, s, off, NULL);
}

int seg_fill_page(struct node *n, struct seg *s, uint64_t off, const void *src)
{
    if (off >= s->len || (off & PAGE_MASK))
        return -E_ARG;
    if (seg_page(n, s, off, false))
        return -E_EXISTS;
    return make_page(n, s, off, src) ? 0 : -E_MEM;
}

uint64_t seg_hole(const struct seg *s, uint64_t off, uint64_t max)
{
    if (off >= s->len)
        return 0;
    uint64_t end = off + min_u64(max, s->len - off), at = off;
    while (at < end) {
        void **leaf = s->dir ? s->dir[dir_index(at)] : NULL;
        if (leaf && leaf[leaf_index(at)])
            break;
        uint64_t step = leaf ? PAGE_SIZE : LEAF_BYTES;
        at = (at & ~(step - 1)) + step;
    }
    return min_u64(at, end) - off;
}

static bool leaf_is_empty(void *const *leaf)
{
    for (size_t i = 0; i < TABLE_ENTRIES; i++)
        if (leaf[i])
            return false;
    return true;
}

// Frees the pages of a leaf table from entry first on.
static void cut_leaf(struct node *n, struct seg *s, void **leaf, size_t first)
{
    for (size_t i = first; i < TABLE_ENTRIES; i++) {
        if (!leaf[i])
            continue;
        page_drop(n, leaf[i]);
        leaf[i] = NULL;
        s->pages--;
    }
}

// Frees all pages from byte offset from on, a page multiple.
static void cut(struct node *n, struct seg *s, uint64_t from)
{
    if (!s->dir)
        return;
    size_t first = leaf_index(from);
    for (size_t i = dir_index(from); i < TABLE_ENTRIES; i++, first = 0) {
        void **leaf = s->dir[i];
        if (!leaf)
            continue;
        cut_leaf(n, s, leaf, first);
        if (first > 0 && !leaf_is_empty(leaf))
            continue;
        s->dir[i] = NULL;
        page_drop(n, leaf);
    }
    drop_empty_dir(n, s);
}

// --- the segment ---------------------------------------------------------------------------------

// Numbers count up from 1. Only after all of the 24 bits were used can one be taken already.
static uint32_t draw_number(struct node *n)
{
    uint32_t number;
    do {
        number = ++n->next_seg & CAP_OBJ_MAX;
    } while (number == 0 || (n->next_seg > CAP_OBJ_MAX && seg_find(n, number)));
    return number;
}

int seg_create(struct node *n, uint64_t len, struct seg **out)
{
    if (len > SEG_MAX_BYTES)
        return -E_LIMIT;
    struct seg *s = pool_alloc(n, &n->pool_seg);
    if (!s)
        return -E_MEM;
    s->number = draw_number(n);
    s->refs = 1;
    s->len = PAGES_FOR(len) << PAGE_SHIFT;
    node_random(n, s->key, sizeof s->key);
    list_add(&n->segs, &s->link);
    *out = s;
    return 0;
}

void seg_hold(struct seg *s)
{
    ASSERT(s->refs > 0);
    ASSERT(s->refs < UINT32_MAX);
    s->refs++;
}

void seg_drop(struct node *n, struct seg *s)
{
    ASSERT(s->refs > 0);
    if (--s->refs > 0)
        return;
    cut(n, s, 0);
    ASSERT(s->pages == 0);
    list_del(&s->link);
    pool_free(n, &n->pool_seg, s);
}

int seg_resize(struct node *n, struct seg *s, uint64_t len)
{
    if (len > SEG_MAX_BYTES)
        return -E_LIMIT;
    uint64_t rounded = PAGES_FOR(len) << PAGE_SHIFT;
    if (rounded < s->len)
        cut(n, s, rounded);
    s->len = rounded;
    return 0;
}

// The one found goes to the front: whoever reads a segment piece by piece asks for it each time.
struct seg *seg_find(struct node *n, uint32_t number)
{
    LIST_FOR (l, &n->segs) {
        struct seg *s = LIST_ENTRY(l, struct seg, link);
        if (s->number != number)
            continue;
        list_del(&s->link);
        list_add(&n->segs, &s->link);
        return s;
    }
    return NULL;
}

struct cap seg_cap(struct node *n, struct seg *s, uint32_t rights)
{
    return cap_make(n->seg_put, s->number, rights, s->key);
}

// --- contents ------------------------------------------------------------------------------------

static bool lies_inside(const struct seg *s, uint64_t off, size_t len)
{
    return off <= s->len && len <= s->len - off;
}

// Bytes from off to the end of its page, at most left.
static size_t run_at(uint64_t off, size_t left)
{
    return (size_t)min_u64(PAGE_SIZE - (off & PAGE_MASK), left);
}

int seg_read(struct node *n, struct seg *s, uint64_t off, void *dst, size_t len)
{
    if (!lies_inside(s, off, len))
        return -E_ARG;
    uint8_t *to = dst;
    for (size_t run; len > 0; off += run, to += run, len -= run) {
        run = run_at(off, len);
        const uint8_t *page = seg_page(n, s, off, false);
        if (page)
            memcpy(to, page + (off & PAGE_MASK), run);
        else
            memset(to, 0, run);
    }
    return 0;
}

int seg_write(struct node *n, struct seg *s, uint64_t off, const void *src, size_t len)
{
    if (!lies_inside(s, off, len))
        return -E_ARG;
    const uint8_t *from = src;
    for (size_t run; len > 0; off += run, from += run, len -= run) {
        run = run_at(off, len);
        uint8_t *page = seg_page(n, s, off, true);
        if (!page)
            return -E_MEM;
        memcpy(page + (off & PAGE_MASK), from, run);
    }
    return 0;
}
