// SPDX-License-Identifier: BSD-2-Clause
// Segments: pages come into being and are given up.
#include "core/error.h"
#include "core/panic.h"
#include "core/seg_priv.h"
#include "core/words.h"

// A page for off: its place in the megapage that is reserved for its extent, or any. An empty extent behind a full one
// gets a megapage reserved: a sequential writer will probably fill it next.
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

// Apart, so that seg_page of a page that is there stays a few loads.
__attribute__((noinline)) void *seg_make_page(struct node *n, struct seg *s, uint64_t off, const void *src)
{
    void *page = page_for(n, s, off, !src);
    if (!page)
        return NULL;
    if (!seg_entry_put(n, s, off, (uintptr_t)page)) {
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
        seg_change_translations(n, s, off & ~PAGE_MASK, PAGE_SIZE, arch_aspace_unmap);
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
        return write ? seg_make_page(n, s, off, NULL) : NULL;
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
    return entry ? entry_page(*entry) : seg_make_page(n, s, off, NULL);
}

// --- ahead of a writer ----------------------------------------------------------------------------------------------

// Clearing more pages than this for one fault would keep the node lock for too long (D1).
#define AHEAD_MAX COPY_STEP
// In a segment of this length even the first page that a guest writes gets a megapage reserved.
#define LARGE (4 * LEAF_BYTES)

// Sequential-write heuristic: makes as many pages ahead as are contiguous before off; strided or random writes get
// single pages. Returns their bytes, from off on, which was a hole until now.
static uint64_t expected(const struct node *n, const struct seg *s, uint64_t off, uint64_t max)
{
    uint64_t most = min_u64(min_u64(max, AHEAD_MAX), LEAF_BYTES - (off & (LEAF_BYTES - 1)));
    uint64_t run = 0, behind = off + PAGE_SIZE, next = behind;
    if (s->marked || page_free_count(n) < n->pages.total / 8)
        return PAGE_SIZE;
    while (run < most && run < off && entry_at(s, off - run - PAGE_SIZE))
        run += PAGE_SIZE;
    return run > PAGE_SIZE && seg_next_entry(s, &next, off + run) ? next - off : run;
}

// Pages for [off, off + len) of an extent in which a page was just made right before, at `before`. Returns how many
// bytes of them could be had in a row with that one.
static uint64_t make_ahead(struct node *n, struct seg *s, uint64_t off, char *before, uint64_t len)
{
    uint64_t made = megapage_run(n, s, off, before + PAGE_SIZE, len), put = 0;
    char *at = before + PAGE_SIZE;
    for (; put < made && seg_entry_put(n, s, off + put, (uintptr_t)(at + put)); put += PAGE_SIZE)
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
    char *first = seg_make_page(n, s, off, NULL);
    uint64_t want = first && s->reserved ? expected(n, s, off, min_u64(max, s->len - off)) : 0;
    if (want > PAGE_SIZE)
        *len += make_ahead(n, s, off + PAGE_SIZE, first, want - PAGE_SIZE);
    return first;
}

void seg_expect(struct node *n, struct seg *s, uint64_t off, uint64_t len)
{
    if (off % LEAF_BYTES == 0 && len >= LEAF_BYTES && seg_holds(s, off, len) &&
        seg_hole(s, off, LEAF_BYTES) == LEAF_BYTES && !megapage_is_reserved(n, s, off))
        megapage_reserve(n, s, off);
}

int seg_fill_page(struct node *n, struct seg *s, uint64_t off, const void *src)
{
    if (off >= s->len || (off & PAGE_MASK))
        return -E_ARG;
    if (seg_page(n, s, off, false))
        return -E_EXISTS;
    return seg_make_page(n, s, off, src) ? 0 : -E_MEM;
}

int seg_adopt(struct node *n, struct seg *s, uint64_t off, const void *page)
{
    ASSERT(((uintptr_t)page & PAGE_MASK) == 0 && page_is_shared(n, page));
    if (off >= s->len || (off & PAGE_MASK))
        return -E_ARG;
    if (seg_page(n, s, off, false))
        return -E_EXISTS;
    return seg_entry_put(n, s, off, (uintptr_t)page | ENTRY_SHARED) ? 0 : -E_MEM;
}

void seg_cut(struct node *n, struct seg *s, uint64_t from, uint64_t to)
{
    if (s->reserved)
        megapage_release(n, s, from, to - from);
    if (s->pages == 0)
        return;
    seg_change_translations(n, s, from, to - from, arch_aspace_unmap);
    uintptr_t *entry;
    for (uint64_t at = from; s->pages > 0 && (entry = seg_next_entry(s, &at, to)) != NULL; at += PAGE_SIZE) {
        page_drop(n, entry_page(*entry));
        if (s->dir) {
            seg_table_take(n, s, at);
        } else {
            *entry = 0;
            s->pages--;
        }
    }
}
