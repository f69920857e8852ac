// SPDX-License-Identifier: BSD-2-Clause
// Shared by the files of the transaction machine. Who includes it may do to a call or record what its peers do, and so
// must keep the tables of txn.h; test/check-contracts.py says which files those are.
#ifndef CORE_TXN_PRIV_H
#define CORE_TXN_PRIV_H

#include "core/proc.h"
#include "core/rec.h"
#include "core/thread.h"
#include "core/txn.h"
#include "core/txn_net.h"

// --- rec.c
// A record of p for this client thread: state DONE, no request yet. due: fires when its timer does. NULL: no memory.
struct rec *rec_create(struct node *n, struct proc *p, ep_t client, uint32_t tid,
                       void (*due)(struct node *n, struct timer *t));
void rec_drop_copy(struct node *n, struct rec *r);
// The records of p are found under this endpoint from now on; p gets it next.
void rec_rename(struct node *n, struct proc *p, ep_t ep);
void rec_cache(struct node *n, struct rec *r, struct thread *caller);
void rec_uncache(struct node *n, struct thread *caller);
void rec_arm(struct node *n, struct rec *r);   // its timer, after the present interval
void rec_heard(struct node *n, struct rec *r); // a sign of life of the client
// Whom a trace event is about: process and thread, in one word.
uint32_t rec_who(ep_t ep, uint32_t tid);
// Where the client of a record is.
enum client_place {
    CLIENT_AWAY,   // not on this node: ask the network
    CLIENT_HERE,   // *t waits for just this transaction
    CLIENT_FROZEN, // its process is here and stopped. What its threads wait for says nothing: when it was handed off,
    // it may have gone on elsewhere before this copy is removed
    CLIENT_GONE, // it does not wait any more, for certain
};
enum client_place rec_client(struct node *n, const struct rec *r, struct thread **t);

// --- call.c
// The call is over: status and results are in it. switch_to: this hart goes on with the client.
void call_finish(struct node *n, struct thread *t, int64_t status, bool switch_to);
void call_fail(struct node *n, struct thread *t,
               int error); // an error of the kernel: nothing came back
void call_arm(struct node *n, struct thread *t, uint64_t after_ns);
void call_dispatch(struct node *n, struct thread *t); // sends it where its server is now
void call_leave_server(struct node *n, struct thread *t);

// The header of t's request: what its frames say, and what a server of this node is given.
static inline struct txn_request call_request(struct thread *t)
{
    const struct call *c = &t->call;
    struct txn_request q = {
        .client = t->proc->ep,
        .tid = t->tid,
        .op = c->op,
        .seq = c->seq,
        .total = c->req.len,
        .cap = c->cap,
        .local = !c->remote,
        .caller = t,
    };
    copy_words(q.arg, c->arg);
    return q;
}

// --- serve.c
struct thread *rec_release(struct node *n, struct rec *r);
// p's record of the client becomes that of this request: r, or a new one when r is NULL. TXN_TAKE; TXN_NOTHERE,
// TXN_BUSY.
enum txn_verdict txn_rec_take(struct node *n, struct proc *p, struct rec *r, const struct txn_request *q,
                              struct rec **out);
enum txn_verdict rec_again(struct node *n, struct rec *r, bool probe);
void rec_abandon(struct node *n, struct rec *r);
void rec_refuse(struct node *n, struct rec *r, int error);
struct thread *rec_fill(struct node *n, struct rec *r);
void serve_next(struct node *n, struct thread *s);

// --- reply.c
// Where the bytes of the reply lie: in the record, or, when it is long, with the server's thread, in state PUTREP.
static inline struct buf rec_reply_buf(const struct rec *r)
{
    if (r->rep_len == 0)
        return buf_none();
    return r->copy ? buf_kernel(r->copy, r->rep_len) : r->server->serve.buf;
}
void rec_reply(struct node *n, struct rec *r); // sends, again, what is not acknowledged
void rec_done(struct node *n, struct rec *r);

// --- cancel.c
void cancel_tell(struct node *n, struct rec *r); // the thread that serves it, if it was not told
void cancel_local(struct node *n, struct thread *t,
                  struct proc *server);        // tells the server of t's call
void rec_leave(struct node *n, struct rec *r); // its client wants no answer any more

// --- inline.c
// The call that t's registers ask for (SYS_TRANS), when it is to a service of this kernel that answers it on the spot:
// the answer is in the registers. false: nothing has changed. saved: all of t's registers are in its record, so that
// others may run on this hart before t goes on.
bool txn_inline(struct node *n, struct thread *t, bool saved);

// --- forward.c
// What the client's kernel is to call instead.
static inline struct forward rec_forward(const struct rec *r)
{
    struct forward f = {.op = r->op};
    copy_cap(&f.cap, &r->cap);
    copy_words(f.arg, r->arg);
    return f;
}
void forward_local(struct node *n, struct rec *r, struct thread *client);
void call_forward(struct node *n, struct thread *t, const struct forward *f);

static inline bool buf_bad(struct node *n, const struct buf *b, bool write)
{
    return b->kind != BUF_NONE && buf_check(n, b, write) < 0;
}

#endif
