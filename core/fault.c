// SPDX-License-Identifier: BSD-2-Clause
// Exceptions of guest threads: a page is brought in, FP registers are given out, or the process stops by the fault.
#include "core/abi.h"
#include "core/entry.h"
#include "core/life.h"
#include "core/node.h"
#include "core/thread.h"

// A fault that nothing was done about: the process stands still and its owner is asked; without an owner it ends.
static void stop_by_fault(struct node *n, struct thread *t, const struct proc_fault *f)
{
    struct proc *p = t->proc;
    if (p->state != PROC_RUN)
        return; // it stops already, for another reason: going on, it comes to this instruction again
    trace(n, TRACE_FAULT, f->kind, f->addr, f->pc);
    p->fault = *f;
    if (cap_is_null(&p->owner)) {
        proc_finish(n, p, f->error);
        return;
    }
    p->to_report = STOP_FAULT;
    p->stay_stunned = true; // a move that comes in between leaves it so
    (void)proc_stun(n, p);
}

void entry_fault(struct hart *h, struct thread *t, enum fault_kind kind, uint64_t addr, uint64_t cause)
{
    struct node *n = h->node;
    int r = -E_FAULT;
    if (kind == FAULT_READ || kind == FAULT_WRITE || kind == FAULT_EXEC) {
        unsigned prot = kind == FAULT_READ ? PROT_R : kind == FAULT_WRITE ? PROT_W : PROT_X;
        r = proc_fault(n, t->proc, addr, prot);
        if (r == 0)
            return;
    }
    stop_by_fault(
        n, t,
        &(struct proc_fault){
            .kind = (uint32_t)kind, .tid = t->tid, .error = r, .cause = cause, .addr = addr, .pc = t->regs.pc});
}

bool entry_fp_first(struct hart *h, struct thread *t)
{
    int r = thread_use_fp(h->node, t);
    if (r < 0)
        stop_by_fault(
            h->node, t,
            &(struct proc_fault){.kind = FAULT_OTHER, .tid = t->tid, .error = r, .addr = t->regs.pc, .pc = t->regs.pc});
    return r == 0;
}
