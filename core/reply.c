// SPDX-License-Identifier: BSD-2-Clause
// The server half, second part: putrep, and the reply's way to the client.
#include "core/answer.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/thread.h"
#include "core/txn_priv.h"
#include "core/words.h"

static void rec_make_ready(struct rec *r)
{
    r->got = r->sent = (struct progress){0};
    r->rep_len = 0;
    r->retry_ns = RETRY_FIRST_NS;
    r->peer = (struct peer){0};
    r->ready = !r->lost && !r->timer.armed;
}

void rec_done(struct node *n, struct rec *r)
{
    struct thread *s = r->server;
    r->server = NULL;
    rec_drop_copy(n, r);
    rec_set_state(n, r, REC_DONE);
    if (s) {
        ASSERT(s->state == THREAD_PUTREP);
        s->serve.rec = NULL;
        answer_putrep(n, s);
    }
    if (r->remote)
        timer_set(n, &r->timer, node_now(n) + RECORD_LIFE_NS);
    else if (!r->caller)
        txn_rec_free(n, r); // no frame of it was ever under way: no duplicate can come
    else
        rec_make_ready(r);
}

// src: the reply's bytes.
static void reply_local(struct node *n, struct rec *r, struct thread *client, const struct buf *src)
{
    struct call *c = &client->call;
    call_set_state(c, CALL_RECV);
    c->begun = true;
    c->sent.base = c->req.len;
    c->rep_total = (uint32_t)r->rep_len;
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
    words_copy_4(c->res, r->res);
    call_finish(n, client, r->status, true);
    rec_done(n, r);
}

void rec_reply(struct node *n, struct rec *r)
{
    ASSERT(rec_answered(r));
    struct thread *client;
    struct buf src;
    switch (rec_client(n, r, &client)) {
    case CLIENT_HERE:
        if (r->state == REC_FORWARD) {
            forward_local(n, r, client);
            return;
        }
        src = rec_reply_buf(r);
        reply_local(n, r, client, &src);
        return;
    case CLIENT_FROZEN:
        rec_pin(n, r);
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
    case CLIENT_GONE: break;
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

void rec_pin(struct node *n, struct rec *r)
{
    struct thread *s = r->server;
    if (r->state != REC_REPLY || !s || s->state != THREAD_PUTREP || r->rep_len == 0)
        return;
    struct proc *p = r->proc;
    if (p->npinned == PINNED_MAX || proc_room(p, r->rep_len + 2 * PAGE_SIZE) < 0 ||
        buf_pin(n, &s->serve.buf, &r->pinned, &r->pinned_off) < 0) {
        r->pinned = NULL;
        return;
    }
    p->npinned++;
    p->pinned_bytes += r->pinned->len;
    r->server = NULL;
    s->serve.rec = NULL;
    answer_putrep(n, s);
}

static void putrep_note(struct node *n, struct rec *r, int64_t status, const uint64_t res[4], uint64_t len)
{
    r->status = status;
    words_copy_4(r->res, res);
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

void txn_reply_acked(struct node *n, ep_t server, struct txn_id id, const struct progress *p, bool wait, bool done)
{
    struct rec *r = txn_rec_find(n, server, id.client, id.tid);
    if (!r || r->seq != id.seq || r->inc != id.inc || !rec_answered(r) || rec_stands_still(r) || p->base > r->rep_len)
        return;
    peer_heard(&r->peer, node_now(n));
    if (done) {
        rec_done(n, r);
        return;
    }
    if (wait)
        rec_pin(n, r);
    if (!progress_acked(&r->sent, p) || wait)
        return; // the timer goes on
    r->retry_ns = RETRY_FIRST_NS;
    rec_arm(n, r);
    n->transport->reply(n, r);
}
