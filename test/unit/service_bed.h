// SPDX-License-Identifier: BSD-2-Clause
// A node with services, and a task in it that asks them. Time passes only when nothing is left to do.
#ifndef TEST_UNIT_SERVICE_BED_H
#define TEST_UNIT_SERVICE_BED_H

#include "test/unit/unit.h"

#include "core/task.h"
#include "core/thread.h"
#include "services/dir.h"
#include "services/protocol.h"
#include "services/service.h"

#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>

#define BED_PAGES 2048
#define BED_STACK_LEFT 262144 // bytes: more than lie between a test and the switch to a task

// Whether an assertion failed in a task: cmocka then jumped off the task's stack to its own, and the hart still takes
// the task for running. Such a node always has work, so that to step it would never end.
static inline bool bed_left_a_task(const struct node *n)
{
    return n->harts[0].current && thread_is_task(n->harts[0].current);
}

static inline void bed_step(struct node *n)
{
    assert_false(bed_left_a_task(n));
    while (host_node_step(n)) {}
}

static inline void bed_pass(struct node *n, uint64_t ns)
{
    uint64_t end = unit_now_ns + ns;
    for (;;) {
        bed_step(n);
        uint64_t at = host_node_deadline(n);
        if (at >= end)
            break;
        if (at > unit_now_ns)
            unit_now_ns = at;
    }
    unit_now_ns = end;
    bed_step(n);
}

// --- What the node says: the last lines -----------------------------------------------------------------------------

#define BED_LINES 32u
static struct {
    char line[BED_LINES][256];
    unsigned count;
} bed_log;

static inline void bed_keep_log(struct node *n, const char *line)
{
    (void)n;
    snprintf(bed_log.line[bed_log.count++ % BED_LINES], sizeof bed_log.line[0], "%s", line);
    if (getenv("SHOW_LOG"))
        fprintf(stderr, "%s\n", line);
}

static inline bool bed_was_logged(const char *text)
{
    for (unsigned i = 0; i < BED_LINES && i < bed_log.count; i++)
        if (strstr(bed_log.line[i], text))
            return true;
    return false;
}

// --- A task that asks -----------------------------------------------------------------------------------------------

struct bed_client {
    void (*body)(struct node *n, void *arg);
    void *arg;
    bool done;
    struct thread *task;
};
static inline void bed_client_main(struct node *n, void *arg)
{
    struct bed_client *c = arg;
    c->body(n, c->arg);
    c->done = true;
}
static inline void bed_begin(struct node *n, struct bed_client *c)
{
    c->done = false;
    c->task = task_spawn(n, "client", bed_client_main, c);
    assert_non_null(c->task);
    bed_step(n);
}
static inline void bed_finish(struct node *n, const struct bed_client *c)
{
    bed_step(n);
    while (!c->done) {
        uint64_t at = host_node_deadline(n);
        assert_true(at != UINT64_MAX); // else it waits for ever
        unit_now_ns = at > unit_now_ns ? at : unit_now_ns;
        bed_step(n);
    }
}
static inline void bed_run(struct node *n, void (*body)(struct node *n, void *arg), void *arg)
{
    struct bed_client c = {.body = body, .arg = arg};
    bed_begin(n, &c);
    bed_finish(n, &c);
}

// --- Transactions, in a task ----------------------------------------------------------------------------------------

static struct task_result bed_result;

static inline int64_t bed_call4(struct node *n, struct cap c, uint32_t op, const uint64_t arg[4], const void *req,
                                size_t req_len, void *rep, size_t rep_len)
{
    memset(&bed_result, 0, sizeof bed_result);
    return task_trans(n, &c, op, arg, req_len ? buf_kernel(req, req_len) : buf_none(),
                      rep_len ? buf_kernel(rep, rep_len) : buf_none(), 0, &bed_result);
}
static inline int64_t bed_call(struct node *n, struct cap c, uint32_t op, uint64_t a0, uint64_t a1, const void *req,
                               size_t req_len, void *rep, size_t rep_len)
{
    const uint64_t arg[4] = {a0, a1, 0, 0};
    return bed_call4(n, c, op, arg, req, req_len, rep, rep_len);
}

static inline struct cap bed_dir_cap(struct node *n)
{
    return dir_root_cap(n->ring_key, n->name, RIGHT_ALL);
}

static inline struct cap bed_lookup(struct node *n, const char *name)
{
    struct cap c;
    assert_int_equal(bed_call(n, bed_dir_cap(n), OP_DIR_LOOKUP, 0, 0, name, strlen(name), &c, sizeof c), 0);
    assert_int_equal(bed_result.len, sizeof c);
    return c;
}

// --- The node -------------------------------------------------------------------------------------------------------

static inline int bed_setup_with(void **state, const struct host_options *o)
{
    unit_now_ns = NS_PER_S;
    struct unit *u = malloc(sizeof *u);
    struct node *n = host_node_new("n1", BED_PAGES, o);
    if (!u || !n)
        return -1;
    *u = unit_counts(n);
    *state = u;
    return services_start(n);
}

// With a log, and a ring key of its own.
static inline int bed_setup(void **state)
{
    static const uint8_t ring_key[32] = {1, 2, 3};
    const struct host_options o = {.clock = unit_clock, .seed = 1, .log = bed_keep_log, .ring_key = ring_key};
    bed_log.count = 0;
    return bed_setup_with(state, &o);
}

// A claim that failed in a task has left the task's stack by a jump: the hart is in that task for ever, and the node is
// of no more use. It is left as it is, so that the test ends with the name of the claim, not by a hang. What the jump
// left below is no stack any more: the sanitizer is told, or it finds errors there when it looks for leaks at the end.
static inline bool bed_stuck(void **state)
{
    struct node *n = unit_node(state);
    if (!bed_left_a_task(n))
        return false;
    __lsan_register_root_region(n->pages.base, n->pages.span << PAGE_SHIFT); // what it holds is no leak
    ASAN_UNPOISON_MEMORY_REGION((char *)__builtin_frame_address(0) - BED_STACK_LEFT, BED_STACK_LEFT);
    return true;
}

static inline int bed_teardown(void **state)
{
    struct node *n = unit_node(state);
    if (bed_stuck(state)) {
        free(*state);
        return -1;
    }
    bed_pass(n, 120 * NS_PER_S); // extra tasks go, records are forgotten
    services_stop(n);
    return unit_teardown(state);
}

#define BED_TEST(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

// What must come back to where it was while services run on.
static inline struct unit bed_count(struct node *n)
{
    bed_pass(n, 120 * NS_PER_S); // extra tasks go, records are forgotten
    return unit_counts(n);
}
static inline void bed_assert_same(const struct unit *a, const struct unit *b)
{
    if (memcmp(a, b, sizeof *a) != 0)
        print_error("pages %zu %zu procs %zu %zu threads %zu %zu segs %zu %zu recs %zu %zu ports %zu %zu\n",
                    a->free_pages, b->free_pages, a->procs, b->procs, a->threads, b->threads, a->segs, b->segs, a->recs,
                    b->recs, a->ports, b->ports);
    assert_memory_equal(a, b, sizeof *a);
}

#endif
