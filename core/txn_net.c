// SPDX-License-Identifier: BSD-2-Clause
// Transactions as net/ sees them: what is due of a call or record, and what net/ has found out about the peers.
// Whatever is known of a transaction is written here and in the files of the machine (core/txn.h), and nowhere in net/.
#include "core/txn_net.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/txn_priv.h"
#include "core/words.h"

// --- Calls --------------------------------------------------------------------------------------------

void txn_call_view(struct thread *t, struct call_view *v)
{
    struct call *c = &t->call;
    ASSERT(t->state == THREAD_CALL && c->state != CALL_NONE);
    v->request = call_request(t);
    v->server = c->server;
    v->tries = c->tries;
    v->begun = c->begun;
    v->deadline_ns = c->deadline_ns;
    v->data = &c->req;
    v->sent = &c->sent;
    v->got = &c->got;
    v->peer = &c->peer;
}

enum call_says txn_call_sends(struct thread *t)
{
    struct call *c = &t->call;
    ASSERT(t->state == THREAD_CALL && c->state != CALL_NONE);
    c->remote = true;
    if (c->state == CALL_RECV)
        return CALL_SAYS_REST;
    if (c->cancelled)
        return CALL_SAYS_CANCEL;
    if (c->state == CALL_WAIT)
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
    t->call.tries = 0;
}

void txn_server_forget(struct node *n, struct thread *t)
{
    struct call *c = &t->call;
    ASSERT(t->state == THREAD_CALL && !c->begun);
    c->server = EP_NONE;
    c->tries = 0;
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
    v->id = (struct txn_id){.client = r->client, .tid = r->tid, .seq = r->seq};
    v->state = r->state;
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

void txn_client_denies(struct node *n, ep_t server, struct txn_id id)
{
    struct rec *r = txn_rec_find(n, server, id.client, id.tid);
    if (r && r->seq == id.seq && !proc_frozen(r->proc) && (r->state == REC_QUEUED || r->state == REC_FILL))
        txn_client_lost(n, r);
}
