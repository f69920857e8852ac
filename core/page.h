// SPDX-License-Identifier: BSD-2-Clause
// Physical pages of a node, named by their kernel address. Scattered: nobody needs two in a row. But a segment that
// gets 512 of them in a row is faster with them, so free pages are kept together as megapages of 2 MiB as long as there
// are others. A page has a count of holders: each segment that it belongs to, a driver that is still sending from it.
// The count says nothing about the right to write: that is the segment's to know (seg.h).
// Callers: node lock held; nothing here blocks.
#ifndef CORE_PAGE_H
#define CORE_PAGE_H

#include "core/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;

// Pages that were given and never yet taken: nothing was written to them. By index, to is behind the last.
struct page_fresh {
    uint32_t next, to;
};
#define PAGE_FRESH_MAX 32 // ranges; of what is given beyond them each page is touched
// Entries of page_init's table for so many pages: their holders, and behind them the megapages.
#define PAGE_TABLE_LEN(span) ((span) + (span) / MEGAPAGE_PAGES + 2)

// Pages that are free but were left in a state that saves their next user work. They count as free, and any is taken
// when no other page is left.
enum page_cached {
    CACHED_ZERO, // all its bytes are zero: page_alloc takes it first
    CACHED_ROOT, // the root of an address space that maps nothing (arch)
    CACHED_KINDS
};
#define CACHED_MAX 16u // of each kind

struct pages {
    uint8_t *base;     // [I] kernel address of the first page covered
    size_t span;       // [I] pages covered, holes included
    uint16_t *holders; // [N] per page; PAGE_HOLE = not ours to give
    // [I] per megapage, in the table: how many of its pages are on the free list, or MEGAPAGE_WHOLE (page.c)
    uintptr_t listed;
    void *free;                 // [N] free list through the pages' first words: those that were taken once
    void *whole;                // [N] megapages of which all pages came back, through their first words
    void *cached[CACHED_KINDS]; // [N] lists through the pages' first words
    unsigned ncached[CACHED_KINDS];
    size_t free_count; // [N] on the lists, whole, fresh, or reserved for an extent (core/megapage.h)
    size_t total;      // [I] pages that were given by page_add_range
    size_t floor;      // [N] free pages that the allocation under way must leave: 0, or PAGE_RESERVE
    long fail_after;   // [N] fault injection: allocations that succeed before one fails; -1: off
    // [N] The first is of a whole megapage that was broken into; the others in the order they were given, empty ones
    // too.
    struct page_fresh fresh[PAGE_FRESH_MAX];
    unsigned nfresh; // [N]
    // [N] Gives one reservation of free pages back (page_unclaim, page_return_megapage); false: there is none. Called
    // when no other page is left. Set by the first reservation (megapage.c); NULL: there was none.
    bool (*shrink)(struct node *n);
};
#define PAGE_HOLE 0xffffu
#define PAGE_CACHED 0xfffeu // free, on a list of cached ones
#define MEGAPAGE_WHOLE 0xffffu
// Left for the kernel when guests have touched all the rest: to tell owners, to list, to kill (floor, in proc_fault).
#define PAGE_RESERVE 24u

// Prepares for span pages from kernel address base (page aligned) on; table, which stays in use, has
// PAGE_TABLE_LEN(span) entries. None of the pages is the allocator's yet. Callers: boot, before anything else here.
void page_init(struct node *n, void *base, size_t span, uint16_t *table);
// Gives the pages that lie wholly in [from, to), inside page_init's range and not given before (both asserted), to the
// allocator, which does not touch them until they are taken. Callers: boot.
void page_add_range(struct node *n, void *from, void *to);
// Returns one page, zeroed, held once; NULL: there is none, or only PAGE_RESERVE of them while a guest's fault asks.
void *page_alloc(struct node *n);
// Returns the same with whatever was in it before: only for a caller that writes all of it before anybody can look, or
// one process would see what another one wrote. NULL: as page_alloc.
void *page_alloc_raw(struct node *n);
// Returns the first of count (1 or more) pages in a row, each zeroed and held once, for what the hardware or a stack
// needs so. NULL: there are none in a row. For boot and rare use: it searches, and may have every reservation given
// back. Give back one by one (page_drop).
void *page_alloc_run(struct node *n, size_t count);
// Holds a page, which is held already (asserted), once more; p may point anywhere into it. Addresses that are not the
// allocator's are ignored: the kernel's image, the boot files.
void page_hold(struct node *n, const void *p);
// Gives up one hold of a page, which is held (asserted); the last one frees it. p as for page_hold.
void page_drop(struct node *n, const void *p);
// Gives up the only hold (asserted) of a page that is as `as` says, at its first byte p. Its first word may be
// anything.
void page_cache(struct node *n, enum page_cached as, void *p);
// Returns a page that was left as `as` says, its first word zero, held once. NULL: none is cached so, take another.
void *page_take_cached(struct node *n, enum page_cached as);
// True if the page in which p lies may be held for one more segment; false: so many hold it that the count would have
// no room for drivers. Always true of pages that are not the allocator's.
bool page_can_share(const struct node *n, const void *p);
// True if the page in which p lies is not the caller's alone: others hold it too, or it is not the allocator's at all.
bool page_is_shared(const struct node *n, const void *p);
// Returns the number of free pages: all that were given and are not held, those reserved for an extent and cached ones
// included.
size_t page_free_count(const struct node *n);

// --- Megapages, for core/megapage.c only -----------------------------------------------------------------------------

// Returns a megapage of free pages that page_alloc gives to nobody; they count as free until they are claimed. NULL:
// none is in one piece. Takes a handful of steps, or one for each page below the megapage in a fresh range, which go to
// the list, and for each cached page.
void *page_take_megapage(struct node *n);
// This page of such a megapage becomes its caller's, held once, as from page_alloc_raw. Returns true, or false: no page
// is to be had now (as NULL of page_alloc), and it stays unclaimed.
bool page_claim(struct node *n, void *page);
// page_unclaim: one page of such a megapage that was not claimed (asserted) is for everybody again.
// page_return_megapage: a megapage of which none was claimed is.
void page_unclaim(struct node *n, void *page);
void page_return_megapage(struct node *n, void *megapage);

#endif
