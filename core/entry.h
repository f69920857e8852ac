// SPDX-License-Identifier: BSD-2-Clause
// The way up: what arch/ calls. None of it blocks or keeps a stack.
//
// A trap from U-mode: arch saves all registers into the thread's record, switches to the hart's own stack (empty then),
// takes the node lock, calls one of these, and then goes the one way out:
//
//     for (;;) { t = sched_next(h); if (t) break; arch idles: unlock, wfi, lock, pending interrupts }
//     unlock; restore t's registers; sret
//
// h is the hart that executes the call, and n its node.
// Callers: arch/, node lock held.
#ifndef CORE_ENTRY_H
#define CORE_ENTRY_H

#include "core/hart.h"

// System call of h->current: number in a7. pc already points behind the ecall. Two halves:
//
// entry_fast: fast path (fastpath.c). t is h->current. Returns the thread to resume (already h->current), or NULL:
// nothing changed; save the other registers and call entry_slow(). What the calling convention has C functions preserve
// (s0..s11, gp) need not be in t's record before. If another thread is resumed: put what the hart holds of t, those
// registers and FP state, into its record before the lock is given up.
//
// entry_slow, for every call; all of t's registers are in its record. An unknown number gives the guest E_CALL. t may
// be blocked, or gone, afterwards: sched_next says what the hart goes on with.
struct thread *entry_fast(struct hart *h, struct thread *t);
void entry_slow(struct hart *h, struct thread *t);
// Both halves, for a caller that has all of t's registers in its record. t need not be on a hart. Callers: tests, which
// make a guest's calls for it; node lock held.
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
// Exception of h->current, t, at t->regs.pc. addr: the guest address, or the instruction's bits, as the kind says.
// cause: scause (RISC-V privileged specification, "Supervisor Cause Register"), for the report. A page that may be
// brought in is, and t goes on with the same instruction; else the process stops and its owner is asked, or, without an
// owner, it ends.
void entry_fault(struct hart *h, struct thread *t, enum fault_kind kind, uint64_t addr, uint64_t cause);
// h->current, t, uses the FP unit for the first time: gives it t->regs.fp, all zero. Returns true, or false: no memory;
// the process stops, as of any other fault that cannot be resolved.
bool entry_fp_first(struct hart *h, struct thread *t);

// entry_timer: the time set by arch_timer_set has come. Runs the node's timers that are due.
// entry_kick: another hart asked (arch_kick). sched_next will look at everything again.
// entry_external: a device interrupt is pending. Calls node->irq.
void entry_timer(struct hart *h);
void entry_kick(struct hart *h);
void entry_external(struct hart *h);

// Returns the guest thread to run on this hart next (it is h->current then, state THREAD_RUN), or NULL: idle. Runs
// ready privileged tasks on the way, each until it blocks. Sets the timer. Loads nothing: arch loads t->proc->aspace
// and FP.
struct thread *sched_next(struct hart *h);

// Returns true if a ready guest waits for a hart. Callers: arch/, loop.c; node lock held.
bool sched_any_ready(struct node *n);

// Hart h is about to enter the loop for the first time: from now on it is woken for threads of node n.
void entry_hart_online(struct node *n, struct hart *h);

#endif
