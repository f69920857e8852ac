// SPDX-License-Identifier: BSD-2-Clause
// From a descriptor to a process in state ARRIVING, or to nothing.
#include "core/cap.h"
#include "core/desc_priv.h"
#include "core/futex.h"
#include "core/life.h"
#include "core/node.h"
#include "core/port.h"
#include "core/thread.h"
#include "core/words.h"
#include <string.h>

struct decoder {
    struct node *n;
    const struct buf *b;
    const struct proc *old; // the process whose place it is for, NULL: none
    struct proc *p;
    struct seg *segs[DESC_SEGS_MAX]; // each held once by us until the end
    uint32_t nsegs;
    struct desc_fill *fills;
    unsigned nfills;
};

static int dec_proc(struct decoder *d, const struct desc_proc *s, uint64_t isa)
{
    int r = proc_create(d->n, d->old ? EP_NONE : s->ep, &d->p);
    if (r < 0)
        return r;
    struct proc *p = d->p;
    memcpy(p->name, s->name, sizeof p->name);
    memcpy(p->comment, s->comment, sizeof p->comment);
    p->owner = s->owner;
    p->mem_limit = s->mem_limit;
    p->orphan_grace_ns = s->orphan_grace_ns;
    p->moves = s->moves;
    p->next_tid = s->next_tid;
    if (s->priority)
        p->priority = (uint8_t)(s->priority - 1);
    if (s->priority_limit)
        p->priority_limit = (uint8_t)(s->priority_limit - 1);
    p->runs = s->runs;
    p->incarnation = s->incarnation;
    p->isa = isa;
    p->fault = (struct proc_fault){.kind = s->fault_kind,
                                   .tid = s->fault_tid,
                                   .error = s->fault_error,
                                   .cause = s->fault_cause,
                                   .addr = s->fault_addr,
                                   .pc = s->fault_pc};
    p->stay_stunned = s->stunned != 0;
    if (d->old) { // nobody shall find it before it takes its place
        p->called = p->listened = true;
        p->ctl_get = p->ctl_put = (struct port){0};
        p->time_offset = s->clock_ns - p->stopped_ns;
    } else if (s->ep != EP_NONE) {
        p->ctl_get = (struct port){{s->ctl_get[0], s->ctl_get[1]}};
        p->ctl_put = cap_put_port(p->ctl_get);
        memcpy(p->key, s->key, sizeof p->key);
        p->time_offset = s->clock_ns - p->stopped_ns; // the clock stands still between the two
    }
    return 0;
}

static bool means(struct node *n, const struct desc_seg *s, struct seg *seg)
{
    return seg && seg->number == cap_obj(&s->source) && seg->len == s->len &&
           cap_verify(&s->source, seg_key(n, seg), RIGHT_READ) == 0;
}

struct seg *desc_own_seg(struct node *n, const struct proc *p, const struct desc_seg *s)
{
    if (!port_eq(s->source.port, n->seg_put) || s->source_off || s->dest_off || s->source_len != s->len)
        return NULL;
    for (uint32_t i = 0; i < p->nmaps; i++)
        if (means(n, s, p->maps[i]->seg))
            return p->maps[i]->seg;
    LIST_FOR (l, &p->recs)
        if (means(n, s, LIST_ENTRY(l, struct rec, link)->pinned))
            return LIST_ENTRY(l, struct rec, link)->pinned;
    return NULL;
}

static int dec_seg(struct decoder *d, const struct desc_seg *s)
{
    struct seg *seg = d->old ? desc_own_seg(d->n, d->old, s) : NULL;
    if (seg) { // it is filled with just what is in it
        seg_hold(seg);
        d->segs[d->nsegs++] = seg;
        return 0;
    }
    int r = seg_create(d->n, s->len, &seg);
    if (r < 0)
        return r;
    d->segs[d->nsegs++] = seg;
    if (s->source_len > 0 && !cap_is_null(&s->source))
        d->fills[d->nfills++] = (struct desc_fill){
            .seg = seg,
            .source = s->source,
            .source_off = s->source_off,
            .source_len = s->source_len,
            .dest_off = s->dest_off,
        };
    return 0;
}

static int dec_map(struct decoder *d, const struct desc_map *s)
{
    struct seg *seg = d->segs[s->seg];
    seg_hold(seg);
    int r = proc_map(d->n, d->p, s->va, s->len, seg, s->off, s->flags);
    if (r < 0)
        seg_drop(d->n, seg);
    return r;
}

static int dec_port(struct decoder *d, const struct desc_port *s)
{
    struct proc *p = d->p;
    struct served_port *l = &p->ports[s->handle];
    if (!port_is_null(l->put))
        return -E_FORMAT;
    struct port get = {{s->get[0], s->get[1]}};
    struct port pp = cap_put_port(get);
    int r = port_add(d->n, pp, p, s->handle, NULL);
    if (r == 0) {
        *l = (struct served_port){.get = get, .put = pp};
        p->port_mask |= 1ull << s->handle;
        p->listened = true;
    }
    return r;
}

static struct buf dec_buf(struct proc *p, const struct desc_buf *b)
{
    return b->kind == 1 ? buf_user(p, b->at, b->len) : buf_none();
}
static struct progress dec_progress(const struct desc_progress *p)
{
    return (struct progress){.base = p->base, .mask = p->mask, .frag = p->frag};
}
static uint64_t from_left(uint64_t left_ns, uint64_t now)
{
    return left_ns < UINT64_MAX - 1 - now ? now + left_ns : left_ns == UINT64_MAX ? UINT64_MAX : UINT64_MAX - 1;
}

static int dec_thread(struct decoder *d, const struct desc_thread *s)
{
    uint64_t now = d->p->stopped_ns;
    struct thread *t = thread_create(d->n, d->p, s->tid);
    if (!t)
        return -E_MEM;
    words_copy(t->regs.x, s->x, sizeof t->regs.x);
    t->regs.pc = s->pc;
    if (s->fp_used) {
        int r = thread_use_fp(d->n, t);
        if (r < 0)
            return r;
        memcpy(t->regs.fp->f, s->f, sizeof t->regs.fp->f);
        t->regs.fp->fcsr = s->fcsr & 0xff; // frm and fflags; the rest is reserved
    }
    t->seq = s->seq;
    t->wake_ns = from_left(s->wake_left_ns, now);
    t->wait_va = s->wait_va; // of what it waited for last, when it does not now
    t->serve.mask = s->serve.mask;
    t->serve.buf = dec_buf(d->p, &s->serve.buf);
    t->serve.open = s->serve.open != 0;
    t->serve.shielded = s->serve.shielded != 0;
    thread_set_state(t, (enum thread_state)s->state);
    if (t->state == THREAD_GETREQ)
        list_add_tail(&d->p->receivers, &t->run_link);
    if (t->state == THREAD_FUTEX)
        futex_wait(d->n, t, s->wait_va);
    if (t->state != THREAD_CALL)
        return 0;
    struct call *c = &t->call;
    d->p->called = true; // of a new process too
    call_set_state(c, (enum call_state)s->call.state);
    c->begun = c->remote = s->call.begun != 0;
    c->busy = s->call.busy != 0;
    c->op = s->call.op;
    c->forwards = s->call.forwards & 0x7fu; // desc_check: at most FORWARDS_MAX
    c->cancelled = s->call.cancelled != 0;
    c->inc = s->call.inc;
    c->server_inc = s->call.server_inc;
    c->fill = s->call.fill & 63u;
    c->seq = s->call.seq;
    c->cap = s->call.cap;
    memcpy(c->arg, s->call.arg, sizeof c->arg);
    c->req = dec_buf(d->p, &s->call.req);
    c->rep = dec_buf(d->p, &s->call.rep);
    c->server = s->call.server;
    c->sent = dec_progress(&s->call.sent);
    c->got = dec_progress(&s->call.got);
    c->rep_total = (uint32_t)s->call.rep_total;
    c->status = s->call.status;
    memcpy(c->res, s->call.res, sizeof c->res);
    c->deadline_ns = from_left(s->call.deadline_left_ns, now);
    c->retry_ns = RETRY_FIRST_NS;
    peer_heard(&c->peer, node_now(d->n));
    return 0;
}

static int dec_start(struct decoder *d, const struct desc_start *s)
{
    struct thread *t = thread_create(d->n, d->p, s->tid);
    if (!t)
        return -E_MEM;
    t->regs.pc = s->pc;
    t->regs.x[REG_SP] = s->sp;
    t->regs.x[REG_A0] = s->a0;
    return 0;
}

// The server thread that a record names must be in the state that goes with the record's.
static bool rec_fits_thread(const struct desc_rec *s, const struct thread *t)
{
    if (!t || t->serve.rec)
        return false;
    if (s->state == REC_FILL)
        return t->state == THREAD_FILL && s->req_len <= t->serve.buf.len;
    if (s->state == REC_REPLY)
        return t->state == THREAD_PUTREP && t->serve.open && s->rep_len == t->serve.buf.len;
    return t->serve.open && t->state != THREAD_FILL && t->state != THREAD_PUTREP;
}

static int dec_rec(struct decoder *d, const struct desc_rec *s, uint64_t more_at)
{
    struct proc *p = d->p;
    if (txn_rec_find(d->n, p->ep, s->client, s->tid))
        return -E_FORMAT;
    if (s->state == REC_QUEUED && port_is_null(p->ports[s->handle].put))
        return -E_FORMAT; // for a port that is not served, nobody would ever take it up
    struct rec *r = txn_rec_create(d->n, p, s->client, s->tid);
    if (!r)
        return -E_MEM;
    r->inc = s->inc;
    r->fills = s->fills & 63u;
    r->seq = s->seq;
    r->handle = s->handle;
    r->op = s->op;
    r->cap = s->cap;
    memcpy(r->arg, s->arg, sizeof r->arg);
    r->req_len = s->req_len;
    r->got = dec_progress(&s->got);
    r->sent = dec_progress(&s->sent);
    r->status = s->status;
    memcpy(r->res, s->res, sizeof r->res);
    r->rep_len = s->rep_len;
    r->cancel = s->cancel;
    r->cancel_by_ns = from_left(s->cancel_left_ns, p->stopped_ns);
    rec_set_state(d->n, r, (enum rec_state)s->state);
    txn_adopt_rec(d->n, r);
    if (s->state == REC_QUEUED && !(p->port_mask >> s->handle & 1))
        return -E_FORMAT; // closing a port turns away who waits there
    if (s->state == REC_QUEUED)
        list_add_tail(&p->queue, &r->queue_link);
    if (s->server_tid) {
        struct thread *t = thread_find(p, s->server_tid);
        if (!rec_fits_thread(s, t))
            return -E_FORMAT;
        r->server = t;
        t->serve.rec = r;
    }
    if (s->reply_seg) {
        if (p->npinned == PINNED_MAX)
            return -E_LIMIT;
        struct seg *seg = d->segs[s->reply_seg - 1];
        if (s->reply_off > seg->len || s->rep_len > seg->len - s->reply_off)
            return -E_FORMAT;
        seg_hold(seg);
        r->pinned = seg;
        r->pinned_off = s->reply_off;
        p->npinned++;
        p->pinned_bytes += seg->len;
    }
    if (s->has_copy) {
        r->copy = page_alloc(d->n);
        if (!r->copy)
            return -E_MEM;
        return buf_read(d->n, d->b, more_at, r->copy, (size_t)s->rep_len);
    }
    return 0;
}

static int threads_complete(struct proc *p)
{
    LIST_FOR (l, &p->threads) {
        const struct thread *t = LIST_ENTRY(l, struct thread, link);
        if ((t->state == THREAD_FILL || t->state == THREAD_PUTREP) && !t->serve.rec)
            return -E_FORMAT;
    }
    return 0;
}

static int dec_section(struct decoder *d, const struct desc_walk *w, uint64_t isa)
{
    const union any_section *u = w->at;
    switch (w->sec.tag) {
    case DESC_PROC: return dec_proc(d, &u->proc, isa);
    case DESC_SEG: return dec_seg(d, &u->seg);
    case DESC_MAP: return dec_map(d, &u->map);
    case DESC_PORT: return dec_port(d, &u->port);
    case DESC_THRD: return desc_is_start(&w->sec) ? dec_start(d, &u->start) : dec_thread(d, &u->thrd);
    case DESC_REC: return dec_rec(d, &u->rec, w->more_at);
    }
    return 0;
}

int desc_decode(struct node *n, const struct buf *b, struct proc **out, struct desc_fill *fills, unsigned *nfills)
{
    return desc_make(n, b, NULL, out, fills, nfills);
}

int desc_make(struct node *n, const struct buf *b, const struct proc *old, struct proc **out, struct desc_fill *fills,
              unsigned *nfills)
{
    struct decoder d; // segs as far as nsegs
    d.n = n;
    d.b = b;
    d.old = old;
    d.p = NULL;
    d.nsegs = d.nfills = 0;
    d.fills = fills;
    struct desc_walk w;
    int r = desc_walk_start(&w, n, b);
    for (uint32_t i = 0; r == 0 && i < w.hdr->sections; i++) {
        r = desc_next_checked(&w);
        if (r == 0 && w.sec.tag != 0)
            r = dec_section(&d, &w, w.hdr->isa);
    }
    if (r == 0)
        r = threads_complete(d.p);
    for (unsigned i = 0; r == 0 && i < d.nfills; i++)
        if (d.fills[i].seg->refs == 1) // no mapping nor reply has it: it would go below, and its fill with it
            r = -E_FORMAT;
    for (uint32_t i = 0; i < d.nsegs; i++)
        seg_drop(n, d.segs[i]); // the mappings and replies hold them
    if (r < 0) {
        if (d.p)
            proc_destroy(n, d.p, true);
        return r;
    }
    *out = d.p;
    *nfills = d.nfills;
    return 0;
}
