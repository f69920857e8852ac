// SPDX-License-Identifier: BSD-2-Clause
// Numbers that assembly and C share. Each is asserted below where C can see it.
#ifndef ARCH_RISCV_OFFSETS_H
#define ARCH_RISCV_OFFSETS_H

// Virtual addresses (drawn in arch/riscv/sv39.h). IMAGE_BASE is linker/kernel.ld's image_base too.
#define DIRECT_BASE 0xffffffc000000000 // physical address 0
#define DIRECT_GIB 128                 // how much of physical memory is mapped there
#define IMAGE_BASE 0xffffffff80200000
#define IMAGE_TABLES 4 // the image may have that many times 2 MiB

// Page table entries, Priv 4.4.1
#define PTE_V 0x01
#define PTE_R 0x02
#define PTE_W 0x04
#define PTE_X 0x08
#define PTE_U 0x10
#define PTE_G 0x20
#define PTE_A 0x40
#define PTE_D 0x80
#define PTE_PPN_SHIFT 10

#define HART_IDS 64 // hart ids below that: masks of SBI calls have a bit for each

#define SSTATUS_SPP 0x100 // Priv 4.1.1: the trap came from S-mode
#define CAUSE_ECALL_U 8   // Priv table 4.2

#define STACK_SIZE 16384 // of a hart; core/config.h TASK_STACK_PAGES gives tasks as much
#define STACK_GUARD 4096 // below it, not mapped

// struct thread, struct arch_regs
#define REGS_X(i) (8 * (i))
#define REGS_PC 256
// struct arch_fp
#define FP_F(i) (8 * (i))
#define FP_FCSR 256

// struct hart
#define HART_READY 32
#define HART_STACK_TOP 40
#define HART_SCRATCH 48
#define HART_NODE 88
#define LOCK_OVERDUE 4
#define HART_CURRENT 104

// struct arch_ctx
#define CTX_REG(i) (8 * (i))

#ifndef __ASSEMBLER__
#include "core/hart.h"
#include "core/node.h"
#include "core/thread.h"

_Static_assert(offsetof(struct thread, regs) == 0, "trap.S takes a thread for its registers");
_Static_assert(offsetof(struct arch_regs, x) == REGS_X(0), "trap.S");
_Static_assert(offsetof(struct arch_regs, pc) == REGS_PC, "trap.S");
_Static_assert(offsetof(struct arch_fp, f) == FP_F(0), "fp.S");
_Static_assert(offsetof(struct arch_fp, fcsr) == FP_FCSR, "fp.S");
_Static_assert(offsetof(struct hart, arch) == 0, "trap.S");
_Static_assert(offsetof(struct hart, arch.stack_top) == HART_STACK_TOP, "trap.S");
_Static_assert(offsetof(struct hart, arch.scratch) == HART_SCRATCH, "trap.S");
_Static_assert(offsetof(struct hart, arch.ready) == HART_READY, "trap.S");
_Static_assert(offsetof(struct hart, node) == HART_NODE, "trap.S");
_Static_assert(offsetof(struct hart, current) == HART_CURRENT, "trap.S");
_Static_assert(offsetof(struct node, lock) == 0, "trap.S takes a node for its lock");
_Static_assert(offsetof(struct arch_lock, overdue) == LOCK_OVERDUE, "trap.S");
_Static_assert(offsetof(struct arch_ctx, reg) == CTX_REG(0), "ctx.S");
#endif

#endif
