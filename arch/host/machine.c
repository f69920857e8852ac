// SPDX-License-Identifier: BSD-2-Clause
// arch.h for a Linux process, all but the contexts. One thread: a lock only asserts that it is
// used in pairs. Nobody looks into page tables, for U-mode is whatever guest_run makes of it.
#include "arch/host/host.h"
#include "core/entry.h"
#include "core/trace.h"

#include <execinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

static uint64_t no_table; // what root points to, so that use before init is noticed

int arch_aspace_init(struct node *n, struct arch_aspace *as)
{
    (void)n;
    *as = (struct arch_aspace){.root = &no_table};
    return 0;
}

void arch_aspace_free(struct node *n, struct arch_aspace *as)
{
    (void)n;
    ASSERT(as->root);
    as->root = NULL;
}

int arch_aspace_map(struct node *n, struct arch_aspace *as, uint64_t va, void *page, unsigned prot)
{
    (void)n, (void)prot;
    ASSERT(as->root);
    ASSERT((va & PAGE_MASK) == 0 && va < USER_END);
    ASSERT(page && ((uintptr_t)page & PAGE_MASK) == 0);
    return 0;
}

void arch_aspace_unmap(struct node *n, struct arch_aspace *as, uint64_t va, uint64_t len)
{
    (void)n, (void)len;
    ASSERT(as->root);
    ASSERT((va & PAGE_MASK) == 0);
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
