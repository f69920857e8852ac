// SPDX-License-Identifier: BSD-2-Clause
// Arrivals and departures: what becomes of transactions in progress when a process stops, goes on, leaves, arrives, or
// ends. The halves themselves are in call.c, serve.c and reply.c, their records in rec.c.
#include "core/node.h"
#include "core/panic.h"
#include "core/thread.h"
#include "core/txn_priv.h"
#include <string.h>

static void rec_kick(struct node *n, struct rec *r)
{
    if (proc_frozen(r->proc) || r->ready) // ready: nobody waits for anything of it
        return;
    r->retry_ns = RETRY_FIRST_NS / 2; // the timer doubles it
    if (r->peer.heard_ns == 0)
        r->peer.heard_ns = node_now(n);
    if (r->state == REC_FILL || rec_answered(r) || (r->state == REC_SERVE && r->cancel == CANCEL_PENDING))
        timer_set(n, &r->timer, node_now(n));
    else if (r->state == REC_QUEUED && (r->remote || r->lost))
        timer_set(n, &r->timer, node_now(n) + (r->lost ? 0 : QUEUED_ASK_NS));
    else if (r->state == REC_DONE && !r->timer.armed)
        timer_set(n, &r->timer, node_now(n) + RECORD_LIFE_NS);
}

// Only arms timers: taking a record up may free others, so it happens one event at a time.
static void kick_recs(struct node *n, struct proc *p, ep_t only)
{
    LIST_FOR (l, &p->recs) {
        struct rec *r = LIST_ENTRY(l, struct rec, link);
        if (only == EP_NONE || r->client == only)
            rec_kick(n, r);
    }
}

void txn_proc_stopped(struct node *n, struct proc *p)
{
    if (!p->called)
        return;
    LIST_FOR (l, &p->threads) {
        struct thread *t = LIST_ENTRY(l, struct thread, link);
        const struct call *c = &t->call;
        if (t->state != THREAD_CALL || c->server == EP_NONE || !(call_fills(t) || c->state == CALL_RECV))
            continue;
        struct rec *r = txn_rec_find(n, c->server, p->ep, t->tid);
        if (r && r->state == REC_REPLY && !proc_frozen(r->proc))
            rec_pin(n, r);
        else if (r)
            txn_client_still(n, c->server, call_request(t).id);
        else if (n->transport)
            n->transport->still(n, t);
    }
}

void txn_kick_own(struct node *n, struct proc *p)
{
    kick_recs(n, p, EP_NONE);
    LIST_FOR (l, &p->threads) {
        struct thread *t = LIST_ENTRY(l, struct thread, link);
        if (t->state == THREAD_CALL)
            txn_kick_call(n, t);
    }
}

void txn_kick_proc(struct node *n, struct proc *p)
{
    if (n->transport)
        n->transport->resumed(n, p);
    txn_kick_own(n, p);
    txn_kick_peer(n, p->ep);
}

void txn_kick_peer(struct node *n, ep_t peer)
{
    LIST_FOR (pl, &n->procs) {
        struct proc *p = LIST_ENTRY(pl, struct proc, link);
        if (p->ep == peer || proc_frozen(p))
            continue;
        kick_recs(n, p, peer);
        LIST_FOR (l, &p->threads) {
            struct thread *t = LIST_ENTRY(l, struct thread, link);
            if (t->state == THREAD_CALL && t->call.server == peer)
                txn_kick_call(n, t);
        }
    }
}

void txn_thread_gone(struct node *n, struct thread *t)
{
    if (t->state == THREAD_CALL)
        call_leave_server(n, t);
    rec_uncache(n, t);
    struct rec *r = t->serve.rec;
    if (!r)
        return;
    r->server = NULL;
    t->serve.rec = NULL;
    rec_drop_copy(n, r);
    rec_refuse(n, r, E_DIED);
}

// A record of a process that ends: its client is told once; should that frame be lost, the client's next probe is
// answered "not here".
static void rec_orphan(struct node *n, struct rec *r)
{
    struct thread *client;
    enum client_place place = rec_client(n, r, &client);
    if (place == CLIENT_HERE) {
        call_fail(n, client, r->state == REC_QUEUED ? E_NOTHERE : E_DIED);
    } else if (place == CLIENT_AWAY && n->transport && r->state != REC_DONE && !rec_answered(r)) {
        r->status = r->state == REC_QUEUED ? -E_NOTHERE : -E_DIED;
        memset(r->res, 0, sizeof r->res);
        r->rep_len = 0;
        rec_set_state(n, r, REC_REPLY);
        n->transport->reply(n, r);
    }
}

// A reply that was given, lies in the record, and has not reached its client on another node: it is the last word of a
// process that ends.
static bool is_last_word(struct node *n, const struct rec *r)
{
    struct thread *client;
    return rec_answered(r) && r->remote && !r->server && !r->lost && n->transport && n->nlast_words < LAST_WORDS_MAX &&
           rec_client(n, r, &client) == CLIENT_AWAY;
}

// The process ends: a copy of a request that it had may still come.
static void rec_remember(struct node *n, const struct rec *r)
{
    if (r->remote && r->state != REC_QUEUED)
        ended_note(n, r->proc->ep, r->client, r->tid, r->inc, r->seq);
}

void txn_proc_gone(struct node *n, struct proc *p, bool silent)
{
    LIST_FOR_SAFE (l, next, &p->recs) {
        struct rec *r = LIST_ENTRY(l, struct rec, link);
        if (!silent) {
            if (is_last_word(n, r)) {
                rec_arm(n, r);
                continue;
            }
            rec_orphan(n, r);
            rec_remember(n, r);
        }
        txn_rec_free(n, r);
    }
    if (silent) { // its threads wait on, elsewhere: nothing of theirs may end here
        LIST_FOR (l, &p->threads) {
            struct thread *t = LIST_ENTRY(l, struct thread, link);
            list_del(&t->call.remote_link);
            thread_set_state(t, THREAD_ENDED);
        }
        return;
    }
    if (!p->called)
        return;
    // What other processes here were doing for its threads has no reader any more.
    LIST_FOR (pl, &n->procs) {
        struct proc *q = LIST_ENTRY(pl, struct proc, link);
        if (q == p)
            continue;
        LIST_FOR (l, &q->recs) {
            struct rec *r = LIST_ENTRY(l, struct rec, link);
            r->lost |= r->client == p->ep;
        }
        kick_recs(n, q, p->ep);
    }
}

void txn_last_words_end(struct node *n, struct proc *p)
{
    ASSERT(proc_lingers(p));
    bool more;
    do { // the last one frees p
        struct rec *r = LIST_ENTRY(p->recs.next, struct rec, link);
        more = r->link.next != &p->recs;
        rec_remember(n, r);
        txn_rec_free(n, r);
    } while (more);
}

enum txn_trace_left txn_left_behind(struct node *n, ep_t server, struct txn_id id)
{
    struct rec *r = txn_rec_find(n, server, id.client, id.tid);
    if (r && r->proc->state == PROC_DEAD) {
        int order = txn_order(id.inc, id.seq, r->inc, r->seq);
        if (order == 0 && rec_answered(r) && proc_lingers(r->proc)) {
            r->sent.high = r->sent.base;
            rec_reply(n, r);
            return TXN_LAST_WORD;
        }
        return order > 0 || r->state == REC_QUEUED ? TXN_NEVER_HAD : TXN_HAD;
    }
    const struct ended_key *k = ended_find(n, server, id.client, id.tid);
    if (k && txn_order(id.inc, id.seq, k->inc, k->seq) <= 0)
        return TXN_HAD;
    return ended_unsure(n) ? TXN_FORGOTTEN : TXN_NEVER_HAD;
}

// --- A process takes the place of another, which is the same one a moment earlier (desc_change.c) -------------------

// From a record of p to that of q which stands for the same transaction.
static void carry_rec(struct rec *from, struct rec *to)
{
    to->remote = from->remote;
    to->lost = from->lost;
    to->idle = from->idle;
    to->peer = from->peer;
    to->caller = from->caller;
    from->caller = NULL;
    if (to->caller)
        to->caller->call.rec = to;
}

static void carry_recs(struct node *n, const struct proc *p, struct proc *q)
{
    LIST_FOR (l, &q->recs) {
        struct rec *to = LIST_ENTRY(l, struct rec, link);
        struct rec *from = txn_rec_find(n, p->ep, to->client, to->tid);
        ASSERT(from && from->proc == p); // nothing else may take its place (desc_change_check)
        carry_rec(from, to);
    }
}

// to NULL: the thread is not there any more.
static void carry_thread(struct node *n, struct thread *from, struct thread *to)
{
    struct call *a = &from->call, *b = to ? &to->call : NULL;
    if (from->state == THREAD_CALL && (!to || to->state != THREAD_CALL))
        call_leave_server(n, from);
    if (!to)
        return;
    if (to->state == THREAD_CALL) {
        b->begun = a->begun;
        b->remote = a->remote;
        b->tries = a->tries;
        b->peer = a->peer;
    }
    b->rec = a->rec;
    a->rec = NULL;
    if (b->rec)
        b->rec->caller = to;
}

static void carry_threads(struct node *n, struct proc *p, struct proc *q)
{
    struct list *at = q->threads.next;
    LIST_FOR (l, &p->threads) {
        struct thread *from = LIST_ENTRY(l, struct thread, link), *to = NULL;
        while (at != &q->threads && LIST_ENTRY(at, struct thread, link)->tid < from->tid)
            at = at->next;
        if (at != &q->threads && LIST_ENTRY(at, struct thread, link)->tid == from->tid)
            to = LIST_ENTRY(at, struct thread, link);
        carry_thread(n, from, to);
    }
}

void txn_proc_renewed(struct node *n, struct proc *p, struct proc *q)
{
    carry_recs(n, p, q);
    carry_threads(n, p, q);
    rec_rename(n, q, p->ep);
}

void txn_port_closed(struct node *n, struct proc *p, uint32_t handle)
{
    LIST_FOR_SAFE (l, next, &p->queue) {
        struct rec *r = LIST_ENTRY(l, struct rec, queue_link);
        if (r->handle == handle)
            rec_refuse(n, r, E_NOTHERE);
    }
}

void txn_adopt_rec(struct node *n, struct rec *r)
{
    r->remote = true; // whatever it was, frames of it may be under way
    r->retry_ns = RETRY_FIRST_NS;
    peer_heard(&r->peer, node_now(n));
}
