// SPDX-License-Identifier: BSD-2-Clause
// A hart in the kernel, within arch/riscv/: lock, traps, idle loop, FP unit, timer. Callers: node lock held, on the
// hart that h names, where a function does not say otherwise.
#ifndef ARCH_RISCV_HART_H
#define ARCH_RISCV_HART_H

#include "arch/arch.h"

struct thread;

// --- hart.c, for trap.S and entry.S --------------------------------------------------------------

// Takes the lock, and waits until it is free. Callers: trap.S, when its own attempt failed; lock not held.
void lock_wait(struct arch_lock *l);
// Wakes one of the harts that sleep for the lock. Callers: the hart that has just given up a lock with LOCK_SLEPT_FOR.
void lock_wake(void);
// Serves a trap of t that is not a system call: `cause` is scause, `value` is stval. t's record has all registers.
void trap_other(struct hart *h, struct thread *t, uint64_t cause, uint64_t value);
// There is nothing to run: sleeps, without the lock, until an interrupt is pending, and serves it.
void trap_idle(struct hart *h);
// Puts address space and FP registers of t, which runs next, in place. Another thread was the last to run here.
void trap_switch(struct hart *h, struct thread *t);
// The same for `next`, when the hart still holds address space and FP registers of `was`, which are saved first.
void trap_switch_to(struct hart *h, struct thread *next, struct thread *was);
// The end: a trap of the kernel itself. cause is scause, pc is sepc, value is stval; sp and fp, the frame pointer, are
// what it had.
// Callers: trap.S, on the panic stack; any lock.
_Noreturn void trap_kernel(uint64_t cause, uint64_t pc, uint64_t value, uint64_t sp, uint64_t fp);
// A hart's life from the top of its own stack: the loop. Callers: entry.S and arch_enter(), lock not held.
_Noreturn void hart_main(struct hart *h);

// --- fp.S. Callers: this hart, with sstatus.FS not Off -------------------------------------------

// Writes all FP registers and fcsr of this hart to *fp.
void fp_store(struct arch_fp *fp);
// Reads all FP registers and fcsr of this hart from *fp.
void fp_load(const struct arch_fp *fp);

// --- fpu.c ---------------------------------------------------------------------------------------

// Prepares the FP unit for r, which runs next. Callers as above; only needed if another thread may have used the unit.
void fp_switch(struct hart *h, struct arch_regs *r);
// An illegal instruction of t. True if it may have been its first FP instruction: t has FP registers now, and executes
// it again. False if it is another illegal instruction.
bool fp_first_use(struct hart *h, struct thread *t);

// --- timer.c -------------------------------------------------------------------------------------

// timebase_hz: what the time register counts at, 1000..999,999,999. Callers: boot hart, from arch_configure().
void timer_configure(uint64_t timebase_hz, bool sstc);
// The timer interrupt is pending: silences it.
void timer_fired(struct hart *h);

// --- backtrace.c ---------------------------------------------------------------------------------

// Calls line() for the code at address pc (0: none) and for the return address of each frame, from the one at fp on.
// Callers: any context; the frames may be damaged.
void backtrace_from(uint64_t pc, uint64_t fp, void (*line)(const char *text));

#endif
