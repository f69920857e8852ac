// SPDX-License-Identifier: BSD-2-Clause
// Segments. The first few pages are in the record itself, wherever in the segment they are: most segments never have
// more. Then all are in two levels of tables, each a page:
//
//   dir[off >> 21] -> leaf[(off >> 12) & 511] -> page | flags
//
// What one leaf table covers is an extent. Of an extent whose pages are those of one megapage, in order, and may all be
// written as they are, the directory says so (LEAF_WHOLE): one translation is enough for it. Whatever changes an entry
// takes that away; there is no other state, and nothing else looks at it.
//
// A table exists exactly while something hangs on it, so an empty segment costs only its record, and an allocation that
// fails halfway leaves nothing behind.
#include "core/seg.h"

#include "core/cap.h"
#include "core/error.h"
#include "core/megapage.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/random.h"
#include "core/words.h"

#include <string.h>

#define TABLE_ENTRIES 512u
#define LEAF_SHIFT MEGAPAGE_SHIFT // a leaf table covers an extent of 2 MiB
#define LEAF_BYTES (1ull << LEAF_SHIFT)
_Static_assert(SEG_MAX_BYTES == TABLE_ENTRIES * LEAF_BYTES, "one directory covers a segment");

// An entry of the directory: 0, or the leaf table's address and, in its low bits:
#define LEAF_COUNT 0x3fful  // how many of its entries are in use
#define LEAF_WHOLE 0x800ul  // they are the 512 pages of a megapage in order, without flags
#define LEAF_BITS PAGE_MASK // all that is not the address
_Static_assert(TABLE_ENTRIES <= LEAF_COUNT && TABLE_ENTRIES == MEGAPAGE_PAGES, "the count has room");

// An entry of a page, in a leaf table or in the record: 0 = a hole, else the page's address and, in its low bits, what
// must happen before it is written. No flag: it may be written as it is.
#define ENTRY_SHARED 1u // other segments may have the page too
#define ENTRY_CLEAN 2u  // not written since seg_mark
#define ENTRY_FLAGS PAGE_MASK

static inline void *entry_page(uintptr_t e)
{
    return (void *)(e & ~ENTRY_FLAGS);
}
static inline size_t dir_index(uint64_t off)
{
    return (size_t)(off >> LEAF_SHIFT);
}
static inline size_t leaf_index(uint64_t off)
{
    return (size_t)(off >> PAGE_SHIFT) & (TABLE_ENTRIES - 1);
}

static bool lies_inside(const struct seg *s, uint64_t off, uint64_t len)
{
    return off <= s->len && len <= s->len - off;
}

// --- translations --------------------------------------------------------------------------------

typedef void change_fn(struct node *n, struct arch_aspace *as, uint64_t va, uint64_t len);

// Whatever translations there are of bytes [off, off + len), in whichever process.
static void change_translations(struct node *n, const struct seg *s, uint64_t off, uint64_t len, change_fn *change)
{
    LIST_FOR (l, &s->maps) {
        const struct map *m = LIST_ENTRY(l, struct map, seg_link);
        uint64_t from = off > m->off ? off : m->off;
        uint64_t to = min_u64(off + len, m->off + m->len);
        if (from < to)
            change(n, &m->proc->aspace, m->va + (from - m->off), to - from);
    }
}

// --- pages ---------------------------------------------------------------------------------------

static inline uintptr_t *leaf_of(uintptr_t in_dir)
{
    return (uintptr_t *)(in_dir & ~LEAF_BITS);
}

static uintptr_t *inline_at(const struct seg *s, uint64_t off)
{
    const uint32_t index = (uint32_t)(off >> PAGE_SHIFT);
    for (size_t i = 0; i < SEG_INLINE; i++)
        if (s->inline_index[i] == index && s->inline_entries[i])
            return (uintptr_t *)&s->inline_entries[i];
    return NULL;
}

// The entry of the page at off; NULL: a hole.
static inline uintptr_t *entry_at(const struct seg *s, uint64_t off)
{
    if (!s->dir)
        return inline_at(s, off);
    uintptr_t *leaf = leaf_of(s->dir[dir_index(off)]);
    return leaf && leaf[leaf_index(off)] ? &leaf[leaf_index(off)] : NULL;
}

static uintptr_t *next_inline(const struct seg *s, uint64_t *off, uint64_t end)
{
    uintptr_t *found = NULL;
    uint64_t from = *off;
    for (size_t i = 0; i < SEG_INLINE; i++) {
        uint64_t at = (uint64_t)s->inline_index[i] << PAGE_SHIFT;
        if (s->inline_entries[i] && at >= from && at < end)
            found = (uintptr_t *)&s->inline_entries[i], *off = end = at;
    }
    return found;
}

// The first page present in [*off, end), *off a page's first byte: its entry, and *off is moved to it. NULL: none.
static uintptr_t *next_entry(const struct seg *s, uint64_t *off, uint64_t end)
{
    if (!s->dir)
        return next_inline(s, off, end);
    for (uint64_t at = *off; at < end; at = (at | (LEAF_BYTES - 1)) + 1) {
        uintptr_t *leaf = leaf_of(s->dir[dir_index(at)]);
        uint64_t leaf_end = min_u64((at | (LEAF_BYTES - 1)) + 1, end);
        for (; leaf && at < leaf_end; at += PAGE_SIZE)
            if (leaf[leaf_index(at)]) {
                *off = at;
                return &leaf[leaf_index(at)];
            }
        at = leaf ? at - PAGE_SIZE : at;
    }
    return NULL;
}

// Room in the tables for one page at off; false: no memory, nothing has changed.
static bool tables_make(struct node *n, struct seg *s, uint64_t off)
{
    bool had_dir = s->dir != NULL;
    if (!had_dir && !(s->dir = page_alloc(n)))
        return false;
    uintptr_t *slot = &s->dir[dir_index(off)];
    if (*slot || (*slot = (uintptr_t)page_alloc(n)))
        return true;
    if (!had_dir) {
        page_drop(n, s->dir);
        s->dir = NULL;
    }
    return false;
}

// Tables on which nothing hangs go. off: of a page that is not there any more, or was not put there after all.
static void tables_unmake(struct node *n, struct seg *s, uint64_t off)
{
    uintptr_t *slot = &s->dir[dir_index(off)];
    if (*slot && (*slot & LEAF_COUNT) == 0) {
        page_drop(n, leaf_of(*slot));
        *slot = 0;
    }
    if (s->pages == 0) {
        page_drop(n, s->dir);
        s->dir = NULL;
    }
}

static bool is_full(uintptr_t in_dir)
{
    return (in_dir & LEAF_COUNT) == TABLE_ENTRIES;
}

// All entries of a leaf table are in use: do they make a megapage?
static void look_whole(uintptr_t *slot)
{
    const uintptr_t *leaf = leaf_of(*slot);
    if (leaf[0] & (MEGAPAGE_BYTES - 1))
        return;
    for (size_t i = 1; i < TABLE_ENTRIES; i++)
        if (leaf[i] != leaf[0] + i * PAGE_SIZE) // a flag makes a difference too
            return;
    *slot |= LEAF_WHOLE;
}

// Entries in [off, off + len) get flags.
static void not_whole(struct seg *s, uint64_t off, uint64_t len)
{
    for (uint64_t at = off & ~(LEAF_BYTES - 1); s->dir && at < off + len; at += LEAF_BYTES)
        s->dir[dir_index(at)] &= ~LEAF_WHOLE;
}

static void table_put(struct seg *s, uint64_t off, uintptr_t entry)
{
    uintptr_t *slot = &s->dir[dir_index(off)];
    leaf_of(*slot)[leaf_index(off)] = entry;
    if (is_full(++*slot))
        look_whole(slot);
}

// Takes an entry out of the tables.
static void table_take(struct node *n, struct seg *s, uint64_t off)
{
    uintptr_t *slot = &s->dir[dir_index(off)];
    leaf_of(*slot)[leaf_index(off)] = 0;
    *slot = (*slot & ~LEAF_WHOLE) - 1;
    s->pages--;
    tables_unmake(n, s, off);
}

// The few in the record go into tables, which have room for one at off too. false: no memory, nothing has changed.
static bool inline_to_tables(struct node *n, struct seg *s, uint64_t off)
{
    struct seg t = {.pages = 0};
    bool made = true;
    for (size_t i = 0; i < SEG_INLINE && made; i++) {
        uint64_t at = (uint64_t)s->inline_index[i] << PAGE_SHIFT;
        made = tables_make(n, &t, at);
        if (made) {
            table_put(&t, at, s->inline_entries[i]);
            t.pages++;
        }
    }
    if (made && tables_make(n, &t, off)) {
        s->dir = t.dir;
        memset(s->inline_entries, 0, sizeof s->inline_entries);
        return true;
    }
    for (size_t i = 0; t.pages > 0; i++)
        table_take(n, &t, (uint64_t)s->inline_index[i] << PAGE_SHIFT);
    return false;
}

// Puts an entry where there is none. false: no memory, nothing has changed.
static bool entry_put(struct node *n, struct seg *s, uint64_t off, uintptr_t entry)
{
    if (!s->dir) {
        for (size_t i = 0; i < SEG_INLINE; i++)
            if (!s->inline_entries[i]) {
                s->inline_entries[i] = entry;
                s->inline_index[i] = (uint32_t)(off >> PAGE_SHIFT);
                s->pages++;
                return true;
            }
        if (!inline_to_tables(n, s, off))
            return false;
    } else if (!tables_make(n, s, off)) {
        return false;
    }
    table_put(s, off, entry);
    s->pages++;
    return true;
}

// A page for off: its place in the megapage that is kept for its extent, or any. A megapage is kept for an empty extent
// behind a full one: who has filled that is likely to fill this one, and it is the one sign of it that is always at
// hand.
static void *page_for(struct node *n, struct seg *s, uint64_t off, bool zeros)
{
    size_t extent = dir_index(off);
    if (s->dir && extent > 0 && s->dir[extent] == 0 && is_full(s->dir[extent - 1]) && !megapage_is_reserved(n, s, off))
        megapage_reserve(n, s, off);
    void *page = s->reserved ? megapage_page(n, s, off) : NULL;
    if (!page)
        return zeros ? page_alloc(n) : page_alloc_raw(n);
    if (zeros)
        words_clear(page, PAGE_SIZE);
    return page;
}

// Apart, so that seg_page of a page that is there stays a few loads. src: its bytes, NULL = zeros.
__attribute__((noinline)) static void *make_page(struct node *n, struct seg *s, uint64_t off, const void *src)
{
    void *page = page_for(n, s, off, !src);
    if (!page)
        return NULL;
    if (!entry_put(n, s, off, (uintptr_t)page)) {
        page_drop(n, page);
        return NULL;
    }
    if (src)
        bytes_copy(page, src, PAGE_SIZE);
    return page;
}

// The page of this entry is going to be written: from now on it is this segment's alone and not clean. NULL: no memory,
// nothing has changed.
__attribute__((noinline)) static void *own_page(struct node *n, struct seg *s, uint64_t off, uintptr_t *entry)
{
    void *page = entry_page(*entry);
    if ((*entry & ENTRY_SHARED) && page_is_shared(n, page)) {
        void *copy = page_alloc_raw(n);
        if (!copy)
            return NULL;
        words_copy(copy, page, PAGE_SIZE);
        // All that this segment's processes see must be the copy.
        change_translations(n, s, off & ~PAGE_MASK, PAGE_SIZE, arch_aspace_unmap);
        page_drop(n, page);
        page = copy;
    }
    *entry = (uintptr_t)page;
    return page;
}

void *seg_page(struct node *n, struct seg *s, uint64_t off, bool write)
{
    if (off >= s->len)
        return NULL;
    uintptr_t *entry = entry_at(s, off);
    if (!entry)
        return write ? make_page(n, s, off, NULL) : NULL;
    if (!write || !(*entry & ENTRY_FLAGS))
        return entry_page(*entry);
    return own_page(n, s, off, entry);
}

void *seg_page_in(struct node *n, struct seg *s, uint64_t off, bool *writable)
{
    if (off >= s->len)
        return NULL;
    const uintptr_t *entry = entry_at(s, off);
    *writable = !entry || !(*entry & ENTRY_FLAGS);
    return entry ? entry_page(*entry) : make_page(n, s, off, NULL);
}

// --- extents -------------------------------------------------------------------------------------

// Clearing more pages than this for one fault would keep the node lock for too long (D1).
#define AHEAD_MAX COPY_STEP
// In a segment of this length even the first page that a guest writes gets a megapage reserved.
#define LARGE (4 * LEAF_BYTES)

void *seg_extent(const struct seg *s, uint64_t off)
{
    uintptr_t in_dir = s->dir ? s->dir[dir_index(off)] : 0;
    return in_dir & LEAF_WHOLE ? entry_page(leaf_of(in_dir)[0]) : NULL;
}

uint64_t seg_extents(const struct seg *s)
{
    uint64_t count = 0;
    for (uint64_t at = 0; at < s->len; at += LEAF_BYTES)
        count += seg_extent(s, at) != NULL;
    return count;
}

// How much may be made from off on, a hole until now: as much as is there in a row before it. Who writes just where
// that ends most likely goes on; whoever goes here and there, in whatever strides, never gets there and gets single
// pages.
static uint64_t expected(const struct node *n, const struct seg *s, uint64_t off, uint64_t max)
{
    uint64_t most = min_u64(min_u64(max, AHEAD_MAX), LEAF_BYTES - (off & (LEAF_BYTES - 1)));
    uint64_t run = 0, behind = off + PAGE_SIZE, next = behind;
    if (s->marked || page_free_count(n) < n->pages.total / 8)
        return PAGE_SIZE;
    while (run < most && run < off && entry_at(s, off - run - PAGE_SIZE))
        run += PAGE_SIZE;
    return run > PAGE_SIZE && next_entry(s, &next, off + run) ? next - off : run;
}

// Pages for [off, off + len) of an extent in which a page was just made right before, at `before`. Returns how many
// bytes of them could be had in a row with that one.
static uint64_t make_ahead(struct node *n, struct seg *s, uint64_t off, char *before, uint64_t len)
{
    uint64_t made = megapage_run(n, s, off, before + PAGE_SIZE, len), put = 0;
    char *at = before + PAGE_SIZE;
    for (; put < made && entry_put(n, s, off + put, (uintptr_t)(at + put)); put += PAGE_SIZE)
        words_clear(at + put, PAGE_SIZE);
    for (uint64_t rest = put; rest < made; rest += PAGE_SIZE) // no memory for a table
        page_drop(n, at + rest);
    return put;
}

void *seg_page_ahead(struct node *n, struct seg *s, uint64_t off, uint64_t max, uint64_t *len)
{
    *len = PAGE_SIZE;
    if (off >= s->len || entry_at(s, off))
        return seg_page(n, s, off, true);
    if (s->pages == 0 && s->len >= LARGE && !megapage_is_reserved(n, s, off))
        megapage_reserve(n, s, off);
    char *first = make_page(n, s, off, NULL);
    uint64_t want = first && s->reserved ? expected(n, s, off, min_u64(max, s->len - off)) : 0;
    if (want > PAGE_SIZE)
        *len += make_ahead(n, s, off + PAGE_SIZE, first, want - PAGE_SIZE);
    return first;
}

void seg_expect(struct node *n, struct seg *s, uint64_t off, uint64_t len)
{
    if (off % LEAF_BYTES == 0 && len >= LEAF_BYTES && lies_inside(s, off, len) &&
        seg_hole(s, off, LEAF_BYTES) == LEAF_BYTES && !megapage_is_reserved(n, s, off))
        megapage_reserve(n, s, off);
}

int seg_fill_page(struct node *n, struct seg *s, uint64_t off, const void *src)
{
    if (off >= s->len || (off & PAGE_MASK))
        return -E_ARG;
    if (seg_page(n, s, off, false))
        return -E_EXISTS;
    return make_page(n, s, off, src) ? 0 : -E_MEM;
}

int seg_adopt(struct node *n, struct seg *s, uint64_t off, const void *page)
{
    ASSERT(((uintptr_t)page & PAGE_MASK) == 0 && page_is_shared(n, page));
    if (off >= s->len || (off & PAGE_MASK))
        return -E_ARG;
    if (seg_page(n, s, off, false))
        return -E_EXISTS;
    return entry_put(n, s, off, (uintptr_t)page | ENTRY_SHARED) ? 0 : -E_MEM;
}

uint64_t seg_hole(const struct seg *s, uint64_t off, uint64_t max)
{
    if (off >= s->len)
        return 0;
    uint64_t end = off + min_u64(max, s->len - off), at = off & ~PAGE_MASK;
    if (!next_entry(s, &at, end))
        return end - off;
    return at > off ? at - off : 0;
}

// Gives up all pages in [from, to), page multiples.
static void cut(struct node *n, struct seg *s, uint64_t from, uint64_t to)
{
    if (s->reserved)
        megapage_release(n, s, from, to - from);
    if (s->pages == 0)
        return;
    change_translations(n, s, from, to - from, arch_aspace_unmap);
    uintptr_t *entry;
    for (uint64_t at = from; s->pages > 0 && (entry = next_entry(s, &at, to)) != NULL; at += PAGE_SIZE) {
        page_drop(n, entry_page(*entry));
        if (s->dir) {
            table_take(n, s, at);
        } else {
            *entry = 0;
            s->pages--;
        }
    }
}

// --- sharing -------------------------------------------------------------------------------------

// One page of src becomes dst's too. *protect: of src there may be translations that could be written through.
static int share_page(struct node *n, struct seg *dst, uint64_t doff, uintptr_t *from, bool *protect)
{
    void *page = entry_page(*from);
    if (!page_can_share(n, page))
        return make_page(n, dst, doff, page) ? 0 : -E_MEM;
    if (!entry_put(n, dst, doff, (uintptr_t)page | ENTRY_SHARED))
        return -E_MEM;
    page_hold(n, page);
    *protect |= !(*from & ENTRY_FLAGS);
    *from |= ENTRY_SHARED;
    return 0;
}

int seg_share(struct node *n, struct seg *dst, uint64_t doff, struct seg *src, uint64_t soff, uint64_t len)
{
    if (((doff | soff | len) & PAGE_MASK) || dst == src || !lies_inside(dst, doff, len) || !lies_inside(src, soff, len))
        return -E_ARG;
    if (seg_hole(dst, doff, len) < len)
        return -E_EXISTS;
    bool protect = false;
    int r = 0;
    uintptr_t *from;
    not_whole(src, soff, len);
    for (uint64_t at = soff; r == 0 && (from = next_entry(src, &at, soff + len)) != NULL; at += PAGE_SIZE)
        r = share_page(n, dst, doff + (at - soff), from, &protect);
    if (protect)
        change_translations(n, src, soff, len, arch_aspace_protect);
    if (r < 0)
        cut(n, dst, doff, doff + len);
    return r;
}

int seg_clone(struct node *n, struct seg *src, uint64_t off, uint64_t len, struct seg **out)
{
    struct seg *s;
    int r = seg_create(n, len, &s);
    if (r < 0)
        return r;
    r = seg_share(n, s, 0, src, off, s->len);
    if (r < 0) {
        seg_drop(n, s);
        return r;
    }
    *out = s;
    return 0;
}

// --- what was written ----------------------------------------------------------------------------

uint64_t seg_mark(struct node *n, struct seg *s)
{
    s->marked = true;
    seg_mark_run(n, s, 0, s->len);
    return ++s->mark;
}

void seg_mark_run(struct node *n, struct seg *s, uint64_t off, uint64_t len)
{
    uintptr_t *entry;
    not_whole(s, off, len);
    for (uint64_t at = off; (entry = next_entry(s, &at, off + len)) != NULL; at += PAGE_SIZE)
        *entry |= ENTRY_CLEAN;
    if (off <= s->shortest && off + len >= s->len)
        s->shortest = UINT64_MAX;
    change_translations(n, s, off, len, arch_aspace_protect);
}

void seg_unmark(struct node *n, struct seg *s)
{
    (void)n;
    uintptr_t *entry;
    s->marked = false;
    for (uint64_t at = 0; (entry = next_entry(s, &at, s->len)) != NULL; at += PAGE_SIZE)
        *entry &= ~(uintptr_t)ENTRY_CLEAN;
    for (uint64_t at = 0; s->dir && at < s->len; at += LEAF_BYTES)
        if (is_full(s->dir[dir_index(at)]))
            look_whole(&s->dir[dir_index(at)]);
}

// A page that came after the mark never got the flag, and so is not clean.
static bool written_at(const struct seg *s, uint64_t at)
{
    const uintptr_t *entry = entry_at(s, at);
    return entry && !(*entry & ENTRY_CLEAN);
}

uint64_t seg_written(const struct seg *s, uint64_t *off)
{
    uint64_t at = *off & ~PAGE_MASK, end = min_u64(s->len, s->shortest);
    const uintptr_t *entry;
    while ((entry = next_entry(s, &at, end)) != NULL && (*entry & ENTRY_CLEAN))
        at += PAGE_SIZE;
    if (entry) {
        *off = at;
        while (at < end && written_at(s, at))
            at += PAGE_SIZE;
        return at - *off;
    }
    at = *off > end ? *off & ~PAGE_MASK : end; // what was cut off once
    if (at >= s->len)
        return 0;
    *off = at;
    return s->len - at;
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

const uint8_t *seg_key(struct node *n, struct seg *s)
{
    if (!s->keyed) {
        node_random(n, s->key, sizeof s->key);
        s->keyed = true;
    }
    return s->key;
}

void seg_set_key(struct seg *s, const uint8_t key[16])
{
    memcpy(s->key, key, sizeof s->key);
    s->keyed = true;
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
    s->shortest = UINT64_MAX;
    list_init(&s->maps);
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
    ASSERT(list_empty(&s->maps));
    cut(n, s, 0, s->len);
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
        cut(n, s, rounded, s->len);
    if (rounded < s->shortest && rounded < s->len)
        s->shortest = rounded;
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
    return cap_make(n->seg_put, s->number, rights, seg_key(n, s));
}

// --- contents ------------------------------------------------------------------------------------

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
