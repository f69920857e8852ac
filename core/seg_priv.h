// SPDX-License-Identifier: BSD-2-Clause
// Shared by the files of the segment: the tables in which its pages hang, and the flags of an entry.
//
// The first few pages are in the record itself, wherever in the segment they are: most segments never have more. Then
// all are in two levels of tables, each a page:
//
//   dir[off >> 21] -> leaf[(off >> 12) & 511] -> page | flags
//
// What one leaf table covers is an extent. Of an extent whose pages are those of one megapage, in order, and may all be
// written as they are, the directory says so (LEAF_WHOLE): one translation is enough for it. A change of an entry takes
// that away; there is no other state, and nothing else looks at it.
//
// A table exists exactly while something hangs on it, so an empty segment costs only its record, and an allocation that
// fails halfway leaves nothing behind.
//
//   seg_table.c   entries, tables, translations seg_share.c   copy-on-write: pages of several segments
//   seg_page.c    pages are made and given up   seg_mark.c    which pages were written since
//   seg.c         the segment itself
//
// Offsets and lengths are bytes. Callers: those files, node lock held.
#ifndef CORE_SEG_PRIV_H
#define CORE_SEG_PRIV_H

#include "core/megapage.h"
#include "core/node.h"
#include "core/seg.h"

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

// Returns the page that the entry e names.
static inline void *entry_page(uintptr_t e)
{
    return (void *)(e & ~ENTRY_FLAGS);
}
// Returns the place of the page at off in the directory.
static inline size_t dir_index(uint64_t off)
{
    return (size_t)(off >> LEAF_SHIFT);
}
// Returns its place in the leaf table.
static inline size_t leaf_index(uint64_t off)
{
    return (size_t)(off >> PAGE_SHIFT) & (TABLE_ENTRIES - 1);
}

// Returns true if all of [off, off + len) lies in the segment.
static inline bool seg_holds(const struct seg *s, uint64_t off, uint64_t len)
{
    return off <= s->len && len <= s->len - off;
}

// --- seg_table.c ----------------------------------------------------------------------------------------------------

// Returns the entry of the page at off among those in the record; NULL: a hole.
uintptr_t *seg_inline_at(const struct seg *s, uint64_t off);

// Returns the leaf table that in_dir, an entry of the directory, names; NULL: none.
static inline uintptr_t *leaf_of(uintptr_t in_dir)
{
    return (uintptr_t *)(in_dir & ~LEAF_BITS);
}

// Returns the entry of the page at off; NULL: a hole.
static inline uintptr_t *entry_at(const struct seg *s, uint64_t off)
{
    if (!s->dir)
        return seg_inline_at(s, off);
    uintptr_t *leaf = leaf_of(s->dir[dir_index(off)]);
    return leaf && leaf[leaf_index(off)] ? &leaf[leaf_index(off)] : NULL;
}

// Returns true if in_dir, an entry of the directory, names a leaf table whose entries are all in use.
static inline bool is_full(uintptr_t in_dir)
{
    return (in_dir & LEAF_COUNT) == TABLE_ENTRIES;
}

// Returns the entry of the first page present in [*off, end), *off a page's first byte, and moves *off to it. NULL:
// there is none.
uintptr_t *seg_next_entry(const struct seg *s, uint64_t *off, uint64_t end);
// Puts an entry where there is none. Returns true; false: no memory for a table, nothing has changed.
bool seg_entry_put(struct node *n, struct seg *s, uint64_t off, uintptr_t entry);
// Takes the entry of off, which is there, out of the tables (s->dir is not NULL), and frees those that are empty then.
void seg_table_take(struct node *n, struct seg *s, uint64_t off);
// All entries of the leaf table behind *slot, an entry of the directory, are in use: marks it whole if they make a
// megapage.
void seg_look_whole(uintptr_t *slot);
// Entries in [off, off + len) get flags: no extent there is whole any more.
void seg_not_whole(struct seg *s, uint64_t off, uint64_t len);

typedef void seg_change_fn(struct node *n, struct arch_aspace *as, uint64_t va, uint64_t len);
// Calls change for the translations of [off, off + len) in each process that has them mapped, if there are any.
void seg_change_translations(struct node *n, const struct seg *s, uint64_t off, uint64_t len, seg_change_fn *change);

// --- seg_page.c -----------------------------------------------------------------------------------------------------

// Makes the page at off, a hole until now. src: its bytes, NULL = zeros. Returns it; NULL: no memory, nothing has
// changed.
void *seg_make_page(struct node *n, struct seg *s, uint64_t off, const void *src);
// Gives up all pages in [from, to), page multiples, with their translations.
void seg_cut(struct node *n, struct seg *s, uint64_t from, uint64_t to);

#endif
