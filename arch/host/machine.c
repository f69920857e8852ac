// SPDX-License-Identifier: BSD-2-Clause
// arch/arch.h for a process of Linux, all but the contexts. One thread: a lock only asserts that it is used in pairs.
// U-mode is whatever guest_run makes of it.
#include "arch/host/host.h"
#include "core/error.h"
#include "core/panic.h"
#include "core/trace.h"

#include <execinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EPITAPH_EVENTS 40
#define BACKTRACE_MAX 32

static struct hart *this_hart;

struct hart *arch_this_hart(void)
{
    return this_hart;
}
void arch_host_set_hart(struct hart *h)
{
    this_hart = h;
}

// --- Time and harts ------------------------------------------------------------------------------

uint64_t arch_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

// Only noted: the caller asks host_node_deadline.
void arch_timer_set(struct hart *h, uint64_t at_ns)
{
    h->arch.timer_at = at_ns;
}

// There is one hart, and the caller steps it anyway.
void arch_kick(struct hart *h)
{
    (void)h;
}

void arch_fp_save(struct hart *h, struct arch_regs *r)
{
    (void)h, (void)r;
}

// --- Lock ----------------------------------------------------------------------------------------

void arch_lock(struct arch_lock *l)
{
    ASSERT(!l->held);
    l->held = 1;
}

void arch_unlock(struct arch_lock *l)
{
    ASSERT(l->held);
    l->held = 0;
}

// --- Address spaces ------------------------------------------------------------------------------

// What core had mapped, so that the code that plays U-mode sees what a hart would see: an array of translations, sorted
// by address.
struct translation {
    uint64_t va;
    void *page;
    unsigned prot;
};
struct translations {
    size_t count, room;
    struct translation *at;
};

static struct translations *table_of(const struct arch_aspace *as)
{
    ASSERT(as->map);
    return as->map;
}

// Where the first translation at or above va is, or would be.
static size_t place_of(const struct translations *t, uint64_t va)
{
    size_t lo = 0, hi = t->count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (t->at[mid].va < va)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

int arch_aspace_init(struct node *n, struct arch_aspace *as)
{
    (void)n;
    struct translations *t = calloc(1, sizeof *t);
    *as = (struct arch_aspace){.map = t};
    return t ? 0 : -E_MEM;
}

void arch_aspace_free(struct node *n, struct arch_aspace *as)
{
    (void)n;
    free(table_of(as)->at);
    free(table_of(as));
    as->map = NULL;
}

int arch_aspace_map(struct node *n, struct arch_aspace *as, uint64_t va, void *page, unsigned prot)
{
    (void)n;
    struct translations *t = table_of(as);
    ASSERT((va & PAGE_MASK) == 0 && va < USER_END);
    ASSERT(page && ((uintptr_t)page & PAGE_MASK) == 0);
    size_t i = place_of(t, va);
    if (i == t->count || t->at[i].va != va) {
        if (t->count == t->room) {
            size_t room = t->room ? 2 * t->room : 16;
            struct translation *more = realloc(t->at, room * sizeof *more);
            if (!more)
                return -E_MEM;
            t->at = more;
            t->room = room;
        }
        memmove(&t->at[i + 1], &t->at[i], (t->count - i) * sizeof t->at[0]);
        t->count++;
    }
    t->at[i] = (struct translation){va, page, prot};
    return 0;
}

int arch_aspace_map_run(struct node *n, struct arch_aspace *as, uint64_t va, void *page, uint64_t len, unsigned prot)
{
    ASSERT(len > 0 && (len & PAGE_MASK) == 0);
    ASSERT((va & (MEGAPAGE_BYTES - 1)) + len <= MEGAPAGE_BYTES);
    int r = 0;
    for (uint64_t off = 0; r == 0 && off < len; off += PAGE_SIZE)
        r = arch_aspace_map(n, as, va + off, (char *)page + off, prot);
    return r;
}

void arch_aspace_unmap(struct node *n, struct arch_aspace *as, uint64_t va, uint64_t len)
{
    (void)n;
    struct translations *t = table_of(as);
    ASSERT((va & PAGE_MASK) == 0);
    size_t from = place_of(t, va), to = place_of(t, va + len);
    if (to > from)
        memmove(&t->at[from], &t->at[to], (t->count - to) * sizeof t->at[0]);
    t->count -= to - from;
}

void arch_aspace_protect(struct node *n, struct arch_aspace *as, uint64_t va, uint64_t len)
{
    (void)n;
    struct translations *t = table_of(as);
    for (size_t i = place_of(t, va); i < t->count && t->at[i].va < va + len; i++)
        t->at[i].prot &= ~PROT_W;
}

void *arch_host_page(const struct arch_aspace *as, uint64_t va, unsigned prot)
{
    const struct translations *t = table_of(as);
    size_t i = place_of(t, va & ~PAGE_MASK);
    if (i == t->count || t->at[i].va != (va & ~PAGE_MASK) || (t->at[i].prot & prot) != prot)
        return NULL;
    return t->at[i].page;
}

// --- The rest ------------------------------------------------------------------------------------

void arch_putc(char c)
{
    fputc(c, stderr);
}

void arch_stop(int status)
{
    exit(status);
}

void arch_backtrace(void (*line)(const char *text))
{
    void *frames[BACKTRACE_MAX];
    int count = backtrace(frames, BACKTRACE_MAX);
    char **names = backtrace_symbols(frames, count);
    for (int i = 0; names && i < count; i++)
        line(names[i]);
    free(names);
}

uint64_t arch_isa(void)
{
    return ISA_RV64GC;
}

static void epitaph_line(const char *text)
{
    fprintf(stderr, "  %s\n", text);
}

void panic(const char *fmt, ...)
{
    static bool again; // the epitaph itself may fail an assertion
    va_list ap;
    va_start(ap, fmt);
    fputs("panic: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    if (this_hart && this_hart->node && !again) {
        again = true;
        fprintf(stderr, "last events of node %s:\n", this_hart->node->name);
        trace_show(this_hart->node, EPITAPH_EVENTS, epitaph_line);
    }
    abort();
}
