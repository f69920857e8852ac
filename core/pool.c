// SPDX-License-Identifier: BSD-2-Clause
// Records of one size. Each page begins with a header, so that a record finds its page by its address alone:
//
//   0                   64        64 + size                           4096
//   | struct pool_page  | record  | record  | ...            | unused |
#include "core/pool.h"

#include "core/config.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/poison.h"
#include "core/words.h"

#define POOL_MAGIC 0x6c6f6f705f746f72ull // "rot_pool"
#define POOL_HEADER 64u
#define FREE_MARK 0xf7eef7eef7eef7eeull

// What a free record holds. The mark, mixed with the address, tells a record that is freed twice.
struct free_rec {
    struct free_rec *next;
    uint64_t mark;
};

struct pool_page {
    uint64_t magic;
    struct list link; // pool->partial; linked to itself when full
    struct pool *pool;
    struct free_rec *free;
    size_t used;
};
_Static_assert(sizeof(struct pool_page) <= POOL_HEADER, "the header fits its place");

static uint64_t mark_of(const void *rec)
{
    return FREE_MARK ^ (uint64_t)(uintptr_t)rec;
}

static struct pool_page *page_of(const struct pool *p, void *rec)
{
    struct pool_page *pg = (struct pool_page *)((uintptr_t)rec & ~PAGE_MASK);
    ASSERT(pg->magic == POOL_MAGIC);
    ASSERT(pg->pool == p);
    ASSERT(pg->used > 0);
    ASSERT(((uintptr_t)rec & PAGE_MASK) >= POOL_HEADER);
    ASSERT((((uintptr_t)rec & PAGE_MASK) - POOL_HEADER) % p->size == 0);
    return pg;
}

static void put_on_page(const struct pool *p, struct pool_page *pg, struct free_rec *r)
{
    r->next = pg->free;
    r->mark = mark_of(r);
    pg->free = r;
    poison(r + 1, p->size - sizeof *r);
}

static struct pool_page *new_page(struct node *n, struct pool *p)
{
    struct pool_page *pg = page_alloc_raw(n); // a record is zeroed when it is given out
    if (!pg)
        return NULL;
    pg->magic = POOL_MAGIC;
    pg->pool = p;
    pg->used = 0;
    pg->free = NULL;
    size_t count = (PAGE_SIZE - POOL_HEADER) / p->size;
    for (size_t i = count; i > 0; i--)
        put_on_page(p, pg, (void *)((char *)pg + POOL_HEADER + (i - 1) * p->size));
    list_add(&p->partial, &pg->link);
    return pg;
}

void pool_init(struct pool *p, const char *name, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    ASSERT(size >= sizeof(struct free_rec));
    ASSERT(size <= PAGE_SIZE - POOL_HEADER);
    *p = (struct pool){.size = size, .name = name};
    list_init(&p->partial);
}

void *pool_alloc(struct node *n, struct pool *p)
{
    struct pool_page *pg =
        list_empty(&p->partial) ? new_page(n, p) : LIST_ENTRY(p->partial.next, struct pool_page, link);
    if (!pg)
        return NULL;
    struct free_rec *r = pg->free;
    ASSERT(r->mark == mark_of(r)); // else somebody wrote to it after it was freed
    pg->free = r->next;
    pg->used++;
    p->used++;
    if (!pg->free)
        list_del(&pg->link);
    unpoison(r, p->size);
    words_clear(r, p->size);
    return r;
}

void pool_free(struct node *n, struct pool *p, void *rec)
{
    struct pool_page *pg = page_of(p, rec);
    struct free_rec *r = rec;
    ASSERT(r->mark != mark_of(r)); // freed twice
    if (!pg->free)
        list_add(&p->partial, &pg->link);
    put_on_page(p, pg, r);
    p->used--;
    if (--pg->used > 0)
        return;
    list_del(&pg->link);
    pg->magic = 0;
    page_drop(n, pg);
}
