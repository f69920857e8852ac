// SPDX-License-Identifier: BSD-2-Clause
// Descriptors from anywhere. Every input gets a checksum that fits, so that mutations reach what lies behind it. One
// that desc_check lets through is decoded and destroyed; then decoded once more and resumed on a node with a network
// but no neighbour, whose guests run into every system call with whatever their registers hold; half-way it is stopped,
// and changed by its own descriptor with some bits turned. Whatever comes of it: when the process is gone and time has
// passed, the node is as it was, to the last page.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/host/host.h"
#include "core/abi.h"
#include "core/desc.h"
#include "core/entry.h"
#include "core/life.h"
#include "core/listen.h"
#include "core/port.h"
#include "core/rec.h"
#include "core/thread.h"
#include "net/net.h"
#include "test/fuzz/fuzz.h"

#define NODE_PAGES 128 // few: each input has a new node
#define STEPS 40
#define STEP_NS (100 * NS_PER_MS)

static uint64_t now_ns;
static uint64_t clock_of(struct node *n)
{
    (void)n;
    return now_ns;
}

static void log_nothing(struct node *n, const char *line)
{
    (void)n;
    (void)line;
}

// U-mode: one system call after the other, the number taken from where the thread is.
static void guest(struct node *n, struct thread *t)
{
    t->regs.x[REG_A7] = t->regs.pc++ % (SYS_COUNT + 1);
    entry_syscall(&n->harts[0], t);
}

static struct node *new_node(void)
{
    const struct host_options o = {.clock = clock_of, .seed = 1, .log = log_nothing, .guest_run = guest};
    now_ns = NS_PER_S;
    struct node *n = host_node_new("fuzz", NODE_PAGES, &o);
    if (!n || net_init(n) != 0)
        abort();
    return n;
}

struct counts {
    size_t pages, procs, threads, segs, recs, ports;
};
static struct counts counts(struct node *n)
{
    return (struct counts){page_free_count(n), n->pool_proc.used, n->pool_thread.used,
                           n->pool_seg.used,   n->pool_rec.used,  n->pool_port.used};
}

static int same(struct node *n, const struct counts *was, const char *after)
{
    struct counts is = counts(n);
    if (memcmp(was, &is, sizeof is) == 0)
        return 0;
    printf("# left behind after it was %s: %ld pages, %ld procs, %ld threads, %ld segs, %ld recs, %ld ports\n", after,
           (long)(was->pages - is.pages), (long)(is.procs - was->procs), (long)(is.threads - was->threads),
           (long)(is.segs - was->segs), (long)(is.recs - was->recs), (long)(is.ports - was->ports));
    return 1;
}

static struct proc *decode(struct node *n, const uint8_t *data, size_t size)
{
    struct desc_fill fills[DESC_SEGS_MAX];
    struct buf b = buf_kernel(data, size);
    struct proc *p = NULL;
    const char *why = NULL;
    struct desc_info info;
    unsigned nfills;
    if (desc_check(n, &b, ISA_RV64GC, &info, &why) < 0 || desc_decode(n, &b, &p, fills, &nfills) < 0)
        return NULL;
    return p;
}

// The reaper's work, without services.
static void bury(struct node *n, ep_t ep)
{
    struct hart *h = &n->harts[0];
    struct proc *p = proc_by_ep(n, ep);
    if (!p)
        return;
    proc_finish(n, p, 0);
    if (h->current)
        (void)sched_next(h); // puts it off the hart
    proc_destroy(n, p, false);
}

// Stopped: its descriptor comes back, at first as it is, then with a few bits turned. Whichever of them is applied, the
// process goes on with it.
static struct proc *change(struct node *n, struct proc *p, uint64_t turn)
{
    struct desc_fill fills[DESC_SEGS_MAX];
    const char *why = NULL;
    struct desc_info info;
    unsigned nfills;
    for (int i = 0; i < 3 && p->state == PROC_STUNNED; i++, turn = turn * 6364136223846793005u + 1) {
        struct seg *s;
        struct proc *q;
        uint64_t len;
        if (desc_encode(n, p, &s, &len) != 0)
            return p;
        uint8_t *bytes = malloc(len);
        if (!bytes || seg_read(n, s, 0, bytes, (size_t)len) != 0)
            abort();
        seg_drop(n, s);
        if (i > 0)
            bytes[sizeof(struct desc_hdr) + (turn >> 40) % (len - sizeof(struct desc_hdr))] ^= 1u << (turn >> 32 & 7);
        struct desc_hdr h;
        memcpy(&h, bytes, sizeof h);
        desc_seal(bytes, len, h.sections);
        struct buf b = buf_kernel(bytes, len);
        int e = desc_check(n, &b, ISA_RV64GC, &info, &why);
        if (e == 0)
            e = desc_change_check(n, p, &b, &why);
        if (e == 0)
            e = desc_change_make(n, p, &b, &q, fills, &nfills);
        if (e == 0) {
            desc_change_commit(n, p, q);
            p = q;
        } else if (i == 0 && e != -E_MEM) {
            printf("# its own descriptor was refused: %s\n", why ? why : error_string(e));
            abort();
        }
        free(bytes);
    }
    return p;
}

static void live(struct node *n, struct proc *p, uint64_t turn)
{
    ep_t ep = p->ep;
    if (n->transport)
        n->transport->arrived(n, p);
    if (proc_resume(n, p) != 0)
        abort();
    for (int i = 0; i < STEPS; i++) {
        host_node_step(n);
        now_ns += i % 4 ? 1000 : STEP_NS;
        if (i == STEPS / 2 && p->state == PROC_RUN) { // stopped, described, and on it goes
            proc_stun(n, p);
            host_node_step(n);
            p = change(n, p, turn);
            if (p->state == PROC_STUNNED)
                proc_resume(n, p);
        }
    }
    bury(n, ep);
    for (int i = 0; i < 10; i++) {
        now_ns += RECORD_LIFE_NS;
        host_node_step(n);
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size + 1); // its own block, so that the sanitizer sees its end
    struct node *n = new_node();
    memcpy(bytes, data, size);
    if (size >= sizeof(struct desc_hdr)) {
        struct desc_hdr h;
        memcpy(&h, bytes, sizeof h);
        h.len = h.len % 16 == 15 ? h.len : size; // mostly right
        memcpy(bytes, &h, sizeof h);
        h.checksum = desc_checksum(bytes, size);
        memcpy(bytes, &h, sizeof h);
    }
    struct counts was = counts(n);
    struct proc *p = decode(n, bytes, size);
    int bad = 0;
    if (p) {
        proc_destroy(n, p, true);
        bad = same(n, &was, "decoded and destroyed");
        p = decode(n, bytes, size);
        if (p)
            live(n, p, desc_checksum(bytes, size));
    }
    bad |= same(n, &was, "resumed");
    free(bytes);
    host_node_enter(n);
    net_fini(n);
    host_node_free(n);
    return bad;
}

// --- Well-formed inputs --------------------------------------------------------------------------------------

static struct thread *thread(struct node *n, struct proc *p, enum thread_state state)
{
    struct thread *t = thread_create(n, p, 0);
    t->regs.pc = t->tid;
    t->regs.x[REG_A0] = 1;
    t->regs.x[REG_A1] = 0x20000;
    t->regs.x[REG_A2] = 100;
    t->seq = 3;
    thread_set_state(t, state);
    return t;
}

static struct rec *record(struct node *n, struct proc *p, uint32_t tid, enum rec_state state, struct thread *s)
{
    struct rec *r = txn_rec_create(n, p, 0x5555, tid);
    r->state = state;
    r->seq = 1;
    r->cap.port = p->ports[0].put;
    r->req_len = 50;
    r->remote = true;
    r->server = s;
    if (s)
        s->serve.rec = r;
    return r;
}

static void add_calls(struct node *n, struct proc *p)
{
    for (int state = CALL_SEND; state <= CALL_RECV; state++) {
        struct call *c = &thread(n, p, THREAD_CALL)->call;
        c->state = (enum call_state)state;
        c->seq = 3;
        c->cap.port = (struct port){{1, 2}};
        c->server = state == CALL_SEND ? p->ep : 0x7777;
        c->req = buf_user(p, 0x20000, 3000);
        c->rep = buf_user(p, 0x21000, 3000);
        c->rep_total = state == CALL_RECV ? 2000 : 0;
        c->deadline_ns = UINT64_MAX;
    }
}

static void add_service(struct node *n, struct proc *p)
{
    struct port put;
    (void)port_listen(n, p, (struct port){{8, 9}}, &put);
    struct thread *t = thread(n, p, THREAD_GETREQ);
    t->serve.mask = 1;
    list_add_tail(&p->receivers, &t->run_link);
    t = thread(n, p, THREAD_FILL);
    t->serve.buf = buf_user(p, 0x20000, 4000);
    record(n, p, 1, REC_FILL, t);
    t = thread(n, p, THREAD_READY);
    t->serve.open = true;
    record(n, p, 2, REC_SERVE, t);
    t = thread(n, p, THREAD_PUTREP);
    t->serve.open = true;
    t->serve.buf = buf_user(p, 0x20000, 6000);
    record(n, p, 3, REC_REPLY, t)->rep_len = 6000;
    struct rec *r = record(n, p, 4, REC_REPLY, NULL);
    r->copy = page_alloc(n);
    r->rep_len = 20;
    record(n, p, 5, REC_DONE, NULL);
    r = record(n, p, 6, REC_QUEUED, NULL);
    list_add_tail(&p->queue, &r->queue_link);
}

static struct proc *seed_proc(struct node *n, unsigned i)
{
    struct proc *p;
    struct seg *s;
    if (proc_create(n, EP_NONE, &p) != 0 || seg_create(n, 4 * PAGE_SIZE, &s) != 0)
        abort();
    if (proc_map(n, p, 0x20000, 4 * PAGE_SIZE, s, 0, MAP_READ | MAP_WRITE | MAP_GROW_UP) != 0)
        abort();
    thread(n, p, THREAD_READY);
    if (i & 1)
        add_calls(n, p);
    if (i & 2)
        add_service(n, p);
    if (i & 4) {
        thread(n, p, THREAD_SLEEP)->wake_ns = now_ns + NS_PER_S;
        thread(n, p, THREAD_FUTEX)->wait_va = 0x20004;
    }
    proc_set_state(p, PROC_STUNNED);
    return p;
}

size_t fuzz_seed(unsigned i, uint8_t *buf, size_t max)
{
    if (i >= 8)
        return 0;
    struct node *n = new_node();
    struct proc *p = seed_proc(n, i);
    struct seg *s;
    uint64_t len = 0;
    if (desc_encode(n, p, &s, &len) != 0 || len > max || seg_read(n, s, 0, buf, (size_t)len) != 0)
        abort();
    seg_drop(n, s);
    proc_destroy(n, p, true);
    net_fini(n);
    host_node_free(n);
    return (size_t)len;
}
