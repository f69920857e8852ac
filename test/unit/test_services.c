// SPDX-License-Identifier: BSD-2-Clause
// The services of one node, as their clients see them: every claim is made by transactions from a task. Time passes
// only when nothing is left to do, so time-outs of minutes take no time.
#include "test/unit/unit.h"

#include "core/abi.h"
#include "core/cap.h"
#include "core/desc.h"
#include "core/entry.h"
#include "core/port.h"
#include "core/task.h"
#include "core/thread.h"
#include "services/console.h"
#include "services/dir.h"
#include "services/proc/migrate.h"
#include "services/protocol.h"
#include "services/service.h"

#define PAGES 2048
#define PAGE 4096u
#define FAULT_PC 0xdead0u // a guest that gets here reads address 0x10

// --- The node, and time -----------------------------------------------------------------------------------

static char last_log[32][256];
static unsigned logged;

static void keep_log(struct node *n, const char *line)
{
    (void)n;
    snprintf(last_log[logged++ % 32], sizeof last_log[0], "%s", line);
    if (getenv("SHOW_LOG"))
        fprintf(stderr, "%s\n", line);
}

static bool was_logged(const char *text)
{
    for (unsigned i = 0; i < 32 && i < logged; i++)
        if (strstr(last_log[i], text))
            return true;
    return false;
}

// A guest is its registers: it makes the system call in a7, or faults.
static void guest_run(struct node *n, struct thread *t)
{
    if (t->regs.pc == FAULT_PC)
        entry_fault(&n->harts[0], t, FAULT_READ, 0x10, 13);
    else
        entry_syscall(&n->harts[0], t);
}

static void pass_time(struct node *n, uint64_t ns)
{
    uint64_t end = unit_now_ns + ns;
    for (;;) {
        while (host_node_step(n)) {}
        uint64_t at = host_node_deadline(n);
        if (at >= end)
            break;
        if (at > unit_now_ns)
            unit_now_ns = at;
    }
    unit_now_ns = end;
    while (host_node_step(n)) {}
}

struct client {
    void (*body)(struct node *n, void *arg);
    void *arg;
    bool done;
};
static void client_main(struct node *n, void *arg)
{
    struct client *c = arg;
    c->body(n, c->arg);
    c->done = true;
}
static void begin(struct node *n, struct client *c)
{
    c->done = false;
    assert_non_null(task_spawn(n, "client", client_main, c));
}
static void finish(struct node *n, const struct client *c)
{
    while (!c->done) {
        while (host_node_step(n)) {}
        if (c->done)
            break;
        uint64_t at = host_node_deadline(n);
        assert_true(at != UINT64_MAX); // else it waits for ever
        if (at > unit_now_ns)
            unit_now_ns = at;
    }
}
static void run(struct node *n, void (*body)(struct node *n, void *arg), void *arg)
{
    struct client c = {.body = body, .arg = arg};
    begin(n, &c);
    finish(n, &c);
}

static const uint8_t ring_key[32] = {1, 2, 3};

static int setup(void **state)
{
    const struct host_options o = {
        .clock = unit_clock, .seed = 1, .log = keep_log, .guest_run = guest_run, .ring_key = ring_key};
    unit_now_ns = NS_PER_S;
    logged = 0;
    struct unit *u = malloc(sizeof *u);
    struct node *n = host_node_new("n1", PAGES, &o);
    if (!u || !n)
        return -1;
    *u = unit_counts(n);
    *state = u;
    return services_start(n);
}

static int teardown(void **state)
{
    struct unit *u = *state;
    struct node *n = u->n;
    LIST_FOR (l, &n->procs) {
        struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (p != n->kproc && p->state != PROC_ARRIVING)
            proc_finish(n, p, 0);
    }
    pass_time(n, 120 * NS_PER_S);
    services_stop(n);
    return unit_teardown(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

// What must come back to where it was while services run on.
struct counts {
    size_t pages, procs, threads, segs, recs, ports;
};
static struct counts count(struct node *n)
{
    pass_time(n, 120 * NS_PER_S); // extra tasks go, records are forgotten
    return (struct counts){page_free_count(n), n->pool_proc.used, n->pool_thread.used,
                           n->pool_seg.used,   n->pool_rec.used,  n->pool_port.used};
}
static void assert_same(const struct counts *a, const struct counts *b)
{
    if (memcmp(a, b, sizeof *a) != 0)
        print_error("pages %zu %zu procs %zu %zu threads %zu %zu segs %zu %zu recs %zu %zu ports %zu %zu\n", a->pages,
                    b->pages, a->procs, b->procs, a->threads, b->threads, a->segs, b->segs, a->recs, b->recs, a->ports,
                    b->ports);
    assert_memory_equal(a, b, sizeof *a);
}

// --- Transactions -------------------------------------------------------------------------------------------

static struct task_result res;

static int64_t call4(struct node *n, struct cap c, uint32_t op, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
                     const void *req, size_t req_len, void *rep, size_t rep_len)
{
    const uint64_t arg[4] = {a0, a1, a2, a3};
    memset(&res, 0, sizeof res);
    return task_trans(n, &c, op, arg, req_len ? buf_kernel(req, req_len) : buf_none(),
                      rep_len ? buf_kernel(rep, rep_len) : buf_none(), 0, &res);
}
static int64_t call(struct node *n, struct cap c, uint32_t op, uint64_t a0, uint64_t a1, const void *req,
                    size_t req_len, void *rep, size_t rep_len)
{
    return call4(n, c, op, a0, a1, 0, 0, req, req_len, rep, rep_len);
}

static struct cap dir_cap(struct node *n)
{
    return dir_root_cap(n->ring_key, n->name, RIGHT_ALL);
}

static struct cap lookup(struct node *n, const char *name)
{
    struct cap c;
    assert_int_equal(call(n, dir_cap(n), OP_DIR_LOOKUP, 0, 0, name, strlen(name), &c, sizeof c), 0);
    assert_int_equal(res.len, sizeof c);
    return c;
}

static int64_t enter(struct node *n, const char *name, struct cap c)
{
    char b[128];
    size_t len = strlen(name) + 1;
    memcpy(b, name, len);
    memcpy(b + len, &c, sizeof c);
    return call(n, dir_cap(n), OP_DIR_ENTER, 0, 0, b, len + sizeof c, NULL, 0);
}

// --- Directory ------------------------------------------------------------------------------------------------

static void dir_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap c = lookup(n, "seg"), d;
    (void)lookup(n, "proc");
    (void)lookup(n, "node");
    (void)lookup(n, "console");
    assert_int_equal(enter(n, "mine", c), 0);
    d = lookup(n, "mine");
    assert_memory_equal(&c, &d, sizeof c);
    d = lookup(n, "node");
    assert_int_equal(enter(n, "mine", d), 0); // replaces
    c = lookup(n, "mine");
    assert_memory_equal(&c, &d, sizeof c);
    struct dir_entry list[8];
    assert_int_equal(call(n, dir_cap(n), OP_DIR_LIST, 0, 0, NULL, 0, list, sizeof list), 0);
    assert_int_equal(res.len, 6 * sizeof list[0]);
    assert_string_equal(list[5].name, "mine");
    assert_int_equal(call(n, dir_cap(n), OP_DIR_REMOVE, 0, 0, "mine", 4, NULL, 0), 0);
    assert_int_equal(call(n, dir_cap(n), OP_DIR_REMOVE, 0, 0, "mine", 4, NULL, 0), -E_NAME);
    assert_int_equal(call(n, dir_cap(n), OP_DIR_LOOKUP, 0, 0, "mine", 4, &c, sizeof c), -E_NAME);
}
static void what_is_entered_is_found_until_it_is_removed(void **state)
{
    run(unit_node(state), dir_body, NULL);
}

static void dir_names_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap c = lookup(n, "seg");
    assert_int_equal(enter(n, "", c), -E_ARG);
    assert_int_equal(enter(n, "0123456789012345678901234567890", c), 0);       // 31
    assert_int_equal(enter(n, "01234567890123456789012345678901", c), -E_ARG); // 32
    assert_int_equal(enter(n, "bell\a", c), -E_ARG);
    assert_int_equal(enter(n, "\xc3\xa9", c), -E_ARG);
    char b[4 + sizeof c] = "a\0b"; // two zero bytes before the capability
    assert_int_equal(call(n, dir_cap(n), OP_DIR_ENTER, 0, 0, b, sizeof b, NULL, 0), -E_ARG);
    assert_int_equal(call(n, dir_cap(n), OP_DIR_ENTER, 0, 0, b, 10, NULL, 0), -E_ARG);
    assert_int_equal(call(n, dir_cap(n), OP_DIR_LOOKUP, 0, 0, NULL, 0, &c, sizeof c), -E_ARG);
    char name[16];
    int64_t status = 0;
    unsigned i = 0;
    for (; status == 0 && i < 1000; i++) {
        snprintf(name, sizeof name, "x%u", i);
        status = enter(n, name, c);
    }
    assert_int_equal(status, -E_LIMIT);
    assert_int_equal(enter(n, "x0", c), 0); // replacing needs no room
}
static void names_have_a_form_and_their_number_a_limit(void **state)
{
    run(unit_node(state), dir_names_body, NULL);
}

static void rights_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap c = dir_root_cap(n->ring_key, n->name, RIGHT_READ), weak;
    assert_int_equal(call(n, c, OP_DIR_LOOKUP, 0, 0, "seg", 3, &weak, sizeof weak), 0);
    assert_int_equal(call(n, c, OP_DIR_REMOVE, 0, 0, "seg", 3, NULL, 0), -E_RIGHTS);
    c.obj_rights |= RIGHT_DESTROY; // widened
    assert_int_equal(call(n, c, OP_DIR_REMOVE, 0, 0, "seg", 3, NULL, 0), -E_CAP);
    c = dir_cap(n);
    c.obj_rights += 1u << 8; // another object
    assert_int_equal(call(n, c, OP_DIR_LOOKUP, 0, 0, "seg", 3, &weak, sizeof weak), -E_OBJECT);
    uint8_t other[32] = {9};
    c = dir_root_cap(other, n->name, RIGHT_ALL); // another ring: nobody serves that port
    assert_int_equal(call(n, c, OP_DIR_LOOKUP, 0, 0, "seg", 3, &weak, sizeof weak), -E_NOTHERE);
    c = dir_cap(n);
    assert_int_equal(call(n, c, 12345, 0, 0, NULL, 0, NULL, 0), -E_OP);
    assert_int_equal(call(n, c, OP_RESTRICT, RIGHT_READ, 0, NULL, 0, &weak, sizeof weak), 0);
    assert_int_equal(cap_rights(&weak), RIGHT_READ);
    struct cap found;
    assert_int_equal(call(n, weak, OP_DIR_LOOKUP, 0, 0, "seg", 3, &found, sizeof found), 0);
    assert_int_equal(call(n, weak, OP_DIR_REMOVE, 0, 0, "seg", 3, NULL, 0), -E_RIGHTS);
    assert_int_equal(call(n, weak, OP_RESTRICT, RIGHT_ALL, 0, NULL, 0, &weak, sizeof weak), 0);
    assert_int_equal(cap_rights(&weak), RIGHT_READ); // rights only go away
    char text[100] = "";
    assert_int_equal(call(n, c, OP_INFO, 0, 0, NULL, 0, text, sizeof text - 1), 0);
    assert_non_null(strstr(text, "dir service of n1"));
}
static void forged_and_widened_capabilities_are_refused(void **state)
{
    run(unit_node(state), rights_body, NULL);
}

// --- Segments ---------------------------------------------------------------------------------------------------

static struct cap seg_make(struct node *n, uint64_t len)
{
    struct cap c;
    assert_int_equal(call(n, lookup(n, "seg"), OP_SEG_CREATE, len, 0, NULL, 0, &c, sizeof c), 0);
    return c;
}

static void seg_body(struct node *n, void *arg)
{
    (void)arg;
    static uint8_t page[PAGE], got[4 * PAGE];
    memset(page, 7, sizeof page);
    struct cap c = seg_make(n, 10 * PAGE);
    assert_int_equal(call(n, c, OP_SIZE, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(res.res[0], 10 * PAGE);
    assert_int_equal(call(n, c, OP_READ, 0, sizeof got, NULL, 0, got, sizeof got), 0); // all hole
    assert_int_equal(res.len, 0);
    assert_int_equal(res.res[0], 10 * PAGE);
    assert_int_equal(call(n, c, OP_WRITE, 2 * PAGE + 100, 0, page, PAGE, NULL, 0),
                     0); // pages 2 and 3
    assert_int_equal(res.res[0], PAGE);
    assert_int_equal(call(n, c, OP_WRITE, 6 * PAGE, 0, page, 1, NULL, 0), 0); // page 6
    assert_int_equal(call(n, c, OP_READ, 0, sizeof got, NULL, 0, got, sizeof got), 0);
    assert_int_equal(res.len, 0);
    assert_int_equal(res.res[0], 2 * PAGE);
    assert_int_equal(call(n, c, OP_READ, 2 * PAGE + 50, sizeof got, NULL, 0, got, sizeof got), 0);
    assert_int_equal(res.len, 2 * PAGE - 50);
    assert_int_equal(res.res[0], 2 * PAGE);
    assert_true(unit_all_bytes(got, 0, 50));
    assert_true(unit_all_bytes(got + 50, 7, PAGE));
    assert_true(unit_all_bytes(got + 50 + PAGE, 0, PAGE - 100));
    assert_int_equal(call(n, c, OP_READ, 2 * PAGE, 10, NULL, 0, got, sizeof got),
                     0); // no more than wanted
    assert_int_equal(res.len, 10);
    assert_int_equal(res.res[0], 0); // data follow, not a hole
    assert_int_equal(call(n, c, OP_READ, 6 * PAGE, sizeof got, NULL, 0, got, sizeof got), 0);
    assert_int_equal(res.len, PAGE);
    assert_int_equal(res.res[0], 3 * PAGE);
    assert_int_equal(call(n, c, OP_READ, 10 * PAGE, 1, NULL, 0, got, sizeof got), -E_EOF);
    assert_int_equal(call(n, c, OP_READ, UINT64_MAX, 1, NULL, 0, got, sizeof got), -E_EOF);
    assert_int_equal(call(n, c, OP_WRITE, 10 * PAGE - 1, 0, page, 2, NULL, 0), -E_ARG);
    assert_int_equal(call(n, c, OP_WRITE, UINT64_MAX, 0, page, 2, NULL, 0), -E_ARG);
    char text[100] = "";
    assert_int_equal(call(n, c, OP_INFO, 0, 0, NULL, 0, text, sizeof text - 1), 0);
    assert_non_null(strstr(text, "40960 bytes, 3 pages present"));
    assert_int_equal(call(n, lookup(n, "seg"), OP_READ, 0, 1, NULL, 0, got, 1), -E_OBJECT);
    assert_int_equal(call(n, c, OP_SEG_CREATE, PAGE, 0, NULL, 0, got, 32), -E_OP);
    assert_int_equal(call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(call(n, c, OP_SIZE, 0, 0, NULL, 0, NULL, 0), -E_OBJECT);
}
static void a_segment_reads_like_a_file_with_holes(void **state)
{
    run(unit_node(state), seg_body, NULL);
}

static void seg_large_body(struct node *n, void *arg)
{
    struct counts *before = arg;
    size_t len = 1 * MIB;
    uint8_t *bytes = malloc(2 * len), *got = malloc(2 * len);
    struct unit_rand r = {5};
    for (size_t i = 0; i < 2 * len; i++)
        bytes[i] = (uint8_t)unit_rand(&r);
    struct cap c = seg_make(n, 2 * len);
    assert_int_equal(call(n, c, OP_WRITE, 0, 0, bytes, len, NULL, 0), 0);
    assert_int_equal(call(n, c, OP_WRITE, len, 0, bytes + len, len, NULL, 0), 0);
    assert_int_equal(call(n, c, OP_READ, 0, 2 * len, NULL, 0, got, 2 * len), 0);
    assert_int_equal(res.len, 2 * len);
    assert_memory_equal(bytes, got, 2 * len);
    assert_true(page_free_count(n) + 2 * len / PAGE + 32 > before->pages); // requests' pages went back at once
    assert_int_equal(call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    free(bytes);
    free(got);
}
static void large_requests_leave_no_memory_behind(void **state)
{
    struct node *n = unit_node(state);
    struct counts before = count(n);
    run(n, seg_large_body, &before);
}

static void seg_destroy_body(struct node *n, void *arg)
{
    (void)arg;
    struct seg *mine;
    assert_int_equal(seg_create(n, PAGE, &mine), 0); // as a process's: not made by transaction
    assert_int_equal(call(n, seg_cap(n, mine, RIGHT_ALL), OP_DESTROY, 0, 0, NULL, 0, NULL, 0), -E_STATE);
    struct cap c = seg_make(n, PAGE);
    struct seg *s = seg_find(n, cap_obj(&c));
    seg_hold(s); // somebody maps it
    assert_int_equal(call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), -E_CAP);
    assert_int_equal(s->refs, 1);
    seg_drop(n, s);
    seg_drop(n, mine);
}
static void destroying_a_segment_takes_only_the_creators_hold(void **state)
{
    run(unit_node(state), seg_destroy_body, NULL);
}

// --- Descriptors made by hand -------------------------------------------------------------------------------------

struct maker {
    _Alignas(8) uint8_t b[6000];
    size_t len;
    uint32_t sections;
};
static void add(struct maker *m, uint32_t tag, const void *p, size_t len)
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
};
static struct plan plan(void)
{
    return (struct plan){.len = 16 * PAGE, .pc = 0x10000, .a7 = SYS_SLEEP, .a0 = 1ull << 60};
}
static void make(struct maker *m, const struct plan *p)
{
    memset(m, 0, sizeof *m);
    m->len = sizeof(struct desc_hdr);
    struct desc_proc proc = {.ep = p->ep,
                             .ctl_get = {p->ep * 3, p->ep * 5},
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

static int64_t exec(struct node *n, const struct plan *p, struct cap *out)
{
    struct maker m;
    make(&m, p);
    return call(n, lookup(n, "proc"), OP_PROC_EXEC, 0, 0, m.b, m.len, out, sizeof *out);
}

static struct proc *the_proc(struct node *n)
{
    LIST_FOR (l, &n->procs) {
        struct proc *p = LIST_ENTRY(l, struct proc, link);
        if (p != n->kproc)
            return p;
    }
    return NULL;
}

// --- EXEC ---------------------------------------------------------------------------------------------------------

// A segment with data at its ends and a hole of 500 pages between, as an executable with much zeroed data.
static struct cap source_make(struct node *n)
{
    static uint8_t bytes[3 * PAGE];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i % 251);
    struct cap c = seg_make(n, 510 * PAGE);
    assert_int_equal(call(n, c, OP_WRITE, 0, 0, bytes, sizeof bytes, NULL, 0), 0);
    assert_int_equal(call(n, c, OP_WRITE, 507 * PAGE, 0, bytes, sizeof bytes, NULL, 0), 0);
    return c;
}

static void exec_body(struct node *n, void *arg)
{
    struct plan p = plan();
    struct cap src = source_make(n), c;
    p.source = src;
    p.len = 600 * PAGE;
    p.source_off = 10;
    p.source_len = 510 * PAGE - 10;
    p.dest_off = PAGE + 10;
    assert_int_equal(exec(n, &p, &c), 0);
    struct proc *q = the_proc(n);
    assert_int_equal(res.res[0], q->pid);
    assert_int_equal(q->state, PROC_RUN);
    assert_string_equal(q->name, "guest");
    struct seg *s = q->maps[0]->seg;
    assert_int_equal(s->pages, 6); // the hole did not travel
    uint8_t b;
    for (uint64_t off = 0; off < p.len; off += 7) {
        uint64_t from = off - PAGE; // source byte that belongs here
        bool data = off >= PAGE + 10 && from < 510 * PAGE && (from < 3 * PAGE || from >= 507 * PAGE);
        assert_int_equal(seg_read(n, s, off, &b, 1), 0);
        assert_int_equal(b, data ? (from < 3 * PAGE ? from : from - 507 * PAGE) % 251 : 0);
    }
    char text[100] = "";
    assert_int_equal(call(n, c, OP_INFO, 0, 0, NULL, 0, text, sizeof text - 1), 0);
    assert_non_null(strstr(text, "(guest) on n1: run, 1 threads, 6 pages"));
    assert_int_equal(call(n, c, OP_STATUS, 0, 0, NULL, 0, text, sizeof text - 1), -E_TOOBIG);
    struct proc_entry e[2];
    struct cap weak;
    assert_int_equal(call(n, lookup(n, "proc"), OP_RESTRICT, RIGHT_READ, 0, NULL, 0, &weak, sizeof weak), 0);
    assert_int_equal(call(n, weak, OP_PROC_LIST, 0, 0, NULL, 0, e, sizeof e), 0);
    assert_int_equal(res.len, sizeof e[0]);
    assert_int_equal(e[0].ep, q->ep);
    assert_int_equal(cap_rights(&e[0].cap), RIGHT_READ);
    assert_int_equal(call(n, e[0].cap, OP_INFO, 0, 0, NULL, 0, text, sizeof text - 1), 0);
    assert_int_equal(call(n, e[0].cap, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), -E_RIGHTS);
    assert_int_equal(call(n, c, OP_PROC_LIST, 0, 0, NULL, 0, e, sizeof e),
                     -E_OP); // a process has no list
    assert_int_equal(call(n, lookup(n, "proc"), OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0), -E_OP);
    assert_int_equal(call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    task_sleep(n, NS_PER_MS);
    assert_null(the_proc(n));
    assert_int_equal(call(n, c, OP_INFO, 0, 0, NULL, 0, text, sizeof text - 1), -E_NOTHERE);
    assert_int_equal(call(n, src, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    (void)arg;
}
static void exec_fills_segments_from_another_segment_and_destroy_leaves_nothing(void **state)
{
    struct node *n = unit_node(state);
    for (int i = 0; i < 3; i++)
        run(n, exec_body, NULL); // the tasks' buffers have got their first pages
    struct counts before = count(n);
    run(n, exec_body, NULL);
    struct counts after = count(n);
    assert_same(&before, &after);
}

static void bad_body(struct node *n, void *arg)
{
    (void)arg;
    struct plan p = plan();
    struct maker m;
    struct cap c;
    struct cap proc = lookup(n, "proc");
#define REFUSED(error, change)                                                                                         \
    do {                                                                                                               \
        make(&m, &p);                                                                                                  \
        struct desc_hdr *h = (struct desc_hdr *)m.b;                                                                   \
        (void)h;                                                                                                       \
        change;                                                                                                        \
        assert_int_equal(call(n, proc, OP_PROC_EXEC, 0, 0, m.b, m.len, &c, sizeof c), -(error));                       \
        assert_null(the_proc(n));                                                                                      \
    } while (0)
    REFUSED(E_MAGIC, h->magic++);
    REFUSED(E_MAGIC, m.len = 8);
    REFUSED(E_MAGIC, m.len = 0);
    REFUSED(E_VERSION, h->version++);
    REFUSED(E_ARCH, h->arch = 62);
    REFUSED(E_ARCH, h->isa = 1ull << 60);
    REFUSED(E_CHECKSUM, m.b[m.len - 1]++);
    REFUSED(E_FORMAT, m.len -= 8);
    REFUSED(E_FORMAT, desc_seal(m.b, m.len, m.sections - 1));
    uint32_t unknown = 77;
    REFUSED(E_VERSION, add(&m, unknown, "", 0); desc_seal(m.b, m.len, m.sections));
    assert_true(was_logged("an unknown section that may not be skipped"));
    struct desc_map again = {.va = 0x11000, .len = PAGE, .flags = MAP_READ};
    REFUSED(E_FORMAT, add(&m, DESC_MAP, &again, sizeof again); desc_seal(m.b, m.len, m.sections));
    p.len = PAGE + 1;
    REFUSED(E_LIMIT, );
    p = plan();
    p.ep = the_proc(n) ? 0 : n->kproc->ep; // lives here
    REFUSED(E_EXISTS, );
    p = plan();
    p.source = dir_cap(n); // a directory cannot be read like a file
    p.source_len = PAGE;
    REFUSED(E_OP, );
    p.source = (struct cap){.port = {{1, 2}}}; // nobody
    REFUSED(E_NOTHERE, );
    p.source = seg_make(n, 3 * PAGE);
    p.source_len = 3 * PAGE + 1; // shorter than promised
    REFUSED(E_EOF, );
    p.source.check[0]++;
    p.source_len = PAGE;
    REFUSED(E_CAP, );
    p.source.check[0]--;
    assert_int_equal(call(n, p.source, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    REFUSED(E_OBJECT, );
    p.source = (struct cap){.port = {{1, 2}}};
    p.len = p.source_len = 1 * 512 * MIB; // more than the node has
    REFUSED(E_MEM, );
}
static void a_bad_descriptor_is_refused_by_name_and_leaves_nothing(void **state)
{
    struct node *n = unit_node(state);
    for (int i = 0; i < 2; i++)
        run(n, bad_body, NULL);
    struct counts before = count(n);
    run(n, bad_body, NULL);
    struct counts after = count(n);
    assert_same(&before, &after);
}

struct oom {
    struct cap src;
    long fail_after;
    int64_t status;
};
static void oom_body(struct node *n, void *arg)
{
    struct oom *o = arg;
    struct plan p = plan();
    struct maker m;
    struct cap c, proc = lookup(n, "proc");
    p.source = o->src;
    p.source_len = 510 * PAGE;
    p.len = 600 * PAGE;
    make(&m, &p);
    n->pages.fail_after = o->fail_after;
    o->status = call(n, proc, OP_PROC_EXEC, 0, 0, m.b, m.len, &c, sizeof c);
    if (n->pages.fail_after >= 0)
        o->fail_after = -1; // it never came to that
    n->pages.fail_after = -1;
    if (o->status == 0)
        assert_int_equal(call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    else
        assert_null(the_proc(n));
}
static void oom_source_body(struct node *n, void *arg)
{
    ((struct oom *)arg)->src = source_make(n);
}

static void exec_survives_every_failed_allocation(void **state)
{
    struct node *n = unit_node(state);
    struct oom o;
    run(n, oom_source_body, &o);
    for (int i = 0; i < 10; i++) {
        o.fail_after = -1;
        run(n, oom_body, &o);
        assert_int_equal(o.status, 0);
    }
    struct counts before = count(n), after;
    int refused = 0;
    for (long i = 0; i < 1000; i++) {
        o.fail_after = i;
        run(n, oom_body, &o);
        assert_true(o.status == 0 || o.status == -E_MEM);
        refused += o.status != 0;
        after = count(n);
        assert_same(&before, &after);
        if (o.fail_after < 0)
            break;
    }
    assert_int_equal(o.fail_after, -1);
    assert_true(refused > 0);
}

static void services_start_survives_every_failed_allocation(void **state)
{
    (void)state;
    const struct host_options o = {.clock = unit_clock, .seed = 1, .log = keep_log};
    struct node *n = host_node_new("n1", PAGES, &o);
    struct unit before = unit_counts(n), after;
    int e = -1;
    for (long i = 0; e < 0; i++) {
        n->pages.fail_after = i;
        e = services_start(n);
        n->pages.fail_after = -1;
        assert_true(e == 0 || e == -E_MEM);
        if (e == 0)
            services_stop(n);
        after = unit_counts(n);
        assert_memory_equal(&before, &after, sizeof before);
    }
    host_node_free(n);
}

// --- Owners --------------------------------------------------------------------------------------------------------

struct owner { // a service that notes what it is told
    struct port get;
    struct cap cap;
    bool silent; // takes the event and does not answer
    unsigned count;
    uint64_t event[8], ep[8], a2[8], a3[8];
    struct owner_fault fault;
};
static void owner_main(struct node *n, void *arg)
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
        assert_true(o->count < 8);
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
static struct owner *owner_new(struct node *n, struct unit *u)
{
    static struct owner owners[2];
    static unsigned next;
    struct owner *o = &owners[next++ % 2];
    *o = (struct owner){.get = {{next, 99}}};
    assert_non_null(task_spawn(n, "owner", owner_main, o));
    pass_time(n, 0);
    u->free_pages = SIZE_MAX; // see teardown_owner
    return o;
}
static int teardown_owner(void **state)
{
    struct unit *u = *state;
    pass_time(u->n, 120 * NS_PER_S);
    services_stop(u->n);
    host_node_free(u->n);
    free(u);
    return 0;
}
#define OWNER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown_owner)

struct life {
    struct plan p;
    struct cap c;
    ep_t ep;
    int64_t status;
};
static void exec_only_body(struct node *n, void *arg)
{
    struct life *l = arg;
    l->status = exec(n, &l->p, &l->c);
    l->ep = l->status == 0 && the_proc(n) ? the_proc(n)->ep : 0;
}
static void destroy_body(struct node *n, void *arg)
{
    struct life *l = arg;
    l->status = call(n, l->c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0);
}

static void killing_a_process_tells_its_owner(void **state)
{
    struct node *n = unit_node(state);
    struct owner *o = owner_new(n, *state);
    struct life l = {.p = plan()};
    l.p.owner = o->cap;
    run(n, exec_only_body, &l);
    assert_int_equal(l.status, 0);
    run(n, destroy_body, &l);
    assert_int_equal(l.status, 0);
    pass_time(n, NS_PER_S);
    assert_int_equal(o->count, 1);
    assert_int_equal(o->event[0], EVENT_ENDED);
    assert_int_equal(o->ep[0], l.ep);
    assert_int_equal(o->a2[0], (uint64_t)-E_CANCEL);
    assert_null(the_proc(n));
}

static void an_exit_tells_its_status(void **state)
{
    struct node *n = unit_node(state);
    struct owner *o = owner_new(n, *state);
    struct life l = {.p = plan()};
    l.p.owner = o->cap;
    l.p.a7 = SYS_EXIT;
    l.p.a0 = 42;
    run(n, exec_only_body, &l);
    pass_time(n, NS_PER_S);
    assert_int_equal(o->count, 1);
    assert_int_equal(o->event[0], EVENT_ENDED);
    assert_int_equal(o->a2[0], 42);
    assert_null(the_proc(n));
}

static void a_fault_tells_what_and_where_and_then_the_end(void **state)
{
    struct node *n = unit_node(state);
    struct owner *o = owner_new(n, *state);
    struct life l = {.p = plan()};
    l.p.owner = o->cap;
    l.p.pc = FAULT_PC;
    run(n, exec_only_body, &l);
    pass_time(n, NS_PER_S);
    assert_int_equal(o->count, 2);
    assert_int_equal(o->event[0], EVENT_FAULT);
    assert_int_equal(o->a2[0], FAULT_READ | 1ull << 32);
    assert_int_equal(o->a3[0], 0x10);
    assert_int_equal(o->fault.pc, FAULT_PC);
    assert_int_equal(o->fault.sp, 0x20000);
    assert_int_equal(o->fault.cause, 13);
    assert_string_equal(o->fault.what, "read from 0x10, a null pointer");
    assert_int_equal(o->event[1], EVENT_ENDED);
    assert_null(the_proc(n));
}

static void a_silent_owner_does_not_delay_the_others(void **state)
{
    struct node *n = unit_node(state);
    struct owner *bad = owner_new(n, *state), *good = owner_new(n, *state);
    bad->silent = true;
    struct life l = {.p = plan()};
    l.p.a7 = SYS_EXIT;
    for (int i = 0; i < 5; i++) {
        l.p.owner = bad->cap;
        run(n, exec_only_body, &l);
        l.p.owner = good->cap;
        run(n, exec_only_body, &l);
    }
    pass_time(n, NS_PER_S);
    assert_int_equal(good->count, 5);
    assert_non_null(the_proc(n)); // kept until its owner has been told, or was silent for too long
    pass_time(n, 15 * NS_PER_S);
    assert_null(the_proc(n));
    assert_true(was_logged("was not told"));
}

static void more_silent_owners_than_reports_end_too(void **state)
{
    struct node *n = unit_node(state);
    struct owner *bad = owner_new(n, *state);
    bad->silent = true;
    struct life l = {.p = plan()};
    l.p.a7 = SYS_EXIT;
    l.p.owner = bad->cap;
    for (int i = 0; i < 20; i++)
        run(n, exec_only_body, &l);
    pass_time(n, 100 * NS_PER_S);
    assert_null(the_proc(n));
}

// --- Stun, get, resume -----------------------------------------------------------------------------------------------

static void stun_body(struct node *n, void *arg)
{
    (void)arg;
    struct plan p = plan();
    struct maker m;
    struct cap c, again;
    static uint8_t desc[8192], desc2[8192];
    assert_int_equal(exec(n, &p, &c), 0);
    struct proc *q = the_proc(n);
    assert_int_equal(call(n, c, OP_PROC_GET, 0, 0, NULL, 0, desc, sizeof desc),
                     -E_STATE); // it runs
    assert_int_equal(call(n, c, OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(q->state, PROC_STUNNED);
    assert_int_equal(call(n, c, OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0),
                     0); // twice is as good as once
    assert_int_equal(call(n, c, OP_PROC_GET, 0, 0, NULL, 0, desc, sizeof desc), 0);
    size_t len = res.len;
    const char *why;
    struct buf b = buf_kernel(desc, len);
    assert_int_equal(desc_check(n, &b, ISA_RV64GC, &why), 0);
    assert_int_equal(call(n, c, OP_PROC_GET, 0, 0, NULL, 0, desc2, sizeof desc2), 0);
    assert_int_equal(res.len, len);
    assert_int_equal(call(n, lookup(n, "proc"), OP_PROC_EXEC, 0, 0, desc, len, &again, sizeof again), -E_EXISTS);
    struct cap owner = lookup(n, "console");
    assert_int_equal(call(n, c, OP_PROC_SET_OWNER, 0, 0, &owner, sizeof owner, NULL, 0), 0);
    assert_memory_equal(&q->owner, &owner, sizeof owner);
    owner = (struct cap){0};
    assert_int_equal(call(n, c, OP_PROC_SET_OWNER, 0, 0, &owner, sizeof owner, NULL, 0), 0);
    assert_int_equal(call(n, c, OP_PROC_SET_OWNER, 0, 0, &owner, 5, NULL, 0), -E_ARG);
    assert_int_equal(call(n, c, OP_PROC_RESUME, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(q->state, PROC_RUN);
    assert_int_equal(call(n, c, OP_PROC_RESUME, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(call(n, c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    task_sleep(n, NS_PER_MS);
    // A checkpoint comes back to life under its own name, and runs.
    uint64_t number = cap_obj(&c);
    p.ep = 0x1234567800000000u | number;
    p.stunned = true;
    make(&m, &p);
    assert_int_equal(call(n, lookup(n, "proc"), OP_PROC_EXEC, 0, 0, m.b, m.len, &again, sizeof again), 0);
    q = the_proc(n);
    assert_int_equal(q->ep, p.ep);
    assert_int_equal(q->state, PROC_RUN);
    assert_int_equal(call(n, again, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
}
static void a_process_is_stunned_described_and_resumed(void **state)
{
    run(unit_node(state), stun_body, NULL);
}

// --- Changed by a descriptor -----------------------------------------------------------------------------------------

struct changer {
    struct cap c;
    uint8_t desc[16384];
    size_t len;
};
static struct changer changer;

static void *desc_body(uint32_t tag)
{
    uint64_t off = sizeof(struct desc_hdr);
    for (;;) {
        struct desc_sec *sec = (struct desc_sec *)(void *)(changer.desc + off);
        if (sec->tag == tag)
            return sec + 1;
        off += sizeof *sec + ((sec->len + 7) & ~7ull);
    }
}
static void desc_fetch(struct node *n)
{
    assert_int_equal(call(n, changer.c, OP_PROC_GET, 0, 0, NULL, 0, changer.desc, sizeof changer.desc), 0);
    changer.len = res.len;
}
static int64_t desc_send(struct node *n, uint32_t op)
{
    struct desc_hdr h;
    memcpy(&h, changer.desc, sizeof h);
    desc_seal(changer.desc, changer.len, h.sections);
    return call(n, changer.c, op, 0, 0, changer.desc, changer.len, NULL, 0);
}
static void desc_check_says(struct node *n, int error, const char *words)
{
    char text[128] = "";
    struct desc_hdr h;
    memcpy(&h, changer.desc, sizeof h);
    desc_seal(changer.desc, changer.len, h.sections);
    assert_int_equal(call(n, changer.c, OP_PROC_CHECK, 0, 0, changer.desc, changer.len, text, sizeof text), 0);
    assert_int_equal(res.res[0], error);
    assert_string_equal(text, words);
}

static void change_body(struct node *n, void *arg)
{
    (void)arg;
    struct plan p = plan();
    assert_int_equal(exec(n, &p, &changer.c), 0);
    ep_t ep = the_proc(n)->ep;
    assert_int_equal(call(n, changer.c, OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0), 0);
    desc_fetch(n);
    assert_int_equal(desc_send(n, OP_PROC_SET), 0);
    assert_int_equal(the_proc(n)->ep, ep);
    assert_int_equal(the_proc(n)->state, PROC_STUNNED);
    struct desc_thread *t = desc_body(DESC_THRD);
    t->x[20] = 4711;
    desc_check_says(n, 0, "success");
    assert_int_equal(thread_find(the_proc(n), 1)->regs.x[20], 0);
    assert_int_equal(desc_send(n, OP_PROC_SET), 0);
    assert_int_equal(thread_find(the_proc(n), 1)->regs.x[20], 4711);
    assert_true(the_proc(n)->stay_stunned);
    struct desc_proc *d = desc_body(DESC_PROC);
    d->ep++;
    desc_check_says(n, E_ARG, "endpoint, control port, key or moves are not this process's");
    assert_int_equal(desc_send(n, OP_PROC_SET), -E_ARG);
    d->ep--;
    // Memory from elsewhere: a source that is gone is found out when it is asked, and nothing has changed.
    struct desc_seg *s = desc_body(DESC_SEG), was = *s;
    s->source = lookup(n, "seg");
    s->source.obj_rights |= 0x123400;
    t->x[20] = 1;
    assert_true(desc_send(n, OP_PROC_SET) < 0);
    assert_int_equal(thread_find(the_proc(n), 1)->regs.x[20], 4711);
    assert_int_equal(the_proc(n)->ep, ep);
    *s = was;
    assert_int_equal(desc_send(n, OP_PROC_RESUME), 0);
    assert_int_equal(the_proc(n)->state, PROC_RUN);
    assert_int_equal(desc_send(n, OP_PROC_RESUME), -E_STATE);
    assert_int_equal(call(n, changer.c, OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(desc_send(n, OP_PROC_RESUME), -E_STATE); // taken before it ran
    desc_check_says(n, E_STATE, "the process has run since this descriptor was taken");
    // Comment and limit.
    assert_int_equal(call(n, changer.c, OP_PROC_SET_COMMENT, 0, 0, "for a test", 10, NULL, 0), 0);
    assert_string_equal(the_proc(n)->comment, "for a test");
    assert_int_equal(call(n, changer.c, OP_PROC_SET_COMMENT, 0, 0, "\033[2J", 4, NULL, 0), -E_ARG);
    char longer[32];
    memset(longer, 'x', sizeof longer);
    assert_int_equal(call(n, changer.c, OP_PROC_SET_COMMENT, 0, 0, longer, 32, NULL, 0), -E_ARG);
    assert_int_equal(call(n, changer.c, OP_PROC_SET_LIMIT, 1, 0, NULL, 0, NULL, 0), -E_LIMIT);
    assert_int_equal(call(n, changer.c, OP_PROC_SET_LIMIT, 16 * MIB, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(the_proc(n)->mem_limit, 16 * MIB);
    assert_int_equal(call(n, changer.c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    task_sleep(n, NS_PER_MS);
    assert_null(the_proc(n));
}
static void a_stunned_process_is_changed_whole_or_not_at_all(void **state)
{
    run(unit_node(state), change_body, NULL);
}

static void change_without_memory_body(struct node *n, void *arg)
{
    (void)arg;
    struct plan p = plan();
    assert_int_equal(exec(n, &p, &changer.c), 0);
    assert_int_equal(call(n, changer.c, OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0), 0);
    desc_fetch(n);
    static uint8_t was[sizeof changer.desc];
    unsigned refused = 0;
    bool failed = true;
    // Its own segment is kept; every second time it is fetched by transaction instead, so that this path is in it too.
    for (uint64_t i = 0; failed && i < 1000; i++) {
        size_t len = changer.len;
        memcpy(was, changer.desc, len);
        struct desc_seg *s = desc_body(DESC_SEG);
        if (i % 2)
            s->source_len -= PAGE_SIZE;
        struct desc_thread *t = desc_body(DESC_THRD);
        t->x[20] = i + 1;
        n->pages.fail_after = (long)i / 2;
        int64_t status = desc_send(n, OP_PROC_SET);
        failed = n->pages.fail_after < 0; // a transaction may have come through all the same
        n->pages.fail_after = -1;
        desc_fetch(n);
        if (status == 0) {
            assert_int_equal(thread_find(the_proc(n), 1)->regs.x[20], i + 1);
            continue;
        }
        assert_int_equal(status, -E_MEM);
        assert_int_equal(len, changer.len);
        assert_memory_equal(was, changer.desc, len);
        refused++;
    }
    assert_false(failed);
    assert_true(refused > 0);
    assert_int_equal(call(n, changer.c, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
}
static void a_change_survives_every_failed_allocation(void **state)
{
    run(unit_node(state), change_without_memory_body, NULL);
}

// --- Hand-off, source ------------------------------------------------------------------------------------------------

struct target { // plays another node's process service
    struct cap cap;
    int64_t offer;     // answer to OFFER
    int64_t commit[4]; // answers to COMMIT in turn, the last one for ever
    bool deaf;         // takes COMMIT and never answers
    unsigned offers, commits, aborts;
    uint64_t id;
    struct proc *watched;
    enum proc_state at_offer, at_commit;
    bool stunned;
    uint64_t committed_until;
    uint64_t last_commit_ns, first_commit_ns;
};
static struct target target;

static void target_main(struct node *n, void *arg)
{
    struct target *t = arg;
    static _Alignas(8) uint8_t desc[16384];
    struct port put;
    int handle = task_listen(n, (struct port){{77, 78}}, &put);
    assert_true(handle >= 0);
    t->cap = (struct cap){.port = put};
    for (;;) {
        struct task_request r;
        uint64_t out[4] = {0};
        int64_t status = 0;
        assert_int_equal(task_getreq(n, 1ull << handle, buf_kernel(desc, sizeof desc), 0, &r), 0);
        if (r.op == OP_PROC_OFFER) {
            const char *why;
            struct buf b = buf_kernel(desc, r.len);
            assert_int_equal(desc_check(n, &b, ISA_RV64GC, &why), 0);
            t->stunned = ((struct desc_proc *)(desc + sizeof(struct desc_hdr) + sizeof(struct desc_sec)))->stunned;
            t->offers++;
            t->id = r.arg[0];
            if (t->watched)
                t->at_offer = t->watched->state;
            out[0] = 11, out[1] = 12, out[2] = 0xabcd, out[3] = 5;
            status = t->offer;
        } else if (r.op == OP_PROC_COMMIT) {
            assert_int_equal(r.arg[0], t->id);
            assert_int_equal(r.arg[1], 5);
            if (t->commits == 0)
                t->first_commit_ns = node_now(n);
            t->last_commit_ns = node_now(n);
            if (t->watched)
                t->at_commit = t->watched->state;
            status = t->commit[t->commits < 3 ? t->commits : 3];
            t->commits++;
        } else {
            assert_int_equal(r.op, OP_PROC_ABORT);
            t->aborts++;
        }
        if (t->deaf && r.op == OP_PROC_COMMIT)
            task_sleep(n, 11 * NS_PER_S);
        (void)task_putrep(n, status, out, buf_none());
    }
}
static struct target *target_new(struct node *n)
{
    target = (struct target){0};
    assert_non_null(task_spawn(n, "target", target_main, &target));
    pass_time(n, 0);
    return &target;
}

static void migrate_body(struct node *n, void *arg)
{
    struct life *l = arg;
    l->status = call(n, l->c, OP_PROC_MIGRATE, 0, 0, &target.cap, sizeof target.cap, NULL, 0);
}
static struct life mover(struct node *n, struct target *t)
{
    struct life l = {.p = plan()};
    run(n, exec_only_body, &l);
    assert_int_equal(l.status, 0);
    t->watched = the_proc(n);
    return l;
}
static int transport_moved;
static ep_t moved_to;
static void note_moved(struct node *n, struct proc *p, ep_t to)
{
    (void)n;
    (void)p;
    transport_moved++;
    moved_to = to;
}
static void note_nothing(struct node *n, struct proc *p)
{
    (void)n, (void)p;
}
static void no_request(struct node *n, struct thread *t)
{
    (void)n, (void)t;
}
static void no_rec(struct node *n, struct rec *r)
{
    (void)n, (void)r;
}
static void no_cancel(struct node *n, struct thread *t)
{
    (void)n, (void)t;
}
static bool nobody_hears(struct node *n, struct port port)
{
    (void)n, (void)port;
    return false;
}
static const struct transport lone = {
    .request = no_request,
    .request_ack = no_rec,
    .reply = no_rec,
    .cancel = no_cancel,
    .moved_away = note_moved,
    .arrived = note_nothing,
    .resumed = note_nothing,
    .ask_port = nobody_hears,
};

static void a_committed_process_is_gone_from_here(void **state)
{
    struct node *n = unit_node(state);
    n->transport = &lone;
    transport_moved = 0;
    struct target *t = target_new(n);
    struct life l = mover(n, t);
    run(n, migrate_body, &l);
    assert_int_equal(l.status, 0);
    assert_int_equal(res.res[0], 11);
    assert_int_equal(res.res[2], 12);
    assert_int_equal(res.res[3], 0xabcd);
    assert_int_equal(t->at_offer, PROC_MOVING);
    assert_int_equal(t->at_commit, PROC_DOUBT);
    assert_int_equal(t->aborts, 0);
    assert_int_equal(transport_moved, 1);
    assert_int_equal(moved_to, 0xabcd);
    assert_null(the_proc(n));
    n->transport = NULL;
}

static void a_refused_offer_leaves_it_running_here(void **state)
{
    struct node *n = unit_node(state);
    struct target *t = target_new(n);
    struct life l = mover(n, t);
    static const int errors[] = {E_MEM, E_ARCH, E_EXISTS, E_REFUSED};
    for (unsigned i = 0; i < 4; i++) {
        t->offer = -errors[i];
        run(n, migrate_body, &l);
        assert_int_equal(l.status, -errors[i]);
        assert_int_equal(t->watched->state, PROC_RUN);
    }
    assert_int_equal(t->commits + t->aborts, 0);
    t->offer = -E_TIMEOUT; // whatever made it say so, it may hold something
    run(n, migrate_body, &l);
    assert_int_equal(l.status, -E_TIMEOUT);
    assert_int_equal(t->watched->state, PROC_RUN);
    assert_int_equal(t->aborts, 1);
}

static void no_target_leaves_it_running_here(void **state)
{
    struct node *n = unit_node(state);
    target = (struct target){.cap = {.port = {{5, 6}}}};
    struct life l = mover(n, &target);
    run(n, migrate_body, &l);
    assert_int_equal(l.status, -E_NOTHERE);
    assert_int_equal(target.watched->state, PROC_RUN);
}

static void an_explicit_refusal_of_commit_ends_the_doubt(void **state)
{
    struct node *n = unit_node(state);
    struct target *t = target_new(n);
    struct life l = mover(n, t);
    t->commit[0] = -E_TIMEOUT;
    t->commit[1] = -E_NOTHERE;
    t->commit[2] = -E_DIED;
    t->commit[3] = -E_REFUSED;
    run(n, migrate_body, &l);
    assert_int_equal(l.status, -E_REFUSED);
    assert_int_equal(t->commits, 4);
    assert_int_equal(t->aborts, 0);
    assert_int_equal(t->watched->state, PROC_RUN);
}

static void a_lost_answer_to_commit_is_asked_for_again(void **state)
{
    struct node *n = unit_node(state);
    struct target *t = target_new(n);
    struct life l = mover(n, t);
    t->commit[0] = t->commit[1] = -E_DIED;
    run(n, migrate_body, &l);
    assert_int_equal(l.status, 0);
    assert_int_equal(t->commits, 3);
    assert_null(the_proc(n));
}

static void doubt(struct node *n, struct target *t, struct life *l)
{
    *l = mover(n, t);
    for (int i = 0; i < 4; i++)
        t->commit[i] = -E_NOTHERE;
    run(n, migrate_body, l);
    assert_int_equal(l->status, -E_DOUBT);
    assert_int_equal(t->watched->state, PROC_DOUBT);
}

static void a_target_that_gives_no_answer_leaves_doubt_and_no_second_copy(void **state)
{
    struct node *n = unit_node(state);
    struct owner *o = owner_new(n, *state);
    struct target *t = target_new(n);
    struct life l;
    doubt(n, t, &l);
    assert_true(t->commits > 10);
    assert_true(t->last_commit_ns - t->first_commit_ns > 40 * NS_PER_S); // longer than a target keeps an offer
    assert_int_equal(o->count, 0);
    pass_time(n, 600 * NS_PER_S);
    assert_int_equal(t->watched->state, PROC_DOUBT); // for ever
    run(n, migrate_body, &l);
    assert_int_equal(l.status, -E_STATE);
    run(n, destroy_body, &l); // the owner's decision
    assert_int_equal(l.status, 0);
    assert_null(the_proc(n));
    // Another one, with an owner; it does not know any more at the first question.
    l.p.owner = o->cap;
    run(n, exec_only_body, &l);
    t->watched = the_proc(n);
    t->commits = 0;
    t->commit[0] = -E_DOUBT;
    run(n, migrate_body, &l);
    assert_int_equal(l.status, -E_DOUBT);
    assert_int_equal(t->commits, 1);
    pass_time(n, NS_PER_S);
    assert_int_equal(o->count, 1);
    assert_int_equal(o->event[0], EVENT_DOUBT);
    assert_int_equal(o->ep[0], l.ep);
    assert_int_equal(o->a2[0], 0xabcd);
}

static void resume_body(struct node *n, void *arg)
{
    struct life *l = arg;
    l->status = call(n, l->c, OP_PROC_RESUME, 0, 0, NULL, 0, NULL, 0);
}
static void stun_only_body(struct node *n, void *arg)
{
    struct life *l = arg;
    l->status = call(n, l->c, OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0);
}

static void only_an_order_resumes_a_process_in_doubt(void **state)
{
    struct node *n = unit_node(state);
    struct target *t = target_new(n);
    struct life l;
    doubt(n, t, &l);
    run(n, stun_only_body, &l);
    assert_int_equal(l.status, -E_DOUBT);
    run(n, resume_body, &l);
    assert_int_equal(l.status, 0);
    assert_int_equal(t->watched->state, PROC_RUN);
    assert_true(was_logged("resumes by its owner's order"));
}

static void a_stunned_process_moves_stunned_and_stays_so_when_refused(void **state)
{
    struct node *n = unit_node(state);
    struct target *t = target_new(n);
    struct life l = mover(n, t);
    run(n, stun_only_body, &l);
    t->offer = -E_MEM;
    run(n, migrate_body, &l);
    assert_int_equal(l.status, -E_MEM);
    assert_int_equal(t->watched->state, PROC_STUNNED);
    t->offer = 0;
    t->commit[0] = -E_REFUSED;
    run(n, migrate_body, &l);
    assert_int_equal(l.status, -E_REFUSED);
    assert_int_equal(t->watched->state, PROC_STUNNED);
    t->commit[1] = 0;
    run(n, migrate_body, &l);
    assert_int_equal(l.status, 0);
    assert_true(t->stunned);
}

static void orders_during_a_move_wait_for_its_end(void **state)
{
    struct node *n = unit_node(state);
    struct target *t = target_new(n);
    struct life l = mover(n, t), stun = l, kill = l, second = l;
    t->deaf = true; // COMMIT is answered after 11 s; its transaction gives up after 10
    t->commit[3] = -E_REFUSED;
    struct client move = {migrate_body, &l, false}, a = {stun_only_body, &stun, false},
                  b = {destroy_body, &kill, false};
    begin(n, &move);
    pass_time(n, NS_PER_S);
    assert_int_equal(t->watched->state, PROC_DOUBT);
    begin(n, &a);
    pass_time(n, NS_PER_S);
    run(n, migrate_body, &second);
    assert_int_equal(second.status, -E_STATE); // one move at a time
    assert_false(a.done);
    t->deaf = false;
    t->commit[1] = t->commit[2] = -E_REFUSED;
    finish(n, &move);
    assert_int_equal(l.status, -E_REFUSED);
    finish(n, &a);
    assert_int_equal(stun.status, 0);
    assert_int_equal(t->watched->state, PROC_STUNNED);
    // Now it leaves while somebody waits to kill it: the order finds nothing, and says so.
    t->deaf = true;
    t->commits = 0;
    begin(n, &move);
    pass_time(n, NS_PER_S);
    begin(n, &b);
    pass_time(n, NS_PER_S);
    assert_false(b.done);
    t->deaf = false;
    t->commit[1] = 0;
    finish(n, &move);
    assert_int_equal(l.status, 0);
    finish(n, &b);
    assert_int_equal(kill.status, -E_NOTHERE);
}

// --- Hand-off, target ------------------------------------------------------------------------------------------------

static int64_t offer(struct node *n, uint64_t id, const struct plan *p, uint64_t pages)
{
    struct maker m;
    make(&m, p);
    return call(n, lookup(n, "proc"), OP_PROC_OFFER, id, pages, m.b, m.len, NULL, 0);
}
static int64_t commit(struct node *n, uint64_t id, uint64_t number)
{
    return call(n, lookup(n, "proc"), OP_PROC_COMMIT, id, number, NULL, 0, NULL, 0);
}
static int64_t abort_it(struct node *n, uint64_t id)
{
    return call(n, lookup(n, "proc"), OP_PROC_ABORT, id, 0, NULL, 0, NULL, 0);
}

static void target_body(struct node *n, void *arg)
{
    (void)arg;
    struct plan p = plan();
    struct cap src = source_make(n);
    p.ep = 0x5000000000000017;
    p.source = src;
    p.source_len = p.len;
    assert_int_equal(commit(n, 1, 1), -E_REFUSED); // never heard of
    assert_int_equal(abort_it(n, 1), 0);
    assert_int_equal(offer(n, 0, &p, 0), -E_ARG);
    assert_int_equal(offer(n, 1, &p, 0), 0);
    assert_int_equal(res.res[0], 0); // its source is a segment of this node: pages are shared
    assert_int_equal(res.res[1], 0);
    assert_int_equal(res.res[2], node_ep(n));
    uint64_t number = res.res[3];
    struct proc *q = the_proc(n);
    assert_int_equal(q->state, PROC_ARRIVING);
    assert_int_equal(offer(n, 1, &p, 0), -E_EXISTS);
    assert_int_equal(offer(n, 2, &p, 0), -E_EXISTS); // another copy
    assert_int_equal(call(n, proc_cap(q, RIGHT_ALL), OP_INFO, 0, 0, NULL, 0, NULL, 0), -E_NOTHERE);
    assert_int_equal(abort_it(n, 1), 0);
    assert_null(the_proc(n));
    assert_int_equal(commit(n, 1, number), -E_REFUSED);
    // Again, and this time it stays.
    assert_int_equal(offer(n, 3, &p, 5), 0);
    number = res.res[3];
    assert_int_equal(commit(n, 3, number), 0);
    q = the_proc(n);
    assert_int_equal(q->state, PROC_RUN);
    assert_int_equal(q->moves, 1);
    assert_int_equal(commit(n, 3, number), 0); // as often as it is asked
    assert_int_equal(abort_it(n, 3), -E_STATE);
    assert_int_equal(offer(n, 4, &p, 0), -E_EXISTS); // it lives here
    assert_int_equal(call(n, proc_cap(q, RIGHT_ALL), OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    task_sleep(n, NS_PER_MS);
    assert_int_equal(commit(n, 3, number), 0); // it ran here, and ended: still true
    // Stunned when it left, stunned when it arrives.
    p.stunned = true;
    assert_int_equal(offer(n, 5, &p, 0), 0);
    assert_int_equal(commit(n, 5, res.res[3]), 0);
    q = the_proc(n);
    assert_int_equal(q->state, PROC_STUNNED);
    assert_int_equal(call(n, proc_cap(q, RIGHT_ALL), OP_PROC_RESUME, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(q->state, PROC_RUN);
    assert_int_equal(call(n, proc_cap(q, RIGHT_ALL), OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    task_sleep(n, NS_PER_MS);
    // Nameless, too large, or a source that fails: nothing is left.
    p.stunned = false;
    p.ep = 0;
    assert_int_equal(offer(n, 6, &p, 0), -E_ARG);
    assert_null(the_proc(n));
    p.ep = 0x5000000000000018;
    p.len = p.source_len = 512 * MIB;
    p.source.port.w[0]++; // somewhere else
    assert_int_equal(offer(n, 7, &p, 0), -E_MEM);
    p.source = src;
    p.source_len = 600 * PAGE; // and more than there is to read
    assert_int_equal(offer(n, 8, &p, 0), -E_EOF);
    assert_null(the_proc(n));
    assert_int_equal(commit(n, 8, 100), -E_REFUSED);
    assert_int_equal(call(n, src, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
}
static int64_t rotate(struct node *n, struct cap c, struct cap *fresh)
{
    return call(n, c, OP_ROTATE, 0, 0, NULL, 0, fresh, sizeof *fresh);
}

static void rotate_body(struct node *n, void *arg)
{
    (void)arg;
    struct plan p = plan();
    struct cap fresh, old;
    p.ep = 0x5000000000000019;
    assert_int_equal(offer(n, 1, &p, 0), 0);
    uint64_t number = res.res[3];
    assert_int_equal(rotate(n, lookup(n, "proc"), &fresh), 0);
    assert_int_equal(offer(n, 2, &p, 0), -E_CAP); // the name still leads to the old one
    assert_int_equal(commit(n, 1, number), 0);    // what was let in may end
    struct proc *q = the_proc(n);
    assert_int_equal(q->state, PROC_RUN);
    old = proc_cap(q, RIGHT_ALL);
    assert_int_equal(rotate(n, proc_cap(q, RIGHT_CONTROL), &fresh), -E_RIGHTS);
    assert_int_equal(rotate(n, old, &fresh), 0);
    assert_int_equal(call(n, old, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), -E_CAP);
    assert_int_equal(call(n, old, OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0), -E_CAP);
    assert_int_equal(call(n, fresh, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    task_sleep(n, NS_PER_MS);
    assert_null(the_proc(n));
}
static void rotation_withdraws_a_processor_and_a_process_but_ends_no_handoff(void **state)
{
    run(unit_node(state), rotate_body, NULL);
}

static void an_offer_runs_once_and_only_after_commit(void **state)
{
    struct node *n = unit_node(state);
    run(n, target_body, NULL);
}

struct
try {
    struct plan p;
    uint64_t id, number;
    int64_t status;
};
static void offer_body(struct node *n, void *arg)
{
    struct try *t = arg;
    t->status = offer(n, t->id, &t->p, 0);
    t->number = res.res[3];
}
static void commit_body(struct node *n, void *arg)
{
    struct try *t = arg;
    t->status = commit(n, t->id, t->number);
}

static void an_offer_that_nobody_commits_is_dropped_and_refused_for_ever(void **state)
{
    struct node *n = unit_node(state);
    struct try t = {.p = plan(), .id = 9};
    t.p.ep = 0x6000000000000042;
    run(n, offer_body, &t);
    assert_int_equal(t.status, 0);
    pass_time(n, 25 * NS_PER_S);
    assert_non_null(the_proc(n));
    pass_time(n, 10 * NS_PER_S);
    assert_null(the_proc(n));
    run(n, commit_body, &t);
    assert_int_equal(t.status, -E_REFUSED);
    pass_time(n, 3600 * NS_PER_S);
    run(n, commit_body, &t);
    assert_int_equal(t.status, -E_REFUSED);
}

static void forget_body(struct node *n, void *arg)
{
    (void)arg;
    struct plan p = plan();
    uint64_t first = 0, aborted = 0, last = 0;
    p.a7 = SYS_EXIT;
    p.ep = 0x6000000000000042;
    assert_int_equal(offer(n, 999, &p, 0), 0);
    aborted = res.res[3];
    assert_int_equal(abort_it(n, 999), 0);
    for (uint64_t i = 1; i <= 258; i++) {
        p.ep++;
        assert_int_equal(offer(n, i, &p, 0), 0);
        last = res.res[3];
        if (i == 1)
            first = last;
        assert_int_equal(commit(n, i, last), 0);
        task_sleep(n, NS_PER_MS);
    }
    assert_int_equal(commit(n, 258, last), 0);
    assert_int_equal(commit(n, 3, first + 2), 0);
    // The first two are forgotten. To say "never ran" now would be a lie, and a second copy.
    assert_int_equal(commit(n, 1, first), -E_DOUBT);
    assert_int_equal(commit(n, 2, first + 1), -E_DOUBT);
    assert_int_equal(commit(n, 999, aborted), -E_DOUBT);
    assert_int_equal(commit(n, 4711, last + 1), -E_REFUSED);
}
static void what_is_forgotten_is_in_doubt_and_not_refused(void **state)
{
    run(unit_node(state), forget_body, NULL);
}

// Fills the page of port records, so that the next one needs a new page. Returns how many.
static uint64_t ports_fill(struct node *n)
{
    uint64_t i = 0;
    size_t before;
    do {
        before = page_free_count(n);
        assert_int_equal(port_add(n, (struct port){{++i, 1}}, n->kproc, 0, NULL), 0);
    } while (page_free_count(n) == before);
    port_remove(n, (struct port){{i--, 1}}, n->kproc, NULL);
    return i;
}

static void commit_oom_body(struct node *n, void *arg)
{
    bool *refused = arg;
    struct plan p = plan();
    struct cap proc = lookup(n, "proc");
    p.ep = 0x6000000000000042;
    for (long i = 0; i < 4; i++) {
        p.ep++;
        assert_int_equal(offer(n, p.ep, &p, 0), 0);
        uint64_t number = res.res[3], filled = ports_fill(n);
        n->pages.fail_after = i; // the first one may be for the transaction's record: then it is asked again
        int64_t status = call(n, proc, OP_PROC_COMMIT, p.ep, number, NULL, 0, NULL, 0);
        n->pages.fail_after = -1;
        for (; filled > 0; filled--)
            port_remove(n, (struct port){{filled, 1}}, n->kproc, NULL);
        if (status == 0) {
            assert_int_equal(call(n, proc_cap(the_proc(n), RIGHT_ALL), OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
            task_sleep(n, NS_PER_MS);
        } else {
            assert_int_equal(status, -E_REFUSED);
            *refused = true;
        }
        assert_null(the_proc(n));
        assert_int_equal(commit(n, p.ep, number),
                         status); // with all the memory of the world: the same answer
    }
}
static void a_commit_without_memory_is_refused_and_final(void **state)
{
    bool refused = false;
    run(unit_node(state), commit_oom_body, &refused);
    assert_true(refused);
}

// --- Waiting must not starve -----------------------------------------------------------------------------------------

struct reader {
    int64_t status;
    char text[64];
};
static void read_body(struct node *n, void *arg)
{
    struct reader *r = arg;
    memset(r->text, 0, sizeof r->text);
    r->status = call(n, lookup(n, "console"), OP_READ, 0, sizeof r->text - 1, NULL, 0, r->text, sizeof r->text - 1);
}
static void type(struct node *n, const char *s)
{
    host_node_enter(n);
    for (; *s; s++)
        console_input(n, *s);
}
static void print_body(struct node *n, void *arg)
{
    const char *s = arg;
    assert_int_equal(call(n, lookup(n, "console"), OP_WRITE, 0, 0, s, strlen(s), NULL, 0), 0);
    assert_int_equal(res.res[0], strlen(s));
}

static void a_service_that_waits_for_long_still_takes_requests(void **state)
{
    struct node *n = unit_node(state);
    struct reader r;
    struct client c = {read_body, &r, false}, w = {print_body, "hello\n", false};
    begin(n, &c);
    pass_time(n, 60 * NS_PER_S);
    begin(n, &w);
    pass_time(n, 0);
    assert_true(w.done);
    type(n, "one\r");
    finish(n, &c);
}

static void print_for(struct node *n, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        run(n, print_body, "again\n");
        pass_time(n, NS_PER_S);
    }
}

// One request a second, which goes to who has waited longest: none of them ever has nothing to do for long.
static void what_a_service_needed_once_goes_though_requests_keep_coming(void **state)
{
    static char large[6 * PAGE_SIZE];
    struct node *n = unit_node(state);
    struct reader r[5];
    struct client c[5];
    memset(large, '-', sizeof large - 1);
    print_for(n, 20);
    struct unit before = unit_counts(n);
    for (int i = 0; i < 5; i++) {
        c[i] = (struct client){read_body, &r[i], false};
        begin(n, &c[i]);
        pass_time(n, 0);
    }
    assert_true(n->pool_thread.used > before.threads + 5);
    for (int i = 0; i < 5; i++)
        type(n, "one\r");
    for (int i = 0; i < 5; i++) {
        finish(n, &c[i]);
        run(n, print_body, large);
    }
    assert_true(n->pool_thread.used > before.threads);
    print_for(n, 20);
    assert_int_equal(n->pool_thread.used, before.threads);
    assert_int_equal(n->pool_seg.used, before.segs);
    assert_int_equal(page_free_count(n), before.free_pages);
}

#define READERS 10 // tasks_max of the console, less those kept free

static void readers_that_wait_keep_nobody_from_writing(void **state)
{
    struct node *n = unit_node(state);
    struct reader r[READERS + 1];
    struct client c[READERS + 1];
    for (int i = 0; i <= READERS; i++) {
        c[i] = (struct client){read_body, &r[i], false};
        begin(n, &c[i]);
        pass_time(n, 0);
    }
    assert_true(c[READERS].done);
    assert_int_equal(r[READERS].status, -E_LIMIT); // some tasks are always kept free
    assert_false(c[0].done || c[READERS - 1].done);
    pass_time(n, 60 * NS_PER_S); // and stay so
    run(n, print_body, "hello\n");
    assert_true(was_logged("hello"));
    type(n, "one\rtwx\bo\r");
    finish(n, &c[0]);
    finish(n, &c[1]);
    assert_string_equal(r[0].text, "one\n");
    assert_string_equal(r[1].text, "two\n");
    for (int i = 2; i < READERS; i++) {
        type(n, "x\r");
        finish(n, &c[i]);
    }
}

static void the_console_reads_lines(void **state)
{
    struct node *n = unit_node(state);
    struct reader r;
    struct client c = {read_body, &r, false};
    begin(n, &c);
    type(n, "ab");
    pass_time(n, NS_PER_S);
    assert_false(c.done); // not a line yet
    type(n, "\b\b\b\bcd\n");
    finish(n, &c);
    assert_string_equal(r.text, "cd\n");
    type(n, "x\x04"); // gives what there is
    run(n, read_body, &r);
    assert_string_equal(r.text, "x");
    type(n, "\x04");
    run(n, read_body, &r);
    assert_int_equal(r.status, -E_EOF);
    for (int i = 0; i < 5000; i++) // more than there is room for: the line can still be ended
        type(n, "y");
    type(n, "\n");
    size_t len = 0;
    do {
        run(n, read_body, &r);
        assert_int_equal(r.status, 0);
        len += strlen(r.text);
    } while (r.text[strlen(r.text) - 1] != '\n');
    assert_int_equal(len, 1024);
}

static void the_console_prints_lines_and_shows_what_would_steer_a_terminal(void **state)
{
    struct node *n = unit_node(state);
    run(n, print_body, "par");
    assert_false(was_logged("par"));
    run(n, print_body, "tial\r\nprompt> ");
    assert_true(was_logged("partial"));
    assert_false(was_logged("prompt"));
    pass_time(n, NS_PER_S);
    assert_true(was_logged("prompt> "));
    run(n, print_body, "\x1b[2Jgr\xc3\xbc\x7f\a\n");
    assert_true(was_logged("\\x1b[2Jgr\xc3\xbc\\x7f\\x07"));
    char wide[1000];
    memset(wide, 'w', sizeof wide);
    memcpy(wide + sizeof wide - 5, "end\n", 5);
    run(n, print_body, wide);
    assert_true(was_logged("wend"));
}

// --- Node ------------------------------------------------------------------------------------------------------------

static int echo(struct node *n, unsigned link, uint32_t payload)
{
    if (link != 1)
        return -E_ARG;
    task_sleep(n, payload);
    return 0;
}
static bool links(struct node *n, unsigned i, struct link_status *out)
{
    (void)n;
    *out = (struct link_status){.name = "net0"};
    return i == 0;
}
static const struct transport bare_links = {.link_status = links, .link_echo = echo};

static void node_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap c = lookup(n, "node"), weak;
    static uint8_t big[3 * PAGE], got[3 * PAGE];
    memset(got, 1, sizeof got);
    assert_int_equal(call(n, c, OP_RESTRICT, 0, 0, NULL, 0, &weak, sizeof weak), 0);
    assert_int_equal(call(n, weak, OP_NODE_NULL, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(call(n, weak, OP_NODE_NULL, sizeof got, 0, big, sizeof big, got, sizeof got), 0);
    assert_int_equal(res.len, sizeof got);
    assert_true(unit_all_bytes(got, 0, sizeof got));
    struct node_status st;
    assert_int_equal(call(n, weak, OP_NODE_STATUS, 0, 0, NULL, 0, &st, sizeof st), -E_RIGHTS);
    n->transport = &bare_links;
    assert_int_equal(call(n, c, OP_NODE_STATUS, 0, 0, NULL, 0, &st, sizeof st), 0);
    n->transport = NULL;
    assert_string_equal(st.name, "n1");
    assert_int_equal(st.ep, node_ep(n));
    assert_int_equal(st.pages_total, PAGES);
    assert_int_equal(st.links, 1);
    assert_string_equal(st.link[0].name, "net0");
    static char text[30000];
    trace(n, TRACE_DROP, 1, 2, 3);
    assert_int_equal(call(n, c, OP_NODE_TRACE, 0, 0, NULL, 0, text, sizeof text - 1), 0);
    assert_non_null(strstr(text, "drop"));
    assert_int_equal(text[res.len - 1], '\n');
    uint64_t ns[16];
    assert_int_equal(call4(n, c, OP_NODE_BENCH, BENCH_TRANS, 10, 0, 0, &c, sizeof c, ns, sizeof ns), 0);
    assert_int_equal(res.len, 10 * sizeof ns[0]);
    assert_int_equal(call4(n, c, OP_NODE_BENCH, BENCH_TRANS, 3, 0, 100000, &c, sizeof c, ns, sizeof ns), 0);
    assert_int_equal(res.len, 3 * sizeof ns[0]);
    assert_int_equal(call4(n, c, OP_NODE_BENCH, BENCH_TRANS, 0, 0, 0, &c, sizeof c, ns, sizeof ns), -E_ARG);
    assert_int_equal(call4(n, c, OP_NODE_BENCH, BENCH_ECHO, 3, 1, 64, NULL, 0, ns, sizeof ns), -E_STATE);
    n->transport = &bare_links;
    assert_int_equal(call4(n, c, OP_NODE_BENCH, BENCH_ECHO, 3, 1, 64, NULL, 0, ns, sizeof ns), 0);
    assert_int_equal(res.len, 3 * sizeof ns[0]);
    assert_int_equal(ns[2], 64);
    assert_int_equal(call4(n, c, OP_NODE_BENCH, BENCH_ECHO, 3, 0, 64, NULL, 0, ns, sizeof ns), -E_ARG);
    assert_int_equal(call4(n, c, OP_NODE_BENCH, 9, 3, 0, 64, NULL, 0, ns, sizeof ns), -E_ARG);
    n->transport = NULL;
}
static void a_node_tells_its_status_and_measures(void **state)
{
    run(unit_node(state), node_body, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_entered_is_found_until_it_is_removed),
        TEST(names_have_a_form_and_their_number_a_limit),
        TEST(forged_and_widened_capabilities_are_refused),
        TEST(a_segment_reads_like_a_file_with_holes),
        TEST(large_requests_leave_no_memory_behind),
        TEST(destroying_a_segment_takes_only_the_creators_hold),
        TEST(exec_fills_segments_from_another_segment_and_destroy_leaves_nothing),
        TEST(a_bad_descriptor_is_refused_by_name_and_leaves_nothing),
        TEST(exec_survives_every_failed_allocation),
        cmocka_unit_test(services_start_survives_every_failed_allocation),
        OWNER_TEST(killing_a_process_tells_its_owner),
        OWNER_TEST(an_exit_tells_its_status),
        OWNER_TEST(a_fault_tells_what_and_where_and_then_the_end),
        OWNER_TEST(a_silent_owner_does_not_delay_the_others),
        OWNER_TEST(more_silent_owners_than_reports_end_too),
        TEST(a_process_is_stunned_described_and_resumed),
        TEST(a_stunned_process_is_changed_whole_or_not_at_all),
        TEST(a_change_survives_every_failed_allocation),
        OWNER_TEST(a_committed_process_is_gone_from_here),
        OWNER_TEST(a_refused_offer_leaves_it_running_here),
        TEST(no_target_leaves_it_running_here),
        OWNER_TEST(an_explicit_refusal_of_commit_ends_the_doubt),
        OWNER_TEST(a_lost_answer_to_commit_is_asked_for_again),
        OWNER_TEST(a_target_that_gives_no_answer_leaves_doubt_and_no_second_copy),
        OWNER_TEST(only_an_order_resumes_a_process_in_doubt),
        OWNER_TEST(a_stunned_process_moves_stunned_and_stays_so_when_refused),
        OWNER_TEST(orders_during_a_move_wait_for_its_end),
        TEST(an_offer_runs_once_and_only_after_commit),
        TEST(rotation_withdraws_a_processor_and_a_process_but_ends_no_handoff),
        TEST(an_offer_that_nobody_commits_is_dropped_and_refused_for_ever),
        TEST(what_is_forgotten_is_in_doubt_and_not_refused),
        TEST(a_commit_without_memory_is_refused_and_final),
        TEST(a_service_that_waits_for_long_still_takes_requests),
        TEST(readers_that_wait_keep_nobody_from_writing),
        TEST(what_a_service_needed_once_goes_though_requests_keep_coming),
        TEST(the_console_reads_lines),
        TEST(the_console_prints_lines_and_shows_what_would_steer_a_terminal),
        TEST(a_node_tells_its_status_and_measures),
    };
    return UNIT_RUN(tests);
}
