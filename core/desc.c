// SPDX-License-Identifier: BSD-2-Clause
#include "core/desc.h"
#include "core/abi.h"
#include "core/cap.h"
#include "core/entry.h"
#include "core/node.h"
#include "core/port.h"
#include <sodium/crypto_generichash_blake2b.h>
#include <string.h>

#define ALIGN8(x) (((x) + 7) & ~7ull)

// --- Checksum -----------------------------------------------------------------------------------------

typedef crypto_generichash_blake2b_state hash_state;

static void hash_start(hash_state *h, const struct desc_hdr *hdr)
{
    struct desc_hdr clean = *hdr;
    clean.checksum = 0;
    crypto_generichash_blake2b_init(h, NULL, 0, 32);
    crypto_generichash_blake2b_update(h, (const unsigned char *)&clean, sizeof clean);
}

static uint64_t hash_end(hash_state *h)
{
    uint8_t out[32];
    uint64_t sum;
    crypto_generichash_blake2b_final(h, out, sizeof out);
    memcpy(&sum, out, sizeof sum);
    return sum;
}

// The bytes lie in a buffer of any kind: hashed stretch by stretch.
static int hash_buf(struct node *n, const struct buf *b, uint64_t len, uint64_t *sum)
{
    struct desc_hdr hdr;
    hash_state h;
    int r = buf_read(n, b, 0, &hdr, sizeof hdr);
    if (r < 0)
        return r;
    hash_start(&h, &hdr);
    for (uint64_t off = sizeof hdr; off < len;) {
        void *p;
        size_t run;
        r = buf_at(n, b, off, false, &p, &run);
        if (r < 0)
            return r;
        if (run > len - off)
            run = (size_t)(len - off);
        crypto_generichash_blake2b_update(&h, p, run);
        off += run;
    }
    *sum = hash_end(&h);
    return 0;
}

uint64_t desc_checksum(const void *buf, uint64_t len)
{
    struct desc_hdr hdr;
    hash_state h;
    memcpy(&hdr, buf, sizeof hdr);
    hash_start(&h, &hdr);
    crypto_generichash_blake2b_update(&h, (const uint8_t *)buf + sizeof hdr, len - sizeof hdr);
    return hash_end(&h);
}

void desc_seal(void *buf, uint64_t len, uint32_t sections)
{
    struct desc_hdr hdr;
    memcpy(&hdr, buf, sizeof hdr);
    hdr.magic = DESC_MAGIC;
    hdr.version = DESC_VERSION;
    hdr.arch = DESC_ARCH_RISCV64;
    hdr.len = len;
    hdr.sections = sections;
    hdr.checksum = 0;
    memcpy(buf, &hdr, sizeof hdr);
    hdr.checksum = desc_checksum(buf, len);
    memcpy(buf, &hdr, sizeof hdr);
}

// --- Encode -------------------------------------------------------------------------------------------

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
        w->error =
            end > DESC_MAX_BYTES ? -E_LIMIT : seg_resize(w->n, w->seg, PAGES_FOR(end) * PAGE_SIZE);
    if (!w->error && len)
        w->error = seg_write(w->n, w->seg, w->off, src, (size_t)len);
    w->off = end;
}

static void put_section(struct writer *w, uint32_t tag, const void *src, uint64_t len,
                        const void *more, uint64_t more_len)
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
        .clock_ns = node_now(w->n) + p->time_offset,
        .mem_limit = p->mem_limit,
        .moves = p->moves,
        .next_tid = p->next_tid,
        .stunned = p->stay_stunned,
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
            first &= p->maps[j].seg != p->maps[i].seg;
        if (p->maps[i].seg == p->maps[map].seg)
            return index;
        index += first;
    }
    return index;
}

static void put_memory(struct writer *w, struct proc *p)
{
    for (uint32_t i = 0; i < p->nmaps; i++) {
        struct seg *s = p->maps[i].seg;
        bool first = true;
        for (uint32_t j = 0; j < i; j++)
            first &= p->maps[j].seg != s;
        if (!first)
            continue;
        struct desc_seg d = {
            .source = seg_cap(w->n, s, RIGHT_READ), .source_len = s->len, .len = s->len};
        put_section(w, DESC_SEG, &d, sizeof d, NULL, 0);
    }
    for (uint32_t i = 0; i < p->nmaps; i++) {
        const struct map *m = &p->maps[i];
        struct desc_map d = {
            .va = m->va, .len = m->len, .off = m->off, .seg = seg_index(p, i), .flags = m->flags};
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
    if (b->kind == BUF_USER)
        d = (struct desc_buf){.kind = 1, .at = b->at, .len = b->len};
    return d;
}
static struct desc_progress enc_progress(const struct progress *p)
{
    return (struct desc_progress){.base = p->base, .mask = p->mask, .frag = p->frag};
}

static void put_thread(struct writer *w, const struct thread *t)
{
    uint64_t now = node_now(w->n);
    struct desc_thread d = {
        .tid = t->tid,
        .state = t->state,
        .pc = t->regs.pc,
        .fcsr = t->regs.fcsr,
        .fp_used = t->regs.fp_used,
        .seq = t->seq,
        .wake_left_ns = left(t->wake_ns, now),
        .wait_va = t->wait_va,
    };
    memcpy(d.x, t->regs.x, sizeof d.x);
    memcpy(d.f, t->regs.f, sizeof d.f);
    d.serve.mask = t->serve.mask;
    d.serve.buf = enc_buf(&t->serve.buf);
    d.serve.open = t->serve.open;
    if (t->state == THREAD_CALL) {
        const struct call *c = &t->call;
        d.call.state = c->state;
        d.call.begun = c->begun || c->remote;
        d.call.busy = c->busy;
        d.call.op = c->op;
        d.call.seq = c->seq;
        d.call.cap = c->cap;
        memcpy(d.call.arg, c->arg, sizeof d.call.arg);
        d.call.req = enc_buf(&c->req);
        d.call.rep = enc_buf(&c->rep);
        d.call.server = c->server;
        d.call.sent = enc_progress(&c->sent);
        d.call.got = enc_progress(&c->got);
        d.call.rep_total = c->rep_total;
        d.call.status = c->state == CALL_RECV ? c->status : 0;
        memcpy(d.call.res, c->res, sizeof d.call.res);
        d.call.deadline_left_ns = left(c->deadline_ns, now);
    }
    put_section(w, DESC_THRD, &d, sizeof d, NULL, 0);
}

static void put_rec(struct writer *w, const struct rec *r)
{
    struct desc_rec d = {
        .client = r->client,
        .tid = r->tid,
        .state = r->state,
        .seq = r->seq,
        .handle = r->handle,
        .op = r->op,
        .cap = r->cap,
        .req_len = r->req_len,
        .server_tid = r->server ? r->server->tid : 0,
        .has_copy = r->copy != NULL,
        .got = enc_progress(&r->got),
        .sent = enc_progress(&r->sent),
        .status = r->status,
        .rep_len = r->rep_len,
    };
    memcpy(d.arg, r->arg, sizeof d.arg);
    memcpy(d.res, r->res, sizeof d.res);
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
        // Not those that only wait for a thread of this node to call again.
        if (q->state != REC_QUEUED && (q->state != REC_DONE || q->remote))
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
    if (!w.error)
        w.error = seg_write(n, w.seg, 0, &hdr, sizeof hdr);
    struct buf b = buf_seg(w.seg, 0, w.off);
    if (!w.error)
        w.error = hash_buf(n, &b, w.off, &hdr.checksum);
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

// --- Check ---------------------------------------------------------------------------------------------

#define REFUSE(error, text)                                                                        \
    do {                                                                                           \
        *why = (text);                                                                             \
        return -(error);                                                                           \
    } while (0)

static int check_header(struct node *n, const struct buf *b, uint64_t isa_here, struct desc_hdr *h,
                        const char **why)
{
    if (b->len < sizeof *h)
        REFUSE(E_MAGIC, "shorter than a descriptor's header");
    int r = buf_read(n, b, 0, h, sizeof *h);
    if (r < 0)
        REFUSE(-r, "the bytes cannot be read");
    if (h->magic != DESC_MAGIC)
        REFUSE(E_MAGIC, "magic number");
    if (h->version != DESC_VERSION)
        REFUSE(E_VERSION, "format version");
    if (h->arch != DESC_ARCH_RISCV64)
        REFUSE(E_ARCH, "architecture is not riscv64");
    if (h->isa & ~isa_here)
        REFUSE(E_ARCH, "needs ISA extensions that this node lacks");
    if (h->len != b->len || h->len > DESC_MAX_BYTES || h->len % 8)
        REFUSE(E_FORMAT, "length in the header differs from the bytes given");
    uint64_t sum;
    r = hash_buf(n, b, h->len, &sum);
    if (r < 0)
        REFUSE(-r, "the bytes cannot be read");
    if (sum != h->checksum)
        REFUSE(E_CHECKSUM, "checksum");
    return 0;
}

static bool progress_ok(const struct desc_progress *p, uint64_t total)
{
    return p->base <= total && p->frag <= COPY_STEP && (p->frag > 0 || p->mask == 0);
}

static bool buf_ok(const struct desc_buf *b)
{
    return b->kind <= 1 && b->len <= MESSAGE_MAX_BYTES && (b->kind == 1 || b->len == 0);
}

static int check_proc(const struct desc_proc *d, const char **why)
{
    if (d->name[sizeof d->name - 1] || d->comment[sizeof d->comment - 1])
        REFUSE(E_FORMAT, "name or comment has no end");
    if (d->ep != EP_NONE && ((d->ep & CAP_OBJ_MAX) == 0 || (d->ctl_get[0] | d->ctl_get[1]) == 0))
        REFUSE(E_FORMAT, "endpoint or control port");
    return 0;
}

static int check_seg(const struct desc_seg *d, const char **why)
{
    if (d->len == 0 || d->len % PAGE_SIZE || d->len > SEG_MAX_BYTES)
        REFUSE(E_LIMIT, "length of a segment");
    if (d->dest_off > d->len || d->source_len > d->len - d->dest_off ||
        d->source_off + d->source_len < d->source_off)
        REFUSE(E_FORMAT, "the filling of a segment passes its end");
    if (d->source_len > 0 && cap_is_null(&d->source) && d->source_off)
        REFUSE(E_FORMAT, "a segment is filled from nothing");
    return 0;
}

static int check_thread(const struct desc_thread *t, const char **why)
{
    if (t->tid == 0 || t->state >= THREAD_STATES || t->state == THREAD_RUN ||
        t->state == THREAD_EVENT || t->state == THREAD_ENDED)
        REFUSE(E_FORMAT, "state of a thread");
    if (t->x[0] != 0)
        REFUSE(E_FORMAT, "x0 of a thread is not zero");
    if (!buf_ok(&t->serve.buf) || t->serve.mask >> PROC_PORTS_MAX)
        REFUSE(E_FORMAT, "what a thread serves");
    if (t->state == THREAD_GETREQ && (t->serve.open || t->serve.mask == 0))
        REFUSE(E_FORMAT, "a thread waits for requests and owes a reply");
    if (t->state != THREAD_CALL)
        return 0;
    if (t->call.state == CALL_NONE || t->call.state > CALL_RECV || t->call.seq == 0 ||
        t->call.seq > t->seq)
        REFUSE(E_FORMAT, "state of a call");
    if (!buf_ok(&t->call.req) || !buf_ok(&t->call.rep) || port_is_null(t->call.cap.port))
        REFUSE(E_FORMAT, "buffers or port of a call");
    if (!progress_ok(&t->call.sent, t->call.req.len) || t->call.rep_total > t->call.rep.len ||
        !progress_ok(&t->call.got, t->call.rep_total))
        REFUSE(E_FORMAT, "progress of a call");
    if (t->call.state != CALL_SEND && t->call.server == EP_NONE)
        REFUSE(E_FORMAT, "a call waits for nobody");
    return 0;
}

static int check_rec(const struct desc_rec *r, uint64_t more, const char **why)
{
    if (r->client == EP_NONE || r->state > REC_DONE || r->seq == 0 || r->handle >= PROC_PORTS_MAX)
        REFUSE(E_FORMAT, "state of a transaction record");
    if (r->req_len > MESSAGE_MAX_BYTES || r->rep_len > MESSAGE_MAX_BYTES ||
        !progress_ok(&r->got, r->req_len) || !progress_ok(&r->sent, r->rep_len))
        REFUSE(E_FORMAT, "progress of a transaction record");
    if (r->has_copy ? r->rep_len > REPLY_COPY_MAX || r->rep_len == 0 || more != r->rep_len
                    : more != 0)
        REFUSE(E_FORMAT, "reply of a transaction record");
    bool needs_server = r->state == REC_FILL || r->state == REC_SERVE ||
                        (r->state == REC_REPLY && !r->has_copy && r->rep_len > 0);
    if (needs_server != (r->server_tid != 0))
        REFUSE(E_FORMAT, "server thread of a transaction record");
    return 0;
}

static const uint64_t sec_size[] = {
    [DESC_PROC] = sizeof(struct desc_proc),   [DESC_SEG] = sizeof(struct desc_seg),
    [DESC_MAP] = sizeof(struct desc_map),     [DESC_PORT] = sizeof(struct desc_port),
    [DESC_THRD] = sizeof(struct desc_thread), [DESC_REC] = sizeof(struct desc_rec),
};

union any_section {
    struct desc_proc proc;
    struct desc_seg seg;
    struct desc_map map;
    struct desc_port port;
    struct desc_thread thrd;
    struct desc_rec rec;
};

// Reads the section at *off into *u and moves *off behind it. sec->tag 0: an unknown one that may be skipped.
static int next_section(struct node *n, const struct buf *b, uint64_t *off, struct desc_sec *sec,
                        union any_section *u, uint64_t *more_at, const char **why)
{
    if (b->len - *off < sizeof *sec)
        REFUSE(E_FORMAT, "a section's header passes the end");
    int r = buf_read(n, b, *off, sec, sizeof *sec);
    if (r < 0)
        REFUSE(-r, "the bytes cannot be read");
    uint64_t body = *off + sizeof *sec;
    if (sec->len > b->len - body || ALIGN8(sec->len) > b->len - body)
        REFUSE(E_FORMAT, "a section passes the end");
    *off = body + ALIGN8(sec->len);
    if (sec->tag == 0 || sec->tag > DESC_REC) {
        if (!(sec->flags & DESC_SKIPPABLE))
            REFUSE(E_VERSION, "an unknown section that may not be skipped");
        sec->tag = 0;
        return 0;
    }
    uint64_t size = sec_size[sec->tag];
    if (sec->len < size || (sec->len > size && sec->tag != DESC_REC))
        REFUSE(E_FORMAT, "length of a section");
    *more_at = body + ALIGN8(size);
    if (sec->tag == DESC_REC && sec->len > size && size % 8)
        REFUSE(E_FORMAT, "length of a section");
    r = buf_read(n, b, body, u, (size_t)size);
    if (r < 0)
        REFUSE(-r, "the bytes cannot be read");
    return 0;
}

int desc_check(struct node *n, const struct buf *b, uint64_t isa_here, const char **why)
{
    struct desc_hdr h;
    union any_section u;
    struct desc_sec sec;
    uint32_t count[DESC_REC + 1] = {0}, last_tag = 0, last_tid = 0, next_tid = 0;
    uint64_t more_at = 0, off = sizeof h;
    int r = check_header(n, b, isa_here, &h, why);
    for (uint32_t i = 0; r == 0 && i < h.sections; i++) {
        r = next_section(n, b, &off, &sec, &u, &more_at, why);
        if (r < 0 || sec.tag == 0)
            continue;
        if (sec.tag < last_tag || (i == 0) != (sec.tag == DESC_PROC))
            REFUSE(E_FORMAT, "order of the sections");
        last_tag = sec.tag;
        count[sec.tag]++;
        switch (sec.tag) {
        case DESC_PROC:
            next_tid = u.proc.next_tid;
            r = check_proc(&u.proc, why);
            break;
        case DESC_SEG: r = check_seg(&u.seg, why); break;
        case DESC_MAP:
            if (u.map.seg >= count[DESC_SEG])
                REFUSE(E_FORMAT, "a mapping names a segment that is not there");
            break;
        case DESC_PORT:
            if (u.port.handle >= PROC_PORTS_MAX || (u.port.get[0] | u.port.get[1]) == 0)
                REFUSE(E_FORMAT, "a port");
            break;
        case DESC_THRD:
            if (u.thrd.tid <= last_tid || u.thrd.tid >= next_tid)
                REFUSE(E_FORMAT, "numbers of threads do not ascend");
            last_tid = u.thrd.tid;
            r = check_thread(&u.thrd, why);
            break;
        case DESC_REC: r = check_rec(&u.rec, sec.len - sizeof(struct desc_rec), why); break;
        }
    }
    if (r < 0)
        return r;
    if (off != h.len)
        REFUSE(E_FORMAT, "bytes behind the last section");
    if (count[DESC_THRD] == 0)
        REFUSE(E_FORMAT, "a process without a thread");
    if (count[DESC_SEG] > PROC_MAPS_MAX || count[DESC_MAP] > PROC_MAPS_MAX ||
        count[DESC_THRD] > PROC_THREADS_MAX || count[DESC_PORT] > PROC_PORTS_MAX)
        REFUSE(E_LIMIT, "too many segments, mappings, ports or threads");
    return 0;
}

// --- Decode --------------------------------------------------------------------------------------------

struct decoder {
    struct node *n;
    const struct buf *b;
    struct proc *p;
    struct seg *segs[PROC_MAPS_MAX]; // each held once by us until the end
    uint32_t nsegs;
    struct desc_fill *fills;
    unsigned nfills;
};

static int dec_proc(struct decoder *d, const struct desc_proc *s, uint64_t isa)
{
    int r = proc_create(d->n, s->ep, &d->p);
    if (r < 0)
        return r;
    struct proc *p = d->p;
    memcpy(p->name, s->name, sizeof p->name);
    memcpy(p->comment, s->comment, sizeof p->comment);
    p->owner = s->owner;
    p->mem_limit = s->mem_limit;
    p->moves = s->moves;
    p->next_tid = s->next_tid;
    p->isa = isa;
    p->stay_stunned = s->stunned != 0;
    if (s->ep != EP_NONE) {
        p->ctl_get = (struct port){{s->ctl_get[0], s->ctl_get[1]}};
        p->ctl_put = cap_put_port(p->ctl_get);
        memcpy(p->key, s->key, sizeof p->key);
        p->time_offset = s->clock_ns - node_now(d->n); // the clock stands still between the two
    }
    return 0;
}

static int dec_seg(struct decoder *d, const struct desc_seg *s)
{
    struct seg *seg;
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
    struct listen *l = &p->ports[s->handle];
    if (!port_is_null(l->put))
        return -E_FORMAT;
    struct port get = {{s->get[0], s->get[1]}};
    struct port pp = cap_put_port(get);
    int r = port_add(d->n, pp, p, s->handle, NULL);
    if (r == 0) {
        *l = (struct listen){.get = get, .put = pp};
        p->port_mask |= 1ull << s->handle;
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
    return left_ns < UINT64_MAX - 1 - now ? now + left_ns
           : left_ns == UINT64_MAX        ? UINT64_MAX
                                          : UINT64_MAX - 1;
}

static int dec_thread(struct decoder *d, const struct desc_thread *s)
{
    uint64_t now = node_now(d->n);
    struct thread *t = thread_create(d->n, d->p, s->tid);
    if (!t)
        return -E_MEM;
    memcpy(t->regs.x, s->x, sizeof t->regs.x);
    memcpy(t->regs.f, s->f, sizeof t->regs.f);
    t->regs.pc = s->pc;
    t->regs.fcsr = s->fcsr & 0xff; // frm and fflags; the rest is reserved
    t->regs.fp_used = s->fp_used != 0;
    t->seq = s->seq;
    t->wake_ns = from_left(s->wake_left_ns, now);
    t->wait_va = s->wait_va;
    t->serve.mask = s->serve.mask;
    t->serve.buf = dec_buf(d->p, &s->serve.buf);
    t->serve.open = s->serve.open != 0;
    thread_set_state(t, (enum thread_state)s->state);
    if (t->state == THREAD_GETREQ)
        list_add_tail(&d->p->getters, &t->run_link);
    if (t->state != THREAD_CALL)
        return 0;
    struct call *c = &t->call;
    c->state = (enum call_state)s->call.state;
    c->begun = c->remote = s->call.begun != 0;
    c->busy = s->call.busy != 0;
    c->op = s->call.op;
    c->seq = s->call.seq;
    c->cap = s->call.cap;
    memcpy(c->arg, s->call.arg, sizeof c->arg);
    c->req = dec_buf(d->p, &s->call.req);
    c->rep = dec_buf(d->p, &s->call.rep);
    c->server = s->call.server;
    c->sent = dec_progress(&s->call.sent);
    c->got = dec_progress(&s->call.got);
    c->rep_total = s->call.rep_total;
    c->status = s->call.status;
    memcpy(c->res, s->call.res, sizeof c->res);
    c->deadline_ns = from_left(s->call.deadline_left_ns, now);
    c->retry_ns = RETRY_FIRST_NS;
    c->heard_ns = now;
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
    struct rec *r = txn_rec_create(d->n, p, s->client, s->tid);
    if (!r)
        return -E_MEM;
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
    r->state = (enum rec_state)s->state;
    txn_adopt_rec(d->n, r);
    if (s->state == REC_QUEUED)
        list_add_tail(&p->queue, &r->queue_link);
    if (s->server_tid) {
        struct thread *t = thread_find(p, s->server_tid);
        if (!rec_fits_thread(s, t))
            return -E_FORMAT;
        r->server = t;
        t->serve.rec = r;
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

static int dec_section(struct decoder *d, const struct desc_sec *sec, const union any_section *u,
                       uint64_t more_at, uint64_t isa)
{
    switch (sec->tag) {
    case DESC_PROC: return dec_proc(d, &u->proc, isa);
    case DESC_SEG: return dec_seg(d, &u->seg);
    case DESC_MAP: return dec_map(d, &u->map);
    case DESC_PORT: return dec_port(d, &u->port);
    case DESC_THRD: return dec_thread(d, &u->thrd);
    case DESC_REC: return dec_rec(d, &u->rec, more_at);
    }
    return 0;
}

int desc_decode(struct node *n, const struct buf *b, struct proc **out, struct desc_fill *fills,
                unsigned *nfills)
{
    struct decoder d = {.n = n, .b = b, .fills = fills};
    struct desc_hdr h;
    struct desc_sec sec;
    union any_section u;
    uint64_t off = sizeof h, more_at = 0;
    const char *why;
    int r = buf_read(n, b, 0, &h, sizeof h);
    for (uint32_t i = 0; r == 0 && i < h.sections; i++) {
        r = next_section(n, b, &off, &sec, &u, &more_at, &why);
        if (r == 0)
            r = dec_section(&d, &sec, &u, more_at, h.isa);
    }
    if (r == 0)
        r = threads_complete(d.p);
    for (uint32_t i = 0; i < d.nsegs; i++)
        seg_drop(
            n, d.segs[i]); // the mappings hold them; one that none maps goes, and its fill with it
    for (unsigned i = 0; r == 0 && i < d.nfills; i++) {
        bool mapped = false;
        for (uint32_t m = 0; m < d.p->nmaps; m++)
            mapped |= d.p->maps[m].seg == d.fills[i].seg;
        if (!mapped)
            r = -E_FORMAT;
    }
    if (r < 0) {
        if (d.p)
            proc_destroy(n, d.p, true);
        return r;
    }
    *out = d.p;
    *nfills = d.nfills;
    return 0;
}
