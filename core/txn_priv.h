// SPDX-License-Identifier: BSD-2-Clause
// Shared by the files of the transaction machine. A file that includes this may write calls and records, and must keep
// the tables of txn.h; test/check-contracts.py says which files those are.
// Callers: those files, node lock held.
#ifndef CORE_TXN_PRIV_H
#define CORE_TXN_PRIV_H

#include "core/proc.h"
#include "core/rec.h"
#include "core/thread.h"
#include "core/txn.h"
#include "core/txn_net.h"
#include "core/words.h"

// --- rec.c ----------------------------------------------------------------------------------------------------------

// Makes p's record for this client's thread `tid`: state DONE, no request yet. due: called when its timer fires.
// Returns it; NULL: no memory.
struct rec *rec_create(struct node *n, struct proc *p, ep_t client, uint32_t tid,
                       void (*due)(struct node *n, struct timer *t));
// Frees the reply that the record keeps, as a copy or pinned, if it keeps one.
void rec_drop_copy(struct node *n, struct rec *r);
// The records of p are found under endpoint `ep` from now on; p gets it next.
void rec_rename(struct node *n, struct proc *p, ep_t ep);
// The thread `caller`, of this node, caches r for its next call, in place of the record that it cached.
void rec_cache(struct node *n, struct rec *r, struct thread *caller);
// The thread caches no record any more: it ends, leaves this node, is forwarded, or cancels its call.
void rec_uncache(struct node *n, struct thread *caller);
// Sets the record's timer, to fire after its present interval.
void rec_arm(struct node *n, struct rec *r);
// The client gave a sign of life.
void rec_heard(struct node *n, struct rec *r);
// Returns the process and thread that a trace event is about, in one word.
uint32_t rec_who(ep_t ep, uint32_t tid);
// Where the client of a record is.
enum client_place {
    CLIENT_AWAY,   // not on this node: ask the network
    CLIENT_HERE,   // *t waits for just this transaction
    CLIENT_FROZEN, // its process is here and stopped. What its threads wait for says nothing: a process that moves may
    // have gone on elsewhere before this copy is removed
    CLIENT_GONE, // it does not wait any more, for certain
};
// Returns where r's client is; CLIENT_HERE: *t is its thread, else NULL.
enum client_place rec_client(struct node *n, const struct rec *r, struct thread **t);

// Returns true if nothing may change in r: its process is frozen. One that has ended still sends the replies it gave.
static inline bool rec_stands_still(const struct rec *r)
{
    return proc_frozen(r->proc) && !proc_lingers(r->proc);
}

// --- call.c ---------------------------------------------------------------------------------------------------------

// t's call is over with this status; its results are in it. switch_to: this hart goes on with t.
void call_finish(struct node *n, struct thread *t, int64_t status, bool switch_to);
// t's call is over with an error of the kernel (E_..., positive): nothing came back.
void call_fail(struct node *n, struct thread *t, int error);
// Sets the timer of t's call, to fire after after_ns or at its deadline.
void call_arm(struct node *n, struct thread *t, uint64_t after_ns);
// Sends t's call where its server is now. Every retransmission comes through here, so that a server which has moved
// meanwhile is found.
void call_dispatch(struct node *n, struct thread *t);
// t does not want an answer any more: a server that has not begun is spared the work, one that has may learn of it
// (cancel.c). A remote one is told once; if that frame is lost, it finds out when it answers.
void call_leave_server(struct node *n, struct thread *t);

// Returns true if t's call is in the middle of its request: a server was asked to take in its data.
static inline bool call_fills(const struct thread *t)
{
    const struct call *c = &t->call;
    return t->state == THREAD_CALL && c->state == CALL_SEND && c->server != EP_NONE && !c->busy && c->req.len > 0;
}

// Returns the header of t's request: what its frames say, and what a server of this node is given.
static inline struct txn_request call_request(struct thread *t)
{
    const struct call *c = &t->call;
    struct txn_request q = {
        .id = {.client = t->proc->ep, .tid = t->tid, .inc = c->inc, .seq = c->seq},
        .op = c->op,
        .total = c->req.len,
        .cap = c->cap,
        .local = !c->remote,
        .caller = t,
    };
    words_copy_4(q.arg, c->arg);
    return q;
}

// --- serve.c --------------------------------------------------------------------------------------------------------

// Gives up the request of r: its client has gone on to another, or is gone. Returns the server's thread if it waited
// for the data: it is in getreq again, and the caller must serve_next() it. NULL: there is none.
struct thread *rec_release(struct node *n, struct rec *r);
// The same, and serves the thread's next request.
void rec_abandon(struct node *n, struct rec *r);
// p's record of the client becomes that of this request: r, or a new one when r is NULL. Returns TXN_TAKE, with *out
// the record; TXN_NOTHERE: p does not serve the port; TXN_BUSY: no memory for a record.
enum txn_verdict txn_rec_take(struct node *n, struct proc *p, struct rec *r, const struct txn_request *q,
                              struct rec **out);
// The request of r came again. probe: its client asks, by its timer. Returns the verdict.
enum txn_verdict rec_again(struct node *n, struct rec *r, bool probe);
// The request of r ends with an error (E_..., positive) instead of a server's reply. r is in no queue afterwards, and
// may be freed.
void rec_refuse(struct node *n, struct rec *r, int error);
// Gets the data of r, which is in FILL: from the client's pages when it is here, else by asking its node. Returns as
// rec_release().
struct thread *rec_fill(struct node *n, struct rec *r);
// The client of r stands still: r, if it is in FILL and others want the server's thread, goes back to the queue.
void rec_stand_still(struct node *n, struct rec *r);
// Gives s, if it is in getreq, the first request in its process's queue that it can take.
void serve_next(struct node *n, struct thread *s);

// --- reply.c --------------------------------------------------------------------------------------------------------

// Returns where the bytes of the reply lie: in the record, pinned, or, when it is long, with the server's thread, in
// PUTREP.
static inline struct buf rec_reply_buf(const struct rec *r)
{
    if (r->rep_len == 0)
        return buf_none();
    if (r->pinned)
        return buf_seg(r->pinned, r->pinned_off, r->rep_len);
    return r->copy ? buf_kernel(r->copy, r->rep_len) : r->server->serve.buf;
}
// The client of r, in REPLY, stands still: the reply is pinned, and the server's thread, if it is in PUTREP, goes on.
// When there is no memory, or the reply is too long (PIN_MAX_BYTES), the thread waits on.
void rec_pin(struct node *n, struct rec *r);
// Sends what of the reply is not acknowledged (again). r is answered: REPLY or FORWARD. It may be freed: its client is
// here and has the reply now, or is gone.
void rec_reply(struct node *n, struct rec *r);
// The client has the whole reply, or does not want it: r is history now, or is freed.
void rec_done(struct node *n, struct rec *r);

// --- cancel.c -------------------------------------------------------------------------------------------------------

// Tells the thread that works on r, in SERVE, that its client has had enough; once.
void cancel_tell(struct node *n, struct rec *r);
// t has cancelled its call, and `server` is on this node: tells it.
void cancel_local(struct node *n, struct thread *t, struct proc *server);
// r's client wants no answer any more.
void rec_leave(struct node *n, struct rec *r);

// --- inline.c -------------------------------------------------------------------------------------------------------

// Executes the call that t's registers ask for (SYS_TRANS), when it is to a service of this kernel that answers it on
// the spot. saved: all of t's registers are in its record, so that others may run on this hart before t goes on.
// Returns true: the answer is in the registers; false: nothing has changed.
bool txn_inline(struct node *n, struct thread *t, bool saved);

// --- forward.c ------------------------------------------------------------------------------------------------------

// Returns what the client's kernel is to call instead. r is in FORWARD.
static inline struct forward rec_forward(const struct rec *r)
{
    struct forward f = {.op = r->op};
    copy_cap(&f.cap, &r->cap);
    words_copy_4(f.arg, r->arg);
    return f;
}
// The client of r, in FORWARD, is the thread `client` of this node: its call begins anew.
void forward_local(struct node *n, struct rec *r, struct thread *client);
// t's call begins anew, to another server.
void call_forward(struct node *n, struct thread *t, const struct forward *f);

// Returns true if the buffer's memory is not there, or may not be written (write), read (not write).
static inline bool buf_bad(struct node *n, const struct buf *b, bool write)
{
    return b->kind != BUF_NONE && buf_check(n, b, write) < 0;
}

#endif
