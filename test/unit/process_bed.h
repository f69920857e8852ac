// SPDX-License-Identifier: BSD-2-Clause
// A node with services and processes: descriptors made by hand, guests of one system call, an owner that notes what it
// is told.
#ifndef TEST_UNIT_PROCESS_BED_H
#define TEST_UNIT_PROCESS_BED_H

#include "test/unit/service_bed.h"

#include "core/abi.h"
#include "core/cap.h"
#include "core/desc.h"
#include "core/entry.h"
#include "core/life.h"
#include "core/thread.h"

#define PAGE 4096u
#define FAULT_PC 0xdead0u // a guest that gets here reads address 0x10

// A guest is its registers: it makes the system call in a7, or faults.
static inline void process_run(struct node *n, struct thread *t)
{
    if (t->regs.pc == FAULT_PC)
        entry_fault(&n->harts[0], t, FAULT_READ, 0x10, 13);
    else
        entry_syscall(&n->harts[0], t);
}

static inline int process_setup(void **state)
{
    static const uint8_t ring_key[32] = {1, 2, 3};
    const struct host_options o = {
        .clock = unit_clock, .seed = 1, .log = bed_keep_log, .guest_run = process_run, .ring_key = ring_key};
    bed_log.count = 0;
    return bed_setup_with(state, &o);
}

static inline int process_teardown(void **state)
{
    struct node *n = unit_node(state);
    if (bed_stuck(state))
        return -1;
    LIST_FOR (l, &n->procs) {
        struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (p != n->kproc && p->state != PROC_ARRIVING)
            proc_finish(n, p, 0);
    }
    return bed_teardown(state);
}
#define PROCESS_TEST(f) cmocka_unit_test_setup_teardown(f, process_setup, process_teardown)

// An owner lives as long as the node: what it holds is no leak.
static inline int owner_teardown(void **state)
{
    struct unit *u = *state;
    if (bed_stuck(state))
        return -1;
    bed_pass(u->n, 120 * NS_PER_S);
    services_stop(u->n);
    host_node_free(u->n);
    free(u);
    return 0;
}
#define OWNER_TEST(f) cmocka_unit_test_setup_teardown(f, process_setup, owner_teardown)

// --- Descriptors made by hand ---------------------------------------------------------------------------------------

struct maker {
    _Alignas(8) uint8_t b[6000];
    size_t len;
    uint32_t sections;
};
static inline void add(struct maker *m, uint32_t tag, const void *p, size_t len)
{
    struct desc_sec s = {.tag = tag, .len = len};
    memcpy(m->b + m->len, &s, sizeof s);
    memcpy(m->b + m->len + sizeof s, p, len);
    m->len += sizeof s + ((len + 7) & ~7ull);
    m->sections++;
}

struct plan { // of a process: one segment, one thread
    ep_t ep;
    struct cap owner, source;
    uint64_t source_off, source_len, dest_off, len;
    uint64_t pc, a7, a0;
    bool stunned;
    bool false_ep; // ep is the endpoint itself; else the secret, and with it the endpoint, is made from it. 0: new
    uint32_t priority, priority_limit; // 1 + level
};
static inline struct port plan_secret(const struct plan *p)
{
    return (struct port){{p->ep * 3, p->ep * 5}};
}
static inline struct plan plan(void)
{
    return (struct plan){.len = 16 * PAGE, .pc = 0x10000, .a7 = SYS_SLEEP, .a0 = 1ull << 60};
}
static inline void make(struct maker *m, const struct plan *p)
{
    memset(m, 0, sizeof *m);
    m->len = sizeof(struct desc_hdr);
    struct port secret = plan_secret(p);
    struct desc_proc proc = {.ep = p->ep && !p->false_ep ? cap_put_port(secret).w[0] : p->ep,
                             .ctl_get = {secret.w[0], secret.w[1]},
                             .priority = p->priority,
                             .priority_limit = p->priority_limit,
                             .key = {1},
                             .owner = p->owner,
                             .next_tid = 2,
                             .name = "guest",
                             .stunned = p->stunned};
    struct desc_seg seg = {.source = p->source,
                           .source_off = p->source_off,
                           .source_len = p->source_len,
                           .dest_off = p->dest_off,
                           .len = p->len};
    struct desc_map map = {.va = 0x10000, .len = p->len, .flags = MAP_READ | MAP_WRITE | MAP_EXEC};
    struct desc_thread th = {.tid = 1, .state = THREAD_READY, .pc = p->pc, .wake_left_ns = UINT64_MAX};
    th.x[REG_A7] = p->a7;
    th.x[REG_A0] = p->a0;
    th.x[REG_SP] = 0x20000;
    add(m, DESC_PROC, &proc, sizeof proc);
    add(m, DESC_SEG, &seg, sizeof seg);
    add(m, DESC_MAP, &map, sizeof map);
    add(m, DESC_THRD, &th, sizeof th);
    desc_seal(m->b, m->len, m->sections);
}

static inline int64_t exec(struct node *n, const struct plan *p, struct cap *out)
{
    struct maker m;
    make(&m, p);
    return bed_call(n, bed_lookup(n, "proc"), OP_PROC_EXEC, 0, 0, m.b, m.len, out, sizeof *out);
}

static inline struct proc *the_proc(struct node *n)
{
    LIST_FOR (l, &n->procs) {
        struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (p != n->kproc)
            return p;
    }
    return NULL;
}

// --- Contents -------------------------------------------------------------------------------------------------------

static inline struct cap seg_make(struct node *n, uint64_t len)
{
    struct cap c;
    assert_int_equal(bed_call(n, bed_lookup(n, "seg"), OP_SEG_CREATE, len, 0, NULL, 0, &c, sizeof c), 0);
    return c;
}

// A segment with data at its ends and a hole of 500 pages between, as an executable with much zeroed data.
static inline struct cap source_make(struct node *n)
{
    static uint8_t bytes[3 * PAGE];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i % 251);
    struct cap c = seg_make(n, 510 * PAGE);
    assert_int_equal(bed_call(n, c, OP_WRITE, 0, 0, bytes, sizeof bytes, NULL, 0), 0);
    assert_int_equal(bed_call(n, c, OP_WRITE, 507 * PAGE, 0, bytes, sizeof bytes, NULL, 0), 0);
    return c;
}

// --- Starting and ending one ----------------------------------------------------------------------------------------

struct life {
    struct plan p;
    struct cap c;
    ep_t ep;
    int64_t status;
};
static inline void exec_only_body(struct node *n, void *arg)
{
    struct life *l = arg;
    l->status = exec(n, &l->p, &l->c);
    l->ep = l->status == 0 && the_proc(n) ? the_proc(n)->ep : 0;
}
static inline void destroy_body(struct node *n, void *arg)
{
    struct life *l = arg;
    l->status = bed_call(n, l->c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0);
}

// --- Owners ---------------------------------------------------------------------------------------------------------

#define OWNER_EVENTS 2000u

struct owner { // a service that notes what it is told
    struct port get;
    struct cap cap;
    bool silent; // takes the event and does not answer
    unsigned count;
    uint64_t event[OWNER_EVENTS], ep[OWNER_EVENTS], a2[OWNER_EVENTS], a3[OWNER_EVENTS];
    struct owner_fault fault;
};
static inline void owner_main(struct node *n, void *arg)
{
    struct owner *o = arg;
    struct port put;
    int handle = task_listen(n, o->get, &put);
    assert_true(handle >= 0);
    o->cap = (struct cap){.port = put};
    for (;;) {
        struct task_request r;
        struct owner_fault f = {0};
        assert_int_equal(task_getreq(n, 1ull << handle, buf_kernel(&f, sizeof f), 0, &r), 0);
        assert_int_equal(r.op, OP_PROC_WAIT_EVENT);
        assert_true(o->count < OWNER_EVENTS);
        o->event[o->count] = r.arg[0];
        o->ep[o->count] = r.arg[1];
        o->a2[o->count] = r.arg[2];
        o->a3[o->count++] = r.arg[3];
        if (r.len)
            o->fault = f;
        if (o->silent)
            task_wait(n, o);
        assert_int_equal(task_putrep(n, 0, NULL, buf_none()), 0);
    }
}
// It lives as long as the node: what it holds counts as there before.
static inline struct owner *owner_new(struct node *n)
{
    static struct owner owners[2];
    static unsigned next;
    struct owner *o = &owners[next++ % 2];
    *o = (struct owner){.get = {{next, 99}}};
    assert_non_null(task_spawn(n, "owner", owner_main, o));
    bed_pass(n, 0);
    return o;
}

#endif
