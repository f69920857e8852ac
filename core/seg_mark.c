// SPDX-License-Identifier: BSD-2-Clause
// Segments: which pages were written since a mark.
#include "core/error.h"
#include "core/seg_priv.h"

uint64_t seg_mark(struct node *n, struct seg *s)
{
    s->marked = true;
    seg_mark_run(n, s, 0, s->len);
    return ++s->mark;
}

void seg_mark_run(struct node *n, struct seg *s, uint64_t off, uint64_t len)
{
    uintptr_t *entry;
    seg_not_whole(s, off, len);
    for (uint64_t at = off; (entry = seg_next_entry(s, &at, off + len)) != NULL; at += PAGE_SIZE)
        *entry |= ENTRY_CLEAN;
    if (off <= s->shortest && off + len >= s->len)
        s->shortest = UINT64_MAX;
    seg_change_translations(n, s, off, len, arch_aspace_protect);
}

void seg_unmark(struct node *n, struct seg *s)
{
    (void)n;
    uintptr_t *entry;
    s->marked = false;
    for (uint64_t at = 0; (entry = seg_next_entry(s, &at, s->len)) != NULL; at += PAGE_SIZE)
        *entry &= ~(uintptr_t)ENTRY_CLEAN;
    for (uint64_t at = 0; s->dir && at < s->len; at += LEAF_BYTES)
        if (is_full(s->dir[dir_index(at)]))
            seg_look_whole(&s->dir[dir_index(at)]);
}

// A page that came after the mark never got the flag, and so is not clean.
static bool written_at(const struct seg *s, uint64_t at)
{
    const uintptr_t *entry = entry_at(s, at);
    return entry && !(*entry & ENTRY_CLEAN);
}

uint64_t seg_written(const struct seg *s, uint64_t *off)
{
    uint64_t at = *off & ~PAGE_MASK, end = min_u64(s->len, s->shortest);
    const uintptr_t *entry;
    while ((entry = seg_next_entry(s, &at, end)) != NULL && (*entry & ENTRY_CLEAN))
        at += PAGE_SIZE;
    if (entry) {
        *off = at;
        while (at < end && written_at(s, at))
            at += PAGE_SIZE;
        return at - *off;
    }
    at = *off > end ? *off & ~PAGE_MASK : end; // what was cut off once
    if (at >= s->len)
        return 0;
    *off = at;
    return s->len - at;
}
