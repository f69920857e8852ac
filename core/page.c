// SPDX-License-Identifier: BSD-2-Clause
// Physical pages: a count of holders for each, and a list of the free ones through their first two
// words. The list is doubly linked so that page_alloc_run can take a page out of its middle.
#include "core/page.h"

#include "core/config.h"
#include "core/entry.h"
#include "core/node.h"
#include "core/poison.h"

#include <string.h>

// What a free page holds. The prev of the first one is stale: taking and giving then touch one page
// less, and take_from_list never looks at it.
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

static void give_to_list(struct pages *ps, struct free_page *page)
{
    struct free_page *first = ps->free;
    page->next = first;
    if (first)
        first->prev = page;
    ps->free = page;
    ps->free_count++;
    poison(page + 1, PAGE_SIZE - sizeof *page);
}

static void take_from_list(struct pages *ps, struct free_page *page)
{
    if (page == ps->free) {
        ps->free = page->next;
    } else {
        page->prev->next = page->next;
        if (page->next)
            page->next->prev = page->prev;
    }
    ps->free_count--;
}

// A page off the list becomes its caller's: zeroed, so that no secret leaks from its last use.
static void *hand_out(struct pages *ps, size_t index)
{
    void *page = page_at(ps, index);
    ASSERT(ps->holders[index] == 0);
    ps->holders[index] = 1;
    unpoison(page, PAGE_SIZE);
    memset(page, 0, PAGE_SIZE);
    return page;
}

// Tests make one allocation fail: fail_after more succeed, then one does not.
static bool fails_for_test(struct pages *ps)
{
    return ps->fail_after >= 0 && ps->fail_after-- == 0;
}

void page_init(struct node *n, void *base, size_t span, uint16_t *holders)
{
    ASSERT(((uintptr_t)base & PAGE_MASK) == 0);
    for (size_t i = 0; i < span; i++)
        holders[i] = PAGE_HOLE;
    n->pages = (struct pages){.base = base, .span = span, .holders = holders, .fail_after = -1};
}

void page_add_range(struct node *n, void *from, void *to)
{
    struct pages *ps = &n->pages;
    ASSERT((uintptr_t)from >= (uintptr_t)ps->base);
    ASSERT((uintptr_t)to <= (uintptr_t)ps->base + (ps->span << PAGE_SHIFT));
    size_t first = ((uintptr_t)from - (uintptr_t)ps->base + PAGE_MASK) >> PAGE_SHIFT;
    // From the top, so that low pages are given out first and runs are found at the top.
    for (size_t i = index_of(ps, to); i > first; i--) {
        ASSERT(ps->holders[i - 1] == PAGE_HOLE);
        ps->holders[i - 1] = 0;
        give_to_list(ps, page_at(ps, i - 1));
        ps->total++;
    }
}

void *page_alloc(struct node *n)
{
    struct pages *ps = &n->pages;
    struct free_page *page = ps->free;
    if (!page || fails_for_test(ps))
        return NULL;
    take_from_list(ps, page);
    return hand_out(ps, index_of(ps, page));
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

void *page_alloc_run(struct node *n, size_t count)
{
    struct pages *ps = &n->pages;
    ASSERT(count > 0);
    if (count > ps->free_count || fails_for_test(ps))
        return NULL;
    size_t first = find_run(ps, count);
    if (first == ps->span)
        return NULL;
    for (size_t i = first; i < first + count; i++) {
        take_from_list(ps, page_at(ps, i));
        hand_out(ps, i);
    }
    return page_at(ps, first);
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

size_t page_free_count(const struct node *n)
{
    return n->pages.free_count;
}
