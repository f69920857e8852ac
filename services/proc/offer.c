// SPDX-License-Identifier: BSD-2-Clause
// The target of a move; the table is in migrate.h.
#include "core/error.h"
#include "core/life.h"
#include "core/log.h"
#include "core/panic.h"
#include "services/proc/control.h"
#include "services/proc/instantiate.h"
#include "services/proc/migrate.h"
#include "services/proc/proc_priv.h"

#define OFFER_LIFE_NS (30 * NS_PER_S) // READY without COMMIT
#define SLOT_LIFE_NS (30 * NS_PER_S)  // SLOT without OFFER: the source has still to stun the process
// Slots: offers that are not committed. Each takes a task of the service while it pulls; as many others are for moves
// away from here, and the rest for other orders (proc.c, tasks_max).
#define SLOTS_MAX MOVES_MAX
#define COMMITTED_MAX 256u // remembered

enum offer_state { OFFER_SLOT, OFFER_PULLING, OFFER_READY, OFFER_COMMITTED };

struct offer {
    struct list link;       // [N] services.offers, in the order of their numbers
    uint64_t id;            // [I] the source's
    uint64_t number;        // [I] ours: offers of this boot, from 1
    ep_t ep;                // [N] of the process
    enum offer_state state; // [N] set by offer_set_state only
    bool given_up;          // [N] PULLING: the source sent ABORT
    uint64_t ready_ns;      // [N] SLOT, READY: since when
};

static void offer_set_state(struct node *n, struct offer *o, enum offer_state state)
{
    trace(n, TRACE_HANDOFF, (uint32_t)state, o->id, o->ep);
    o->state = state;
}

static struct offer *offer_find(struct node *n, uint64_t id)
{
    LIST_FOR (l, &n->services->proc->offers) {
        struct offer *o = LIST_ENTRY(l, struct offer, link);
        if (o->id == id)
            return o;
    }
    return NULL;
}

static unsigned offers_open(struct node *n)
{
    unsigned open = 0;
    LIST_FOR (l, &n->services->proc->offers)
        open += LIST_ENTRY(l, struct offer, link)->state != OFFER_COMMITTED;
    return open;
}

static void offer_free(struct node *n, struct offer *o)
{
    struct proc_service *ps = n->services->proc;
    ASSERT(o->number != 0 && o->number <= ps->offer_serial);
    if (o->state == OFFER_COMMITTED)
        ps->ncommitted--;
    list_del(&o->link);
    pool_free(n, &n->services->proc->pool_offer, o);
}

// The process that was offered will never run here: its id is unknown from now on, and COMMIT is refused. Its peers and
// clients hear nothing: it lives, elsewhere.
static void offer_drop(struct node *n, struct offer *o)
{
    struct proc *p = proc_by_ep(n, o->ep);
    ASSERT(o->state != OFFER_COMMITTED);
    ASSERT(p && p->state == PROC_ARRIVING);
    proc_drop(n, p, true);
    offer_free(n, o);
}

// --- OFFER ------------------------------------------------------------------------------------------------

static int slot_take(struct node *n, uint64_t id, struct offer **out)
{
    struct proc_service *ps = n->services->proc;
    if (id == 0)
        return -E_ARG;
    if (offer_find(n, id))
        return -E_EXISTS;
    if (offers_open(n) >= SLOTS_MAX)
        return -E_LIMIT;
    struct offer *o = pool_alloc(n, &ps->pool_offer);
    if (!o)
        return -E_MEM;
    o->id = id;
    o->number = ++ps->offer_serial;
    o->ready_ns = node_now(n);
    list_add_tail(&ps->offers, &o->link);
    offer_set_state(n, o, OFFER_SLOT);
    *out = o;
    return 0;
}

int64_t offer_slot(struct node *n, struct request *r)
{
    struct offer *o;
    if (r->in.about)
        return -E_OP;
    int e = slot_take(n, r->in.arg[0], &o);
    if (e == 0)
        task_wake(n, &n->procs); // the reaper, which frees slots that are too old
    return e;
}

// The offer in its slot. One without a slot takes one that is free.
static int offer_new(struct node *n, uint64_t id, struct offer **out)
{
    struct offer *o = offer_find(n, id);
    int e = o && o->state == OFFER_SLOT ? 0 : slot_take(n, id, &o);
    if (e < 0)
        return e;
    offer_set_state(n, o, OFFER_PULLING);
    *out = o;
    return 0;
}

// The process is frozen at the source, so what is pulled is one state of it, whole. While it is ARRIVING no thread of
// this node finds it; its peers ask the source, which says "wait".
static int64_t offer_pull(struct node *n, struct offer *o, struct instance *in)
{
    o->ep = in->p->ep;
    // A process without an identity can be started, not moved: two copies of it could not be told from each other.
    int64_t status = in->info.ep == EP_NONE ? -E_ARG : instantiate_fill(n, in, &o->given_up);
    instantiate_end(n, in);
    return status;
}

static void offer_ready(struct node *n, struct offer *o)
{
    ASSERT(o->state == OFFER_PULLING && !o->given_up);
    offer_set_state(n, o, OFFER_READY);
    o->ready_ns = node_now(n);
    task_wake(n, &n->procs); // the reaper, which destroys offers that are too old
}

int64_t offer_take(struct node *n, struct request *r)
{
    struct offer *o;
    struct instance *in;
    if (r->in.about)
        return -E_OP;
    int64_t status = offer_new(n, r->in.arg[0], &o);
    if (status < 0)
        return status;
    status = instantiate_begin(n, r, r->in.arg[1] ? r->in.arg[1] : UINT64_MAX, &in);
    if (status < 0) {
        offer_free(n, o);
        return status;
    }
    status = offer_pull(n, o, in);
    if (status < 0) {
        offer_drop(n, o);
        return status;
    }
    offer_ready(n, o);
    r->res[0] = in->bytes;
    r->res[1] = in->pages;
    r->res[2] = node_ep(n);
    r->res[3] = o->number;
    return 0;
}

// --- COMMIT -----------------------------------------------------------------------------------------------

// Room for one more id that ran. The oldest is forgotten, and its number with it: about numbers up to that, "unknown"
// does not mean "never ran" any more.
static void committed_forget_oldest(struct node *n)
{
    struct proc_service *ps = n->services->proc;
    LIST_FOR (l, &ps->offers) {
        struct offer *o = LIST_ENTRY(l, struct offer, link);
        if (o->state != OFFER_COMMITTED)
            continue;
        if (o->number > ps->offer_forgot)
            ps->offer_forgot = o->number;
        offer_free(n, o);
        return;
    }
}

static void arrived(struct node *n, struct proc *p)
{
    p->moves++;
    if (n->transport)
        n->transport->arrived(n, p);
    if (p->stay_stunned) {
        proc_set_state(p, PROC_STUNNED);
        if (p->fault.kind && !cap_is_null(&p->owner)) { // its owner may not have been told yet
            p->to_report = STOP_FAULT;
            task_wake(n, &n->procs);
        }
    } else {
        int e = proc_resume(n, p);
        ASSERT(e == 0);
    }
    node_log(n, "proc: %s (%06x) has arrived%s", p->name, p->pid, p->stay_stunned ? ", stunned" : "");
}

// The one instant of ownership. Nothing in here blocks: other threads see READY or COMMITTED, never a state between.
static int64_t offer_run(struct node *n, struct offer *o)
{
    struct proc *p = proc_by_ep(n, o->ep);
    ASSERT(o->state == OFFER_READY && p && p->state == PROC_ARRIVING);
    if (proc_serve(n, p) < 0) { // no memory: better there than nowhere
        offer_drop(n, o);
        return -E_REFUSED;
    }
    if (n->services->proc->ncommitted == COMMITTED_MAX)
        committed_forget_oldest(n);
    offer_set_state(n, o, OFFER_COMMITTED);
    n->services->proc->ncommitted++;
    arrived(n, p);
    return 0;
}

int64_t offer_commit(struct node *n, struct request *r)
{
    if (r->in.about)
        return -E_OP;
    struct offer *o = offer_find(n, r->in.arg[0]);
    if (!o) // a number that we could have forgotten may have run here, and may run still
        return r->in.arg[1] > n->services->proc->offer_forgot ? -E_REFUSED : -E_DOUBT;
    switch (o->state) {
    case OFFER_READY: return offer_run(n, o);
    case OFFER_COMMITTED: return 0; // asked again: the answer to an earlier COMMIT was lost
    case OFFER_SLOT:
    case OFFER_PULLING: break;
    }
    return -E_STATE; // no source does this: OFFER is not answered yet
}

// --- The end of an offer ------------------------------------------------------------------------------------

int64_t offer_abort(struct node *n, struct request *r)
{
    if (r->in.about)
        return -E_OP;
    struct offer *o = offer_find(n, r->in.arg[0]);
    if (!o)
        return 0;
    switch (o->state) {
    case OFFER_SLOT: offer_free(n, o); return 0;
    case OFFER_PULLING:
        o->given_up = true; // the task that pulls sees it after the present transaction
        return 0;
    case OFFER_READY: offer_drop(n, o); return 0;
    case OFFER_COMMITTED: break;
    }
    return -E_STATE;
}

uint64_t offer_sweep(struct node *n)
{
    uint64_t now = node_now(n), next = UINT64_MAX;
    LIST_FOR_SAFE (l, after, &n->services->proc->offers) {
        struct offer *o = LIST_ENTRY(l, struct offer, link);
        if (o->state != OFFER_READY && o->state != OFFER_SLOT)
            continue;
        uint64_t end = o->ready_ns + (o->state == OFFER_SLOT ? SLOT_LIFE_NS : OFFER_LIFE_NS);
        if (end <= now && o->state == OFFER_SLOT) {
            offer_free(n, o);
        } else if (end <= now) {
            node_log(n, "proc: %u was offered and not committed: dropped", (unsigned)(o->ep & CAP_OBJ_MAX));
            offer_drop(n, o);
        } else if (end < next) {
            next = end;
        }
    }
    return next;
}

void offer_start(struct node *n)
{
    pool_init(&n->services->proc->pool_offer, "offer", sizeof(struct offer));
    list_init(&n->services->proc->offers);
}

// Their processes go with the node.
void offer_stop(struct node *n)
{
    LIST_FOR_SAFE (l, next, &n->services->proc->offers)
        offer_free(n, LIST_ENTRY(l, struct offer, link));
}
