// SPDX-License-Identifier: BSD-2-Clause
// Segments: the entries of pages, in the record and in tables, and the translations made from them. What an entry means
// is in seg_priv.h.
#include "core/panic.h"
#include "core/seg_priv.h"

#include <string.h>

uintptr_t *seg_inline_at(const struct seg *s, uint64_t off)
{
    const uint32_t index = (uint32_t)(off >> PAGE_SHIFT);
    for (size_t i = 0; i < SEG_INLINE; i++)
        if (s->inline_index[i] == index && s->inline_entries[i])
            return (uintptr_t *)&s->inline_entries[i];
    return NULL;
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

uintptr_t *seg_next_entry(const struct seg *s, uint64_t *off, uint64_t end)
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

void seg_look_whole(uintptr_t *slot)
{
    const uintptr_t *leaf = leaf_of(*slot);
    if (leaf[0] & (MEGAPAGE_BYTES - 1))
        return;
    for (size_t i = 1; i < TABLE_ENTRIES; i++)
        if (leaf[i] != leaf[0] + i * PAGE_SIZE) // a flag makes a difference too
            return;
    *slot |= LEAF_WHOLE;
}

void seg_not_whole(struct seg *s, uint64_t off, uint64_t len)
{
    for (uint64_t at = off & ~(LEAF_BYTES - 1); s->dir && at < off + len; at += LEAF_BYTES)
        s->dir[dir_index(at)] &= ~LEAF_WHOLE;
}

static void table_put(struct seg *s, uint64_t off, uintptr_t entry)
{
    uintptr_t *slot = &s->dir[dir_index(off)];
    leaf_of(*slot)[leaf_index(off)] = entry;
    if (is_full(++*slot))
        seg_look_whole(slot);
}

void seg_table_take(struct node *n, struct seg *s, uint64_t off)
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
        seg_table_take(n, &t, (uint64_t)s->inline_index[i] << PAGE_SHIFT);
    return false;
}

bool seg_entry_put(struct node *n, struct seg *s, uint64_t off, uintptr_t entry)
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

uint64_t seg_hole(const struct seg *s, uint64_t off, uint64_t max)
{
    if (off >= s->len)
        return 0;
    uint64_t end = off + min_u64(max, s->len - off), at = off & ~PAGE_MASK;
    if (!seg_next_entry(s, &at, end))
        return end - off;
    return at > off ? at - off : 0;
}

// --- translations ---------------------------------------------------------------------------------------------------

void seg_change_translations(struct node *n, const struct seg *s, uint64_t off, uint64_t len, seg_change_fn *change)
{
    LIST_FOR (l, &s->maps) {
        const struct map *m = LIST_ENTRY(l, struct map, seg_link);
        uint64_t from = off > m->off ? off : m->off;
        uint64_t to = min_u64(off + len, m->off + m->len);
        if (from < to)
            change(n, &m->proc->aspace, m->va + (from - m->off), to - from);
    }
}
