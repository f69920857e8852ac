// SPDX-License-Identifier: BSD-2-Clause
// The record of a process: where it is found, its state, its capability. What it goes through is in life.c.
#include "core/proc.h"
#include "core/cap.h"
#include "core/node.h"
#include "core/panic.h"

static struct list *bucket(struct node *n, ep_t ep)
{
    return &n->procs_hash[ep % PROCS_HASH];
}

void proc_enter(struct node *n, struct proc *p)
{
    list_del(&p->hash_link);
    list_add_tail(bucket(n, p->ep), &p->hash_link);
}

void proc_linger(struct node *n, struct proc *p)
{
    ASSERT(p->state == PROC_DEAD && !p->lingers && list_empty(&p->threads) && p->nmaps == 0);
    p->lingers = true;
    p->stopped_ns = node_now(n);
    list_del(&p->link);
    list_add_tail(&n->last_words, &p->link);
    n->nlast_words++;
}

void proc_free(struct node *n, struct proc *p)
{
    ASSERT(p->state == PROC_DEAD && list_empty(&p->recs));
    if (p->lingers)
        n->nlast_words--;
    list_del(&p->hash_link);
    list_del(&p->link);
    pool_free(n, &n->pool_proc, p);
}

struct proc *proc_by_ep(struct node *n, ep_t ep)
{
    LIST_FOR (l, bucket(n, ep)) {
        struct proc *p = LIST_ENTRY(l, struct proc, hash_link);
        if (p->ep == ep)
            return p;
    }
    return NULL;
}

struct proc *proc_by_pid(struct node *n, uint32_t pid)
{
    LIST_FOR (l, &n->procs) {
        struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (p->pid == pid)
            return p;
    }
    return NULL;
}

// The table of proc.h: the states that may follow each. DEAD may follow any, for a process may be destroyed in any.
static const uint8_t may_follow[PROC_STATES] = {
    [PROC_ARRIVING] = 1u << PROC_RUN | 1u << PROC_STUNNED,
    [PROC_RUN] = 1u << PROC_STUNNING | 1u << PROC_STUNNED,
    [PROC_STUNNING] = 1u << PROC_STUNNED,
    [PROC_STUNNED] = 1u << PROC_RUN | 1u << PROC_MOVING,
    [PROC_MOVING] = 1u << PROC_RUN | 1u << PROC_STUNNED | 1u << PROC_DOUBT,
    [PROC_DOUBT] = 1u << PROC_RUN | 1u << PROC_STUNNED,
    [PROC_DEAD] = 0,
};

void proc_set_state(struct proc *p, enum proc_state s)
{
    ASSERT(s < PROC_STATES);
    ASSERT((may_follow[p->state] | 1u << PROC_DEAD) >> s & 1);
    trace(p->node, TRACE_PROC, p->pid, p->state, s);
    p->node->sched_epoch++;
    if (s == PROC_STUNNED && (p->state == PROC_RUN || p->state == PROC_STUNNING))
        p->stopped_ns = node_now(p->node);
    p->state = s;
}

const char *proc_state_name(enum proc_state s)
{
    static const char *const names[PROC_STATES] = {
        "arriving", "run", "stunning", "stunned", "moving", "in doubt", "dead",
    };
    return s < PROC_STATES ? names[s] : "?";
}

struct cap proc_cap(struct proc *p, uint32_t rights)
{
    return cap_make(p->ctl_put, p->pid, rights, p->key);
}
