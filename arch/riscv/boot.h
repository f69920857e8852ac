// SPDX-License-Identifier: BSD-2-Clause
// Between arch/riscv/ and boards/ only: what the device tree tells the architecture, and the order of starting.
//
//   kmain(hart id, device tree)       entry.S, on the stack of hart 0, with all memory mapped
//     arch_hart_init(&harts[0], ...)  every hart's record, the boot hart's first
//     arch_early_init(&harts[0])      traps are caught, the firmware is known, W^X: at once
//     arch_configure(&config)         once the device tree is read; before arch_now_ns, arch_isa
//     arch_hart_start(&harts[i])      once the node is ready
//     arch_enter(&harts[0])           and never back
//
// Callers: boot hart only, before other harts run, where a function does not say otherwise.
#ifndef ARCH_RISCV_BOOT_H
#define ARCH_RISCV_BOOT_H

#include "arch/arch.h"

struct arch_config {
    uint64_t isa;         // what arch_isa() answers: common to all harts that will be started
    uint64_t timebase_hz; // 1000 .. 999,999,999
    bool sstc;            // all of them say that they have Sstc
};

// --- In this order -------------------------------------------------------------------------------

// Makes the record of hart number `index` (0..HARTS_MAX - 1) of the node; the firmware calls it `hartid`.
void arch_hart_init(struct hart *h, struct node *n, unsigned index, uint64_t hartid);
void arch_early_init(struct hart *boot); // this hart is `boot`: arch_early_init makes arch_this_hart() and panic() work
// Tells what the device tree says of the harts.
void arch_configure(const struct arch_config *c);
// Asks the firmware to start the hart, which enters the loop when its time comes; that may take a second. Returns false
// if the firmware refuses. Callers: node lock held.
bool arch_hart_start(struct hart *h);
// Leaves the boot for the loop of hart h, this one. Callers: node lock not held.
_Noreturn void arch_enter(struct hart *h);

// --- Devices that arch uses, and that boards/ drives ---------------------------------------------

// From now on characters go to put(), unless the firmware has a better console (DBCN). put() may be called anywhere.
void arch_console_uart(void (*put)(char c));
// From now on arch_stop() first asks stop() to end the machine with the status; it may be called in any context.
void arch_stop_device(void (*stop)(int status));

// --- What a driver asks. Callers: any context ----------------------------------------------------

// Returns where len bytes of physical memory at pa, or of devices, are seen; NULL if not all of them are mapped.
void *arch_direct(uint64_t pa, uint64_t len);
// Returns the physical address of anything of the kernel: pages, statics, stacks.
uint64_t arch_phys(const void *p);
// Where the image lies, with .bss: its physical address in *pa, its bytes in *len.
void arch_image(uint64_t *pa, uint64_t *len);
// True if the timer is Sstc's; else the firmware's. After arch_configure().
bool arch_uses_sstc(void);
// Returns the time register, which counts at timebase_hz: for entropy.
uint64_t arch_ticks(void);
// Returns the cycle register: for entropy.
uint64_t arch_cycles(void);
// Returns a name for people, as "OpenSBI, SBI 1.0".
const char *arch_firmware(void);

// --- Provided by boards/ -------------------------------------------------------------------------

// Boots the node; hartid is this hart's, dtb_pa the physical address of the device tree.
_Noreturn void kmain(uint64_t hartid, uint64_t dtb_pa);

#endif
