// SPDX-License-Identifier: BSD-2-Clause
// The way in and the way out. A guest thread has no kernel stack (design D1): all of it goes into
// its record, and the hart's own stack is empty then.
//
// In the kernel tp = this hart, and so is sscratch, always; sstatus.SIE is 0, so only faults come
// from there.
//
//   1. Swap tp and sscratch. From U-mode this gives the hart; from the kernel it changes nothing.
//   2. A system call? It has a way in of its own, for it must be short. Anything else goes to step
//      9.
//   3. All registers into the record of the current thread, pc behind the ecall.
//   4. The hart's own stack from its top, and the node lock.
//   5. entry_syscall(hart, thread).
//   6. (trap_out; lock held, tp = hart) sched_next(hart) answers who goes on; nobody:
//      trap_idle(hart) and again.
//   7. Another one than the last to leave here: trap_switch(hart, thread) loads its address space
//      and FP registers.
//   8. Unlock, all registers from the record, sret. sstatus still has SPP = 0, as the last trap
//      from U-mode left it, or hart_setup() the first time.
//
//   9. A trap of the kernel itself is a mistake: step 11.
//  10. As 3. and 4., then trap_other(hart, thread, scause, stval), and out by 6.
//  11. trap_kernel(scause, sepc, stval, sp, s0) on the panic stack: the own one may be what is
//      broken. A second fault of the same hart stops the machine; another hart's waits until the
//      first one has stopped it.

#include "arch/riscv/offsets.h"

// t0 = struct arch_regs; user's t0 is in the hart's scratch word, user's tp in sscratch. t1, t2 are
// lost.
.macro save_registers
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
    sd t1, REGS_X(5)(t0)
    sd t2, REGS_X(4)(t0)
.endm

// Afterwards s1 = the lock, held. a0, a1 may be lost. LR/SC, not a swap: the word names the holder.
.macro take_lock
    ld s1, HART_NODE(tp)
8:  lr.w.aq t1, (s1)
    bnez t1, 9f
    sc.w t1, tp, (s1)
    bnez t1, 8b
    .pushsection .text.slow, "ax"
9:  mv a0, s1
    call lock_wait
    j 7f
    .popsection
7:
.endm

    .text
    .balign 4
    .global trap_entry
trap_entry:
// --- 1. ------------------------------------------------------------------------------------------
    csrrw tp, sscratch, tp
    sd t0, HART_SCRATCH(tp)
// --- 2. ------------------------------------------------------------------------------------------
    csrr t0, scause
    addi t0, t0, -CAUSE_ECALL_U
    bnez t0, trap_not_ecall
// --- 3. ------------------------------------------------------------------------------------------
    ld t0, HART_CURRENT(tp)
    save_registers
    csrr t1, sepc
    addi t1, t1, 4
    sd t1, REGS_PC(t0)
// --- 4. ------------------------------------------------------------------------------------------
    ld sp, HART_STACK_TOP(tp)
    mv s2, t0
    take_lock
// --- 5. ------------------------------------------------------------------------------------------
    mv a0, tp
    mv a1, s2
    call entry_syscall

// --- 6. ------------------------------------------------------------------------------------------
    .global trap_out
trap_out:
    mv a0, tp
    call sched_next
    beqz a0, 2f
// --- 7. ------------------------------------------------------------------------------------------
    ld t0, HART_READY(tp)
    bne t0, a0, 3f
// --- 8. ------------------------------------------------------------------------------------------
1:  ld t1, HART_NODE(tp)
    ld t0, REGS_PC(a0)
    csrw sepc, t0
    fence rw, w
    sw zero, (t1)
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
    sret
2:  mv a0, tp
    call trap_idle
    j trap_out
3:  mv s2, a0
    mv a1, a0
    mv a0, tp
    call trap_switch
    mv a0, s2
    j 1b

// --- 9. ------------------------------------------------------------------------------------------
trap_not_ecall:
    csrr t0, sstatus
    andi t0, t0, SSTATUS_SPP
    bnez t0, trap_in_kernel
// --- 10. -----------------------------------------------------------------------------------------
    ld t0, HART_CURRENT(tp)
    save_registers
    csrr t1, sepc
    sd t1, REGS_PC(t0)
    ld sp, HART_STACK_TOP(tp)
    mv s2, t0
    take_lock
    mv a0, tp
    mv a1, s2
    csrr a2, scause
    csrr a3, stval
    call trap_other
    j trap_out

// --- 11. -----------------------------------------------------------------------------------------
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
