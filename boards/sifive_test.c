// SPDX-License-Identifier: BSD-2-Clause
// SiFive's test finisher, by which QEMU's machine "virt" ends. QEMU, include/hw/misc/sifive_test.h.
#include "arch/riscv/boot.h"
#include "boards/driver.h"
#include "boards/mmio.h"

#define PASS 0x5555u
#define FAIL 0x3333u // in the lower half; the status in the upper one

static volatile void *base;

static void stop(int status)
{
    mmio_write32(base, 0, status == 0 ? PASS : (uint32_t)status << 16 | FAIL);
}

static void claim(const struct device *d)
{
    if (base)
        return;
    base = arch_direct(d->pa, d->len);
    if (base)
        arch_stop_device(stop);
}

static const char *const names[] = {"sifive,test0", NULL};
const struct driver sifive_test_driver = {.compatible = names, .regs_min_bytes = 4, .claim = claim};
