// SPDX-License-Identifier: BSD-2-Clause
// Calls that are called back, on one node; over the wire, with losses and moves, in the simulator ("cancel").
#include "core/listen.h"
#include "test/unit/actor_bed.h"

#include "core/desc.h"
#include "core/port.h"
#include "core/task.h"
#include "core/thread.h"

// A client with a second thread that says when it is enough; a chain of servers.
struct bed {
    struct actor c, boss, s[3];
};
static struct bed begin(void **state)
{
    struct node *n = unit_node(state);
    struct bed x = {.c = actor(n)};
    for (unsigned i = 0; i < 3; i++)
        x.s[i] = server(n, i + 1);
    x.boss = x.c;
    x.boss.t = thread_create(n, x.c.p, 0);
    assert_non_null(x.boss.t);
    sched_ready(n, x.boss.t);
    return x;
}
static void end(struct bed *x)
{
    pass(x->c.n, 2 * RECORD_LIFE_NS);
    gone(&x->c);
    for (unsigned i = 0; i < 3; i++)
        gone(&x->s[i]);
    settle(x->c.n);
}

static int64_t cancel(struct bed *x, struct actor *whom, uint64_t grace_ms)
{
    to_hart(x->boss.n, x->boss.t);
    *reg(x->boss.t, 0) = whom->t->tid;
    *reg(x->boss.t, 1) = grace_ms;
    assert_true(sys(&x->boss, SYS_CANCEL));
    return result(&x->boss);
}
static int64_t cancelled(struct actor *a, uint64_t mode)
{
    to_hart(a->n, a->t);
    *reg(a->t, 0) = mode;
    assert_true(sys(a, SYS_CANCELLED));
    return result(a);
}
static void wait_for_ever(struct actor *a)
{
    to_hart(a->n, a->t);
    *reg(a->t, 0) = DATA;
    *reg(a->t, 1) = 0;
    *reg(a->t, 2) = 0;
    put_bytes(a, DATA, 0, 4);
    assert_false(sys(a, SYS_WAIT));
}

static void a_request_in_the_queue_is_withdrawn(void **state)
{
    struct bed x = begin(state);
    assert_false(call(&x.c, &x.s[0].cap, 1, 10, 0));
    assert_int_equal(cancel(&x, &x.c, 0), 0);
    assert_int_equal(result(&x.c), -E_WITHDRAWN);
    assert_false(serve(&x.s[0])); // and is never delivered
    assert_int_equal(x.s[0].t->state, THREAD_GETREQ);
    assert_false(call(&x.c, &x.s[0].cap, 2, 10, 0)); // the next one is
    assert_int_equal(*reg(x.s[0].t, 3), 2);
    assert_true(reply(&x.s[0], 6, 0));
    assert_int_equal(result(&x.c), 6);
    end(&x);
}

static void a_request_that_is_still_being_copied_is_withdrawn(void **state)
{
    struct bed x = begin(state);
    to_hart(x.s[0].n, x.s[0].t);
    *reg(x.s[0].t, 0) = 1;
    *reg(x.s[0].t, 1) = DATA;
    *reg(x.s[0].t, 2) = DATA_LEN;
    *reg(x.s[0].t, 3) = 0;
    assert_false(sys(&x.s[0], SYS_GETREQ));
    assert_false(call(&x.c, &x.s[0].cap, 1, DATA_LEN, 0));
    assert_int_equal(x.s[0].t->state, THREAD_FILL);
    assert_int_equal(cancel(&x, &x.c, 0), 0);
    assert_int_equal(result(&x.c), -E_WITHDRAWN);
    assert_int_equal(x.s[0].t->state, THREAD_GETREQ);
    assert_false(call(&x.c, &x.s[0].cap, 2, 10, 0));
    assert_int_equal(*reg(x.s[0].t, 3), 2);
    assert_true(reply(&x.s[0], 6, 0));
    end(&x);
}

static void a_server_that_computes_finds_out_when_it_asks(void **state)
{
    struct bed x = begin(state);
    assert_false(serve(&x.s[0]));
    assert_int_equal(cancelled(&x.c, CANCEL_ASK), 0); // it serves nobody
    assert_false(call(&x.c, &x.s[0].cap, 1, 10, 0));
    assert_int_equal(cancelled(&x.s[0], CANCEL_ASK), 0);
    assert_int_equal(cancel(&x, &x.c, 0), 0);
    assert_int_equal(x.c.t->state, THREAD_CALL); // it waits for what the server says
    assert_int_equal(cancelled(&x.s[0], CANCEL_ASK), 1);
    assert_int_equal(cancelled(&x.s[0], 3), -E_ARG);
    assert_true(reply(&x.s[0], 55, 0)); // "interrupted"
    assert_int_equal(result(&x.c), 55);
    assert_int_equal(cancelled(&x.s[0], CANCEL_ASK), 0);
    // The next request is another.
    assert_false(serve(&x.s[0]));
    assert_false(call(&x.c, &x.s[0].cap, 1, 10, 0));
    assert_int_equal(cancelled(&x.s[0], CANCEL_ASK), 0);
    assert_true(reply(&x.s[0], 0, 0));
    end(&x);
}

static void a_server_that_does_not_answer_is_given_its_grace_time(void **state)
{
    struct bed x = begin(state);
    assert_false(serve(&x.s[0]));
    assert_false(call(&x.c, &x.s[0].cap, 1, 10, 0));
    assert_int_equal(cancel(&x, &x.c, 100), 0);
    pass(x.c.n, 99 * NS_PER_MS);
    assert_int_equal(x.c.t->state, THREAD_CALL);
    pass(x.c.n, 2 * NS_PER_MS);
    assert_int_equal(result(&x.c), -E_CANCEL);
    assert_int_equal(cancelled(&x.s[0], CANCEL_ASK), 1);
    assert_true(reply(&x.s[0], 55, 10)); // nobody reads it
    assert_int_equal(result(&x.s[0]), 0);
    end(&x);
}

static void an_interrupt_reaches_a_server_three_deep(void **state)
{
    struct bed x = begin(state);
    for (unsigned i = 0; i < 3; i++)
        assert_false(serve(&x.s[i]));
    assert_false(call(&x.c, &x.s[0].cap, 1, 10, 0));
    assert_false(call(&x.s[0], &x.s[1].cap, 1, 10, 0));
    assert_false(call(&x.s[1], &x.s[2].cap, 1, 10, 0));
    wait_for_ever(&x.s[2]);
    assert_int_equal(cancel(&x, &x.c, 1000), 0);
    pass(x.c.n, NS_PER_MS);                       // each link is an event of its own
    assert_int_equal(result(&x.s[2]), -E_CANCEL); // its wait
    assert_int_equal(x.s[1].t->state, THREAD_CALL);
    assert_true(reply(&x.s[2], 77, 0)); // it catches it, and says so
    assert_int_equal(result(&x.s[1]), 77);
    // Told once: what it calls to clean up is not cancelled.
    assert_false(serve(&x.s[2]));
    assert_false(call(&x.s[1], &x.s[2].cap, 2, 10, 0));
    pass(x.c.n, 500 * NS_PER_MS);
    assert_int_equal(x.s[1].t->state, THREAD_CALL);
    assert_true(reply(&x.s[2], 0, 0));
    assert_true(reply(&x.s[1], 78, 0));
    assert_true(reply(&x.s[0], 79, 0));
    assert_int_equal(result(&x.c), 79);
    end(&x);
}

static void a_thread_that_blocks_after_the_cancel_is_told_soon(void **state)
{
    struct bed x = begin(state);
    assert_false(serve(&x.s[0]));
    assert_false(call(&x.c, &x.s[0].cap, 1, 10, 0));
    assert_int_equal(cancel(&x, &x.c, 5000), 0); // while it computes
    pass(x.c.n, 300 * NS_PER_MS);
    assert_false(call(&x.s[0], &x.s[1].cap, 1, 10, 0)); // in the queue there
    pass(x.c.n, RETRY_MAX_NS);
    assert_int_equal(result(&x.s[0]), -E_WITHDRAWN);
    assert_true(reply(&x.s[0], 1, 0));
    assert_int_equal(result(&x.c), 1);
    end(&x);
}

static void a_shielded_thread_is_told_only_when_it_asks(void **state)
{
    struct bed x = begin(state);
    assert_false(serve(&x.s[0]));
    assert_false(serve(&x.s[1]));
    assert_false(call(&x.c, &x.s[0].cap, 1, 10, 0));
    assert_int_equal(cancelled(&x.s[0], CANCEL_SHIELD), 0);
    assert_false(call(&x.s[0], &x.s[1].cap, 1, 10, 0));
    assert_int_equal(cancel(&x, &x.c, 0), 0);
    pass(x.c.n, NS_PER_S);
    assert_int_equal(x.s[0].t->state, THREAD_CALL); // undisturbed
    assert_true(reply(&x.s[1], 9, 0));
    assert_int_equal(result(&x.s[0]), 9);
    assert_int_equal(cancelled(&x.s[0], CANCEL_OPEN), 1);
    wait_for_ever(&x.s[0]); // it knows: nothing ends this
    pass(x.c.n, NS_PER_S);
    assert_int_equal(x.s[0].t->state, THREAD_FUTEX);
    end(&x);
}

static void a_time_out_and_the_end_of_a_client_interrupt_too(void **state)
{
    struct bed x = begin(state);
    assert_false(serve(&x.s[0]));
    assert_false(serve(&x.s[1]));
    assert_false(call(&x.c, &x.s[0].cap, 1, 10, 50));
    wait_for_ever(&x.s[0]);
    pass(x.c.n, 51 * NS_PER_MS);
    assert_int_equal(result(&x.c), -E_TIMEOUT);
    assert_int_equal(result(&x.s[0]), -E_CANCEL);
    assert_false(call(&x.c, &x.s[1].cap, 1, 10, 0));
    wait_for_ever(&x.s[1]);
    gone(&x.c);
    assert_int_equal(result(&x.s[1]), -E_CANCEL);
    assert_int_equal(cancelled(&x.s[1], CANCEL_ASK), 1);
    pass(x.s[0].n, 2 * RECORD_LIFE_NS);
    for (unsigned i = 0; i < 3; i++)
        gone(&x.s[i]);
}

static void every_wait_of_an_own_thread_can_be_ended(void **state)
{
    struct bed x = begin(state);
    struct actor none = x.c;
    struct thread nobody = {.tid = 99};
    none.t = &nobody;
    assert_int_equal(cancel(&x, &none, 0), -E_OBJECT);
    assert_int_equal(cancel(&x, &x.c, 0), -E_STATE); // it runs
    assert_int_equal(cancel(&x, &x.boss, 0), -E_STATE);
    wait_for_ever(&x.c);
    assert_int_equal(cancel(&x, &x.c, 0), 0);
    assert_int_equal(result(&x.c), -E_CANCEL);
    to_hart(x.c.n, x.c.t);
    *reg(x.c.t, 0) = 1000 * NS_PER_S;
    assert_false(sys(&x.c, SYS_SLEEP));
    assert_int_equal(cancel(&x, &x.c, 0), 0);
    assert_int_equal(result(&x.c), -E_CANCEL);
    to_hart(x.c.n, x.c.t);
    *reg(x.c.t, 0) = 0x5ec;
    *reg(x.c.t, 1) = 1;
    assert_true(sys(&x.c, SYS_PORT_LISTEN));
    assert_false(serve(&x.c));
    assert_int_equal(cancel(&x, &x.c, 0), 0);
    assert_int_equal(result(&x.c), -E_CANCEL);
    assert_true(list_empty(&x.c.p->receivers));
    end(&x);
}

static void a_cancel_of_a_stunned_server_waits_until_it_goes_on(void **state)
{
    struct bed x = begin(state);
    assert_false(serve(&x.s[0]));
    assert_false(call(&x.c, &x.s[0].cap, 1, 10, 0));
    wait_for_ever(&x.s[0]);
    assert_int_equal(proc_stun(x.c.n, x.s[0].p), 0);
    assert_int_equal(cancel(&x, &x.c, 0), 0);
    pass(x.c.n, NS_PER_S);
    assert_int_equal(x.s[0].t->state, THREAD_FUTEX);
    assert_int_equal(x.c.t->state, THREAD_CALL);
    assert_int_equal(proc_resume(x.c.n, x.s[0].p), 0);
    pass(x.c.n, RETRY_MAX_NS);
    assert_int_equal(result(&x.s[0]), -E_CANCEL);
    assert_true(reply(&x.s[0], 3, 0));
    assert_int_equal(result(&x.c), 3);
    end(&x);
}

static void a_cancel_goes_along_with_its_server(void **state)
{
    struct bed x = begin(state);
    struct actor *s = &x.s[0];
    assert_false(serve(s));
    assert_false(call(&x.c, &s->cap, 1, 10, 0));
    assert_int_equal(cancel(&x, &x.c, 0), 0); // pending: it computes
    assert_int_equal(proc_stun(s->n, s->p), 0);
    host_node_enter(s->n);
    while (s->p->state != PROC_STUNNED)
        sched_next(&s->n->harts[0]);
    struct seg *desc;
    uint64_t len;
    assert_int_equal(desc_encode(s->n, s->p, &desc, &len), 0);
    struct buf b = buf_seg(desc, 0, len);
    const char *why = "";
    struct desc_info info;
    assert_int_equal(desc_check(s->n, &b, UINT64_MAX, &info, &why), 0);
    proc_destroy(s->n, s->p, true);
    struct desc_fill fills[DESC_SEGS_MAX];
    unsigned nfills;
    assert_int_equal(desc_decode(s->n, &b, &s->p, fills, &nfills), 0);
    seg_drop(s->n, desc);
    assert_int_equal(proc_resume(s->n, s->p), 0);
    s->t = thread_find(s->p, 1);
    wait_for_ever(s);
    pass(s->n, RETRY_MAX_NS);
    assert_int_equal(result(s), -E_CANCEL);
    assert_true(reply(s, 4, 0));
    pass(s->n, NS_PER_S);
    assert_int_equal(result(&x.c), 4);
    end(&x);
}

static void a_call_to_nobody_yet_is_withdrawn_at_once(void **state)
{
    struct bed x = begin(state);
    struct actor *s = &x.s[0];
    assert_int_equal(proc_stun(s->n, s->p), 0); // busy: it has not seen the request
    while (s->p->state != PROC_STUNNED)
        sched_next(&s->n->harts[0]);
    assert_false(call(&x.c, &s->cap, 1, 10, 0));
    assert_int_equal(cancel(&x, &x.c, 0), 0);
    assert_int_equal(proc_resume(s->n, s->p), 0);
    pass(x.c.n, RETRY_MAX_NS);
    assert_int_equal(result(&x.c), -E_WITHDRAWN);
    end(&x);
}

// --- A privileged task as the server that is interrupted ------------------------------------------------------------

static struct port task_put;
static int task_event;
static void waiting_task(struct node *n, void *arg)
{
    (void)arg;
    struct task_request q;
    int handle = task_listen(n, (struct port){{77, 77}}, &task_put);
    assert_int_equal(task_getreq(n, 1ull << handle, buf_none(), 0, &q), 0);
    while (!task_cancelled(n))
        task_wait(n, &task_event);
    assert_int_equal(task_putrep(n, -E_CANCEL, NULL, buf_none()), 0);
    assert_int_equal(port_close(n, n->kproc, (uint32_t)handle), 0);
}
static void a_task_that_waits_looks_round_when_it_is_cancelled(void **state)
{
    struct bed x = begin(state);
    assert_non_null(task_spawn(x.c.n, "waits", waiting_task, NULL));
    to_hart(x.c.n, x.c.t);
    struct cap cap = {.port = task_put};
    assert_false(call(&x.c, &cap, 10, 0, 0));
    sched_next(&x.c.n->harts[0]);
    assert_int_equal(x.c.t->state, THREAD_CALL);
    assert_int_equal(cancel(&x, &x.c, 0), 0);
    sched_next(&x.c.n->harts[0]);
    assert_int_equal(result(&x.c), -E_CANCEL);
    end(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_request_in_the_queue_is_withdrawn),
        UNIT_TEST(a_request_that_is_still_being_copied_is_withdrawn),
        UNIT_TEST(a_server_that_computes_finds_out_when_it_asks),
        UNIT_TEST(a_server_that_does_not_answer_is_given_its_grace_time),
        UNIT_TEST(an_interrupt_reaches_a_server_three_deep),
        UNIT_TEST(a_thread_that_blocks_after_the_cancel_is_told_soon),
        UNIT_TEST(a_shielded_thread_is_told_only_when_it_asks),
        UNIT_TEST(a_time_out_and_the_end_of_a_client_interrupt_too),
        UNIT_TEST(every_wait_of_an_own_thread_can_be_ended),
        UNIT_TEST(a_cancel_of_a_stunned_server_waits_until_it_goes_on),
        UNIT_TEST(a_cancel_goes_along_with_its_server),
        UNIT_TEST(a_call_to_nobody_yet_is_withdrawn_at_once),
        UNIT_TEST(a_task_that_waits_looks_round_when_it_is_cancelled),
    };
    return UNIT_RUN(tests);
}
