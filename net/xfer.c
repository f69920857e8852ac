// SPDX-License-Identifier: BSD-2-Clause
// Transactions on the wire: how what core asks (core/transport.h) becomes frames, and what frames tell core
// (core/txn_net.h). Read it beside the two tables of states in core/txn.h, to which each frame here is an event.
//
//   client's node                                  server's node
//   xfer_request    -- REQUEST, fragments -->      in_request         the record takes them, or says wait
//   in_request_ack  <-- REQUEST_ACK --             xfer_request_ack   what is there; "wait"; "working"
//   in_reply        <-- REPLY, fragments --        xfer_reply         or one FORWARD
//   in_reply        -- REPLY_ACK -->               in_reply_ack       what is there; "done"
//   in_nothere      <-- NOTHERE --                                    no such endpoint, port or transaction
//   in_moved        <-- MOVED --                                      the process is at another node now
//
// No state of a transaction is kept here. A frame that is lost is sent again when core's timer asks again, and by then
// the peer may be elsewhere: so each request to send begins by asking where the peer is (peer_node). A message lies
// where the process left it until the transaction is over, and each fragment is cut from those pages anew (cut).
#include "net/xfer.h"
#include "core/error.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/txn_net.h"
#include "core/words.h"
#include "net/locate.h"
#include "net/net_priv.h"
#include "net/place.h"
#include "net/question.h"
#include "net/route.h"
#include "net/waiters.h"
#include <string.h>

// Fragments under way and not acknowledged. The first burst is short: without a thread in getreq the server's node
// would throw all of it away (D2: no node keeps a copy).
#define WINDOW 16u
#define WINDOW_FIRST 2u
// The receiver acknowledges every so many fragments, so that the sender's window never runs empty.
#define ACK_EVERY 4u

// --- Where to send ------------------------------------------------------------------------------------

// Node that has the endpoint, EP_NONE: not known now, the ring is being asked. A peer that was silent for too long is
// looked for afresh, for the process `self`: it may have moved, or the way to it may be cut. *lost: no node has it.
static ep_t peer_node(struct node *n, ep_t self, ep_t ep, struct peer *peer, bool *lost)
{
    uint64_t now = node_now(n);
    ep_t node = place_node(n, ep);
    if (node != EP_NONE && peer_silent(peer, now)) {
        route_suspect(n, node);
        place_forget(n, ep);
        peer_seek(peer, now);
        node = place_node(n, ep);
    }
    if (node != EP_NONE) {
        if (peer_seek_ns(peer, now) > SILENCE_MAX_NS) // found, yet silent: look again in a while
            peer_heard(peer, now);
        return node == node_ep(n) ? EP_NONE : node;
    }
    peer_seek(peer, now);
    *lost = question_nowhere(n, ep, peer_seek_ns(peer, now));
    if (!*lost)
        question_ask(n, self, ep);
    return EP_NONE;
}

// The pieces of [off, off + len) of a buffer. Returns their number, or a negative error.
static int cut(struct node *n, const struct buf *b, uint64_t off, uint32_t len, struct piece p[WIRE_PIECES_MAX])
{
    int np = 0;
    while (len > 0) {
        void *ptr;
        size_t run;
        int r = buf_at(n, b, off, false, &ptr, &run);
        if (r < 0)
            return r;
        if (run > len)
            run = len;
        if (np > 0 && (char *)p[np - 1].ptr + p[np - 1].len == (char *)ptr) {
            p[np - 1].len += run;
        } else {
            if (np == (int)WIRE_PIECES_MAX)
                return -E_ARG;
            p[np].ptr = ptr;
            p[np].len = run;
            np++;
        }
        off += run;
        len -= (uint32_t)run;
    }
    return np;
}

// Sends the fragments of a message that are due: those in the window that were not sent yet or, after a time-out (high
// was put back), that are not acknowledged. h has everything but offset, payload and flags. Returns 0, also when a
// frame could not go; E_FAULT when the pages are gone.
static int send_due(struct node *n, struct wire_hdr *h, const struct buf *b, struct progress *p, unsigned window)
{
    struct piece pieces[WIRE_PIECES_MAX];
    uint32_t frag = route_payload(n, h->dst_node);
    progress_cut(p, frag);
    h->frag = frag;
    if (h->total == 0) {
        h->flags = WIRE_FLAG_ACK_NOW;
        locate_send(n, h, NULL, 0);
        return 0;
    }
    uint64_t end = p->base + (uint64_t)window * frag;
    uint64_t off = progress_next(p, p->high, h->total);
    while (off != UINT64_MAX && off < end) {
        uint64_t next = progress_next(p, off + frag, h->total);
        uint32_t len = h->total - off < frag ? (uint32_t)(h->total - off) : frag;
        int np = cut(n, b, off, len, pieces);
        if (np < 0)
            return np;
        h->offset = off;
        h->payload = len;
        h->flags = next == UINT64_MAX || next >= end ? WIRE_FLAG_ACK_NOW : 0;
        if (!locate_send(n, h, pieces, (unsigned)np))
            return 0;
        progress_sent(p, off + len);
        off = next;
    }
    return 0;
}

// --- Client: out --------------------------------------------------------------------------------------

static struct wire_hdr call_header(const struct call_view *c, unsigned kind, ep_t node)
{
    const struct txn_request *q = &c->request;
    struct wire_hdr h = {
        .kind = (uint8_t)kind,
        .dst_node = node,
        .src_ep = q->id.client,
        .dst_ep = c->server,
        .tid = q->id.tid,
        .op = q->op,
        .seq = q->id.seq,
        .client_inc = q->id.inc,
        .server_inc = c->server_inc,
        .ask = c->ask,
        .cap = q->cap,
        .total = q->total,
    };
    words_copy_4(h.arg, q->arg);
    return h;
}

static void send_reply_ack(struct node *n, const struct call_view *c, ep_t node)
{
    struct wire_hdr h = {
        .kind = WIRE_REPLY_ACK,
        .dst_node = node,
        .src_ep = c->request.id.client,
        .dst_ep = c->server,
        .tid = c->request.id.tid,
        .seq = c->request.id.seq,
        .client_inc = c->request.id.inc,
        .server_inc = c->server_inc,
        .ask = c->ask,
        .offset = c->got->base,
        .mask = c->got->mask,
        .frag = c->got->frag,
    };
    locate_send(n, &h, NULL, 0);
}

// The server is found nowhere. If a frame went to it, it may have executed the request, though it never answered.
static void server_lost(struct node *n, struct thread *t, const struct call_view *c)
{
    place_forget_server(n, c->request.cap.port); // or the next call would wait for it as long
    if (c->begun || c->sent_any) {
        txn_refused(n, t, E_DIED);
        return;
    }
    peer_seek_end(c->peer); // nothing was sent to it: another may serve the port
    txn_server_forget(n, t);
}

// The call has no server yet: which endpoint serves the port? false: not known now.
static bool find_server(struct node *n, struct thread *t, const struct call_view *c)
{
    ep_t server = place_server(n, c->request.cap.port);
    if (server != EP_NONE) {
        txn_server_found(t, server);
        return true;
    }
    uint64_t now = node_now(n);
    peer_seek(c->peer, now);
    if (question_nowhere_server(n, c->request.cap.port, peer_seek_ns(c->peer, now)))
        txn_refused(n, t, c->never ? E_NOTHERE : E_DIED);
    else
        question_ask_server(n, c->request.id.client, c->request.cap.port);
    return false;
}

static void send_cancel(struct node *n, const struct call_view *c, ep_t node, uint64_t left_ns, uint16_t flags)
{
    struct wire_hdr h = call_header(c, WIRE_REQUEST, node);
    h.flags = WIRE_FLAG_CANCEL | flags;
    h.status = (int64_t)(left_ns & INT64_MAX);
    locate_send(n, &h, NULL, 0);
}

static void xfer_cancel(struct node *n, struct thread *t)
{
    struct call_view c;
    txn_call_view(t, &c);
    ep_t node = place_node(n, c.server);
    if (node != EP_NONE && node != node_ep(n))
        send_cancel(n, &c, node, 0, WIRE_FLAG_DONE);
}

static void xfer_still(struct node *n, struct thread *t)
{
    struct call_view c;
    txn_call_view(t, &c);
    ep_t node = place_node(n, c.server);
    if (node == EP_NONE || node == node_ep(n))
        return;
    bool fills = !txn_call_receives(t);
    struct wire_hdr h = call_header(&c, fills ? WIRE_REQUEST : WIRE_REPLY_ACK, node);
    h.flags = WIRE_FLAG_WAIT;
    if (!fills) { // as say_wait() to a fragment of the reply
        h.op = 0;
        h.cap = (struct cap){0};
        h.total = 0;
        memset(h.arg, 0, sizeof h.arg);
    }
    locate_send(n, &h, NULL, 0);
}

// ns left until a deadline of the future, never 0; 0: there is none.
static uint64_t left(struct node *n, uint64_t deadline_ns)
{
    uint64_t now = node_now(n);
    return deadline_ns == UINT64_MAX ? 0 : deadline_ns > now ? deadline_ns - now : 1;
}

// One frame, or a burst of them, to the server's node.
static void call_send(struct node *n, struct thread *t, ep_t node)
{
    enum call_says says = txn_call_sends(n, t, node);
    struct call_view view, *c = &view;
    txn_call_view(t, c); // with the number of this look-up
    struct wire_hdr h = call_header(c, WIRE_REQUEST, node);
    switch (says) {
    case CALL_SAYS_CANCEL: send_cancel(n, c, node, left(n, c->deadline_ns), c->begun ? WIRE_FLAG_PROBE : 0); return;
    case CALL_SAYS_DATA:
        if (send_due(n, &h, c->data, c->sent, c->begun ? WINDOW : WINDOW_FIRST) < 0)
            txn_refused(n, t, E_FAULT);
        return;
    case CALL_SAYS_REST:
        send_reply_ack(n, c, node); // says what is missing; the probe asks for it
        // fall through
    case CALL_SAYS_PROBE:
        h.flags = WIRE_FLAG_PROBE;
        // fall through
    case CALL_SAYS_HEADER: locate_send(n, &h, NULL, 0);
    }
}

static void xfer_request(struct node *n, struct thread *t)
{
    struct call_view c;
    txn_call_view(t, &c);
    if (c.server == EP_NONE) {
        if (!find_server(n, t, &c))
            return;
        txn_call_view(t, &c);
    }
    bool lost = false;
    ep_t node = peer_node(n, c.request.id.client, c.server, c.peer, &lost);
    if (node != EP_NONE)
        call_send(n, t, node);
    else if (lost)
        server_lost(n, t, &c);
}

// --- Server: out --------------------------------------------------------------------------------------

static struct wire_hdr rec_header(const struct rec_view *r, unsigned kind, ep_t node)
{
    return (struct wire_hdr){
        .kind = (uint8_t)kind,
        .dst_node = node,
        .src_ep = r->server,
        .dst_ep = r->id.client,
        .tid = r->id.tid,
        .seq = r->id.seq,
        .client_inc = r->id.inc,
        .server_inc = r->inc,
    };
}

static void send_request_ack(struct node *n, const struct rec_view *r, ep_t node)
{
    struct wire_hdr h = rec_header(r, WIRE_REQUEST_ACK, node);
    h.offset = r->got->base;
    h.mask = r->got->mask;
    h.frag = r->got->frag;
    h.arg[0] = r->fills;
    if (r->state == REC_QUEUED)
        h.flags = WIRE_FLAG_WAIT;
    else if (r->state != REC_FILL)
        h.flags = WIRE_FLAG_WORKING;
    locate_send(n, &h, NULL, 0);
}

// Node of the record's client, EP_NONE: not known now. A client that is found nowhere is given up, and *v with it.
static ep_t client_node(struct node *n, struct rec *r, struct rec_view *v)
{
    bool lost = false;
    txn_rec_view(r, v);
    ep_t node = peer_node(n, v->server, v->id.client, v->peer, &lost);
    if (lost)
        txn_client_lost(n, r);
    return node;
}

static void xfer_request_ack(struct node *n, struct rec *r)
{
    struct rec_view v;
    ep_t node = client_node(n, r, &v);
    if (node != EP_NONE)
        send_request_ack(n, &v, node);
}

static void send_forward(struct node *n, const struct rec *r, struct wire_hdr *h)
{
    struct forward f;
    txn_rec_forward(r, &f);
    h->cap = f.cap;
    h->op = f.op;
    words_copy_4(h->arg, f.arg);
    h->flags = WIRE_FLAG_FORWARD;
    locate_send(n, h, NULL, 0);
}

static void xfer_reply(struct node *n, struct rec *r)
{
    struct rec_view v;
    ep_t node = client_node(n, r, &v);
    if (node == EP_NONE)
        return;
    struct wire_hdr h = rec_header(&v, WIRE_REPLY, node);
    if (v.state == REC_FORWARD) {
        send_forward(n, r, &h);
        return;
    }
    struct txn_reply rep;
    struct buf b;
    txn_rec_reply(r, &rep, &b);
    h.status = rep.status;
    words_copy_4(h.arg, rep.res);
    h.total = rep.total;
    if (send_due(n, &h, &b, v.sent, WINDOW) < 0) { // the server's pages are gone: say so instead
        h.status = -E_FAULT;
        h.total = h.offset = h.payload = 0;
        h.flags = WIRE_FLAG_ACK_NOW;
        locate_send(n, &h, NULL, 0);
    }
}

// --- Answers that name what was asked -------------------------------------------------------------------

// The transaction that a frame is about. Its client is the frame's sender or its receiver, as the kind says.
static struct txn_id txn_of(const struct wire_hdr *h, ep_t client)
{
    return (struct txn_id){.client = client, .tid = h->tid, .inc = h->client_inc, .seq = h->seq};
}

static void say_not_here(struct node *n, const struct wire_hdr *to, uint32_t what)
{
    struct wire_hdr h = {
        .kind = WIRE_NOTHERE,
        .dst_node = to->src_node,
        .src_ep = node_ep(n),
        .dst_ep = to->src_ep,
        .tid = to->tid,
        .op = what,
        .seq = to->seq,
        .client_inc = to->client_inc,
        .server_inc = to->server_inc,
        .ask = to->ask,
        .cap = to->cap,
        .arg = {to->dst_ep, to->kind},
    };
    trace(n, TRACE_DROP, to->kind, to->dst_ep, what);
    locate_send(n, &h, NULL, 0);
}

// The server of a request does not live here, and has not moved. What its client may conclude from that depends on
// whether a copy of this request can have come while the server was here.
static void say_left_behind(struct node *n, const struct wire_hdr *h)
{
    switch (h->kind == WIRE_REQUEST ? txn_left_behind(n, h->dst_ep, txn_of(h, h->src_ep)) : TXN_NEVER_HAD) {
    case TXN_NEVER_HAD: say_not_here(n, h, NOTHERE_EP); break;
    case TXN_HAD: say_not_here(n, h, NOTHERE_ENDED); break;
    case TXN_FORGOTTEN: say_not_here(n, h, NOTHERE_UNSURE); break;
    case TXN_LAST_WORD: break; // core has sent it again
    }
}

// A frame for an endpoint that does not live here. If it has moved, its sender is told where to, and this one frame
// goes after it, of all those of a window (mechanisms row 17); else the sender is told that it is not here.
static void not_local(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned np)
{
    ep_t node = place_moved(n, h->dst_ep);
    if (node == EP_NONE || node == node_ep(n)) {
        say_left_behind(n, h);
        return;
    }
    if (!waiters_send_on(n, h))
        return;
    struct wire_hdr on = *h;
    on.dst_node = node;
    locate_forward(n, NULL, &on, p, np);
    struct wire_hdr m = {
        .kind = WIRE_MOVED,
        .dst_node = h->src_node,
        .src_ep = node_ep(n),
        .dst_ep = h->src_ep,
        .tid = h->tid,
        .seq = h->seq,
        .client_inc = h->client_inc,
        .ask = h->ask,
        .arg = {h->dst_ep, node},
    };
    locate_send(n, &m, NULL, 0);
}

// --- In -----------------------------------------------------------------------------------------------

static void say_wait(struct node *n, const struct wire_hdr *to, unsigned kind)
{
    if (kind == WIRE_REQUEST_ACK)
        waiters_note(n, to);
    struct wire_hdr h = {
        .kind = (uint8_t)kind,
        .dst_node = to->src_node,
        .src_ep = to->dst_ep,
        .dst_ep = to->src_ep,
        .tid = to->tid,
        .seq = to->seq,
        .client_inc = to->client_inc,
        .server_inc = to->server_inc,
        .flags = WIRE_FLAG_WAIT,
    };
    locate_send(n, &h, NULL, 0);
}

static bool ack_due(const struct wire_hdr *h, uint64_t base)
{
    return (h->flags & WIRE_FLAG_ACK_NOW) || h->payload == 0 || (h->frag && base / h->frag % ACK_EVERY == 0);
}

static void request_taken(struct node *n, const struct wire_hdr *h, struct rec *r, const struct buf *src)
{
    struct rec_view v;
    txn_rec_view(r, &v);
    if (h->payload == 0 && h->total > 0) { // an announcement
        send_request_ack(n, &v, h->src_node);
        return;
    }
    if (v.total != h->total)
        return; // fragments of one message that disagree about its length
    int done = txn_request_data(n, r, h->offset, h->frag, src);
    txn_rec_view(r, &v);
    // One that came whole in one frame is acknowledged by its reply.
    if (done == 1 ? h->total > h->frag : done < 0 || ack_due(h, v.got->base))
        send_request_ack(n, &v, h->src_node);
}

static void in_request(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned np)
{
    if (h->dst_ep != EP_NONE && !place_is_here(n, h->dst_ep)) {
        not_local(n, h, p, np);
        return;
    }
    if (h->flags & WIRE_FLAG_WAIT) {
        txn_client_still(n, h->dst_ep, txn_of(h, h->src_ep));
        return;
    }
    struct txn_request q = {
        .id = txn_of(h, h->src_ep),
        .op = h->op,
        .total = h->total,
        .cap = h->cap,
    };
    memcpy(q.arg, h->arg, sizeof q.arg);
    struct buf src = {.kind = BUF_PIECES, .at = (uint64_t)(uintptr_t)p, .len = h->payload};
    struct rec *r = NULL;
    struct rec_view v;
    switch (h->flags & WIRE_FLAG_CANCEL ? txn_cancel_in(n, h->dst_ep, &q, (uint64_t)h->status,
                                                        !(h->flags & WIRE_FLAG_DONE), h->flags & WIRE_FLAG_PROBE, &r)
                                        : txn_request_in(n, h->dst_ep, &q, h->flags & WIRE_FLAG_PROBE, &r)) {
    case TXN_TAKE: request_taken(n, h, r, &src); break;
    case TXN_ACK:
        txn_rec_view(r, &v);
        send_request_ack(n, &v, h->src_node);
        break;
    case TXN_BUSY: say_wait(n, h, WIRE_REQUEST_ACK); break;
    case TXN_NOTHERE: say_not_here(n, h, NOTHERE_PORT); break;
    case TXN_UNKNOWN: say_not_here(n, h, NOTHERE_TXN); break;
    case TXN_REPLY: // core has sent it again
    case TXN_OLD: break;
    }
}

static void in_request_ack(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned np)
{
    if (!place_is_here(n, h->dst_ep)) {
        not_local(n, h, p, np);
        return;
    }
    struct progress got = {.base = h->offset, .mask = h->mask, .frag = h->frag};
    if (txn_request_acked(n, txn_of(h, h->dst_ep), h->src_ep, h->server_inc, (unsigned)(h->arg[0] & 63), &got,
                          h->flags & WIRE_FLAG_WAIT, h->flags & WIRE_FLAG_WORKING) < 0 &&
        !(h->flags & WIRE_FLAG_WORKING))
        say_not_here(n, h, NOTHERE_TXN); // so that the server does not wait for the data
}

static int reply_frame(struct node *n, const struct wire_hdr *h, const struct piece *p, struct progress *got)
{
    struct txn_reply rep = {.status = h->status, .total = h->total};
    memcpy(rep.res, h->arg, sizeof rep.res);
    struct buf src = {.kind = BUF_PIECES, .at = (uint64_t)(uintptr_t)p, .len = h->payload};
    return txn_reply_in(n, txn_of(h, h->dst_ep), h->src_ep, &rep, h->offset, h->frag, &src, got);
}

static int forward_frame(struct node *n, const struct wire_hdr *h)
{
    struct forward f = {.cap = h->cap, .op = h->op};
    memcpy(f.arg, h->arg, sizeof f.arg);
    return txn_forward_in(n, txn_of(h, h->dst_ep), h->src_ep, &f);
}

static void in_reply(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned np)
{
    if (!place_is_here(n, h->dst_ep)) {
        not_local(n, h, p, np);
        return;
    }
    struct progress got;
    int r = h->flags & WIRE_FLAG_FORWARD ? forward_frame(n, h) : reply_frame(n, h, p, &got);
    if (r == -E_STATE) {
        say_wait(n, h, WIRE_REPLY_ACK);
        return;
    }
    if (r == 0 && !ack_due(h, got.base))
        return;
    struct wire_hdr a = {
        .kind = WIRE_REPLY_ACK,
        .dst_node = h->src_node,
        .src_ep = h->dst_ep,
        .dst_ep = h->src_ep,
        .tid = h->tid,
        .seq = h->seq,
        .client_inc = h->client_inc,
        .server_inc = h->server_inc,
    };
    if (r == 0) {
        a.offset = got.base;
        a.mask = got.mask;
        a.frag = got.frag;
    } else {
        a.flags = WIRE_FLAG_DONE;
    }
    locate_send(n, &a, NULL, 0);
}

static void in_reply_ack(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned np)
{
    if (!place_is_here(n, h->dst_ep) && place_moved(n, h->dst_ep) != EP_NONE) {
        not_local(n, h, p, np);
        return;
    }
    // One that has ended here still waits for the acknowledgement of its last words.
    struct progress got = {.base = h->offset, .mask = h->mask, .frag = h->frag};
    txn_reply_acked(n, h->dst_ep, txn_of(h, h->src_ep), &got, h->flags & WIRE_FLAG_WAIT, h->flags & WIRE_FLAG_DONE);
}

// The node that we believed to have the server says no. What we believed is forgotten, and the call looks again.
static void refused_call(struct node *n, const struct wire_hdr *h)
{
    struct thread *t = txn_call_find(n, txn_of(h, h->dst_ep));
    struct call_view c;
    if (!t)
        return;
    txn_call_view(t, &c);
    // An answer that is late, about another server or an earlier look-up, says nothing of what was sent since.
    if (c.server != h->arg[0] || h->ask != c.ask || h->server_inc < c.server_inc)
        return;
    switch (h->op) {
    case NOTHERE_TXN: // it was known there, and was given up
    case NOTHERE_ENDED: txn_refused(n, t, E_DIED); break;
    case NOTHERE_EP:
    case NOTHERE_PORT:
        if (c.never) { // nor did another node have it: another server may
            place_forget_server(n, c.request.cap.port);
            peer_seek(c.peer, node_now(n));
            txn_server_forget(n, t);
        } else if (h->op == NOTHERE_PORT) {
            txn_refused(n, t, E_DIED);
        } else {
            txn_kick_call(n, t); // it may have moved
        }
        break;
    default: txn_kick_call(n, t); // NOTHERE_UNSURE: it is looked for, and found, or taken for dead
    }
}

static void in_nothere(struct node *n, const struct wire_hdr *h)
{
    ep_t ep = h->arg[0];
    if (h->op == NOTHERE_EP && h->arg[1] != WIRE_LOCATE && place_node(n, ep) == h->src_node)
        place_forget(n, ep);
    if (h->arg[1] == WIRE_LOCATE) {
        if (h->op == NOTHERE_PORT && n->policy->port_gone)
            n->policy->port_gone(n, h->cap.port);
        return;
    }
    if (h->arg[1] == WIRE_REQUEST)
        refused_call(n, h);
    else if (h->op == NOTHERE_TXN) // of an acknowledgement or a reply of ours
        txn_client_denies(n, h->dst_ep, txn_of(h, ep));
    // Else the record's timer looks for its client again.
}

// Calls to the endpoint are taken up again only if this changed what we believe; otherwise two nodes that name each
// other would make the call go round between them without end.
static void in_moved(struct node *n, const struct wire_hdr *h)
{
    ep_t ep = h->arg[0], was = place_node(n, ep);
    if (h->arg[1] != node_ep(n))
        locate_learn(n, ep, h->arg[1]);
    else if (was == h->src_node)
        place_forget(n, ep); // the process came here and is gone again: timers look for it
    if (place_node(n, ep) != was && place_node(n, ep) != EP_NONE)
        txn_kick_peer(n, ep);
}

void xfer_input(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned np)
{
    switch (h->kind) {
    case WIRE_REQUEST: in_request(n, h, p, np); break;
    case WIRE_REQUEST_ACK: in_request_ack(n, h, p, np); break;
    case WIRE_REPLY: in_reply(n, h, p, np); break;
    case WIRE_REPLY_ACK: in_reply_ack(n, h, p, np); break;
    case WIRE_NOTHERE: in_nothere(n, h); break;
    case WIRE_MOVED: in_moved(n, h); break;
    default: break;
    }
}

// --- What was looked for was found ----------------------------------------------------------------------

static void found_ep(struct node *n, ep_t ep)
{
    txn_kick_peer(n, ep);
}

static void found_port(struct node *n, struct port port)
{
    txn_kick_port(n, port);
    if (n->policy->port_found)
        n->policy->port_found(n, port);
}

static void xfer_resumed(struct node *n, struct proc *p)
{
    if (p == n->kproc)
        waiters_tell_held(n, p->ep);
    else
        waiters_tell_resumed(n, p->ep);
}

static void xfer_moved_away(struct node *n, struct proc *p, ep_t target_node)
{
    place_set_moved(n, p->ep, target_node);
    locate_learn(n, p->ep, target_node);
    // Its control port is served by the kernel there, whose endpoint is the node's. What was known of it is from before
    // it came here.
    locate_learn_server(n, p->ctl_put, target_node, target_node);
    waiters_tell_moved(n, p->ep, target_node);
}

static void xfer_arrived(struct node *n, struct proc *p)
{
    place_clear_moved(n, p->ep);
}

static bool xfer_ask_port(struct node *n, struct port port)
{
    for (unsigned i = 0; i < n->net->nlinks; i++) {
        if (!n->net->links[i]->up)
            continue;
        question_check_server(n, port);
        return true;
    }
    return false;
}

static void xfer_ask_ep(struct node *n, ep_t ep)
{
    question_ask(n, node_ep(n), ep);
}

static const struct transport transport = {
    .request = xfer_request,
    .request_ack = xfer_request_ack,
    .reply = xfer_reply,
    .cancel = xfer_cancel,
    .still = xfer_still,
    .moved_away = xfer_moved_away,
    .arrived = xfer_arrived,
    .resumed = xfer_resumed,
    .ask_ep = xfer_ask_ep,
    .ask_port = xfer_ask_port,
    .link_status = link_status,
    .link_echo = link_echo_wait,
};

void xfer_init(struct node *n)
{
    ASSERT(n->net && !n->transport);
    n->transport = &transport;
    question_on_found(n, found_ep, found_port);
}
