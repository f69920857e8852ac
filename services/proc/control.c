// SPDX-License-Identifier: BSD-2-Clause
// Where a process begins and ends to be reachable on this node; the rules are in control.h.
#include "services/proc/control.h"
#include "core/cap.h"
#include "core/life.h"
#include "core/panic.h"
#include "core/port.h"
#include "services/proc/proc_priv.h"

int proc_serve(struct node *n, struct proc *p)
{
    int e = port_add(n, p->ctl_put, n->kproc, n->services->proc->handle, p);
    if (e == 0)
        proc_watch_owner(n, p);
    return e;
}

void proc_drop(struct node *n, struct proc *p, bool silent)
{
    ASSERT(p != n->kproc && p->on_harts == 0);
    port_remove(n, p->ctl_put, n->kproc, p);
    task_wake(n, &p->stun_event);
    proc_destroy(n, p, silent);
}

void proc_watch_owner(struct node *n, const struct proc *p)
{
    struct orphans *o = &n->services->proc->orphans;
    if (cap_is_null(&p->owner) || o->scan_ns != UINT64_MAX)
        return;
    o->scan_ns = node_now(n) + ORPHAN_ASK_NS;
    reaper_by(n, o->scan_ns);
}

void reaper_by(struct node *n, uint64_t at_ns)
{
    struct timer *t = &n->services->proc->sweep;
    if (at_ns != UINT64_MAX && (!t->armed || t->at_ns > at_ns))
        timer_set(n, t, at_ns);
}
