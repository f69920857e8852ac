// SPDX-License-Identifier: BSD-2-Clause
// The server half, first part: a request comes in, waits for a thread in getreq, gets its data, is delivered.
#include "core/answer.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/port.h"
#include "core/sched.h"
#include "core/thread.h"
#include "core/txn_priv.h"
#include "core/words.h"
#include <string.h>

// The thread waits, or waits on, for a request.
static void getreq_wait(struct node *n, struct thread *s)
{
    thread_set_state(s, THREAD_GETREQ);
    ASSERT(!list_linked(&s->run_link));
    list_add_tail(&s->proc->receivers, &s->run_link);
    if (s->wake_ns != UINT64_MAX)
        timer_set(n, &s->timer, s->wake_ns);
}

struct thread *rec_release(struct node *n, struct rec *r)
{
    struct thread *s = r->server;
    list_del(&r->queue_link);
    timer_cancel(n, &r->timer);
    rec_drop_copy(n, r);
    r->server = NULL;
    enum rec_state was = r->state;
    rec_set_state(n, r, REC_DONE);
    timer_set(n, &r->timer, node_now(n) + RECORD_LIFE_NS);
    if (!s)
        return NULL;
    s->serve.rec = NULL;
    if (was == REC_FILL) {
        getreq_wait(n, s);
        return s;
    }
    if (s->state == THREAD_PUTREP)
        answer_putrep(n, s); // else it works on: its putrep finds no reader
    return NULL;
}

void rec_abandon(struct node *n, struct rec *r)
{
    struct thread *s = rec_release(n, r);
    if (s)
        serve_next(n, s);
}

void rec_refuse(struct node *n, struct rec *r, int error)
{
    list_del(&r->queue_link);
    r->status = -error;
    memset(r->res, 0, sizeof r->res);
    r->rep_len = 0;
    r->sent = (struct progress){0};
    rec_set_state(n, r, REC_REPLY);
    rec_heard(n, r);
    rec_reply(n, r);
}

static struct thread *receiver_for(struct proc *p, uint32_t handle)
{
    LIST_FOR (l, &p->receivers) {
        struct thread *s = LIST_ENTRY(l, struct thread, run_link);
        if (s->serve.mask >> handle & 1)
            return s;
    }
    return NULL;
}

static void rec_assign(struct node *n, struct rec *r, struct thread *s)
{
    list_del(&r->queue_link);
    list_del(&s->run_link);
    timer_cancel(n, &s->timer);
    r->server = s;
    r->got = (struct progress){0};
    s->serve.rec = r;
    thread_set_state(s, THREAD_FILL);
    rec_set_state(n, r, REC_FILL);
    if (r->remote)
        rec_arm(n, r); // should its client fall silent now, the server must not wait for ever
}

// The record waits in the queue. A client on another node that waits says so again and again; one that stands still, or
// is no more, is silent, and must be asked which of the two it is: else its record would wait for ever.
static void rec_queue(struct node *n, struct rec *r)
{
    rec_set_state(n, r, REC_QUEUED);
    list_add_tail(&r->proc->queue, &r->queue_link);
    if (r->remote)
        timer_set(n, &r->timer, node_now(n) + QUEUED_ASK_NS);
}

static void rec_queued_due(struct node *n, struct rec *r)
{
    if (r->lost || node_now(n) - r->peer.heard_ns > QUEUED_LIFE_NS) {
        rec_abandon(n, r);
        return;
    }
    timer_set(n, &r->timer, node_now(n) + QUEUED_ASK_NS);
    if (n->transport && node_now(n) - r->peer.heard_ns >= QUEUED_ASK_NS)
        n->transport->request_ack(n, r);
}

// First request in the queue that the thread can take; those too long for it are refused on the way.
static struct rec *next_request(struct node *n, struct proc *p, uint64_t mask, uint64_t room)
{
    LIST_FOR_SAFE (l, next, &p->queue) {
        struct rec *r = LIST_ENTRY(l, struct rec, queue_link);
        if (!(mask >> r->handle & 1) || r->still)
            continue;
        if (r->req_len <= room)
            return r;
        rec_refuse(n, r, E_TOOBIG);
    }
    return NULL;
}

// The record goes back from FILL to the queue. What has come of its request is thrown away: the client sends it again.
// Returns the server's thread, in getreq: the caller must serve_next() it.
static struct thread *rec_requeue(struct node *n, struct rec *r)
{
    struct thread *s = r->server;
    ASSERT(r->state == REC_FILL && s && s->serve.rec == r);
    r->server = NULL;
    s->serve.rec = NULL;
    r->got = (struct progress){0};
    r->fills = (r->fills + 1u) & 63u;
    timer_cancel(n, &r->timer);
    list_del(&r->queue_link); // of those that stand still
    rec_queue(n, r);
    getreq_wait(n, s);
    return s;
}

// Does another request wait that the thread of r, in FILL, could take?
static bool rec_in_the_way(struct node *n, const struct rec *r)
{
    const struct thread *s = r->server;
    return next_request(n, r->proc, s->serve.mask, s->serve.buf.len) != NULL;
}

void rec_stand_still(struct node *n, struct rec *r)
{
    r->still = true;
    if (r->state != REC_FILL)
        return;
    if (rec_in_the_way(n, r))
        serve_next(n, rec_requeue(n, r));
    else if (!list_linked(&r->queue_link))
        list_add_tail(&r->proc->still, &r->queue_link);
}

// A request has come to the queue: a thread that waits for the data of a client that stands still takes it instead.
static void take_from_still(struct node *n, const struct rec *q)
{
    LIST_FOR (l, &q->proc->still) {
        struct rec *r = LIST_ENTRY(l, struct rec, queue_link);
        const struct thread *s = r->server;
        if ((s->serve.mask >> q->handle & 1) && q->req_len <= s->serve.buf.len) {
            serve_next(n, rec_requeue(n, r));
            return;
        }
    }
}

static enum txn_verdict rec_begin(struct node *n, struct rec *r)
{
    struct thread *s = receiver_for(r->proc, r->handle);
    if (!s) {
        rec_queue(n, r);
        take_from_still(n, r);
        return r->state == REC_FILL ? TXN_TAKE : TXN_ACK;
    }
    if (r->req_len > s->serve.buf.len) {
        rec_refuse(n, r, E_TOOBIG);
        return TXN_REPLY;
    }
    rec_assign(n, r, s);
    return TXN_TAKE;
}

enum txn_verdict rec_again(struct node *n, struct rec *r, bool probe)
{
    r->still = false;
    if (r->state == REC_FILL)
        list_del(&r->queue_link);
    switch (r->state) {
    case REC_QUEUED:
        if (!receiver_for(r->proc, r->handle)) // there may be one, if its client stood still
            return TXN_ACK;
        list_del(&r->queue_link);
        return rec_begin(n, r);
    case REC_SERVE: return TXN_ACK;
    case REC_FILL: return TXN_TAKE;
    case REC_REPLY:
    case REC_FORWARD:
        if (probe) // it asks, by its timer. Duplicates of the request ask nothing, and there may be many
            r->sent.high = r->sent.base;
        rec_reply(n, r);
        return TXN_REPLY;
    case REC_STATES:
    case REC_DONE:
        if (r->lost) // it was given up, and there it is again
            return TXN_UNKNOWN;
        break; // it said that it has the reply: a late duplicate
    }
    n->stat.dups_dropped++;
    return TXN_OLD;
}

// Handle of the port at this process, -1 when it does not serve it. A control port is served by the kernel's own
// process on its service's handle.
static int handle_of(struct node *n, struct proc *p, struct port put)
{
    for (int i = 0; i < PROC_PORTS_MAX; i++)
        if (!port_is_null(put) && port_eq(p->ports[i].put, put))
            return i;
    struct port_entry *e = p == n->kproc ? port_find(n, put) : NULL;
    return e && e->proc == p ? (int)e->handle : -1;
}

enum txn_verdict txn_request_in(struct node *n, ep_t dst, const struct txn_request *q, bool probe, struct rec **out)
{
    *out = NULL;
    struct proc *p = dst != EP_NONE ? proc_by_ep(n, dst) : NULL;
    if (dst == EP_NONE) {
        struct port_entry *e = port_find(n, q->cap.port);
        p = e ? e->proc : NULL;
    }
    if (!p || !proc_lives(p))
        return TXN_NOTHERE;
    if (proc_frozen(p))
        return TXN_BUSY;
    struct rec *r = q->caller ? q->caller->call.rec : NULL;
    if (!r || r->proc != p)
        r = txn_rec_find(n, p->ep, q->id.client, q->id.tid);
    int order = r ? txn_order(q->id.inc, q->id.seq, r->inc, r->seq) : 1;
    if (order <= 0) {
        *out = r;
        if (order < 0) {
            n->stat.dups_dropped++;
            return TXN_OLD;
        }
        r->remote |= !q->local; // it may have moved since it called
        rec_heard(n, r);
        return rec_again(n, r, probe);
    }
    if (probe)
        return TXN_UNKNOWN;
    if (p == n->kproc && n->policy->holds && n->policy->holds(n, q))
        return TXN_BUSY;
    enum txn_verdict v = txn_rec_take(n, p, r, q, out);
    return v == TXN_TAKE ? rec_begin(n, *out) : v;
}

enum txn_verdict txn_rec_take(struct node *n, struct proc *p, struct rec *r, const struct txn_request *q,
                              struct rec **out)
{
    int handle = handle_of(n, p, q->cap.port);
    if (handle < 0)
        return TXN_NOTHERE;
    if (r) {
        if (r->state != REC_DONE)
            rec_abandon(n, r); // a higher number says that the client is through with the old one
        timer_cancel(n, &r->timer);
    } else if (!(r = txn_rec_create(n, p, q->id.client, q->id.tid)))
        return TXN_BUSY;
    r->lost = r->idle = r->ready = r->still = false;
    r->fills = 0;
    r->inc = q->id.inc;
    r->seq = q->id.seq;
    r->handle = (uint32_t)handle;
    copy_cap(&r->cap, &q->cap);
    r->op = q->op;
    words_copy_4(r->arg, q->arg);
    r->req_len = q->total;
    r->got = r->sent = (struct progress){0};
    r->rep_len = 0;
    r->remote |= !q->local; // once there was a frame, the record is history for its time, whatever comes after
    if (q->caller)
        rec_cache(n, r, q->caller);
    r->retry_ns = RETRY_FIRST_NS;
    r->peer = (struct peer){0};
    if (r->remote)
        rec_heard(n, r);
    r->cancel = CANCEL_NONE;
    *out = r;
    return TXN_TAKE;
}

// The whole request is in the server's buffer.
static void rec_deliver(struct node *n, struct rec *r)
{
    struct thread *s = r->server;
    list_del(&r->queue_link); // of those that stand still: its data came all the same
    r->still = false;
    if (r->timer.armed)
        timer_cancel(n, &r->timer);
    rec_set_state(n, r, REC_SERVE);
    s->serve.open = true;
    s->serve.result = 0;
    s->wake_ns = UINT64_MAX;
    answer_request(s);
    thread_set_state(s, THREAD_READY);
    sched_switch_to(n, s);
}

// The server's buffer was unmapped meanwhile: its getreq ends with the error. The request waits for the next, unless
// part of it has come: the client was told so, and what is acknowledged is not sent again.
static void rec_server_fault(struct node *n, struct rec *r)
{
    struct thread *s = r->server;
    list_del(&r->queue_link);
    r->server = NULL;
    s->serve.rec = NULL;
    answer_getreq(n, s, -E_FAULT);
    if (r->got.base > 0 || r->got.mask) {
        rec_refuse(n, r, E_FAULT);
        return;
    }
    timer_cancel(n, &r->timer);
    rec_queue(n, r);
    list_del(&r->queue_link);
    list_add(&r->proc->queue, &r->queue_link); // it was the first
}

static struct thread *fill_local(struct node *n, struct rec *r, struct thread *client)
{
    uint64_t len = r->req_len - r->got.base;
    if (len > COPY_STEP)
        len = COPY_STEP;
    int e = len ? buf_copy(n, &r->server->serve.buf, r->got.base, &client->call.req, r->got.base, len) : 0;
    if (e < 0) {
        if (e == -E_MEM) { // not for ever
            rec_arm(n, r);
            return NULL;
        }
        if (buf_check(n, &client->call.req, false) < 0) {
            call_fail(n, client, E_FAULT);
            return rec_release(n, r);
        }
        rec_server_fault(n, r);
        return NULL;
    }
    r->got.base += len;
    client->call.sent.base = r->got.base;
    if (r->got.base < r->req_len) {
        timer_set(n, &r->timer, node_now(n)); // the next step is an event of its own
        return NULL;
    }
    call_set_state(&client->call, CALL_WAIT);
    client->call.begun = true;
    client->call.busy = false;
    if (client->call.deadline_ns == UINT64_MAX)
        timer_cancel(n, &client->timer);
    else
        call_arm(n, client, PROBE_NS);
    rec_deliver(n, r);
    return NULL;
}

struct thread *rec_fill(struct node *n, struct rec *r)
{
    struct thread *client;
    switch (rec_client(n, r, &client)) {
    case CLIENT_HERE: return fill_local(n, r, client);
    case CLIENT_GONE: // it gave up, or its thread ended
        return rec_release(n, r);
    case CLIENT_FROZEN:
        rec_arm(n, r);
        rec_stand_still(n, r);
        return NULL;
    case CLIENT_AWAY: break;
    }
    if (!r->remote || r->peer.heard_ns == 0) // it was here when it called
        rec_heard(n, r);
    r->remote = true;
    if (r->req_len == 0) { // its header was all of it
        rec_deliver(n, r);
        return NULL;
    }
    rec_arm(n, r);
    if (n->transport)
        n->transport->request_ack(n, r);
    return NULL;
}

int txn_request_data(struct node *n, struct rec *r, uint64_t off, uint32_t frag, const struct buf *src)
{
    ASSERT(r->state == REC_FILL && r->server);
    if (off + src->len > r->req_len)
        return -E_ARG;
    struct progress before = r->got;
    if (progress_mark(&r->got, off, src->len, r->req_len, frag) > 0) {
        int e = buf_copy(n, &r->server->serve.buf, off, src, 0, src->len);
        if (e < 0) {
            r->got = before;
            if (e != -E_MEM) {
                rec_server_fault(n, r);
                return e;
            } // no memory now: the fragment comes again
        }
    }
    if (r->got.base < r->req_len) {
        rec_arm(n, r);
        return 0;
    }
    rec_deliver(n, r);
    return 1;
}

// Gives a waiting thread the next request from the queue. Requests whose clients are gone fall out on the way.
void serve_next(struct node *n, struct thread *s)
{
    struct rec *r;
    while (s->state == THREAD_GETREQ && !proc_frozen(s->proc) &&
           (r = next_request(n, s->proc, s->serve.mask, s->serve.buf.len)) != NULL) {
        rec_assign(n, r, s);
        (void)rec_fill(n, r); // released: s is in getreq again, and the loop goes on
    }
}

int txn_getreq(struct node *n, struct thread *t, uint64_t mask, struct buf buf, uint64_t timeout_ns)
{
    const struct proc *p = t->proc;
    if (t->serve.open)
        return -E_STATE;
    if (mask == 0 || (mask & ~p->port_mask) || buf.len > MESSAGE_MAX_BYTES)
        return -E_ARG;
    if (buf_bad(n, &buf, true))
        return -E_FAULT;
    t->serve.mask = mask;
    t->serve.buf = buf;
    t->serve.rec = NULL;
    t->wake_ns = timeout_ns ? node_now(n) + timeout_ns : UINT64_MAX;
    getreq_wait(n, t);
    serve_next(n, t);
    return 0;
}

void txn_getreq_due(struct node *n, struct thread *t)
{
    list_del(&t->run_link);
    answer_getreq(n, t, -E_TIMEOUT);
}

// --- Time --------------------------------------------------------------------------------------------

static void rec_due(struct node *n, struct timer *tm)
{
    struct rec *r = LIST_ENTRY(tm, struct rec, timer);
    if (rec_stands_still(r))
        return; // resuming takes everything up again
    if (r->state == REC_DONE) {
        txn_rec_free(n, r);
        return;
    }
    if (proc_lingers(r->proc) && node_now(n) - r->proc->stopped_ns > LAST_WORDS_NS) {
        txn_client_lost(n, r);
        return;
    }
    if (r->state == REC_QUEUED) {
        rec_queued_due(n, r);
        return;
    }
    r->retry_ns = r->retry_ns * 2 < RETRY_MAX_NS ? r->retry_ns * 2 : RETRY_MAX_NS;
    r->sent.high = r->sent.base;
    bool slow = r->retry_ns >= STILL_RETRY_NS; // no news for four times
    if (rec_answered(r)) {
        if (slow)
            rec_pin(n, r);
        rec_reply(n, r);
    } else if (r->state == REC_FILL) {
        if (slow)
            rec_stand_still(n, r);
        if (r->state != REC_FILL)
            return;
        struct thread *s = rec_fill(n, r);
        if (s)
            serve_next(n, s);
    } else if (r->state == REC_SERVE) {
        cancel_tell(n, r);
    }
}

void txn_client_lost(struct node *n, struct rec *r)
{
    r->lost = true;
    if (rec_answered(r))
        rec_done(n, r);
    else
        rec_abandon(n, r);
}

struct rec *txn_rec_create(struct node *n, struct proc *p, ep_t client, uint32_t tid)
{
    return rec_create(n, p, client, tid, rec_due);
}
