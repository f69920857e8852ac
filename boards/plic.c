// SPDX-License-Identifier: BSD-2-Clause
#include "boards/plic.h"

#include "arch/riscv/boot.h"
#include "boards/mmio.h"

#define IRQS_MAX 128
#define ROUNDS_MAX 64 // interrupts served at one entry; the rest makes the hart enter again

// Chapters 3 to 9 of the specification
#define PRIORITY(irq) (4 * (irq))
#define ENABLE(context) (0x2000 + 0x80 * (context))
#define THRESHOLD(context) (0x200000 + 0x1000 * (context))
#define CLAIM(context) (0x200004 + 0x1000 * (context))

static struct {
    volatile void *base;
    uint32_t context, irqs;
    struct {
        void (*fn)(void *arg);
        void *arg;
    } handler[IRQS_MAX];
} plic;

bool plic_init(const struct machine *m)
{
    const struct dt_hart *boot = &m->harts[0];
    if (!m->plic.len || !boot->has_context || (uint64_t)CLAIM(boot->context) + 4 > m->plic.len)
        return false;
    plic.base = arch_direct(m->plic.pa, m->plic.len);
    plic.context = boot->context;
    plic.irqs = m->plic_irqs < IRQS_MAX - 1 ? m->plic_irqs : IRQS_MAX - 1;
    if (!plic.base)
        return false;
    // The firmware or boot loader may have left something on.
    for (uint32_t i = 0; i <= m->plic_irqs / 32; i++)
        mmio_write32(plic.base, ENABLE(plic.context) + 4 * i, 0);
    mmio_write32(plic.base, THRESHOLD(plic.context), 0);
    return true;
}

bool plic_handle(uint32_t irq, void (*fn)(void *arg), void *arg)
{
    if (!plic.base || irq == 0 || irq > plic.irqs)
        return false;
    plic.handler[irq].fn = fn;
    plic.handler[irq].arg = arg;
    uint32_t word = ENABLE(plic.context) + irq / 32 * 4;
    mmio_write32(plic.base, PRIORITY(irq), 1);
    mmio_write32(plic.base, word, mmio_read32(plic.base, word) | 1u << irq % 32);
    return true;
}

void plic_dispatch(struct node *n)
{
    (void)n;
    for (unsigned i = 0; plic.base && i < ROUNDS_MAX; i++) {
        uint32_t irq = mmio_read32(plic.base, CLAIM(plic.context));
        if (irq == 0)
            return;
        if (irq < IRQS_MAX && plic.handler[irq].fn)
            plic.handler[irq].fn(plic.handler[irq].arg);
        mmio_write32(plic.base, CLAIM(plic.context), irq); // chapter 9: completion
    }
}
