// SPDX-License-Identifier: BSD-2-Clause
// Sv39, within arch/riscv/. Every root has the same upper half:
//
//   root entry 256..383  DIRECT_BASE  physical 0..128 GiB, gigapages, RW
//              510       IMAGE_BASE   the image, 4 KiB pages, W^X
//
// The pages of the image could be written through the direct map too; no code does that. Callers: node lock held, on
// the hart that h names, where a function does not say otherwise.
#ifndef ARCH_RISCV_SV39_H
#define ARCH_RISCV_SV39_H

#include "arch/arch.h"

// Flushes that an idle hart has still to do (arch_hart.stale).
#define STALE_TLB 1u
#define STALE_CODE 2u

// Gives each part of the image just its rights, and takes the guard pages below the stacks away. Callers: boot hart,
// once.
void sv39_protect(void);
// Loads the address space `as` on this hart, unless it is there already.
void sv39_load(struct hart *h, struct arch_aspace *as);
// Leaves the address space that this hart has loaded, for another hart is about to free it. Callers: lock not needed:
// the other hart holds it, and waits.
void sv39_leave(struct hart *h);
// Does the flushes that this hart missed while it was idle.
void sv39_catch_up(struct hart *h);

#endif
