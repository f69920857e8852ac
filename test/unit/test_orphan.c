// SPDX-License-Identifier: BSD-2-Clause
// Whose owner is gone ends; whose owner is there, or nobody, does not.
#include "core/cap.h"
#include "core/listen.h"
#include "core/port.h"
#include "core/proc.h"
#include "services/proc/control.h"
#include "services/proc/orphan.h"
#include "services/proc/proc_priv.h"
#include "test/unit/service_bed.h"

// --- The ring around the node: it is asked, and answers when the test wants it to ----------------------------------

#define PORTS 64
static struct {
    bool up, answers;
    unsigned asked, answered, of[PORTS], most; // questions; of each port; open at a time
    struct port port[PORTS];
    unsigned nports;
} ring;

static unsigned number_of(struct port port)
{
    for (unsigned i = 0; i < ring.nports; i++)
        if (port_eq(ring.port[i], port))
            return i;
    assert_true(ring.nports < PORTS);
    ring.port[ring.nports] = port;
    return ring.nports++;
}

static bool ring_ask(struct node *n, struct port port)
{
    if (!ring.up)
        return false;
    ring.asked++;
    ring.of[number_of(port)]++;
    if (n->services->proc->orphans.asking + 1 > ring.most)
        ring.most = n->services->proc->orphans.asking + 1;
    return true;
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
static void no_move(struct node *n, struct proc *p, ep_t to)
{
    (void)n, (void)p, (void)to;
}
static void no_proc(struct node *n, struct proc *p)
{
    (void)n, (void)p;
}
static void no_question(struct node *n, ep_t ep)
{
    (void)n, (void)ep;
}
static const struct transport transport = {
    .request = no_request,
    .request_ack = no_rec,
    .reply = no_rec,
    .cancel = no_cancel,
    .moved_away = no_move,
    .arrived = no_proc,
    .resumed = no_proc,
    .ask_ep = no_question,
    .ask_port = ring_ask,
};

// Time passes; whoever is asked about answers a while later, when the ring answers.
static void pass(struct node *n, uint64_t ns)
{
    for (uint64_t end = unit_now_ns + ns; unit_now_ns < end;) {
        bed_pass(n, 100 * NS_PER_MS);
        for (unsigned i = 0; ring.answers && ring.asked != ring.answered && i < ring.nports; i++)
            n->policy->port_found(n, ring.port[i]);
        ring.answered = ring.asked;
    }
}

static char last_line[200];
static unsigned lines;
static void keep_line(struct node *n, const char *line)
{
    (void)n;
    (void)snprintf(last_line, sizeof last_line, "%s", line);
    lines++;
}

static int setup(void **state)
{
    const struct host_options o = {.clock = unit_clock, .seed = 1, .log = keep_line};
    memset(&ring, 0, sizeof ring);
    ring.up = true;
    lines = 0;
    int e = bed_setup_with(state, &o);
    if (e == 0)
        unit_node(state)->transport = &transport;
    return e;
}
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, bed_teardown)

// --- Processes: they serve ports and have owners, and do nothing -----------------------------------------------------

static struct port far(uint64_t i)
{
    return (struct port){{i, 77}};
}
static struct port get(uint64_t i)
{
    return (struct port){{i, 78}};
}
static struct port near(uint64_t i)
{
    return cap_put_port(get(i));
}

static struct proc *begin(struct node *n, const char *name, struct port owner)
{
    struct proc *p;
    assert_int_equal(proc_create(n, EP_NONE, &p), 0);
    (void)snprintf(p->name, sizeof p->name, "%s", name);
    p->owner = (struct cap){.port = owner, .obj_rights = port_is_null(owner) ? 0 : 1};
    assert_int_equal(proc_serve(n, p), 0);
    assert_int_equal(proc_resume(n, p), 0);
    return p;
}

static const struct port nobody;

#define MISSES ((unsigned)(ORPHAN_GRACE_NS / ORPHAN_ASK_NS + 1)) // searches in a row, of the default grace

static struct proc *server(struct node *n, const char *name, uint64_t i, struct port owner)
{
    struct port put;
    struct proc *p = begin(n, name, owner);
    assert_true(port_listen(n, p, get(i), &put) >= 0);
    return p;
}

static void end(struct node *n, struct proc *p)
{
    p->owner = (struct cap){.obj_rights = 0}; // whom to tell is another test's business
    proc_finish(n, p, 0);
    bed_step(n);
}

static unsigned there(struct node *n)
{
    return (unsigned)n->pool_proc.used - 1; // without the kernel's own
}

// --- An owner on this node -------------------------------------------------------------------------------------------

static void children_end_with_their_owner_and_theirs_follow(void **state)
{
    struct node *n = unit_node(state);
    struct proc *owner = server(n, "owner", 1, nobody);
    for (unsigned i = 0; i < 3; i++)
        begin(n, "child", near(1));
    server(n, "son", 2, near(1));
    begin(n, "grandson", near(2));
    begin(n, "other", nobody);
    pass(n, 300 * NS_PER_S);
    assert_int_equal(there(n), 7);
    assert_int_equal(ring.asked, 0); // it is seen that the owner is here
    end(n, owner);
    pass(n, ORPHAN_ENDED_NS / 2);
    assert_int_equal(there(n), 6); // perhaps another node serves the port too
    pass(n, ORPHAN_ENDED_NS);
    assert_int_equal(there(n), 2);
    pass(n, ORPHAN_ENDED_NS);
    assert_int_equal(there(n), 1);
    assert_int_equal(ring.asked, 2); // once for each owner, not for each process
    assert_int_equal(lines, 5);
    assert_non_null(strstr(last_line, "grandson"));
    assert_non_null(strstr(last_line, "its owner has ended"));
    end(n, proc_by_pid(n, LIST_ENTRY(n->procs.prev, struct proc, link)->pid));
}

static void alone_the_end_is_known_at_once(void **state)
{
    struct node *n = unit_node(state);
    n->transport = NULL;
    struct proc *owner = server(n, "owner", 1, nobody);
    server(n, "child", 2, near(1));
    begin(n, "grandchild", near(2));
    end(n, owner);
    bed_step(n);
    assert_int_equal(there(n), 0);
    ring.up = false; // a node that nobody hears is no better off
    n->transport = &transport;
    owner = server(n, "owner", 1, nobody);
    begin(n, "child", near(1));
    end(n, owner);
    bed_step(n);
    assert_int_equal(there(n), 0);
}

static void a_port_that_is_closed_is_served_no_more(void **state)
{
    struct node *n = unit_node(state);
    struct proc *owner = server(n, "owner", 1, nobody), *second = server(n, "second", 1, nobody);
    begin(n, "child", near(1));
    assert_int_equal(port_close(n, owner, 0), 0);
    pass(n, 100 * NS_PER_S);
    assert_int_equal(there(n), 3); // the second one serves it
    assert_int_equal(port_close(n, second, 0), 0);
    bed_step(n);
    struct port put; // and again, before it could be found out that nobody does
    assert_true(port_listen(n, second, get(1), &put) >= 0);
    pass(n, 100 * NS_PER_S);
    assert_int_equal(there(n), 3);
    assert_int_equal(port_close(n, second, 0), 0);
    pass(n, 2 * ORPHAN_ENDED_NS);
    assert_int_equal(there(n), 2);
    end(n, owner);
    end(n, second);
}

static void another_node_that_serves_the_port_is_an_owner_too(void **state)
{
    struct node *n = unit_node(state);
    struct proc *owner = server(n, "owner", 1, nobody), *p = begin(n, "child", near(1));
    ring.answers = true;
    end(n, owner);
    pass(n, 300 * NS_PER_S);
    assert_int_equal(there(n), 1);
    end(n, p);
}

// --- An owner elsewhere ----------------------------------------------------------------------------------------------

static void an_owner_elsewhere_is_asked_after_once_for_all_its_processes(void **state)
{
    struct node *n = unit_node(state);
    ring.answers = true;
    for (unsigned i = 0; i < 20; i++)
        begin(n, "child", far(i % 2));
    pass(n, 600 * NS_PER_S);
    assert_int_equal(there(n), 20);
    unsigned most = (unsigned)(600 * NS_PER_S / ORPHAN_ASK_NS);
    assert_in_range(ring.of[0], most - 5, most);
    assert_in_range(ring.of[1], most - 5, most);
    assert_int_equal(ring.asked, ring.of[0] + ring.of[1]);
    while (there(n))
        end(n, LIST_ENTRY(n->procs.prev, struct proc, link));
    pass(n, 2 * ORPHAN_ASK_NS);
    ring.asked = 0;
    pass(n, 300 * NS_PER_S);
    assert_int_equal(ring.asked, 0);
    assert_true(host_node_deadline(n) == UINT64_MAX); // without processes, nothing is to be done
}

static void an_owner_elsewhere_is_gone_after_the_grace_time_and_not_before(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = begin(n, "child", far(1));
    ring.answers = true;
    pass(n, 95 * NS_PER_S);
    for (unsigned i = 0; i < 5; i++) { // cuts that are just short enough
        ring.answers = false;
        pass(n, ORPHAN_GRACE_NS - LOCATE_GIVE_UP_NS);
        assert_int_equal(there(n), 1);
        ring.answers = true;
        pass(n, ORPHAN_ASK_NS + NS_PER_S);
        assert_int_equal(orphan_missed(n, far(1)), 0);
    }
    assert_ptr_equal(LIST_ENTRY(n->procs.prev, struct proc, link), p);
    ring.answers = false;
    pass(n, ORPHAN_GRACE_NS - LOCATE_GIVE_UP_NS);
    assert_int_equal(there(n), 1);
    assert_in_range(orphan_missed(n, far(1)), MISSES - 2, MISSES - 1);
    pass(n, 2 * ORPHAN_ASK_NS + LOCATE_GIVE_UP_NS);
    assert_int_equal(there(n), 0);
    assert_non_null(strstr(last_line, "child"));
    assert_non_null(strstr(last_line, "nobody has served its owner's port for 600 s"));
}

static void a_process_has_a_grace_of_its_own_and_a_node_for_the_others(void **state)
{
    struct node *n = unit_node(state);
    begin(n, "hasty", far(1))->orphan_grace_ns = 30 * NS_PER_S;
    struct proc *patient = begin(n, "patient", far(1)), *other = begin(n, "other", far(1));
    patient->orphan_grace_ns = 3600 * NS_PER_S;
    n->orphan_grace_ns = 100 * NS_PER_S;
    pass(n, 30 * NS_PER_S);
    assert_int_equal(there(n), 3);
    pass(n, 30 * NS_PER_S);
    assert_int_equal(there(n), 2);
    pass(n, 50 * NS_PER_S);
    assert_int_equal(there(n), 2);
    pass(n, 20 * NS_PER_S);
    assert_int_equal(there(n), 1);
    assert_ptr_equal(proc_by_ep(n, patient->ep), patient);
    (void)other;
    pass(n, 3600 * NS_PER_S);
    assert_int_equal(there(n), 0);
}

// A node that answers has seen the owner end: that is no silence.
static void an_end_that_another_node_has_seen_is_believed_when_nobody_else_serves(void **state)
{
    struct node *n = unit_node(state);
    begin(n, "child", far(1));
    orphan_port_gone(n, far(1)); // nobody asked: an old answer
    ring.answers = true;
    pass(n, 60 * NS_PER_S);
    assert_int_equal(there(n), 1);
    ring.answers = false;
    while (n->services->proc->orphans.asking == 0)
        pass(n, 100 * NS_PER_MS);
    orphan_port_gone(n, far(1));
    n->policy->port_found(n, far(1)); // another does
    pass(n, 5 * NS_PER_S);
    assert_int_equal(there(n), 1);
    while (n->services->proc->orphans.asking == 0)
        pass(n, 100 * NS_PER_MS);
    orphan_port_gone(n, far(1));
    pass(n, 2 * ORPHAN_ENDED_NS);
    assert_int_equal(there(n), 0);
    assert_non_null(strstr(last_line, "its owner has ended"));
}

static void an_end_is_remembered_for_those_who_ask(void **state)
{
    struct node *n = unit_node(state);
    struct proc *owner = server(n, "owner", 1, nobody);
    assert_false(orphan_port_ended(n, near(1)));
    end(n, owner);
    assert_true(orphan_port_ended(n, near(1)));
    assert_false(orphan_port_ended(n, near(2)));
    pass(n, MOVED_LIFE_NS);
    assert_false(orphan_port_ended(n, near(1)));
}

// Its clock jumps, as when somebody shuts the lid of his machine: one search that failed proves nothing.
static void a_node_that_slept_for_long_does_not_take_its_owners_for_gone(void **state)
{
    struct node *n = unit_node(state);
    struct proc *p = begin(n, "child", far(1));
    ring.answers = true;
    pass(n, 25 * NS_PER_S);
    ring.answers = false;
    for (unsigned i = 0; i < MISSES - 1; i++) {
        unit_now_ns += 3600 * NS_PER_S;
        bed_step(n);
    }
    assert_int_equal(there(n), 1);
    ring.answers = true;
    pass(n, 300 * NS_PER_S);
    assert_int_equal(there(n), 1);
    end(n, p);
}

static void owners_that_are_gone_take_turns_to_be_looked_for(void **state)
{
    struct node *n = unit_node(state);
    for (unsigned i = 0; i < 40; i++)
        begin(n, "child", far(i));
    pass(n, 3 * ORPHAN_GRACE_NS);
    assert_int_equal(there(n), 0);
    assert_int_equal(ring.most, 16);
    assert_int_equal(ring.asked, 40 * MISSES);
}

// --- Who is no orphan, or not now ------------------------------------------------------------------------------------

static void whose_owner_is_nobody_lives_on(void **state)
{
    struct node *n = unit_node(state);
    struct proc *owner = server(n, "owner", 1, nobody), *p = begin(n, "child", near(1));
    p->owner = (struct cap){.obj_rights = 0};
    end(n, owner);
    pass(n, 300 * NS_PER_S);
    assert_int_equal(there(n), 1);
    assert_int_equal(ring.asked, 0);
    end(n, p);
}

static void a_stunned_orphan_ends_and_one_that_moves_when_it_has_settled(void **state)
{
    struct node *n = unit_node(state);
    struct proc *owner = server(n, "owner", 1, nobody), *mover = begin(n, "mover", near(1));
    assert_int_equal(proc_stun(n, begin(n, "stunned", near(1))), 0);
    assert_int_equal(proc_stun(n, mover), 0);
    proc_set_state(mover, PROC_MOVING);
    end(n, owner);
    pass(n, 300 * NS_PER_S);
    assert_int_equal(there(n), 1); // and it is left alone for as long as it takes
    assert_int_equal(mover->state, PROC_MOVING);
    assert_int_equal(proc_resume(n, mover), 0); // refused
    pass(n, ORPHAN_ASK_NS + ORPHAN_ENDED_NS);
    assert_int_equal(there(n), 0);
}

// Silence of the owner's is no reason to drop the copy that may be the only one. An end is: both copies shall end.
static void a_copy_in_doubt_goes_with_an_owner_that_ended_and_not_with_a_silent_one(void **state)
{
    struct node *n = unit_node(state);
    struct proc *owner = server(n, "owner", 1, nobody), *p = begin(n, "child", near(1)), *q = begin(n, "far", far(1));
    assert_int_equal(proc_stun(n, p), 0);
    proc_set_state(p, PROC_MOVING);
    proc_set_state(p, PROC_DOUBT);
    assert_int_equal(proc_stun(n, q), 0);
    proc_set_state(q, PROC_MOVING);
    proc_set_state(q, PROC_DOUBT);
    pass(n, 10 * ORPHAN_GRACE_NS);
    assert_int_equal(there(n), 3);
    proc_set_state(q, PROC_STUNNED); // the doubt is over
    pass(n, 2 * ORPHAN_ASK_NS);
    assert_int_equal(there(n), 2);
    end(n, owner);
    pass(n, ORPHAN_ENDED_NS + NS_PER_S);
    assert_int_equal(there(n), 0);
    assert_non_null(strstr(last_line, "is an orphan"));
}

static void without_memory_it_takes_longer(void **state)
{
    struct node *n = unit_node(state);
    struct proc *owner = server(n, "owner", 1, nobody);
    begin(n, "child", near(1));
    owner->owner = (struct cap){.obj_rights = 0};
    n->pages.fail_after = 0;
    proc_finish(n, owner, 0);
    pass(n, 20 * NS_PER_S);
    assert_int_equal(there(n), 1);
    n->pages.fail_after = -1;
    pass(n, 3 * ORPHAN_ASK_NS + ORPHAN_GRACE_NS);
    assert_int_equal(there(n), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(children_end_with_their_owner_and_theirs_follow),
        TEST(alone_the_end_is_known_at_once),
        TEST(a_port_that_is_closed_is_served_no_more),
        TEST(another_node_that_serves_the_port_is_an_owner_too),
        TEST(an_owner_elsewhere_is_asked_after_once_for_all_its_processes),
        TEST(an_owner_elsewhere_is_gone_after_the_grace_time_and_not_before),
        TEST(a_process_has_a_grace_of_its_own_and_a_node_for_the_others),
        TEST(an_end_that_another_node_has_seen_is_believed_when_nobody_else_serves),
        TEST(an_end_is_remembered_for_those_who_ask),
        TEST(a_node_that_slept_for_long_does_not_take_its_owners_for_gone),
        TEST(owners_that_are_gone_take_turns_to_be_looked_for),
        TEST(whose_owner_is_nobody_lives_on),
        TEST(a_stunned_orphan_ends_and_one_that_moves_when_it_has_settled),
        TEST(a_copy_in_doubt_goes_with_an_owner_that_ended_and_not_with_a_silent_one),
        TEST(without_memory_it_takes_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
