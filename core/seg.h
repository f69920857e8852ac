// SPDX-License-Identifier: BSD-2-Clause
// Segments: runs of pages with a capability. Mapped into processes, read and written by transaction;
// pages are scattered and come into being when first touched (zero). All under the node lock.
#ifndef CORE_SEG_H
#define CORE_SEG_H

#include "core/config.h"
#include "core/list.h"
#include "core/types.h"

struct node;

struct seg {
    struct list link; // [N] node->segs
    uint32_t number;  // [I] object number at this node's segment service
    uint32_t refs;    // [N] holders: mappings, running transfers, the creator
    uint8_t key[16];  // [N] of the check field
    uint64_t len;     // [N] bytes, multiple of PAGE_SIZE
    uint64_t pages;   // [N] pages present
    void ***dir;      // [N] 512 leaf tables of 512 pages each; one page, NULL when empty
};

// New segment of len bytes (rounded up to pages) of zeros that are not there yet; refs = 1.
// *out. E_MEM, E_LIMIT (over SEG_MAX_BYTES).
int seg_create(struct node *n, uint64_t len, struct seg **out);
void seg_hold(struct seg *s);
void seg_drop(struct node *n, struct seg *s); // the last drop frees pages and record
// Changes the length; shrinking frees pages beyond (the caller has unmapped them). E_LIMIT.
int seg_resize(struct node *n, struct seg *s, uint64_t len);
// The page at byte offset off (any byte of it). make: bring it into being when absent (NULL then = no
// memory); otherwise NULL = a hole, reads as zeros. off beyond len: NULL.
void *seg_page(struct node *n, struct seg *s, uint64_t off, bool make);
// Puts a page of the caller's bytes into a hole (off is a page's first byte, src a page of bytes in a row): saves zeroing a page
// that a transfer overwrites. E_EXISTS there is a page already; E_ARG beyond the end; E_MEM.
int seg_fill_page(struct node *n, struct seg *s, uint64_t off, const void *src);
// Bytes of hole (pages not present) from off on, at most max.
uint64_t seg_hole(const struct seg *s, uint64_t off, uint64_t max);
// Copies; E_ARG beyond the end, E_MEM.
int seg_read(struct node *n, struct seg *s, uint64_t off, void *dst, size_t len);
int seg_write(struct node *n, struct seg *s, uint64_t off, const void *src, size_t len);
struct seg *seg_find(struct node *n, uint32_t number); // NULL: none
// Capability with these rights for the segment service of this node.
struct cap seg_cap(struct node *n, struct seg *s, uint32_t rights);

#endif
