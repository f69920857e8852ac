// SPDX-License-Identifier: BSD-2-Clause
// Records: what a server process knows of each client thread, and the at-most-once history. Finding, making, caching,
// forgetting them. What happens to a request is in serve.c and reply.c.
#include "core/node.h"
#include "core/thread.h"
#include "core/txn_priv.h"

static struct list *rec_bucket(struct node *n, ep_t server, ep_t client, uint32_t tid)
{
    uint64_t h = (server ^ (client * 0x9e3779b97f4a7c15ull)) + tid;
    return &n->recs_hash[(h ^ h >> 32) % RECS_HASH];
}

struct rec *txn_rec_find(struct node *n, ep_t server, ep_t client, uint32_t tid)
{
    LIST_FOR (l, rec_bucket(n, server, client, tid)) {
        struct rec *r = LIST_ENTRY(l, struct rec, hash_link);
        if (r->client == client && r->tid == tid && r->proc->ep == server)
            return r;
    }
    return NULL;
}

struct rec *rec_create(struct node *n, struct proc *p, ep_t client, uint32_t tid,
                       void (*due)(struct node *n, struct timer *t))
{
    struct rec *r = pool_alloc(n, &n->pool_rec);
    if (!r)
        return NULL;
    r->proc = p;
    r->client = client;
    r->tid = tid;
    r->state = REC_DONE;
    list_init(&r->queue_link);
    timer_init(&r->timer, due);
    list_add_tail(&p->recs, &r->link);
    list_add(rec_bucket(n, p->ep, client, tid), &r->hash_link);
    return r;
}

void rec_rename(struct node *n, struct proc *p, ep_t ep)
{
    LIST_FOR (l, &p->recs) {
        struct rec *r = LIST_ENTRY(l, struct rec, link);
        list_del(&r->hash_link);
        list_add(rec_bucket(n, ep, r->client, r->tid), &r->hash_link);
    }
}

void rec_drop_copy(struct node *n, struct rec *r)
{
    if (r->copy)
        page_drop(n, r->copy);
    r->copy = NULL;
    if (!r->pinned)
        return;
    r->proc->npinned--;
    r->proc->pinned_bytes -= r->pinned->len;
    seg_drop(n, r->pinned);
    r->pinned = NULL;
}

// A thread that calls a server of this node caches the record from call to call: finding, making and freeing one costs
// more than the rest of a short transaction. It caches one, that of its last server.
void rec_cache(struct node *n, struct rec *r, struct thread *caller)
{
    struct rec *old = caller->call.rec;
    if (old == r)
        return;
    if (old) {
        old->caller = NULL;
        if (old->state == REC_DONE && !old->remote)
            txn_rec_free(n, old);
    }
    if (r->caller)
        r->caller->call.rec = NULL;
    r->caller = caller;
    caller->call.rec = r;
    if (!n->sweep.armed)
        timer_set(n, &n->sweep, node_now(n) + RECORD_LIFE_NS);
}

// Records cached for a next call that did not come for RECORD_LIFE go. One timer for all: one for each would have to be
// set and cancelled at every call.
void txn_sweep(struct node *n, struct timer *tm)
{
    bool more = false;
    LIST_FOR (pl, &n->procs) {
        struct proc *p = LIST_ENTRY(pl, struct proc, link);
        LIST_FOR (l, &p->threads) {
            struct rec *r = LIST_ENTRY(l, struct thread, link)->call.rec;
            if (r && r->state == REC_DONE && !r->remote && r->idle)
                txn_rec_free(n, r);
            else if (r)
                more = r->idle = true;
        }
    }
    if (more)
        timer_set(n, tm, node_now(n) + RECORD_LIFE_NS);
}

void rec_uncache(struct node *n, struct thread *caller)
{
    struct rec *r = caller->call.rec;
    if (!r)
        return;
    caller->call.rec = NULL;
    r->caller = NULL;
    if (r->state == REC_DONE && !r->remote)
        txn_rec_free(n, r);
}

void txn_rec_free(struct node *n, struct rec *r)
{
    if (r->caller)
        r->caller->call.rec = NULL;
    timer_cancel(n, &r->timer);
    if (r->server && r->server->serve.rec == r)
        r->server->serve.rec = NULL;
    rec_drop_copy(n, r);
    list_del(&r->queue_link);
    list_del(&r->hash_link);
    list_del(&r->link);
    struct proc *p = r->proc;
    pool_free(n, &n->pool_rec, r);
    if (proc_lingers(p) && list_empty(&p->recs))
        proc_free(n, p);
}

const char *rec_state_name(enum rec_state s)
{
    static const char *const names[] = {"queued", "fill", "serve", "reply", "done", "forward"};
    return s < REC_STATES ? names[s] : "?";
}

// Whom an event is about: process and thread, in one word.
uint32_t rec_who(ep_t ep, uint32_t tid)
{
    return ((uint32_t)ep & CAP_OBJ_MAX) << 8 | (tid & 0xffu);
}

void rec_set_state(struct node *n, struct rec *r, enum rec_state s)
{
    if (r->remote) // a local one is over in a microsecond; to note it would cost more than to do it
        trace(n, TRACE_REC, rec_who(r->client, r->tid), r->seq, (uint64_t)r->state << 8 | s);
    r->state = s;
}

enum client_place rec_client(struct node *n, const struct rec *r, struct thread **t)
{
    *t = NULL;
    if (r->lost)
        return CLIENT_GONE;
    struct proc *p = r->caller ? r->caller->proc : proc_by_ep(n, r->client);
    if (!p || !proc_lives(p))
        return CLIENT_AWAY;
    if (proc_frozen(p))
        return CLIENT_FROZEN;
    *t = r->caller ? r->caller : thread_find(p, r->tid);
    return *t && (*t)->state == THREAD_CALL && (*t)->call.seq == r->seq && (*t)->call.inc == r->inc ? CLIENT_HERE
                                                                                                    : CLIENT_GONE;
}

const struct thread *txn_client_of(struct node *n, const struct thread *t)
{
    const struct rec *r = t->serve.open ? t->serve.rec : NULL;
    struct thread *c;
    return r && rec_client(n, r, &c) == CLIENT_HERE ? c : NULL;
}

void rec_arm(struct node *n, struct rec *r)
{
    timer_set(n, &r->timer, node_now(n) + r->retry_ns);
}

void rec_heard(struct node *n, struct rec *r)
{
    peer_heard(&r->peer, node_now(n));
    r->retry_ns = RETRY_FIRST_NS;
}
