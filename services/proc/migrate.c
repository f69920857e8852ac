// SPDX-License-Identifier: BSD-2-Clause
// The source of a move; the table is in migrate.h.
#include "services/proc/migrate.h"
#include "core/desc.h"
#include "core/error.h"
#include "core/life.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/sched.h"
#include "core/thread.h"
#include "services/proc/control.h"
#include "services/proc/order.h"
#include "services/proc/owner.h"
#include "services/proc/proc_priv.h"

#define SLOT_TIMEOUT_MS 20000         // of an answer, yes or no
#define SLOT_WAIT_NS (600 * NS_PER_S) // for a slot, of a target that answers
#define SLOT_PAUSE_FIRST_NS (20 * NS_PER_MS)
#define SLOT_PAUSE_MAX_NS (500 * NS_PER_MS)
#define OFFER_QUEUED_NS (5 * NS_PER_S) // in the target's queue, while the process stands still
#define OFFER_WITHDRAW_NS (1 * NS_PER_S)
#define OFFER_TIMEOUT_MS 600000 // the target pulls all segments before it answers
#define COMMIT_TIMEOUT_MS 10000
#define ABORT_TIMEOUT_MS 2000
#define COMMIT_PAUSE_FIRST_NS (20 * NS_PER_MS)
#define COMMIT_PAUSE_MAX_NS (4 * NS_PER_S)
// Longer than a target keeps an offer (offer.c): while it can be reached at all, it has answered by then. Afterwards
// the order to move is answered, orders to the process are not held any more, and its owner is told; the asking goes
// on.
#define COMMIT_ASKING_NS (60 * NS_PER_S)
#define NEVER_RAN_LISTEN_NS (1 * NS_PER_S) // for answers of the ring, before a person's word is taken

struct move { // under way
    struct order order;
    struct timer queued;    // [N] OFFER: has the target begun with it?
    struct list doubt_link; // [N] proc_service.doubts, from COMMIT on until the doubt is over
    struct thread *task;    // [N] in doubt: that asks
    uint64_t runs;          // in doubt: of the process, which tells this stop from all others of it
    uint64_t doubt_ns;      // in doubt: since when
    ep_t elsewhere;         // [N] in doubt: another node says that it has the process, and is in no doubt
    struct cap target;
    uint64_t id;     // random: only the source that offered can commit or abort
    uint64_t number; // what the target calls it: its count of offers
    uint64_t start_ns;
    struct seg *desc;
    uint64_t desc_len;
    struct migrate_result result;
};

static void offer_queued(struct node *n, struct timer *t);

static int move_begin(struct node *n, struct proc *p, const struct cap *target, uint64_t id, struct move **out)
{
    if (order_busy(n, p->ep) || p == n->kproc)
        return -E_STATE;
    if (p->state != PROC_RUN && p->state != PROC_STUNNING && p->state != PROC_STUNNED)
        return -E_STATE;
    if (proc_shares(p)) // it would see no more what the others write, nor they what it writes
        return -E_SHARED;
    struct move *m = pool_alloc(n, &n->services->proc->pool_move);
    if (!m)
        return -E_MEM;
    m->target = *target;
    m->id = id;
    m->start_ns = node_now(n);
    list_init(&m->doubt_link);
    timer_init(&m->queued, offer_queued);
    order_begin(n, &m->order, p, ORDER_MOVE);
    *out = m;
    return 0;
}

static void move_free(struct node *n, struct move *m)
{
    list_del(&m->doubt_link);
    timer_cancel(n, &m->queued);
    if (m->desc)
        seg_drop(n, m->desc);
    pool_free(n, &n->services->proc->pool_move, m);
}

static void move_end(struct node *n, struct move *m)
{
    order_end(n, &m->order);
    move_free(n, m);
}

static void step(struct node *n, const struct move *m, uint32_t what, int64_t status)
{
    trace(n, TRACE_MIGRATE, what, m->id, (uint64_t)status);
}

// The process of a move. From MOVING on it cannot end: none of its threads runs, and every order waits for the move.
static struct proc *move_proc(struct node *n, const struct move *m)
{
    struct proc *p = proc_by_ep(n, m->order.ep);
    ASSERT(p && (p->state == PROC_MOVING || p->state == PROC_DOUBT));
    return p;
}

// --- Before anything changes ------------------------------------------------------------------------------------

int64_t migrate_slot(struct node *n, const struct cap *target, uint64_t *id)
{
    uint64_t begun = node_now(n), pause = SLOT_PAUSE_FIRST_NS;
    *id = node_random64(n);
    for (;;) {
        const uint64_t arg[4] = {*id, 0, 0, 0};
        int64_t status = task_trans(n, target, OP_PROC_SLOT, arg, buf_none(), buf_none(), SLOT_TIMEOUT_MS, NULL);
        if (status != -E_LIMIT || node_now(n) - begun >= SLOT_WAIT_NS)
            return status;
        if (task_cancelled(n))
            return -E_CANCEL;
        task_sleep(n, pause);
        pause = pause * 2 < SLOT_PAUSE_MAX_NS ? pause * 2 : SLOT_PAUSE_MAX_NS;
    }
}

void migrate_slot_drop(struct node *n, const struct cap *target, uint64_t id)
{
    const uint64_t arg[4] = {id, 0, 0, 0};
    (void)task_trans(n, target, OP_PROC_ABORT, arg, buf_none(), buf_none(), ABORT_TIMEOUT_MS, NULL);
}

// --- RUN -> STUNNED -----------------------------------------------------------------------------------------

static int64_t move_stun(struct node *n, struct move *m)
{
    for (;;) {
        struct proc *p = proc_by_ep(n, m->order.ep);
        if (!p || p->state == PROC_DEAD)
            return -E_OBJECT; // it came to its end on the way to a stop
        if (p->state == PROC_STUNNED)
            return 0;
        int e = p->state == PROC_RUN ? proc_stun(n, p) : 0;
        if (e < 0)
            return e;
        if (p->state != PROC_STUNNED)
            task_wait(n, &p->stun_event);
    }
}

// The copy here is the only one, for certain: it resumes, or is stunned as it was.
static void move_back(struct node *n, struct move *m)
{
    struct proc *p = move_proc(n, m);
    if (p->stay_stunned) {
        proc_set_state(p, PROC_STUNNED);
        return;
    }
    int e = proc_resume(n, p);
    ASSERT(e == 0);
}

// --- MOVING: until COMMIT is sent, this copy is the only one that can ever run -----------------------------------

static int64_t offer(struct node *n, struct move *m, uint64_t pages)
{
    const uint64_t arg[4] = {m->id, pages, 0, 0};
    struct task_result out;
    m->task = task_self(n);
    timer_set(n, &m->queued, node_now(n) + OFFER_QUEUED_NS);
    int64_t status = task_trans(n, &m->target, OP_PROC_OFFER, arg, buf_seg(m->desc, 0, m->desc_len), buf_none(),
                                OFFER_TIMEOUT_MS, &out);
    timer_cancel(n, &m->queued);
    if (status == -E_WITHDRAWN)
        status = -E_TIMEOUT;
    step(n, m, OP_PROC_OFFER, status);
    if (status < 0)
        return status == -E_DOUBT ? -E_REFUSED : status; // of an OFFER there is no doubt
    // The order named the target, which may be any program: its answer may be nonsense.
    if (out.res[2] == EP_NONE || out.res[2] == node_ep(n))
        return -E_REFUSED;
    m->result.bytes = out.res[0];
    m->result.pages = out.res[1];
    m->result.node = out.res[2];
    m->number = out.res[3];
    return 0;
}

// The target says "wait": its tasks are busy with others. It gave a slot, so this is soon over, or never.
static void offer_queued(struct node *n, struct timer *tm)
{
    struct move *m = LIST_ENTRY(tm, struct move, queued);
    const struct call *c = &m->task->call;
    if (m->task->state == THREAD_CALL && c->state == CALL_SEND && c->busy)
        (void)txn_cancel(n, m->task, OFFER_WITHDRAW_NS);
}

// The target may hold what it pulled; by itself it forgets that after a while. So an ABORT that does not arrive costs
// memory there, and nothing else.
static void abort_offer(struct node *n, struct move *m, int64_t why)
{
    if (why != -E_TIMEOUT && why != -E_DIED && why != -E_CANCEL && why != -E_TOOBIG)
        return; // it refused: nothing is left there
    const uint64_t arg[4] = {m->id, 0, 0, 0};
    int64_t status = task_trans(n, &m->target, OP_PROC_ABORT, arg, buf_none(), buf_none(), ABORT_TIMEOUT_MS, NULL);
    step(n, m, OP_PROC_ABORT, status);
}

static int64_t move_offer(struct node *n, struct move *m)
{
    struct proc *p = proc_by_ep(n, m->order.ep);
    ASSERT(p && p->state == PROC_STUNNED);
    proc_set_state(p, PROC_MOVING);
    // Asked again now that it cannot come to share one any more.
    int64_t status = proc_shares(p) ? -E_SHARED : desc_encode(n, p, &m->desc, &m->desc_len);
    if (status < 0) {
        m->desc = NULL;
        move_back(n, m);
        migrate_slot_drop(n, &m->target, m->id);
        return status;
    }
    status = offer(n, m, proc_pages(p));
    if (status == 0)
        return 0;
    // Only this node knows the id, and it never sends COMMIT for it: what the target has will never run. So the process
    // resumes here before the target is told, even if the target cannot be told.
    move_back(n, m);
    abort_offer(n, m, status);
    return status;
}

// --- DOUBT: from the first COMMIT on, only an answer says on which node the process is -----------------------------

static int64_t commit(struct node *n, const struct cap *target, uint64_t id, uint64_t number)
{
    const uint64_t arg[4] = {id, number, 0, 0};
    return task_trans(n, target, OP_PROC_COMMIT, arg, buf_none(), buf_none(), COMMIT_TIMEOUT_MS, NULL);
}

// The copy here. NULL: the doubt is over, for an order has destroyed or resumed it.
static struct proc *doubt_proc(struct node *n, const struct move *m)
{
    struct proc *p = proc_by_ep(n, m->order.ep);
    return p && p->state == PROC_DOUBT && p->runs == m->runs ? p : NULL;
}

static struct move *doubt_of(struct node *n, ep_t ep)
{
    LIST_FOR (l, &n->services->proc->doubts) {
        struct move *m = LIST_ENTRY(l, struct move, doubt_link);
        if (m->order.ep == ep && doubt_proc(n, m))
            return m;
    }
    return NULL;
}

// It runs, or ran, on that node. Peers that still look for it here are sent on; then this copy is destroyed in silence:
// a client that is told "died" now would hear it of a live server.
static void copy_leaves(struct node *n, struct proc *p, ep_t node)
{
    if (n->transport)
        n->transport->moved_away(n, p, node);
    proc_drop(n, p, true);
}

static void move_done(struct node *n, struct move *m, struct proc *p)
{
    m->result.freeze_ns = node_now(n) - m->start_ns;
    node_log(n, "proc: %s (%06x) has moved: %llu KiB, frozen for %llu us", p->name, p->pid,
             (unsigned long long)(m->result.bytes / KIB), (unsigned long long)(m->result.freeze_ns / 1000));
    copy_leaves(n, p, m->result.node);
}

// One question, to the target and, when that does not help, to the ring. Returns 0: it is not here any more;
// E_REFUSED: it goes on here; E_DOUBT: not known.
static int64_t doubt_ask(struct node *n, struct move *m)
{
    int64_t status = commit(n, &m->target, m->id, m->number);
    step(n, m, OP_PROC_COMMIT, status);
    struct proc *p = doubt_proc(n, m);
    if (!p)
        return 0;
    if (status >= 0) {
        move_done(n, m, p);
        return 0;
    }
    if (status == -E_REFUSED) {
        // An explicit answer of the target's kernel that it has not run it and never will: the one proof there is.
        move_back(n, m);
        return -E_REFUSED;
    }
    if (m->elsewhere != EP_NONE) {
        node_log(n, "proc: %s (%06x) is in doubt no more: another node has it", p->name, p->pid);
        copy_leaves(n, p, m->elsewhere);
        return 0;
    }
    // E_TIMEOUT, E_DIED, E_CANCEL: it may have been executed. E_NOTHERE: this one was not, but an earlier one may have
    // been, by a target that has died since, or whose way to us is cut. E_DOUBT: it does not know any more. Errors that
    // say "your capability is no good (any more)" prove as little about earlier ones.
    if (n->transport)
        n->transport->ask_ep(n, m->order.ep);
    return status == -E_DOUBT ? -E_DOUBT : -E_TIMEOUT;
}

static void doubt_wake(struct node *n, const struct move *m)
{
    if (m->task && m->task->state == THREAD_SLEEP)
        sched_wake(n, m->task);
}

// A frame that is older than the doubt, from when the process was there before, has died out by PACKET_LIFE.
void move_found(struct node *n, ep_t ep, ep_t node)
{
    struct move *m = doubt_of(n, ep);
    if (!m || node_now(n) - m->doubt_ns < PACKET_LIFE_NS)
        return;
    m->elsewhere = node;
    doubt_wake(n, m);
}

static void doubt_pause(struct node *n, uint64_t *pause)
{
    task_sleep(n, *pause);
    *pause = *pause * 2 < COMMIT_PAUSE_MAX_NS ? *pause * 2 : COMMIT_PAUSE_MAX_NS;
}

// For as long as the copy exists: whenever the ring is whole again, a few seconds later there is no doubt.
static void doubt_main(struct node *n, void *arg)
{
    struct move *m = arg;
    uint64_t pause = COMMIT_PAUSE_MAX_NS;
    do
        doubt_pause(n, &pause);
    while (doubt_proc(n, m) && doubt_ask(n, m) != -E_REFUSED && doubt_proc(n, m));
    move_free(n, m);
}

// The order to move is over, the doubt is not. Returns E_DOUBT.
static int64_t doubt_stays(struct node *n, struct move *m)
{
    struct proc *p = move_proc(n, m);
    node_log(n, "proc: %s (%06x) is in doubt: the target may run it. It was not resumed here", p->name, p->pid);
    owner_tell_doubt(n, p, m->result.node);
    order_end(n, &m->order);
    m->task = NULL;
    doubts_begin(n);
    return -E_DOUBT;
}

uint64_t doubts_begin(struct node *n)
{
    LIST_FOR (l, &n->services->proc->doubts) {
        struct move *m = LIST_ENTRY(l, struct move, doubt_link);
        if (!m->task && !(m->task = task_spawn(n, "doubt", doubt_main, m)))
            return node_now(n) + COMMIT_PAUSE_MAX_NS; // no memory now
    }
    return UINT64_MAX;
}

static int64_t move_commit(struct node *n, struct move *m)
{
    ASSERT(m->desc && m->id != 0);
    struct proc *p = move_proc(n, m);
    uint64_t pause = COMMIT_PAUSE_FIRST_NS;
    proc_set_state(p, PROC_DOUBT); // before it is sent: from now on the target may run it
    m->runs = p->runs;
    m->doubt_ns = node_now(n);
    m->task = task_self(n);
    list_add_tail(&n->services->proc->doubts, &m->doubt_link);
    seg_drop(n, m->desc);
    m->desc = NULL;
    for (;;) {
        int64_t status = doubt_ask(n, m);
        if (status == 0 || status == -E_REFUSED)
            return status;
        if (status == -E_DOUBT || node_now(n) - m->doubt_ns >= COMMIT_ASKING_NS)
            return doubt_stays(n, m);
        doubt_pause(n, &pause);
    }
}

int64_t move_never_ran(struct node *n, struct proc *p)
{
    struct move *m = doubt_of(n, p->ep);
    if (!m)
        return -E_STATE;
    ep_t ep = p->ep;
    uint64_t runs = m->runs;
    doubt_wake(n, m); // whatever is answered here, the task that asks is told too, and carries it out
    int64_t status = commit(n, &m->target, m->id, m->number);
    task_sleep(n, NEVER_RAN_LISTEN_NS);
    m = doubt_of(n, ep);
    p = proc_by_ep(n, ep);
    if (!p || !m || m->runs != runs)
        return p && p->state != PROC_DOUBT ? 0 : -E_EXISTS;
    if (m->elsewhere != EP_NONE || (status != -E_NOTHERE && status != -E_DIED && status != -E_DOUBT))
        return -E_DOUBT;
    node_log(n, "proc: %s (%06x) was in doubt and resumes by order: it never ran elsewhere", p->name, p->pid);
    p->stay_stunned = false;
    return proc_resume(n, p);
}

// --- The whole -----------------------------------------------------------------------------------------------

int64_t migrate_send(struct node *n, struct proc *p, const struct cap *target, uint64_t id, struct migrate_result *out)
{
    struct move *m;
    int64_t status = move_begin(n, p, target, id, &m);
    if (status < 0) {
        migrate_slot_drop(n, target, id);
        return status;
    }
    status = move_stun(n, m);
    if (status == 0)
        status = move_offer(n, m);
    else
        migrate_slot_drop(n, target, id);
    if (status == 0)
        status = move_commit(n, m);
    ASSERT(status != 0 || !proc_by_ep(n, m->order.ep)); // it is never in two places
    *out = m->result;
    if (status < 0 && status != -E_DOUBT)
        node_log(n, "proc: %u stays here: %s", (unsigned)(m->order.ep & CAP_OBJ_MAX), error_string(status));
    if (status != -E_DOUBT)
        move_end(n, m);
    return status;
}

void migrate_start(struct node *n)
{
    pool_init(&n->services->proc->pool_move, "move", sizeof(struct move));
    list_init(&n->services->proc->doubts);
}

void migrate_stop(struct node *n)
{
    LIST_FOR_SAFE (l, next, &n->services->proc->doubts) {
        struct move *m = LIST_ENTRY(l, struct move, doubt_link);
        if (order_busy(n, m->order.ep))
            continue;
        if (m->task)
            task_free(n, m->task);
        move_free(n, m);
    }
    for (struct order *o; (o = order_first(n, ORDER_MOVE));)
        move_end(n, LIST_ENTRY(o, struct move, order));
}
