// SPDX-License-Identifier: BSD-2-Clause
// What a guest asks of a service of its own node, and has done in its own system call.
#include "core/futex.h"
#include "test/unit/service_bed.h"

#include "core/abi.h"
#include "core/desc.h"
#include "core/entry.h"
#include "core/proc.h"
#include "core/seg.h"
#include "core/thread.h"
#include "services/protocol.h"
#include "services/service.h"

#define DATA 0x100000ull // of the client: the request, and a page further the reply
#define REPLY (DATA + PAGE_SIZE)
#define QUIET (REPLY + PAGE_SIZE) // a word of zeros at which it waits to be told

// --- Guests: the client makes the call that it is told to, whoever it starts ends at once --------------------------

static struct {
    struct thread *t;
    bool asks, over; // it is to make the call; the call is over
    long fail_after; // allocation of the call that fails; -1: none did
    uint64_t x[32];  // the call
} client;

static void guest_run(struct node *n, struct thread *t)
{
    uint64_t *x = t->regs.x;
    if (t != client.t) {
        x[REG_A7] = SYS_EXIT;
        x[REG_A0] = 42;
    } else if (client.asks) {
        client.asks = false;
        memcpy(x, client.x, sizeof client.x);
        n->pages.fail_after = client.fail_after;
        entry_syscall(t->hart, t);
        client.over = t->state == THREAD_RUN;
        client.fail_after = n->pages.fail_after;
        n->pages.fail_after = -1;
        return;
    } else {
        client.over = true;
        memcpy(client.x, x, sizeof client.x);
        x[REG_A7] = SYS_WAIT;
        x[REG_A0] = QUIET, x[REG_A1] = 0, x[REG_A2] = 0;
    }
    entry_syscall(t->hart, t);
}

static int setup(void **state)
{
    const struct host_options o = {.clock = unit_clock, .seed = 5, .guest_run = guest_run};
    memset(&client, 0, sizeof client);
    return bed_setup_with(state, &o);
}
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, bed_teardown)

static struct seg *memory;

static void client_begins(struct node *n)
{
    struct proc *p;
    assert_int_equal(proc_create(n, EP_NONE, &p), 0);
    assert_int_equal(seg_create(n, 3 * PAGE_SIZE, &memory), 0);
    assert_int_equal(proc_map(n, p, DATA, memory->len, memory, 0, MAP_READ | MAP_WRITE), 0);
    client.t = thread_create(n, p, 0);
    assert_int_equal(proc_resume(n, p), 0);
    assert_non_null(seg_page(n, memory, 0, true));
    assert_non_null(seg_page(n, memory, PAGE_SIZE, true));
    bed_step(n); // it waits
}

static void client_ends(struct node *n)
{
    struct proc *p = client.t->proc;
    host_node_enter(n);
    client.t = NULL;
    proc_destroy(n, p, false);
}

// Whether it was over at once. The client's registers are in client.x then.
static bool ask(struct node *n, const struct cap *cap, uint32_t op, uint64_t len)
{
    uint64_t x[32] = {0};
    memcpy(&x[REG_A0], cap, sizeof *cap);
    x[REG_A4] = op;
    x[REG_A5] = DATA, x[REG_A6] = len, x[REG_A7] = SYS_TRANS;
    x[REG_T0] = REPLY, x[REG_T1] = sizeof(struct cap);
    memcpy(client.x, x, sizeof x);
    client.asks = true, client.over = false;
    host_node_enter(n);
    assert_int_equal(futex_wake(n, client.t->proc, QUIET, 1), 1);
    while (client.asks)
        assert_true(host_node_step(n));
    bool at_once = client.over;
    bed_pass(n, 120 * NS_PER_S); // its child ends; tasks go, and records are forgotten
    assert_true(client.over);
    return at_once;
}
static int64_t status(void)
{
    return (int64_t)client.x[REG_A0];
}

// --- A descriptor --------------------------------------------------------------------------------------------------

static struct cap proc_service;

static void lookup_body(struct node *n, void *arg)
{
    (void)arg;
    proc_service = bed_lookup(n, "proc");
}

struct maker {
    _Alignas(8) uint8_t b[PAGE_SIZE];
    size_t len;
    uint32_t sections;
};

static void add(struct maker *m, uint32_t tag, const void *body, size_t len)
{
    const struct desc_sec s = {.tag = tag, .len = len};
    memcpy(m->b + m->len, &s, sizeof s);
    memcpy(m->b + m->len + sizeof s, body, len);
    m->len += sizeof s + len;
    m->sections++;
}

// A process of one segment, a page of which and a piece of another come from `source`. Into the client's memory.
static uint64_t describe(struct node *n, const struct cap *source, uint64_t source_off)
{
    static struct maker m;
    const struct desc_proc proc = {.next_tid = 2, .name = "child"};
    const struct desc_seg seg = {
        .source = *source, .source_off = source_off, .source_len = PAGE_SIZE + 100, .len = 4 * PAGE_SIZE};
    const struct desc_map map = {.va = DATA, .len = seg.len, .flags = MAP_READ | MAP_EXEC};
    const struct desc_start th = {.tid = 1, .pc = DATA};
    memset(&m, 0, sizeof m);
    m.len = sizeof(struct desc_hdr);
    add(&m, DESC_PROC, &proc, sizeof proc);
    add(&m, DESC_SEG, &seg, sizeof seg);
    add(&m, DESC_MAP, &map, sizeof map);
    add(&m, DESC_THRD, &th, sizeof th);
    desc_seal(m.b, m.len, m.sections);
    assert_int_equal(seg_write(n, memory, 0, m.b, m.len), 0);
    return m.len;
}

static struct seg *source(struct node *n)
{
    struct seg *s;
    assert_int_equal(seg_create(n, 3 * PAGE_SIZE, &s), 0);
    for (uint64_t off = 0; off < s->len; off += PAGE_SIZE)
        assert_int_equal(seg_write(n, s, off, "code", 4), 0);
    return s;
}

// --- Claims --------------------------------------------------------------------------------------------------------

static void what_is_here_already_is_started_in_the_callers_system_call(void **state)
{
    struct node *n = unit_node(state);
    bed_run(n, lookup_body, NULL);
    client_begins(n);
    struct seg *s = source(n);
    const struct cap c = seg_cap(n, s, RIGHT_READ);
    struct cap child;
    client.fail_after = -1;
    assert_true(ask(n, &proc_service, OP_PROC_EXEC, describe(n, &c, 0)));
    assert_int_equal(status(), 0);
    assert_int_equal(client.x[REG_A1], sizeof child);
    assert_int_equal(seg_read(n, memory, PAGE_SIZE, &child, sizeof child), 0);
    assert_int_equal(cap_obj(&child), client.x[REG_A2]);
    // Bytes at another place of their pages come by transaction: a task does that.
    client.fail_after = -1;
    assert_false(ask(n, &proc_service, OP_PROC_EXEC, describe(n, &c, 8)));
    assert_int_equal(status(), 0);
    // What is wrong is refused as by a task, and nothing of it is left.
    struct cap bad = c;
    bad.check[0] ^= 1;
    size_t procs = n->pool_proc.used;
    client.fail_after = -1;
    (void)ask(n, &proc_service, OP_PROC_EXEC, describe(n, &bad, 0));
    assert_int_equal(status(), -E_CAP);
    client.fail_after = -1;
    (void)ask(n, &proc_service, OP_PROC_EXEC, describe(n, &c, 0) - 8);
    assert_int_equal(status(), -E_FORMAT);
    bad = proc_service;
    bad.check[0] ^= 1;
    client.fail_after = -1;
    (void)ask(n, &bad, OP_PROC_EXEC, describe(n, &c, 0));
    assert_int_equal(status(), -E_CAP);
    assert_int_equal(n->pool_proc.used, procs);
    seg_drop(n, s);
    client_ends(n);
}

static void a_start_on_the_spot_survives_every_failed_allocation(void **state)
{
    struct node *n = unit_node(state);
    bed_run(n, lookup_body, NULL);
    client_begins(n);
    struct seg *s = source(n);
    const struct cap c = seg_cap(n, s, RIGHT_READ);
    unsigned refused = 0;
    struct unit before = {0};
    for (long i = -1;; i++) { // -1: none, once more than needed, for what the first one leaves
        client.fail_after = i;
        bool at_once = ask(n, &proc_service, OP_PROC_EXEC, describe(n, &c, 0));
        bool reached = client.fail_after < 0;
        assert_true(status() == 0 || (status() == -E_MEM && reached));
        refused += status() != 0;
        struct unit now = unit_counts(n);
        if (i >= 0)
            assert_memory_equal(&before, &now, sizeof now);
        before = now;
        if (i >= 0 && !reached) {
            assert_true(at_once);
            break;
        }
        assert_true(i < 100);
    }
    assert_true(refused > 0);
    seg_drop(n, s);
    client_ends(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_here_already_is_started_in_the_callers_system_call),
        TEST(a_start_on_the_spot_survives_every_failed_allocation),
    };
    return UNIT_RUN(tests);
}
