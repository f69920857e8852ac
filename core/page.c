// SPDX-License-Identifier: BSD-2-Clause
// Physical pages: a count of holders for each, and the free ones in three places. Those that nobody took yet are ranges
// of indices, because to write into each of them would take a large board long at boot. Those that came back are a list
// through their first two words; it is doubly linked so that pages can be taken out of its middle. When the last page
// of a megapage comes back, all 512 leave the list and are a whole megapage.
//
// A single page is taken from the list; when that is empty, from a fresh range; then a whole megapage is broken into.
// So megapages stay whole as long as there is anything else. A broken one is a range again, of which pages are taken
// one after the other: it must have been used up before it can be put together again, which takes 512 steps and so
// costs each page one. Cached pages (page_cache) come last.
#include "core/page.h"

#include "core/config.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/poison.h"
#include "core/words.h"

#include <string.h>

// What a free page holds. The prev of the first one is stale: taking and giving then touch one page less, and
// take_from_list never looks at it.
struct free_page {
    struct free_page *next, *prev;
};

static void *page_at(const struct pages *ps, size_t index)
{
    return ps->base + (index << PAGE_SHIFT);
}

// Index of the page that p points into; span or more when it is not one of the range.
static size_t index_of(const struct pages *ps, const void *p)
{
    return ((uintptr_t)p - (uintptr_t)ps->base) >> PAGE_SHIFT;
}

// How many pages of p's megapage are on the list, or MEGAPAGE_WHOLE. Megapages count from address 0 here.
static inline uint16_t *listed_of(const struct pages *ps, const void *p)
{
    return (uint16_t *)(ps->listed + ((uintptr_t)p >> MEGAPAGE_SHIFT) * sizeof(uint16_t));
}

static void unlink_page(struct pages *ps, struct free_page *page)
{
    if (page == ps->free) {
        ps->free = page->next;
    } else {
        page->prev->next = page->next;
        if (page->next)
            page->next->prev = page->prev;
    }
}

// --- Whole megapages --------------------------------------------------------------------------------

// None of its pages is on the list, or anywhere else.
static void add_whole(struct pages *ps, struct free_page *megapage)
{
    *listed_of(ps, megapage) = MEGAPAGE_WHOLE;
    unpoison(megapage, sizeof *megapage);
    megapage->next = ps->whole;
    ps->whole = megapage;
    poison(megapage + 1, MEGAPAGE_BYTES - sizeof *megapage);
}

// There is one.
static void *take_whole(struct pages *ps)
{
    struct free_page *megapage = ps->whole;
    ps->whole = megapage->next;
    *listed_of(ps, megapage) = 0;
    poison(megapage, sizeof *megapage);
    return megapage;
}

// All pages of the megapage in which p lies are on the list: now it is whole.
__attribute__((noinline)) static void gather(struct pages *ps, void *p)
{
    char *megapage = (char *)p - ((uintptr_t)p & (MEGAPAGE_BYTES - 1));
    for (size_t i = 0; i < MEGAPAGE_PAGES; i++)
        unlink_page(ps, (struct free_page *)(void *)(megapage + i * PAGE_SIZE));
    add_whole(ps, (struct free_page *)(void *)megapage);
}

// --- The list ------------------------------------------------------------------------------------

static void list_page(struct pages *ps, void *p)
{
    struct free_page *page = p, *first = ps->free;
    unpoison(page, sizeof *page);
    page->next = first;
    if (first)
        first->prev = page;
    ps->free = page;
    poison(page + 1, PAGE_SIZE - sizeof *page);
    if (++*listed_of(ps, page) == MEGAPAGE_PAGES)
        gather(ps, page);
}

static void give_to_list(struct pages *ps, void *page)
{
    ps->free_count++;
    list_page(ps, page);
}

static void *hand_out_raw(struct pages *ps, size_t index)
{
    void *page = page_at(ps, index);
    ASSERT(ps->holders[index] == 0);
    ps->holders[index] = 1;
    unpoison(page, PAGE_SIZE);
    return page;
}

// A page off the list becomes its caller's: zeroed, so that no secret leaks from its last use.
static void *hand_out(struct pages *ps, size_t index)
{
    void *page = hand_out_raw(ps, index);
    words_clear(page, PAGE_SIZE);
    return page;
}

// Tests make one allocation fail: fail_after more succeed, then one does not.
static bool fails_for_test(struct pages *ps)
{
    return ps->fail_after >= 0 && ps->fail_after-- == 0;
}

// --- Fresh pages ---------------------------------------------------------------------------------

static bool is_fresh(const struct pages *ps, size_t index)
{
    for (unsigned i = 0; i < ps->nfresh; i++)
        if (index >= ps->fresh[i].next && index < ps->fresh[i].to)
            return true;
    return false;
}

// The lowest page of the first range that has one; NULL: there is none.
static struct page_fresh *first_fresh(struct pages *ps)
{
    for (unsigned i = 0; i < ps->nfresh; i++)
        if (ps->fresh[i].next < ps->fresh[i].to)
            return &ps->fresh[i];
    return NULL;
}

// A range that has count pages, the last one given; NULL: there is none.
static struct page_fresh *fresh_for_run(struct pages *ps, size_t count)
{
    for (unsigned i = ps->nfresh; i > 0; i--)
        if (ps->fresh[i - 1].to - ps->fresh[i - 1].next >= count)
            return &ps->fresh[i - 1];
    return NULL;
}

// The run at first is no longer fresh. It is the topmost of its gap: of a range that it reaches into nothing is left
// above it.
static void cut_fresh(struct pages *ps, size_t first, size_t count)
{
    for (unsigned i = 0; i < ps->nfresh; i++) {
        struct page_fresh *f = &ps->fresh[i];
        if (first < f->to && first + count > f->next)
            f->to = first > f->next ? (uint32_t)first : f->next;
    }
}

// --- Giving and taking ---------------------------------------------------------------------------

void page_init(struct node *n, void *base, size_t span, uint16_t *table)
{
    ASSERT(((uintptr_t)base & PAGE_MASK) == 0);
    ASSERT(span <= UINT32_MAX);
    memset(table, 0xff, span * sizeof *table); // PAGE_HOLE
    memset(table + span, 0, (PAGE_TABLE_LEN(span) - span) * sizeof *table);
    n->pages = (struct pages){.base = base,
                              .span = span,
                              .holders = table,
                              .listed = (uintptr_t)(table + span) - ((uintptr_t)base >> MEGAPAGE_SHIFT) * sizeof *table,
                              .nfresh = 1,
                              .fail_after = -1};
}

// Nothing of [first, end) was given before. To look at each page would take as long as to touch it.
static void check_new(const struct pages *ps, size_t first, size_t end)
{
    ASSERT(ps->holders[first] == PAGE_HOLE);
    ASSERT(ps->holders[end - 1] == PAGE_HOLE);
    for (unsigned i = 0; i < ps->nfresh; i++)
        ASSERT(ps->fresh[i].to <= first || ps->fresh[i].next >= end);
}

void page_add_range(struct node *n, void *from, void *to)
{
    struct pages *ps = &n->pages;
    ASSERT((uintptr_t)from >= (uintptr_t)ps->base);
    ASSERT((uintptr_t)to <= (uintptr_t)ps->base + (ps->span << PAGE_SHIFT));
    size_t first = ((uintptr_t)from - (uintptr_t)ps->base + PAGE_MASK) >> PAGE_SHIFT;
    size_t end = index_of(ps, to);
    if (first >= end)
        return;
    check_new(ps, first, end);
    memset(&ps->holders[first], 0, (end - first) * sizeof *ps->holders);
    ps->total += end - first;
    if (ps->nfresh < PAGE_FRESH_MAX) {
        ps->fresh[ps->nfresh++] = (struct page_fresh){(uint32_t)first, (uint32_t)end};
        ps->free_count += end - first;
        poison(page_at(ps, first), (end - first) << PAGE_SHIFT);
        return;
    }
    for (size_t i = end; i > first; i--) // from the top, so that low pages are given out first
        give_to_list(ps, page_at(ps, i - 1));
}

static size_t take_fresh(struct pages *ps, struct page_fresh *from)
{
    ps->free_count--;
    return from->next++;
}

static bool may_take(struct pages *ps)
{
    return ps->free_count > ps->floor && !fails_for_test(ps);
}

// --- Cached pages ----------------------------------------------------------------------------------

static void *take_cached(struct pages *ps, enum page_cached as)
{
    void **page = ps->cached[as];
    if (!page)
        return NULL;
    size_t index = index_of(ps, page);
    ASSERT(ps->holders[index] == PAGE_CACHED);
    ps->holders[index] = 0;
    (void)hand_out_raw(ps, index);
    ps->cached[as] = *page;
    ps->ncached[as]--;
    ps->free_count--;
    *page = NULL;
    return page;
}

void page_cache(struct node *n, enum page_cached as, void *p)
{
    struct pages *ps = &n->pages;
    size_t index = index_of(ps, p);
    if (ps->ncached[as] == CACHED_MAX) {
        page_drop(n, p);
        return;
    }
    ASSERT(ps->holders[index] == 1);
    ps->holders[index] = PAGE_CACHED;
    *(void **)p = ps->cached[as];
    ps->cached[as] = p;
    ps->ncached[as]++;
    ps->free_count++;
    poison(p, PAGE_SIZE);
}

void *page_take_cached(struct node *n, enum page_cached as)
{
    struct pages *ps = &n->pages;
    return ps->cached[as] && may_take(ps) ? take_cached(ps, as) : NULL;
}

// --- One page ------------------------------------------------------------------------------------

static void *take_listed(struct pages *ps)
{
    struct free_page *page = ps->free;
    ps->free = page->next;
    --*listed_of(ps, page);
    ps->free_count--;
    return hand_out_raw(ps, index_of(ps, page));
}

// Has one reservation given back. False: there is none.
static bool reclaim(struct node *n)
{
    return n->pages.shrink && n->pages.shrink(n);
}

// Nothing is on the list, but something is free.
__attribute__((noinline)) static void *take_unlisted(struct node *n)
{
    struct pages *ps = &n->pages;
    if (!first_fresh(ps) && !ps->whole)
        (void)reclaim(n); // a reservation's unused pages are on the list now, or a whole megapage
    if (ps->free)
        return take_listed(ps);
    struct page_fresh *fresh = first_fresh(ps);
    if (!fresh && ps->whole) {
        size_t first = index_of(ps, take_whole(ps));
        fresh = &ps->fresh[0]; // used up, as the others are
        *fresh = (struct page_fresh){(uint32_t)first, (uint32_t)(first + MEGAPAGE_PAGES)};
    }
    if (fresh)
        return hand_out_raw(ps, take_fresh(ps, fresh));
    void *page = NULL;
    for (unsigned i = 0; i < CACHED_KINDS && !page; i++)
        page = take_cached(ps, i);
    ASSERT(page);
    return page;
}

static void *take_page(struct node *n)
{
    return n->pages.free ? take_listed(&n->pages) : take_unlisted(n);
}

void *page_alloc_raw(struct node *n)
{
    return may_take(&n->pages) ? take_page(n) : NULL;
}

void *page_alloc(struct node *n)
{
    struct pages *ps = &n->pages;
    if (!may_take(ps))
        return NULL;
    void *page = take_cached(ps, CACHED_ZERO);
    if (page)
        return page;
    page = take_page(n);
    if (page)
        words_clear(page, PAGE_SIZE);
    return page;
}

// First index of the topmost run of count free pages; span when there is none.
static size_t find_run(const struct pages *ps, size_t count)
{
    size_t run = 0;
    for (size_t i = ps->span; i > 0; i--) {
        run = ps->holders[i - 1] == 0 ? run + 1 : 0;
        if (run == count)
            return i - 1;
    }
    return ps->span;
}

static void *run_from_fresh(struct pages *ps, struct page_fresh *from, size_t count)
{
    ps->free_count -= count;
    from->to -= (uint32_t)count;
    for (size_t i = from->to; i < from->to + count; i++)
        hand_out(ps, i);
    return page_at(ps, from->to);
}

// A run takes a page out of a whole megapage: the others are on the list now.
static void break_whole(struct pages *ps, char *page)
{
    char *megapage = page - ((uintptr_t)page & (MEGAPAGE_BYTES - 1));
    void **link = &ps->whole;
    while (*link != megapage)
        link = (void **)*link; // a free page's first word
    *link = ((struct free_page *)*link)->next;
    *listed_of(ps, megapage) = 0;
    for (size_t i = MEGAPAGE_PAGES; i > 0; i--)
        if (megapage + (i - 1) * PAGE_SIZE != page)
            list_page(ps, megapage + (i - 1) * PAGE_SIZE);
}

static void take_for_run(struct pages *ps, size_t index)
{
    void *page = page_at(ps, index);
    if (*listed_of(ps, page) == MEGAPAGE_WHOLE)
        break_whole(ps, page);
    else if (!is_fresh(ps, index))
        unlink_page(ps, page), --*listed_of(ps, page);
    ps->free_count--;
    hand_out(ps, index);
}

// Of pages that came back, and where that is not enough, of fresh ones beside them.
static void *run_from_both(struct pages *ps, size_t count)
{
    size_t first = find_run(ps, count);
    if (first == ps->span)
        return NULL;
    for (size_t i = first; i < first + count; i++)
        take_for_run(ps, i);
    cut_fresh(ps, first, count);
    return page_at(ps, first);
}

void *page_alloc_run(struct node *n, size_t count)
{
    struct pages *ps = &n->pages;
    ASSERT(count > 0);
    if (count > ps->free_count || fails_for_test(ps))
        return NULL;
    struct page_fresh *fresh = fresh_for_run(ps, count);
    if (fresh)
        return run_from_fresh(ps, fresh, count);
    while (reclaim(n))
        ;
    return run_from_both(ps, count);
}

void page_hold(struct node *n, const void *p)
{
    struct pages *ps = &n->pages;
    size_t i = index_of(ps, p);
    if (i >= ps->span || ps->holders[i] == PAGE_HOLE)
        return;
    ASSERT(ps->holders[i] > 0);
    ASSERT(ps->holders[i] < PAGE_HOLE - 1);
    ps->holders[i]++;
}

void page_drop(struct node *n, const void *p)
{
    struct pages *ps = &n->pages;
    size_t i = index_of(ps, p);
    if (i >= ps->span || ps->holders[i] == PAGE_HOLE)
        return;
    ASSERT(ps->holders[i] > 0);
    if (--ps->holders[i] == 0)
        give_to_list(ps, page_at(ps, i));
}

// Room is left for drivers, who hold pages for a moment and cannot be refused.
#define SHARES_MAX 0xf000u

bool page_can_share(const struct node *n, const void *p)
{
    size_t i = index_of(&n->pages, p);
    return i >= n->pages.span || n->pages.holders[i] == PAGE_HOLE || n->pages.holders[i] < SHARES_MAX;
}

bool page_is_shared(const struct node *n, const void *p)
{
    size_t i = index_of(&n->pages, p);
    return i >= n->pages.span || n->pages.holders[i] != 1;
}

size_t page_free_count(const struct node *n)
{
    return n->pages.free_count;
}

// --- Megapages --------------------------------------------------------------------------------------

// A megapage of fresh memory, the lowest of the first range that has one: what lies below it in the range is listed, so
// that single pages come from there.
static void *megapage_from_fresh(struct pages *ps)
{
    for (unsigned i = 0; i < ps->nfresh; i++) {
        struct page_fresh *f = &ps->fresh[i];
        size_t first = f->next + (-(uintptr_t)page_at(ps, f->next) & (MEGAPAGE_BYTES - 1)) / PAGE_SIZE;
        if (first + MEGAPAGE_PAGES > f->to)
            continue;
        for (size_t k = first; k > f->next; k--)
            list_page(ps, page_at(ps, k - 1));
        f->next = (uint32_t)(first + MEGAPAGE_PAGES);
        return page_at(ps, first);
    }
    return NULL;
}

// Cached pages are few, but each may be the last that a megapage lacks.
static void list_cached(struct pages *ps)
{
    for (unsigned i = 0; i < CACHED_KINDS; i++)
        while (ps->cached[i]) {
            void *page = take_cached(ps, i);
            ps->holders[index_of(ps, page)] = 0;
            give_to_list(ps, page);
        }
}

void *page_take_megapage(struct node *n)
{
    struct pages *ps = &n->pages;
    void *megapage = ps->whole ? NULL : megapage_from_fresh(ps);
    if (megapage)
        return megapage;
    if (!ps->whole)
        list_cached(ps);
    return ps->whole ? take_whole(ps) : NULL;
}

bool page_claim(struct node *n, void *page)
{
    struct pages *ps = &n->pages;
    if (!may_take(ps))
        return false;
    ps->free_count--;
    (void)hand_out_raw(ps, index_of(ps, page));
    return true;
}

void page_unclaim(struct node *n, void *page)
{
    ASSERT(n->pages.holders[index_of(&n->pages, page)] == 0);
    list_page(&n->pages, page);
}

void page_return_megapage(struct node *n, void *megapage)
{
    add_whole(&n->pages, megapage);
}
