// SPDX-License-Identifier: BSD-2-Clause
// The form of a descriptor: checksum, sections, and what each of them may say.
#include "core/desc_priv.h"
#include "core/node.h"
#include "core/text.h"
#include "core/thread.h"
#include <string.h>

// --- Checksum -----------------------------------------------------------------------------------------
// Against bits that turned on a wire or a disk, not against people: who may start a process may write what he likes.
// h = (h ^ word) * odd, folded: each step can be undone, so a change within one word always shows. That costs a
// twentieth of a cryptographic hash, and a descriptor is checked for every process that starts.

struct sum {
    uint64_t h, part; // part: bytes that do not make a word yet
    unsigned have;    // of them
};

static void sum_add(struct sum *s, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (; len > 0 && (s->have > 0 || len < 8 || ((uintptr_t)p & 7)); p++, len--) {
        s->part |= (uint64_t)*p << 8 * s->have;
        if (++s->have < 8)
            continue;
        s->h = desc_sum_word(s->h, s->part);
        s->part = s->have = 0;
    }
    uint64_t h = s->h;
    const uint64_t *w = (const uint64_t *)(const void *)p;
    for (; len >= 32; w += 4, len -= 32) {
        h = desc_sum_word(h, w[0]);
        h = desc_sum_word(h, w[1]);
        h = desc_sum_word(h, w[2]);
        h = desc_sum_word(h, w[3]);
    }
    for (; len >= 8; len -= 8)
        h = desc_sum_word(h, *w++);
    p = (const uint8_t *)w;
    s->h = h;
    if (len > 0)
        sum_add(s, p, len);
}

static struct sum sum_start(const struct desc_hdr *hdr)
{
    const uint64_t *w = (const uint64_t *)(const void *)hdr;
    struct sum s = {.h = DESC_MAGIC};
    for (size_t i = 0; i < sizeof *hdr / sizeof *w; i++)
        s.h = desc_sum_word(s.h, i == offsetof(struct desc_hdr, checksum) / sizeof *w ? 0 : w[i]);
    return s;
}

// The bytes lie in a buffer of any kind: summed up stretch by stretch. len is a multiple of 8.
int desc_hash(struct node *n, const struct buf *b, const struct desc_hdr *hdr, uint64_t len, uint64_t *sum)
{
    struct sum s = sum_start(hdr);
    for (uint64_t off = sizeof *hdr; off < len;) {
        void *p;
        size_t run;
        int r = buf_at(n, b, off, false, &p, &run);
        if (r < 0)
            return r;
        if (run > len - off)
            run = (size_t)(len - off);
        sum_add(&s, p, run);
        off += run;
    }
    *sum = s.h;
    return 0;
}

uint64_t desc_checksum(const void *buf, uint64_t len)
{
    struct desc_hdr hdr;
    memcpy(&hdr, buf, sizeof hdr);
    struct sum s = sum_start(&hdr);
    sum_add(&s, (const uint8_t *)buf + sizeof hdr, len - sizeof hdr);
    return s.h;
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

// --- Check ---------------------------------------------------------------------------------------------

#define REFUSE(error, text)                                                                                            \
    do {                                                                                                               \
        *why = (text);                                                                                                 \
        return -(error);                                                                                               \
    } while (0)

static int check_header(struct node *n, const struct buf *b, uint64_t isa_here, const struct desc_hdr *h,
                        const char **why)
{
    if (h->magic != DESC_MAGIC)
        REFUSE(E_MAGIC, "magic number");
    if (h->version < DESC_VERSION_OLDEST || h->version > DESC_VERSION)
        REFUSE(E_VERSION, "format version");
    if (h->arch != DESC_ARCH_RISCV64)
        REFUSE(E_ARCH, "architecture is not riscv64");
    if (h->isa & ~isa_here)
        REFUSE(E_ARCH, "needs ISA extensions that this node lacks");
    if (h->len != b->len || h->len > DESC_MAX_BYTES || h->len % 8)
        REFUSE(E_FORMAT, "length in the header differs from the bytes given");
    uint64_t sum;
    int r = desc_hash(n, b, h, h->len, &sum);
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
    uint64_t places = d->personality | d->generation | d->private_seg | d->zero | d->debugger.obj_rights;
    for (size_t k = 0; k < sizeof d->limits / sizeof d->limits[0]; k++)
        places |= d->limits[k];
    if (places || !port_is_null(d->debugger.port))
        REFUSE(E_VERSION, "asks for something that this kernel has not");
    if (!text_is_plain(d->name, strlen(d->name)) || !text_is_plain(d->comment, strlen(d->comment)))
        REFUSE(E_FORMAT, "name or comment is not printable ASCII");
    if (d->ep != EP_NONE && ((d->ep & CAP_OBJ_MAX) == 0 || (d->ctl_get[0] | d->ctl_get[1]) == 0))
        REFUSE(E_FORMAT, "endpoint or control port");
    if (d->priority > PRIO_LEVELS || d->priority_limit > PRIO_LEVELS)
        REFUSE(E_FORMAT, "priority");
    return 0;
}

static int check_seg(const struct desc_seg *d, const char **why)
{
    if (d->len == 0 || d->len % PAGE_SIZE || d->len > SEG_MAX_BYTES)
        REFUSE(E_LIMIT, "length of a segment");
    if (d->dest_off > d->len || d->source_len > d->len - d->dest_off || d->source_off + d->source_len < d->source_off)
        REFUSE(E_FORMAT, "the filling of a segment passes its end");
    if (d->source_len > 0 && cap_is_null(&d->source) && d->source_off)
        REFUSE(E_FORMAT, "a segment is filled from nothing");
    return 0;
}

static int check_thread(const struct desc_thread *t, const char **why)
{
    if (t->tid == 0 || t->state >= THREAD_STATES || t->state == THREAD_RUN || t->state == THREAD_EVENT ||
        t->state == THREAD_ENDED)
        REFUSE(E_FORMAT, "state of a thread");
    if (t->x[0] != 0)
        REFUSE(E_FORMAT, "x0 of a thread is not zero");
    if (t->held)
        REFUSE(E_VERSION, "a thread is held, and this kernel holds none");
    if (!buf_ok(&t->serve.buf) || t->serve.mask >> PROC_PORTS_MAX)
        REFUSE(E_FORMAT, "what a thread serves");
    if (t->state == THREAD_GETREQ && (t->serve.open || t->serve.mask == 0))
        REFUSE(E_FORMAT, "a thread waits for requests and owes a reply");
    if (t->seq > THREAD_SEQ_MAX)
        REFUSE(E_FORMAT, "number of a thread's transactions");
    if (t->state != THREAD_CALL)
        return 0;
    if (t->call.state == CALL_NONE || t->call.state > CALL_RECV || t->call.seq == 0 || t->call.seq > t->seq)
        REFUSE(E_FORMAT, "state of a call");
    if (!buf_ok(&t->call.req) || !buf_ok(&t->call.rep) || port_is_null(t->call.cap.port))
        REFUSE(E_FORMAT, "buffers or port of a call");
    if (!progress_ok(&t->call.sent, t->call.req.len) || t->call.rep_total > t->call.rep.len ||
        !progress_ok(&t->call.got, t->call.rep_total))
        REFUSE(E_FORMAT, "progress of a call");
    if (t->call.fill > 63 || t->call.zero)
        REFUSE(E_FORMAT, "beginnings of a call");
    if (t->call.forwards > FORWARDS_MAX)
        REFUSE(E_FORMAT, "forwards of a call");
    if (t->call.state != CALL_SEND && t->call.server == EP_NONE)
        REFUSE(E_FORMAT, "a call waits for nobody");
    return 0;
}

static int check_start(const struct desc_start *s, const char **why)
{
    if (s->tid == 0 || s->zero)
        REFUSE(E_FORMAT, "a thread that begins");
    return 0;
}

static int check_rec(const struct desc_rec *r, uint64_t more, uint32_t nsegs, const char **why)
{
    if (r->client == EP_NONE || r->state >= REC_STATES || r->seq == 0 || r->handle >= PROC_PORTS_MAX)
        REFUSE(E_FORMAT, "state of a transaction record");
    if (r->req_len > MESSAGE_MAX_BYTES || r->rep_len > MESSAGE_MAX_BYTES || !progress_ok(&r->got, r->req_len) ||
        !progress_ok(&r->sent, r->rep_len))
        REFUSE(E_FORMAT, "progress of a transaction record");
    if (r->reply_seg ? r->has_copy || r->state != REC_REPLY || r->rep_len == 0 || r->reply_seg > nsegs
                     : r->reply_off != 0)
        REFUSE(E_FORMAT, "segment of a reply");
    if (r->has_copy ? r->state != REC_REPLY || r->rep_len > REPLY_COPY_MAX || r->rep_len == 0 || more != r->rep_len
                    : more != 0)
        REFUSE(E_FORMAT, "reply of a transaction record");
    if (r->cancel > CANCEL_TOLD || (r->cancel != CANCEL_NONE && r->state != REC_SERVE))
        REFUSE(E_FORMAT, "cancel of a transaction record");
    if (r->fills > 63)
        REFUSE(E_FORMAT, "beginnings of a transaction record");
    if (r->state == REC_FORWARD && (r->rep_len != 0 || port_is_null(r->cap.port)))
        REFUSE(E_FORMAT, "forward of a transaction record");
    bool needs_server = r->state == REC_FILL || r->state == REC_SERVE ||
                        (r->state == REC_REPLY && !r->has_copy && !r->reply_seg && r->rep_len > 0);
    if (needs_server != (r->server_tid != 0))
        REFUSE(E_FORMAT, "server thread of a transaction record");
    return 0;
}

// How long the fixed part of a section is, by version. A new version adds a row, in which a number is written out for
// what has become longer since.
static const uint16_t sec_size[DESC_VERSION - DESC_VERSION_OLDEST + 1][DESC_REC + 1] = {
    {
        [DESC_PROC] = sizeof(struct desc_proc),
        [DESC_SEG] = sizeof(struct desc_seg),
        [DESC_MAP] = sizeof(struct desc_map),
        [DESC_PORT] = sizeof(struct desc_port),
        [DESC_THRD] = sizeof(struct desc_thread),
        [DESC_REC] = sizeof(struct desc_rec),
    },
};
_Static_assert(sizeof(struct desc_proc) == 352 && sizeof(struct desc_seg) == 64 && sizeof(struct desc_map) == 32 &&
                   sizeof(struct desc_port) == 24 && sizeof(struct desc_start) == 32,
               "version 9; a longer struct is a new version, and leaves this number in the row of version 9");
_Static_assert(sizeof(struct desc_thread) == 880 && sizeof(struct desc_rec) == 240, "the same");

// len bytes at off: where they lie, or in *copy. Bytes of a process are always copied: its threads may be at them.
static __attribute__((noinline)) int find_bytes(const struct desc_walk *w, uint64_t off, size_t len, void *copy,
                                                const void **at)
{
    void *p;
    size_t run;
    int r = buf_at(w->n, w->b, off, false, &p, &run);
    if (r < 0)
        return r;
    *at = p;
    if (run >= len && ((uintptr_t)p & 7) == 0 && w->b->kind != BUF_USER)
        return 0;
    *at = copy;
    return buf_read(w->n, w->b, off, copy, len);
}

static inline int bytes_at(const struct desc_walk *w, uint64_t off, size_t len, void *copy, const void **at)
{
    if (!w->flat)
        return find_bytes(w, off, len, copy, at);
    *at = w->flat + off;
    return 0;
}

int desc_walk_start(struct desc_walk *w, struct node *n, const struct buf *b)
{
    const void *p;
    w->n = n;
    w->b = b;
    w->flat = b->kind == BUF_KERNEL && (b->at & 7) == 0 ? (const char *)(uintptr_t)b->at : NULL;
    w->off = sizeof(struct desc_hdr);
    if (b->len < sizeof(struct desc_hdr))
        return -E_FAULT;
    int r = bytes_at(w, 0, sizeof(struct desc_hdr), &w->hdr_copy, &p);
    w->hdr = p;
    return r;
}

// The section's header lies inside; its body begins at *body, and *off moves behind it.
static int next_section(struct desc_walk *w, uint64_t *body)
{
    const void *p;
    int r = bytes_at(w, w->off, sizeof w->sec, &w->sec, &p);
    if (r < 0)
        return r;
    w->sec = *(const struct desc_sec *)p;
    *body = w->off + sizeof w->sec;
    w->off = *body + ALIGN8(w->sec.len);
    return 0;
}

static uint64_t fixed_size(const struct desc_walk *w)
{
    const struct desc_sec *sec = &w->sec;
    return desc_is_start(sec) ? sizeof(struct desc_start) : sec_size[w->hdr->version - DESC_VERSION_OLDEST][sec->tag];
}

static int section_body(struct desc_walk *w, uint64_t body)
{
    const void *p;
    uint64_t size = fixed_size(w);
    w->more_at = body + ALIGN8(size);
    int r = bytes_at(w, body, (size_t)size, &w->copy, &p);
    w->at = p;
    return r;
}

int desc_next(struct desc_walk *w, const char **why)
{
    uint64_t body;
    if (w->b->len - w->off < sizeof w->sec)
        REFUSE(E_FORMAT, "a section's header passes the end");
    int r = next_section(w, &body);
    if (r < 0)
        REFUSE(-r, "the bytes cannot be read");
    uint64_t len = w->sec.len;
    if (len > w->b->len - body || ALIGN8(len) > w->b->len - body)
        REFUSE(E_FORMAT, "a section passes the end");
    if (w->sec.tag == 0 || w->sec.tag > DESC_REC) {
        if (!(w->sec.flags & DESC_SKIPPABLE))
            REFUSE(E_VERSION, "an unknown section that may not be skipped");
        w->sec.tag = 0;
        return 0;
    }
    uint64_t size = fixed_size(w);
    if (len < size || (len > size && w->sec.tag != DESC_REC) || (len > size && size % 8))
        REFUSE(E_FORMAT, "length of a section");
    r = section_body(w, body);
    if (r < 0)
        REFUSE(-r, "the bytes cannot be read");
    return 0;
}

int desc_next_checked(struct desc_walk *w)
{
    uint64_t body;
    int r = next_section(w, &body);
    if (r == 0 && w->sec.tag > DESC_REC)
        w->sec.tag = 0;
    return r == 0 && w->sec.tag != 0 ? section_body(w, body) : r;
}

int desc_check(struct node *n, const struct buf *b, uint64_t isa_here, struct desc_info *info, const char **why)
{
    struct desc_walk w;
    uint32_t count[DESC_REC + 1] = {0}, last_tag = 0, last_tid = 0, next_tid = 0;
    if (b->len < sizeof(struct desc_hdr))
        REFUSE(E_MAGIC, "shorter than a descriptor's header");
    int r = desc_walk_start(&w, n, b);
    if (r < 0)
        REFUSE(-r, "the bytes cannot be read");
    r = check_header(n, b, isa_here, w.hdr, why);
    for (uint32_t i = 0; r == 0 && i < w.hdr->sections; i++) {
        uint64_t at = w.off;
        r = desc_next(&w, why);
        if (r < 0 || w.sec.tag == 0)
            continue;
        if (w.sec.tag < last_tag || (i == 0) != (w.sec.tag == DESC_PROC))
            REFUSE(E_FORMAT, "order of the sections");
        last_tag = w.sec.tag;
        count[last_tag]++;
        const union any_section *u = w.at;
        switch (last_tag) {
        case DESC_PROC:
            next_tid = u->proc.next_tid;
            info->ep = u->proc.ep;
            info->ctl_get = (struct port){{u->proc.ctl_get[0], u->proc.ctl_get[1]}};
            info->owner = u->proc.owner;
            info->priority = u->proc.priority;
            info->priority_limit = u->proc.priority_limit;
            r = check_proc(&u->proc, why);
            break;
        case DESC_SEG:
            if (count[DESC_SEG] == 1)
                info->seg_at = at;
            r = check_seg(&u->seg, why);
            break;
        case DESC_MAP:
            if (u->map.seg >= count[DESC_SEG])
                REFUSE(E_FORMAT, "a mapping names a segment that is not there");
            break;
        case DESC_PORT:
            if (u->port.handle >= PROC_PORTS_MAX || (u->port.get[0] | u->port.get[1]) == 0)
                REFUSE(E_FORMAT, "a port");
            break;
        case DESC_THRD:
            if (u->thrd.tid <= last_tid || u->thrd.tid >= next_tid)
                REFUSE(E_FORMAT, "numbers of threads do not ascend");
            last_tid = u->thrd.tid;
            r = desc_is_start(&w.sec) ? check_start(&u->start, why) : check_thread(&u->thrd, why);
            break;
        case DESC_REC: r = check_rec(&u->rec, w.sec.len - sizeof(struct desc_rec), count[DESC_SEG], why); break;
        }
    }
    if (r < 0)
        return r;
    if (w.off != w.hdr->len)
        REFUSE(E_FORMAT, "bytes behind the last section");
    if (count[DESC_THRD] == 0)
        REFUSE(E_FORMAT, "a process without a thread");
    if (count[DESC_SEG] > DESC_SEGS_MAX || count[DESC_MAP] > PROC_MAPS_MAX || count[DESC_THRD] > PROC_THREADS_MAX ||
        count[DESC_PORT] > PROC_PORTS_MAX)
        REFUSE(E_LIMIT, "too many segments, mappings, ports or threads");
    info->nsegs = count[DESC_SEG];
    return 0;
}

// --- A look at what has been checked ---------------------------------------------------------------------

int desc_each_seg(struct node *n, const struct buf *b, const struct desc_info *info,
                  int (*look)(struct node *n, const struct desc_seg *s, void *arg), void *arg)
{
    struct desc_walk w;
    int r = desc_walk_start(&w, n, b);
    if (info->nsegs > 0)
        w.off = info->seg_at;
    for (uint32_t seen = 0; r == 0 && seen < info->nsegs;) {
        r = desc_next_checked(&w); // between two may be a section that is skipped
        if (r == 0 && w.sec.tag == DESC_SEG) {
            seen++;
            r = look(n, &w.at->seg, arg);
        }
    }
    return r;
}
