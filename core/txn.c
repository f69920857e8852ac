// SPDX-License-Identifier: BSD-2-Clause
// The transaction state machine; its table is in txn.h. Both halves keep their progress in plain records, so the
// code below never cares whether a peer was local a moment ago and is remote now: it looks again each time.
#include "core/txn.h"
#include "core/abi.h"
#include "core/entry.h"
#include "core/node.h"
#include "core/port.h"
#include "core/sched.h"
#include "core/syscall.h"
#include <string.h>

static void rec_due(struct node *n, struct timer *tm);
static void call_dispatch(struct node *n, struct thread *t);
static void rec_reply(struct node *n, struct rec *r);
static struct thread *rec_fill(struct node *n, struct rec *r);
static void serve_next(struct node *n, struct thread *s);

// --- Progress of a message ---------------------------------------------------------------------------

uint64_t progress_mark(struct progress *p, uint64_t off, uint64_t len, uint64_t total, uint32_t frag)
{
    if (p->frag != frag) { // another cut: only what is there without gaps still counts
        p->frag = frag;
        p->mask = 0;
    }
    if (off + len <= p->base || len == 0)
        return 0;
    if (off <= p->base) {
        uint64_t gain = off + len - p->base;
        p->base = off + len;
        // A partly new fragment (the cut changed) may leave the mask's fragments misaligned: forget them.
        if (gain != frag && p->base != total)
            p->mask = 0;
        else
            p->mask >>= 1;
        while (p->mask & 1) {
            p->base += p->base + frag <= total ? frag : total - p->base;
            p->mask >>= 1;
        }
        // Bit 0 stands for the fragment at base; the loop above consumed the run that followed it.
        return gain;
    }
    uint64_t i = (off - p->base) / frag;
    if ((off - p->base) % frag || i >= 64 || (p->mask >> i & 1))
        return 0;
    p->mask |= 1ull << i;
    return len;
}

uint64_t progress_next(const struct progress *p, uint64_t off, uint64_t total)
{
    if (off < p->base)
        off = p->base;
    if (p->frag == 0)
        return off < total ? off : UINT64_MAX;
    for (uint64_t i = (off - p->base + p->frag - 1) / p->frag; i < 64; i++) {
        uint64_t at = p->base + i * p->frag;
        if (at >= total)
            break;
        if (!(p->mask >> i & 1))
            return at;
    }
    return UINT64_MAX;
}

// What the receiver said. Returns whether it says anything new: answers may overtake each other, and duplicates of
// fragments are answered too. What is there stays there, so of two answers with one base both are right.
static bool progress_acked(struct progress *p, const struct progress *said)
{
    if (said->base < p->base)
        return false;
    uint64_t mask = said->frag == p->frag ? said->mask : 0;
    bool news = said->base > p->base || (mask & ~p->mask) != 0;
    p->mask = said->base > p->base ? mask : p->mask | mask;
    p->base = said->base;
    return news;
}

// --- Records ------------------------------------------------------------------------------------------

static struct list *rec_bucket(struct node *n, ep_t server, ep_t client, uint32_t tid)
{
    uint64_t h = (server ^ (client * 0x9e3779b97f4a7c15ull)) + tid;
    return &n->recs_hash[(h ^ h >> 32) % RECS_HASH];
}

struct rec *txn_rec_find(struct node *n, ep_t server, ep_t client, uint32_t tid)
{
    LIST_FOR(l, rec_bucket(n, server, client, tid))
    {
        struct rec *r = LIST_ENTRY(l, struct rec, hash_link);
        if (r->client == client && r->tid == tid && r->proc->ep == server)
            return r;
    }
    return NULL;
}

struct rec *txn_rec_create(struct node *n, struct proc *p, ep_t client, uint32_t tid)
{
    struct rec *r = pool_alloc(n, &n->pool_rec);
    if (!r)
        return NULL;
    r->proc = p;
    r->client = client;
    r->tid = tid;
    r->state = REC_DONE;
    list_init(&r->queue_link);
    timer_init(&r->timer, rec_due);
    list_add_tail(&p->recs, &r->link);
    list_add(rec_bucket(n, p->ep, client, tid), &r->hash_link);
    return r;
}

static void rec_drop_copy(struct node *n, struct rec *r)
{
    if (r->copy)
        page_drop(n, r->copy);
    r->copy = NULL;
}

// A thread that calls a server of this node keeps the record from call to call: finding, making and freeing one costs
// more than the rest of a short transaction. It keeps one, that of its last server.
static void rec_keep(struct node *n, struct rec *r, struct thread *caller)
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

// Records kept for a next call that did not come for RECORD_LIFE go. One timer for all: one for each would have to be
// set and cancelled at every call.
void txn_sweep(struct node *n, struct timer *tm)
{
    bool more = false;
    LIST_FOR(pl, &n->procs)
    {
        struct proc *p = LIST_ENTRY(pl, struct proc, link);
        LIST_FOR(l, &p->threads)
        {
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

// The thread ends, or leaves this node.
static void rec_let_go(struct node *n, struct thread *caller)
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
    pool_free(n, &n->pool_rec, r);
}

const char *rec_state_name(enum rec_state s)
{
    static const char *const names[] = {"queued", "fill", "serve", "reply", "done"};
    return s <= REC_DONE ? names[s] : "?";
}

// Whom an event is about: process and thread, in one word.
static uint32_t who(ep_t ep, uint32_t tid) { return ((uint32_t)ep & CAP_OBJ_MAX) << 8 | (tid & 0xffu); }

static void rec_set_state(struct node *n, struct rec *r, enum rec_state s)
{
    if (r->remote) // a local one is over in a microsecond; to note it would cost more than to do it
        trace(n, TRACE_REC, who(r->client, r->tid), r->seq, (uint64_t)r->state << 8 | s);
    r->state = s;
}

// Where the client of a record is.
enum client_place {
    CLIENT_AWAY,   // not on this node: ask the network
    CLIENT_HERE,   // *t waits for just this transaction
    CLIENT_FROZEN, // its process is here and stopped. What its threads wait for says nothing: when it was handed off,
                   // it may have gone on elsewhere before this copy is removed
    CLIENT_GONE,   // it does not wait any more, for certain
};

static enum client_place rec_client(struct node *n, const struct rec *r, struct thread **t)
{
    *t = NULL;
    if (r->lost)
        return CLIENT_GONE;
    struct proc *p = r->caller ? r->caller->proc : proc_by_ep(n, r->client);
    if (!p || p->state == PROC_ARRIVING || p->state == PROC_DEAD)
        return CLIENT_AWAY;
    if (proc_frozen(p))
        return CLIENT_FROZEN;
    *t = r->caller ? r->caller : thread_find(p, r->tid);
    return *t && (*t)->state == THREAD_CALL && (*t)->call.seq == r->seq ? CLIENT_HERE : CLIENT_GONE;
}

static void rec_arm(struct node *n, struct rec *r) { timer_set(n, &r->timer, node_now(n) + r->retry_ns); }

static void rec_heard(struct node *n, struct rec *r)
{
    r->heard_ns = node_now(n);
    r->locate_ns = 0;
    r->retry_ns = RETRY_FIRST_NS;
}

// --- The client's end --------------------------------------------------------------------------------

static void call_finish(struct node *n, struct thread *t, int64_t status, bool handoff)
{
    struct call *c = &t->call;
    ASSERT(t->state == THREAD_CALL);
    if (c->remote)
        trace(n, TRACE_CALL, who(t->proc->ep, t->tid), c->seq, (uint64_t)status);
    c->status = status;
    c->state = CALL_NONE;
    list_del(&c->remote_link);
    timer_cancel(n, &t->timer);
    if (!thread_is_task(t))
        syscall_done_trans(t);
    thread_set_state(t, THREAD_READY);
    if (handoff)
        sched_handoff(n, t);
    else
        sched_ready(n, t);
}

// For an error of the kernel: nothing came back.
static void call_fail(struct node *n, struct thread *t, int error)
{
    t->call.rep_total = 0;
    memset(t->call.res, 0, sizeof t->call.res);
    call_finish(n, t, -error, false);
}

static void call_arm(struct node *n, struct thread *t, uint64_t after_ns)
{
    uint64_t at = node_now(n) + after_ns;
    if (t->call.deadline_ns < at)
        at = t->call.deadline_ns;
    timer_set(n, &t->timer, at);
}

static inline bool buf_bad(struct node *n, const struct buf *b, bool write)
{
    return b->kind != BUF_NONE && buf_check(n, b, write) < 0;
}

int txn_trans(struct node *n, struct thread *t, const struct cap *cap, uint32_t op,
              const uint64_t arg[4], struct buf req, struct buf rep, uint64_t timeout_ns)
{
    if (req.len > MESSAGE_MAX_BYTES || rep.len > MESSAGE_MAX_BYTES || port_is_null(cap->port))
        return -E_ARG;
    if (buf_bad(n, &req, false) || buf_bad(n, &rep, true))
        return -E_FAULT;
    struct call *c = &t->call;
    ASSERT(c->state == CALL_NONE && !list_linked(&c->remote_link));
    c->state = CALL_SEND;
    c->begun = c->busy = c->remote = false;
    c->tries = 0;
    c->op = op;
    c->seq = ++t->seq;
    copy_cap(&c->cap, cap);
    copy_words(c->arg, arg);
    c->req = req;
    c->rep = rep;
    c->server = EP_NONE;
    c->sent = c->got = (struct progress){0};
    c->rep_total = 0;
    c->retry_ns = RETRY_FIRST_NS;
    c->heard_ns = c->locate_ns = 0;
    c->deadline_ns = timeout_ns ? node_now(n) + timeout_ns : UINT64_MAX;
    thread_set_state(t, THREAD_CALL);
    call_dispatch(n, t);
    return 0;
}

static void call_to_remote(struct node *n, struct thread *t)
{
    struct call *c = &t->call;
    if (!n->transport) {
        call_fail(n, t, c->begun ? E_DIED : E_NOTHERE);
        return;
    }
    if (!list_linked(&c->remote_link)) {
        list_add_tail(&n->calls, &c->remote_link);
        c->heard_ns = node_now(n);
        n->stat.trans_remote++;
    }
    call_arm(n, t, c->state == CALL_WAIT ? PROBE_NS : c->retry_ns);
    n->transport->request(n, t);
}

// The server is on this node. The request and its acknowledgement are one function call.
static void call_to_local(struct node *n, struct thread *t, struct proc *server)
{
    struct call *c = &t->call;
    list_del(&c->remote_link);
    if (c->state != CALL_SEND) {
        // The reply is the record's business; make sure that it knows of us, it may have just arrived here.
        struct rec *r = txn_rec_find(n, server->ep, t->proc->ep, t->tid);
        if (!r || r->seq != c->seq)
            call_fail(n, t, E_DIED);
        else if (r->state == REC_REPLY && !proc_frozen(server))
            rec_reply(n, r);
        else if (c->deadline_ns != UINT64_MAX)
            call_arm(n, t, PROBE_NS);
        return;
    }
    struct txn_request q = {
        .client = t->proc->ep, .tid = t->tid, .op = c->op, .seq = c->seq, .total = c->req.len, .cap = c->cap,
        .local = !c->remote, .caller = t,
    };
    copy_words(q.arg, c->arg);
    struct rec *r;
    switch (txn_request_in(n, server->ep, &q, false, &r)) {
    case TXN_TAKE: {
        n->stat.trans_local++;
        c->server = server->ep;
        struct thread *s = rec_fill(n, r);
        if (s)
            serve_next(n, s);
        break;
    }
    case TXN_ACK:
        c->server = server->ep;
        c->begun = true;
        c->busy = r->state == REC_QUEUED;
        if (r->state == REC_SERVE)
            c->state = CALL_WAIT;
        if (c->deadline_ns != UINT64_MAX)
            call_arm(n, t, PROBE_NS);
        break;
    case TXN_REPLY: // delivered on the way
        break;
    case TXN_BUSY: // stunned, or no memory: resuming it kicks us; the timer is for the memory
        c->server = server->ep;
        c->busy = true;
        call_arm(n, t, c->retry_ns);
        break;
    case TXN_NOTHERE:
        call_fail(n, t, c->begun ? E_DIED : E_NOTHERE);
        break;
    case TXN_OLD:
    case TXN_UNKNOWN:
        call_fail(n, t, E_DIED);
        break;
    }
}

// Sends the call where its server is now. Every retransmission comes through here, so a peer that moved in the
// meantime is found.
static void call_dispatch(struct node *n, struct thread *t)
{
    struct call *c = &t->call;
    struct proc *server = NULL;
    if (c->server != EP_NONE) {
        server = proc_by_ep(n, c->server);
        if (server && (server->state == PROC_ARRIVING || server->state == PROC_DEAD))
            server = NULL;
    } else {
        struct port_entry *e = port_find(n, c->cap.port);
        server = e ? e->proc : NULL;
    }
    if (server)
        call_to_local(n, t, server);
    else
        call_to_remote(n, t);
}

// The client gives up: a local server that has not begun is spared the work. A remote one finds out when it asks.
static void call_leave_server(struct node *n, struct thread *t)
{
    struct call *c = &t->call;
    struct rec *r = c->server != EP_NONE ? txn_rec_find(n, c->server, t->proc->ep, t->tid) : NULL;
    if (r && r->seq == c->seq && !proc_frozen(r->proc) && r->state != REC_SERVE)
        txn_client_lost(n, r); // SERVE: the server's putrep will find nobody
}

void txn_call_due(struct node *n, struct thread *t)
{
    struct call *c = &t->call;
    if (node_now(n) >= c->deadline_ns) {
        call_leave_server(n, t);
        call_fail(n, t, E_TIMEOUT);
        return;
    }
    n->stat.retries++;
    c->retry_ns = c->retry_ns * 2 < RETRY_MAX_NS ? c->retry_ns * 2 : RETRY_MAX_NS;
    c->sent.high = c->sent.base;
    call_dispatch(n, t);
}

void txn_kick_call(struct node *n, struct thread *t)
{
    if (t->state != THREAD_CALL || proc_frozen(t->proc))
        return;
    // By the timer, not at once: the caller may be walking lists that a dispatch changes.
    t->call.retry_ns = RETRY_FIRST_NS / 2;
    timer_set(n, &t->timer, node_now(n));
}

static struct thread *call_find(struct node *n, ep_t client, uint32_t tid, uint64_t seq)
{
    struct proc *p = proc_by_ep(n, client);
    struct thread *t = p && !proc_frozen(p) ? thread_find(p, tid) : NULL;
    return t && t->state == THREAD_CALL && t->call.seq == seq ? t : NULL;
}

static void call_heard(struct node *n, struct thread *t)
{
    t->call.heard_ns = node_now(n);
    t->call.locate_ns = 0;
}

int txn_request_acked(struct node *n, ep_t client, uint32_t tid, uint64_t seq, ep_t server,
                      const struct progress *p, bool wait, bool working)
{
    struct proc *cp = proc_by_ep(n, client);
    if (cp && proc_frozen(cp))
        return 0; // resuming it asks again
    struct thread *t = call_find(n, client, tid, seq);
    if (!t)
        return -E_OBJECT;
    struct call *c = &t->call;
    if ((c->server != EP_NONE && c->server != server) || p->base > c->req.len)
        return -E_OBJECT;
    call_heard(n, t);
    c->server = server;
    if (c->state != CALL_SEND)
        return 0;
    bool go = c->busy && !wait; // what was sent before was thrown away
    c->busy = wait;
    if (!wait || p->base > 0)
        c->begun = true;
    bool news = progress_acked(&c->sent, p);
    // Of an empty request, only "working" tells that it is there.
    if (working || (c->req.len > 0 && c->sent.base == c->req.len && !wait)) {
        c->state = CALL_WAIT;
        call_arm(n, t, PROBE_NS);
        return 0;
    }
    if (go)
        c->sent.high = c->sent.base;
    // Without news there is nothing to do: it answers a duplicate. To send for that would be answered again, and so
    // on without end; to put off the timer could go on for ever, when the server asks at the same pace.
    if (go || (news && !wait)) {
        c->retry_ns = RETRY_FIRST_NS;
        call_to_remote(n, t);
    }
    return 0;
}

int txn_reply_in(struct node *n, ep_t client, uint32_t tid, uint64_t seq, ep_t server,
                 const struct txn_reply *h, uint64_t off, uint32_t frag, const struct buf *src,
                 struct thread **out)
{
    struct proc *p = proc_by_ep(n, client);
    struct thread *t = p ? thread_find(p, tid) : NULL;
    if (p && proc_frozen(p))
        return -E_STATE;
    if (!t || t->state != THREAD_CALL || t->call.seq != seq)
        return -E_OBJECT;
    struct call *c = &t->call;
    if (c->server != EP_NONE && c->server != server)
        return -E_OBJECT; // a server that this call was never accepted by
    call_heard(n, t);
    *out = t;
    c->server = server;
    c->begun = true;
    c->state = CALL_RECV;
    c->sent.base = c->req.len;
    c->status = h->status;
    copy_words(c->res, h->res);
    c->rep_total = h->total;
    if (h->total > c->rep.len) {
        call_fail(n, t, E_TOOBIG);
        return 1;
    }
    if (c->got.base > h->total) // the server broke off with an error
        c->got = (struct progress){0};
    struct progress before = c->got;
    uint64_t gain = progress_mark(&c->got, off, src->len, h->total, frag);
    if (gain > 0) {
        int r = buf_copy(n, &c->rep, off, src, 0, src->len);
        if (r == -E_MEM) { // not for ever: the fragment comes again
            c->got = before;
            return 0;
        }
        if (r < 0) {
            call_fail(n, t, E_FAULT);
            return 1;
        }
    }
    if (c->got.base == h->total) {
        call_finish(n, t, h->status, false);
        return 1;
    }
    if (gain > 0)
        c->retry_ns = RETRY_FIRST_NS;
    call_arm(n, t, c->retry_ns);
    return 0;
}

void txn_refused(struct node *n, ep_t client, uint32_t tid, uint64_t seq, int error)
{
    struct thread *t = call_find(n, client, tid, seq);
    if (t)
        call_fail(n, t, error);
}

// --- The server's end: requests come in -----------------------------------------------------------------

// The thread waits, or waits on, for a request.
static void getreq_wait(struct node *n, struct thread *s)
{
    thread_set_state(s, THREAD_GETREQ);
    ASSERT(!list_linked(&s->run_link));
    list_add_tail(&s->proc->getters, &s->run_link);
    if (s->wake_ns != UINT64_MAX)
        timer_set(n, &s->timer, s->wake_ns);
}

// Gives up the request that the record was for: the client has gone on to another, or is gone. Returns the server
// thread when it was waiting for the data: it is in getreq again, and the caller must serve_next() it.
static struct thread *rec_release(struct node *n, struct rec *r)
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
    if (s->state == THREAD_PUTREP) {
        s->serve.open = false;
        s->serve.result = 0;
        if (!thread_is_task(s))
            syscall_done_putrep(s);
        thread_wake(n, s);
    } // else it works on: its putrep finds no reader
    return NULL;
}

static void rec_abandon(struct node *n, struct rec *r)
{
    struct thread *s = rec_release(n, r);
    if (s)
        serve_next(n, s);
}

// The request ends with an error instead of a server's reply.
static void rec_refuse(struct node *n, struct rec *r, int error)
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

static struct thread *getter_for(struct proc *p, uint32_t handle)
{
    LIST_FOR(l, &p->getters)
    {
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

static enum txn_verdict rec_begin(struct node *n, struct rec *r)
{
    struct thread *s = getter_for(r->proc, r->handle);
    if (!s) {
        rec_set_state(n, r, REC_QUEUED);
        list_add_tail(&r->proc->queue, &r->queue_link);
        return TXN_ACK;
    }
    if (r->req_len > s->serve.buf.len) {
        rec_refuse(n, r, E_TOOBIG);
        return TXN_REPLY;
    }
    rec_assign(n, r, s);
    return TXN_TAKE;
}

static enum txn_verdict rec_again(struct node *n, struct rec *r, bool probe)
{
    switch (r->state) {
    case REC_QUEUED:
    case REC_SERVE:
        return TXN_ACK;
    case REC_FILL:
        return TXN_TAKE;
    case REC_REPLY:
        if (probe) // it asks, by its timer. Duplicates of the request ask nothing, and there may be many
            r->sent.high = r->sent.base;
        rec_reply(n, r);
        return TXN_REPLY;
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

enum txn_verdict txn_request_in(struct node *n, ep_t dst, const struct txn_request *q, bool probe,
                                struct rec **out)
{
    *out = NULL;
    struct proc *p = dst != EP_NONE ? proc_by_ep(n, dst) : NULL;
    if (dst == EP_NONE) {
        struct port_entry *e = port_find(n, q->cap.port);
        p = e ? e->proc : NULL;
    }
    if (!p || p->state == PROC_DEAD || p->state == PROC_ARRIVING)
        return TXN_NOTHERE;
    if (proc_frozen(p))
        return TXN_BUSY;
    struct rec *r = q->caller ? q->caller->call.rec : NULL;
    if (!r || r->proc != p)
        r = txn_rec_find(n, p->ep, q->client, q->tid);
    if (r && q->seq <= r->seq) {
        *out = r;
        if (q->seq < r->seq) {
            n->stat.dups_dropped++;
            return TXN_OLD;
        }
        r->remote |= !q->local; // it may have moved since it called
        rec_heard(n, r);
        return rec_again(n, r, probe);
    }
    if (probe)
        return TXN_UNKNOWN;
    int handle = handle_of(n, p, q->cap.port);
    if (handle < 0)
        return TXN_NOTHERE;
    if (r) {
        if (r->state != REC_DONE)
            rec_abandon(n, r); // a higher number says that the client is through with the old one
        timer_cancel(n, &r->timer);
    } else if (!(r = txn_rec_create(n, p, q->client, q->tid)))
        return TXN_BUSY;
    r->lost = r->idle = false;
    r->seq = q->seq;
    r->handle = (uint32_t)handle;
    copy_cap(&r->cap, &q->cap);
    r->op = q->op;
    copy_words(r->arg, q->arg);
    r->req_len = q->total;
    r->got = r->sent = (struct progress){0};
    r->rep_len = 0;
    r->remote |= !q->local; // once there was a frame, the record is history for its time, whatever comes after
    if (q->caller)
        rec_keep(n, r, q->caller);
    r->retry_ns = RETRY_FIRST_NS;
    r->heard_ns = r->locate_ns = 0;
    if (r->remote)
        rec_heard(n, r);
    *out = r;
    return rec_begin(n, r);
}

// The whole request is in the server's buffer.
static void rec_deliver(struct node *n, struct rec *r)
{
    struct thread *s = r->server;
    timer_cancel(n, &r->timer);
    rec_set_state(n, r, REC_SERVE);
    s->serve.open = true;
    s->serve.result = 0;
    s->wake_ns = UINT64_MAX;
    if (!thread_is_task(s))
        syscall_done_getreq(s);
    thread_set_state(s, THREAD_READY);
    sched_handoff(n, s);
}

// The server's buffer was unmapped meanwhile: its getreq ends with the error. The request waits for the next, unless
// part of it has come: the client was told so, and what is acknowledged is not sent again.
static void rec_server_fault(struct node *n, struct rec *r)
{
    struct thread *s = r->server;
    r->server = NULL;
    s->serve.rec = NULL;
    s->serve.result = -E_FAULT;
    if (!thread_is_task(s))
        syscall_done_getreq(s);
    thread_wake(n, s);
    if (r->got.base > 0 || r->got.mask) {
        rec_refuse(n, r, E_FAULT);
        return;
    }
    timer_cancel(n, &r->timer);
    rec_set_state(n, r, REC_QUEUED);
    list_add(&r->proc->queue, &r->queue_link);
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
    client->call.state = CALL_WAIT;
    client->call.begun = true;
    client->call.busy = false;
    if (client->call.deadline_ns == UINT64_MAX)
        timer_cancel(n, &client->timer);
    else
        call_arm(n, client, PROBE_NS);
    rec_deliver(n, r);
    return NULL;
}

// Gets the request's data: from the client's pages when it is here, else by asking its node. Returns as rec_release.
static struct thread *rec_fill(struct node *n, struct rec *r)
{
    struct thread *client;
    switch (rec_client(n, r, &client)) {
    case CLIENT_HERE:
        return fill_local(n, r, client);
    case CLIENT_GONE: // it gave up, or its thread ended
        return rec_release(n, r);
    case CLIENT_FROZEN:
        rec_arm(n, r);
        return NULL;
    case CLIENT_AWAY:
        break;
    }
    if (!r->remote || r->heard_ns == 0) // it was here when it called
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

// First request in the queue that the thread can take; those too long for it are refused on the way.
static struct rec *next_request(struct node *n, struct proc *p, uint64_t mask, uint64_t room)
{
    LIST_FOR_SAFE(l, next, &p->queue)
    {
        struct rec *r = LIST_ENTRY(l, struct rec, queue_link);
        if (!(mask >> r->handle & 1))
            continue;
        if (r->req_len <= room)
            return r;
        rec_refuse(n, r, E_TOOBIG);
    }
    return NULL;
}

// Gives a waiting thread the next request from the queue. Requests whose clients are gone fall out on the way.
static void serve_next(struct node *n, struct thread *s)
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
    t->serve.result = -E_TIMEOUT;
    if (!thread_is_task(t))
        syscall_done_getreq(t);
    thread_wake(n, t);
}

// --- The server's end: replies go out -------------------------------------------------------------------

static struct buf rec_reply_buf(const struct rec *r)
{
    if (r->rep_len == 0)
        return buf_none();
    return r->copy ? buf_kernel(r->copy, r->rep_len) : r->server->serve.buf;
}

// The client has the whole reply.
static void rec_done(struct node *n, struct rec *r)
{
    struct thread *s = r->server;
    r->server = NULL;
    rec_drop_copy(n, r);
    rec_set_state(n, r, REC_DONE);
    if (s) {
        ASSERT(s->state == THREAD_PUTREP);
        s->serve.rec = NULL;
        s->serve.open = false;
        s->serve.result = 0;
        if (!thread_is_task(s))
            syscall_done_putrep(s);
        thread_wake(n, s);
    }
    if (r->remote)
        timer_set(n, &r->timer, node_now(n) + RECORD_LIFE_NS);
    else if (!r->caller)
        txn_rec_free(n, r); // no frame of it was ever under way: no duplicate can come
}

// src: the reply's bytes.
static void reply_local(struct node *n, struct rec *r, struct thread *client, const struct buf *src)
{
    struct call *c = &client->call;
    c->state = CALL_RECV;
    c->begun = true;
    c->sent.base = c->req.len;
    c->rep_total = r->rep_len;
    if (r->rep_len > c->rep.len) {
        call_fail(n, client, E_TOOBIG);
        rec_done(n, r);
        return;
    }
    uint64_t len = r->rep_len - r->sent.base;
    if (len > COPY_STEP)
        len = COPY_STEP;
    int e = len ? buf_copy(n, &c->rep, r->sent.base, src, r->sent.base, len) : 0;
    if (e < 0) {
        call_fail(n, client, e == -E_MEM ? E_MEM : E_FAULT);
        rec_done(n, r);
        return;
    }
    r->sent.base += len;
    c->got.base = r->sent.base;
    if (r->sent.base < r->rep_len) {
        timer_set(n, &r->timer, node_now(n));
        return;
    }
    copy_words(c->res, r->res);
    call_finish(n, client, r->status, true);
    rec_done(n, r);
}

static void rec_reply(struct node *n, struct rec *r)
{
    ASSERT(r->state == REC_REPLY);
    struct thread *client;
    struct buf src;
    switch (rec_client(n, r, &client)) {
    case CLIENT_HERE:
        src = rec_reply_buf(r);
        reply_local(n, r, client, &src);
        return;
    case CLIENT_FROZEN:
        rec_arm(n, r);
        return;
    case CLIENT_AWAY:
        if (!n->transport)
            break;
        if (!r->remote) // it was here when it called
            rec_heard(n, r);
        r->remote = true;
        rec_arm(n, r);
        n->transport->reply(n, r);
        return;
    case CLIENT_GONE:
        break;
    }
    rec_done(n, r); // nobody wants it any more
}

// What putrep may refuse, before anything changes.
static int putrep_check(struct node *n, const struct thread *t, const struct buf *rep)
{
    if (!t->serve.open)
        return -E_STATE;
    if (rep->len > MESSAGE_MAX_BYTES)
        return -E_ARG;
    return buf_bad(n, rep, false) ? -E_FAULT : 0;
}

static void putrep_note(struct node *n, struct rec *r, int64_t status, const uint64_t res[4], uint64_t len)
{
    r->status = status;
    copy_words(r->res, res);
    r->rep_len = len;
    r->sent = (struct progress){0};
    rec_set_state(n, r, REC_REPLY);
    if (r->remote) // a local client needs no clock
        rec_heard(n, r);
}

// The reply leaves the server's hands at once: into a client that is here and waits, or, when it is short, into the
// record. false: it must stay where it is, and nothing has changed.
static bool putrep_at_once(struct node *n, struct thread *t, int64_t status, const uint64_t res[4],
                           const struct buf *rep)
{
    struct rec *r = t->serve.rec;
    struct thread *client;
    bool here = rep->len <= COPY_STEP && rec_client(n, r, &client) == CLIENT_HERE;
    if (!here && rep->len > 0) {
        if (rep->len > REPLY_COPY_MAX || (r->copy = page_alloc(n)) == NULL)
            return false;
        if (buf_read(n, rep, 0, r->copy, (size_t)rep->len) < 0) {
            rec_drop_copy(n, r);
            return false;
        }
    }
    r->server = NULL;
    t->serve.rec = NULL;
    t->serve.open = false;
    putrep_note(n, r, status, res, rep->len);
    if (here)
        reply_local(n, r, client, rep);
    else
        rec_reply(n, r);
    return true;
}

int txn_putrep(struct node *n, struct thread *t, int64_t status, const uint64_t res[4], struct buf rep)
{
    int e = putrep_check(n, t, &rep);
    if (e < 0)
        return e;
    struct rec *r = t->serve.rec;
    if (!r) { // the client is gone
        t->serve.open = false;
        return 1;
    }
    ASSERT(r->state == REC_SERVE && r->server == t);
    if (putrep_at_once(n, t, status, res, &rep))
        return 1;
    t->serve.buf = rep;
    putrep_note(n, r, status, res, rep.len);
    thread_set_state(t, THREAD_PUTREP);
    rec_reply(n, r);
    return 0;
}

int txn_putrep_short(struct node *n, struct thread *t, int64_t status, const uint64_t res[4], struct buf rep)
{
    int e = putrep_check(n, t, &rep);
    if (e < 0)
        return e;
    if (!t->serve.rec)
        t->serve.open = false;
    else if (!putrep_at_once(n, t, status, res, &rep))
        return -E_MEM;
    return 0;
}

void txn_reply_acked(struct node *n, ep_t server, ep_t client, uint32_t tid, uint64_t seq,
                     const struct progress *p, bool wait, bool done)
{
    struct rec *r = txn_rec_find(n, server, client, tid);
    if (!r || r->seq != seq || r->state != REC_REPLY || proc_frozen(r->proc) || p->base > r->rep_len)
        return;
    r->heard_ns = node_now(n);
    r->locate_ns = 0;
    if (done) {
        rec_done(n, r);
        return;
    }
    if (!progress_acked(&r->sent, p) || wait)
        return; // the timer goes on
    r->retry_ns = RETRY_FIRST_NS;
    rec_arm(n, r);
    n->transport->reply(n, r);
}

static void rec_due(struct node *n, struct timer *tm)
{
    struct rec *r = LIST_ENTRY(tm, struct rec, timer);
    if (proc_frozen(r->proc))
        return; // resuming takes everything up again
    if (r->state == REC_DONE) {
        txn_rec_free(n, r);
        return;
    }
    r->retry_ns = r->retry_ns * 2 < RETRY_MAX_NS ? r->retry_ns * 2 : RETRY_MAX_NS;
    r->sent.high = r->sent.base;
    if (r->state == REC_REPLY) {
        rec_reply(n, r);
    } else if (r->state == REC_FILL) {
        struct thread *s = rec_fill(n, r);
        if (s)
            serve_next(n, s);
    }
}

void txn_client_lost(struct node *n, struct rec *r)
{
    r->lost = true;
    if (r->state == REC_REPLY)
        rec_done(n, r);
    else
        rec_abandon(n, r);
}

// --- Arrivals and departures ----------------------------------------------------------------------------

static void rec_kick(struct node *n, struct rec *r)
{
    if (proc_frozen(r->proc))
        return;
    r->retry_ns = RETRY_FIRST_NS / 2; // the timer doubles it
    if (r->heard_ns == 0)
        r->heard_ns = node_now(n);
    if (r->state == REC_FILL || r->state == REC_REPLY)
        timer_set(n, &r->timer, node_now(n));
    else if (r->state == REC_DONE && !r->timer.armed)
        timer_set(n, &r->timer, node_now(n) + RECORD_LIFE_NS);
}

// Only arms timers: taking a record up may free others, so it happens one event at a time.
static void kick_recs(struct node *n, struct proc *p, ep_t only)
{
    LIST_FOR(l, &p->recs)
    {
        struct rec *r = LIST_ENTRY(l, struct rec, link);
        if (only == EP_NONE || r->client == only)
            rec_kick(n, r);
    }
}

void txn_kick_proc(struct node *n, struct proc *p)
{
    if (n->transport)
        n->transport->resumed(n, p);
    kick_recs(n, p, EP_NONE);
    LIST_FOR(l, &p->threads)
    {
        struct thread *t = LIST_ENTRY(l, struct thread, link);
        if (t->state == THREAD_CALL)
            txn_kick_call(n, t);
    }
    txn_kick_peer(n, p->ep);
}

void txn_kick_peer(struct node *n, ep_t peer)
{
    LIST_FOR(pl, &n->procs)
    {
        struct proc *p = LIST_ENTRY(pl, struct proc, link);
        if (p->ep == peer || proc_frozen(p))
            continue;
        kick_recs(n, p, peer);
        LIST_FOR(l, &p->threads)
        {
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
    rec_let_go(n, t);
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
    } else if (place == CLIENT_AWAY && n->transport && r->state != REC_DONE && r->state != REC_REPLY) {
        r->status = r->state == REC_QUEUED ? -E_NOTHERE : -E_DIED;
        memset(r->res, 0, sizeof r->res);
        r->rep_len = 0;
        r->state = REC_REPLY;
        n->transport->reply(n, r);
    }
}

void txn_proc_gone(struct node *n, struct proc *p, bool silent)
{
    LIST_FOR_SAFE(l, next, &p->recs)
    {
        struct rec *r = LIST_ENTRY(l, struct rec, link);
        if (!silent)
            rec_orphan(n, r);
        txn_rec_free(n, r);
    }
    if (silent) { // its threads wait on, elsewhere: nothing of theirs may end here
        LIST_FOR(l, &p->threads)
        {
            struct thread *t = LIST_ENTRY(l, struct thread, link);
            list_del(&t->call.remote_link);
            thread_set_state(t, THREAD_ENDED);
        }
        return;
    }
    // What other processes here were doing for its threads has no reader any more.
    LIST_FOR(pl, &n->procs)
    {
        struct proc *q = LIST_ENTRY(pl, struct proc, link);
        if (q == p)
            continue;
        LIST_FOR(l, &q->recs)
        {
            struct rec *r = LIST_ENTRY(l, struct rec, link);
            r->lost |= r->client == p->ep;
        }
        kick_recs(n, q, p->ep);
    }
}

void txn_port_closed(struct node *n, struct proc *p, uint32_t handle)
{
    LIST_FOR_SAFE(l, next, &p->queue)
    {
        struct rec *r = LIST_ENTRY(l, struct rec, queue_link);
        if (r->handle == handle)
            rec_refuse(n, r, E_NOTHERE);
    }
}

void txn_adopt_rec(struct node *n, struct rec *r)
{
    r->remote = true; // whatever it was, frames of it may be under way
    r->retry_ns = RETRY_FIRST_NS;
    r->heard_ns = node_now(n);
}
