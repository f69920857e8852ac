// SPDX-License-Identifier: BSD-2-Clause
// The way up: what arch/ calls. All with the node lock held; none of them blocks or keeps a stack.
//
// A trap from U-mode: arch saves all registers into the thread's record, switches to the hart's own stack (empty then),
// takes the node lock, calls one of these, and then goes the one way out:
//
//     for (;;) { t = sched_next(h); if (t) break; arch idles: unlock, wfi, lock, pending interrupts }
//     unlock; restore t's registers; sret
#ifndef CORE_ENTRY_H
#define CORE_ENTRY_H

#include "core/hart.h"

// System call of h->current: number in a7. pc already points behind the ecall. Two halves:
//
// entry_fast, for those that need no look round (fastpath.c). Answers who goes on here, t or another: h->current then.
// NULL: nothing has changed; save the rest of t's registers and call entry_slow. What the calling convention has C
// functions preserve (s0..s11, gp) need not be in t's record before. When another goes on: put what the hart holds of
// t, those registers and FP state, into its record before the lock is given up.
struct thread *entry_fast(struct hart *h, struct thread *t); // t is h->current
void entry_slow(struct hart *h, struct thread *t);
// Both: for whoever has all of t's registers in its record.
void entry_syscall(struct hart *h, struct thread *t);

enum fault_kind {
    FAULT_READ = 1,
    FAULT_WRITE,
    FAULT_EXEC,    // no translation, or not with this access, at addr
    FAULT_ILLEGAL, // addr = the instruction's bits when known
    FAULT_BREAK,
    FAULT_MISALIGNED,
    FAULT_ACCESS, // physical access fault
    FAULT_OTHER,
};
// Exception of h->current at t->regs.pc. cause: scause, for the report.
void entry_fault(struct hart *h, struct thread *t, enum fault_kind kind, uint64_t addr, uint64_t cause);
// h->current uses the FP unit for the first time: gives it t->regs.fp, all zero. false: no memory; the process ends, as
// of any other fault that cannot be resolved.
bool entry_fp_first(struct hart *h, struct thread *t);

void entry_timer(struct hart *h);    // the time set by arch_timer_set has come
void entry_kick(struct hart *h);     // another hart asked (arch_kick)
void entry_external(struct hart *h); // a device interrupt is pending: calls node->irq

// Next guest thread to run on this hart (it is h->current then, state THREAD_RUN), or NULL: idle. Runs ready privileged
// tasks on the way. Sets the timer. Loads nothing: arch loads t->proc->aspace and FP.
struct thread *sched_next(struct hart *h);

// Does a guest wait for a hart?
bool sched_any_ready(struct node *n);

// A hart is about to enter the loop for the first time.
void entry_hart_online(struct node *n, struct hart *h);

#endif
