// SPDX-License-Identifier: BSD-2-Clause
// Cancellation: by SYS_CANCEL, by a time-out, or because the client's thread ends. The server's kernel is told:
//
//   the request is still on its way, or in the queue      it is taken out: E_WITHDRAWN, not executed
//   a server works on it                                  the record says so, and the server's thread is told, once
//   it is answered                                        nothing: the reply is on its way
//
// The server's thread is told by ending whatever it is blocked in: a wait or a sleep with E_CANCEL; a call of its own
// is cancelled in its turn, and so on from server to server. One that computes, or is shielded, is left alone and may
// ask (SYS_CANCELLED). What it answers is its own affair: the client waits for that answer for the time it has granted,
// and gets E_CANCEL if none came. A thread is told once only: the calls that it makes to clean up must not be
// cancelled.
//
// Nothing here is guessed: E_WITHDRAWN is said only by who can make it true. A server's kernel that has not seen the
// request keeps a record that it was withdrawn, so that a copy of it that comes later is not executed; but not for a
// call that was begun, for then the record was there and is forgotten. Such a call ends with E_CANCEL.
#include "core/answer.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/sched.h"
#include "core/thread.h"
#include "core/txn_priv.h"

static uint64_t after(struct node *n, uint64_t left_ns)
{
    uint64_t now = node_now(n);
    return left_ns && left_ns < UINT64_MAX - now ? now + left_ns : UINT64_MAX;
}

// --- Server -------------------------------------------------------------------------------------------

// The thread's call is cancelled, and wants an answer by by_ns at the latest. It is not sent yet.
static void call_cancel(struct call *c, uint64_t by_ns)
{
    if (by_ns < c->deadline_ns)
        c->deadline_ns = by_ns;
    c->cancelled = true;
}

// Ends what the thread is blocked in; false: it is in nothing that can be ended.
// A call of its own is cancelled by a timer, as an event of its own: its server may wait in a call in its turn, and so
// on for thousands of links, which would be as many frames on this stack.
static bool interrupt(struct node *n, struct thread *s, uint64_t by_ns)
{
    switch (s->state) {
    case THREAD_CALL:
        call_cancel(&s->call, by_ns);
        txn_kick_call(n, s);
        return true;
    case THREAD_SLEEP:
    case THREAD_FUTEX:
        if (thread_is_task(s)) // a pause of the kernel's own, and short
            return false;
        s->regs.x[REG_A0] = (uint64_t)-E_CANCEL;
        sched_wake(n, s);
        return true;
    case THREAD_EVENT: // a task looks round again, and may ask (task_cancelled)
        sched_wake(n, s);
        return true;
    default: return false;
    }
}

void cancel_tell(struct node *n, struct rec *r)
{
    ASSERT(r->state == REC_SERVE && r->server);
    if (r->cancel != CANCEL_PENDING || r->server->serve.shielded) // it is told when it opens up
        return;
    r->cancel = CANCEL_TOLD; // first: it may be reached again on the way, when servers call each other in a circle
    if (!interrupt(n, r->server, r->cancel_by_ns)) {
        r->cancel = CANCEL_PENDING;
        rec_arm(n, r); // it computes: perhaps it is blocked next time
    }
}

// The client does not want the request any more; by_ns: how long it still waits for an answer. Its process is not
// frozen.
static void rec_cancel(struct node *n, struct rec *r, uint64_t by_ns)
{
    struct thread *s;
    switch (r->state) {
    case REC_QUEUED: rec_refuse(n, r, E_WITHDRAWN); break;
    case REC_FILL:
        s = rec_release(n, r);
        rec_refuse(n, r, E_WITHDRAWN);
        if (s)
            serve_next(n, s);
        break;
    case REC_SERVE:
        if (r->cancel == CANCEL_NONE) {
            r->cancel = CANCEL_PENDING;
            r->cancel_by_ns = by_ns;
            r->retry_ns = RETRY_FIRST_NS;
            if (r->caller) // not for the fast path (fastpath.c), which knows of no cancels
                rec_uncache(n, r->caller);
        }
        cancel_tell(n, r);
        break;
    default: break;
    }
}

void rec_leave(struct node *n, struct rec *r)
{
    if (r->state != REC_SERVE) {
        txn_client_lost(n, r);
        return;
    }
    rec_cancel(n, r, after(n, CANCEL_LEAVE_NS));
}

// The request itself has not come, or not yet: a record that it is withdrawn.
static enum txn_verdict cancel_unseen(struct node *n, struct proc *p, struct rec *r, const struct txn_request *q,
                                      struct rec **out)
{
    enum txn_verdict v = txn_rec_take(n, p, r, q, out);
    if (v != TXN_TAKE)
        return v;
    rec_refuse(n, *out, E_WITHDRAWN);
    return TXN_REPLY;
}

enum txn_verdict txn_cancel_in(struct node *n, ep_t dst, const struct txn_request *q, uint64_t left_ns, bool waits,
                               bool begun, struct rec **out)
{
    struct proc *p = proc_by_ep(n, dst);
    if (!p || !proc_lives(p))
        return TXN_NOTHERE;
    if (proc_frozen(p)) // what its descriptor says stays true
        return waits ? TXN_BUSY : TXN_OLD;
    struct rec *r = txn_rec_find(n, dst, q->id.client, q->id.tid);
    int order = r ? txn_order(q->id.inc, q->id.seq, r->inc, r->seq) : 1;
    if (order < 0)
        return TXN_OLD;
    if (order > 0) {
        if (!waits)
            return TXN_OLD;
        return begun ? TXN_UNKNOWN : cancel_unseen(n, p, r, q, out);
    }
    r->remote = true;
    *out = r;
    if (!waits) {
        rec_leave(n, r);
        return TXN_OLD;
    }
    rec_heard(n, r);
    if (rec_answered(r) || r->state == REC_DONE)
        return rec_again(n, r, true);
    bool working = r->state == REC_SERVE;
    rec_cancel(n, r, after(n, left_ns));
    return working ? TXN_ACK : TXN_REPLY;
}

bool txn_cancelled(const struct thread *t)
{
    const struct rec *r = t->serve.rec;
    return t->serve.open && (!r || r->lost || r->cancel != CANCEL_NONE);
}

// --- Client -------------------------------------------------------------------------------------------

// The server is here and has no record of the call: what was sent while it moved was answered with "wait".
static void cancel_local_unseen(struct node *n, struct thread *t, struct proc *server, struct rec *r)
{
    struct txn_request q = call_request(t);
    if (cancel_unseen(n, server, r, &q, &r) == TXN_NOTHERE)
        call_fail(n, t, E_NOTHERE);
}

void cancel_local(struct node *n, struct thread *t, struct proc *server)
{
    struct call *c = &t->call;
    list_del(&c->remote_link);
    call_arm(n, t, c->retry_ns);
    if (proc_frozen(server)) // asked again when it goes on
        return;
    struct rec *r = txn_rec_find(n, server->ep, t->proc->ep, t->tid);
    int order = r ? txn_order(c->inc, c->seq, r->inc, r->seq) : 1;
    if (order > 0 && !c->begun)
        cancel_local_unseen(n, t, server, r);
    else if (order != 0)
        call_fail(n, t, E_CANCEL); // it was begun, and is forgotten
    else if (rec_answered(r))
        rec_reply(n, r);
    else
        rec_cancel(n, r, c->deadline_ns);
}

int txn_cancel(struct node *n, struct thread *t, uint64_t grace_ns)
{
    switch (t->state) {
    case THREAD_CALL: break;
    case THREAD_GETREQ:
        list_del(&t->run_link);
        answer_getreq(n, t, -E_CANCEL);
        return 0;
    case THREAD_SLEEP:
    case THREAD_FUTEX: return interrupt(n, t, UINT64_MAX) ? 0 : -E_STATE;
    default: return -E_STATE;
    }
    call_cancel(&t->call, after(n, grace_ns));
    t->call.retry_ns = RETRY_FIRST_NS;
    call_dispatch(n, t);
    return 0;
}
