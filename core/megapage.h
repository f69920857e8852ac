// SPDX-License-Identifier: BSD-2-Clause
// Megapages that are reserved for an extent of a segment. An extent is 2 MiB of a segment, from a multiple of that on.
// While a megapage is reserved for one, each page that comes into being there is taken from its place in the megapage:
// when all 512 are there, they lie in a row, and one translation is enough for all.
//
// A reservation costs no memory: its unused pages count as free and are reclaimed under pressure. Reservations: J.
// Navarro and others: Practical, Transparent Operating System Support for Superpages, 2002.
//
// off, everywhere: a byte offset in s; it stands for the extent, or the page, in which it lies.
// Callers: seg_page.c, node lock held; nothing here blocks.
#ifndef CORE_MEGAPAGE_H
#define CORE_MEGAPAGE_H

#include "core/config.h"

#include <stdbool.h>
#include <stdint.h>

struct node;
struct seg;

#define MEGAPAGES_RESERVED 8u // at a time, on a node: memory is filled one extent after the other

struct megapage {
    struct seg *seg;                    // [N] NULL: none is reserved here
    uint64_t extent;                    // [N] offset in the segment / MEGAPAGE_BYTES
    char *pages;                        // [N]
    uint64_t left[MEGAPAGE_PAGES / 64]; // [N] bit i: page i was not taken yet
    unsigned nleft;                     // [N]
};

struct megapages {
    struct megapage reserved[MEGAPAGES_RESERVED];
    unsigned next; // [N] to be given up next
};

// Reserves a megapage for the extent in which off lies, in which the segment has no page yet, and for which none is
// reserved (asserted). When there are MEGAPAGES_RESERVED, another one is given up for it. Memory in pieces: nothing
// happens.
void megapage_reserve(struct node *n, struct seg *s, uint64_t off);
// True if a megapage is reserved for the extent in which off lies.
bool megapage_is_reserved(struct node *n, const struct seg *s, uint64_t off);
// Takes the page for off out of the megapage that is reserved for its extent. Returns it as page_alloc_raw does: held
// once, with whatever was in it. NULL: none is reserved, this page of it is taken already, or there is no memory.
void *megapage_page(struct node *n, struct seg *s, uint64_t off);
// The same for the pages of [off, off + len), page multiples inside that extent, as long as that is possible. `at`:
// where the first of them must lie, for the caller wants them in a row with what it has. Returns how many bytes were
// taken; 0: none.
uint64_t megapage_run(struct node *n, struct seg *s, uint64_t off, const char *at, uint64_t len);
// Nothing is reserved any more for extents that [off, off + len), bytes, touches.
void megapage_release(struct node *n, struct seg *s, uint64_t off, uint64_t len);
// Of the megapages that are reserved, one goes back to the free pages, each in its turn. Returns true, or false: none
// is reserved. Callers: page.c (pages.shrink), when no other page is left; node lock held.
bool megapage_reclaim(struct node *n);

#endif
