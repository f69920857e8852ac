// SPDX-License-Identifier: BSD-2-Clause
// Descriptors: what a kernel encodes, another decodes and encodes to the same bytes; and whatever is changed in them
// is refused, or accepted, without a trace.
#include "test/unit/unit.h"

#include "core/abi.h"
#include "core/cap.h"
#include "core/desc.h"
#include "core/entry.h"
#include "core/port.h"
#include "core/proc.h"
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
    t->regs.f[3] = 0x4009000000000000;
    t->regs.fp_used = t->tid & 1;
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

static struct rec *record(struct node *n, struct proc *p, uint32_t tid, enum rec_state state,
                          struct thread *s)
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
    list_add_tail(&p->getters, &t->run_link);
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
    struct desc_fill fills[PROC_MAPS_MAX];
    unsigned nfills;
    const char *why = NULL;
    struct buf buf = buf_kernel(b->at, b->len);
    int e = desc_check(n, &buf, ISA_RV64GC, &why);
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
    struct node *there =
        host_node_new("there", 256, &(struct host_options){.clock = unit_clock, .seed = 2});
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
    uint64_t at =
        section(&b, DESC_REC, 0) + sizeof(struct desc_sec) + offsetof(struct desc_rec, server_tid);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(what_was_encoded_here_is_the_same_after_decoding_there),
        UNIT_TEST(times_travel_as_what_is_left_of_them),
        UNIT_TEST(an_endpoint_lives_on_a_node_once),
        UNIT_TEST(a_process_that_runs_is_not_encoded),
        UNIT_TEST(the_wrong_kind_of_bytes_is_refused_by_name),
        UNIT_TEST(an_unknown_section_is_refused_unless_it_may_be_skipped),
        UNIT_TEST(a_record_whose_thread_does_something_else_is_refused),
        UNIT_TEST(mutated_bytes_are_refused_or_accepted_and_leave_nothing),
        UNIT_TEST(memory_that_ends_on_the_way_leaves_nothing),
    };
    return UNIT_RUN(tests);
}
