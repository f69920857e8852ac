// SPDX-License-Identifier: BSD-2-Clause
// The way in and the way out. A guest thread has no kernel stack (design D1): all of it goes into its record,
// and the hart's own stack is empty then.
//
// In the kernel tp = this hart, and so is sscratch, always; sstatus.SIE is 0, so only faults come from there.
//
//   1. Swap tp and sscratch. From U-mode this gives the hart; from the kernel it changes nothing.
//   2. A trap of the kernel itself is a mistake: step 7.
//   3. All registers into the record of the current thread.
//   4. trap_user(hart, thread, scause) on the hart's stack, from its top. It answers the thread to go on with.
//   5. (trap_exit) All registers from that thread's record.
//   6. sret. sstatus still has SPP = 0, as the last trap from U-mode left it, or hart_enter() the first time.
//   7. trap_kernel(scause, sepc, stval, sp, s0) on the panic stack: the own one may be what is broken. A
//      second fault of the same hart stops the machine; another hart's waits until the first one has stopped it.

#include "arch/riscv/offsets.h"

    .text
    .balign 4
    .global trap_entry
trap_entry:
// --- 1. -------------------------------------------------------------------------------------------------
    csrrw tp, sscratch, tp
    sd t0, HART_SCRATCH(tp)
// --- 2. -------------------------------------------------------------------------------------------------
    csrr t0, sstatus
    andi t0, t0, SSTATUS_SPP
    bnez t0, trap_in_kernel
// --- 3. -------------------------------------------------------------------------------------------------
    ld t0, HART_CURRENT(tp)
    sd x1, REGS_X(1)(t0)
    sd x2, REGS_X(2)(t0)
    sd x3, REGS_X(3)(t0)
    sd x6, REGS_X(6)(t0)
    sd x7, REGS_X(7)(t0)
    sd x8, REGS_X(8)(t0)
    sd x9, REGS_X(9)(t0)
    sd x10, REGS_X(10)(t0)
    sd x11, REGS_X(11)(t0)
    sd x12, REGS_X(12)(t0)
    sd x13, REGS_X(13)(t0)
    sd x14, REGS_X(14)(t0)
    sd x15, REGS_X(15)(t0)
    sd x16, REGS_X(16)(t0)
    sd x17, REGS_X(17)(t0)
    sd x18, REGS_X(18)(t0)
    sd x19, REGS_X(19)(t0)
    sd x20, REGS_X(20)(t0)
    sd x21, REGS_X(21)(t0)
    sd x22, REGS_X(22)(t0)
    sd x23, REGS_X(23)(t0)
    sd x24, REGS_X(24)(t0)
    sd x25, REGS_X(25)(t0)
    sd x26, REGS_X(26)(t0)
    sd x27, REGS_X(27)(t0)
    sd x28, REGS_X(28)(t0)
    sd x29, REGS_X(29)(t0)
    sd x30, REGS_X(30)(t0)
    sd x31, REGS_X(31)(t0)
    ld t1, HART_SCRATCH(tp)
    csrrw t2, sscratch, tp
    csrr t3, sepc
    sd t1, REGS_X(5)(t0)
    sd t2, REGS_X(4)(t0)
    sd t3, REGS_PC(t0)
// --- 4. -------------------------------------------------------------------------------------------------
    mv a0, tp
    mv a1, t0
    csrr a2, scause
    ld sp, HART_STACK_TOP(tp)
    call trap_user

// --- 5. -------------------------------------------------------------------------------------------------
    .global trap_exit // a0 = struct arch_regs
trap_exit:
    ld t0, REGS_PC(a0)
    csrw sepc, t0
    ld x1, REGS_X(1)(a0)
    ld x2, REGS_X(2)(a0)
    ld x3, REGS_X(3)(a0)
    ld x4, REGS_X(4)(a0)
    ld x5, REGS_X(5)(a0)
    ld x6, REGS_X(6)(a0)
    ld x7, REGS_X(7)(a0)
    ld x8, REGS_X(8)(a0)
    ld x9, REGS_X(9)(a0)
    ld x11, REGS_X(11)(a0)
    ld x12, REGS_X(12)(a0)
    ld x13, REGS_X(13)(a0)
    ld x14, REGS_X(14)(a0)
    ld x15, REGS_X(15)(a0)
    ld x16, REGS_X(16)(a0)
    ld x17, REGS_X(17)(a0)
    ld x18, REGS_X(18)(a0)
    ld x19, REGS_X(19)(a0)
    ld x20, REGS_X(20)(a0)
    ld x21, REGS_X(21)(a0)
    ld x22, REGS_X(22)(a0)
    ld x23, REGS_X(23)(a0)
    ld x24, REGS_X(24)(a0)
    ld x25, REGS_X(25)(a0)
    ld x26, REGS_X(26)(a0)
    ld x27, REGS_X(27)(a0)
    ld x28, REGS_X(28)(a0)
    ld x29, REGS_X(29)(a0)
    ld x30, REGS_X(30)(a0)
    ld x31, REGS_X(31)(a0)
    ld x10, REGS_X(10)(a0)
// --- 6. -------------------------------------------------------------------------------------------------
    sret

// --- 7. -------------------------------------------------------------------------------------------------
trap_in_kernel:
    csrw sscratch, tp
    mv a3, sp
    mv a4, s0
    lla t0, panic_owner
    amoswap.d t1, tp, (t0)
    lla sp, panic_stack
    li t2, STACK_SIZE
    add sp, sp, t2
    beq t1, tp, 2f
    bnez t1, 3f
    csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    call trap_kernel
2:  li a0, 102
    call arch_stop
3:  wfi
    j 3b
