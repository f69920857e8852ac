// SPDX-License-Identifier: BSD-2-Clause
// The reaper: one task that clears away what has ended, has owners told of stops, and does the sweeps of offers and
// orphans when they are due. It sleeps on node->procs, which is woken when there is something of this.
#include "services/proc/reaper.h"
#include "core/error.h"
#include "core/panic.h"
#include "services/proc/control.h"
#include "services/proc/migrate.h"
#include "services/proc/orphan.h"
#include "services/proc/owner.h"
#include "services/proc/proc_priv.h"

static struct proc *next_dead(struct node *n)
{
    LIST_FOR (l, &n->procs) {
        struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (p->state == PROC_DEAD && p->on_harts == 0 && !owner_is_told_of_end(n, p->ep))
            return p;
    }
    return NULL;
}

// One that is stunned and whose owner does not know it yet.
static struct proc *next_stopped(struct node *n)
{
    LIST_FOR (l, &n->procs) {
        struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (p->state == PROC_STUNNED && p->to_report != STOP_NONE)
            return p;
    }
    return NULL;
}

static void announce_end(struct node *n, struct proc *p)
{
    task_wake(n, &p->stun_event); // orders that wait for it to stop find it DEAD
    orphan_server_ended(n, p);
    if (n->guest_done)
        n->guest_done(n, p);
}

// The usual end, of a process that has an owner, needs no reaper when there is a task that can tell it.
bool reaper_end_at_once(struct node *n, struct proc *p)
{
    struct report *idle = owner_idle(n, p);
    if (!idle)
        return false;
    announce_end(n, p);
    owner_tell_end_by(n, idle, p);
    return true;
}

static void sweep_due(struct node *n, struct timer *t)
{
    (void)t;
    task_wake(n, &n->procs);
}

static void reaper_main(struct node *n, void *arg)
{
    (void)arg;
    for (;;) {
        struct proc *p = next_dead(n);
        if (p) {
            announce_end(n, p);
            owner_tell_end(n, p);
            continue;
        }
        p = next_stopped(n);
        if (p) {
            owner_tell_stop(n, p);
            continue;
        }
        uint64_t offers = offer_sweep(n), orphans = orphan_sweep(n), doubts = doubts_begin(n);
        uint64_t reports = reports_sweep(n);
        if (next_dead(n))
            continue;
        reaper_by(n, reports);
        reaper_by(n, offers);
        reaper_by(n, orphans);
        reaper_by(n, doubts);
        task_wait(n, &n->procs);
    }
}

int reaper_start(struct node *n)
{
    struct proc_service *ps = n->services->proc;
    timer_init(&ps->sweep, sweep_due);
    ps->reaper = task_spawn(n, "reaper", reaper_main, NULL);
    return ps->reaper ? 0 : -E_MEM;
}

void reaper_stop(struct node *n)
{
    struct proc_service *ps = n->services->proc;
    timer_cancel(n, &ps->sweep);
    if (ps->reaper)
        task_free(n, ps->reaper);
}
