// SPDX-License-Identifier: BSD-2-Clause
// Physical pages of a node, named by their kernel address. Scattered: nobody needs two in a row. But who gets 512 of
// them in a row is faster with them, so free pages are kept together as megapages of 2 MiB as long as there are others.
// A page has a count of holders: each segment that it belongs to, a driver that is still sending from it. Who holds it
// says nothing about who may write: that is the segment's to know (seg.h). All under the node lock.
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
    size_t free_count; // [N] on the lists, whole, fresh, or kept for an extent (core/megapage.h)
    size_t total;      // [I] pages that were given by page_add_range
    size_t floor;      // [N] so many are not for what is being done: 0, or PAGE_RESERVE
    long fail_after;   // [N] tests: so many more succeed, then one fails; then -1 again = none will
    // [N] The first is of a whole megapage that was broken into; the others in the order they were given, empty ones
    // too.
    struct page_fresh fresh[PAGE_FRESH_MAX];
    unsigned nfresh; // [N]
    // [N] Gives one reservation of free pages back (page_unclaim, page_return_megapage); false: there is none. Called
    // when no other page is left. Set by the first reservation (megapage.c); NULL: there was none.
    bool (*shrink)(struct node *n);
};
#define PAGE_HOLE 0xffffu
#define PAGE_CACHED 0xfffeu // free, on a list of kept ones
#define MEGAPAGE_WHOLE 0xffffu
// Left for the kernel when guests have touched all the rest: to tell owners, to list, to kill (floor, in proc_fault).
#define PAGE_RESERVE 24u

// Prepares for pages between kernel addresses base and base + span * PAGE_SIZE; table has PAGE_TABLE_LEN(span) entries.
void page_init(struct node *n, void *base, size_t span, uint16_t *table);
// Gives the pages that lie wholly in [from, to) to the allocator, which does not touch them until they are taken.
void page_add_range(struct node *n, void *from, void *to);
// One page, zeroed, held once; NULL when there is none.
void *page_alloc(struct node *n);
// The same with whatever was in it before: only for a caller that writes all of it before anybody can look.
void *page_alloc_raw(struct node *n);
// count pages in a row, each zeroed and held once, for what the hardware or a stack needs so. For boot and rare use: it
// searches, and fails when memory is fragmented. NULL: none. Give back one by one.
void *page_alloc_run(struct node *n, size_t count);
// Holds a page once more; p may point anywhere into it. Addresses outside the range are ignored.
void page_hold(struct node *n, const void *p);
// Gives up one hold; the last one frees the page.
void page_drop(struct node *n, const void *p);
// Gives up the only hold of a page that is as `as` says. Its first word may be anything.
void page_cache(struct node *n, enum page_cached as, void *p);
// A page that was left so, its first word zero, held once. NULL: none, take another.
void *page_take_cached(struct node *n, enum page_cached as);
// The page may be held for one more segment: false when too many hold it already.
bool page_can_share(const struct node *n, const void *p);
// Others hold it too, or it is not the allocator's at all.
bool page_is_shared(const struct node *n, const void *p);
size_t page_free_count(const struct node *n);

// --- Megapages, for core/megapage.c only -----------------------------------------------------------------------------

// A megapage of free pages that page_alloc gives to nobody; they count as free until they are claimed. NULL: none is in
// one piece. Takes a handful of steps, or as many as it has had pages given back since the last time.
void *page_take_megapage(struct node *n);
// This page of such a megapage becomes its caller's, held once, as from page_alloc_raw. false: none is to be had now.
bool page_claim(struct node *n, void *page);
// It is for everybody again: one page that was not claimed; or a megapage of which none was.
void page_unclaim(struct node *n, void *page);
void page_return_megapage(struct node *n, void *megapage);

#endif
