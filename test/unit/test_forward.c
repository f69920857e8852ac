// SPDX-License-Identifier: BSD-2-Clause
// A server hands its client on. On one node here; over the wire, with losses and moves, in the simulator ("forward").
#include "core/listen.h"
#include "test/unit/actor_bed.h"

#include "core/desc.h"
#include "core/port.h"
#include "core/task.h"
#include "core/thread.h"

struct three {
    struct actor c, f, b; // client, front, behind
};
static struct three begin(void **state)
{
    struct node *n = unit_node(state);
    return (struct three){.c = actor(n), .f = server(n, 1), .b = server(n, 2)};
}
static void end(struct three *x)
{
    gone(&x->c);
    gone(&x->f);
    gone(&x->b);
}

static void the_reply_goes_straight_to_the_client(void **state)
{
    struct three x = begin(state);
    put_bytes(&x.c, DATA, 0xc1, 5000);
    put_bytes(&x.b, DATA + 8192, 0xbb, 100);
    assert_false(serve(&x.b));
    assert_false(serve(&x.f));
    assert_false(call(&x.c, &x.f.cap, 77, 5000, 0));
    assert_true(forward_to(&x.f, &x.b.cap, 78));
    assert_int_equal(result(&x.f), 0);
    assert_false(x.f.t->serve.open); // free at once
    assert_int_equal(x.c.t->state, THREAD_CALL);
    assert_int_equal(*reg(x.b.t, 1), 5000);
    assert_int_equal(*reg(x.b.t, 3), 78);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(*reg(x.b.t, 4 + i), 300 + i);
    expect_bytes(&x.b, DATA, 0xc1, 5000); // the client's own bytes
    assert_true(reply(&x.b, 42, 100));
    assert_int_equal(result(&x.c), 42);
    assert_int_equal(*reg(x.c.t, 1), 100);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(*reg(x.c.t, 2 + i), 200 + i);
    assert_true(reply(&x.f, 0, 0)); // it owes nothing any more
    assert_int_equal(result(&x.f), -E_STATE);
    end(&x);
}

static void a_forward_to_nobody_says_not_here(void **state)
{
    struct three x = begin(state);
    struct cap nobody = {.port = {{9, 9}}};
    assert_false(serve(&x.f));
    assert_false(call(&x.c, &x.f.cap, 77, 0, 0));
    assert_true(forward_to(&x.f, &nobody, 78));
    assert_int_equal(result(&x.f), 0);
    assert_int_equal(result(&x.c), -E_NOTHERE);
    end(&x);
}

static void a_forward_of_nothing_or_to_no_port_is_refused(void **state)
{
    struct three x = begin(state);
    struct cap none = {.obj_rights = 1};
    assert_true(forward_to(&x.f, &x.b.cap, 78));
    assert_int_equal(result(&x.f), -E_STATE);
    assert_false(serve(&x.f));
    assert_false(call(&x.c, &x.f.cap, 77, 0, 0));
    assert_true(forward_to(&x.f, &none, 78));
    assert_int_equal(result(&x.f), -E_ARG);
    assert_true(reply(&x.f, 5, 0)); // the request is still open
    assert_int_equal(result(&x.c), 5);
    end(&x);
}

static void a_ring_of_forwards_ends_with_a_limit(void **state)
{
    struct three x = begin(state);
    assert_false(serve(&x.f));
    assert_false(call(&x.c, &x.f.cap, 77, 10, 0));
    unsigned hops = 0;
    while (x.c.t->state == THREAD_CALL) {
        struct actor *at = hops % 2 ? &x.b : &x.f, *next = hops % 2 ? &x.f : &x.b;
        assert_false(serve(next));
        assert_true(forward_to(at, &next->cap, 77));
        hops++;
    }
    assert_int_equal(result(&x.c), -E_LIMIT);
    assert_int_equal(hops, FORWARDS_MAX + 1);
    // And the count starts anew with the next call.
    for (unsigned i = 0; i < 2 * FORWARDS_MAX; i++) {
        assert_false(serve(&x.f));
        if (i > 0) // the ring left it in getreq
            assert_false(serve(&x.b));
        assert_false(call(&x.c, &x.f.cap, 77, 10, 0));
        assert_true(forward_to(&x.f, &x.b.cap, 77));
        to_hart(x.b.n, x.b.t);
        assert_true(reply(&x.b, 4, 0));
        assert_int_equal(result(&x.c), 4);
    }
    end(&x);
}

static void a_server_may_forward_to_itself(void **state)
{
    struct three x = begin(state);
    assert_false(serve(&x.f));
    assert_false(call(&x.c, &x.f.cap, 1, 10, 0));
    assert_true(forward_to(&x.f, &x.f.cap, 2));
    to_hart(x.f.n, x.f.t);
    serve(&x.f);
    assert_int_equal(result(&x.f), 0);
    assert_int_equal(*reg(x.f.t, 3), 2); // a new request, executed once
    assert_true(reply(&x.f, 9, 0));
    assert_int_equal(result(&x.c), 9);
    end(&x);
}

static void the_deadline_of_the_client_goes_along(void **state)
{
    struct three x = begin(state);
    assert_false(serve(&x.f));
    assert_false(serve(&x.b));
    assert_false(call(&x.c, &x.f.cap, 77, 0, 50));
    pass(x.c.n, 30 * NS_PER_MS);
    assert_true(forward_to(&x.f, &x.b.cap, 78));
    pass(x.c.n, 19 * NS_PER_MS);
    assert_int_equal(x.c.t->state, THREAD_CALL);
    pass(x.c.n, 2 * NS_PER_MS);
    assert_int_equal(result(&x.c), -E_TIMEOUT);
    assert_true(reply(&x.b, 0, 0)); // nobody reads it
    pass(x.c.n, 2 * RECORD_LIFE_NS);
    end(&x);
}

static void a_forward_waits_for_a_client_that_is_stunned(void **state)
{
    struct three x = begin(state);
    assert_false(serve(&x.f));
    assert_false(serve(&x.b));
    assert_false(call(&x.c, &x.f.cap, 77, 10, 0));
    assert_int_equal(proc_stun(x.c.n, x.c.p), 0);
    assert_true(forward_to(&x.f, &x.b.cap, 78));
    assert_int_equal(x.b.t->state, THREAD_GETREQ); // what its descriptor says stays true
    // The forwarder is described, and goes on elsewhere with what it has to say.
    struct seg *desc;
    uint64_t len;
    to_hart(x.f.n, x.f.t);
    assert_false(serve(&x.f));
    assert_int_equal(proc_stun(x.f.n, x.f.p), 0);
    assert_int_equal(desc_encode(x.f.n, x.f.p, &desc, &len), 0);
    const char *why = "";
    struct desc_info info;
    struct buf b = buf_seg(desc, 0, len);
    assert_int_equal(desc_check(x.f.n, &b, UINT64_MAX, &info, &why), 0);
    gone(&x.f);
    struct desc_fill fills[DESC_SEGS_MAX];
    unsigned nfills;
    assert_int_equal(desc_decode(x.c.n, &b, &x.f.p, fills, &nfills), 0);
    seg_drop(x.c.n, desc);
    assert_int_equal(proc_resume(x.c.n, x.f.p), 0);
    assert_int_equal(proc_resume(x.c.n, x.c.p), 0);
    pass(x.c.n, NS_PER_S);
    assert_int_equal(result(&x.b), 0);
    assert_int_equal(*reg(x.b.t, 3), 78);
    assert_true(reply(&x.b, 3, 0));
    assert_int_equal(result(&x.c), 3);
    pass(x.c.n, 2 * RECORD_LIFE_NS);
    end(&x);
}

static void a_forward_of_a_dead_client_is_forgotten(void **state)
{
    struct three x = begin(state);
    assert_false(serve(&x.f));
    assert_false(serve(&x.b));
    assert_false(call(&x.c, &x.f.cap, 77, 10, 0));
    gone(&x.c);
    assert_true(forward_to(&x.f, &x.b.cap, 78));
    assert_int_equal(result(&x.f), 0);
    assert_int_equal(x.b.t->state, THREAD_GETREQ);
    gone(&x.f);
    gone(&x.b);
}

// --- Privileged tasks -----------------------------------------------------------------------------------

static struct port task_put;
static struct cap task_target;
static void task_front(struct node *n, void *arg)
{
    (void)arg;
    struct task_request q;
    int handle = task_listen(n, (struct port){{77, 77}}, &task_put);
    assert_true(handle >= 0);
    assert_int_equal(task_forward(n, &task_target, 5, NULL), -E_STATE);
    assert_int_equal(task_getreq(n, 1ull << handle, buf_none(), 0, &q), 0);
    assert_int_equal(task_forward(n, &task_target, q.op + 1, q.arg), 0);
    assert_int_equal(port_close(n, n->kproc, (uint32_t)handle), 0);
}
static void a_task_forwards_as_a_guest_does(void **state)
{
    struct three x = begin(state);
    task_target = x.b.cap;
    assert_false(serve(&x.b));
    assert_non_null(task_spawn(x.c.n, "front", task_front, NULL));
    to_hart(x.c.n, x.c.t);
    struct cap cap = {.port = task_put};
    assert_false(call(&x.c, &cap, 10, 0, 0));
    sched_next(&x.c.n->harts[0]);
    assert_int_equal(*reg(x.b.t, 3), 11);
    assert_int_equal(*reg(x.b.t, 4), 100);
    assert_true(reply(&x.b, 4, 0));
    assert_int_equal(result(&x.c), 4);
    end(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(the_reply_goes_straight_to_the_client),
        UNIT_TEST(a_forward_to_nobody_says_not_here),
        UNIT_TEST(a_forward_of_nothing_or_to_no_port_is_refused),
        UNIT_TEST(a_ring_of_forwards_ends_with_a_limit),
        UNIT_TEST(a_server_may_forward_to_itself),
        UNIT_TEST(the_deadline_of_the_client_goes_along),
        UNIT_TEST(a_forward_waits_for_a_client_that_is_stunned),
        UNIT_TEST(a_forward_of_a_dead_client_is_forgotten),
        UNIT_TEST(a_task_forwards_as_a_guest_does),
    };
    return UNIT_RUN(tests);
}
