// SPDX-License-Identifier: BSD-2-Clause
// What boards/ stands on, for tests of it on a host: no physical memory is mapped, so no driver reaches a device.
// Included by one file of a program: it defines functions of arch/riscv/boot.h.
#ifndef TEST_UNIT_BOARD_BED_H
#define TEST_UNIT_BOARD_BED_H

#include "arch/riscv/boot.h"

void *arch_direct(uint64_t pa, uint64_t len)
{
    (void)pa, (void)len;
    return NULL;
}

uint64_t arch_phys(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

void arch_stop_device(void (*stop)(int status))
{
    (void)stop;
}

#endif
