// SPDX-License-Identifier: BSD-2-Clause
// A message buffer: where the bytes of a request or reply lie. They stay there until the transaction is over (design
// D2); sender and receiver walk the pages in place.
// Callers: node lock held; nothing here blocks. An address that buf_at() gives is good until the next write to the same
// segment, which may put another page in its place, and no longer than the lock is held.
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include "core/types.h"

struct node;
struct proc;
struct seg;

// A stretch of kernel memory; a received frame is a few of these.
struct piece {
    void *ptr;
    size_t len;
};

enum buf_kind { BUF_NONE, BUF_USER, BUF_KERNEL, BUF_SEG, BUF_PIECES };
struct buf {
    enum buf_kind kind;
    union {
        struct proc *proc; // BUF_USER: at is a guest address
        struct seg *seg;   // BUF_SEG: at is an offset; the owner of the buffer holds the segment
    };
    uint64_t at;  // BUF_KERNEL: a kernel address.  BUF_PIECES: that of the first struct piece, read only
    uint64_t len; // bytes
};

// No buffer: of length 0; every access is E_FAULT. Returns it. Callers: anywhere.
static inline struct buf buf_none(void)
{
    return (struct buf){.kind = BUF_NONE};
}
// Returns a buffer of len bytes of kernel memory from p on. The memory stays the caller's. Callers: anywhere.
static inline struct buf buf_kernel(const void *p, uint64_t len)
{
    return (struct buf){.kind = BUF_KERNEL, .at = (uint64_t)(uintptr_t)p, .len = len};
}
// Returns a buffer of len bytes of the segment from offset off (bytes) on. Takes no hold of s: the caller keeps one for
// as long as the buffer is used. Callers: anywhere.
static inline struct buf buf_seg(struct seg *s, uint64_t off, uint64_t len)
{
    return (struct buf){.kind = BUF_SEG, .seg = s, .at = off, .len = len};
}
// Returns a buffer of len bytes of p's memory from the guest address va on. Nothing is checked: buf_check does it, and
// each access again, as the process may change its mappings in between. Callers: anywhere.
static inline struct buf buf_user(struct proc *p, uint64_t va, uint64_t len)
{
    return (struct buf){.kind = BUF_USER, .proc = p, .at = va, .len = len};
}

// Where byte off of the buffer lies. write: the bytes will be written, so the page becomes the segment's own; else they
// may be read only, and a hole gives the node's page of zeros. *ptr: its kernel address; *run: how many bytes from
// there lie in a row, 1 or more (to the end of the page, piece or buffer). Returns 0, or E_FAULT: off is not inside the
// buffer, the guest has nothing mapped there with this access, the segment is shorter now, or pieces of a frame were to
// be written; E_MEM: no page for the write. After an error *ptr and *run mean nothing.
int buf_at(struct node *n, const struct buf *b, uint64_t off, bool write, void **ptr, size_t *run);
// May all of the buffer be read (write: written)? Brings no page in, so that a later access may still find no memory; a
// stack of the process grows down to the buffer. Returns 0, or E_FAULT: some byte is not mapped with this access, or
// lies beyond the segment's end. A buffer of length 0 is always good.
int buf_check(struct node *n, const struct buf *b, bool write);
// Copies len bytes from offset soff of src to offset doff of dst. Where the two overlap, the destination's bytes are
// unspecified, as for memcpy. Returns 0, or the first error, and what was copied until then stays: as buf_at().
int buf_copy(struct node *n, const struct buf *dst, uint64_t doff, const struct buf *src, uint64_t soff, uint64_t len);
// Copies len bytes from offset off of the buffer to kernel memory at dst. Returns as buf_copy().
int buf_read(struct node *n, const struct buf *b, uint64_t off, void *dst, size_t len);
// Copies len bytes of kernel memory at src to offset off of the buffer. Returns as buf_copy().
int buf_write(struct node *n, const struct buf *b, uint64_t off, const void *src, size_t len);

// Makes a segment that has what the buffer holds now, whatever is written to the buffer later (copy-on-write): *out,
// held once for the caller, with the buffer's first byte at *off. Returns 0; E_ARG: the buffer is of a kind that
// cannot, or longer than PIN_MAX_BYTES; E_FAULT: it is not there; E_MEM. Callers: node lock held.
int buf_pin(struct node *n, const struct buf *b, struct seg **out, uint64_t *off);

#endif
