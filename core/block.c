// SPDX-License-Identifier: BSD-2-Clause
#include "core/block.h"

#include "core/entry.h"
#include "core/node.h"

static struct block *find(struct node *n, const struct seg *s, uint64_t off)
{
    for (unsigned i = 0; i < BLOCKS_KEPT; i++) {
        struct block *b = &n->blocks.kept[i];
        if (b->seg == s && b->window == off >> BLOCK_SHIFT)
            return b;
    }
    return NULL;
}

static void forget(struct block *b)
{
    ASSERT(b->seg->kept > 0);
    b->seg->kept--;
    b->seg = NULL;
}

// What is left of it is for everybody.
static void give_up(struct node *n, struct block *b)
{
    if (b->nleft == BLOCK_PAGES)
        page_return_block(n, b->pages);
    for (size_t i = BLOCK_PAGES; i > 0 && b->nleft < BLOCK_PAGES; i--) // low ones are taken first
        if (b->left[(i - 1) / 64] >> (i - 1) % 64 & 1)
            page_unclaim(n, b->pages + (i - 1) * PAGE_SIZE);
    forget(b);
}

bool block_is_kept(struct node *n, const struct seg *s, uint64_t off)
{
    return s->kept && find(n, s, off);
}

// A record that is not in use. If all are, one block is given up for it, each in its turn.
static struct block *record(struct node *n)
{
    struct blocks *bs = &n->blocks;
    for (unsigned i = 0; i < BLOCKS_KEPT; i++)
        if (!bs->kept[i].seg)
            return &bs->kept[i];
    struct block *b = &bs->kept[bs->next];
    bs->next = (bs->next + 1) % BLOCKS_KEPT;
    give_up(n, b);
    return b;
}

void block_keep(struct node *n, struct seg *s, uint64_t off)
{
    ASSERT(!find(n, s, off));
    char *pages = page_take_block(n);
    if (!pages)
        return;
    struct block *b = record(n);
    *b = (struct block){
        .seg = s, .window = off >> BLOCK_SHIFT, .pages = pages, .nleft = BLOCK_PAGES};
    for (unsigned i = 0; i < BLOCK_PAGES / 64; i++)
        b->left[i] = UINT64_MAX;
    s->kept++;
}

static char *take(struct node *n, struct block *b, size_t i)
{
    char *page = b->pages + i * PAGE_SIZE;
    if (!(b->left[i / 64] >> i % 64 & 1) || !page_claim(n, page))
        return NULL;
    b->left[i / 64] &= ~(1ull << i % 64);
    b->nleft--;
    return page;
}

void *block_page(struct node *n, struct seg *s, uint64_t off)
{
    struct block *b = s->kept ? find(n, s, off) : NULL;
    char *page = b ? take(n, b, off / PAGE_SIZE % BLOCK_PAGES) : NULL;
    if (page && b->nleft == 0)
        forget(b);
    return page;
}

uint64_t block_run(struct node *n, struct seg *s, uint64_t off, const char *at, uint64_t len)
{
    struct block *b = find(n, s, off);
    size_t first = off / PAGE_SIZE % BLOCK_PAGES, i = first;
    if (!b || b->pages + first * PAGE_SIZE != at)
        return 0;
    while (i < first + len / PAGE_SIZE && take(n, b, i))
        i++;
    if (b->nleft == 0)
        forget(b);
    return (i - first) * PAGE_SIZE;
}

void block_forget(struct node *n, struct seg *s, uint64_t off, uint64_t len)
{
    for (unsigned i = 0; s->kept > 0 && i < BLOCKS_KEPT; i++) {
        struct block *b = &n->blocks.kept[i];
        uint64_t at = b->window << BLOCK_SHIFT;
        if (b->seg == s && at < off + len && off < at + BLOCK_BYTES)
            give_up(n, b);
    }
}

bool block_give_up(struct node *n)
{
    struct blocks *bs = &n->blocks;
    for (unsigned i = 0; i < BLOCKS_KEPT; i++) {
        struct block *b = &bs->kept[(bs->next + i) % BLOCKS_KEPT];
        if (!b->seg)
            continue;
        give_up(n, b);
        return true;
    }
    return false;
}
