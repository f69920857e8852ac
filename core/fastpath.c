// SPDX-License-Identifier: BSD-2-Clause
// The fast path through the calls of which there are most: a client calls the server that it called last, which is on
// this node and waits; the server answers and waits again. Each then is one entry into the kernel and one exit, with
// the processor handed from the one to the other in between.
//
// Nothing here is a second truth. These functions leave exactly the records that the slow path leaves (call.c, serve.c,
// reply.c), so a stun, a time-out, a move or a look from outside finds the same at the same point. Wherever anything is
// not as it mostly is, they change nothing and answer NULL, and the slow path is taken.
//
// It is short because of what it need not do: h->epoch_seen == n->sched_epoch says that nothing has happened since this
// hart last looked for something to run, so nobody else has a claim to it; rec.ready and the idle state of struct call
// say that all fields but those written here are as a fresh transaction wants them.
#include "core/abi.h"
#include "core/entry.h"
#include "core/node.h"
#include "core/port.h"
#include "core/task.h"
#include "core/thread.h"
#include "core/txn_priv.h"
#include "core/words.h"

// The hart goes from t, whose state says already what it waits for, to next, which waited and whose results are in its
// registers. arch/ sees to what of t the hart itself holds (entry.h).
static inline struct thread *switch_to(struct node *n, struct hart *h, struct thread *t, struct thread *next)
{
    t->hart = NULL;
    t->proc->on_harts--;
    next->state = THREAD_RUN;
    next->hart = h;
    next->proc->on_harts++;
    h->current = next;
    n->stat.switches++;
    n->stat.syscalls++;
    return next;
}

// How much there is to do besides: the functions below come twice, as nearly all calls carry few bytes or none. PLAIN:
// no bytes, and the buffer lies where the last one lay. Then nothing else is called, and no register has to be kept for
// that.
enum bytes { PLAIN, ANY };

static inline __attribute__((always_inline)) bool buffer_ok(struct node *n, struct proc *p, uint64_t at, uint64_t len,
                                                            enum bytes how)
{
    if (len == 0)
        return true;
    if (how == PLAIN)
        return true; // has been asked
    if (len > MESSAGE_MAX_BYTES)
        return false;
    struct buf b = buf_user(p, at, len);
    return proc_map_covers(p, at, len, MAP_WRITE) || buf_check(n, &b, true) == 0;
}

static inline bool is_plain(const struct proc *p, uint64_t len, uint64_t at, uint64_t room)
{
    return len == 0 && (room == 0 || (room <= MESSAGE_MAX_BYTES && proc_map_covers(p, at, room, MAP_WRITE)));
}

// The client waits for the reply; the record says that s works on it; s has it. Group by group: each word is read once
// and no more of them are held at a time than there are registers.
static inline void request_note(struct thread *t, struct rec *r, struct thread *s, uint64_t len)
{
    const uint64_t *x = t->regs.x;
    uint64_t *y = s->regs.x;
    struct call *c = &t->call;
    uint64_t seq = t->seq + 1;
    t->seq = c->seq = r->seq = seq;
    t->state = THREAD_CALL;
    c->state = CALL_WAIT;
    c->begun = true;
    c->server = r->proc->ep;
    r->ready = r->idle = false;
    r->state = REC_SERVE;
    r->server = s;
    s->serve.rec = r;
    s->serve.open = true;
    s->serve.result = 0;

    uint64_t a = x[REG_A0], b = x[REG_A1], rights = x[REG_A2], check = x[REG_A3];
    words_copy_4((uint64_t *)&c->cap, (const uint64_t[4]){a, b, rights, check});
    words_copy_4((uint64_t *)&r->cap, (const uint64_t[4]){a, b, rights, check});
    y[REG_T0] = (uint32_t)rights; // obj_rights and check are the second half of the capability
    y[REG_T1] = rights >> 32 | check << 32;
    y[REG_T2] = check >> 32;

    uint64_t op = (uint32_t)x[REG_A4];
    c->op = r->op = (uint32_t)op;
    y[REG_A3] = op;
    uint64_t w0 = x[REG_T3], w1 = x[REG_T4], w2 = x[REG_T5], w3 = x[REG_T6];
    words_copy_4(c->arg, (const uint64_t[4]){w0, w1, w2, w3});
    words_copy_4(r->arg, (const uint64_t[4]){w0, w1, w2, w3});
    words_copy_4(&y[REG_A4], (const uint64_t[4]){w0, w1, w2, w3});

    c->req = buf_user(t->proc, x[REG_A5], len);
    c->rep = buf_user(t->proc, x[REG_T0], x[REG_T1]);
    c->sent.base = len;
    r->req_len = r->got.base = len;
    y[REG_A0] = 0;
    y[REG_A1] = len;
    y[REG_A2] = r->handle;
}
_Static_assert(REG_T3 + 3 == REG_T6 && REG_A4 + 3 == REG_A7, "words are copied four at a time");

// What is done on the spot takes few bytes. A longer request is worth the slow path, which asks the service too, and
// allows it more.
#define INLINE_BYTES 256u
static __attribute__((noinline)) struct thread *trans_inline(struct node *n, struct hart *h, struct thread *t)
{
    if (t->regs.x[REG_A6] > INLINE_BYTES || !txn_inline(n, t, false))
        return NULL;
    n->stat.syscalls++;
    if (h->epoch_seen != n->sched_epoch) // it made something ready, or set a timer: look round on the way out
        arch_kick(h);
    return t;
}

static inline __attribute__((always_inline)) struct thread *trans(struct node *n, struct hart *h, struct thread *t,
                                                                  enum bytes how)
{
    const uint64_t *x = t->regs.x;
    struct rec *r = t->call.rec;
    if (!r || !r->ready)
        return trans_inline(n, h, t);
    struct proc *p = r->proc;
    const struct port *put = &p->ports[r->handle].put;
    if (put->w[0] != x[REG_A0] || put->w[1] != x[REG_A1])
        return trans_inline(n, h, t);
    if (p->state != PROC_RUN || list_empty(&p->receivers) || x[REG_T2] != 0 || t->seq >= THREAD_SEQ_MAX)
        return NULL;
    struct thread *s = LIST_ENTRY(p->receivers.next, struct thread, run_link);
    uint64_t len = x[REG_A6];
    if (!(s->serve.mask >> r->handle & 1) || s->wake_ns != UINT64_MAX || thread_is_task(s) || len > s->serve.buf.len ||
        len > COPY_STEP)
        return NULL;
    if (!buffer_ok(n, t->proc, x[REG_T0], x[REG_T1], how))
        return NULL;
    if (how == ANY && len > 0) {
        struct buf req = buf_user(t->proc, x[REG_A5], len);
        if (buf_copy(n, &s->serve.buf, 0, &req, 0, len) < 0)
            return NULL; // what was copied, the slow path copies again
    }
    list_del(&s->run_link);
    request_note(t, r, s, len);
    n->stat.trans_local++;
    return switch_to(n, h, t, s);
}

// The client of r when it is here and does nothing but wait for this reply.
static inline struct thread *waiting_client(const struct rec *r)
{
    struct thread *c = r->caller;
    if (!c || r->lost || r->remote || r->state != REC_SERVE || c->state != THREAD_CALL || c->call.state != CALL_WAIT ||
        c->call.seq != r->seq || c->timer.armed || c->proc->state != PROC_RUN || thread_is_task(c))
        return NULL;
    return c;
}

static inline __attribute__((always_inline)) struct thread *putrep_getreq(struct node *n, struct hart *h,
                                                                          struct thread *s, enum bytes how)
{
    const uint64_t *x = s->regs.x;
    struct proc *p = s->proc;
    struct rec *r = s->serve.rec;
    if (!s->serve.open || !r || !list_empty(&p->queue))
        return NULL;
    struct thread *c = waiting_client(r);
    uint64_t len = x[REG_A2], mask = x[REG_T0], room = x[REG_T2];
    if (!c || len > REPLY_COPY_MAX || len > c->call.rep.len || x[REG_T3] != 0 || mask == 0 || (mask & ~p->port_mask) ||
        !buffer_ok(n, p, x[REG_T1], room, how))
        return NULL;
    if (how == ANY && len > 0) {
        struct buf rep = buf_user(p, x[REG_A1], len);
        if (buf_copy(n, &c->call.rep, 0, &rep, 0, len) < 0)
            return NULL;
    }
    // The reply. Whatever else is in the client's call and in the record is as the next one wants it.
    uint64_t *y = c->regs.x;
    y[REG_A0] = x[REG_A0];
    y[REG_A1] = len;
    words_copy_4(&y[REG_A2], &x[REG_A3]);
    c->call.state = CALL_NONE;
    c->call.begun = false;
    c->call.server = EP_NONE;
    c->call.sent.base = 0;
    r->server = NULL;
    r->state = REC_DONE;
    r->ready = true;
    // And the wait for the next request.
    s->serve.mask = mask;
    s->serve.buf = buf_user(p, x[REG_T1], room);
    s->serve.rec = NULL;
    s->serve.open = false;
    s->state = THREAD_GETREQ;
    list_add_tail(&p->receivers, &s->run_link);
    return switch_to(n, h, s, c);
}

static __attribute__((noinline)) struct thread *trans_any(struct node *n, struct hart *h, struct thread *t)
{
    return trans(n, h, t, ANY);
}

static __attribute__((noinline)) struct thread *putrep_getreq_any(struct node *n, struct hart *h, struct thread *s)
{
    return putrep_getreq(n, h, s, ANY);
}

struct thread *entry_fast(struct hart *h, struct thread *t)
{
    struct node *n = h->node;
    uint64_t *x = t->regs.x;
    if (h->epoch_seen != n->sched_epoch)
        return NULL;
    if (x[REG_A7] == SYS_NULL) {
        x[REG_A0] = 0;
        n->stat.syscalls++;
        return t;
    }
    switch (x[REG_A7]) {
    case SYS_TRANS:
        if (!is_plain(t->proc, x[REG_A6], x[REG_T0], x[REG_T1]))
            return trans_any(n, h, t);
        return trans(n, h, t, PLAIN);
    case SYS_PUTREP_GETREQ:
        if (!is_plain(t->proc, x[REG_A2], x[REG_T1], x[REG_T2]))
            return putrep_getreq_any(n, h, t);
        return putrep_getreq(n, h, t, PLAIN);
    default: return NULL;
    }
}
