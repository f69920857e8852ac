// SPDX-License-Identifier: BSD-2-Clause
#include "core/proc.h"
#include "core/abi.h"
#include "core/cap.h"
#include "core/entry.h"
#include "core/node.h"
#include "core/port.h"
#include "core/sched.h"
#include "core/task.h"
#include <string.h>

static struct list *bucket(struct node *n, ep_t ep)
{
    return &n->procs_hash[ep % PROCS_HASH];
}

int proc_create(struct node *n, ep_t ep, struct proc **out)
{
    if (ep != EP_NONE && (proc_by_ep(n, ep) || proc_by_pid(n, (uint32_t)ep & CAP_OBJ_MAX)))
        return -E_EXISTS;
    struct proc *p = pool_alloc(n, &n->pool_proc);
    if (!p)
        return -E_MEM;
    p->node = n;
    p->state = PROC_ARRIVING;
    list_init(&p->threads);
    list_init(&p->getters);
    list_init(&p->recs);
    list_init(&p->queue);
    p->next_tid = 1;
    p->stopped_ns = node_now(n);
    if (arch_aspace_init(n, &p->aspace) < 0) {
        pool_free(n, &n->pool_proc, p);
        return -E_MEM;
    }
    if (ep == EP_NONE) {
        // What people type must be unique here; across the ring 24 random bits do.
        do
            p->ep = node_random64(n);
        while (((uint32_t)p->ep & CAP_OBJ_MAX) == 0 ||
               proc_by_pid(n, (uint32_t)p->ep & CAP_OBJ_MAX));
        node_random(n, &p->ctl_get, sizeof p->ctl_get);
        node_random(n, p->key, sizeof p->key);
        p->ctl_put = cap_put_port(p->ctl_get);
        p->time_offset = 0 - node_now(n);
    } else {
        p->ep = ep;
    }
    p->pid = (uint32_t)p->ep & CAP_OBJ_MAX;
    list_add_tail(&n->procs, &p->link);
    list_add_tail(bucket(n, p->ep), &p->hash_link);
    *out = p;
    return 0;
}

static void free_maps(struct node *n, struct proc *p)
{
    for (uint32_t i = 0; i < p->nmaps; i++)
        seg_drop(n, p->maps[i].seg);
    p->nmaps = 0;
}

void proc_destroy(struct node *n, struct proc *p, bool silent)
{
    ASSERT(p->on_harts == 0 && p != n->kproc);
    ep_t ep = p->ep;
    proc_set_state(p, PROC_DEAD); // nobody finds it from here on
    for (uint32_t i = 0; i < PROC_PORTS_MAX; i++)
        if (!port_is_null(p->ports[i].put))
            port_remove(n, p->ports[i].put, p, NULL);
    list_del(&p->hash_link);
    txn_proc_gone(n, p, silent);
    LIST_FOR_SAFE (l, next, &p->threads)
        thread_destroy(n, LIST_ENTRY(l, struct thread, link));
    arch_aspace_free(n, &p->aspace);
    free_maps(n, p);
    list_del(&p->link);
    pool_free(n, &n->pool_proc, p);
    txn_kick_peer(n, ep);
}

void proc_take_place(struct node *n, struct proc *p, struct proc *q)
{
    list_del(&p->hash_link);
    list_del(&q->hash_link);
    q->ep = p->ep;
    q->pid = p->pid;
    q->ctl_get = p->ctl_get;
    q->ctl_put = p->ctl_put;
    memcpy(q->key, p->key, sizeof q->key);
    list_add_tail(bucket(n, q->ep), &q->hash_link);
    port_about(n, p->ctl_put, p, q);
}

struct proc *proc_by_ep(struct node *n, ep_t ep)
{
    LIST_FOR (l, bucket(n, ep)) {
        struct proc *p = LIST_ENTRY(l, struct proc, hash_link);
        if (p->ep == ep)
            return p;
    }
    return NULL;
}

struct proc *proc_by_pid(struct node *n, uint32_t pid)
{
    LIST_FOR (l, &n->procs) {
        struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (p->pid == pid)
            return p;
    }
    return NULL;
}

void proc_set_state(struct proc *p, enum proc_state s)
{
    ASSERT(s < PROC_STATES);
    trace(p->node, TRACE_PROC, p->pid, p->state, s);
    p->node->changes++;
    if (s == PROC_STUNNED && (p->state == PROC_RUN || p->state == PROC_STUNNING))
        p->stopped_ns = node_now(p->node);
    p->state = s;
}

const char *proc_state_name(enum proc_state s)
{
    static const char *const names[PROC_STATES] = {
        "arriving", "run", "stunning", "stunned", "moving", "in doubt", "dead",
    };
    return s < PROC_STATES ? names[s] : "?";
}

// --- Maps -----------------------------------------------------------------------------------------

struct map *proc_find_map(struct proc *p, uint64_t va)
{
    uint32_t lo = 0, hi = p->nmaps;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        struct map *m = &p->maps[mid];
        if (va < m->va)
            hi = mid;
        else if (va - m->va >= m->len)
            lo = mid + 1;
        else {
            p->last_map = mid * (uint32_t)sizeof *m;
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
        const struct map *m = &p->maps[i];
        if (m != except && va < m->va + m->len && m->va < va + len)
            return false;
    }
    return true;
}

static bool range_valid(uint64_t va, uint64_t len)
{
    return len > 0 && !((va | len) & PAGE_MASK) && va >= USER_BASE && va < USER_END &&
           len <= USER_END - va;
}

static bool flags_valid(uint32_t flags)
{
    uint32_t guard = MAP_GUARD_LOG2(flags);
    if ((flags & ~MAP_ALL) || !(flags & MAP_RIGHTS))
        return false;
    return guard == 0 ||
           (guard > PAGE_SHIFT && guard <= 30 && !(flags & (MAP_GROW_UP | MAP_GROW_DOWN)));
}

int proc_map(struct node *n, struct proc *p, uint64_t va, uint64_t len, struct seg *seg,
             uint64_t off, uint32_t flags)
{
    (void)n;
    if (!range_valid(va, len) || (off & PAGE_MASK) || off > seg->len || len > seg->len - off ||
        !flags_valid(flags))
        return -E_ARG;
    if (p->nmaps == PROC_MAPS_MAX)
        return -E_LIMIT;
    if (!range_free(p, va, len, NULL))
        return -E_OVERLAP;
    uint32_t i = p->nmaps++;
    for (; i > 0 && p->maps[i - 1].va > va; i--)
        p->maps[i] = p->maps[i - 1];
    p->maps[i] = (struct map){.va = va, .len = len, .seg = seg, .off = off, .flags = flags};
    return 0;
}

int proc_unmap(struct node *n, struct proc *p, uint64_t va)
{
    struct map *m = map_starting(p, va);
    if (!m)
        return -E_ARG;
    arch_aspace_unmap(n, &p->aspace, m->va, m->len);
    seg_drop(n, m->seg);
    for (uint32_t i = (uint32_t)(m - p->maps); i + 1 < p->nmaps; i++)
        p->maps[i] = p->maps[i + 1];
    p->maps[--p->nmaps].len = 0; // proc_map_covers may look at it
    return 0;
}

static uint64_t mem_mapped(const struct proc *p)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < p->nmaps; i++)
        sum += p->maps[i].len;
    return sum;
}

int proc_grow(struct node *n, struct proc *p, uint64_t va, uint64_t len)
{
    struct map *m = map_starting(p, va);
    len = PAGES_FOR(len) * PAGE_SIZE;
    if (!m || !(m->flags & MAP_GROW_UP) || !range_valid(va, len))
        return -E_ARG;
    if (!range_free(p, va, len, m))
        return -E_OVERLAP;
    if (p->mem_limit && len > m->len && mem_mapped(p) + (len - m->len) > p->mem_limit)
        return -E_LIMIT;
    if (len < m->len)
        arch_aspace_unmap(n, &p->aspace, va + len, m->len - len);
    int r = seg_resize(n, m->seg, m->off + len);
    if (r < 0)
        return r;
    m->len = len;
    return 0;
}

uint64_t proc_find_gap(struct proc *p, uint64_t len)
{
    // From 16 GiB up, where neither the program nor its heap gets to, with an unmapped page between mappings
    // so that running over an end faults.
    uint64_t at = 0x400000000ull;
    for (uint32_t i = 0; i < p->nmaps; i++) {
        const struct map *m = &p->maps[i];
        if (m->va + m->len <= at)
            continue;
        if (m->va >= at + len + PAGE_SIZE)
            break;
        at = m->va + m->len + PAGE_SIZE;
    }
    return range_valid(at, len) ? at : 0;
}

// A stack is a segment whose pages below the mapping are reserved at the front of it: off counts how many bytes
// of the segment lie below the present mapping and may still be taken.
static struct map *grow_stack(struct proc *p, uint64_t va)
{
    for (uint32_t i = 0; i < p->nmaps; i++) {
        struct map *m = &p->maps[i];
        if (m->va <= va)
            continue;
        uint64_t need = m->va - (va & ~PAGE_MASK);
        if (!(m->flags & MAP_GROW_DOWN) || need > m->off || !range_free(p, m->va - need, need, m))
            return NULL;
        m->va -= need;
        m->off -= need;
        m->len += need;
        return m;
    }
    return NULL;
}

struct map *proc_map_at(struct proc *p, uint64_t va)
{
    struct map *m = proc_find_map(p, va);
    if (!m)
        return grow_stack(p, va);
    return map_run(m, va) > 0 ? m : NULL;
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

int proc_fault(struct node *n, struct proc *p, uint64_t va, unsigned prot)
{
    struct map *m = proc_map_at(p, va);
    _Static_assert(PROT_R == MAP_READ && PROT_W == MAP_WRITE && PROT_X == MAP_EXEC,
                   "one set of bits");
    if (!m || (m->flags & prot) != prot)
        return -E_FAULT;
    void *page = seg_page(n, m->seg, m->off + (va - m->va), true);
    if (!page)
        return -E_MEM;
    return arch_aspace_map(n, &p->aspace, va & ~PAGE_MASK, page,
                           m->flags & (PROT_R | PROT_W | PROT_X));
}

// --- Life -----------------------------------------------------------------------------------------

static void leave_harts(struct node *n, struct proc *p)
{
    LIST_FOR (l, &p->threads) {
        struct thread *t = LIST_ENTRY(l, struct thread, link);
        if (t->state == THREAD_READY)
            sched_remove(n, t);
        else if (t->hart && t->hart != arch_this_hart())
            arch_kick(t->hart);
    }
}

int proc_stun(struct node *n, struct proc *p)
{
    if (p->state != PROC_RUN || p == n->kproc)
        return -E_STATE;
    proc_set_state(p, PROC_STUNNING);
    leave_harts(n, p);
    if (p->on_harts == 0) {
        proc_set_state(p, PROC_STUNNED);
        task_wake(n, &p->stun_event);
    }
    return 0;
}

static void later(uint64_t *at_ns, uint64_t by)
{
    if (*at_ns != UINT64_MAX)
        *at_ns = *at_ns < UINT64_MAX - 1 - by ? *at_ns + by : UINT64_MAX - 1;
}

int proc_resume(struct node *n, struct proc *p)
{
    if (p->state != PROC_STUNNED && p->state != PROC_MOVING && p->state != PROC_ARRIVING &&
        p->state != PROC_DOUBT)
        return -E_STATE;
    proc_set_state(p, PROC_RUN);
    p->runs++;
    p->fault = (struct proc_fault){0};
    uint64_t stood = node_now(n) - p->stopped_ns;
    p->time_offset -= stood;
    LIST_FOR (l, &p->threads) {
        struct thread *t = LIST_ENTRY(l, struct thread, link);
        later(&t->wake_ns, stood);
        if (t->state == THREAD_CALL)
            later(&t->call.deadline_ns, stood);
        if (t->state == THREAD_READY)
            sched_ready(n, t);
        else if (t->wake_ns != UINT64_MAX)
            timer_set(n, &t->timer, t->wake_ns);
    }
    txn_kick_proc(n, p);
    return 0;
}

void proc_finish(struct node *n, struct proc *p, int64_t status)
{
    if (p->state == PROC_DEAD || p == n->kproc)
        return;
    proc_set_state(p, PROC_DEAD);
    p->exit_status = status;
    leave_harts(n, p);
    if (p->on_harts == 0)
        task_wake(n, &n->procs);
}

struct cap proc_cap(struct proc *p, uint32_t rights)
{
    return cap_make(p->ctl_put, p->pid, rights, p->key);
}

void entry_fault(struct hart *h, struct thread *t, enum fault_kind kind, uint64_t addr,
                 uint64_t cause)
{
    struct node *n = h->node;
    struct proc *p = t->proc;
    int r = -E_FAULT;
    if (kind == FAULT_READ || kind == FAULT_WRITE || kind == FAULT_EXEC) {
        unsigned prot = kind == FAULT_READ ? PROT_R : kind == FAULT_WRITE ? PROT_W : PROT_X;
        r = proc_fault(n, p, addr, prot);
        if (r == 0)
            return;
    }
    trace(n, TRACE_FAULT, (uint32_t)kind, addr, t->regs.pc);
    p->fault = (struct proc_fault){.kind = (uint32_t)kind,
                                   .tid = t->tid,
                                   .error = r,
                                   .cause = cause,
                                   .addr = addr,
                                   .pc = t->regs.pc};
    proc_finish(n, p, r);
}
