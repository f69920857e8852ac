// SPDX-License-Identifier: BSD-2-Clause
// Segments: the record, its life, its contents. The other files of the segment are listed in seg_priv.h.
#include "core/seg.h"

#include "core/cap.h"
#include "core/error.h"
#include "core/panic.h"
#include "core/random.h"
#include "core/seg_priv.h"

#include <string.h>

// Numbers count up from 1. Only after all of the 24 bits were used can one be taken already.
static uint32_t draw_number(struct node *n)
{
    uint32_t number;
    do {
        number = ++n->next_seg & CAP_OBJ_MAX;
    } while (number == 0 || (n->next_seg > CAP_OBJ_MAX && seg_find(n, number)));
    return number;
}

const uint8_t *seg_key(struct node *n, struct seg *s)
{
    if (!s->keyed) {
        node_random(n, s->key, sizeof s->key);
        s->keyed = true;
    }
    return s->key;
}

void seg_set_key(struct seg *s, const uint8_t key[16])
{
    memcpy(s->key, key, sizeof s->key);
    s->keyed = true;
}

int seg_create(struct node *n, uint64_t len, struct seg **out)
{
    if (len > SEG_MAX_BYTES)
        return -E_LIMIT;
    struct seg *s = pool_alloc(n, &n->pool_seg);
    if (!s)
        return -E_MEM;
    s->number = draw_number(n);
    s->refs = 1;
    s->len = PAGES_FOR(len) << PAGE_SHIFT;
    s->shortest = UINT64_MAX;
    list_init(&s->maps);
    list_add(&n->segs, &s->link);
    *out = s;
    return 0;
}

void seg_hold(struct seg *s)
{
    ASSERT(s->refs > 0);
    ASSERT(s->refs < UINT32_MAX);
    s->refs++;
}

void seg_drop(struct node *n, struct seg *s)
{
    ASSERT(s->refs > 0);
    if (--s->refs > 0)
        return;
    ASSERT(list_empty(&s->maps));
    seg_cut(n, s, 0, s->len);
    ASSERT(s->pages == 0);
    list_del(&s->link);
    pool_free(n, &n->pool_seg, s);
}

int seg_resize(struct node *n, struct seg *s, uint64_t len)
{
    if (len > SEG_MAX_BYTES)
        return -E_LIMIT;
    uint64_t rounded = PAGES_FOR(len) << PAGE_SHIFT;
    if (rounded < s->len)
        seg_cut(n, s, rounded, s->len);
    if (rounded < s->shortest && rounded < s->len)
        s->shortest = rounded;
    s->len = rounded;
    return 0;
}

// The one found goes to the front: whoever reads a segment piece by piece asks for it each time.
struct seg *seg_find(struct node *n, uint32_t number)
{
    LIST_FOR (l, &n->segs) {
        struct seg *s = LIST_ENTRY(l, struct seg, link);
        if (s->number != number)
            continue;
        list_del(&s->link);
        list_add(&n->segs, &s->link);
        return s;
    }
    return NULL;
}

struct cap seg_cap(struct node *n, struct seg *s, uint32_t rights)
{
    return cap_make(n->seg_put, s->number, rights, seg_key(n, s));
}

// Bytes from off to the end of its page, at most left.
static size_t run_at(uint64_t off, size_t left)
{
    return (size_t)min_u64(PAGE_SIZE - (off & PAGE_MASK), left);
}

int seg_read(struct node *n, struct seg *s, uint64_t off, void *dst, size_t len)
{
    if (!seg_holds(s, off, len))
        return -E_ARG;
    uint8_t *to = dst;
    for (size_t run; len > 0; off += run, to += run, len -= run) {
        run = run_at(off, len);
        const uint8_t *page = seg_page(n, s, off, false);
        if (page)
            memcpy(to, page + (off & PAGE_MASK), run);
        else
            memset(to, 0, run);
    }
    return 0;
}

int seg_write(struct node *n, struct seg *s, uint64_t off, const void *src, size_t len)
{
    if (!seg_holds(s, off, len))
        return -E_ARG;
    const uint8_t *from = src;
    for (size_t run; len > 0; off += run, from += run, len -= run) {
        run = run_at(off, len);
        uint8_t *page = seg_page(n, s, off, true);
        if (!page)
            return -E_MEM;
        memcpy(page + (off & PAGE_MASK), from, run);
    }
    return 0;
}
