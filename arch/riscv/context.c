// SPDX-License-Identifier: BSD-2-Clause
// Contexts of tasks: how one begins. ctx.S switches between them.
#include "arch/arch.h"

void ctx_begin(void);

enum { CTX_RA, CTX_SP, CTX_S0, CTX_S1, CTX_S2 }; // places in arch_ctx.reg, see ctx.S

void arch_ctx_init(struct arch_ctx *c, void *stack, size_t size, void (*fn)(void *), void *arg)
{
    uint64_t top = ((uint64_t)(uintptr_t)stack + size) & ~15ull; // psABI: sp is 16-byte aligned
    *c = (struct arch_ctx){0};                                   // s0 = 0 ends the chain of frames
    c->reg[CTX_RA] = (uint64_t)(uintptr_t)ctx_begin;
    c->reg[CTX_SP] = top;
    c->reg[CTX_S1] = (uint64_t)(uintptr_t)fn;
    c->reg[CTX_S2] = (uint64_t)(uintptr_t)arg;
}

void arch_ctx_free(struct arch_ctx *c)
{
    (void)c;
}
