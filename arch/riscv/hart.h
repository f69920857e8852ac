// SPDX-License-Identifier: BSD-2-Clause
// A hart in the kernel, within arch/riscv/: lock, traps, idle loop.
#ifndef ARCH_RISCV_HART_H
#define ARCH_RISCV_HART_H

#include "arch/arch.h"

struct thread;

// From trap.S and entry.S
void lock_wait(struct arch_lock *l);
// The lock has been given up and somebody sleeps for it.
void lock_wake(void);
void trap_other(struct hart *h, struct thread *t, uint64_t cause, uint64_t value);
void trap_idle(struct hart *h);
void trap_switch(struct hart *h, struct thread *t);
void trap_switch_to(struct hart *h, struct thread *next, struct thread *was);
_Noreturn void trap_kernel(uint64_t cause, uint64_t pc, uint64_t value, uint64_t sp, uint64_t fp);
_Noreturn void hart_main(struct hart *h);

// fp.S
void fp_store(struct arch_fp *fp);
void fp_load(const struct arch_fp *fp);

// fpu.c
void fp_switch(struct hart *h, struct arch_regs *r);
bool fp_first_use(struct hart *h, struct thread *t);

// timer.c
void timer_configure(uint64_t timebase_hz, bool sstc);
void timer_fired(struct hart *h);

// backtrace.c
void backtrace_from(uint64_t pc, uint64_t fp, void (*line)(const char *text));

#endif
