// SPDX-License-Identifier: BSD-2-Clause
// The source of a move; the table is in migrate.h.
#include "services/proc/migrate.h"
#include "core/desc.h"
#include "core/error.h"
#include "core/life.h"
#include "core/log.h"
#include "core/panic.h"
#include "services/proc/control.h"
#include "services/proc/order.h"
#include "services/proc/owner.h"
#include "services/proc/proc_priv.h"

#define OFFER_TIMEOUT_MS 600000 // the target pulls all segments before it answers
#define COMMIT_TIMEOUT_MS 10000
#define ABORT_TIMEOUT_MS 2000
#define COMMIT_PAUSE_FIRST_NS (20 * NS_PER_MS)
#define COMMIT_PAUSE_MAX_NS (4 * NS_PER_S)
// Longer than a target keeps an offer (offer.c): while it can be reached at all, doubt ends by itself.
#define COMMIT_ASKING_NS (60 * NS_PER_S)

struct move { // under way
    struct order order;
    struct cap target;
    uint64_t id;     // random: only the source that offered can commit or abort
    uint64_t number; // what the target calls it: its count of offers
    uint64_t start_ns;
    struct seg *desc;
    uint64_t desc_len;
    struct migrate_result result;
};

static int move_begin(struct node *n, struct proc *p, const struct cap *target, struct move **out)
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
    m->id = node_random64(n);
    m->start_ns = node_now(n);
    order_begin(n, &m->order, p, ORDER_MOVE);
    *out = m;
    return 0;
}

static void move_end(struct node *n, struct move *m)
{
    order_end(n, &m->order);
    if (m->desc)
        seg_drop(n, m->desc);
    pool_free(n, &n->services->proc->pool_move, m);
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
    int64_t status = task_trans(n, &m->target, OP_PROC_OFFER, arg, buf_seg(m->desc, 0, m->desc_len), buf_none(),
                                OFFER_TIMEOUT_MS, &out);
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

static int64_t commit(struct node *n, struct move *m)
{
    const uint64_t arg[4] = {m->id, m->number, 0, 0};
    int64_t status = task_trans(n, &m->target, OP_PROC_COMMIT, arg, buf_none(), buf_none(), COMMIT_TIMEOUT_MS, NULL);
    step(n, m, OP_PROC_COMMIT, status);
    return status;
}

static int64_t move_done(struct node *n, struct move *m)
{
    struct proc *p = move_proc(n, m);
    m->result.freeze_ns = node_now(n) - m->start_ns;
    node_log(n, "proc: %s (%06x) has moved: %llu KiB, frozen for %llu us", p->name, p->pid,
             (unsigned long long)(m->result.bytes / KIB), (unsigned long long)(m->result.freeze_ns / 1000));
    // It runs there. Peers that still look for it here are sent on; then this copy is destroyed in silence: a client
    // that is told "died" now would hear it of a live server.
    if (n->transport)
        n->transport->moved_away(n, p, m->result.node);
    proc_drop(n, p, true);
    return 0;
}

static int64_t move_refused(struct node *n, struct move *m)
{
    // An explicit answer of the target's kernel that it has not run it and never will: the one proof there is.
    move_back(n, m);
    return -E_REFUSED;
}

static int64_t move_doubt(struct node *n, struct move *m)
{
    struct proc *p = move_proc(n, m);
    node_log(n, "proc: %s (%06x) is in doubt: the target may run it. It was not resumed here", p->name, p->pid);
    owner_tell_doubt(n, p, m->result.node);
    return -E_DOUBT;
}

static int64_t move_commit(struct node *n, struct move *m)
{
    ASSERT(m->desc && m->id != 0);
    uint64_t give_up = node_now(n) + COMMIT_ASKING_NS;
    uint64_t pause = COMMIT_PAUSE_FIRST_NS;
    proc_set_state(move_proc(n, m),
                   PROC_DOUBT); // before it is sent: from now on the target may run it
    for (;;) {
        int64_t status = commit(n, m);
        if (status >= 0)
            return move_done(n, m);
        if (status == -E_REFUSED)
            return move_refused(n, m);
        // E_TIMEOUT, E_DIED, E_CANCEL: it may have been executed. E_NOTHERE: this one was not, but an earlier one may
        // have been, by a target that has died since, or whose way to us is cut. E_DOUBT: it does not know any more.
        // Errors that say "your capability is no good (any more)" prove as little about earlier ones.
        if (status == -E_DOUBT || node_now(n) >= give_up)
            return move_doubt(n, m);
        task_sleep(n, pause);
        pause = pause * 2 < COMMIT_PAUSE_MAX_NS ? pause * 2 : COMMIT_PAUSE_MAX_NS;
    }
}

// --- The whole -----------------------------------------------------------------------------------------------

int64_t migrate_send(struct node *n, struct proc *p, const struct cap *target, struct migrate_result *out)
{
    struct move *m;
    int64_t status = move_begin(n, p, target, &m);
    if (status < 0)
        return status;
    status = move_stun(n, m);
    if (status == 0)
        status = move_offer(n, m);
    if (status == 0)
        status = move_commit(n, m);
    ASSERT(status != 0 || !proc_by_ep(n, m->order.ep)); // it is never in two places
    *out = m->result;
    if (status < 0 && status != -E_DOUBT)
        node_log(n, "proc: %u stays here: %s", (unsigned)(m->order.ep & CAP_OBJ_MAX), error_string(status));
    move_end(n, m);
    return status;
}

void migrate_start(struct node *n)
{
    pool_init(&n->services->proc->pool_move, "move", sizeof(struct move));
}

void migrate_stop(struct node *n)
{
    for (struct order *o; (o = order_first(n, ORDER_MOVE));)
        move_end(n, LIST_ENTRY(o, struct move, order));
}
