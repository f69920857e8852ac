// SPDX-License-Identifier: BSD-2-Clause
// Transactions as net/ sees them: what is due of a call or record, and what net/ has found out about the peers.
// Whatever is known of a transaction is written here and in the files of the machine (core/txn.h), and nowhere in net/.
#include "core/txn_net.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/txn_priv.h"
#include "core/words.h"

// --- Calls --------------------------------------------------------------------------------------------

// If a server took in a frame of the call, its record of it lives for RECORD_LIFE_NS after the server has taken the
// client for dead, and is remembered for as long when the server ends. So for this long after the first frame went, and
// a packet's life more, the node that had the server knows.
#define KNOWN_NS (SILENCE_MAX_NS + LOCATE_GIVE_UP_NS)
_Static_assert(KNOWN_NS + PACKET_LIFE_NS <= RECORD_LIFE_NS + SILENCE_MAX_NS + LOCATE_GIVE_UP_NS, "a record is there");

// Returns for how long, in ns, frames of the call have been going to its server; 0: none did.
static uint64_t since_first_ns(struct node *n, const struct call *c)
{
    uint32_t ms = (uint32_t)(node_now(n) / NS_PER_MS) + 1 - c->first_ms; // + 1: first_ms is odd
    return c->first_ms == 0 ? 0 : ms * NS_PER_MS;
}

static bool server_never_had(struct node *n, const struct call *c)
{
    return !c->begun && !c->unsure && since_first_ns(n, c) <= KNOWN_NS;
}

void txn_call_view(struct thread *t, struct call_view *v)
{
    struct call *c = &t->call;
    ASSERT(t->state == THREAD_CALL && c->state != CALL_NONE);
    v->request = call_request(t);
    v->server = c->server;
    v->server_inc = c->server_inc;
    v->ask = c->ask;
    v->sent_any = c->first_ms != 0;
    v->never = server_never_had(t->proc->node, c);
    v->begun = c->begun;
    v->deadline_ns = c->deadline_ns;
    v->data = &c->req;
    v->sent = &c->sent;
    v->got = &c->got;
    v->peer = &c->peer;
}

// Another node than before is asked: what became of the frames that went to the other one is not known, unless the
// server said that it is there. An answer to an earlier look-up counts no more.
static void call_asks(struct node *n, struct call *c, ep_t node)
{
    uint32_t half = (uint32_t)node | 1u;
    if (c->first_ms == 0)
        c->first_ms = (uint32_t)(node_now(n) / NS_PER_MS) | 1u;
    if (c->asked == half)
        return;
    if (c->asked != 0)
        c->unsure = true;
    c->asked = half;
    c->ask++;
}

// Has the server had time to forget a request that it executed? Then the request must not be sent again.
static bool may_be_forgotten(struct node *n, const struct call *c)
{
    uint64_t since = min_u64(since_first_ns(n, c), node_now(n) - c->peer.heard_ns);
    return since > KNOWN_NS + PACKET_LIFE_NS;
}

enum call_says txn_call_sends(struct node *n, struct thread *t, ep_t node)
{
    struct call *c = &t->call;
    ASSERT(t->state == THREAD_CALL && c->state != CALL_NONE);
    bool forgotten = may_be_forgotten(n, c);
    c->remote = true;
    call_asks(n, c, node);
    if (c->state == CALL_RECV)
        return CALL_SAYS_REST;
    if (c->cancelled)
        return CALL_SAYS_CANCEL;
    if (c->state == CALL_WAIT || forgotten)
        return CALL_SAYS_PROBE;
    if (c->busy && c->req.len > 0)
        return CALL_SAYS_HEADER;
    if (c->sent.high == c->sent.base) // nothing is under way: the whole request goes (again)
        c->tries++;
    return CALL_SAYS_DATA;
}

void txn_server_found(struct thread *t, ep_t server)
{
    ASSERT(t->state == THREAD_CALL && t->call.server == EP_NONE && server != EP_NONE);
    t->call.server = server;
    t->call.server_inc = 0;
    t->call.fill = 0;
    t->call.tries = 0;
    t->call.asked = t->call.first_ms = 0;
}

void txn_server_forget(struct node *n, struct thread *t)
{
    struct call *c = &t->call;
    ASSERT(t->state == THREAD_CALL && !c->begun);
    c->server = EP_NONE;
    c->tries = 0;
    c->asked = c->first_ms = 0;
    c->sent = (struct progress){0};
    txn_kick_call(n, t);
}

void txn_kick_port(struct node *n, struct port port)
{
    LIST_FOR (l, &n->calls) {
        struct thread *t = LIST_ENTRY(l, struct thread, call.remote_link);
        if (t->call.server == EP_NONE && port_eq(t->call.cap.port, port))
            txn_kick_call(n, t);
    }
}

// --- Records ------------------------------------------------------------------------------------------

void txn_rec_view(struct rec *r, struct rec_view *v)
{
    v->server = r->proc->ep;
    v->inc = r->proc->incarnation;
    v->id = (struct txn_id){.client = r->client, .tid = r->tid, .inc = r->inc, .seq = r->seq};
    v->state = r->state;
    v->fills = r->fills;
    v->total = r->req_len;
    v->got = &r->got;
    v->sent = &r->sent;
    v->peer = &r->peer;
}

void txn_rec_reply(const struct rec *r, struct txn_reply *reply, struct buf *data)
{
    ASSERT(r->state == REC_REPLY);
    reply->status = r->status;
    words_copy_4(reply->res, r->res);
    reply->total = r->rep_len;
    *data = rec_reply_buf(r);
}

void txn_rec_forward(const struct rec *r, struct forward *f)
{
    ASSERT(r->state == REC_FORWARD);
    *f = rec_forward(r);
}

bool txn_call_fills(const struct thread *t)
{
    return call_fills(t);
}

bool txn_call_receives(const struct thread *t)
{
    return t->state == THREAD_CALL && t->call.state == CALL_RECV;
}

void txn_client_still(struct node *n, ep_t server, struct txn_id id)
{
    struct rec *r = txn_rec_find(n, server, id.client, id.tid);
    if (!r || r->inc != id.inc || r->seq != id.seq || proc_frozen(r->proc))
        return;
    peer_heard(&r->peer, node_now(n));
    if (r->state == REC_FILL || r->state == REC_QUEUED)
        rec_stand_still(n, r);
}

void txn_client_denies(struct node *n, ep_t server, struct txn_id id)
{
    struct rec *r = txn_rec_find(n, server, id.client, id.tid);
    if (r && r->inc == id.inc && r->seq == id.seq && !proc_frozen(r->proc) &&
        (r->state == REC_QUEUED || r->state == REC_FILL))
        txn_client_lost(n, r);
}
