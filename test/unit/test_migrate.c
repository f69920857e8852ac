// SPDX-License-Identifier: BSD-2-Clause
// A move, seen from its source against a target that answers what the test says, and from its target.
#include "test/unit/process_bed.h"

#include "core/port.h"
#include "core/transport.h"
#include "services/proc/migrate.h"
#include "services/proc/proc_priv.h"

// --- Source ---------------------------------------------------------------------------------------------------------

struct target { // plays another node's process service
    struct cap cap;
    int64_t offer;     // answer to OFFER
    int64_t commit[4]; // answers to COMMIT in turn, the last one for ever
    bool deaf;         // takes COMMIT and never answers
    unsigned full;     // answers to SLOT that none is free
    unsigned slots, offers, commits, aborts;
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
            struct desc_info info;
            struct buf b = buf_kernel(desc, r.len);
            assert_int_equal(desc_check(n, &b, ISA_RV64GC, &info, &why), 0);
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
            assert_true(r.op == OP_PROC_ABORT || r.op == OP_PROC_SLOT);
            t->aborts += r.op == OP_PROC_ABORT;
            if (r.op == OP_PROC_SLOT)
                status = t->slots++ < t->full ? -E_LIMIT : 0;
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
    bed_pass(n, 0);
    return &target;
}

static void migrate_body(struct node *n, void *arg)
{
    struct life *l = arg;
    l->status = bed_call(n, l->c, OP_PROC_MIGRATE, 0, 0, &target.cap, sizeof target.cap, NULL, 0);
}
static struct life mover(struct node *n, struct target *t)
{
    struct life l = {.p = plan()};
    bed_run(n, exec_only_body, &l);
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
static void no_question(struct node *n, ep_t ep)
{
    (void)n, (void)ep;
}
static const struct transport lone = {
    .request = no_request,
    .request_ack = no_rec,
    .reply = no_rec,
    .cancel = no_cancel,
    .moved_away = note_moved,
    .arrived = note_nothing,
    .resumed = note_nothing,
    .ask_ep = no_question,
    .ask_port = nobody_hears,
};

static void a_committed_process_is_gone_from_here(void **state)
{
    struct node *n = unit_node(state);
    n->transport = &lone;
    transport_moved = 0;
    struct target *t = target_new(n);
    struct life l = mover(n, t);
    bed_run(n, migrate_body, &l);
    assert_int_equal(l.status, 0);
    assert_int_equal(bed_result.res[0], 11);
    assert_int_equal(bed_result.res[2], 12);
    assert_int_equal(bed_result.res[3], 0xabcd);
    assert_int_equal(t->at_offer, PROC_MOVING);
    assert_int_equal(t->at_commit, PROC_DOUBT);
    assert_int_equal(t->aborts, 0);
    assert_int_equal(transport_moved, 1);
    assert_int_equal(moved_to, 0xabcd);
    assert_null(the_proc(n));
    n->transport = NULL;
}

static void stun_only_body(struct node *n, void *arg)
{
    struct life *l = arg;
    l->status = bed_call(n, l->c, OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0);
}

static void it_runs_until_the_target_has_a_slot(void **state)
{
    struct node *n = unit_node(state);
    struct target *t = target_new(n);
    struct life l = mover(n, t), second = l;
    struct bed_client move = {.body = migrate_body, .arg = &l};
    t->full = 100;
    bed_begin(n, &move);
    bed_pass(n, 10 * NS_PER_S);
    assert_false(move.done);
    assert_true(t->slots > 10 && t->slots < 100 && t->offers == 0);
    assert_int_equal(t->watched->state, PROC_RUN);
    bed_run(n, stun_only_body, &second); // no order waits for that
    assert_int_equal(second.status, 0);
    t->full = 0;
    bed_finish(n, &move);
    assert_int_equal(l.status, 0);
    assert_true(t->stunned);
    // A target whose slots stay taken is given up some time, and the process has run all the while.
    l = mover(n, t);
    t->full = 1000000;
    bed_run(n, migrate_body, &l);
    assert_int_equal(l.status, -E_LIMIT);
    assert_int_equal(t->watched->state, PROC_RUN);
    assert_int_equal(t->aborts, 0);
}

static void a_refused_offer_leaves_it_running_here(void **state)
{
    struct node *n = unit_node(state);
    struct target *t = target_new(n);
    struct life l = mover(n, t);
    static const int errors[] = {E_MEM, E_ARCH, E_EXISTS, E_REFUSED};
    for (unsigned i = 0; i < 4; i++) {
        t->offer = -errors[i];
        bed_run(n, migrate_body, &l);
        assert_int_equal(l.status, -errors[i]);
        assert_int_equal(t->watched->state, PROC_RUN);
    }
    assert_int_equal(t->commits + t->aborts, 0);
    t->offer = -E_TIMEOUT; // whatever made it say so, it may hold something
    bed_run(n, migrate_body, &l);
    assert_int_equal(l.status, -E_TIMEOUT);
    assert_int_equal(t->watched->state, PROC_RUN);
    assert_int_equal(t->aborts, 1);
}

static void no_target_leaves_it_running_here(void **state)
{
    struct node *n = unit_node(state);
    target = (struct target){.cap = {.port = {{5, 6}}}};
    struct life l = mover(n, &target);
    bed_run(n, migrate_body, &l);
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
    bed_run(n, migrate_body, &l);
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
    bed_run(n, migrate_body, &l);
    assert_int_equal(l.status, 0);
    assert_int_equal(t->commits, 3);
    assert_null(the_proc(n));
}

static void doubt(struct node *n, struct target *t, struct life *l)
{
    *l = mover(n, t);
    for (int i = 0; i < 4; i++)
        t->commit[i] = -E_NOTHERE;
    bed_run(n, migrate_body, l);
    assert_int_equal(l->status, -E_DOUBT);
    assert_int_equal(t->watched->state, PROC_DOUBT);
}

static void a_target_that_gives_no_answer_leaves_doubt_and_no_second_copy(void **state)
{
    struct node *n = unit_node(state);
    struct owner *o = owner_new(n);
    struct target *t = target_new(n);
    struct life l;
    doubt(n, t, &l);
    assert_true(t->commits > 10);
    assert_true(t->last_commit_ns - t->first_commit_ns > 40 * NS_PER_S); // longer than a target keeps an offer
    assert_int_equal(o->count, 0);
    bed_pass(n, 600 * NS_PER_S);
    assert_int_equal(t->watched->state, PROC_DOUBT); // for ever
    bed_run(n, migrate_body, &l);
    assert_int_equal(l.status, -E_DOUBT);
    bed_run(n, destroy_body, &l); // the owner's decision
    assert_int_equal(l.status, 0);
    assert_null(the_proc(n));
    // Another one, with an owner; it does not know any more at the first question.
    l.p.owner = o->cap;
    bed_run(n, exec_only_body, &l);
    t->watched = the_proc(n);
    t->commits = 0;
    t->commit[0] = -E_DOUBT;
    bed_run(n, migrate_body, &l);
    assert_int_equal(l.status, -E_DOUBT);
    assert_int_equal(t->commits, 1);
    bed_pass(n, NS_PER_S);
    assert_int_equal(o->count, 1);
    assert_int_equal(o->event[0], EVENT_DOUBT);
    assert_int_equal(o->ep[0], l.ep);
    assert_int_equal(o->a2[0], 0xabcd);
}

static void resume_body(struct node *n, void *arg)
{
    struct life *l = arg;
    l->status = bed_call(n, l->c, OP_PROC_RESUME, 0, 0, NULL, 0, NULL, 0);
}
static void never_ran_body(struct node *n, void *arg)
{
    struct life *l = arg;
    l->status = bed_call(n, l->c, OP_PROC_NEVER_RAN, 0, 0, NULL, 0, NULL, 0);
}

static void only_an_order_that_says_what_it_does_resumes_a_process_in_doubt(void **state)
{
    struct node *n = unit_node(state);
    struct target *t = target_new(n);
    struct life l;
    doubt(n, t, &l);
    bed_run(n, stun_only_body, &l);
    assert_int_equal(l.status, -E_DOUBT);
    bed_run(n, resume_body, &l);
    assert_int_equal(l.status, -E_DOUBT);
    assert_int_equal(t->watched->state, PROC_DOUBT);
    t->commit[3] = -E_TIMEOUT; // it is there, and may know better
    bed_run(n, never_ran_body, &l);
    assert_int_equal(l.status, -E_DOUBT);
    t->commit[3] = -E_DIED;
    bed_run(n, never_ran_body, &l);
    assert_int_equal(l.status, 0);
    assert_int_equal(t->watched->state, PROC_RUN);
    assert_true(bed_was_logged("resumes by order: it never ran elsewhere"));
    unsigned commits = t->commits;
    bed_run(n, never_ran_body, &l);
    assert_int_equal(l.status, -E_STATE);
    bed_pass(n, 60 * NS_PER_S);
    assert_int_equal(t->commits, commits); // nothing is asked any more
    assert_int_equal(n->services->proc->pool_move.used, 0);
}

static void an_order_to_resume_is_refused_by_what_the_target_says(void **state)
{
    struct node *n = unit_node(state);
    struct target *t = target_new(n);
    struct life l;
    doubt(n, t, &l);
    t->commit[3] = 0;
    bed_run(n, never_ran_body, &l);
    assert_int_equal(l.status, -E_EXISTS);
    assert_null(the_proc(n));
}

// However late the answer comes: within ten seconds of it there is no doubt.
static void doubt_ends_with_the_answer_after_hours(void **state)
{
    struct node *n = unit_node(state);
    struct target *t = target_new(n);
    struct life l;
    doubt(n, t, &l);
    bed_pass(n, 3 * 3600 * NS_PER_S);
    assert_int_equal(t->watched->state, PROC_DOUBT);
    t->commit[3] = -E_REFUSED;
    bed_pass(n, 10 * NS_PER_S);
    assert_int_equal(t->watched->state, PROC_RUN);
    assert_int_equal(n->services->proc->pool_move.used, 0);
    t->commits = 0;
    t->commit[3] = -E_NOTHERE;
    bed_run(n, migrate_body, &l);
    assert_int_equal(l.status, -E_DOUBT);
    bed_pass(n, 3600 * NS_PER_S);
    t->commit[3] = 0;
    bed_pass(n, 10 * NS_PER_S);
    assert_null(the_proc(n));
    assert_int_equal(n->services->proc->pool_move.used, 0);
}

// The target has forgotten, or is no more; another node has the process.
static void doubt_ends_when_another_node_has_the_process(void **state)
{
    struct node *n = unit_node(state);
    struct target *t = target_new(n);
    struct life l;
    n->transport = &lone;
    l = mover(n, t);
    t->commit[0] = -E_DOUBT;
    for (int i = 1; i < 4; i++)
        t->commit[i] = -E_NOTHERE;
    bed_run(n, migrate_body, &l);
    assert_int_equal(l.status, -E_DOUBT);
    n->policy->ep_found(n, l.ep, 0x1234); // it may be older than the doubt
    bed_pass(n, 20 * NS_PER_S);
    assert_int_equal(t->watched->state, PROC_DOUBT);
    n->policy->ep_found(n, l.ep + 1, 0x1234); // another process
    bed_pass(n, 20 * NS_PER_S);
    assert_int_equal(t->watched->state, PROC_DOUBT);
    transport_moved = 0;
    n->policy->ep_found(n, l.ep, 0x1234);
    bed_pass(n, NS_PER_S);
    assert_null(the_proc(n));
    assert_int_equal(transport_moved, 1);
    assert_int_equal(moved_to, 0x1234);
    n->transport = NULL;
}

static void a_stunned_process_moves_stunned_and_stays_so_when_refused(void **state)
{
    struct node *n = unit_node(state);
    struct target *t = target_new(n);
    struct life l = mover(n, t);
    bed_run(n, stun_only_body, &l);
    t->offer = -E_MEM;
    bed_run(n, migrate_body, &l);
    assert_int_equal(l.status, -E_MEM);
    assert_int_equal(t->watched->state, PROC_STUNNED);
    t->offer = 0;
    t->commit[0] = -E_REFUSED;
    bed_run(n, migrate_body, &l);
    assert_int_equal(l.status, -E_REFUSED);
    assert_int_equal(t->watched->state, PROC_STUNNED);
    t->commit[1] = 0;
    bed_run(n, migrate_body, &l);
    assert_int_equal(l.status, 0);
    assert_true(t->stunned);
}

#define MANY 40u // orders: more than the service has tasks

static void orders_during_a_move_wait_for_its_end(void **state)
{
    struct node *n = unit_node(state);
    struct target *t = target_new(n);
    struct life l = mover(n, t), stun = l, kill = l, second = l;
    t->deaf = true; // COMMIT is answered after 11 s; its transaction gives up after 10
    t->commit[3] = -E_REFUSED;
    struct bed_client move = {.body = migrate_body, .arg = &l}, a = {.body = stun_only_body, .arg = &stun},
                      b = {.body = destroy_body, .arg = &kill}, again = {.body = migrate_body, .arg = &second};
    bed_begin(n, &move);
    bed_pass(n, NS_PER_S);
    assert_int_equal(t->watched->state, PROC_DOUBT);
    bed_begin(n, &a);
    bed_begin(n, &again);
    bed_pass(n, NS_PER_S);
    assert_false(a.done || again.done); // one move at a time
    t->deaf = false;
    t->commit[1] = t->commit[2] = -E_REFUSED;
    bed_finish(n, &move);
    assert_int_equal(l.status, -E_REFUSED);
    bed_finish(n, &a);
    bed_finish(n, &again);
    assert_int_equal(stun.status, 0);
    assert_int_equal(second.status, -E_REFUSED);
    assert_int_equal(t->watched->state, PROC_STUNNED);
    // Now it leaves while an order to kill it waits: the order goes after it, and nobody has it.
    t->deaf = true;
    t->commits = 0;
    bed_begin(n, &move);
    bed_pass(n, NS_PER_S);
    bed_begin(n, &b);
    bed_pass(n, NS_PER_S);
    assert_false(b.done);
    t->deaf = false;
    t->commit[1] = 0;
    bed_finish(n, &move);
    assert_int_equal(l.status, 0);
    bed_finish(n, &b);
    assert_int_equal(kill.status, -E_NOTHERE);
}

static void priority_body(struct node *n, void *arg)
{
    struct life *l = arg;
    l->status = bed_call(n, l->c, OP_PROC_SET_PRIORITY, 2, 0, NULL, 0, NULL, 0);
}
static void info_body(struct node *n, void *arg)
{
    struct life *l = arg;
    char text[200];
    l->status = bed_call(n, l->c, OP_INFO, 0, 0, NULL, 0, text, sizeof text);
}

static void orders_that_wait_for_a_move_hold_no_task_and_no_record(void **state)
{
    struct node *n = unit_node(state);
    struct target *t = target_new(n);
    struct life l = mover(n, t), asks = l, order[MANY];
    struct bed_client move = {.body = migrate_body, .arg = &l}, client[MANY];
    t->deaf = true;
    t->commit[1] = -E_REFUSED;
    bed_begin(n, &move);
    bed_pass(n, NS_PER_S);
    size_t recs = n->pool_rec.used, threads = n->pool_thread.used;
    for (unsigned i = 0; i < MANY; i++) {
        order[i] = l;
        order[i].status = 1;
        client[i] = (struct bed_client){.body = priority_body, .arg = &order[i]};
        bed_begin(n, &client[i]);
    }
    bed_pass(n, NS_PER_S);
    assert_int_equal(n->pool_rec.used, recs);
    assert_int_equal(n->pool_thread.used, threads + MANY); // the clients themselves
    bed_run(n, info_body, &asks);                          // a question is answered meanwhile
    assert_int_equal(asks.status, 0);
    t->deaf = false;
    bed_finish(n, &move);
    assert_int_equal(l.status, -E_REFUSED);
    for (unsigned i = 0; i < MANY; i++) {
        bed_finish(n, &client[i]);
        assert_int_equal(order[i].status, 0);
    }
    assert_int_equal(t->watched->priority, 2);
}

// --- Target ---------------------------------------------------------------------------------------------------------

static int64_t offer(struct node *n, uint64_t id, const struct plan *p, uint64_t pages)
{
    struct maker m;
    make(&m, p);
    return bed_call(n, bed_lookup(n, "proc"), OP_PROC_OFFER, id, pages, m.b, m.len, NULL, 0);
}
static int64_t commit(struct node *n, uint64_t id, uint64_t number)
{
    return bed_call(n, bed_lookup(n, "proc"), OP_PROC_COMMIT, id, number, NULL, 0, NULL, 0);
}
static int64_t slot(struct node *n, uint64_t id)
{
    return bed_call(n, bed_lookup(n, "proc"), OP_PROC_SLOT, id, 0, NULL, 0, NULL, 0);
}
static int64_t abort_it(struct node *n, uint64_t id)
{
    return bed_call(n, bed_lookup(n, "proc"), OP_PROC_ABORT, id, 0, NULL, 0, NULL, 0);
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
    assert_int_equal(bed_result.res[0], 0); // its source is a segment of this node: pages are shared
    assert_int_equal(bed_result.res[1], 0);
    assert_int_equal(bed_result.res[2], node_ep(n));
    uint64_t number = bed_result.res[3];
    struct proc *q = the_proc(n);
    assert_int_equal(q->state, PROC_ARRIVING);
    assert_int_equal(offer(n, 1, &p, 0), -E_EXISTS);
    assert_int_equal(offer(n, 2, &p, 0), -E_EXISTS); // another copy
    assert_int_equal(bed_call(n, proc_cap(q, RIGHT_ALL), OP_INFO, 0, 0, NULL, 0, NULL, 0), -E_NOTHERE);
    assert_int_equal(abort_it(n, 1), 0);
    assert_null(the_proc(n));
    assert_int_equal(commit(n, 1, number), -E_REFUSED);
    // Again, and this time it stays.
    assert_int_equal(offer(n, 3, &p, 5), 0);
    number = bed_result.res[3];
    assert_int_equal(commit(n, 3, number), 0);
    q = the_proc(n);
    assert_int_equal(q->state, PROC_RUN);
    assert_int_equal(q->moves, 1);
    assert_int_equal(commit(n, 3, number), 0); // as often as it is asked
    assert_int_equal(abort_it(n, 3), -E_STATE);
    assert_int_equal(offer(n, 4, &p, 0), -E_EXISTS); // it lives here
    assert_int_equal(bed_call(n, proc_cap(q, RIGHT_ALL), OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    task_sleep(n, NS_PER_MS);
    assert_int_equal(commit(n, 3, number), 0); // it ran here, and ended: still true
    // Stunned when it left, stunned when it arrives.
    p.stunned = true;
    assert_int_equal(offer(n, 5, &p, 0), 0);
    assert_int_equal(commit(n, 5, bed_result.res[3]), 0);
    q = the_proc(n);
    assert_int_equal(q->state, PROC_STUNNED);
    assert_int_equal(bed_call(n, proc_cap(q, RIGHT_ALL), OP_PROC_RESUME, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(q->state, PROC_RUN);
    assert_int_equal(bed_call(n, proc_cap(q, RIGHT_ALL), OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
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
    assert_int_equal(bed_call(n, src, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
}
static int64_t rotate(struct node *n, struct cap c, struct cap *fresh)
{
    return bed_call(n, c, OP_ROTATE, 0, 0, NULL, 0, fresh, sizeof *fresh);
}

static void rotate_body(struct node *n, void *arg)
{
    (void)arg;
    struct plan p = plan();
    struct cap fresh, old;
    p.ep = 0x5000000000000019;
    assert_int_equal(offer(n, 1, &p, 0), 0);
    uint64_t number = bed_result.res[3];
    assert_int_equal(rotate(n, bed_lookup(n, "proc"), &fresh), 0);
    assert_int_equal(offer(n, 2, &p, 0), -E_CAP); // the name still leads to the old one
    assert_int_equal(commit(n, 1, number), 0);    // what was let in may end
    struct proc *q = the_proc(n);
    assert_int_equal(q->state, PROC_RUN);
    old = proc_cap(q, RIGHT_ALL);
    assert_int_equal(rotate(n, proc_cap(q, RIGHT_CONTROL), &fresh), -E_RIGHTS);
    assert_int_equal(rotate(n, old, &fresh), 0);
    assert_int_equal(bed_call(n, old, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), -E_CAP);
    assert_int_equal(bed_call(n, old, OP_PROC_STUN, 0, 0, NULL, 0, NULL, 0), -E_CAP);
    assert_int_equal(bed_call(n, fresh, OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
    task_sleep(n, NS_PER_MS);
    assert_null(the_proc(n));
}
static void rotation_withdraws_a_processor_and_a_process_but_ends_no_handoff(void **state)
{
    bed_run(unit_node(state), rotate_body, NULL);
}

static void an_offer_runs_once_and_only_after_commit(void **state)
{
    struct node *n = unit_node(state);
    bed_run(n, target_body, NULL);
}

static void slots_body(struct node *n, void *arg)
{
    (void)arg;
    struct plan p = plan();
    p.ep = 0x6000000000000042;
    for (uint64_t id = 1; id <= 8; id++)
        assert_int_equal(slot(n, id), 0);
    assert_int_equal(slot(n, 9), -E_LIMIT);
    assert_int_equal(slot(n, 8), -E_EXISTS);
    assert_int_equal(slot(n, 0), -E_ARG);
    assert_int_equal(offer(n, 9, &p, 0), -E_LIMIT);
    assert_int_equal(commit(n, 8, 8), -E_STATE);
    assert_int_equal(offer(n, 1, &p, 0), 0); // it has one
    assert_int_equal(slot(n, 9), -E_LIMIT);
    assert_int_equal(commit(n, 1, bed_result.res[3] ? bed_result.res[3] : 1), 0);
    assert_int_equal(slot(n, 9), 0); // what runs needs none
    assert_int_equal(abort_it(n, 9), 0);
    assert_int_equal(slot(n, 10), 0);
    task_sleep(n, 31 * NS_PER_S); // nobody came
    for (uint64_t id = 11; id <= 18; id++)
        assert_int_equal(slot(n, id), 0);
    task_sleep(n, 31 * NS_PER_S);
    assert_int_equal(n->services->proc->pool_offer.used, 1); // the one that runs
}
static void slots_are_kept_for_a_while_and_are_limited(void **state)
{
    bed_run(unit_node(state), slots_body, NULL);
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
    t->number = bed_result.res[3];
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
    bed_run(n, offer_body, &t);
    assert_int_equal(t.status, 0);
    bed_pass(n, 25 * NS_PER_S);
    assert_non_null(the_proc(n));
    bed_pass(n, 10 * NS_PER_S);
    assert_null(the_proc(n));
    bed_run(n, commit_body, &t);
    assert_int_equal(t.status, -E_REFUSED);
    bed_pass(n, 3600 * NS_PER_S);
    bed_run(n, commit_body, &t);
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
    aborted = bed_result.res[3];
    assert_int_equal(abort_it(n, 999), 0);
    for (uint64_t i = 1; i <= 258; i++) {
        p.ep++;
        assert_int_equal(offer(n, i, &p, 0), 0);
        last = bed_result.res[3];
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
    bed_run(unit_node(state), forget_body, NULL);
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
    struct cap proc = bed_lookup(n, "proc");
    p.ep = 0x6000000000000042;
    for (long i = 0; i < 4; i++) {
        p.ep++;
        assert_int_equal(offer(n, p.ep, &p, 0), 0);
        uint64_t number = bed_result.res[3], filled = ports_fill(n);
        n->pages.fail_after = i; // the first one may be for the transaction's record: then it is asked again
        int64_t status = bed_call(n, proc, OP_PROC_COMMIT, p.ep, number, NULL, 0, NULL, 0);
        n->pages.fail_after = -1;
        for (; filled > 0; filled--)
            port_remove(n, (struct port){{filled, 1}}, n->kproc, NULL);
        if (status == 0) {
            assert_int_equal(bed_call(n, proc_cap(the_proc(n), RIGHT_ALL), OP_DESTROY, 0, 0, NULL, 0, NULL, 0), 0);
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
    bed_run(unit_node(state), commit_oom_body, &refused);
    assert_true(refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OWNER_TEST(a_committed_process_is_gone_from_here),
        OWNER_TEST(it_runs_until_the_target_has_a_slot),
        OWNER_TEST(a_refused_offer_leaves_it_running_here),
        PROCESS_TEST(no_target_leaves_it_running_here),
        OWNER_TEST(an_explicit_refusal_of_commit_ends_the_doubt),
        OWNER_TEST(a_lost_answer_to_commit_is_asked_for_again),
        OWNER_TEST(a_target_that_gives_no_answer_leaves_doubt_and_no_second_copy),
        OWNER_TEST(only_an_order_that_says_what_it_does_resumes_a_process_in_doubt),
        OWNER_TEST(an_order_to_resume_is_refused_by_what_the_target_says),
        OWNER_TEST(doubt_ends_with_the_answer_after_hours),
        OWNER_TEST(doubt_ends_when_another_node_has_the_process),
        OWNER_TEST(a_stunned_process_moves_stunned_and_stays_so_when_refused),
        OWNER_TEST(orders_during_a_move_wait_for_its_end),
        OWNER_TEST(orders_that_wait_for_a_move_hold_no_task_and_no_record),
        PROCESS_TEST(an_offer_runs_once_and_only_after_commit),
        PROCESS_TEST(slots_are_kept_for_a_while_and_are_limited),
        PROCESS_TEST(rotation_withdraws_a_processor_and_a_process_but_ends_no_handoff),
        PROCESS_TEST(an_offer_that_nobody_commits_is_dropped_and_refused_for_ever),
        PROCESS_TEST(what_is_forgotten_is_in_doubt_and_not_refused),
        PROCESS_TEST(a_commit_without_memory_is_refused_and_final),
    };
    return UNIT_RUN(tests);
}
