// SPDX-License-Identifier: BSD-2-Clause
// Transactions between two processes of one node, by the same system calls that a hart would make; and the fragment
// arithmetic against a model.
#include "core/loop.h"
#include "test/unit/unit.h"

#include "core/abi.h"
#include "core/cap.h"
#include "core/entry.h"
#include "core/port.h"
#include "core/proc.h"
#include "core/sched.h"
#include "core/thread.h"
#include "core/txn.h"

#define DATA 0x100000ull // a mapping of every process, read and write
#define DATA_LEN (1 * MIB)
#define RONLY 0x400000ull // another, one page, read only
#define OP 200u

// --- The bed: a client and a server --------------------------------------------------------------------

struct pair {
    struct node *n;
    struct proc *client, *server;
    struct thread *c, *s;
    struct cap cap;
    uint32_t handle;
};

static uint64_t *a(struct thread *t, unsigned i)
{
    return &t->regs.x[REG_A0 + i];
}
static int64_t result(struct thread *t)
{
    return (int64_t)*a(t, 0);
}

static void map(struct node *n, struct proc *p, uint64_t va, uint64_t len, uint32_t flags)
{
    struct seg *s;
    assert_int_equal(seg_create(n, len, &s), 0);
    assert_int_equal(proc_map(n, p, va, len, s, 0, flags), 0);
}

static struct proc *new_proc(struct node *n, struct thread **t)
{
    struct proc *p;
    assert_int_equal(proc_create(n, EP_NONE, &p), 0);
    map(n, p, DATA, DATA_LEN, MAP_READ | MAP_WRITE);
    map(n, p, RONLY, PAGE_SIZE, MAP_READ);
    *t = thread_create(n, p, 0);
    assert_non_null(*t);
    proc_set_state(p, PROC_RUN);
    return p;
}

// Lets what is due happen: timers, then whoever is ready gets the hart and gives it up again.
static void settle(struct node *n)
{
    host_node_enter(n);
    for (int i = 0; i < 1000 && timer_next(n) <= unit_now_ns; i++)
        timer_run(n, unit_now_ns);
}

// Brings t, which is ready, to the hart.
static void to_hart(struct node *n, struct thread *t)
{
    struct hart *h = &n->harts[0];
    host_node_enter(n);
    assert_true(t->state == THREAD_READY || t->state == THREAD_RUN);
    if (t->state == THREAD_READY && h->next != t)
        sched_ready(n, t);
    for (int i = 0; i < 10; i++) {
        struct thread *now = sched_next(h);
        if (now == t)
            return;
        assert_non_null(now);
        now->regs.x[REG_A7] = SYS_YIELD;
        uint64_t a0 = *a(now, 0);
        entry_syscall(h, now);
        *a(now, 0) = a0;
    }
    fail();
}

// One system call; returns whether it was over at once.
static bool sys(struct node *n, struct thread *t, uint64_t number)
{
    t->regs.x[REG_A7] = number;
    entry_syscall(&n->harts[0], t);
    bool over = t->state == THREAD_RUN;
    if (!over)
        sched_next(&n->harts[0]); // somebody else's turn
    return over;
}

static bool trans(struct pair *p, uint64_t req, uint64_t req_len, uint64_t rep, uint64_t rep_len, uint64_t ms)
{
    struct thread *t = p->c;
    to_hart(p->n, t);
    memcpy(a(t, 0), &p->cap, sizeof p->cap);
    *a(t, 4) = OP;
    *a(t, 5) = req;
    *a(t, 6) = req_len;
    t->regs.x[REG_T0] = rep;
    t->regs.x[REG_T1] = rep_len;
    t->regs.x[REG_T2] = ms;
    for (unsigned i = 0; i < 4; i++)
        t->regs.x[REG_T3 + i] = 100 + i;
    return sys(p->n, t, SYS_TRANS);
}

static bool getreq(struct pair *p, uint64_t at, uint64_t len, uint64_t ms)
{
    to_hart(p->n, p->s);
    *a(p->s, 0) = 1ull << p->handle;
    *a(p->s, 1) = at;
    *a(p->s, 2) = len;
    *a(p->s, 3) = ms;
    return sys(p->n, p->s, SYS_GETREQ);
}

static bool putrep(struct pair *p, int64_t status, uint64_t at, uint64_t len)
{
    to_hart(p->n, p->s);
    *a(p->s, 0) = (uint64_t)status;
    *a(p->s, 1) = at;
    *a(p->s, 2) = len;
    for (unsigned i = 0; i < 4; i++)
        *a(p->s, 3 + i) = 200 + i;
    return sys(p->n, p->s, SYS_PUTREP);
}

static struct pair begin(void **state)
{
    struct pair p = {.n = unit_node(state)};
    host_node_enter(p.n);
    p.client = new_proc(p.n, &p.c);
    p.server = new_proc(p.n, &p.s);
    to_hart(p.n, p.s);
    *a(p.s, 0) = 0x6e7;
    *a(p.s, 1) = 0x1234;
    assert_true(sys(p.n, p.s, SYS_PORT_LISTEN));
    p.handle = (uint32_t)result(p.s);
    p.cap = (struct cap){.port = {{*a(p.s, 1), *a(p.s, 2)}}, .obj_rights = 7};
    return p;
}

static void end_proc(struct node *n, struct proc *p)
{
    struct hart *h = &n->harts[0];
    host_node_enter(n);
    if (h->current && h->current->proc == p) {
        thread_set_state(h->current, THREAD_READY);
        sched_leave(n, h);
    }
    proc_destroy(n, p, false);
}

static void end(struct pair *p)
{
    if (p->client)
        end_proc(p->n, p->client);
    if (p->server)
        end_proc(p->n, p->server);
    settle(p->n);
}

static void write_at(struct pair *p, struct proc *proc, uint64_t va, uint8_t value, size_t len)
{
    uint8_t *bytes = malloc(len);
    memset(bytes, value, len);
    struct buf b = buf_user(proc, va, len);
    assert_int_equal(buf_write(p->n, &b, 0, bytes, len), 0);
    free(bytes);
}

static void expect_at(struct pair *p, struct proc *proc, uint64_t va, uint8_t value, size_t len)
{
    uint8_t *bytes = malloc(len);
    struct buf b = buf_user(proc, va, len);
    assert_int_equal(buf_read(p->n, &b, 0, bytes, len), 0);
    assert_true(unit_all_bytes(bytes, value, len));
    free(bytes);
}

// --- The usual ------------------------------------------------------------------------------------------

static void a_null_call_goes_to_a_waiting_server_and_back(void **state)
{
    struct pair p = begin(state);
    assert_false(getreq(&p, DATA, 100, 0));
    assert_false(trans(&p, 0, 0, 0, 0, 0));
    assert_int_equal(result(p.s), 0);
    assert_int_equal(*a(p.s, 1), 0);
    assert_int_equal(*a(p.s, 3), OP);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(*a(p.s, 4 + i), 100 + i);
    assert_int_equal(p.s->regs.x[REG_T0], 7); // object and rights as presented
    assert_true(putrep(&p, 42, 0, 0));
    assert_int_equal(result(p.s), 0);
    assert_int_equal(result(p.c), 42);
    assert_int_equal(*a(p.c, 1), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(*a(p.c, 2 + i), 200 + i);
    assert_true(p.n->pool_rec.used <= 1); // kept for the next call at most: no frame of it was ever under way
    end(&p);
}

static void a_request_that_came_first_waits_for_its_server(void **state)
{
    struct pair p = begin(state);
    write_at(&p, p.client, DATA, 0xc1, 5000);
    write_at(&p, p.server, DATA, 0x5e, 5000);
    assert_false(trans(&p, DATA, 5000, DATA + 8192, 5000, 0));
    assert_int_equal(p.c->state, THREAD_CALL);
    assert_false(getreq(&p, DATA + 8192, 5000, 0) && result(p.s) < 0);
    assert_int_equal(result(p.s), 0);
    assert_int_equal(*a(p.s, 1), 5000);
    expect_at(&p, p.server, DATA + 8192, 0xc1, 5000);
    assert_true(putrep(&p, 0, DATA, 5000));
    assert_int_equal(result(p.c), 0);
    assert_int_equal(*a(p.c, 1), 5000);
    expect_at(&p, p.client, DATA + 8192, 0x5e, 5000);
    end(&p);
}

static void a_long_reply_keeps_putrep_waiting_until_the_client_has_it(void **state)
{
    struct pair p = begin(state);
    const uint64_t len = 2 * COPY_STEP + 1000;
    write_at(&p, p.server, DATA, 0xab, len);
    assert_false(getreq(&p, 0, 0, 0));
    assert_false(trans(&p, 0, 0, DATA, len, 0));
    assert_false(putrep(&p, 0, DATA, len));
    assert_int_equal(p.s->state,
                     THREAD_PUTREP); // a copy goes in steps, each one event of the kernel
    assert_int_equal(p.c->state, THREAD_CALL);
    settle(p.n);
    assert_int_equal(p.s->state, THREAD_READY);
    assert_int_equal(result(p.s), 0);
    assert_int_equal(result(p.c), 0);
    assert_int_equal(*a(p.c, 1), len);
    expect_at(&p, p.client, DATA, 0xab, len);
    end(&p);
}

static void a_long_request_arrives_in_steps(void **state)
{
    struct pair p = begin(state);
    const uint64_t len = 2 * COPY_STEP + 1000;
    write_at(&p, p.client, DATA, 0xcd, len);
    assert_false(getreq(&p, DATA, len, 0));
    assert_false(trans(&p, DATA, len, 0, 0, 0));
    assert_int_equal(p.s->state, THREAD_FILL);
    settle(p.n);
    assert_int_equal(*a(p.s, 1), len);
    expect_at(&p, p.server, DATA, 0xcd, len);
    assert_true(putrep(&p, 0, 0, 0));
    end(&p);
}

// --- What is refused ------------------------------------------------------------------------------------

static void a_port_that_nobody_serves_is_not_here(void **state)
{
    struct pair p = begin(state);
    p.cap.port.w[0]++;
    trans(&p, 0, 0, 0, 0, 0);
    assert_int_equal(result(p.c), -E_NOTHERE);
    end(&p);
}

static void a_request_longer_than_the_servers_buffer_is_refused(void **state)
{
    struct pair p = begin(state);
    assert_false(getreq(&p, DATA, 99, 0));
    trans(&p, DATA, 100, 0, 0, 0);
    assert_int_equal(result(p.c), -E_TOOBIG);
    assert_int_equal(p.s->state, THREAD_GETREQ); // it was not disturbed
    assert_false(trans(&p, DATA, 99, 0, 0, 0));
    assert_int_equal(*a(p.s, 1), 99);
    assert_true(putrep(&p, 0, 0, 0));
    end(&p);
}

static void a_request_in_the_queue_that_is_too_long_is_refused_too(void **state)
{
    struct pair p = begin(state);
    assert_false(trans(&p, DATA, 100, 0, 0, 0));
    getreq(&p, DATA, 99, 0);
    assert_int_equal(result(p.c), -E_TOOBIG);
    assert_int_equal(p.s->state, THREAD_GETREQ);
    end(&p);
}

static void a_reply_longer_than_the_clients_buffer_ends_with_too_big(void **state)
{
    struct pair p = begin(state);
    assert_false(getreq(&p, DATA, 100, 0));
    assert_false(trans(&p, 0, 0, DATA, 10, 0));
    assert_true(putrep(&p, 0, DATA, 11));
    assert_int_equal(result(p.s), 0);
    assert_int_equal(result(p.c), -E_TOOBIG);
    end(&p);
}

static void an_unmapped_buffer_faults_and_changes_nothing(void **state)
{
    struct pair p = begin(state);
    uint64_t seq = p.c->seq;
    assert_true(trans(&p, DATA + DATA_LEN - 5, 10, 0, 0, 0)); // its end is not mapped
    assert_int_equal(result(p.c), -E_FAULT);
    assert_true(trans(&p, 0, 0, RONLY, 10, 0)); // replies cannot be written there
    assert_int_equal(result(p.c), -E_FAULT);
    assert_true(trans(&p, UINT64_MAX - 3, 10, 0, 0, 0)); // wraps
    assert_int_equal(result(p.c), -E_FAULT);
    assert_int_equal(p.c->seq, seq);
    assert_true(getreq(&p, RONLY, 10, 0));
    assert_int_equal(result(p.s), -E_FAULT);
    assert_false(getreq(&p, DATA, 10, 0));
    assert_false(trans(&p, RONLY, 10, 0, 0, 0)); // to read it is allowed
    assert_true(putrep(&p, 0, 0x10, 5));
    assert_int_equal(result(p.s), -E_FAULT);
    assert_int_equal(p.c->state, THREAD_CALL); // the request stays open
    assert_true(putrep(&p, 1, 0, 0));
    assert_int_equal(result(p.c), 1);
    end(&p);
}

static void arguments_that_make_no_sense_are_refused(void **state)
{
    struct pair p = begin(state);
    assert_true(trans(&p, DATA, MESSAGE_MAX_BYTES + 1, 0, 0, 0));
    assert_int_equal(result(p.c), -E_ARG);
    assert_true(putrep(&p, 0, 0, 0)); // no request is open
    assert_int_equal(result(p.s), -E_STATE);
    p.handle = 5; // not a handle of its
    assert_true(getreq(&p, DATA, 10, 0));
    assert_int_equal(result(p.s), -E_ARG);
    p.handle = 0;
    assert_false(getreq(&p, DATA, 10, 0));
    assert_false(trans(&p, 0, 0, 0, 0, 0));
    assert_true(getreq(&p, DATA, 10, 0)); // it owes a reply
    assert_int_equal(result(p.s), -E_STATE);
    assert_true(putrep(&p, 0, 0, 0));
    end(&p);
}

static void a_thread_calls_no_more_after_its_last_number(void **state)
{
    struct pair p = begin(state);
    p.c->seq = THREAD_SEQ_MAX - 2; // as a descriptor may say
    for (int i = 0; i < 2; i++) {  // the second by the short way
        assert_false(getreq(&p, DATA, 10, 0));
        assert_false(trans(&p, 0, 0, 0, 0, 0));
        assert_true(putrep(&p, 0, 0, 0));
        assert_int_equal(result(p.c), 0);
    }
    assert_true(p.c->seq == THREAD_SEQ_MAX);
    assert_false(getreq(&p, DATA, 10, 0));
    assert_true(trans(&p, 0, 0, 0, 0, 0));
    assert_int_equal(result(p.c), -E_LIMIT);
    end(&p);
}

// --- Ends -----------------------------------------------------------------------------------------------

static void a_server_that_dies_at_work_may_have_executed_the_request(void **state)
{
    struct pair p = begin(state);
    assert_false(getreq(&p, DATA, 10, 0));
    assert_false(trans(&p, 0, 0, 0, 0, 0));
    end_proc(p.n, p.server);
    p.server = NULL;
    assert_int_equal(result(p.c), -E_DIED);
    end(&p);
}

static void a_server_that_dies_before_it_began_did_not_execute_it(void **state)
{
    struct pair p = begin(state);
    assert_false(trans(&p, 0, 0, 0, 0, 0));
    end_proc(p.n, p.server);
    p.server = NULL;
    assert_int_equal(result(p.c), -E_NOTHERE);
    end(&p);
}

static void a_server_thread_that_ends_owing_a_reply_has_died_for_its_client(void **state)
{
    struct pair p = begin(state);
    struct thread *other = thread_create(p.n, p.server, 0); // so that the process lives on
    assert_non_null(other);
    assert_false(getreq(&p, DATA, 10, 0));
    assert_false(trans(&p, 0, 0, 0, 0, 0));
    to_hart(p.n, p.s);
    *a(p.s, 0) = 0;
    p.s->regs.x[REG_A7] = SYS_THREAD_EXIT;
    entry_syscall(&p.n->harts[0], p.s);
    assert_int_equal(result(p.c), -E_DIED);
    end(&p);
}

static void a_port_that_is_closed_turns_away_those_who_wait(void **state)
{
    struct pair p = begin(state);
    assert_false(trans(&p, 0, 0, 0, 0, 0));
    to_hart(p.n, p.s);
    *a(p.s, 0) = p.handle;
    assert_true(sys(p.n, p.s, SYS_PORT_CLOSE));
    assert_int_equal(result(p.c), -E_NOTHERE);
    trans(&p, 0, 0, 0, 0, 0);
    assert_int_equal(result(p.c), -E_NOTHERE);
    end(&p);
}

static void a_client_that_dies_leaves_a_reply_that_nobody_reads(void **state)
{
    struct pair p = begin(state);
    assert_false(getreq(&p, DATA, 10, 0));
    assert_false(trans(&p, 0, 0, DATA, 100, 0));
    end_proc(p.n, p.client);
    p.client = NULL;
    settle(p.n);
    assert_true(putrep(&p, 0, DATA, 100));
    assert_int_equal(result(p.s), 0);
    assert_false(getreq(&p, DATA, 10, 0)); // and the server goes on
    end(&p);
}

// --- Time -----------------------------------------------------------------------------------------------

static void a_call_times_out_and_its_late_reply_has_no_reader(void **state)
{
    struct pair p = begin(state);
    assert_false(getreq(&p, DATA, 10, 0));
    assert_false(trans(&p, 0, 0, DATA, 100, 50));
    unit_now_ns += 49 * NS_PER_MS;
    settle(p.n);
    assert_int_equal(p.c->state, THREAD_CALL);
    unit_now_ns += 2 * NS_PER_MS;
    settle(p.n);
    assert_int_equal(result(p.c), -E_TIMEOUT);
    assert_true(putrep(&p, 7, DATA, 100));
    assert_int_equal(result(p.s), 0);
    assert_int_equal(result(p.c), -E_TIMEOUT);
    assert_false(getreq(&p, DATA, 10, 0));
    assert_false(trans(&p, 0, 0, 0, 0, 0)); // the next call is another one
    assert_true(putrep(&p, 8, 0, 0));
    assert_int_equal(result(p.c), 8);
    unit_now_ns += 2 * RECORD_LIFE_NS;
    settle(p.n);
    end(&p);
}

static void a_call_in_the_queue_that_times_out_is_never_delivered(void **state)
{
    struct pair p = begin(state);
    assert_false(trans(&p, 0, 0, 0, 0, 10));
    unit_now_ns += 11 * NS_PER_MS;
    settle(p.n);
    assert_int_equal(result(p.c), -E_TIMEOUT);
    assert_false(getreq(&p, DATA, 10, 0));
    assert_int_equal(p.s->state, THREAD_GETREQ);
    unit_now_ns += 2 * RECORD_LIFE_NS;
    settle(p.n);
    end(&p);
}

static void getreq_times_out_without_a_request(void **state)
{
    struct pair p = begin(state);
    assert_false(getreq(&p, DATA, 10, 30));
    unit_now_ns += 31 * NS_PER_MS;
    settle(p.n);
    assert_int_equal(result(p.s), -E_TIMEOUT);
    end(&p);
}

static void a_call_to_a_stunned_server_waits_for_as_long_as_it_takes(void **state)
{
    struct pair p = begin(state);
    assert_false(getreq(&p, DATA, 10, 0));
    assert_int_equal(proc_stun(p.n, p.server), 0);
    assert_false(trans(&p, 0, 0, 0, 0, 0));
    for (int i = 0; i < 100; i++) {
        unit_now_ns += 10 * NS_PER_S;
        settle(p.n);
        assert_int_equal(p.c->state, THREAD_CALL);
    }
    assert_int_equal(proc_resume(p.n, p.server), 0);
    settle(p.n);
    assert_int_equal(p.s->state, THREAD_READY);
    assert_true(putrep(&p, 5, 0, 0));
    assert_int_equal(result(p.c), 5);
    end(&p);
}

static void a_stunned_client_gets_its_reply_when_it_goes_on(void **state)
{
    struct pair p = begin(state);
    assert_false(getreq(&p, DATA, 10, 0));
    assert_false(trans(&p, 0, 0, DATA, 100, 0));
    assert_int_equal(proc_stun(p.n, p.client), 0);
    write_at(&p, p.server, DATA, 0x77, 100);
    assert_true(putrep(&p, 6, DATA, 100)); // a short reply does not hold up the server
    assert_int_equal(p.c->state, THREAD_CALL);
    unit_now_ns += 100 * NS_PER_S;
    settle(p.n);
    write_at(&p, p.server, DATA, 0x78, 100); // it is a copy
    assert_int_equal(proc_resume(p.n, p.client), 0);
    settle(p.n);
    assert_int_equal(result(p.c), 6);
    expect_at(&p, p.client, DATA, 0x77, 100);
    end(&p);
}

// --- Memory ---------------------------------------------------------------------------------------------

static void a_request_waits_while_there_is_no_memory_for_it(void **state)
{
    struct pair p = begin(state);
    write_at(&p, p.client, DATA, 0x99, 3000);
    assert_false(getreq(&p, DATA, 5000, 0));
    p.n->pages.fail_after = 0;
    assert_false(trans(&p, DATA, 3000, 0, 0, 0));
    if (p.s->state != THREAD_READY) { // else the failure hit something else
        unit_now_ns += NS_PER_S;
        settle(p.n);
    }
    p.n->pages.fail_after = -1;
    assert_int_equal(result(p.s), 0);
    expect_at(&p, p.server, DATA, 0x99, 3000);
    assert_true(putrep(&p, 0, 0, 0));
    assert_int_equal(result(p.c), 0);
    end(&p);
}

static void a_server_that_unmaps_its_buffer_gets_the_fault_and_the_request_next_time(void **state)
{
    struct pair p = begin(state);
    struct thread *other = thread_create(p.n, p.server, 0);
    assert_non_null(other);
    assert_false(getreq(&p, DATA, 100, 0));
    assert_int_equal(proc_unmap(p.n, p.server, DATA), 0);
    assert_false(trans(&p, DATA, 50, 0, 0, 0));
    assert_int_equal(result(p.s), -E_FAULT);
    map(p.n, p.server, DATA, DATA_LEN, MAP_READ | MAP_WRITE);
    getreq(&p, DATA, 100, 0);
    assert_int_equal(result(p.s), 0);
    assert_int_equal(*a(p.s, 1), 50);
    assert_true(putrep(&p, 3, 0, 0));
    assert_int_equal(result(p.c), 3);
    end(&p);
}

// --- Fragments against a model --------------------------------------------------------------------------

#define TOTAL_MAX 4000u

struct model {
    bool there[TOTAL_MAX];
    uint64_t total;
};

static uint64_t model_base(const struct model *m)
{
    uint64_t i = 0;
    while (i < m->total && m->there[i])
        i++;
    return i;
}

// What progress says is true: nothing counts as there that did not come.
static void check_progress(const struct model *m, const struct progress *p)
{
    assert_true(p->base <= model_base(m));
    for (unsigned i = 0; i < 64 && p->frag; i++) {
        if (!(p->mask >> i & 1))
            continue;
        uint64_t at = p->base + (uint64_t)i * p->frag;
        assert_true(at < m->total);
        for (uint64_t k = at; k < at + p->frag && k < m->total; k++)
            assert_true(m->there[k]);
    }
}

static void bring(struct model *m, struct progress *p, uint64_t off, uint32_t frag)
{
    uint64_t len = m->total - off < frag ? m->total - off : frag;
    uint64_t before = p->base;
    for (uint64_t k = off; k < off + len; k++)
        m->there[k] = true;
    uint64_t gain = progress_mark(p, off, len, m->total, frag);
    assert_true(gain <= len);
    assert_true(p->base >= before);
    check_progress(m, p);
}

static void fragments_in_any_order_are_counted_right(void **state)
{
    struct unit_rand r = {7};
    (void)state;
    for (int round = 0; round < 300; round++) {
        struct model m = {.total = 1 + unit_below(&r, TOTAL_MAX)};
        struct progress p = {0};
        uint32_t frag = 8 * (1 + (uint32_t)unit_below(&r, 40));
        for (int i = 0; i < 100000 && p.base < m.total; i++) {
            if (unit_below(&r, 100) == 0) // the way changed, and with it the cut
                frag = 8 * (1 + (uint32_t)unit_below(&r, 40));
            // From what the receiver said, as a sender would; or a late duplicate from anywhere on this cut
            uint64_t off = unit_below(&r, 2) ? p.base + unit_below(&r, 70) * frag : unit_below(&r, 100) * frag;
            if (off < m.total)
                bring(&m, &p, off, frag);
        }
        assert_int_equal(p.base, m.total);
        assert_int_equal(progress_next(&p, 0, m.total), UINT64_MAX);
    }
}

static void what_is_due_next_is_missing_and_in_the_window(void **state)
{
    struct unit_rand r = {9};
    (void)state;
    for (int round = 0; round < 300; round++) {
        struct model m = {.total = 1 + unit_below(&r, TOTAL_MAX)};
        const uint32_t frag = 8 * (1 + (uint32_t)unit_below(&r, 40));
        struct progress p = {.frag = frag};
        uint64_t sent = 0;
        while (p.base < m.total) {
            uint64_t off = progress_next(&p, unit_below(&r, 3) ? 0 : p.base + unit_below(&r, 5) * frag, m.total);
            if (off == UINT64_MAX)
                continue; // all behind that point is there
            assert_true(off >= p.base && off < m.total && off < p.base + 64ull * frag);
            assert_false(m.there[off]);
            assert_int_equal((off - p.base) % frag, 0);
            bring(&m, &p, off, frag);
            sent++;
        }
        assert_int_equal(sent, (m.total + frag - 1) / frag); // each once
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_null_call_goes_to_a_waiting_server_and_back),
        UNIT_TEST(a_request_that_came_first_waits_for_its_server),
        UNIT_TEST(a_long_reply_keeps_putrep_waiting_until_the_client_has_it),
        UNIT_TEST(a_long_request_arrives_in_steps),
        UNIT_TEST(a_port_that_nobody_serves_is_not_here),
        UNIT_TEST(a_request_longer_than_the_servers_buffer_is_refused),
        UNIT_TEST(a_request_in_the_queue_that_is_too_long_is_refused_too),
        UNIT_TEST(a_reply_longer_than_the_clients_buffer_ends_with_too_big),
        UNIT_TEST(an_unmapped_buffer_faults_and_changes_nothing),
        UNIT_TEST(arguments_that_make_no_sense_are_refused),
        UNIT_TEST(a_thread_calls_no_more_after_its_last_number),
        UNIT_TEST(a_server_that_dies_at_work_may_have_executed_the_request),
        UNIT_TEST(a_server_that_dies_before_it_began_did_not_execute_it),
        UNIT_TEST(a_server_thread_that_ends_owing_a_reply_has_died_for_its_client),
        UNIT_TEST(a_port_that_is_closed_turns_away_those_who_wait),
        UNIT_TEST(a_client_that_dies_leaves_a_reply_that_nobody_reads),
        UNIT_TEST(a_call_times_out_and_its_late_reply_has_no_reader),
        UNIT_TEST(a_call_in_the_queue_that_times_out_is_never_delivered),
        UNIT_TEST(getreq_times_out_without_a_request),
        UNIT_TEST(a_call_to_a_stunned_server_waits_for_as_long_as_it_takes),
        UNIT_TEST(a_stunned_client_gets_its_reply_when_it_goes_on),
        UNIT_TEST(a_request_waits_while_there_is_no_memory_for_it),
        UNIT_TEST(a_server_that_unmaps_its_buffer_gets_the_fault_and_the_request_next_time),
        cmocka_unit_test(fragments_in_any_order_are_counted_right),
        cmocka_unit_test(what_is_due_next_is_missing_and_in_the_window),
    };
    return UNIT_RUN(tests);
}
