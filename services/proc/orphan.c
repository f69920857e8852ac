// SPDX-License-Identifier: BSD-2-Clause
// Watches over owners' ports, and the end of the processes whose owner is gone; the rules are in orphan.h.
#include "services/proc/orphan.h"
#include "core/error.h"
#include "core/life.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/port.h"
#include "services/proc/control.h"
#include "services/proc/order.h"
#include "services/proc/proc_priv.h"

// Searches at a time. The node has room for QUESTIONS_MAX (net/net_priv.h), and calls that look for their server need
// it.
#define ASKING_MAX 16u

struct watch {        // an owner's port that no process of this node serves
    struct list link; // [N] orphans.watches: the port that was asked about last is the last
    struct port port; // [I]
    bool asking;      // [N]
    bool ended;       // [N] it was served here, and its server has ended or closed it
    bool wanted;      // [N] in a scan: a process has this owner
    unsigned missed;  // [N] searches in a row that found no server
    uint64_t due_ns;  // [N] asking: the end of the search; else when the next one begins
};

static struct orphans *orphans_of(struct node *n)
{
    return &n->services->proc->orphans;
}

// --- Watches --------------------------------------------------------------------------------------------------

static struct watch *watch_find(struct node *n, struct port port)
{
    LIST_FOR (l, &orphans_of(n)->watches) {
        struct watch *w = LIST_ENTRY(l, struct watch, link);
        if (port_eq(w->port, port))
            return w;
    }
    return NULL;
}

// NULL: no memory. Then the next scan tries again.
static struct watch *watch_get(struct node *n, struct port port)
{
    struct watch *w = watch_find(n, port);
    if (w || !(w = pool_alloc(n, &orphans_of(n)->pool)))
        return w;
    w->port = port;
    w->due_ns = node_now(n);
    list_add_tail(&orphans_of(n)->watches, &w->link);
    return w;
}

static void search_end(struct node *n, struct watch *w)
{
    ASSERT(!w->asking || orphans_of(n)->asking > 0);
    orphans_of(n)->asking -= w->asking;
    w->asking = false;
}

static void watch_free(struct node *n, struct watch *w)
{
    search_end(n, w);
    list_del(&w->link);
    pool_free(n, &orphans_of(n)->pool, w);
}

unsigned orphan_missed(struct node *n, struct port port)
{
    const struct watch *w = watch_find(n, port);
    return w ? w->missed : 0;
}

// --- Processes that have an owner ------------------------------------------------------------------------------

// A process that arrives is still its source's; one that is decoded beside another to take its place has no port yet.
static bool owned(const struct node *n, const struct proc *p)
{
    return p != n->kproc && proc_lives(p) && !port_is_null(p->ctl_put) && !cap_is_null(&p->owner);
}

static bool anybody_has(struct node *n, struct port owner)
{
    LIST_FOR (l, &n->procs) {
        const struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (owned(n, p) && port_eq(p->owner.port, owner))
            return true;
    }
    return false;
}

uint64_t orphan_grace(const struct node *n, const struct proc *p)
{
    return p->orphan_grace_ns ? p->orphan_grace_ns : n->orphan_grace_ns ? n->orphan_grace_ns : ORPHAN_GRACE_NS;
}

// For how long the owner has been silent, at least: from the first search that found no server to the last one.
static uint64_t silent_ns(const struct watch *w)
{
    return w->missed ? (w->missed - 1) * ORPHAN_ASK_NS : 0;
}

// True if its owner is gone, and no order is under way that will leave it on another node, or as another record.
static bool may_end(struct node *n, const struct proc *p, const struct watch *w)
{
    if (order_busy(n, p->ep) || !(w->ended || silent_ns(w) >= orphan_grace(n, p)))
        return false;
    return p->state == PROC_RUN || p->state == PROC_STUNNED || (p->state == PROC_DOUBT && w->ended);
}

// --- The end of an orphan ----------------------------------------------------------------------------------------

static void orphan_end(struct node *n, struct proc *p, const struct watch *w)
{
    ASSERT(owned(n, p) && !order_busy(n, p->ep));
    trace(n, TRACE_ORPHAN, 0, w->port.w[0], p->ep);
    if (w->ended)
        node_log(n, "proc: %s (%06x) is an orphan and ends: its owner has ended", p->name, p->pid);
    else
        node_log(n, "proc: %s (%06x) is an orphan and ends: nobody has served its owner's port for %u s", p->name,
                 p->pid, (unsigned)(silent_ns(w) / NS_PER_S));
    if (p->state == PROC_DOUBT) { // the copy that may run elsewhere is judged there
        proc_drop(n, p, true);
        return;
    }
    p->owner = (struct cap){.obj_rights = 0}; // there is no owner to notify
    p->killed = true;
    proc_finish(n, p, -E_CANCEL); // the reaper does the rest; its children's turn comes then
}

// Ends all that may end now. True if there is no other.
static bool orphans_end(struct node *n, const struct watch *w)
{
    bool all = true;
    LIST_FOR_SAFE (l, next, &n->procs) {
        struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (!owned(n, p) || !port_eq(p->owner.port, w->port))
            continue;
        if (may_end(n, p, w))
            orphan_end(n, p, w);
        else
            all = false;
    }
    return all;
}

// --- Searches ----------------------------------------------------------------------------------------------------

static uint64_t search_ns(const struct watch *w)
{
    return w->ended ? ORPHAN_ENDED_NS : LOCATE_GIVE_UP_NS;
}

static void search_begin(struct node *n, struct watch *w)
{
    struct orphans *o = orphans_of(n);
    ASSERT(!w->asking && o->asking < ASKING_MAX);
    uint64_t now = node_now(n);
    bool heard = n->transport && n->transport->ask_port(n, w->port);
    w->asking = true;
    o->asking++;
    // No link is up. About a server that ended on this node this is the answer; else there is no answer.
    w->due_ns = heard || !w->ended ? now + search_ns(w) : now;
    list_del(&w->link);
    list_add_tail(&o->watches, &w->link);
}

static void search_over(struct node *n, struct watch *w)
{
    search_end(n, w);
    if (port_find(n, w->port)) { // it has come here meanwhile
        watch_free(n, w);
        return;
    }
    w->missed++;
    trace(n, TRACE_ORPHAN, w->missed, w->port.w[0], 0);
    if (orphans_end(n, w))
        watch_free(n, w);
    else
        w->due_ns = node_now(n) + ORPHAN_ASK_NS - search_ns(w);
}

void orphan_port_found(struct node *n, struct port port)
{
    struct watch *w = watch_find(n, port);
    if (!w)
        return;
    if (orphans_of(n)->asking == ASKING_MAX)
        task_wake(n, &n->procs); // others wait for their turn
    search_end(n, w);
    w->ended = false;
    w->missed = 0;
    w->due_ns = node_now(n) + ORPHAN_ASK_NS;
}

bool orphan_port_ended(struct node *n, struct port port)
{
    const struct orphans *o = orphans_of(n);
    for (unsigned i = 0; i < CLOSED_MAX; i++)
        if (port_eq(o->closed[i].port, port) && node_now(n) - o->closed[i].at_ns < MOVED_LIFE_NS)
            return !port_is_null(port);
    return false;
}

// It is believed only while it is asked for: an old answer must not end the children of a server that has come back.
void orphan_port_gone(struct node *n, struct port port)
{
    struct watch *w = watch_find(n, port);
    if (!w || !w->asking || w->ended)
        return;
    w->ended = true;
    if (w->due_ns > node_now(n) + ORPHAN_ENDED_NS)
        w->due_ns = node_now(n) + ORPHAN_ENDED_NS;
    reaper_by(n, w->due_ns);
}

void orphan_port_closed(struct node *n, struct port port)
{
    struct orphans *o = orphans_of(n);
    if (port_is_null(port) || port_find(n, port))
        return;
    o->closed[o->next_closed++ % CLOSED_MAX] = (struct closed){port, node_now(n)};
    if (!anybody_has(n, port))
        return;
    struct watch *w = watch_get(n, port);
    if (!w)
        return;
    search_end(n, w); // an open one would take its time
    w->ended = true;
    w->due_ns = node_now(n);
    task_wake(n, &n->procs);
}

void orphan_server_ended(struct node *n, const struct proc *p)
{
    for (unsigned i = 0; p->port_mask >> i; i++)
        if (p->port_mask >> i & 1)
            orphan_port_closed(n, p->ports[i].put);
}

// --- Scans: which owners are not of this node? ---------------------------------------------------------------------

static void scan(struct node *n)
{
    struct orphans *o = orphans_of(n);
    o->scan_ns = UINT64_MAX;
    LIST_FOR (l, &o->watches)
        LIST_ENTRY(l, struct watch, link)->wanted = false;
    LIST_FOR (l, &n->procs) {
        const struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (!owned(n, p))
            continue;
        o->scan_ns = node_now(n) + ORPHAN_ASK_NS;
        struct watch *w = port_find(n, p->owner.port) ? NULL : watch_get(n, p->owner.port);
        if (w)
            w->wanted = true;
    }
    LIST_FOR_SAFE (l, next, &o->watches) {
        struct watch *w = LIST_ENTRY(l, struct watch, link);
        if (!w->wanted)
            watch_free(n, w);
    }
}

// --- The reaper's turn ----------------------------------------------------------------------------------------------

static void begin_due(struct node *n)
{
    struct orphans *o = orphans_of(n);
    LIST_FOR_SAFE (l, next, &o->watches) {
        struct watch *w = LIST_ENTRY(l, struct watch, link);
        if (o->asking < ASKING_MAX && !w->asking && w->due_ns <= node_now(n))
            search_begin(n, w);
    }
}

static void end_due(struct node *n)
{
    LIST_FOR_SAFE (l, next, &orphans_of(n)->watches) {
        struct watch *w = LIST_ENTRY(l, struct watch, link);
        if (w->asking && w->due_ns <= node_now(n))
            search_over(n, w);
    }
}

uint64_t orphan_sweep(struct node *n)
{
    struct orphans *o = orphans_of(n);
    if (node_now(n) >= o->scan_ns)
        scan(n);
    end_due(n);
    begin_due(n);
    end_due(n); // searches for which no link was up
    uint64_t next = o->scan_ns;
    LIST_FOR (l, &o->watches) {
        const struct watch *w = LIST_ENTRY(l, struct watch, link);
        bool waits = !w->asking && o->asking == ASKING_MAX; // for the end of another's search
        if (!waits && w->due_ns < next)
            next = w->due_ns;
    }
    return next;
}

void orphan_start(struct node *n)
{
    struct orphans *o = orphans_of(n);
    pool_init(&o->pool, "watch", sizeof(struct watch));
    list_init(&o->watches);
    o->scan_ns = UINT64_MAX;
}

void orphan_stop(struct node *n)
{
    LIST_FOR_SAFE (l, next, &orphans_of(n)->watches)
        watch_free(n, LIST_ENTRY(l, struct watch, link));
}
