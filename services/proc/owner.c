// SPDX-License-Identifier: BSD-2-Clause
// Reports to owners, and what an owner's answer does. A silent owner must not hold up the others, so each report is
// made by a task of its own. One that is not answered waits in a list, without a task, and is made again after growing
// pauses, for the grace that the process gives its owner (orphan.h). The list is bounded: when it is full, the oldest
// report of an end is given up.
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
#include "services/proc/orphan.h"
#include "services/proc/proc_priv.h"
#include <stdio.h>

#define REPORTS_MAX 8u   // made at a time
#define REPEATS_MAX 4u   // of these, such as were not answered before: fresh ones find a task
#define WAITING_MAX 256u // reports that wait to be made again, or for a task
#define REPEAT_FIRST_NS (1 * NS_PER_S)
#define REPEAT_MAX_NS (30 * NS_PER_S)
#define OWNER_TIMEOUT_MS 10000
#define REPORT_IDLE_NS (10 * NS_PER_S) // a task that made a report waits so long for another one

struct report {
    struct list link;    // [N] proc_service.reports, or proc_service.waiting
    struct thread *task; // [I] NULL: made in line, or waiting
    ep_t ep;             // [N] EP_NONE: the task has made its report and waits for another
    struct cap owner;
    bool ended;                     // the process is DEAD and goes when the owner has been told
    uint32_t event;                 // EVENT_FAULT, EVENT_STUNNED: it stands still and waits for the answer; 0: neither
    uint64_t runs;                  // these: of the process, when it stopped
    uint64_t code;                  // EVENT_STUNNED
    int64_t status;                 // ended
    uint32_t fault_kind, fault_tid; // kind 0: none
    ep_t target;                    // in doubt
    uint64_t grace_ns;              // that the process gives its owner
    uint64_t since_ns;              // when it was made for the first time; 0: it was not made yet
    uint64_t pause_ns, due_ns;      // waiting: the next time
    struct owner_fault fault;
};

// Nobody answered: an owner that is stopped, cut off, or gone.
static bool is_silence(int64_t answer)
{
    return answer == -E_TIMEOUT || answer == -E_NOTHERE || answer == -E_DIED;
}

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

// Returns true if the owner has answered, or there is none.
static bool report_send(struct node *n, const struct report *t)
{
    if (cap_is_null(&t->owner))
        return true;
    const uint64_t doubt[4] = {EVENT_DOUBT, t->ep, t->target, 0};
    const uint64_t ended[4] = {EVENT_ENDED, t->ep, (uint64_t)t->status, 0};
    int64_t status = task_trans(n, &t->owner, OP_PROC_WAIT_EVENT, t->ended ? ended : doubt, buf_none(), buf_none(),
                                OWNER_TIMEOUT_MS, NULL);
    if (status < 0)
        trace(n, TRACE_DROP, (uint32_t)-status, OP_PROC_WAIT_EVENT, t->ep);
    return !is_silence(status);
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
    if (answer < 0 && t->event == EVENT_STUNNED && is_silence(answer))
        return 0;
    if (answer < 0)
        answer = OWNER_END;
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

// Tells the owner of the stop, until an answer could be carried out. Returns false when there was none.
static bool deliver_stop(struct node *n, const struct report *t)
{
    struct seg *room; // takes no memory but for what comes
    if (seg_create(n, DESC_MAX_BYTES, &room) < 0)
        return false;
    uint64_t arg[4] = {t->event, t->ep, t->code, 0};
    if (t->event == EVENT_FAULT) {
        arg[2] = t->fault_kind | (uint64_t)t->fault_tid << 32;
        arg[3] = t->fault.addr;
    }
    bool answered = true;
    for (int64_t e = -1; e < 0 && answered;) {
        struct task_result out = {0};
        int64_t answer = task_trans(n, &t->owner, OP_PROC_WAIT_EVENT, arg, buf_kernel(&t->fault, sizeof t->fault),
                                    buf_seg(room, 0, DESC_MAX_BYTES), OWNER_TIMEOUT_MS, &out);
        answered = !is_silence(answer);
        if (answer < 0 && answered)
            node_log(n, "proc: owner of %06x, told that it stands still: %s", (unsigned)(t->ep & CAP_OBJ_MAX),
                     error_string(answer));
        struct buf desc = buf_seg(room, 0, out.len);
        e = answered ? apply_answer(n, t, answer, &desc) : 0;
        arg[0] = EVENT_REFUSED;
        arg[2] = (uint64_t)-e;
        arg[3] = 0;
    }
    seg_drop(n, room);
    return answered;
}

// --- Reports that nobody answered ----------------------------------------------------------------------------

// False: what was to be reported is so no more. It was killed, resumed or moved meanwhile, and whoever did it, or the
// node where it is now, tells its owner what there is to tell.
static bool still_so(struct node *n, const struct report *t)
{
    const struct proc *p = t->ended ? NULL : proc_by_ep(n, t->ep);
    if (t->ended)
        return true;
    if (t->event)
        return p && p->runs == t->runs && p->state != PROC_DEAD;
    return p && p->state == PROC_DOUBT;
}

static void report_give_up(struct node *n, const struct report *t)
{
    node_log(n, "proc: owner of %06x was not told%s: no answer", (unsigned)(t->ep & CAP_OBJ_MAX),
             t->ended ? " of its end" : "");
    if (t->event && still_so(n, t))
        (void)apply_answer(n, t, -E_TIMEOUT, NULL);
}

static void waiting_free(struct node *n, struct report *t)
{
    list_del(&t->link);
    n->services->proc->nwaiting--;
    pool_free(n, &n->services->proc->pool_report, t);
}

// Room for one more in the list, at the expense of the oldest report of an end: of the others each stands for a process
// that can be seen to stand still.
static bool waiting_room(struct node *n)
{
    struct proc_service *ps = n->services->proc;
    if (ps->nwaiting < WAITING_MAX)
        return true;
    LIST_FOR (l, &ps->waiting) {
        struct report *t = LIST_ENTRY(l, struct report, link);
        if (!t->ended)
            continue;
        report_give_up(n, t);
        waiting_free(n, t);
        return true;
    }
    return false;
}

// Puts a copy of the report into the list, to be made at t->due_ns. False: there is no room, or no memory.
static bool report_wait(struct node *n, const struct report *from)
{
    struct proc_service *ps = n->services->proc;
    struct report *t = waiting_room(n) ? pool_alloc(n, &ps->pool_report) : NULL;
    if (!t)
        return false;
    *t = *from;
    t->task = NULL;
    list_init(&t->link);
    list_add_tail(&ps->waiting, &t->link);
    ps->nwaiting++;
    reaper_by(n, t->due_ns);
    return true;
}

static void report_again(struct node *n, struct report *t)
{
    uint64_t now = node_now(n);
    t->pause_ns = t->pause_ns == 0                  ? REPEAT_FIRST_NS
                  : t->pause_ns * 2 < REPEAT_MAX_NS ? t->pause_ns * 2
                                                    : REPEAT_MAX_NS;
    t->due_ns = now + t->pause_ns;
    if (now - t->since_ns >= t->grace_ns || !report_wait(n, t))
        report_give_up(n, t);
}

// --- The tasks that tell it ---------------------------------------------------------------------------------

// A dead process is kept until its owner has been told for the first time, or has not answered; what it was is in the
// report from then on.
static void report_make(struct node *n, struct report *t)
{
    if (t->since_ns == 0)
        t->since_ns = node_now(n);
    bool answered = !still_so(n, t) || (t->event ? deliver_stop(n, t) : report_send(n, t));
    struct proc *p = t->ended ? proc_by_ep(n, t->ep) : NULL;
    if (p && p->state == PROC_DEAD)
        proc_drop(n, p, false);
    if (!answered)
        report_again(n, t);
}

static bool is_being_told(struct node *n, struct port owner)
{
    LIST_FOR (l, &n->services->proc->reports) {
        const struct report *t = LIST_ENTRY(l, struct report, link);
        if (t->ep != EP_NONE && port_eq(t->owner.port, owner))
            return true;
    }
    return false;
}

// The next report of the list that is due, now in *t. False: none is, or enough silent owners are being told. One owner
// that is silent takes one task, however many processes it has.
static bool report_next(struct node *n, struct report *t)
{
    struct proc_service *ps = n->services->proc;
    unsigned repeats = 0;
    if (list_empty(&ps->waiting)) // nearly always
        return false;
    LIST_FOR (l, &ps->reports) {
        const struct report *o = LIST_ENTRY(l, struct report, link);
        repeats += o->ep != EP_NONE && o->pause_ns > 0;
    }
    LIST_FOR (l, &ps->waiting) {
        struct report *w = LIST_ENTRY(l, struct report, link);
        if (w->due_ns > node_now(n) || (w->pause_ns > 0 && repeats >= REPEATS_MAX))
            continue;
        if (is_being_told(n, w->owner.port))
            continue;
        struct list link = t->link;
        struct thread *task = t->task;
        *t = *w;
        t->link = link;
        t->task = task;
        waiting_free(n, w);
        return true;
    }
    return false;
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
        if (!report_next(n, t))
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
    t->due_ns = node_now(n);
    if (!cap_is_null(&t->owner) && report_wait(n, t)) { // for a task
        struct proc *p = t->ended ? proc_by_ep(n, t->ep) : NULL;
        if (p)
            proc_drop(n, p, false);
        return;
    }
    // In line, by the caller. Only the reaper reports ends, and it is busy with this one: it is not reported twice.
    report_make(n, t);
}

uint64_t reports_sweep(struct node *n)
{
    struct proc_service *ps = n->services->proc;
    uint64_t now = node_now(n), next = UINT64_MAX;
    bool begun = false;
    LIST_FOR (l, &ps->waiting)
        begun |= LIST_ENTRY(l, struct report, link)->due_ns <= now;
    struct report t;
    if (begun && (report_idle(n) || ps->nreports < REPORTS_MAX) && report_next(n, &t) && !report_give(n, &t) &&
        !report_new(n, &t))
        report_again(n, &t);
    LIST_FOR (l, &ps->waiting) {
        uint64_t due = LIST_ENTRY(l, struct report, link)->due_ns;
        due = due > now ? due : now + REPEAT_FIRST_NS; // it waits for a task
        next = due < next ? due : next;
    }
    return next;
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
    struct report t = {.ep = p->ep, .owner = p->owner, .target = target, .grace_ns = orphan_grace(n, p)};
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
                       .grace_ns = orphan_grace(n, p),
                       .fault = {.process = proc_cap(p, RIGHT_ALL)}};
    p->to_report = STOP_NONE;
    if (t.event == EVENT_FAULT)
        note_fault(n, p, &t);
    report(n, &t);
}

void owner_tell_end(struct node *n, struct proc *p)
{
    ASSERT(p->state == PROC_DEAD && p->on_harts == 0);
    struct report t = {
        .ep = p->ep, .owner = p->owner, .ended = true, .status = p->exit_status, .grace_ns = orphan_grace(n, p)};
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
    idle->grace_ns = orphan_grace(n, p);
    idle->since_ns = idle->pause_ns = 0;
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
    list_init(&n->services->proc->waiting);
}

void reports_stop(struct node *n)
{
    LIST_FOR_SAFE (l, next, &n->services->proc->reports) {
        struct report *t = LIST_ENTRY(l, struct report, link);
        task_free(n, t->task);
        report_free(n, t);
    }
    LIST_FOR_SAFE (l, next, &n->services->proc->waiting)
        waiting_free(n, LIST_ENTRY(l, struct report, link));
}
