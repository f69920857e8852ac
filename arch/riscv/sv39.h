// SPDX-License-Identifier: BSD-2-Clause
// Sv39, within arch/riscv/. Every root has the same upper half:
//
//   root entry 256..383  DIRECT_BASE  physical 0..128 GiB, gigapages, RW
//              510       IMAGE_BASE   the image, 4 KiB pages, W^X
//
// The pages of the image can be written through the direct map too; nobody does.
#ifndef ARCH_RISCV_SV39_H
#define ARCH_RISCV_SV39_H

#include "arch/arch.h"

// Gives each part of the image just its rights, and takes the guards below the stacks away. Boot hart.
void sv39_protect(void);
// Loads as on this hart, unless it is there already.
void sv39_load(struct hart *h, struct arch_aspace *as);
// Another hart frees the address space that this hart still has loaded: leave it. Needs no lock, for the other hart
// holds it and waits.
void sv39_leave(struct hart *h);

// Flushes that an idle hart has still to do (arch_hart.stale).
#define STALE_TLB 1u
#define STALE_CODE 2u
void sv39_catch_up(struct hart *h);

#endif
