// SPDX-License-Identifier: BSD-2-Clause
// The way in and the way out. A guest thread has no kernel stack (design D1): all of it goes into its record, and the
// hart's own stack is empty then.
//
// In the kernel tp = this hart, and so is sscratch, always; sstatus.SIE is 0, so only faults come from there.
//
//   1. Swap tp and sscratch. From U-mode this gives the hart; from the kernel it changes nothing.
//   2. A system call? It has a way in of its own, which must be short. Any other trap goes to step 11.
//   3. Into the record of the current thread: pc behind the ecall, and the registers that C functions may change. The
//      others stay in the hart as long as only C runs on it.
//   4. The hart's own stack from its top, and the node lock.
//   5. entry_fast(hart, thread) returns the thread to resume. The same thread: step 9.
//   6. Another thread: the rest of the registers into the old thread's record, trap_switch_to(hart, new, old) for
//      address space and FP registers, step 10. NULL: the rest of the registers as well, and entry_slow(hart, thread).
//   7. (trap_out; lock held, tp = hart) sched_next(hart) returns the thread to run. NULL: trap_idle(hart), and again.
//      The thread that was the last to leave this hart: step 10.
//   8. trap_switch(hart, thread) loads the thread's address space and FP registers; step 10.
//   9. Unlock, the registers that C functions may have changed, sret.
//  10. Unlock, all registers from the record, sret. sstatus still has SPP = 0, as the last trap from U-mode left it, or
//      hart_setup() the first time.
//
//  11. A trap of the kernel itself is a mistake: step 13.
//  12. All registers into the record, 4., then trap_other(hart, thread, scause, stval), out by 7.
//  13. trap_kernel(scause, sepc, stval, sp, s0) on the panic stack, for the hart's own may be what is broken. A second
//      fault of the same hart stops the machine; a fault of another hart waits until the first one has stopped it.

#include "arch/riscv/offsets.h"

// The registers that a C function may change, but for t0 and tp.   op: sd to save, ld to load
.macro caller_saved op, base
    \op x1, REGS_X(1)(\base)
    \op x2, REGS_X(2)(\base)
    \op x6, REGS_X(6)(\base)
    \op x7, REGS_X(7)(\base)
    \op x11, REGS_X(11)(\base)
    \op x12, REGS_X(12)(\base)
    \op x13, REGS_X(13)(\base)
    \op x14, REGS_X(14)(\base)
    \op x15, REGS_X(15)(\base)
    \op x16, REGS_X(16)(\base)
    \op x17, REGS_X(17)(\base)
    \op x28, REGS_X(28)(\base)
    \op x29, REGS_X(29)(\base)
    \op x30, REGS_X(30)(\base)
    \op x31, REGS_X(31)(\base)
.endm

// Those that it must keep. gp is among them: the kernel does not use it.
.macro callee_saved op, base
    \op x3, REGS_X(3)(\base)
    \op x8, REGS_X(8)(\base)
    \op x9, REGS_X(9)(\base)
    \op x18, REGS_X(18)(\base)
    \op x19, REGS_X(19)(\base)
    \op x20, REGS_X(20)(\base)
    \op x21, REGS_X(21)(\base)
    \op x22, REGS_X(22)(\base)
    \op x23, REGS_X(23)(\base)
    \op x24, REGS_X(24)(\base)
    \op x25, REGS_X(25)(\base)
    \op x26, REGS_X(26)(\base)
    \op x27, REGS_X(27)(\base)
.endm

// t0 = struct arch_regs; user's t0 is in the hart's scratch word, user's tp in sscratch. Saves both and all that C
// functions may change. t1, t2 are lost.
.macro save_first
    caller_saved sd, t0
    sd x10, REGS_X(10)(t0)
    ld t1, HART_SCRATCH(tp)
    csrrw t2, sscratch, tp
    sd t1, REGS_X(5)(t0)
    sd t2, REGS_X(4)(t0)
.endm

// t1, t2 are lost; a0..a7 too if it takes long. LR/SC, not a swap: the word names the holder.
.macro take_lock
    ld t2, HART_NODE(tp)
    lw t1, LOCK_OVERDUE(t2) // a hart has waited for too long: it comes first
    bnez t1, 9f
8:  lr.w.aq t1, (t2)
    bnez t1, 9f
    sc.w t1, tp, (t2)
    bnez t1, 8b
    .pushsection .text.slow, "ax"
9:  mv a0, t2
    call lock_wait
    j 7f
    .popsection
7:
.endm

// The way out, but for the registers. a0 = the thread. What the lock held was this hart's mark, which is the low half
// of tp, and tp is the sign extension of its low half (hart.c): anything else says that harts sleep for the lock.
.macro leave_kernel
    ld t1, HART_NODE(tp)
    ld t0, REGS_PC(a0)
    csrw sepc, t0
    amoswap.w.aqrl t0, zero, (t1)
    bne t0, tp, 9f
    .pushsection .text.slow, "ax"
9:  addi sp, sp, -16
    sd a0, 0(sp)
    call lock_wake
    ld a0, 0(sp)
    addi sp, sp, 16
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
    save_first
    csrr t1, sepc
    addi t1, t1, 4
    sd t1, REGS_PC(t0)
// --- 4. ------------------------------------------------------------------------------------------
    ld sp, HART_STACK_TOP(tp)
    take_lock
// --- 5. ------------------------------------------------------------------------------------------
    mv a0, tp
    ld a1, HART_CURRENT(tp)
    sd a1, HART_SCRATCH(tp) // its first use is over
    call entry_fast
    ld a1, HART_SCRATCH(tp)
    bne a0, a1, 1f
// --- 9. ------------------------------------------------------------------------------------------
    leave_kernel
    ld x4, REGS_X(4)(a0)
    ld x5, REGS_X(5)(a0)
    caller_saved ld, a0
    ld x10, REGS_X(10)(a0)
    sret
// --- 6. ------------------------------------------------------------------------------------------
1:  callee_saved sd, a1
    beqz a0, 4f
    mv s2, a0
    mv a2, a1
    mv a1, a0
    mv a0, tp
    call trap_switch_to
    mv a0, s2
    j 3f
4:  mv a0, tp
    call entry_slow

// --- 7. ------------------------------------------------------------------------------------------
    .global trap_out
trap_out:
    mv a0, tp
    call sched_next
    beqz a0, 2f
    ld t0, HART_READY(tp)
    beq t0, a0, 3f
// --- 8. ------------------------------------------------------------------------------------------
    mv s2, a0
    mv a1, a0
    mv a0, tp
    call trap_switch
    mv a0, s2
// --- 10. -----------------------------------------------------------------------------------------
3:  leave_kernel
    ld x4, REGS_X(4)(a0)
    ld x5, REGS_X(5)(a0)
    callee_saved ld, a0
    caller_saved ld, a0
    ld x10, REGS_X(10)(a0)
    sret
2:  mv a0, tp
    call trap_idle
    j trap_out

// --- 11. -----------------------------------------------------------------------------------------
trap_not_ecall:
    csrr t0, sstatus
    andi t0, t0, SSTATUS_SPP
    bnez t0, trap_in_kernel
// --- 12. -----------------------------------------------------------------------------------------
    ld t0, HART_CURRENT(tp)
    save_first
    callee_saved sd, t0
    csrr t1, sepc
    sd t1, REGS_PC(t0)
    ld sp, HART_STACK_TOP(tp)
    take_lock
    mv a0, tp
    ld a1, HART_CURRENT(tp)
    csrr a2, scause
    csrr a3, stval
    call trap_other
    j trap_out

// --- 13. -----------------------------------------------------------------------------------------
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
