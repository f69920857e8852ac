// SPDX-License-Identifier: BSD-2-Clause
// A descriptor that comes back. The process that it describes is made anew beside the stopped one, as a move makes it
// on another node, and takes its place in one step that cannot fail. So there is no state in which half of it holds.
//
// What the descriptor does not say is how far frames of a transaction have spread: whether copies may be under way,
// which thread here caches which record. On another node the cautious answer serves; here the true one is known, and is
// carried over.
#include "core/desc_priv.h"
#include "core/event.h"
#include "core/life.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/thread.h"
#include <string.h>

#define REFUSE(error, text)                                                                                            \
    do {                                                                                                               \
        *why = (text);                                                                                                 \
        return -(error);                                                                                               \
    } while (0)

// --- Check ---------------------------------------------------------------------------------------------------

struct change {
    struct node *n;
    const struct buf *b;
    const struct proc *p;
    uint32_t recs;            // REC sections seen
    uint64_t closed;          // handles without a PORT section
    const struct list *after; // threads of p up to here have been compared
};

static int check_identity(const struct change *c, const struct desc_proc *d, const char **why)
{
    const struct proc *p = c->p;
    if (d->ep != p->ep || d->ctl_get[0] != p->ctl_get.w[0] || d->ctl_get[1] != p->ctl_get.w[1] ||
        memcmp(d->key, p->key, sizeof d->key) != 0 || d->moves != p->moves || d->incarnation != p->incarnation)
        REFUSE(E_ARG, "endpoint, control port, key, incarnation or moves are not this process's");
    if (d->runs != p->runs)
        REFUSE(E_STATE, "the process has run since this descriptor was taken");
    if ((int64_t)(d->clock_ns - (p->stopped_ns + p->time_offset)) < 0)
        REFUSE(E_ARG, "the process's clock would go back");
    if (d->priority_limit != p->priority_limit + 1u || d->priority == 0 ||
        (d->priority > d->priority_limit && d->priority != p->priority + 1u))
        REFUSE(E_ARG, "the priority is above its limit, or the limit is another");
    if (d->next_tid < p->next_tid)
        REFUSE(E_ARG, "numbers of threads would be used again");
    return 0;
}

// The thread of p with this number. Both lists ascend, so each is walked once.
static const struct thread *old_thread(struct change *c, uint32_t tid)
{
    while (c->after->next != &c->p->threads) {
        const struct thread *t = LIST_ENTRY(c->after->next, struct thread, link);
        if (t->tid > tid)
            return NULL;
        c->after = c->after->next;
        if (t->tid == tid)
            return t;
    }
    return NULL;
}

static int check_thread(struct change *c, const struct desc_thread *d, const char **why)
{
    const struct thread *t = old_thread(c, d->tid);
    if (!t && d->tid < c->p->next_tid)
        REFUSE(E_ARG, "a thread that has ended comes back");
    if (t && d->seq < t->seq)
        REFUSE(E_ARG, "numbers of transactions would be used again");
    if (d->state != THREAD_CALL)
        return 0;
    if (!t || t->state != THREAD_CALL)
        REFUSE(E_ARG, "a call that the thread did not make");
    struct desc_thread now;
    desc_of_thread(t, &now);
    if (memcmp(&d->call, &now.call, sizeof d->call) != 0 || d->seq != t->seq)
        REFUSE(E_ARG, "a call in progress was altered");
    return 0;
}

static int check_start(const struct change *c, const struct desc_start *d, const char **why)
{
    if (d->tid < c->p->next_tid)
        REFUSE(E_ARG, "a thread that was there begins anew");
    return 0;
}

static int same_copy(struct change *c, const struct rec *r, uint64_t at, const char **why)
{
    uint8_t some[128];
    const uint8_t *copy = r->copy;
    for (uint64_t off = 0; off < r->rep_len; off += sizeof some) {
        size_t len = r->rep_len - off < sizeof some ? (size_t)(r->rep_len - off) : sizeof some;
        int e = buf_read(c->n, c->b, at + off, some, len);
        if (e < 0)
            REFUSE(-e, "the bytes cannot be read");
        if (memcmp(some, copy + off, len) != 0)
            REFUSE(E_ARG, "a reply that was given was altered");
    }
    return 0;
}

static int check_rec(struct change *c, const struct desc_rec *d, uint64_t more_at, const char **why)
{
    const struct rec *r = txn_rec_find(c->n, c->p->ep, d->client, d->tid);
    struct desc_rec now;
    if (!r || !desc_has_rec(r))
        REFUSE(E_ARG, "a record of a transaction that is not served");
    desc_of_rec(r, &now);
    if (memcmp(d, &now, sizeof now) != 0)
        REFUSE(E_ARG, "the record of a transaction was altered");
    if (r->state == REC_QUEUED && c->closed >> r->handle & 1)
        REFUSE(E_ARG, "requests wait at a port that would be closed");
    c->recs++;
    return r->copy ? same_copy(c, r, more_at, why) : 0;
}

static uint32_t recs_of(const struct proc *p)
{
    uint32_t count = 0;
    LIST_FOR (l, &p->recs)
        count += desc_has_rec(LIST_ENTRY(l, struct rec, link));
    return count;
}

int desc_change_check(struct node *n, struct proc *p, const struct buf *b, const char **why)
{
    struct change c = {.n = n, .b = b, .p = p, .closed = UINT64_MAX, .after = &p->threads};
    struct desc_walk w;
    if (p->state != PROC_STUNNED)
        REFUSE(E_STATE, "the process is not stunned");
    int r = desc_walk_start(&w, n, b);
    if (r < 0)
        REFUSE(-r, "the bytes cannot be read");
    for (uint32_t i = 0; r == 0 && i < w.hdr->sections; i++) {
        r = desc_next_checked(&w);
        if (r < 0)
            REFUSE(-r, "the bytes cannot be read");
        switch (w.sec.tag) {
        case DESC_PROC: r = check_identity(&c, &w.at->proc, why); break;
        case DESC_PORT: c.closed &= ~(1ull << w.at->port.handle); break;
        case DESC_THRD:
            r = desc_is_start(&w.sec) ? check_start(&c, &w.at->start, why) : check_thread(&c, &w.at->thrd, why);
            break;
        case DESC_REC: r = check_rec(&c, &w.at->rec, w.more_at, why); break;
        default: break;
        }
    }
    if (r == 0 && c.recs != recs_of(p))
        REFUSE(E_ARG, "the record of a transaction is missing");
    return r;
}

int desc_change_make(struct node *n, struct proc *p, const struct buf *b, struct proc **out, struct desc_fill *fills,
                     unsigned *nfills)
{
    return desc_make(n, b, p, out, fills, nfills);
}

// --- Commit --------------------------------------------------------------------------------------------------

void desc_change_commit(struct node *n, struct proc *p, struct proc *q)
{
    ASSERT(p->state == PROC_STUNNED && p->on_harts == 0);
    ASSERT(q->state == PROC_ARRIVING);
    txn_proc_renewed(n, p, q);
    proc_take_place(n, p, q);
    proc_set_state(q, PROC_STUNNED);
    task_wake(n, &p->stun_event);
    proc_destroy(n, p, true);
}
