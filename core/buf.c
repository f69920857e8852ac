// SPDX-License-Identifier: BSD-2-Clause
// Message buffers. All kinds come down to buf_at: where does byte off lie, and how many lie behind it in a row. Pages
// that the kernel brings into being here get no entry in the process's page table: the guest faults when it looks, and
// finds the page there.
#include "core/buf.h"

#include "core/abi.h"
#include "core/error.h"
#include "core/node.h"
#include "core/words.h"

#include <string.h>

// --- where the bytes lie -------------------------------------------------------------------------

static int seg_at(struct node *n, struct seg *s, uint64_t off, bool write, void **ptr)
{
    if (off >= s->len)
        return -E_FAULT;
    char *page = seg_page(n, s, off, write);
    if (!page && write)
        return -E_MEM;
    if (!page)
        page = n->zero_page;
    *ptr = page + (off & PAGE_MASK);
    return 0;
}

// The mapping at va when it allows the access, else NULL.
static struct map *map_for(struct proc *p, uint64_t va, bool write)
{
    struct map *m = proc_map_at(p, va);
    return m && (m->flags & (write ? MAP_WRITE : MAP_READ)) ? m : NULL;
}

static int user_at(struct node *n, struct proc *p, uint64_t va, bool write, void **ptr)
{
    const struct map *m = map_for(p, va, write);
    return m ? seg_at(n, m->seg, m->off + (va - m->va), write, ptr) : -E_FAULT;
}

// A received frame lies in a few pieces; together they are at least as long as the buffer.
static void piece_at(const struct buf *b, uint64_t off, void **ptr, size_t *run)
{
    const struct piece *p = (const struct piece *)(uintptr_t)b->at;
    uint64_t left = b->len - off;
    while (off >= p->len)
        off -= p++->len;
    *ptr = (char *)p->ptr + off;
    *run = (size_t)min_u64(p->len - off, left);
}

int buf_at(struct node *n, const struct buf *b, uint64_t off, bool write, void **ptr, size_t *run)
{
    if (off >= b->len || b->at + off < off)
        return -E_FAULT;
    uint64_t at = b->at + off, left = b->len - off;
    *run = (size_t)min_u64(left, PAGE_SIZE - (at & PAGE_MASK));
    switch (b->kind) {
    case BUF_KERNEL:
        *ptr = (void *)(uintptr_t)at;
        *run = (size_t)left;
        return 0;
    case BUF_SEG: return seg_at(n, b->seg, at, write, ptr);
    case BUF_USER: return user_at(n, b->proc, at, write, ptr);
    case BUF_PIECES:
        if (write)
            break;
        piece_at(b, off, ptr, run);
        return 0;
    case BUF_NONE: break;
    }
    return -E_FAULT;
}

static int check_user(struct proc *p, uint64_t va, uint64_t len, bool write)
{
    uint64_t end = va + len;
    while (va < end) { // a step for each mapping, or from guard to guard
        struct map *m = map_for(p, va, write);
        if (!m)
            return -E_FAULT;
        va += map_run(m, va);
    }
    return 0;
}

int buf_check(struct node *n, const struct buf *b, bool write)
{
    (void)n;
    if (b->len == 0)
        return 0;
    if (b->kind == BUF_PIECES)
        return write ? -E_FAULT : 0;
    if (b->at + b->len < b->len)
        return -E_FAULT;
    switch (b->kind) {
    case BUF_KERNEL: return 0;
    case BUF_SEG: return b->at + b->len <= b->seg->len ? 0 : -E_FAULT;
    case BUF_USER: return check_user(b->proc, b->at, b->len, write);
    case BUF_PIECES:
    case BUF_NONE: break;
    }
    return -E_FAULT;
}

// --- copies --------------------------------------------------------------------------------------

// A page that arrives whole and goes into a hole of a segment needs no zeros first. That is most of what a moving
// process is. 1: done; 0: not such a page, nothing has changed; -E_MEM.
static int fill_whole_page(struct node *n, const struct buf *dst, uint64_t doff, const struct buf *src, uint64_t soff,
                           uint64_t len)
{
    void *from;
    size_t run;
    if (dst->kind != BUF_SEG || len < PAGE_SIZE || dst->len - doff < PAGE_SIZE)
        return 0;
    if (buf_at(n, src, soff, false, &from, &run) < 0 || run < PAGE_SIZE)
        return 0;
    int r = seg_fill_page(n, dst->seg, dst->at + doff, from);
    return r == 0 ? 1 : r == -E_MEM ? r : 0;
}

// Two buffers of one process may overlap.
static void copy_bytes(void *to, const void *from, size_t len)
{
    uintptr_t apart = (uintptr_t)to - (uintptr_t)from;
    if (apart < len || -apart < len)
        memmove(to, from, len);
    else
        bytes_copy(to, from, len);
}

// The bytes at one end of a copy that lie in a row from where it has got to.
struct stretch {
    void *at;
    size_t len;
};

// buf_at, and first what it mostly comes to: another page of the mapping that was asked for last.
static inline int stretch_at(struct node *n, const struct buf *b, uint64_t off, bool write, struct stretch *s)
{
    uint64_t va = b->at + off;
    if (b->kind != BUF_USER || off >= b->len || !proc_map_covers(b->proc, va, 1, write ? MAP_WRITE : MAP_READ))
        return buf_at(n, b, off, write, &s->at, &s->len);
    const struct map *m = b->proc->last_map;
    s->len = min_u64(b->len - off, PAGE_SIZE - (va & PAGE_MASK));
    return seg_at(n, m->seg, m->off + (va - m->va), write, &s->at);
}

int buf_copy(struct node *n, const struct buf *dst, uint64_t doff, const struct buf *src, uint64_t soff, uint64_t len)
{
    struct stretch to = {NULL, 0}, from = {NULL, 0};
    // Within one process or segment, a write may put another page in the place of one that is to be read.
    bool look_again = dst->kind == src->kind && dst->seg == src->seg;
    while (len > 0) {
        int whole = to.len > 0 || dst->kind != BUF_SEG ? 0 : fill_whole_page(n, dst, doff, src, soff, len);
        if (whole < 0)
            return whole;
        if (whole) {
            doff += PAGE_SIZE, soff += PAGE_SIZE, len -= PAGE_SIZE;
            from.len = 0;
            continue;
        }
        int err = to.len > 0 ? 0 : stretch_at(n, dst, doff, true, &to);
        // The source second: when both are the same hole, the page now exists.
        if (!err && (from.len == 0 || look_again))
            err = stretch_at(n, src, soff, false, &from);
        if (err)
            return err;
        size_t run = (size_t)min_u64(len, min_u64(from.len, to.len));
        copy_bytes(to.at, from.at, run);
        doff += run, soff += run, len -= run;
        to = (struct stretch){(char *)to.at + run, to.len - run};
        from = (struct stretch){(char *)from.at + run, from.len - run};
    }
    return 0;
}

int buf_read(struct node *n, const struct buf *b, uint64_t off, void *dst, size_t len)
{
    if (b->kind == BUF_KERNEL && off <= b->len && len <= b->len - off) {
        memcpy(dst, (const char *)(uintptr_t)b->at + off, len);
        return 0;
    }
    struct buf to = buf_kernel(dst, len);
    return buf_copy(n, &to, 0, b, off, len);
}

int buf_write(struct node *n, const struct buf *b, uint64_t off, const void *src, size_t len)
{
    struct buf from = buf_kernel(src, len);
    return buf_copy(n, b, off, &from, 0, len);
}

// --- pinned --------------------------------------------------------------------------------------

// The bytes of a process, page by page of its mappings; [va, va + len) are whole pages.
static int pin_user(struct node *n, struct seg *s, struct proc *p, uint64_t va, uint64_t len)
{
    for (uint64_t done = 0; done < len;) {
        const struct map *m = map_for(p, va + done, false);
        uint64_t run = m ? min_u64(map_run(m, va + done), len - done) : 0;
        if (run == 0)
            return -E_FAULT;
        int e = seg_share(n, s, done, m->seg, m->off + (va + done - m->va), run);
        if (e < 0)
            return e;
        done += run;
    }
    return 0;
}

int buf_pin(struct node *n, const struct buf *b, struct seg **out, uint64_t *off)
{
    if ((b->kind != BUF_USER && b->kind != BUF_SEG) || b->len > PIN_MAX_BYTES)
        return -E_ARG;
    uint64_t first = b->at & ~PAGE_MASK, len = PAGES_FOR(b->at - first + b->len) << PAGE_SHIFT;
    *off = b->at - first;
    if (b->kind == BUF_SEG)
        return seg_clone(n, b->seg, first, len, out);
    int e = seg_create(n, len, out);
    if (e < 0)
        return e;
    e = pin_user(n, *out, b->proc, first, len);
    if (e < 0)
        seg_drop(n, *out);
    return e;
}
