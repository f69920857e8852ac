// SPDX-License-Identifier: BSD-2-Clause
// Segments: runs of pages with a capability. Mapped into processes, read and written by transaction; pages are
// scattered and come into being when first touched (zero).
//
// A page may belong to several segments at once: they show the same bytes until one of them is written, by a guest, by
// the kernel or off the wire; the one that is written gets a copy of its own of that page (copy-on-write).
//
// state of a page     means                                 a write
// hole                reads as zeros                        -> own
// own                 this segment's alone                  -> own
// shared              other segments may have it too        -> own: a copy, or the page when nobody has it any more
// clean (own, shared) not written since seg_mark            -> own, not clean
//
// Only of an own page that is not clean does a process ever have a translation that it may write through.
//
// An extent is 2 MiB of a segment, from a multiple of that on. One is whole when its pages are those of one megapage of
// memory, in order, all own and none clean: then one translation is enough for all of them.
//
// off, soff, doff, len: bytes.
// Callers: node lock held; nothing here blocks. A page's address is good until the segment is changed, or the lock
// given up.
#ifndef CORE_SEG_H
#define CORE_SEG_H

#include "core/config.h"
#include "core/list.h"
#include "core/types.h"

struct node;

#define SEG_INLINE 4u // pages of a segment without tables

struct seg {
    struct list link; // [N] node->segs
    struct list maps; // [N] struct map: where it is mapped
    uint32_t number;  // [I] object number at this node's segment service
    uint32_t refs;    // [N] holders: mappings, running transfers, the creator
    uint8_t key[16];  // [N] of the check field: seg_key
    uint64_t len;     // [N] bytes, multiple of PAGE_SIZE
    uint64_t pages;   // [N] pages present
    uintptr_t *dir;   // [N] 512 leaf tables of 512 entries each (seg_priv.h); one page, NULL: inline_entries has all
    uintptr_t inline_entries[SEG_INLINE]; // [N] entries of the pages inline_index
    uint32_t inline_index[SEG_INLINE];    // [N]
    uint64_t mark;                        // [N] number of the last seg_mark
    uint64_t shortest;                    // [N] since then: all from here on counts as written
    uint8_t reserved;                     // [N] megapages that are reserved for extents of it (megapage.h)
    bool marked;                          // [N] writes are noticed
    bool keyed;                           // [N] the key was drawn
    bool named;                           // [N] lives by its capability: processes may share it (services/seg.c)
};

// New segment of len bytes (rounded up to pages) of zeros that are not there yet; the caller has its one ref. Returns 0
// and *out, or E_LIMIT: over SEG_MAX_BYTES; E_MEM.
int seg_create(struct node *n, uint64_t len, struct seg **out);
// One ref more. There is one already (asserted).
void seg_hold(struct seg *s);
// One ref less. The last frees pages and record; no mapping is left then (asserted).
void seg_drop(struct node *n, struct seg *s);
// Changes the length to len, rounded up to pages. Shrinking frees the pages beyond; a process that has them mapped
// faults there from then on. Takes no memory. Returns 0, or E_LIMIT: over SEG_MAX_BYTES.
int seg_resize(struct node *n, struct seg *s, uint64_t len);
// Returns the first byte of the page at offset off (any byte of it). write: to be written, through the pointer, before
// the node lock is given up: a hole is filled, a shared page copied; NULL: no memory. Otherwise it may be read only;
// NULL: a hole, zeros. off beyond len: NULL.
void *seg_page(struct node *n, struct seg *s, uint64_t off, bool write);
// Returns the page at offset off, for a translation to be read through: a hole is filled. NULL: no memory, or beyond
// len. *writable: the translation may allow writing too.
void *seg_page_in(struct node *n, struct seg *s, uint64_t off, bool *writable);
// Returns the first page of the extent in which off (below len) lies; NULL: it is not whole.
void *seg_extent(const struct seg *s, uint64_t off);
// Returns how many extents are whole.
uint64_t seg_extents(const struct seg *s);
// Returns what seg_page does for a write by a guest at off (a page's first byte). If it fills a hole, and the guest
// seems to fill memory from front to back, so are some behind it, at most to off + max: *len bytes from off on are
// there, and lie in a row.
void *seg_page_ahead(struct node *n, struct seg *s, uint64_t off, uint64_t max, uint64_t *len);
// Hint: [off, off + len) will be written soon. Reserves a megapage for its first extent; harmless if wrong.
void seg_expect(struct node *n, struct seg *s, uint64_t off, uint64_t len);
// Puts a page of the caller's bytes into a hole (off is a page's first byte, src a page of bytes in a row): saves
// zeroing a page that a transfer overwrites. Returns 0, or E_EXISTS: there is a page already; E_ARG: beyond the end, or
// off is within a page; E_MEM.
int seg_fill_page(struct node *n, struct seg *s, uint64_t off, const void *src);
// Returns how many bytes from off on are a hole (pages not present), at most max; 0: the page at off is there, or off
// is beyond the end.
uint64_t seg_hole(const struct seg *s, uint64_t off, uint64_t max);
// Copies [off, off + len) to kernel memory at dst. Returns 0, or E_ARG: it reaches beyond the end.
int seg_read(struct node *n, struct seg *s, uint64_t off, void *dst, size_t len);
// Copies len bytes of kernel memory at src to off. Returns 0, or E_ARG: beyond the end, nothing is copied; E_MEM: what
// was copied until then stays.
int seg_write(struct node *n, struct seg *s, uint64_t off, const void *src, size_t len);
// The pages [doff, doff + len) of dst, holes so far, become those of src from soff on, shared; what is a hole in src
// stays one. All are page multiples. Returns 0, or E_ARG: they are not, src is dst, or a range reaches beyond an end;
// E_EXISTS: a page is there; E_MEM. After an error both read as before.
int seg_share(struct node *n, struct seg *dst, uint64_t doff, struct seg *src, uint64_t soff, uint64_t len);
// New segment of len bytes (rounded up to pages) whose pages are those of src from off on, shared; the caller has its
// one ref. Returns 0 and *out, or an error, and there is none: as seg_create and seg_share.
int seg_clone(struct node *n, struct seg *src, uint64_t off, uint64_t len, struct seg **out);
// Puts a page of memory that never changes and is not the allocator's (the boot files) into a hole, shared. off is a
// page's first byte, and page the address of one (asserted). Returns 0, or E_EXISTS, E_ARG, E_MEM as seg_fill_page.
int seg_adopt(struct node *n, struct seg *s, uint64_t off, const void *page);

// --- What was written since -------------------------------------------------------------------------------------
//
// Costs nothing while it is off. While it is on, the first write to a page after a mark is a fault.

// From here on writes are noticed; all pages count as not written. Returns the number of this mark, never 0.
uint64_t seg_mark(struct node *n, struct seg *s);
// The same for the pages [off, off + len) of one run that seg_written gave: they count as not written again.
void seg_mark_run(struct node *n, struct seg *s, uint64_t off, uint64_t len);
// The next bytes written since the mark, from offset *off on, which is moved to where they begin. Returns how many; 0:
// there are none. What a shorter length cut off counts as written when the segment grew again: it reads as zeros now.
uint64_t seg_written(const struct seg *s, uint64_t *off);
// Writes are not noticed any more.
void seg_unmark(struct node *n, struct seg *s);

// Returns the segment of this node with this object number (1..CAP_OBJ_MAX), or NULL: there is none. Takes no ref.
struct seg *seg_find(struct node *n, uint32_t number);
// Returns the key of its capabilities' check field, 16 bytes. Drawn when first asked for: most segments never have a
// capability, and until one was made none can be genuine.
const uint8_t *seg_key(struct node *n, struct seg *s);
// Sets the key: all capabilities of before are dead.
void seg_set_key(struct seg *s, const uint8_t key[16]);
// Returns a capability with these rights (RIGHT_* bits) for the segment, at the segment service of this node. Takes no
// ref: it dies with the segment.
struct cap seg_cap(struct node *n, struct seg *s, uint32_t rights);

#endif
