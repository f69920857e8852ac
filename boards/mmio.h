// SPDX-License-Identifier: BSD-2-Clause
// Device registers. The fences keep accesses in order with each other and with the memory that a device reads and
// writes (Unprivileged, chapter "RVWMO": fence with i and o).
#ifndef BOARDS_MMIO_H
#define BOARDS_MMIO_H

#include <stdint.h>

static inline void mmio_fence(void)
{
    __asm__ volatile("fence iorw, iorw" ::: "memory");
}
static inline uint32_t mmio_read32(const volatile void *base, uint32_t offset)
{
    uint32_t v = *(const volatile uint32_t *)((const volatile uint8_t *)base + offset);
    mmio_fence();
    return v;
}
static inline void mmio_write32(volatile void *base, uint32_t offset, uint32_t v)
{
    mmio_fence();
    *(volatile uint32_t *)((volatile uint8_t *)base + offset) = v;
}
static inline uint8_t mmio_read8(const volatile void *base, uint32_t offset)
{
    uint8_t v = *((const volatile uint8_t *)base + offset);
    mmio_fence();
    return v;
}
static inline void mmio_write8(volatile void *base, uint32_t offset, uint8_t v)
{
    mmio_fence();
    *((volatile uint8_t *)base + offset) = v;
}

#endif
