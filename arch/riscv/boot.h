// SPDX-License-Identifier: BSD-2-Clause
// Between arch/riscv/ and boards/ only: what the device tree tells the architecture, and the order of starting.
//
//   kmain(hart id, device tree)       entry.S, on the stack of hart 0, with all memory mapped
//     arch_hart_init(&harts[0], ...)  every hart's record, the boot hart's first
//     arch_early_init(&harts[0])      traps are caught, the firmware is known, W^X: at once
//     arch_configure(&config)         once the device tree is read; before arch_now_ns, arch_isa
//     arch_hart_start(&harts[i])      once the node is ready
//     arch_enter(&harts[0])           and never back
#ifndef ARCH_RISCV_BOOT_H
#define ARCH_RISCV_BOOT_H

#include "arch/arch.h"

struct arch_config {
    uint64_t isa;         // what arch_isa() answers: common to all harts that will be started
    uint64_t timebase_hz; // 1000 .. 999,999,999
    bool sstc;            // all of them say that they have Sstc
    uint64_t test_pa;     // physical address of a sifive,test device, 0 = none
};

void arch_hart_init(struct hart *h, struct node *n, unsigned index, uint64_t hartid);
void arch_early_init(struct hart *boot);
void arch_configure(const struct arch_config *c);
// Asks the firmware to start the hart; it enters the loop when its time comes, which may take a second. False: the
// firmware refuses.
bool arch_hart_start(struct hart *h);
_Noreturn void arch_enter(struct hart *h);

// From now on characters go there, unless the firmware has a better console (DBCN).
void arch_console_uart(void (*put)(char c));

// Where physical memory, devices included, is seen; NULL: out of the range that is mapped.
void *arch_direct(uint64_t pa, uint64_t len);
// Physical address of anything of the kernel: pages, statics, stacks.
uint64_t arch_phys(const void *p);
void arch_image(uint64_t *pa, uint64_t *len); // where the image lies, with .bss
bool arch_uses_sstc(void);
uint64_t arch_ticks(void); // the time register, for entropy
uint64_t arch_cycles(void);
const char *arch_firmware(void); // "OpenSBI, SBI 1.0"

// Provided by boards/.
_Noreturn void kmain(uint64_t hartid, uint64_t dtb_pa);

#endif
