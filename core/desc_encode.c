// SPDX-License-Identifier: BSD-2-Clause
// From a frozen process to its descriptor. Changes nothing.
#include "core/desc_priv.h"
#include "core/node.h"
#include "core/thread.h"
#include <string.h>

struct writer {
    struct node *n;
    struct seg *seg;
    uint64_t off;
    uint32_t sections;
    int error;
};

static void put(struct writer *w, const void *src, uint64_t len)
{
    if (w->error)
        return;
    uint64_t end = w->off + ALIGN8(len);
    if (end > w->seg->len)
        w->error = end > DESC_MAX_BYTES ? -E_LIMIT : seg_resize(w->n, w->seg, PAGES_FOR(end) * PAGE_SIZE);
    if (!w->error && len)
        w->error = seg_write(w->n, w->seg, w->off, src, (size_t)len);
    w->off = end;
}

static void put_section(struct writer *w, uint32_t tag, const void *src, uint64_t len, const void *more,
                        uint64_t more_len)
{
    struct desc_sec s = {.tag = tag, .len = len + more_len};
    put(w, &s, sizeof s);
    put(w, src, len);
    if (more_len)
        put(w, more, more_len);
    w->sections++;
}

static uint64_t left(uint64_t at, uint64_t now) // a time as what is left of it
{
    return at == UINT64_MAX ? UINT64_MAX : at > now ? at - now : 0;
}

static void put_proc(struct writer *w, struct proc *p)
{
    struct desc_proc d = {
        .ep = p->ep,
        .ctl_get = {p->ctl_get.w[0], p->ctl_get.w[1]},
        .owner = p->owner,
        .clock_ns = p->stopped_ns + p->time_offset,
        .mem_limit = p->mem_limit,
        .orphan_grace_ns = p->orphan_grace_ns,
        .moves = p->moves,
        .next_tid = p->next_tid,
        .stunned = p->stay_stunned,
        .priority = p->priority + 1u,
        .priority_limit = p->priority_limit + 1u,
        .runs = p->runs,
        .fault_kind = p->fault.kind,
        .fault_tid = p->fault.tid,
        .fault_error = p->fault.error,
        .fault_cause = p->fault.cause,
        .fault_addr = p->fault.addr,
        .fault_pc = p->fault.pc,
        .incarnation = p->incarnation,
    };
    memcpy(d.key, p->key, sizeof d.key);
    memcpy(d.name, p->name, sizeof d.name);
    memcpy(d.comment, p->comment, sizeof d.comment);
    put_section(w, DESC_PROC, &d, sizeof d, NULL, 0);
}

// One SEG for each different segment, in the order in which the maps name them first.
static uint32_t seg_index(const struct proc *p, uint32_t map)
{
    uint32_t index = 0;
    for (uint32_t i = 0; i < map; i++) {
        bool first = true;
        for (uint32_t j = 0; j < i; j++)
            first &= p->maps[j]->seg != p->maps[i]->seg;
        if (p->maps[i]->seg == p->maps[map]->seg)
            return index;
        index += first;
    }
    return index;
}

// Index of the segment of a pinned reply: behind those of the maps.
static uint32_t reply_index(const struct rec *r)
{
    const struct proc *p = r->proc;
    uint32_t index = 0;
    for (uint32_t i = 0; i < p->nmaps; i++) {
        bool first = true;
        for (uint32_t j = 0; j < i; j++)
            first &= p->maps[j]->seg != p->maps[i]->seg;
        index += first;
    }
    LIST_FOR (l, &p->recs) {
        const struct rec *q = LIST_ENTRY(l, struct rec, link);
        if (q == r)
            break;
        index += q->pinned != NULL;
    }
    return index;
}

static void put_memory(struct writer *w, struct proc *p)
{
    for (uint32_t i = 0; i < p->nmaps; i++) {
        struct seg *s = p->maps[i]->seg;
        bool first = true;
        for (uint32_t j = 0; j < i; j++)
            first &= p->maps[j]->seg != s;
        if (!first)
            continue;
        struct desc_seg d = {.source = seg_cap(w->n, s, RIGHT_READ), .source_len = s->len, .len = s->len};
        put_section(w, DESC_SEG, &d, sizeof d, NULL, 0);
    }
    LIST_FOR (l, &p->recs) { // in the order of reply_index
        struct seg *s = LIST_ENTRY(l, struct rec, link)->pinned;
        if (!s)
            continue;
        struct desc_seg d = {.source = seg_cap(w->n, s, RIGHT_READ), .source_len = s->len, .len = s->len};
        put_section(w, DESC_SEG, &d, sizeof d, NULL, 0);
    }
    for (uint32_t i = 0; i < p->nmaps; i++) {
        const struct map *m = p->maps[i];
        struct desc_map d = {.va = m->va, .len = m->len, .off = m->off, .seg = seg_index(p, i), .flags = m->flags};
        put_section(w, DESC_MAP, &d, sizeof d, NULL, 0);
    }
}

static void put_ports(struct writer *w, const struct proc *p)
{
    for (uint32_t i = 0; i < PROC_PORTS_MAX; i++) {
        if (port_is_null(p->ports[i].put))
            continue;
        struct desc_port d = {.handle = i, .get = {p->ports[i].get.w[0], p->ports[i].get.w[1]}};
        put_section(w, DESC_PORT, &d, sizeof d, NULL, 0);
    }
}

static struct desc_buf enc_buf(const struct buf *b)
{
    struct desc_buf d = {0};
    if (b->kind == BUF_USER && b->len > 0)
        d = (struct desc_buf){.kind = 1, .at = b->at, .len = b->len};
    return d;
}
static struct desc_progress enc_progress(const struct progress *p)
{
    return (struct desc_progress){.base = p->base, .mask = p->mask, .frag = p->frag};
}

static struct desc_call enc_call(const struct call *c, uint64_t now)
{
    bool replied = c->state == CALL_RECV; // else status and results are still the last call's
    struct desc_call d = {
        .state = c->state,
        .begun = c->begun || c->remote,
        .busy = c->busy,
        .op = c->op,
        .forwards = c->forwards,
        .cancelled = c->cancelled,
        .seq = c->seq,
        .cap = c->cap,
        .req = enc_buf(&c->req),
        .rep = enc_buf(&c->rep),
        .server = c->server,
        .sent = enc_progress(&c->sent),
        .got = enc_progress(&c->got),
        .rep_total = c->rep_total,
        .status = replied ? c->status : 0,
        .deadline_left_ns = left(c->deadline_ns, now),
        .fill = c->fill,
        .inc = c->inc,
        .server_inc = c->server_inc,
    };
    memcpy(d.arg, c->arg, sizeof d.arg);
    if (replied)
        memcpy(d.res, c->res, sizeof d.res);
    return d;
}

void desc_of_thread(const struct thread *t, struct desc_thread *out)
{
    uint64_t now = t->proc->stopped_ns; // times stand still while it does
    struct desc_thread d = {
        .tid = t->tid,
        .state = t->state,
        .pc = t->regs.pc,
        .seq = t->seq,
        .wake_left_ns = left(t->wake_ns, now),
        .wait_va = t->wait_va,
    };
    memcpy(d.x, t->regs.x, sizeof d.x);
    const struct arch_fp *fp = t->regs.fp;
    if (fp) {
        memcpy(d.f, fp->f, sizeof d.f);
        d.fcsr = fp->fcsr;
        d.fp_used = 1;
    }
    d.serve.mask = t->serve.mask;
    d.serve.buf = enc_buf(&t->serve.buf);
    d.serve.open = t->serve.open;
    d.serve.shielded = t->serve.shielded;
    if (t->state == THREAD_CALL)
        d.call = enc_call(&t->call, now);
    *out = d;
}

static void put_thread(struct writer *w, const struct thread *t)
{
    struct desc_thread d;
    desc_of_thread(t, &d);
    put_section(w, DESC_THRD, &d, sizeof d, NULL, 0);
}

// Those that only wait for a thread of this node to call again are this node's business.
bool desc_has_rec(const struct rec *r)
{
    return r->state != REC_DONE || r->remote;
}

void desc_of_rec(const struct rec *r, struct desc_rec *out)
{
    struct desc_rec d = {
        .client = r->client,
        .tid = r->tid,
        .state = r->state,
        .inc = r->inc,
        .seq = r->seq,
        .handle = r->handle,
        .op = r->op,
        .cap = r->cap,
        .req_len = r->req_len,
        .server_tid = r->server ? r->server->tid : 0,
        .has_copy = r->copy != NULL,
        .got = enc_progress(&r->got),
        .sent = enc_progress(&r->sent),
        .rep_len = r->rep_len,
        .fills = r->fills,
        .reply_seg = r->pinned ? 1 + reply_index(r) : 0,
        .reply_off = r->pinned ? r->pinned_off : 0,
    };
    if (r->state == REC_REPLY || r->state == REC_DONE) { // else what there is is the last reply
        d.status = r->status;
        memcpy(d.res, r->res, sizeof d.res);
    }
    if (r->state == REC_SERVE && r->cancel != CANCEL_NONE) {
        d.cancel = r->cancel;
        d.cancel_left_ns = left(r->cancel_by_ns, r->proc->stopped_ns);
    }
    memcpy(d.arg, r->arg, sizeof d.arg);
    *out = d;
}

static void put_rec(struct writer *w, const struct rec *r)
{
    struct desc_rec d;
    desc_of_rec(r, &d);
    put_section(w, DESC_REC, &d, sizeof d, r->copy, r->copy ? r->rep_len : 0);
}

int desc_encode(struct node *n, struct proc *p, struct seg **out, uint64_t *len)
{
    if (!proc_frozen(p) || p->on_harts > 0)
        return -E_STATE;
    struct writer w = {.n = n, .off = sizeof(struct desc_hdr)};
    int r = seg_create(n, PAGE_SIZE, &w.seg);
    if (r < 0)
        return r;
    put_proc(&w, p);
    put_memory(&w, p);
    put_ports(&w, p);
    LIST_FOR (l, &p->threads)
        put_thread(&w, LIST_ENTRY(l, struct thread, link));
    LIST_FOR (l, &p->recs) {
        const struct rec *q = LIST_ENTRY(l, struct rec, link);
        if (q->state != REC_QUEUED && desc_has_rec(q))
            put_rec(&w, q);
    }
    LIST_FOR (l, &p->queue)
        put_rec(&w, LIST_ENTRY(l, struct rec, queue_link));
    struct desc_hdr hdr = {
        .magic = DESC_MAGIC,
        .version = DESC_VERSION,
        .arch = DESC_ARCH_RISCV64,
        .isa = p->isa,
        .len = w.off,
        .sections = w.sections,
    };
    struct buf b = buf_seg(w.seg, 0, w.off);
    if (!w.error)
        w.error = desc_hash(n, &b, &hdr, w.off, &hdr.checksum);
    if (!w.error)
        w.error = seg_write(n, w.seg, 0, &hdr, sizeof hdr);
    if (w.error) {
        seg_drop(n, w.seg);
        return w.error;
    }
    *out = w.seg;
    *len = w.off;
    return 0;
}
