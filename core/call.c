// SPDX-License-Identifier: BSD-2-Clause
// The client half of a transaction: struct call. Its table is in txn.h. It never cares whether its server was here a
// moment ago and is elsewhere now: each retransmission looks again.
#include "core/answer.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/port.h"
#include "core/sched.h"
#include "core/thread.h"
#include "core/txn_priv.h"
#include "core/words.h"
#include <string.h>

void call_reset(struct call *c)
{
    call_set_state(c, CALL_NONE);
    c->begun = c->busy = c->remote = c->cancelled = false;
    c->unsure = false;
    c->fill = 0;
    c->tries = c->ask = 0;
    c->server_inc = c->asked = c->first_ms = 0;
    c->forwards = 0;
    c->server = EP_NONE;
    c->sent = c->got = (struct progress){0};
    c->retry_ns = RETRY_FIRST_NS;
    c->peer = (struct peer){0};
    c->deadline_ns = UINT64_MAX;
}

void call_finish(struct node *n, struct thread *t, int64_t status, bool switch_to)
{
    struct call *c = &t->call;
    ASSERT(t->state == THREAD_CALL);
    if (c->remote)
        trace(n, TRACE_CALL, rec_who(t->proc->ep, t->tid), c->seq, (uint64_t)status);
    c->status = status;
    call_reset(c);
    list_del(&c->remote_link);
    if (t->timer.armed)
        timer_cancel(n, &t->timer);
    answer_trans(t);
    thread_set_state(t, THREAD_READY);
    if (switch_to)
        sched_switch_to(n, t);
    else
        sched_ready(n, t);
}

void call_fail(struct node *n, struct thread *t, int error)
{
    t->call.rep_total = 0;
    memset(t->call.res, 0, sizeof t->call.res);
    call_finish(n, t, -error, false);
}

void call_arm(struct node *n, struct thread *t, uint64_t after_ns)
{
    uint64_t at = node_now(n) + after_ns;
    if (t->call.deadline_ns < at)
        at = t->call.deadline_ns;
    timer_set(n, &t->timer, at);
}

int txn_trans(struct node *n, struct thread *t, const struct cap *cap, uint32_t op, const uint64_t arg[4],
              struct buf req, struct buf rep, uint64_t timeout_ns)
{
    if (req.len > MESSAGE_MAX_BYTES || rep.len > MESSAGE_MAX_BYTES || port_is_null(cap->port))
        return -E_ARG;
    if (t->seq >= THREAD_SEQ_MAX) // no thread gets there, but a descriptor may have said that it had
        return -E_LIMIT;
    if (buf_bad(n, &req, false) || buf_bad(n, &rep, true))
        return -E_FAULT;
    struct call *c = &t->call;
    ASSERT(c->state == CALL_NONE && !list_linked(&c->remote_link));
    t->proc->called = true;
    call_set_state(c, CALL_SEND);
    c->op = op;
    c->inc = t->proc->incarnation;
    c->seq = ++t->seq;
    copy_cap(&c->cap, cap);
    words_copy_4(c->arg, arg);
    c->req = req;
    c->rep = rep;
    c->rep_total = 0;
    if (timeout_ns)
        c->deadline_ns = node_now(n) + timeout_ns;
    thread_set_state(t, THREAD_CALL);
    call_dispatch(n, t);
    return 0;
}

static void call_to_remote(struct node *n, struct thread *t)
{
    struct call *c = &t->call;
    if (!n->transport) {
        call_fail(n, t, c->begun || c->unsure ? E_DIED : E_NOTHERE);
        return;
    }
    if (!list_linked(&c->remote_link)) {
        list_add_tail(&n->calls, &c->remote_link);
        c->peer.heard_ns = node_now(n);
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
        if (!r || r->seq != c->seq || r->inc != c->inc)
            call_fail(n, t, E_DIED);
        else if (rec_answered(r) && !proc_frozen(server))
            rec_reply(n, r);
        else if (c->deadline_ns != UINT64_MAX)
            call_arm(n, t, PROBE_NS);
        return;
    }
    struct txn_request q = call_request(t);
    struct rec *r;
    switch (txn_request_in(n, server->ep, &q, false, &r)) {
    case TXN_TAKE: {
        n->stat.trans_local++;
        c->server = server->ep;
        struct thread *s = rec_fill(n, r);
        if (s)
            serve_next(n, s);
        // Not served at once (its buffer was gone, no memory, more than one step): the deadline stands all the same.
        if (c->deadline_ns != UINT64_MAX && t->state == THREAD_CALL && !t->timer.armed)
            call_arm(n, t, PROBE_NS);
        break;
    }
    case TXN_ACK:
        c->server = server->ep;
        c->begun = true;
        c->busy = r->state == REC_QUEUED;
        if (r->state == REC_SERVE)
            call_set_state(c, CALL_WAIT);
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
        if (c->begun || c->unsure || c->server == EP_NONE) {
            call_fail(n, t, c->begun || c->unsure ? E_DIED : E_NOTHERE);
            break;
        }
        c->asked = c->first_ms = 0;
        c->server = EP_NONE; // it was told to wait and was not taken: the port may be served elsewhere now
        c->busy = false;
        call_arm(n, t, 0);
        break;
    case TXN_OLD:
    case TXN_UNKNOWN: call_fail(n, t, E_DIED); break;
    }
}

void call_dispatch(struct node *n, struct thread *t)
{
    struct call *c = &t->call;
    struct proc *server = NULL;
    if (c->server != EP_NONE) {
        server = proc_by_ep(n, c->server);
        if (server && !proc_lives(server))
            server = NULL;
    } else {
        struct port_entry *e = port_find(n, c->cap.port);
        server = e ? e->proc : NULL;
    }
    if (c->cancelled && c->server == EP_NONE)
        call_fail(n, t, E_WITHDRAWN); // nobody has it
    else if (!server)
        call_to_remote(n, t);
    else if (c->cancelled)
        cancel_local(n, t, server);
    else
        call_to_local(n, t, server);
}

void call_leave_server(struct node *n, struct thread *t)
{
    struct call *c = &t->call;
    struct rec *r = c->server != EP_NONE ? txn_rec_find(n, c->server, t->proc->ep, t->tid) : NULL;
    if (r && r->seq == c->seq && r->inc == c->inc && !proc_frozen(r->proc))
        rec_leave(n, r);
    else if (!r && c->remote && c->server != EP_NONE && n->transport)
        n->transport->cancel(n, t);
}

void txn_call_due(struct node *n, struct thread *t)
{
    struct call *c = &t->call;
    if (node_now(n) >= c->deadline_ns) {
        int error = c->cancelled ? E_CANCEL : E_TIMEOUT;
        call_leave_server(n, t);
        call_fail(n, t, error);
        return;
    }
    n->stat.retries++;
    c->retry_ns =
        (uint32_t)min_u64(c->retry_ns * 2ull, c->busy && list_linked(&c->remote_link) ? RETRY_WAIT_NS : RETRY_MAX_NS);
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

struct thread *txn_call_find(struct node *n, struct txn_id id)
{
    struct proc *p = proc_by_ep(n, id.client);
    struct thread *t = p && !proc_frozen(p) ? thread_find(p, id.tid) : NULL;
    return t && t->state == THREAD_CALL && t->call.seq == id.seq && t->call.inc == id.inc ? t : NULL;
}

static void call_heard(struct node *n, struct thread *t)
{
    peer_heard(&t->call.peer, node_now(n));
}

// A frame of a former life of the server says nothing any more.
static bool superseded(struct call *c, uint32_t server_inc)
{
    if (server_inc < c->server_inc)
        return true;
    c->server_inc = server_inc;
    return false;
}

int txn_request_acked(struct node *n, struct txn_id id, ep_t server, uint32_t inc, unsigned fill,
                      const struct progress *p, bool wait, bool working)
{
    struct proc *cp = proc_by_ep(n, id.client);
    if (cp && proc_frozen(cp)) { // resuming it asks again
        struct thread *f = working ? NULL : thread_find(cp, id.tid);
        if (f && (wait || call_fills(f)) && f->state == THREAD_CALL && f->call.state == CALL_SEND &&
            f->call.server == server && f->call.seq == id.seq && n->transport)
            n->transport->still(n, f);
        return 0;
    }
    struct thread *t = txn_call_find(n, id);
    if (!t)
        return -E_OBJECT;
    struct call *c = &t->call;
    if ((c->server != EP_NONE && c->server != server) || p->base > c->req.len)
        return -E_OBJECT;
    if (superseded(c, inc))
        return 0;
    call_heard(n, t);
    c->server = server;
    if (c->state != CALL_SEND)
        return 0;
    bool go = c->busy && !wait; // what was sent before was thrown away
    c->busy = wait;
    if (!wait || p->base > 0)
        c->begun = true;
    unsigned newer = (fill - c->fill) & 63u;
    if (newer >= 32)
        return 0;    // of an earlier beginning: it comes late
    if (newer > 0) { // what had come was thrown away
        c->fill = fill & 63u;
        c->sent = (struct progress){0};
    }
    bool news = progress_acked(&c->sent, p);
    // Of an empty request, only "working" tells that it is there.
    if (working || (c->req.len > 0 && c->sent.base == c->req.len && !wait)) {
        call_set_state(c, CALL_WAIT);
        call_arm(n, t, PROBE_NS);
        return 0;
    }
    if (go)
        c->sent.high = c->sent.base;
    // Without news there is nothing to do: it answers a duplicate. To send for that would be answered again, and so on
    // without end; to put off the timer could go on for ever, when the server asks at the same pace.
    if (go || (news && !wait)) {
        c->retry_ns = RETRY_FIRST_NS;
        call_to_remote(n, t);
    }
    return 0;
}

int txn_reply_in(struct node *n, struct txn_id id, ep_t server, const struct txn_reply *h, uint64_t off, uint32_t frag,
                 const struct buf *src, struct progress *got)
{
    const struct proc *p = proc_by_ep(n, id.client);
    if (p && proc_frozen(p))
        return -E_STATE;
    struct thread *t = txn_call_find(n, id);
    if (!t)
        return -E_OBJECT;
    struct call *c = &t->call;
    if (c->server != EP_NONE && c->server != server)
        return -E_OBJECT; // a server that this call was never accepted by
    call_heard(n, t);
    c->server = server;
    c->begun = true;
    call_set_state(c, CALL_RECV);
    c->sent.base = c->req.len;
    c->status = h->status;
    words_copy_4(c->res, h->res);
    c->rep_total = (uint32_t)h->total; // wire_check: at most MESSAGE_MAX_BYTES
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
            *got = c->got = before;
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
    *got = c->got;
    return 0;
}

void txn_refused(struct node *n, struct thread *t, int error)
{
    call_fail(n, t, error == E_DIED && t->call.cancelled ? E_CANCEL : error);
}
