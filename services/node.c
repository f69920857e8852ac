// SPDX-License-Identifier: BSD-2-Clause
// Node service: what this machine is and does, and its switch.
#include "core/cap.h"
#include "core/error.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/rec.h"
#include "core/words.h"
#include "services/bench.h"
#include "services/dir.h"
#include "services/proc/fault.h"
#include "services/protocol.h"
#include "services/service.h"
#include "services/services.h"
#include <stdio.h>
#include <string.h>

#define NULL_PAGES 16384u               // 64 MiB: the largest message that can be measured
#define STOP_DELAY_NS (100 * NS_PER_MS) // for the reply to get out of the driver's queue

struct node_service {
    struct port put; // [I]
    uint8_t key[16]; // [N]
};

static int node_key(struct node *n, const struct request *r, uint8_t key[16])
{
    if (cap_obj(&r->in.cap) != 0)
        return -E_OBJECT;
    bytes_copy(key, n->services->node->key, 16);
    return 0;
}

static int node_rekey(struct node *n, struct request *r, const uint8_t key[16])
{
    (void)r;
    memcpy(n->services->node->key, key, 16);
    return 0;
}

static int64_t run_null(struct node *n, struct request *r)
{
    if (r->in.arg[0] == 0)
        return 0;
    if (r->in.arg[0] > MESSAGE_MAX_BYTES)
        return -E_ARG;
    struct seg *s; // all hole: sent from the node's one page of zeros
    int e = seg_create(n, r->in.arg[0], &s);
    if (e < 0)
        return e;
    request_hold(r, s);
    r->reply = buf_seg(s, 0, r->in.arg[0]);
    return 0;
}

static void links_status(struct node *n, struct node_status *st)
{
    const unsigned most = sizeof st->link / sizeof st->link[0];
    struct link_status l;
    if (!n->transport || !n->transport->link_status)
        return;
    for (; st->links < most && n->transport->link_status(n, st->links, &l); st->links++) {
        _Static_assert(sizeof st->link[0].name == sizeof l.name, "copied whole");
        memcpy(st->link[st->links].name, l.name, sizeof l.name);
        st->link[st->links].up = l.up;
        st->link[st->links].payload_max = l.payload_max;
        st->link[st->links].tx = l.tx;
        st->link[st->links].rx = l.rx;
        st->link[st->links].tx_drop = l.tx_drop;
        st->link[st->links].rx_bad = l.rx_bad;
    }
}

static int64_t run_status(struct node *n, struct request *r)
{
    _Static_assert(sizeof(struct node_status) <= PAGE_SIZE, "fits one page");
    struct node_status *st = request_page(n, r);
    if (!st)
        return -E_MEM;
    memcpy(st->name, n->name, sizeof st->name);
    st->ep = node_ep(n);
    st->uptime_ns = node_now(n);
    for (unsigned i = 0; i < n->nharts; i++)
        st->harts += n->harts[i].online;
    st->pages_total = n->pages.total;
    st->pages_free = page_free_count(n);
    st->procs = (uint32_t)n->pool_proc.used;
    st->threads = (uint32_t)n->pool_thread.used;
    st->segs = (uint32_t)n->pool_seg.used;
    st->recs = (uint32_t)n->pool_rec.used;
    st->syscalls = n->stat.syscalls;
    st->switches = n->stat.switches;
    st->trans_local = n->stat.trans_local;
    st->trans_remote = n->stat.trans_remote;
    st->retries = n->stat.retries;
    st->dups = n->stat.dups_dropped;
    links_status(n, st);
    r->reply = buf_kernel(st, sizeof *st);
    return 0;
}

// The three words of an event, for people where core knows what they are; net's are left as they are.
static void event_text(const struct trace_event *e, char *text, size_t size)
{
    switch (e->kind) {
    case TRACE_PROC:
        (void)snprintf(text, size, "%06x: %s -> %s", (unsigned)e->a, proc_state_name((enum proc_state)e->b),
                       proc_state_name((enum proc_state)e->c));
        break;
    case TRACE_FAULT:
        (void)snprintf(text, size, "%s 0x%llx at pc 0x%llx", fault_name(e->a), (unsigned long long)e->b,
                       (unsigned long long)e->c);
        break;
    case TRACE_CALL:
        (void)snprintf(text, size, "of %06x.%u, number %llu, ends: %s", e->a >> 8, e->a & 0xff,
                       (unsigned long long)e->b, (int64_t)e->c < 0 ? error_name((long)e->c) : "ok");
        break;
    case TRACE_REC:
        (void)snprintf(text, size, "of %06x.%u, number %llu: %s -> %s", e->a >> 8, e->a & 0xff,
                       (unsigned long long)e->b, rec_state_name((enum rec_state)(e->c >> 8)),
                       rec_state_name((enum rec_state)(e->c & 0xff)));
        break;
    case TRACE_ORPHAN:
        if (e->a)
            (void)snprintf(text, size, "owner's port %016llx was not found, time %u", (unsigned long long)e->b,
                           (unsigned)e->a);
        else
            (void)snprintf(text, size, "%06x ends: nobody serves its owner's port %016llx",
                           (unsigned)(e->c & CAP_OBJ_MAX), (unsigned long long)e->b);
        break;
    default:
        (void)snprintf(text, size, "%u %llx %llx", (unsigned)e->a, (unsigned long long)e->b, (unsigned long long)e->c);
    }
}

static int64_t run_trace(struct node *n, struct request *r)
{
    static const char *const names[TRACE_KINDS] = {
#define X(name, text) [name] = text,
        TRACE_EVENTS(X)
#undef X
    };
    uint64_t end = n->trace.count;
    uint64_t have = end < TRACE_SIZE ? end : TRACE_SIZE;
    for (uint64_t i = end - have; i < end; i++) {
        const struct trace_event *ev = &n->trace.ev[i % TRACE_SIZE];
        uint64_t us = ev->at_ns / 1000;
        char text[100];
        event_text(ev, text, sizeof text);
        int64_t status =
            reply_line(n, r, "%6llu.%06llu %-9s %s", (unsigned long long)(us / 1000000),
                       (unsigned long long)(us % 1000000), ev->kind < TRACE_KINDS ? names[ev->kind] : "?", text);
        if (status < 0)
            return status;
    }
    return 0;
}

static void after_stop(struct node *n, struct request *r)
{
    int status = (int)r->in.arg[0];
    node_log(n, "stopped by order, status %d", status);
    task_sleep(n, STOP_DELAY_NS);
    arch_stop(status);
}

static int64_t run_stop(struct node *n, struct request *r)
{
    (void)n;
    r->after = after_stop;
    return 0;
}

static const struct operation ops[] = {
    {OP_NODE_NULL, "null", 0, true, OP_INLINE, run_null},
    {OP_NODE_STATUS, "status", RIGHT_READ, true, OP_INLINE, run_status},
    {OP_NODE_BENCH, "bench", RIGHT_READ, true, OP_BLOCKS, bench_run},
    {OP_NODE_TRACE, "trace", RIGHT_READ, true, OP_SLOW, run_trace},
    {OP_NODE_STOP, "stop", RIGHT_DESTROY, true, OP_NONBLOCKING, run_stop},
    {0, NULL, 0, false, OP_NONBLOCKING, NULL},
};
static const struct service service = {
    .name = "node",
    .ops = ops,
    .key = node_key,
    .rekey = node_rekey,
    .buffer_pages = NULL_PAGES,
    .tasks = 2, // one may bench the other
    .tasks_max = 6,
};

int node_service_start(struct node *n)
{
    struct node_service *ns = n->services->node = service_state(n, sizeof *ns);
    struct port get;
    if (!ns)
        return -E_MEM;
    node_random(n, &get, sizeof get);
    node_random(n, ns->key, sizeof ns->key);
    int e = service_open(n, &service, get, &ns->put);
    if (e < 0)
        return e;
    struct cap c = cap_make(ns->put, 0, RIGHT_ALL, ns->key);
    return dir_enter(n, "node", &c);
}

void node_service_stop(struct node *n)
{
    (void)n;
}
