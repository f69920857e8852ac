// SPDX-License-Identifier: BSD-2-Clause
// Segment service: segments read and written by transaction. A segment answers the same read request as a file (design
// D4), straight out of its pages: nothing is copied to send it, and holes do not travel.
#include "services/seg.h"
#include "core/cap.h"
#include "core/error.h"
#include "core/panic.h"
#include "core/words.h"
#include "services/dir.h"
#include "services/protocol.h"
#include "services/service.h"
#include "services/services.h"
#include <string.h>

#define WRITE_PAGES 1024u // 4 MiB: the longest OP_WRITE
#define MADE_MAX 1024u    // segments that OP_SEG_CREATE keeps alive at a time

struct made {         // a segment that was created by transaction: one ref of it is the service's until OP_DESTROY
    struct list link; // seg_service.made
    struct seg *seg;
};

struct seg_service {
    uint8_t key[16]; // [N] of object 0
    struct pool pool_made;
    struct list made; // [N] struct made: segments that live until OP_DESTROY
    unsigned nmade;   // [N]
};

unsigned seg_made(const struct node *n)
{
    return n->services->seg->nmade;
}

static int object_key(struct node *n, const struct request *r, uint8_t key[16])
{
    uint32_t number = cap_obj(&r->in.cap);
    struct seg *s = number ? seg_find(n, number) : NULL;
    if (number && !s)
        return -E_OBJECT;
    bytes_copy(key, s ? seg_key(n, s) : n->services->seg->key, 16);
    return 0;
}

static int object_rekey(struct node *n, struct request *r, const uint8_t key[16])
{
    uint32_t number = cap_obj(&r->in.cap);
    struct seg *s = number ? seg_find(n, number) : NULL;
    if (number && !s)
        return -E_OBJECT;
    if (s)
        seg_set_key(s, key);
    else
        memcpy(n->services->seg->key, key, 16);
    return 0;
}

static struct seg *seg_of(struct node *n, const struct request *r)
{
    return cap_obj(&r->in.cap) ? seg_find(n, cap_obj(&r->in.cap)) : NULL;
}

// Bytes from off to the next hole, at most max.
static uint64_t data_run(struct node *n, struct seg *s, uint64_t off, uint64_t max)
{
    uint64_t end = off;
    while (end - off < max && seg_page(n, s, end, false))
        end = (end | PAGE_MASK) + 1;
    return end - off < max ? end - off : max;
}

static int64_t run_read(struct node *n, struct request *r)
{
    struct seg *s = seg_of(n, r);
    uint64_t off = r->in.arg[0], max = r->in.arg[1];
    if (!s)
        return -E_OBJECT;
    if (off >= s->len)
        return -E_EOF;
    if (max > s->len - off)
        max = s->len - off;
    if (max > MESSAGE_MAX_BYTES)
        max = MESSAGE_MAX_BYTES;
    uint64_t len = data_run(n, s, off, max);
    if (len < s->len - off)
        r->res[0] = seg_hole(s, off + len, s->len - off - len);
    if (len == 0)
        return 0;
    // The reply is sent straight from these pages, so the segment must stay until it has arrived. Its contents may
    // change meanwhile, as those of a file may.
    seg_hold(s);
    request_hold(r, s);
    r->reply = buf_seg(s, off, len);
    return 0;
}

static int64_t run_write(struct node *n, struct request *r)
{
    struct seg *s = seg_of(n, r);
    uint64_t off = r->in.arg[0];
    if (!s)
        return -E_OBJECT;
    if (off > s->len || r->in.len > s->len - off)
        return -E_ARG;
    struct buf to = buf_seg(s, off, r->in.len);
    int e = buf_copy(n, &to, 0, &r->data, 0, r->in.len);
    if (e < 0)
        return e;
    r->res[0] = r->in.len;
    return 0;
}

static int64_t run_size(struct node *n, struct request *r)
{
    const struct seg *s = seg_of(n, r);
    if (!s)
        return -E_OBJECT;
    r->res[0] = s->len;
    return 0;
}

static int64_t run_info(struct node *n, struct request *r)
{
    const struct seg *s = seg_of(n, r);
    if (!s)
        return reply_text(n, r, "segment service of %s, %u created by transaction", n->name, seg_made(n));
    return reply_text(n, r, "segment %u of %s: %llu bytes, %llu pages present", (unsigned)s->number, n->name,
                      (unsigned long long)s->len, (unsigned long long)s->pages);
}

// The new segment is a copy of one that the request names.
static int create_copy(struct node *n, struct request *r, struct seg **out)
{
    struct cap cap;
    uint64_t len = r->in.arg[0], off = r->in.arg[1];
    int e = request_bytes(n, r, &cap, sizeof cap);
    if (e < 0)
        return e;
    if (!port_eq(cap.port, n->seg_put))
        return -E_NOTHERE;
    struct seg *s = cap_obj(&cap) ? seg_find(n, cap_obj(&cap)) : NULL;
    if (!s)
        return -E_OBJECT;
    e = cap_verify(&cap, seg_key(n, s), RIGHT_READ);
    if (e < 0)
        return e;
    if (off > s->len || len > s->len - off)
        return -E_ARG;
    return seg_clone(n, s, off, len ? PAGES_FOR(len) * PAGE_SIZE : s->len - off, out);
}

static int64_t run_create(struct node *n, struct request *r)
{
    struct seg_service *sg = n->services->seg;
    if (cap_obj(&r->in.cap) != 0)
        return -E_OP;
    if (r->in.arg[0] == 0 && r->in.len == 0)
        return -E_ARG;
    if (sg->nmade == MADE_MAX)
        return -E_LIMIT;
    struct made *m = pool_alloc(n, &sg->pool_made);
    if (!m)
        return -E_MEM;
    int e = r->in.len ? create_copy(n, r, &m->seg) : seg_create(n, r->in.arg[0], &m->seg);
    if (e < 0) {
        pool_free(n, &sg->pool_made, m);
        return e;
    }
    ASSERT(!m->seg->named);
    m->seg->named = true;
    list_add_tail(&sg->made, &m->link);
    sg->nmade++;
    return reply_cap(r, seg_cap(n, m->seg, RIGHT_ALL));
}

static void made_free(struct node *n, struct made *m)
{
    struct seg_service *sg = n->services->seg;
    ASSERT(m->seg->named && sg->nmade > 0);
    list_del(&m->link);
    sg->nmade--;
    m->seg->named = false; // processes that have it mapped keep it; no capability leads to it any more
    seg_drop(n, m->seg);
    pool_free(n, &sg->pool_made, m);
}

// Drops the service's reference and revokes every capability. A segment that is mapped, or being sent, stays without a
// name until that ends. One that belongs to a process is freed with the process only: E_STATE.
static int64_t run_destroy(struct node *n, struct request *r)
{
    struct seg *s = seg_of(n, r);
    if (!s)
        return -E_OBJECT;
    LIST_FOR (l, &n->services->seg->made) {
        struct made *m = LIST_ENTRY(l, struct made, link);
        if (m->seg == s) {
            uint8_t key[16];
            node_random(n, key, sizeof key);
            seg_set_key(s, key);
            made_free(n, m);
            return 0;
        }
    }
    return -E_STATE;
}

// --- What was written ------------------------------------------------------------------------------------------

static int64_t run_mark(struct node *n, struct request *r)
{
    struct seg *s = seg_of(n, r);
    if (!s)
        return -E_OBJECT;
    r->res[0] = seg_mark(n, s);
    return 0;
}

static int marked_seg(struct node *n, const struct request *r, struct seg **out)
{
    *out = seg_of(n, r);
    if (!*out)
        return -E_OBJECT;
    return (*out)->marked && (*out)->mark == r->in.arg[0] ? 0 : -E_STATE;
}

// Holds the node lock from the first run to the last, so that no page can be written between being told and being
// counted anew. Without memory for the list nothing changes.
static int64_t run_written(struct node *n, struct request *r)
{
    struct seg *s;
    int64_t e = marked_seg(n, r, &s);
    struct seg_run run = {0, 0}, first = {0, 0};
    for (; e == 0 && (run.len = seg_written(s, &run.off)) > 0; run.off += run.len) {
        if (r->res[1]++ == 0)
            first = run;
        e = reply_append(n, r, &run, sizeof run);
    }
    if (e == 0 && r->res[1] > 0)
        seg_mark_run(n, s, first.off, run.off - first.off);
    r->res[0] = s ? s->len : 0;
    return e;
}

static int64_t run_unmark(struct node *n, struct request *r)
{
    struct seg *s;
    int e = marked_seg(n, r, &s);
    if (e == 0)
        seg_unmark(n, s);
    return e;
}

static const struct operation ops[] = {
    {OP_INFO, "info", RIGHT_READ, true, OP_NONBLOCKING, run_info},
    {OP_READ, "read", RIGHT_READ, true, OP_SLOW, run_read},
    {OP_WRITE, "write", RIGHT_WRITE, true, OP_NONBLOCKING, run_write},
    {OP_SIZE, "size", RIGHT_READ, true, OP_NONBLOCKING, run_size},
    {OP_DESTROY, "destroy", RIGHT_DESTROY, false, OP_NONBLOCKING, run_destroy},
    {OP_SEG_CREATE, "create", RIGHT_CREATE, false, OP_NONBLOCKING, run_create},
    {OP_SEG_MARK, "mark", RIGHT_CONTROL, false, OP_NONBLOCKING, run_mark},
    {OP_SEG_WRITTEN, "written", RIGHT_CONTROL, false, OP_SLOW, run_written},
    {OP_SEG_UNMARK, "unmark", RIGHT_CONTROL, false, OP_NONBLOCKING, run_unmark},
    {0, NULL, 0, false, OP_NONBLOCKING, NULL},
};
static const struct service service = {
    .name = "seg",
    .ops = ops,
    .key = object_key,
    .rekey = object_rekey,
    .buffer_pages = WRITE_PAGES,
    .tasks = 2,
    .tasks_max = 12,
};

int seg_service_start(struct node *n)
{
    struct seg_service *sg = n->services->seg = service_state(n, sizeof *sg);
    if (!sg)
        return -E_MEM;
    pool_init(&sg->pool_made, "made", sizeof(struct made));
    list_init(&sg->made);
    node_random(n, sg->key, sizeof sg->key);
    struct port put;
    int e = service_open(n, &service, n->seg_get, &put);
    if (e < 0)
        return e;
    struct cap c = cap_make(put, 0, RIGHT_ALL, sg->key);
    return dir_enter(n, "seg", &c);
}

void seg_service_stop(struct node *n)
{
    struct seg_service *sg = n->services->seg;
    if (!sg)
        return;
    LIST_FOR_SAFE (l, next, &sg->made)
        made_free(n, LIST_ENTRY(l, struct made, link));
}
