// SPDX-License-Identifier: BSD-2-Clause
// Descriptors: what a kernel encodes, another decodes and encodes to the same bytes; and whatever is changed in them is
// refused, or accepted, without a trace.
#include "core/futex.h"
#include "core/listen.h"
#include "test/unit/unit.h"

#include "core/abi.h"
#include "core/cap.h"
#include "core/desc.h"
#include "core/port.h"
#include "core/proc.h"
#include "core/rec.h"
#include "core/thread.h"
#include "core/txn.h"

#define CODE 0x100000ull
#define DATA 0x200000ull
#define ALIAS 0x300000ull // the data segment once more
#define CLIENT ((ep_t)0x1111222233334444)

// --- A process with one of everything ---------------------------------------------------------------------

static struct seg *map(struct node *n, struct proc *p, uint64_t va, uint64_t len, uint32_t flags)
{
    struct seg *s;
    assert_int_equal(seg_create(n, len, &s), 0);
    assert_int_equal(proc_map(n, p, va, len, s, 0, flags), 0);
    return s;
}

static struct thread *thread(struct node *n, struct proc *p, enum thread_state state)
{
    struct thread *t = thread_create(n, p, 0);
    assert_non_null(t);
    for (unsigned i = 1; i < 32; i++)
        t->regs.x[i] = t->tid * 1000 + i;
    t->regs.pc = CODE + t->tid;
    if (t->tid & 1) {
        assert_int_equal(thread_use_fp(n, t), 0);
        t->regs.fp->f[3] = 0x4009000000000000;
    }
    t->seq = 10 + t->tid;
    thread_set_state(t, state);
    return t;
}

static void calling(struct thread *t, enum call_state state)
{
    struct call *c = &t->call;
    *c = (struct call){.state = state,
                       .begun = true,
                       .remote = true,
                       .op = 7,
                       .seq = t->seq,
                       .cap = {.port = {{5, 6}}, .obj_rights = 9},
                       .arg = {1, 2, 3, 4},
                       .req = buf_user(t->proc, DATA, 5000),
                       .rep = buf_user(t->proc, DATA + 8192, 9000),
                       .server = CLIENT + 1,
                       .deadline_ns = unit_now_ns + 5 * NS_PER_S};
    list_init(&c->remote_link);
    c->sent = (struct progress){.base = state == CALL_SEND ? 1312 : 5000, .mask = 0, .frag = 1312};
    if (state == CALL_RECV) {
        c->rep_total = 8000;
        c->got = (struct progress){.base = 1312, .mask = 6, .frag = 1312};
        c->status = 17;
        c->res[2] = 99;
    }
}

static struct rec *record(struct node *n, struct proc *p, uint32_t tid, enum rec_state state, struct thread *s)
{
    struct rec *r = txn_rec_create(n, p, CLIENT, tid);
    assert_non_null(r);
    r->state = state;
    r->seq = 100 + tid;
    r->op = 3;
    r->cap = (struct cap){.port = p->ports[0].put, .obj_rights = 77};
    r->arg[1] = 55;
    r->req_len = 3000;
    r->remote = true;
    r->server = s;
    if (s)
        s->serve.rec = r;
    return r;
}

static void add_records(struct node *n, struct proc *p)
{
    struct rec *r = record(n, p, 1, REC_FILL, thread(n, p, THREAD_FILL));
    r->got = (struct progress){.base = 1312, .mask = 0, .frag = 1312};
    r->server->serve.buf = buf_user(p, DATA, 4000);
    r = record(n, p, 2, REC_SERVE, thread(n, p, THREAD_SLEEP));
    r->server->serve.open = true;
    r->server->wake_ns = unit_now_ns + NS_PER_S;
    r = record(n, p, 3, REC_REPLY, thread(n, p, THREAD_PUTREP));
    r->server->serve.open = true;
    r->server->serve.buf = buf_user(p, DATA, 9000);
    r->rep_len = 9000;
    r->sent = (struct progress){.base = 2624, .mask = 2, .frag = 1312};
    r = record(n, p, 4, REC_REPLY, NULL);
    r->copy = page_alloc(n);
    r->rep_len = 13;
    memcpy(r->copy, "a short reply", 13);
    r->status = -3;
    r = record(n, p, 5, REC_DONE, NULL);
    for (uint32_t tid = 6; tid < 8; tid++) {
        r = record(n, p, tid, REC_QUEUED, NULL);
        list_add_tail(&p->queue, &r->queue_link);
    }
}

static struct proc *rich(struct node *n)
{
    struct proc *p;
    struct port put;
    assert_int_equal(proc_create(n, EP_NONE, &p), 0);
    map(n, p, CODE, 4 * PAGE_SIZE, MAP_READ | MAP_EXEC);
    struct seg *s = map(n, p, DATA, 16 * PAGE_SIZE, MAP_READ | MAP_WRITE | MAP_GROW_UP);
    seg_hold(s);
    assert_int_equal(proc_map(n, p, ALIAS, 4 * PAGE_SIZE, s, PAGE_SIZE, MAP_READ), 0);
    strcpy(p->name, "rich");
    strcpy(p->comment, "one of everything");
    p->owner = (struct cap){.port = {{1, 2}}, .obj_rights = 3};
    p->moves = 4;
    p->mem_limit = 1 * MIB;
    p->stay_stunned = true;
    assert_int_equal(port_listen(n, p, (struct port){{21, 22}}, &put), 0);
    assert_int_equal(port_listen(n, p, (struct port){{23, 24}}, &put), 1);
    thread(n, p, THREAD_READY);
    thread(n, p, THREAD_FUTEX)->wait_va = DATA + 4;
    struct thread *t = thread(n, p, THREAD_GETREQ);
    t->serve.mask = 3;
    t->serve.buf = buf_user(p, DATA, 100);
    list_add_tail(&p->receivers, &t->run_link);
    calling(thread(n, p, THREAD_CALL), CALL_SEND);
    calling(thread(n, p, THREAD_CALL), CALL_WAIT);
    calling(thread(n, p, THREAD_CALL), CALL_RECV);
    add_records(n, p);
    proc_set_state(p, PROC_STUNNED);
    return p;
}

struct bytes {
    uint8_t *at;
    uint64_t len;
};

static struct bytes encode(struct node *n, struct proc *p)
{
    struct seg *s;
    struct bytes b;
    assert_int_equal(desc_encode(n, p, &s, &b.len), 0);
    b.at = malloc(b.len);
    assert_int_equal(seg_read(n, s, 0, b.at, b.len), 0);
    seg_drop(n, s);
    return b;
}

static int decode(struct node *n, const struct bytes *b, struct proc **p)
{
    struct desc_fill fills[DESC_SEGS_MAX];
    unsigned nfills;
    const char *why = NULL;
    struct desc_info info;
    struct buf buf = buf_kernel(b->at, b->len);
    int e = desc_check(n, &buf, ISA_RV64GC, &info, &why);
    if (e < 0) {
        assert_non_null(why);
        return e;
    }
    return desc_decode(n, &buf, p, fills, &nfills);
}

static struct desc_hdr *header(const struct bytes *b)
{
    return (struct desc_hdr *)(void *)b->at;
}
static void seal(struct bytes *b)
{
    header(b)->checksum = desc_checksum(b->at, b->len);
}

// What must differ: capabilities of segments are the node's.
static void forget_sources(struct bytes *b)
{
    uint64_t off = sizeof(struct desc_hdr);
    for (uint32_t i = 0; i < header(b)->sections; i++) {
        struct desc_sec *sec = (struct desc_sec *)(void *)(b->at + off);
        if (sec->tag == DESC_SEG)
            memset(&((struct desc_seg *)(void *)(sec + 1))->source, 0, sizeof(struct cap));
        off += sizeof *sec + ((sec->len + 7) & ~7ull);
    }
    assert_int_equal(off, b->len);
    seal(b);
}

static struct bytes encoded_rich(struct node *n)
{
    struct proc *p = rich(n);
    struct bytes b = encode(n, p);
    proc_destroy(n, p, true);
    return b;
}

// --- Round trips ---------------------------------------------------------------------------------------------

static void what_was_encoded_here_is_the_same_after_decoding_there(void **state)
{
    struct node *here = unit_node(state);
    struct node *there = host_node_new("there", 256, &(struct host_options){.clock = unit_clock, .seed = 2});
    host_node_enter(here);
    struct bytes first = encoded_rich(here);
    struct proc *p = NULL;
    host_node_enter(there);
    size_t pages = page_free_count(there);
    assert_int_equal(decode(there, &first, &p), 0);
    assert_int_equal(p->state, PROC_ARRIVING);
    struct bytes second = encode(there, p);
    proc_destroy(there, p, true);
    assert_int_equal(page_free_count(there), pages);
    forget_sources(&first);
    forget_sources(&second);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.at, second.at, first.len);
    host_node_free(there);
    host_node_enter(here);
    free(first.at);
    free(second.at);
}

// Two descriptors that lack the same are equal: so what arrives is compared with what left, field by field.
static void expect_progress(const struct progress *there, const struct progress *here)
{
    assert_int_equal(there->base, here->base);
    assert_int_equal(there->mask, here->mask);
    assert_int_equal(there->frag, here->frag);
}

static void expect_record(const struct rec *there, const struct rec *here)
{
    assert_non_null(there);
    assert_int_equal(there->state, here->state);
    assert_int_equal(there->seq, here->seq);
    assert_int_equal(there->op, here->op);
    assert_int_equal(there->req_len, here->req_len);
    assert_int_equal(there->rep_len, here->rep_len);
    assert_int_equal(there->status, here->status);
    expect_progress(&there->got, &here->got);
    expect_progress(&there->sent, &here->sent);
    assert_int_equal(there->copy != NULL, here->copy != NULL);
    if (here->copy)
        assert_memory_equal(there->copy, here->copy, here->rep_len);
    assert_int_equal(there->server ? there->server->tid : 0, here->server ? here->server->tid : 0);
}

static void expect_call(const struct call *there, const struct call *here)
{
    assert_int_equal(there->state, here->state);
    assert_int_equal(there->seq, here->seq);
    assert_int_equal(there->server, here->server);
    assert_int_equal(there->begun, here->begun);
    assert_int_equal(there->rep_total, here->rep_total);
    expect_progress(&there->sent, &here->sent);
    expect_progress(&there->got, &here->got);
}

static void short_replies(struct node *n, struct proc *p)
{
    static const uint64_t lengths[] = {1, 255, 256, 257, REPLY_COPY_MAX};
    for (uint32_t i = 0; i < 5; i++) {
        struct rec *r = record(n, p, 20 + i, REC_REPLY, NULL);
        r->copy = page_alloc(n);
        memset(r->copy, 'a' + (int)i, PAGE_SIZE);
        r->rep_len = lengths[i];
    }
}

static void each_call_and_record_is_there_as_it_was_here(void **state)
{
    struct node *n = unit_node(state);
    struct node *there = host_node_new("there", 256, &(struct host_options){.clock = unit_clock, .seed = 2});
    struct proc *p, *q;
    host_node_enter(n);
    p = rich(n);
    short_replies(n, p);
    txn_rec_find(n, p->ep, CLIENT, 1)->got.mask = 0x14;
    LIST_FOR (l, &p->threads) {
        struct thread *t = LIST_ENTRY(l, struct thread, link);
        if (t->state == THREAD_CALL && t->call.state == CALL_SEND)
            t->call.sent.mask = 2;
    }
    struct bytes b = encode(n, p);
    host_node_enter(there);
    assert_int_equal(decode(there, &b, &q), 0);
    LIST_FOR (l, &p->recs) {
        const struct rec *r = LIST_ENTRY(l, struct rec, link);
        expect_record(txn_rec_find(there, q->ep, r->client, r->tid), r);
    }
    LIST_FOR (l, &p->threads) {
        const struct thread *t = LIST_ENTRY(l, struct thread, link);
        struct thread *u = thread_find(q, t->tid);
        assert_non_null(u);
        assert_int_equal(u->state, t->state);
        assert_int_equal(u->seq, t->seq);
        if (t->state == THREAD_CALL)
            expect_call(&u->call, &t->call);
    }
    proc_destroy(there, q, true);
    host_node_free(there);
    host_node_enter(n);
    proc_destroy(n, p, true);
    free(b.at);
}

static void times_travel_as_what_is_left_of_them(void **state)
{
    struct node *n = unit_node(state);
    struct bytes b = encoded_rich(n);
    struct proc *p = NULL;
    unit_now_ns += 1000 * NS_PER_S; // a long way
    assert_int_equal(decode(n, &b, &p), 0);
    unsigned sleepers = 0;
    LIST_FOR (l, &p->threads) {
        const struct thread *t = LIST_ENTRY(l, struct thread, link);
        if (t->state == THREAD_SLEEP) {
            assert_int_equal(t->wake_ns, unit_now_ns + NS_PER_S);
            sleepers++;
        }
        if (t->state == THREAD_CALL)
            assert_int_equal(t->call.deadline_ns, unit_now_ns + 5 * NS_PER_S);
    }
    assert_int_equal(sleepers, 1);
    assert_int_equal(p->time_offset + unit_now_ns, 0); // its clock stood still: at 0, where it was
    proc_destroy(n, p, true);
    free(b.at);
}

// A new process (endpoint 0) may begin in the middle of a call. Its server, stunned when it ends, must learn of it
// later.
static void a_new_process_that_has_a_call_is_missed_by_its_server_when_it_ends(void **state)
{
    struct node *n = unit_node(state);
    struct bytes b = encoded_rich(n);
    struct proc *p = NULL, *server;
    struct desc_proc *d = (struct desc_proc *)(void *)(b.at + sizeof(struct desc_hdr) + sizeof(struct desc_sec));
    d->ep = EP_NONE;
    seal(&b);
    assert_int_equal(decode(n, &b, &p), 0);
    assert_int_equal(proc_create(n, EP_NONE, &server), 0);
    struct rec *r = txn_rec_create(n, server, p->ep, 4); // as its first call makes it
    assert_non_null(r);
    r->seq = 14;
    r->state = REC_QUEUED;
    list_add_tail(&server->queue, &r->queue_link);
    proc_set_state(server, PROC_STUNNED);
    proc_destroy(n, p, false);
    assert_true(r->lost);
    proc_destroy(n, server, true);
    free(b.at);
}

static void an_endpoint_lives_on_a_node_once(void **state)
{
    struct node *n = unit_node(state);
    struct bytes b = encoded_rich(n);
    struct proc *p = NULL, *again = NULL;
    assert_int_equal(decode(n, &b, &p), 0);
    assert_int_equal(decode(n, &b, &again), -E_EXISTS);
    proc_destroy(n, p, true);
    free(b.at);
}

static void a_process_that_runs_is_not_encoded(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = rich(n);
    struct seg *s;
    uint64_t len;
    p->state = PROC_RUN;
    assert_int_equal(desc_encode(n, p, &s, &len), -E_STATE);
    p->state = PROC_STUNNED;
    proc_destroy(n, p, true);
}

// --- What is refused, by name ----------------------------------------------------------------------------------

static void the_wrong_kind_of_bytes_is_refused_by_name(void **state)
{
    struct node *n = unit_node(state);
    struct bytes b = encoded_rich(n);
    struct proc *p;
    b.at[0] ^= 1;
    assert_int_equal(decode(n, &b, &p), -E_MAGIC);
    b.at[0] ^= 1;
    header(&b)->version++;
    assert_int_equal(decode(n, &b, &p), -E_VERSION);
    header(&b)->version--;
    header(&b)->arch = 62;
    assert_int_equal(decode(n, &b, &p), -E_ARCH);
    header(&b)->arch = DESC_ARCH_RISCV64;
    header(&b)->isa = ISA_ZBA;
    assert_int_equal(decode(n, &b, &p), -E_ARCH);
    header(&b)->isa = 0;
    b.at[b.len - 1] ^= 1;
    assert_int_equal(decode(n, &b, &p), -E_CHECKSUM);
    b.at[b.len - 1] ^= 1;
    b.len -= 8;
    assert_int_equal(decode(n, &b, &p), -E_FORMAT);
    b.len = 10;
    assert_int_equal(decode(n, &b, &p), -E_MAGIC);
    free(b.at);
}

// Position of the i-th section with this tag.
static uint64_t section(const struct bytes *b, uint32_t tag, unsigned i)
{
    uint64_t off = sizeof(struct desc_hdr);
    for (;;) {
        const struct desc_sec *sec = (const struct desc_sec *)(const void *)(b->at + off);
        if (sec->tag == tag && i-- == 0)
            return off;
        off += sizeof *sec + ((sec->len + 7) & ~7ull);
    }
}

static void an_unknown_section_is_refused_unless_it_may_be_skipped(void **state)
{
    struct node *n = unit_node(state);
    struct bytes b = encoded_rich(n), more = {malloc(b.len + 24), b.len + 24};
    struct desc_sec sec = {.tag = 99, .len = 3};
    struct proc *p;
    memcpy(more.at, b.at, b.len);
    memset(more.at + b.len, 0, 24);
    memcpy(more.at + b.len, &sec, sizeof sec);
    header(&more)->len = more.len;
    header(&more)->sections++;
    seal(&more);
    assert_int_equal(decode(n, &more, &p), -E_VERSION);
    sec.flags = DESC_SKIPPABLE;
    memcpy(more.at + b.len, &sec, sizeof sec);
    seal(&more);
    assert_int_equal(decode(n, &more, &p), 0);
    proc_destroy(n, p, true);
    free(b.at);
    free(more.at);
}

static void a_record_whose_thread_does_something_else_is_refused(void **state)
{
    struct node *n = unit_node(state);
    struct bytes b = encoded_rich(n);
    struct proc *p;
    uint64_t at = section(&b, DESC_REC, 0) + sizeof(struct desc_sec) + offsetof(struct desc_rec, server_tid);
    uint32_t tid = 1; // a thread that is ready
    memcpy(b.at + at, &tid, sizeof tid);
    seal(&b);
    assert_int_equal(decode(n, &b, &p), -E_FORMAT);
    free(b.at);
}

// --- Anything at all ---------------------------------------------------------------------------------------------

static void mutated_bytes_are_refused_or_accepted_and_leave_nothing(void **state)
{
    struct node *n = unit_node(state);
    struct unit_rand r = {3};
    struct bytes b = encoded_rich(n), m = {malloc(b.len), b.len};
    unsigned accepted = 0;
    struct unit before = unit_counts(n);
    for (int i = 0; i < 4000; i++) {
        struct proc *p;
        memcpy(m.at, b.at, b.len);
        for (uint64_t k = 0; k <= unit_below(&r, 3); k++) {
            uint64_t word = unit_below(&r, 2) ? unit_below(&r, 300) : unit_rand(&r);
            size_t len = 1u << unit_below(&r, 4);
            memcpy(m.at + unit_below(&r, b.len - 8), &word, len);
        }
        seal(&m);
        if (decode(n, &m, &p) == 0) {
            accepted++;
            proc_destroy(n, p, true);
        }
        struct unit now = unit_counts(n);
        assert_memory_equal(&before, &now, sizeof now);
    }
    assert_true(accepted > 100); // else the mutations never got deep
    free(b.at);
    free(m.at);
}

static void memory_that_ends_on_the_way_leaves_nothing(void **state)
{
    struct node *n = unit_node(state);
    struct bytes b = encoded_rich(n);
    struct unit before = unit_counts(n);
    int e = -E_MEM;
    for (long fail = 0; e == -E_MEM && fail < 1000; fail++) {
        struct proc *p;
        n->pages.fail_after = fail;
        e = decode(n, &b, &p);
        n->pages.fail_after = -1;
        if (e == 0)
            proc_destroy(n, p, true);
        struct unit now = unit_counts(n);
        assert_memory_equal(&before, &now, sizeof now);
    }
    assert_int_equal(e, 0);
    struct proc *p = rich(n);
    before = unit_counts(n);
    for (long fail = 0, end = 0; !end; fail++) {
        struct seg *s;
        uint64_t len;
        n->pages.fail_after = fail;
        e = desc_encode(n, p, &s, &len);
        n->pages.fail_after = -1;
        end = e == 0;
        if (e == 0)
            seg_drop(n, s);
        else
            assert_int_equal(e, -E_MEM);
        struct unit now = unit_counts(n);
        assert_memory_equal(&before, &now, sizeof now);
    }
    proc_destroy(n, p, true);
    free(b.at);
}

// --- A descriptor that comes back ----------------------------------------------------------------------------------

// Checks, makes, commits. *p is the process afterwards, the same one or the changed one.
static int change(struct node *n, struct proc **p, const struct bytes *b)
{
    struct desc_fill fills[DESC_SEGS_MAX];
    unsigned nfills;
    struct proc *q;
    const char *why = NULL;
    struct desc_info info;
    struct buf buf = buf_kernel(b->at, b->len);
    int e = desc_check(n, &buf, ISA_RV64GC, &info, &why);
    if (e == 0)
        e = desc_change_check(n, *p, &buf, &why);
    if (e < 0) {
        assert_non_null(why);
        return e;
    }
    e = desc_change_make(n, *p, &buf, &q, fills, &nfills);
    if (e < 0)
        return e;
    desc_change_commit(n, *p, q);
    *p = q;
    return 0;
}

static void assert_same_bytes(const struct bytes *a, const struct bytes *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->at, b->at, a->len);
}

// The process is still what `was` says.
static void assert_unchanged(struct node *n, struct proc *p, const struct bytes *was)
{
    struct bytes now = encode(n, p);
    assert_same_bytes(was, &now);
    free(now.at);
}

static void the_same_descriptor_back_changes_nothing(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = rich(n);
    struct seg *data = proc_find_map(p, DATA)->seg;
    struct bytes b = encode(n, p);
    struct unit before = unit_counts(n);
    ep_t ep = p->ep;
    assert_int_equal(seg_write(n, data, 5, "what is in memory", 18), 0);
    before.free_pages = page_free_count(n);
    for (int i = 0; i < 3; i++) {
        unit_now_ns += 7 * NS_PER_S; // time passes, and not for a process that stands still
        assert_unchanged(n, p, &b);
        assert_int_equal(change(n, &p, &b), 0);
        struct unit now = unit_counts(n);
        now.free_pages = before.free_pages; // its records may lie on other pages now; teardown counts
        assert_memory_equal(&before, &now, sizeof now);
    }
    assert_unchanged(n, p, &b);
    assert_int_equal(proc_resume(n, p), 0);
    assert_int_equal(futex_wake(n, p, DATA + 4, 9),
                     1); // who waits at an address is found there
    assert_int_equal(proc_stun(n, p), 0);
    char text[18];
    assert_ptr_equal(proc_find_map(p, DATA)->seg, data); // not copied
    assert_ptr_equal(proc_find_map(p, ALIAS)->seg, data);
    assert_int_equal(seg_read(n, data, 5, text, sizeof text), 0);
    assert_string_equal(text, "what is in memory");
    assert_ptr_equal(proc_by_ep(n, ep), p);
    assert_ptr_equal(proc_by_pid(n, p->pid), p);
    assert_int_equal(p->state, PROC_STUNNED);
    proc_destroy(n, p, true);
    free(b.at);
}

static void time_stands_still_for_a_stopped_process(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = rich(n);
    uint64_t clock = unit_now_ns + p->time_offset, sleeps = UINT64_MAX, deadline = UINT64_MAX;
    unit_now_ns += 100 * NS_PER_S; // longer than any of its time-outs
    assert_int_equal(proc_resume(n, p), 0);
    assert_int_equal(unit_now_ns + p->time_offset, clock);
    LIST_FOR (l, &p->threads) {
        const struct thread *t = LIST_ENTRY(l, struct thread, link);
        if (t->state == THREAD_SLEEP)
            sleeps = t->wake_ns - unit_now_ns;
        if (t->state == THREAD_CALL)
            deadline = t->call.deadline_ns - unit_now_ns;
    }
    assert_int_equal(sleeps, NS_PER_S);
    assert_int_equal(deadline, 5 * NS_PER_S);
    assert_int_equal(proc_stun(n, p), 0);
    proc_destroy(n, p, true);
}

// The body of the i-th section with this tag.
static void *body(const struct bytes *b, uint32_t tag, unsigned i)
{
    return b->at + section(b, tag, i) + sizeof(struct desc_sec);
}

static void a_change_of_what_may_change_is_applied(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = rich(n);
    struct bytes b = encode(n, p);
    struct desc_proc *d = body(&b, DESC_PROC, 0);
    strcpy(d->name, "other");
    strcpy(d->comment, "changed");
    d->owner.obj_rights = 12;
    d->mem_limit = 2 * MIB;
    struct desc_thread *t = body(&b, DESC_THRD, 0);
    t->pc = CODE + 64;
    t->x[10] = 4711;
    t->f[3] = 42;
    t = body(&b, DESC_THRD, 3); // gives its call up
    assert_int_equal(t->state, THREAD_CALL);
    t->state = THREAD_READY;
    memset(&t->call, 0, sizeof t->call);
    struct desc_map *m = body(&b, DESC_MAP, 0);
    m->flags = MAP_READ | MAP_WRITE;
    seal(&b);
    assert_int_equal(change(n, &p, &b), 0);
    assert_string_equal(p->name, "other");
    assert_string_equal(p->comment, "changed");
    assert_int_equal(p->owner.obj_rights, 12);
    assert_int_equal(p->mem_limit, 2 * MIB);
    const struct thread *t1 = thread_find(p, 1);
    assert_int_equal(t1->regs.pc, CODE + 64);
    assert_int_equal(t1->regs.x[10], 4711);
    assert_int_equal(t1->regs.fp->f[3], 42);
    assert_int_equal(thread_find(p, 4)->state, THREAD_READY);
    assert_int_equal(proc_find_map(p, CODE)->flags, MAP_READ | MAP_WRITE);
    assert_unchanged(n, p, &b);
    proc_destroy(n, p, true);
    free(b.at);
}

static void an_altered_identity_or_transaction_is_refused_and_nothing_changes(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = rich(n);
    struct bytes b = encode(n, p);
    const struct {
        uint32_t tag;
        unsigned index;
        size_t off, len;
        int error;
    } altered[] = {
#define FIELD(tag, i, type, field, e) {tag, i, offsetof(struct type, field), sizeof(((struct type *)0)->field), e}
        FIELD(DESC_PROC, 0, desc_proc, ep, -E_ARG),
        FIELD(DESC_PROC, 0, desc_proc, ctl_get, -E_ARG),
        FIELD(DESC_PROC, 0, desc_proc, key, -E_ARG),
        FIELD(DESC_PROC, 0, desc_proc, moves, -E_ARG),
        FIELD(DESC_PROC, 0, desc_proc, runs, -E_STATE),
        FIELD(DESC_THRD, 3, desc_thread, call.seq, -E_FORMAT),
        FIELD(DESC_THRD, 3, desc_thread, call.op, -E_ARG),
        FIELD(DESC_THRD, 3, desc_thread, call.arg, -E_ARG),
        FIELD(DESC_THRD, 4, desc_thread, call.server, -E_ARG),
        FIELD(DESC_THRD, 5, desc_thread, call.deadline_left_ns, -E_ARG),
        FIELD(DESC_REC, 0, desc_rec, client, -E_ARG),
        FIELD(DESC_REC, 1, desc_rec, seq, -E_ARG),
        FIELD(DESC_REC, 3, desc_rec, status, -E_ARG),
        FIELD(DESC_REC, 4, desc_rec, op, -E_ARG),
        FIELD(DESC_REC, 6, desc_rec, arg, -E_ARG),
#undef FIELD
    };
    for (size_t i = 0; i < sizeof altered / sizeof *altered; i++) {
        uint8_t *at = (uint8_t *)body(&b, altered[i].tag, altered[i].index) + altered[i].off;
        at[1] ^= 0x80;
        seal(&b);
        assert_int_equal(change(n, &p, &b), altered[i].error);
        at[1] ^= 0x80;
        seal(&b);
        assert_unchanged(n, p, &b);
    }
    struct desc_thread *t = body(&b, DESC_THRD, 0);
    t->seq--;
    seal(&b);
    assert_int_equal(change(n, &p, &b), -E_ARG); // its transactions would be taken for old ones
    t->seq++;
    struct desc_proc *d = body(&b, DESC_PROC, 0);
    d->clock_ns--;
    seal(&b);
    assert_int_equal(change(n, &p, &b), -E_ARG); // its clock would go back
    d->clock_ns++;
    struct desc_rec *r = body(&b, DESC_REC, 3);
    ((char *)(r + 1))[2] ^= 1;
    seal(&b);
    assert_int_equal(change(n, &p, &b), -E_ARG); // a reply that may have been received already
    ((char *)(r + 1))[2] ^= 1;
    seal(&b);
    assert_unchanged(n, p, &b);
    proc_destroy(n, p, true);
    free(b.at);
}

static void a_descriptor_of_before_it_ran_is_refused(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = rich(n);
    struct bytes b = encode(n, p);
    const char *why;
    struct buf buf = buf_kernel(b.at, b.len);
    assert_int_equal(proc_resume(n, p), 0);
    assert_int_equal(change(n, &p, &b), -E_STATE); // it runs
    assert_int_equal(proc_stun(n, p), 0);
    assert_int_equal(desc_change_check(n, p, &buf, &why), -E_STATE);
    assert_string_equal(why, "the process has run since this descriptor was taken");
    proc_destroy(n, p, true);
    free(b.at);
}

// Without its i-th section of this kind.
static struct bytes without(const struct bytes *b, uint32_t tag, unsigned i)
{
    uint64_t off = section(b, tag, i);
    const struct desc_sec *sec = (const struct desc_sec *)(const void *)(b->at + off);
    uint64_t len = sizeof *sec + ((sec->len + 7) & ~7ull);
    struct bytes less = {malloc(b->len - len), b->len - len};
    memcpy(less.at, b->at, off);
    memcpy(less.at + off, b->at + off + len, b->len - len - off);
    header(&less)->len = less.len;
    header(&less)->sections--;
    seal(&less);
    return less;
}

static void threads_and_ports_may_go_and_records_may_not(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = rich(n);
    struct bytes b = encode(n, p), less;
    for (unsigned i = 0; i < 7; i++) {
        less = without(&b, DESC_REC, i);
        assert_true(change(n, &p, &less) < 0);
        free(less.at);
        assert_unchanged(n, p, &b);
    }
    less = without(&b, DESC_PORT, 0); // requests wait there
    assert_int_equal(change(n, &p, &less), -E_ARG);
    free(less.at);
    less = without(&b, DESC_THRD, 7); // serves: its record says so
    assert_int_equal(change(n, &p, &less), -E_FORMAT);
    free(less.at);
    assert_unchanged(n, p, &b);
    free(b.at);
    const struct {
        uint32_t tag;
        unsigned index;
    } may[] = {{DESC_THRD, 5}, {DESC_THRD, 3}, {DESC_THRD, 1}, {DESC_PORT, 1}, {DESC_MAP, 2}};
    for (size_t i = 0; i < sizeof may / sizeof *may; i++) {
        b = encode(n, p);
        less = without(&b, may[i].tag, may[i].index);
        free(b.at);
        assert_int_equal(change(n, &p, &less), 0);
        assert_unchanged(n, p, &less);
        free(less.at);
    }
    assert_int_equal(p->nthreads, 6);
    assert_int_equal(p->nmaps, 2);
    proc_destroy(n, p, true);
}

static void any_change_is_applied_in_full_or_refused_whole(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = rich(n);
    struct unit_rand r = {9};
    struct bytes b = encode(n, p), m = {malloc(b.len), b.len};
    unsigned applied = 0, refused = 0;
    for (int i = 0; i < 3000; i++) {
        memcpy(m.at, b.at, b.len);
        for (uint64_t k = 0; k <= unit_below(&r, 2); k++) {
            uint64_t word = unit_below(&r, 2) ? unit_below(&r, 300) : unit_rand(&r);
            memcpy(m.at + unit_below(&r, b.len - 8), &word, 1u << unit_below(&r, 4));
        }
        seal(&m);
        struct unit before = unit_counts(n);
        if (change(n, &p, &m) < 0) {
            struct unit now = unit_counts(n);
            assert_memory_equal(&before, &now, sizeof now);
            assert_unchanged(n, p, &b);
            refused++;
            continue;
        }
        applied++;
        free(b.at);
        b = encode(n, p);
        m = (struct bytes){realloc(m.at, b.len), b.len};
    }
    assert_true(applied > 100 && refused > 100);
    proc_destroy(n, p, true);
    free(b.at);
    free(m.at);
}

static void a_change_without_memory_changes_nothing(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = rich(n);
    struct bytes b = encode(n, p);
    struct unit before = unit_counts(n);
    int e = -E_MEM;
    long fail = 0;
    for (; e == -E_MEM && fail < 1000; fail++) {
        n->pages.fail_after = fail;
        e = change(n, &p, &b);
        n->pages.fail_after = -1;
        struct unit now = unit_counts(n);
        if (e == 0)
            now.free_pages = before.free_pages;
        assert_memory_equal(&before, &now, sizeof now);
        assert_unchanged(n, p, &b);
    }
    assert_int_equal(e, 0);
    assert_true(fail > 3);
    proc_destroy(n, p, true);
    free(b.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(what_was_encoded_here_is_the_same_after_decoding_there),
        UNIT_TEST(each_call_and_record_is_there_as_it_was_here),
        UNIT_TEST(times_travel_as_what_is_left_of_them),
        UNIT_TEST(a_new_process_that_has_a_call_is_missed_by_its_server_when_it_ends),
        UNIT_TEST(an_endpoint_lives_on_a_node_once),
        UNIT_TEST(a_process_that_runs_is_not_encoded),
        UNIT_TEST(the_wrong_kind_of_bytes_is_refused_by_name),
        UNIT_TEST(an_unknown_section_is_refused_unless_it_may_be_skipped),
        UNIT_TEST(a_record_whose_thread_does_something_else_is_refused),
        UNIT_TEST(mutated_bytes_are_refused_or_accepted_and_leave_nothing),
        UNIT_TEST(memory_that_ends_on_the_way_leaves_nothing),
        UNIT_TEST(the_same_descriptor_back_changes_nothing),
        UNIT_TEST(time_stands_still_for_a_stopped_process),
        UNIT_TEST(a_change_of_what_may_change_is_applied),
        UNIT_TEST(an_altered_identity_or_transaction_is_refused_and_nothing_changes),
        UNIT_TEST(a_descriptor_of_before_it_ran_is_refused),
        UNIT_TEST(threads_and_ports_may_go_and_records_may_not),
        UNIT_TEST(any_change_is_applied_in_full_or_refused_whole),
        UNIT_TEST(a_change_without_memory_changes_nothing),
    };
    return UNIT_RUN(tests);
}
