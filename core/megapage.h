// SPDX-License-Identifier: BSD-2-Clause
// Megapages that are kept for an extent of a segment. An extent is 2 MiB of a segment, from a multiple of that on. Who
// keeps a megapage for one takes each page that comes into being there from its place in the megapage: when all 512 are
// there, they lie in a row, and one translation is enough for all.
//
// To keep one costs no memory: what was not taken of it counts as free, and when there is nothing else it goes to
// whoever asks for a page. All under the node lock.
#ifndef CORE_MEGAPAGE_H
#define CORE_MEGAPAGE_H

#include "core/config.h"

#include <stdbool.h>
#include <stdint.h>

struct node;
struct seg;

#define MEGAPAGES_RESERVED 8u // at a time, on a node: who fills memory fills an extent after the other

struct megapage {
    struct seg *seg;                    // [N] NULL: none is kept here
    uint64_t extent;                    // [N] offset in the segment / MEGAPAGE_BYTES
    char *pages;                        // [N]
    uint64_t left[MEGAPAGE_PAGES / 64]; // [N] bit i: page i was not taken yet
    unsigned nleft;                     // [N]
};

struct megapages {
    struct megapage reserved[MEGAPAGES_RESERVED];
    unsigned next; // [N] to be given up next
};

// Keeps a megapage for the extent in which off lies, in which the segment has no page yet. When MEGAPAGES_RESERVED are
// kept, another one is given up for it. Memory in pieces: nothing happens.
void megapage_reserve(struct node *n, struct seg *s, uint64_t off);
bool megapage_is_reserved(struct node *n, const struct seg *s, uint64_t off);
// The page for off out of the megapage that is kept for its extent, as from page_alloc_raw. NULL: none is kept, it is
// taken already, or there is no memory.
void *megapage_page(struct node *n, struct seg *s, uint64_t off);
// The same for the pages of [off, off + len), inside that extent, as long as that is possible and the first of them is
// `at`. Returns how many bytes.
uint64_t megapage_run(struct node *n, struct seg *s, uint64_t off, const char *at, uint64_t len);
// Nothing is kept any more for extents that [off, off + len) touches.
void megapage_release(struct node *n, struct seg *s, uint64_t off, uint64_t len);
// Of the megapages that are reserved, one goes back to where everybody takes from. false: none is kept.
bool megapage_reclaim(struct node *n);

#endif
