// SPDX-License-Identifier: BSD-2-Clause
// Reports to owners, and what an owner's answer does. A silent owner must not hold up the others, so each report is
// made by a task of its own; when there are too many of these, or no memory, the caller makes the report itself.
#include "services/proc/owner.h"
#include "core/abi.h"
#include "core/desc.h"
#include "core/life.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/sched.h"
#include "core/thread.h"
#include "services/proc/change.h"
#include "services/proc/control.h"
#include "services/proc/fault.h"
#include "services/proc/order.h"
#include "services/proc/proc_priv.h"
#include <stdio.h>

#define REPORTS_MAX 8u
#define OWNER_TIMEOUT_MS 10000
#define REPORT_IDLE_NS (10 * NS_PER_S) // a task that made a report waits so long for another one

struct report {
    struct list link;    // [N] proc_service.reports
    struct thread *task; // [I] NULL: made in line
    ep_t ep;             // [N] EP_NONE: the task has made its report and waits for another
    struct cap owner;
    bool ended;                     // the process is DEAD and goes when the owner has been told
    uint32_t event;                 // EVENT_FAULT, EVENT_STUNNED: it stands still and waits for the answer; 0: neither
    uint64_t runs;                  // these: of the process, when it stopped
    uint64_t code;                  // EVENT_STUNNED
    int64_t status;                 // ended
    uint32_t fault_kind, fault_tid; // kind 0: none
    ep_t target;                    // in doubt
    struct owner_fault fault;
};

// --- What is told -------------------------------------------------------------------------------------------

static void report_fill_fault(struct proc *p, struct report *t)
{
    char reason[FAULT_REASON_MAX];
    fault_reason(p, reason);
    t->fault_kind = p->fault.kind;
    t->fault_tid = p->fault.tid;
    t->fault = (struct owner_fault){.cause = p->fault.cause,
                                    .addr = p->fault.addr,
                                    .pc = p->fault.pc,
                                    .error = p->fault.error,
                                    .process = proc_cap(p, RIGHT_ALL)};
    LIST_FOR (l, &p->threads) {
        const struct thread *th = LIST_ENTRY(l, struct thread, link);
        if (th->tid == p->fault.tid) {
            t->fault.ra = th->regs.x[REG_RA];
            t->fault.sp = th->regs.x[REG_SP];
        }
    }
    (void)snprintf(t->fault.what, sizeof t->fault.what, "%s 0x%llx%s", fault_name(p->fault.kind),
                   (unsigned long long)p->fault.addr, reason);
}

static void notify(struct node *n, const struct report *t, const uint64_t arg[4], struct buf req)
{
    int64_t status = task_trans(n, &t->owner, OP_PROC_WAIT_EVENT, arg, req, buf_none(), OWNER_TIMEOUT_MS, NULL);
    if (status < 0) {
        trace(n, TRACE_DROP, (uint32_t)-status, OP_PROC_WAIT_EVENT, t->ep);
        node_log(n, "proc: owner of %06x was not told: %s", (unsigned)(t->ep & CAP_OBJ_MAX), error_string(status));
    }
}

static void report_send(struct node *n, const struct report *t)
{
    if (cap_is_null(&t->owner))
        return;
    if (!t->ended) {
        const uint64_t arg[4] = {EVENT_DOUBT, t->ep, t->target, 0};
        notify(n, t, arg, buf_none());
        return;
    }
    const uint64_t arg[4] = {EVENT_ENDED, t->ep, (uint64_t)t->status, 0};
    notify(n, t, arg, buf_none());
}

// --- The owner's answer ---------------------------------------------------------------------------------------

// The process, if it is still stunned by the stop that was reported. NULL: another order was carried out meanwhile.
static struct proc *still_same_stop(struct node *n, const struct report *t)
{
    int gone;
    struct proc *p = order_wait(n, t->ep, &gone);
    return p && p->state == PROC_STUNNED && p->runs == t->runs ? p : NULL;
}

static void resume_by_owner(struct node *n, struct proc *p)
{
    p->stay_stunned = false;
    int e = proc_resume(n, p);
    ASSERT(e == 0);
}

// Returns 0, or an error: the answer could not be carried out, and the owner must be told.
static int64_t apply_answer(struct node *n, const struct report *t, int64_t answer, const struct buf *desc)
{
    struct proc *p = still_same_stop(n, t);
    if (!p) {
        node_log(n, "proc: %06x: its owner's answer came when it stood still no more", (unsigned)(t->ep & CAP_OBJ_MAX));
        return 0;
    }
    if (answer < 0) {
        bool none = answer == -E_TIMEOUT || answer == -E_NOTHERE || answer == -E_DIED;
        if (t->event == EVENT_STUNNED && none)
            return 0;
        answer = OWNER_END;
    }
    switch (answer) {
    case OWNER_END:
        p->killed = t->event != EVENT_FAULT;
        proc_finish(n, p, p->killed ? -E_CANCEL : p->fault.error);
        return 0;
    case OWNER_RESUME: resume_by_owner(n, p); return 0;
    case OWNER_KEEP: return 0;
    case OWNER_CHANGE: {
        int64_t status = change_apply(n, p, desc);
        if (status == 0)
            resume_by_owner(n, proc_by_ep(n, t->ep));
        return status;
    }
    default: return -E_ARG;
    }
}

// Tells the owner of the stop, until an answer could be carried out.
static void deliver_stop(struct node *n, const struct report *t)
{
    struct seg *room; // takes no memory but for what comes
    if (seg_create(n, DESC_MAX_BYTES, &room) < 0) {
        (void)apply_answer(n, t, -E_MEM, NULL);
        return;
    }
    uint64_t arg[4] = {t->event, t->ep, t->code, 0};
    if (t->event == EVENT_FAULT) {
        arg[2] = t->fault_kind | (uint64_t)t->fault_tid << 32;
        arg[3] = t->fault.addr;
    }
    for (int64_t e = -1; e < 0;) {
        struct task_result out = {0};
        int64_t answer = task_trans(n, &t->owner, OP_PROC_WAIT_EVENT, arg, buf_kernel(&t->fault, sizeof t->fault),
                                    buf_seg(room, 0, DESC_MAX_BYTES), OWNER_TIMEOUT_MS, &out);
        if (answer < 0)
            node_log(n, "proc: owner of %06x, told that it stands still: %s", (unsigned)(t->ep & CAP_OBJ_MAX),
                     error_string(answer));
        struct buf desc = buf_seg(room, 0, out.len);
        e = apply_answer(n, t, answer, &desc);
        arg[0] = EVENT_REFUSED;
        arg[2] = (uint64_t)-e;
        arg[3] = 0;
    }
    seg_drop(n, room);
}

// --- The tasks that tell it ---------------------------------------------------------------------------------

// A dead process is kept until its owner has been told. Else it could be started again, from a checkpoint, under the
// same endpoint, and the owner would take the end of the first for the end of the second.
static void report_make(struct node *n, const struct report *t)
{
    if (t->event) {
        deliver_stop(n, t);
        return;
    }
    report_send(n, t);
    struct proc *p = t->ended ? proc_by_ep(n, t->ep) : NULL;
    ASSERT(!t->ended || (p && p->state == PROC_DEAD));
    if (p)
        proc_drop(n, p, false);
}

static void report_free(struct node *n, struct report *t)
{
    ASSERT(n->services->proc->nreports > 0);
    list_del(&t->link);
    n->services->proc->nreports--;
    pool_free(n, &n->services->proc->pool_report, t);
}

static void report_main(struct node *n, void *arg)
{
    struct report *t = arg;
    while (t->ep != EP_NONE) {
        report_make(n, t);
        t->ep = EP_NONE;
        task_sleep(n, REPORT_IDLE_NS); // woken when there is another report to make
    }
    report_free(n, t);
}

// A task that has made its report and was not told to end by its timer yet. Starting one takes as long as the rest of a
// small process's end.
static struct report *report_idle(struct node *n)
{
    LIST_FOR (l, &n->services->proc->reports) {
        struct report *t = LIST_ENTRY(l, struct report, link);
        if (t->ep == EP_NONE && t->task->state == THREAD_SLEEP)
            return t;
    }
    return NULL;
}

// Gives the report to an idle task. false: there is none.
static bool report_give(struct node *n, const struct report *from)
{
    struct report *idle = report_idle(n);
    if (!idle)
        return false;
    struct list link = idle->link;
    struct thread *task = idle->task;
    *idle = *from;
    idle->link = link;
    idle->task = task;
    sched_wake(n, task);
    return true;
}

static struct report *report_new(struct node *n, const struct report *from)
{
    if (n->services->proc->nreports >= REPORTS_MAX)
        return NULL;
    struct report *t = pool_alloc(n, &n->services->proc->pool_report);
    if (!t)
        return NULL;
    *t = *from;
    list_add_tail(&n->services->proc->reports, &t->link);
    n->services->proc->nreports++;
    t->task = task_spawn(n, "report", report_main, t);
    if (t->task)
        return t;
    report_free(n, t);
    return NULL;
}

static void report(struct node *n, struct report *t)
{
    if (!cap_is_null(&t->owner) && (report_give(n, t) || report_new(n, t)))
        return;
    // In line, by the caller. Only the reaper reports ends, and it is busy with this one: it is not reported twice.
    report_make(n, t);
}

// --- For the rest of the service --------------------------------------------------------------------------------

static void note_fault(struct node *n, struct proc *p, struct report *t)
{
    report_fill_fault(p, t);
    node_log(n, "proc: %s (%06x) thread %u: %s at pc 0x%llx", p->name, p->pid, p->fault.tid, t->fault.what,
             (unsigned long long)p->fault.pc);
}

void owner_tell_doubt(struct node *n, const struct proc *p, ep_t target)
{
    ASSERT(p->state == PROC_DOUBT);
    struct report t = {.ep = p->ep, .owner = p->owner, .target = target};
    report(n, &t);
}

void owner_tell_stop(struct node *n, struct proc *p)
{
    ASSERT(p->state == PROC_STUNNED);
    ASSERT(p->to_report == STOP_FAULT || p->to_report == STOP_ORDER);
    struct report t = {.ep = p->ep,
                       .owner = p->owner,
                       .event = p->to_report == STOP_FAULT ? EVENT_FAULT : EVENT_STUNNED,
                       .runs = p->runs,
                       .code = p->stun_code,
                       .fault = {.process = proc_cap(p, RIGHT_ALL)}};
    p->to_report = STOP_NONE;
    if (t.event == EVENT_FAULT)
        note_fault(n, p, &t);
    report(n, &t);
}

void owner_tell_end(struct node *n, struct proc *p)
{
    ASSERT(p->state == PROC_DEAD && p->on_harts == 0);
    struct report t = {.ep = p->ep, .owner = p->owner, .ended = true, .status = p->exit_status};
    if (p->fault.kind && cap_is_null(&p->owner))
        note_fault(n, p, &t);
    report(n, &t);
}

struct report *owner_idle(struct node *n, const struct proc *p)
{
    return cap_is_null(&p->owner) ? NULL : report_idle(n);
}

void owner_tell_end_by(struct node *n, struct report *idle, const struct proc *p)
{
    ASSERT(p->state == PROC_DEAD && idle->ep == EP_NONE);
    idle->ep = p->ep;
    idle->owner = p->owner;
    idle->ended = true;
    idle->event = 0;
    idle->status = p->exit_status;
    sched_wake(n, idle->task);
}

bool owner_is_told_of_end(struct node *n, ep_t ep)
{
    LIST_FOR (l, &n->services->proc->reports) {
        const struct report *t = LIST_ENTRY(l, struct report, link);
        if (t->ended && t->ep == ep)
            return true;
    }
    return false;
}

void reports_start(struct node *n)
{
    pool_init(&n->services->proc->pool_report, "report", sizeof(struct report));
    list_init(&n->services->proc->reports);
}

void reports_stop(struct node *n)
{
    LIST_FOR_SAFE (l, next, &n->services->proc->reports) {
        struct report *t = LIST_ENTRY(l, struct report, link);
        task_free(n, t->task);
        report_free(n, t);
    }
}
