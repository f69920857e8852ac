// SPDX-License-Identifier: BSD-2-Clause
// Device registers: `base` is where a device's registers are seen (arch_direct), `offset` counts bytes from there, and
// the access is aligned. Fences keep accesses in order with each other and with the memory that a device reads and
// writes (Unprivileged ISA, chapter "RVWMO": fence with i and o). Callers: any context.
#ifndef BOARDS_MMIO_H
#define BOARDS_MMIO_H

#include <stdint.h>

// What comes before is seen by devices and harts before what comes after. On a host, where tests stand for devices, a
// fence for the compiler is enough.
static inline void mmio_fence(void)
{
#ifdef __riscv
    __asm__ volatile("fence iorw, iorw" ::: "memory");
#else
    __asm__ volatile("" ::: "memory");
#endif
}
// Returns the register at `offset`.
static inline uint32_t mmio_read32(const volatile void *base, uint32_t offset)
{
    uint32_t v = *(const volatile uint32_t *)((const volatile uint8_t *)base + offset);
    mmio_fence();
    return v;
}
// Writes v to the register at `offset`.
static inline void mmio_write32(volatile void *base, uint32_t offset, uint32_t v)
{
    mmio_fence();
    *(volatile uint32_t *)((volatile uint8_t *)base + offset) = v;
}
// Returns the register at `offset`, of one byte.
static inline uint8_t mmio_read8(const volatile void *base, uint32_t offset)
{
    uint8_t v = *((const volatile uint8_t *)base + offset);
    mmio_fence();
    return v;
}
// Writes v to the register at `offset`, of one byte.
static inline void mmio_write8(volatile void *base, uint32_t offset, uint8_t v)
{
    mmio_fence();
    *((volatile uint8_t *)base + offset) = v;
}

#endif
