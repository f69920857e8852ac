// SPDX-License-Identifier: BSD-2-Clause
// Segments: pages that several segments have, until one of them is written (copy-on-write).
#include "core/error.h"
#include "core/seg_priv.h"

// One page of src becomes dst's too. *protect: of src there may be translations that could be written through.
static int share_page(struct node *n, struct seg *dst, uint64_t doff, uintptr_t *from, bool *protect)
{
    void *page = entry_page(*from);
    if (!page_can_share(n, page))
        return seg_make_page(n, dst, doff, page) ? 0 : -E_MEM;
    if (!seg_entry_put(n, dst, doff, (uintptr_t)page | ENTRY_SHARED))
        return -E_MEM;
    page_hold(n, page);
    *protect |= !(*from & ENTRY_FLAGS);
    *from |= ENTRY_SHARED;
    return 0;
}

int seg_share(struct node *n, struct seg *dst, uint64_t doff, struct seg *src, uint64_t soff, uint64_t len)
{
    if (((doff | soff | len) & PAGE_MASK) || dst == src || !seg_holds(dst, doff, len) || !seg_holds(src, soff, len))
        return -E_ARG;
    if (seg_hole(dst, doff, len) < len)
        return -E_EXISTS;
    bool protect = false;
    int r = 0;
    uintptr_t *from;
    seg_not_whole(src, soff, len);
    for (uint64_t at = soff; r == 0 && (from = seg_next_entry(src, &at, soff + len)) != NULL; at += PAGE_SIZE)
        r = share_page(n, dst, doff + (at - soff), from, &protect);
    if (protect)
        seg_change_translations(n, src, soff, len, arch_aspace_protect);
    if (r < 0)
        seg_cut(n, dst, doff, doff + len);
    return r;
}

int seg_clone(struct node *n, struct seg *src, uint64_t off, uint64_t len, struct seg **out)
{
    struct seg *s;
    int r = seg_create(n, len, &s);
    if (r < 0)
        return r;
    r = seg_share(n, s, 0, src, off, s->len);
    if (r < 0) {
        seg_drop(n, s);
        return r;
    }
    *out = s;
    return 0;
}
