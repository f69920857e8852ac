// SPDX-License-Identifier: BSD-2-Clause
// A node with services, and a task in it that asks them. Time passes only when nothing is left to do.
#ifndef TEST_UNIT_SERVICE_BED_H
#define TEST_UNIT_SERVICE_BED_H

#include "test/unit/unit.h"

#include "core/task.h"
#include "services/dir.h"
#include "services/protocol.h"
#include "services/service.h"

#define BED_PAGES 2048

static inline void bed_step(struct node *n)
{
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
static inline void bed_run(struct node *n, void (*body)(struct node *n, void *arg), void *arg)
{
    struct bed_client c = {.body = body, .arg = arg};
    bed_begin(n, &c);
    while (!c.done) {
        uint64_t at = host_node_deadline(n);
        assert_true(at != UINT64_MAX); // else it waits for ever
        unit_now_ns = at > unit_now_ns ? at : unit_now_ns;
        bed_step(n);
    }
}

// --- Transactions, in a task --------------------------------------------------------------------------------------

static struct task_result bed_result;

static inline int64_t bed_call(struct node *n, struct cap c, uint32_t op, uint64_t a0, uint64_t a1, const void *req,
                               size_t req_len, void *rep, size_t rep_len)
{
    const uint64_t arg[4] = {a0, a1, 0, 0};
    memset(&bed_result, 0, sizeof bed_result);
    return task_trans(n, &c, op, arg, req_len ? buf_kernel(req, req_len) : buf_none(),
                      rep_len ? buf_kernel(rep, rep_len) : buf_none(), 0, &bed_result);
}

static inline struct cap bed_lookup(struct node *n, const char *name)
{
    struct cap c, dir = dir_root_cap(n->ring_key, n->name, RIGHT_ALL);
    assert_int_equal(bed_call(n, dir, OP_DIR_LOOKUP, 0, 0, name, strlen(name), &c, sizeof c), 0);
    return c;
}

// --- The node -----------------------------------------------------------------------------------------------------

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

static inline int bed_teardown(void **state)
{
    struct node *n = unit_node(state);
    bed_pass(n, 120 * NS_PER_S); // extra tasks go, records are forgotten
    services_stop(n);
    return unit_teardown(state);
}

#endif
