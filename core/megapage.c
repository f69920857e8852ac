// SPDX-License-Identifier: BSD-2-Clause
// Megapages that are reserved for an extent of a segment: a few records on each node, reclaimed in turn.
#include "core/megapage.h"

#include "core/node.h"
#include "core/panic.h"

static struct megapage *find(struct node *n, const struct seg *s, uint64_t off)
{
    for (unsigned i = 0; i < MEGAPAGES_RESERVED; i++) {
        struct megapage *b = &n->megapages.reserved[i];
        if (b->seg == s && b->extent == off >> MEGAPAGE_SHIFT)
            return b;
    }
    return NULL;
}

static void forget(struct megapage *b)
{
    ASSERT(b->seg->reserved > 0);
    b->seg->reserved--;
    b->seg = NULL;
}

// What is left of it is for everybody.
static void give_up(struct node *n, struct megapage *b)
{
    if (b->nleft == MEGAPAGE_PAGES)
        page_return_megapage(n, b->pages);
    for (size_t i = MEGAPAGE_PAGES; i > 0 && b->nleft < MEGAPAGE_PAGES; i--) // low ones are taken first
        if (b->left[(i - 1) / 64] >> (i - 1) % 64 & 1)
            page_unclaim(n, b->pages + (i - 1) * PAGE_SIZE);
    forget(b);
}

bool megapage_is_reserved(struct node *n, const struct seg *s, uint64_t off)
{
    return s->reserved && find(n, s, off);
}

// A record that is not in use. If all are, one megapage is given up for it, each in its turn.
static struct megapage *record(struct node *n)
{
    struct megapages *bs = &n->megapages;
    for (unsigned i = 0; i < MEGAPAGES_RESERVED; i++)
        if (!bs->reserved[i].seg)
            return &bs->reserved[i];
    struct megapage *b = &bs->reserved[bs->next];
    bs->next = (bs->next + 1) % MEGAPAGES_RESERVED;
    give_up(n, b);
    return b;
}

void megapage_reserve(struct node *n, struct seg *s, uint64_t off)
{
    ASSERT(!find(n, s, off));
    char *pages = page_take_megapage(n);
    if (!pages)
        return;
    n->pages.shrink = megapage_reclaim;
    struct megapage *b = record(n);
    *b = (struct megapage){.seg = s, .extent = off >> MEGAPAGE_SHIFT, .pages = pages, .nleft = MEGAPAGE_PAGES};
    for (unsigned i = 0; i < MEGAPAGE_PAGES / 64; i++)
        b->left[i] = UINT64_MAX;
    s->reserved++;
}

static char *take(struct node *n, struct megapage *b, size_t i)
{
    char *page = b->pages + i * PAGE_SIZE;
    if (!(b->left[i / 64] >> i % 64 & 1) || !page_claim(n, page))
        return NULL;
    b->left[i / 64] &= ~(1ull << i % 64);
    b->nleft--;
    return page;
}

void *megapage_page(struct node *n, struct seg *s, uint64_t off)
{
    struct megapage *b = s->reserved ? find(n, s, off) : NULL;
    char *page = b ? take(n, b, off / PAGE_SIZE % MEGAPAGE_PAGES) : NULL;
    if (page && b->nleft == 0)
        forget(b);
    return page;
}

uint64_t megapage_run(struct node *n, struct seg *s, uint64_t off, const char *at, uint64_t len)
{
    struct megapage *b = find(n, s, off);
    size_t first = off / PAGE_SIZE % MEGAPAGE_PAGES, i = first;
    if (!b || b->pages + first * PAGE_SIZE != at)
        return 0;
    while (i < first + len / PAGE_SIZE && take(n, b, i))
        i++;
    if (b->nleft == 0)
        forget(b);
    return (i - first) * PAGE_SIZE;
}

void megapage_release(struct node *n, struct seg *s, uint64_t off, uint64_t len)
{
    for (unsigned i = 0; s->reserved > 0 && i < MEGAPAGES_RESERVED; i++) {
        struct megapage *b = &n->megapages.reserved[i];
        uint64_t at = b->extent << MEGAPAGE_SHIFT;
        if (b->seg == s && at < off + len && off < at + MEGAPAGE_BYTES)
            give_up(n, b);
    }
}

bool megapage_reclaim(struct node *n)
{
    struct megapages *bs = &n->megapages;
    for (unsigned i = 0; i < MEGAPAGES_RESERVED; i++) {
        struct megapage *b = &bs->reserved[(bs->next + i) % MEGAPAGES_RESERVED];
        if (!b->seg)
            continue;
        give_up(n, b);
        return true;
    }
    return false;
}
