// SPDX-License-Identifier: BSD-2-Clause
// A message buffer: where the bytes of a request or reply lie. They stay there until the transaction is over (design
// D2); whoever sends or receives walks the pages in place.
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

static inline struct buf buf_none(void)
{
    return (struct buf){.kind = BUF_NONE};
}
static inline struct buf buf_kernel(const void *p, uint64_t len)
{
    return (struct buf){.kind = BUF_KERNEL, .at = (uint64_t)(uintptr_t)p, .len = len};
}
static inline struct buf buf_seg(struct seg *s, uint64_t off, uint64_t len)
{
    return (struct buf){.kind = BUF_SEG, .seg = s, .at = off, .len = len};
}
static inline struct buf buf_user(struct proc *p, uint64_t va, uint64_t len)
{
    return (struct buf){.kind = BUF_USER, .proc = p, .at = va, .len = len};
}

// Kernel address of byte off of the buffer and the number of bytes from there that lie in a row (to the end of the page
// or buffer). write: the page will be written. A hole read gives the node's page of zeros. E_FAULT (not mapped so),
// E_MEM.
int buf_at(struct node *n, const struct buf *b, uint64_t off, bool write, void **ptr, size_t *run);
// E_FAULT unless every mapping of the buffer allows the access. Brings no page in.
int buf_check(struct node *n, const struct buf *b, bool write);
// Copies; stops at the first error (what was copied stays). E_FAULT, E_MEM.
int buf_copy(struct node *n, const struct buf *dst, uint64_t doff, const struct buf *src, uint64_t soff, uint64_t len);
int buf_read(struct node *n, const struct buf *b, uint64_t off, void *dst, size_t len);
int buf_write(struct node *n, const struct buf *b, uint64_t off, const void *src, size_t len);

#endif
