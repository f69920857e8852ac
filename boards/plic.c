// SPDX-License-Identifier: BSD-2-Clause
// The interrupt controller. All device interrupts go to the boot hart's S-mode. Chapters are those of the specification
// (plic.h). Binding: Linux, Documentation/devicetree/bindings/interrupt-controller/sifive,plic-1.0.0.yaml.
#include "boards/plic.h"

#include "arch/riscv/boot.h"
#include "boards/driver.h"
#include "boards/mmio.h"
#include "core/panic.h"

#define IRQS_MAX 128   // interrupts that we keep a handler for
#define IRQ_LIMIT 1023 // chapter 3: interrupts of a controller are 1..1023
#define ROUNDS_MAX 64  // interrupts served at one entry; the rest makes the hart enter again
#define S_EXTERNAL 9u  // interrupts-extended: the S-mode external interrupt of a hart (Priv table 4.2)

// Chapter 3, memory map
#define PRIORITY(irq) (4 * (irq))                          // chapter 4
#define ENABLE(context) (0x2000 + 0x80 * (context))        // chapter 6
#define THRESHOLD(context) (0x200000 + 0x1000 * (context)) // chapter 7
#define CLAIM(context) (0x200004 + 0x1000 * (context))     // chapters 8 and 9
_Static_assert(PRIORITY(IRQ_LIMIT) < 0x1000 && ENABLE(0) + 0x80 == ENABLE(1), "chapter 3");
_Static_assert(IRQ_LIMIT / 8 < 0x80, "the enable bits of a context");

static struct {
    volatile void *base; // NULL: there is none to use
    uint32_t context, irqs;
    struct {
        void (*fn)(void *arg);
        void *arg;
    } handler[IRQS_MAX];
} plic;

// --- The binding ---------------------------------------------------------------------------------

// interrupts-extended lists the contexts in order, each a pair: phandle of a hart's interrupt controller, interrupt.
// Boards number them differently: some harts have no S-mode.
bool plic_context(const struct device *d, uint32_t phandle, uint32_t *context)
{
    uint32_t len;
    bool found = false;
    const uint8_t *p = device_property(d, "interrupts-extended", &len);
    for (uint32_t i = 0; phandle != 0 && i < len / 8; i++)
        if (cell_read(p + 8 * i) == phandle && cell_read(p + 8 * i + 4) == S_EXTERNAL) {
            *context = i;
            found = true;
        }
    return found;
}

uint32_t plic_irqs(const struct device *d)
{
    uint32_t irqs = device_number(d, "riscv,ndev", 0);
    return irqs < IRQ_LIMIT ? irqs : IRQ_LIMIT;
}

// --- The device ----------------------------------------------------------------------------------

static void claim(const struct device *d)
{
    uint32_t context, irqs = plic_irqs(d);
    if (plic.base)
        return;
    if (!plic_context(d, d->machine->harts[0].phandle, &context)) {
        device_warn(d, "no S-mode context for the boot hart: no device interrupts");
        return;
    }
    volatile void *base = arch_direct(d->pa, d->len);
    if ((uint64_t)CLAIM((uint64_t)context) + 4 > d->len || !base) {
        device_warn(d, "context %u lies behind its %llu bytes: no device interrupts", context,
                    (unsigned long long)d->len);
        return;
    }
    plic.base = base;
    plic.context = context;
    plic.irqs = irqs < IRQS_MAX - 1 ? irqs : IRQS_MAX - 1;
    // The firmware or boot loader may have left interrupts enabled.
    for (uint32_t i = 0; i <= irqs / 32; i++)
        mmio_write32(base, ENABLE(context) + 4 * i, 0);
    mmio_write32(base, THRESHOLD(context), 0);
}

bool plic_present(void)
{
    return plic.base != NULL;
}

bool plic_handle(uint32_t irq, void (*fn)(void *arg), void *arg)
{
    ASSERT(fn);
    if (!plic.base || irq == 0 || irq > plic.irqs)
        return false;
    ASSERT(irq < IRQS_MAX);
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
        uint32_t irq = mmio_read32(plic.base, CLAIM(plic.context)); // chapter 8
        if (irq == 0)
            return;
        if (irq < IRQS_MAX && plic.handler[irq].fn)
            plic.handler[irq].fn(plic.handler[irq].arg);
        mmio_write32(plic.base, CLAIM(plic.context), irq); // chapter 9: completion
    }
}

static const char *const names[] = {"riscv,plic0", "sifive,plic-1.0.0", NULL};
const struct driver plic_driver = {.compatible = names, .regs_min_bytes = 0x200000, .claim = claim};
