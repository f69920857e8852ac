// SPDX-License-Identifier: BSD-2-Clause
// A server hands its client on to another server. A forward is a reply of a special kind: not "this is the result" but
// "call that capability instead". It goes to the client's kernel, which makes a new transaction of it, with a number of
// its own, out of the client's own pages; the client's thread sees only the last reply.
//
// So at most once holds for each hop by what holds for every transaction: the forwarder's record says FORWARD until the
// client's kernel has it, as it would say REPLY; the next server's record is of another number. Nothing is kept at the
// forwarder afterwards, and it does not matter which of the three moves meanwhile.
#include "core/node.h"
#include "core/panic.h"
#include "core/thread.h"
#include "core/txn_priv.h"
#include "core/words.h"

// --- Server -------------------------------------------------------------------------------------------

int txn_forward(struct node *n, struct thread *t, const struct cap *cap, uint32_t op, const uint64_t arg[4])
{
    struct rec *r = t->serve.rec;
    if (!t->serve.open)
        return -E_STATE;
    if (port_is_null(cap->port))
        return -E_ARG;
    t->serve.open = false;
    t->serve.rec = NULL;
    if (!r) // the client is gone
        return 0;
    ASSERT(r->state == REC_SERVE && r->server == t);
    r->server = NULL;
    copy_cap(&r->cap, cap);
    r->op = op;
    words_copy_4(r->arg, arg);
    r->status = 0;
    r->rep_len = 0;
    r->sent = (struct progress){0};
    rec_set_state(n, r, REC_FORWARD);
    if (r->remote)
        rec_heard(n, r);
    rec_reply(n, r);
    return 0;
}

void forward_local(struct node *n, struct rec *r, struct thread *client)
{
    ASSERT(r->state == REC_FORWARD);
    struct forward f = rec_forward(r);
    rec_done(n, r); // first: the call may come back to this very process
    call_forward(n, client, &f);
}

// --- Client -------------------------------------------------------------------------------------------

// The call begins anew, to another server. Its buffers, its deadline and the count of its forwards stay.
void call_forward(struct node *n, struct thread *t, const struct forward *f)
{
    struct call *c = &t->call;
    ASSERT(t->state == THREAD_CALL);
    if (c->forwards == FORWARDS_MAX || t->seq >= THREAD_SEQ_MAX ||
        c->cancelled) { // cancelled: the next server need not begin
        call_fail(n, t, c->cancelled ? E_CANCEL : E_LIMIT);
        return;
    }
    uint64_t deadline_ns = c->deadline_ns;
    unsigned forwards = c->forwards + 1u;
    list_del(&c->remote_link);
    timer_cancel(n, &t->timer);
    call_reset(c);
    call_set_state(c, CALL_SEND);
    c->deadline_ns = deadline_ns;
    c->forwards = forwards & 0x7fu;
    c->inc = t->proc->incarnation;
    c->seq = ++t->seq;
    c->cap = f->cap;
    c->op = f->op;
    words_copy_4(c->arg, f->arg);
    c->rep_total = 0;
    call_dispatch(n, t);
    // Not for the fast path (fastpath.c), which would leave the count of forwards to the next call.
    rec_uncache(n, t);
}

int txn_forward_in(struct node *n, struct txn_id id, ep_t server, const struct forward *f)
{
    const struct proc *p = proc_by_ep(n, id.client);
    if (p && proc_frozen(p))
        return -E_STATE;
    struct thread *t = txn_call_find(n, id);
    if (!t || t->call.state == CALL_RECV || (t->call.server != EP_NONE && t->call.server != server))
        return -E_OBJECT;
    call_forward(n, t, f);
    return 1;
}
