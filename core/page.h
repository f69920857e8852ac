// SPDX-License-Identifier: BSD-2-Clause
// Physical pages of a node, named by their kernel address. Scattered: nobody needs two in a row.
// A page has a count of holders: mappings of one segment hold it once together, a driver that is
// still sending from it holds it once more. All under the node lock.
#ifndef CORE_PAGE_H
#define CORE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;

struct pages {
    uint8_t *base;     // [I] kernel address of the first page covered
    size_t span;       // [I] pages covered, holes included
    uint16_t *holders; // [N] per page; PAGE_HOLE = not ours to give
    void *free;        // [N] free list through the pages' first words
    size_t free_count; // [N]
    size_t total;      // [I] pages that were given by page_add_range
    long fail_after;   // [N] tests: so many more succeed, then one fails; then -1 again = none will
};
#define PAGE_HOLE 0xffffu

// Prepares for pages between kernel addresses base and base + span * PAGE_SIZE; holders has span entries.
void page_init(struct node *n, void *base, size_t span, uint16_t *holders);
// Gives the pages that lie wholly in [from, to) to the allocator.
void page_add_range(struct node *n, void *from, void *to);
// One page, zeroed, held once; NULL when there is none.
void *page_alloc(struct node *n);
// count pages in a row, each zeroed and held once, for what the hardware or a stack needs so. For boot and
// rare use: it searches, and fails when memory is fragmented. NULL: none. Give back one by one.
void *page_alloc_run(struct node *n, size_t count);
// Holds a page once more; p may point anywhere into it. Addresses outside the range are ignored.
void page_hold(struct node *n, const void *p);
// Gives up one hold; the last one frees the page.
void page_drop(struct node *n, const void *p);
size_t page_free_count(const struct node *n);

#endif
