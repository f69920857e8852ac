// SPDX-License-Identifier: BSD-2-Clause
// Blocks that are kept for a window of a segment. A window is 2 MiB of a segment, from a multiple of that on. Who keeps
// a block for one takes each page that comes into being there from its place in the block: when all 512 are there, they
// lie in a row, and one translation is enough for all.
//
// To keep one costs no memory: what was not taken of it counts as free, and when there is nothing else it goes to whoever
// asks for a page. All under the node lock.
#ifndef CORE_BLOCK_H
#define CORE_BLOCK_H

#include "core/config.h"

#include <stdbool.h>
#include <stdint.h>

struct node;
struct seg;

#define BLOCKS_KEPT 8u // at a time, on a node: who fills memory fills a window after the other

struct block {
    struct seg *seg;                 // [N] NULL: none is kept here
    uint64_t window;                 // [N] offset in the segment / BLOCK_BYTES
    char *pages;                     // [N]
    uint64_t left[BLOCK_PAGES / 64]; // [N] bit i: page i was not taken yet
    unsigned nleft;                  // [N]
};

struct blocks {
    struct block kept[BLOCKS_KEPT];
    unsigned next; // [N] to be given up next
};

// Keeps a block for the window in which off lies, in which the segment has no page yet. When BLOCKS_KEPT are kept,
// another one is given up for it. Memory in pieces: nothing happens.
void block_keep(struct node *n, struct seg *s, uint64_t off);
bool block_is_kept(struct node *n, const struct seg *s, uint64_t off);
// The page for off out of the block that is kept for its window, as from page_alloc_raw. NULL: none is kept, it is
// taken already, or there is no memory.
void *block_page(struct node *n, struct seg *s, uint64_t off);
// The same for the pages of [off, off + len), inside that window, as long as that is possible and the first of them is
// `at`. Returns how many bytes.
uint64_t block_run(struct node *n, struct seg *s, uint64_t off, const char *at, uint64_t len);
// Nothing is kept any more for windows that [off, off + len) touches.
void block_forget(struct node *n, struct seg *s, uint64_t off, uint64_t len);
// Of the blocks that are kept, one goes back to where everybody takes from. false: none is kept.
bool block_give_up(struct node *n);

#endif
