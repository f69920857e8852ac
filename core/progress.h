// SPDX-License-Identifier: BSD-2-Clause
// Fragment arithmetic: which part of a message is there. Pure functions of plain data; the same record serves sender
// and receiver. Offsets and lengths are bytes.
// Callers: whoever owns the record; nothing here locks.
#ifndef CORE_PROGRESS_H
#define CORE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

// How far a message has got, at either end. Bytes below base are there; bit i of mask: fragment i after base, each frag
// bytes long, is there too. A change of frag forgets the mask, never the base.
struct progress {
    uint64_t base;
    uint64_t mask;
    uint64_t high; // sender: end of what was sent; put back to base by a time-out. Not part of a descriptor
    uint32_t frag;
};

// Receiver: a fragment [off, off + len) of a message of `total` bytes is there; fragments are frag bytes each. Returns
// the bytes that are newly counted, 0: a duplicate, or beyond the window of 64.
uint64_t progress_mark(struct progress *p, uint64_t off, uint64_t len, uint64_t total, uint32_t frag);
// Returns the first byte at or after `off`, and below `total`, of a fragment that is not there and lies in the window
// of 64; UINT64_MAX: none.
uint64_t progress_next(const struct progress *p, uint64_t off, uint64_t total);
// Sender: the message goes in fragments of frag bytes from here on. What was sent in fragments of another size, and is
// not acknowledged up to base, counts as not sent.
void progress_cut(struct progress *p, uint32_t frag);
// Sender: all below byte `end` was sent.
void progress_sent(struct progress *p, uint64_t end);
// Sender: takes in what the receiver said. Returns true if that was news.
bool progress_acked(struct progress *p, const struct progress *said);

#endif
