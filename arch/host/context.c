// SPDX-License-Identifier: BSD-2-Clause
// Contexts of tasks by ucontext. Linux's libraries and the sanitizers need more stack than TASK_STACK_PAGES, so a task
// runs on a stack of its own here; the one that core gave stays unused. That one lies in the node's pages, as on a
// board, so that page counts agree.
//
// AddressSanitizer must be told of every change of stack.
#include "arch/host/host.h"
#include "core/panic.h"

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#define STACK_BYTES (256 * 1024ul)

// What arch_ctx.context points to. Malloc'ed for the context that the program began on, else at the foot of the stack,
// in one mapping: no allocation that leak checkers would have to find through a node's pages.
struct context {
    ucontext_t uc;
    void *mapping; // NULL: the stack is not ours
    const void *stack_low;
    size_t stack_len;
    void *fake_stack; // AddressSanitizer's
    void (*fn)(void *);
    void *arg;
};

#ifdef __SANITIZE_ADDRESS__ // gcc; clang has __has_feature
#define FIBRES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBRES 1
#endif
#endif

#ifdef FIBRES
static struct context *leaving; // the context that switched last

static void depart(struct context *from, const struct context *to)
{
    leaving = from;
    __sanitizer_start_switch_fiber(&from->fake_stack, to->stack_low, to->stack_len);
}

// Called first on the new stack: learns where the old one lies, for the switch back.
static void arrive(struct context *here)
{
    __sanitizer_finish_switch_fiber(here->fake_stack, &leaving->stack_low, &leaving->stack_len);
}
#else
static void depart(struct context *from, const struct context *to)
{
    (void)from, (void)to;
}
static void arrive(struct context *here)
{
    (void)here;
}
#endif

// makecontext passes ints only; a pointer is two of them.
static void begin(unsigned high, unsigned low)
{
    struct context *c = (struct context *)((uintptr_t)high << 32 | low);
    arrive(c);
    c->fn(c->arg);
    panic("a task's first function returned");
}

static struct context *of(struct arch_ctx *c)
{
    if (!c->context)
        c->context = calloc(1, sizeof(struct context));
    ASSERT(c->context);
    return c->context;
}

void arch_ctx_init(struct arch_ctx *c, void *stack, size_t size, void (*fn)(void *), void *arg)
{
    (void)stack, (void)size;
    void *mapping = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED)
        panic("no memory for a task's stack");
    // In use, from the bottom: struct context, a guard page, the stack.
    size_t foot = (sizeof(struct context) + PAGE_MASK) & ~PAGE_MASK;
    mprotect((char *)mapping + foot, PAGE_SIZE, PROT_NONE);
    size_t below = foot + PAGE_SIZE;
    struct context *ctx = mapping;
    ctx->mapping = mapping;
    ctx->stack_low = (char *)mapping + below;
    ctx->stack_len = STACK_BYTES - below;
    ctx->fn = fn;
    ctx->arg = arg;
    getcontext(&ctx->uc);
    ctx->uc.uc_stack.ss_sp = (char *)mapping + below;
    ctx->uc.uc_stack.ss_size = ctx->stack_len;
    uintptr_t p = (uintptr_t)ctx;
    makecontext(&ctx->uc, (void (*)(void))begin, 2, (unsigned)(p >> 32), (unsigned)p);
    c->context = ctx;
}

void arch_ctx_free(struct arch_ctx *c)
{
    struct context *ctx = c->context;
    c->context = NULL;
    if (!ctx || !ctx->mapping) {
        free(ctx);
        return;
    }
    // Functions that never returned have left marks of AddressSanitizer here, which the next mapping must not inherit.
    ASAN_UNPOISON_MEMORY_REGION(ctx->stack_low, ctx->stack_len);
    munmap(ctx->mapping, STACK_BYTES);
}

void arch_ctx_switch(struct arch_ctx *from, struct arch_ctx *to)
{
    struct context *f = of(from), *t = of(to);
    depart(f, t);
    swapcontext(&f->uc, &t->uc);
    arrive(f);
}
