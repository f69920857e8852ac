// SPDX-License-Identifier: BSD-2-Clause
// Mappings of segments in a process, and what becomes of a fault: growth of a stack, a page made, a page copied.
#include "core/map.h"

#include "core/abi.h"
#include "core/cap.h"
#include "core/error.h"
#include "core/node.h"

const struct map map_none;

struct map *proc_find_map(struct proc *p, uint64_t va)
{
    const struct map *last = p->last_map; // never one with guard pages: see below
    if (va - last->va < last->len)
        return (struct map *)last;
    uint32_t lo = 0, hi = p->nmaps;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        struct map *m = p->maps[mid];
        if (va < m->va)
            hi = mid;
        else if (va - m->va >= m->len)
            lo = mid + 1;
        else {
            if (MAP_GUARD_LOG2(m->flags) == 0) // proc_map_covers does not look for guard pages
                p->last_map = m;
            return m;
        }
    }
    return NULL;
}

static struct map *map_starting(struct proc *p, uint64_t va)
{
    struct map *m = proc_find_map(p, va);
    return m && m->va == va ? m : NULL;
}

static bool range_free(const struct proc *p, uint64_t va, uint64_t len, const struct map *except)
{
    for (uint32_t i = 0; i < p->nmaps; i++) {
        const struct map *m = p->maps[i];
        if (m != except && va < m->va + m->len && m->va < va + len)
            return false;
    }
    return true;
}

static bool range_valid(uint64_t va, uint64_t len)
{
    return len > 0 && !((va | len) & PAGE_MASK) && va >= USER_BASE && va < USER_END && len <= USER_END - va;
}

static bool flags_valid(uint32_t flags)
{
    uint32_t guard = MAP_GUARD_LOG2(flags);
    if ((flags & ~MAP_ALL) || !(flags & MAP_RIGHTS))
        return false;
    return guard == 0 || (guard > PAGE_SHIFT && guard <= 30 && !(flags & (MAP_GROW_UP | MAP_GROW_DOWN)));
}

int proc_map(struct node *n, struct proc *p, uint64_t va, uint64_t len, struct seg *seg, uint64_t off, uint32_t flags)
{
    if (!range_valid(va, len) || (off & PAGE_MASK) || off > seg->len || len > seg->len - off || !flags_valid(flags))
        return -E_ARG;
    if (p->nmaps == PROC_MAPS_MAX)
        return -E_LIMIT;
    if (!range_free(p, va, len, NULL))
        return -E_OVERLAP;
    struct map *m = pool_alloc(n, &n->pool_map);
    if (!m)
        return -E_MEM;
    m->proc = p;
    m->va = va, m->len = len, m->off = off, m->flags = flags;
    m->seg = seg;
    list_add_tail(&seg->maps, &m->seg_link);
    uint32_t i = p->nmaps++;
    for (; i > 0 && p->maps[i - 1]->va > va; i--)
        p->maps[i] = p->maps[i - 1];
    p->maps[i] = m;
    return 0;
}

uint64_t proc_used(const struct proc *p)
{
    uint64_t used = p->nthreads > 1 ? (p->nthreads - 1) * THREAD_COST_BYTES : 0;
    for (uint32_t i = 0; i < p->nmaps; i++)
        used += p->maps[i]->len;
    return used + p->pinned_bytes;
}

uint64_t proc_pages(const struct proc *p)
{
    uint64_t pages = 0;
    for (uint32_t i = 0; i < p->nmaps; i++)
        pages += p->maps[i]->seg->pages;
    return pages;
}

int proc_room(const struct proc *p, uint64_t more)
{
    uint64_t used = p->mem_limit ? proc_used(p) : 0;
    return p->mem_limit && (used > p->mem_limit || more > p->mem_limit - used) ? -E_LIMIT : 0;
}

uint64_t proc_find_gap(struct proc *p, uint64_t len)
{
    // From 16 GiB up, where neither the program nor its heap gets to, with an unmapped page between mappings so that
    // running over an end faults. What is long enough for an extent begins where one may.
    uint64_t at = 0x400000000ull, align = len < MEGAPAGE_BYTES ? PAGE_SIZE : MEGAPAGE_BYTES;
    for (uint32_t i = 0; i < p->nmaps; i++) {
        const struct map *m = p->maps[i];
        if (m->va + m->len <= at)
            continue;
        if (m->va >= at + len + PAGE_SIZE)
            break;
        at = (m->va + m->len + PAGE_SIZE + align - 1) & ~(align - 1);
    }
    return range_valid(at, len) ? at : 0;
}

// The part of s that is asked for, as a segment of the process's own. *seg has a ref for the mapping.
static int map_copy(struct node *n, struct seg *s, uint64_t *off, uint64_t len, struct seg **seg)
{
    int r = seg_clone(n, s, *off, len, seg);
    *off = 0;
    return r;
}

static int map_shared(struct seg *s, uint32_t flags, struct seg **seg)
{
    if (flags & (MAP_GROW_UP | MAP_GROW_DOWN)) // a shared segment may not grow: its length belongs to all who map it
        return -E_ARG;
    if (!s->named)
        return -E_STATE;
    seg_hold(s);
    *seg = s;
    return 0;
}

static int cap_seg(struct node *n, const struct cap *cap, uint32_t flags, struct seg **out)
{
    if (!port_eq(cap->port, n->seg_put))
        return -E_NOTHERE;
    struct seg *s = cap_obj(cap) ? seg_find(n, cap_obj(cap)) : NULL;
    if (!s)
        return -E_OBJECT;
    bool writes = (flags & MAP_WRITE) && !(flags & MAP_COPY);
    *out = s;
    return cap_verify(cap, seg_key(n, s), writes ? RIGHT_READ | RIGHT_WRITE : RIGHT_READ);
}

int64_t proc_map_cap(struct node *n, struct proc *p, const struct cap *cap, uint64_t va, uint64_t off, uint64_t len,
                     uint32_t flags)
{
    struct seg *s, *seg;
    uint32_t map_flags = flags & ~MAP_COPY;
    if (!flags_valid(map_flags))
        return -E_ARG;
    int r = cap_seg(n, cap, flags, &s);
    if (r < 0)
        return r;
    if ((off & PAGE_MASK) || off >= s->len || len > s->len - off)
        return -E_ARG;
    len = len ? PAGES_FOR(len) * PAGE_SIZE : s->len - off;
    r = proc_room(p, len);
    if (r < 0)
        return r;
    if (va == 0 && (va = proc_find_gap(p, len)) == 0)
        return -E_MEM;
    r = flags & MAP_COPY ? map_copy(n, s, &off, len, &seg) : map_shared(s, flags, &seg);
    if (r == 0) {
        r = proc_map(n, p, va, len, seg, off, map_flags);
        if (r < 0)
            seg_drop(n, seg);
    }
    return r < 0 ? r : (int64_t)va;
}

bool proc_shares(const struct proc *p)
{
    for (uint32_t i = 0; i < p->nmaps; i++) {
        const struct seg *s = p->maps[i]->seg;
        if (s->named)
            return true;
        LIST_FOR (l, &s->maps)
            if (LIST_ENTRY(l, struct map, seg_link)->proc != p)
                return true;
    }
    return false;
}

static void map_free(struct node *n, struct map *m)
{
    m->proc->last_map = &map_none;
    list_del(&m->seg_link);
    seg_drop(n, m->seg);
    pool_free(n, &n->pool_map, m);
}

void map_drop_all(struct node *n, struct proc *p)
{
    for (uint32_t i = 0; i < p->nmaps; i++)
        map_free(n, p->maps[i]);
    p->nmaps = 0;
}

int proc_unmap(struct node *n, struct proc *p, uint64_t va)
{
    struct map *m = map_starting(p, va);
    if (!m)
        return -E_ARG;
    arch_aspace_unmap(n, &p->aspace, m->va, m->len);
    uint32_t i = 0;
    while (p->maps[i] != m)
        i++;
    for (p->nmaps--; i < p->nmaps; i++)
        p->maps[i] = p->maps[i + 1];
    map_free(n, m);
    return 0;
}

int proc_grow(struct node *n, struct proc *p, uint64_t va, uint64_t len)
{
    struct map *m = map_starting(p, va);
    len = PAGES_FOR(len) * PAGE_SIZE;
    if (!m || !(m->flags & MAP_GROW_UP) || !range_valid(va, len))
        return -E_ARG;
    if (!range_free(p, va, len, m))
        return -E_OVERLAP;
    if (len > m->len && proc_room(p, len - m->len) < 0)
        return -E_LIMIT;
    // A segment that others have too never gets shorter under them; nor does it by growing.
    uint64_t end = m->off + len;
    bool cut = len < m->len && m->seg->refs == 1;
    int r = cut || end > m->seg->len ? seg_resize(n, m->seg, end) : 0;
    if (r < 0)
        return r;
    if (len < m->len)
        arch_aspace_unmap(n, &p->aspace, va + len, m->len - len);
    m->len = len;
    return 0;
}

// A stack is a segment whose pages below the mapping are reserved at the front of it: off counts how many bytes of the
// segment lie below the present mapping and may still be taken.
static int grow_stack(struct proc *p, uint64_t va, struct map **out)
{
    for (uint32_t i = 0; i < p->nmaps; i++) {
        struct map *m = p->maps[i];
        if (m->va <= va)
            continue;
        uint64_t need = m->va - (va & ~PAGE_MASK);
        if (!(m->flags & MAP_GROW_DOWN) || need > m->off || !range_free(p, m->va - need, need, m))
            break;
        if (proc_room(p, need) < 0)
            return -E_LIMIT;
        m->va -= need;
        m->off -= need;
        m->len += need;
        *out = m;
        return 0;
    }
    return -E_FAULT;
}

// As proc_map_at; E_LIMIT: a stack would have to grow past the process's limit.
static int map_at(struct proc *p, uint64_t va, struct map **out)
{
    *out = proc_find_map(p, va);
    if (!*out)
        return grow_stack(p, va, out);
    return map_run(*out, va) > 0 ? 0 : -E_FAULT;
}

struct map *proc_map_at(struct proc *p, uint64_t va)
{
    struct map *m;
    return map_at(p, va, &m) == 0 ? m : NULL;
}

uint64_t map_run(const struct map *m, uint64_t va)
{
    uint32_t guard = MAP_GUARD_LOG2(m->flags);
    uint64_t off = va - m->va, run = m->len - off;
    if (guard == 0)
        return run;
    uint64_t stride = 1ull << guard, in = off & (stride - 1);
    return in < PAGE_SIZE ? 0 : run < stride - in ? run : stride - in;
}

// May extents of its segment have a translation of their own? They must lie in its addresses as they do in the segment.
// Stacks grow by less.
static bool shows_extents(const struct map *m)
{
    return ((m->va ^ m->off) & (MEGAPAGE_BYTES - 1)) == 0 && MAP_GUARD_LOG2(m->flags) == 0 &&
           !(m->flags & MAP_GROW_DOWN);
}

// What a fault makes a translation of.
struct view {
    uint64_t va, len;
    void *page; // and those behind it
};

// The whole extent around it instead, where it is in one piece and in the mapping.
static void widen(const struct map *m, struct view *v)
{
    uint64_t from = v->va & ~(MEGAPAGE_BYTES - 1);
    void *pages = seg_extent(m->seg, m->off + (v->va - m->va));
    if (pages && from >= m->va && from + MEGAPAGE_BYTES <= m->va + m->len)
        *v = (struct view){from, MEGAPAGE_BYTES, pages};
}

// A fault where extents may be; off: of v->va in the segment. Apart, as small programs come by only.
__attribute__((noinline)) static int fault_in_extents(struct node *n, const struct map *m, struct view v, uint64_t off,
                                                      unsigned prot)
{
    bool writable = true;
    v.page = prot & PROT_W ? seg_page_ahead(n, m->seg, off, m->va + m->len - v.va, &v.len)
                           : seg_page_in(n, m->seg, off, &writable);
    if (!v.page)
        return -E_MEM;
    widen(m, &v);
    unsigned rights = m->flags & (writable ? PROT_R | PROT_W | PROT_X : PROT_R | PROT_X);
    struct arch_aspace *as = &m->proc->aspace;
    return v.len == PAGE_SIZE ? arch_aspace_map(n, as, v.va, v.page, rights)
                              : arch_aspace_map_run(n, as, v.va, v.page, v.len, rights);
}

static int fault(struct node *n, struct proc *p, uint64_t va, unsigned prot)
{
    struct map *m;
    _Static_assert(PROT_R == MAP_READ && PROT_W == MAP_WRITE && PROT_X == MAP_EXEC, "one set of bits");
    int e = map_at(p, va, &m);
    if (e < 0)
        return e;
    if ((m->flags & prot) != prot)
        return -E_FAULT;
    bool writable = true;
    uint64_t off = m->off + (va - m->va);
    if (off >= m->seg->len) // somebody made the segment shorter than the mapping
        return -E_FAULT;
    if (shows_extents(m))
        return fault_in_extents(n, m, (struct view){va & ~PAGE_MASK, PAGE_SIZE, NULL}, off & ~PAGE_MASK, prot);
    void *page = prot & PROT_W ? seg_page(n, m->seg, off, true) : seg_page_in(n, m->seg, off, &writable);
    if (!page)
        return -E_MEM;
    unsigned rights = m->flags & (PROT_R | PROT_W | PROT_X);
    if (!writable)
        rights &= ~PROT_W;
    return arch_aspace_map(n, &p->aspace, va & ~PAGE_MASK, page, rights);
}

int proc_fault(struct node *n, struct proc *p, uint64_t va, unsigned prot)
{
    p->faults++;
    n->pages.floor = PAGE_RESERVE;
    int r = fault(n, p, va, prot);
    n->pages.floor = 0;
    return r;
}
