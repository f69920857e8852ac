// SPDX-License-Identifier: BSD-2-Clause
// Locating endpoints and ports: what is asked, of whom, what is believed of the answers, and for how long.
#include "core/life.h"
#include "test/unit/net_bed.h"

static struct proc *process_on(unsigned node, ep_t ep, enum proc_state s)
{
    struct proc *p;
    host_node_enter(bed.node[node]);
    assert_int_equal(proc_create(bed.node[node], ep, &p), 0);
    p->state = s; // any state at once: its table is proc's business
    return p;
}
static struct port port_of(uint64_t w)
{
    return (struct port){{w, ~w}};
}
static void serve(unsigned node, struct proc *p, struct port port)
{
    assert_int_equal(port_add(bed.node[node], port, p, 0, NULL), 0);
}
static void stop_serving(unsigned node, struct proc *p, struct port port)
{
    port_remove(bed.node[node], port, p, NULL);
}

// A line of the ring: far things need the second and third, wider questions.
static void endpoint_is_found_at_any_distance(void **state)
{
    (void)state;
    bed_line(12);
    for (unsigned i = 1; i < 12; i++) {
        process_on(i, 1000 + i, PROC_RUN);
        question_ask(bed.node[0], 1000 + i);
        bed_run(200 * NS_PER_MS);
        assert_true(place_node(bed.node[0], 1000 + i) == ep_of(i));
        assert_true(last_note()->found_ep == 1000 + i);
        assert_int_equal(bed.node[0]->net->nquestions, 0);
    }
    assert_int_equal(bed.nnotes, 11); // told once each
}

static void near_things_do_not_wake_the_whole_ring(void **state)
{
    (void)state;
    bed_line(12);
    process_on(2, 1002, PROC_RUN);
    question_ask(bed.node[0], 1002);
    bed_run(NS_PER_S);
    assert_int_equal(bed.kinds[WIRE_LOCATE], 2);
    assert_null(route_find(bed.node[3], ep_of(0)));
}

static void what_lives_here_is_known_without_asking(void **state)
{
    (void)state;
    bed_line(2);
    process_on(0, 1000, PROC_STUNNED);
    assert_true(place_node(bed.node[0], 1000) == ep_of(0));
    assert_true(place_node(bed.node[0], ep_of(0)) == ep_of(0));
    assert_true(place_node(bed.node[0], 1001) == EP_NONE);
    assert_true(place_node(bed.node[0], EP_NONE) == EP_NONE);
    assert_int_equal(bed.frames, 0);
}

static void port_is_found_with_its_server(void **state)
{
    (void)state;
    bed_line(3);
    struct proc *p = process_on(2, 1002, PROC_RUN);
    serve(2, p, port_of(5));
    question_ask_server(bed.node[0], port_of(5));
    bed_run(100 * NS_PER_MS);
    assert_true(place_server(bed.node[0], port_of(5)) == 1002);
    assert_true(place_node(bed.node[0], 1002) == ep_of(2));
    assert_true(port_eq(last_note()->found_port, port_of(5)));
    place_forget_server(bed.node[0], port_of(5));
    assert_true(place_server(bed.node[0], port_of(5)) == EP_NONE);
    stop_serving(2, p, port_of(5));
}

static void port_remembers_where_its_server_was(void **state)
{
    (void)state;
    bed_line(2);
    struct node *n = bed.node[0];
    locate_learn_server(n, port_of(5), 1002, 900);
    place_forget(n, 1002); // pushed out by others
    assert_true(place_server(n, port_of(5)) == 1002);
    assert_true(place_node(n, 1002) == 900);
    locate_learn(n, 1002, 901); // it moved
    assert_true(place_server(n, port_of(5)) == 1002);
    assert_true(place_node(n, 1002) == 901); // newer knowledge stays
}

static void first_of_several_servers_is_taken(void **state)
{
    (void)state;
    bed_line(4);
    struct proc *near = process_on(1, 1001, PROC_RUN), *far = process_on(3, 1003, PROC_RUN);
    serve(1, near, port_of(5));
    serve(3, far, port_of(5));
    question_ask_server(bed.node[0], port_of(5));
    bed_run(NS_PER_S);
    assert_true(place_server(bed.node[0], port_of(5)) == 1001);
    stop_serving(1, near, port_of(5));
    stop_serving(3, far, port_of(5));
}

// --- Is it still served? -------------------------------------------------------------------------------------

// Line of four; 3 serves the port, and 0 knows.
static struct proc *known_server(void)
{
    bed_line(4);
    struct proc *p = process_on(3, 1003, PROC_RUN);
    serve(3, p, port_of(5));
    question_ask_server(bed.node[0], port_of(5));
    bed_run(NS_PER_S);
    assert_true(place_server(bed.node[0], port_of(5)) == 1003);
    assert_int_equal(bed.nnotes, 1);
    return p;
}

static void who_was_found_last_is_asked_alone(void **state)
{
    (void)state;
    struct proc *p = known_server();
    uint64_t before = bed.kinds[WIRE_LOCATE], frames = bed.frames;
    question_check_server(bed.node[0], port_of(5));
    question_check_server(bed.node[0], port_of(5)); // while the question is open: nothing more
    bed_run(LOCATE_GIVE_UP_NS);
    assert_int_equal(bed.nnotes, 2);
    assert_true(port_eq(last_note()->found_port, port_of(5)));
    assert_int_equal(bed.kinds[WIRE_LOCATE] - before, 3); // three links
    assert_int_equal(bed.frames - frames, 6);
    assert_int_equal(bed.node[0]->net->nquestions, 0);
    stop_serving(3, p, port_of(5));
}

static void a_server_that_went_elsewhere_is_found_by_asking_all(void **state)
{
    (void)state;
    struct proc *p = known_server(), *q = process_on(2, 1002, PROC_RUN);
    stop_serving(3, p, port_of(5));
    serve(2, q, port_of(5));
    question_check_server(bed.node[0], port_of(5));
    bed_run(LOCATE_ALONE_NS - NS_PER_MS);
    assert_int_equal(bed.nnotes, 1);
    bed_run(200 * NS_PER_MS);
    assert_int_equal(bed.nnotes, 2);
    assert_true(place_server(bed.node[0], port_of(5)) == 1002);
    stop_serving(2, q, port_of(5));
}

static void what_is_remembered_is_no_answer(void **state)
{
    (void)state;
    struct proc *p = known_server();
    stop_serving(3, p, port_of(5));
    question_check_server(bed.node[0], port_of(5));
    bed_run(2 * LOCATE_GIVE_UP_NS);
    assert_int_equal(bed.nnotes, 1);
    assert_int_equal(bed.node[0]->net->nquestions, 0);
}

// Calls to ports that nobody serves, as many as there are questions, before the answer can have come.
static void ask_for_nobody(void)
{
    for (uint64_t i = 0; i < QUESTIONS_MAX; i++) {
        bed.now++;
        question_ask_server(bed.node[0], port_of(1000 + i));
    }
    assert_int_equal(bed.node[0]->net->nquestions, QUESTIONS_MAX);
}

static void many_other_questions_do_not_push_a_check_out(void **state)
{
    (void)state;
    struct proc *p = known_server();
    question_check_server(bed.node[0], port_of(5));
    ask_for_nobody();
    bed_run(LOCATE_GIVE_UP_NS);
    assert_int_equal(bed.nnotes, 2);
    assert_true(port_eq(last_note()->found_port, port_of(5)));
    place_forget_server(bed.node[0], port_of(5));
    question_ask_server(bed.node[0], port_of(5));
    question_check_server(bed.node[0], port_of(5)); // a question that is open becomes one
    ask_for_nobody();
    bed_run(LOCATE_GIVE_UP_NS);
    assert_int_equal(bed.nnotes, 3);
    stop_serving(3, p, port_of(5));
}

static void asked_in_state(enum proc_state s, bool answers)
{
    bed_line(2);
    struct proc *p = process_on(1, 1001, s);
    serve(1, p, port_of(5));
    question_ask(bed.node[0], 1001);
    question_ask_server(bed.node[0], port_of(5));
    bed_run(100 * NS_PER_MS);
    assert_true(place_node(bed.node[0], 1001) == (answers ? ep_of(1) : EP_NONE));
    assert_true(place_server(bed.node[0], port_of(5)) == (answers ? 1001 : EP_NONE));
    stop_serving(1, p, port_of(5));
}

static void arriving_process_does_not_answer(void **state)
{
    (void)state;
    asked_in_state(PROC_ARRIVING, false);
}
static void dead_process_does_not_answer(void **state)
{
    (void)state;
    asked_in_state(PROC_DEAD, false);
}
static void leaving_process_answers_until_commit(void **state)
{
    (void)state;
    asked_in_state(PROC_MOVING, true);
}
static void process_in_doubt_answers(void **state)
{
    (void)state;
    bed_line(2);
    struct proc *p = process_on(1, 1001, PROC_DOUBT);
    serve(1, p, port_of(5));
    question_ask(bed.node[0], 1001);
    question_ask_server(bed.node[0], port_of(5));
    bed_run(100 * NS_PER_MS); // not at once: another node may have it
    assert_true(place_node(bed.node[0], 1001) == EP_NONE);
    assert_true(place_server(bed.node[0], port_of(5)) == EP_NONE);
    bed_run(NS_PER_S);
    assert_true(place_node(bed.node[0], 1001) == ep_of(1));
    assert_true(place_server(bed.node[0], port_of(5)) == 1001);
    assert_true(question_open(bed.node[0], 1001) && question_open_server(bed.node[0], port_of(5)));
    stop_serving(1, p, port_of(5));
}

// The copy in doubt is nearer, and its answer the first.
static void the_node_that_has_it_is_found_and_not_the_copy_in_doubt(void **state)
{
    (void)state;
    bed_line(3);
    struct proc *p = process_on(1, 1001, PROC_DOUBT), *q = process_on(2, 1001, PROC_RUN);
    serve(1, p, port_of(5));
    serve(2, q, port_of(5));
    question_ask(bed.node[0], 1001);
    question_ask_server(bed.node[0], port_of(5));
    bed_run(NS_PER_S);
    assert_true(place_node(bed.node[0], 1001) == ep_of(2));
    assert_true(place_server(bed.node[0], port_of(5)) == 1001);
    assert_false(question_open(bed.node[0], 1001) || question_open_server(bed.node[0], port_of(5)));
    stop_serving(1, p, port_of(5));
    stop_serving(2, q, port_of(5));
}

// The port of an arriving process itself is served by the kernel, which runs.
static void control_port_of_an_arriving_process_is_not_here(void **state)
{
    (void)state;
    bed_line(2);
    struct node *n = bed.node[1];
    struct proc *p = process_on(1, 1001, PROC_ARRIVING);
    assert_int_equal(port_add(n, port_of(5), n->kproc, 0, p), 0);
    question_ask_server(bed.node[0], port_of(5));
    bed_run(100 * NS_PER_MS);
    assert_true(place_server(bed.node[0], port_of(5)) == EP_NONE);
    p->state = PROC_RUN;
    bed_run(NS_PER_S); // the question is still open
    assert_true(place_server(bed.node[0], port_of(5)) == ep_of(1));
    port_remove(n, port_of(5), n->kproc, p);
}

static void moved_to_answers_when_the_mover_is_asked(void **state)
{
    (void)state;
    bed_line(3);
    place_set_moved(bed.node[1], 1000, ep_of(2)); // node 2 cannot be asked: it has not got it yet
    question_ask(bed.node[0], 1000);
    bed_run(5 * NS_PER_MS);
    assert_true(place_node(bed.node[0], 1000) == ep_of(2));
    assert_true(last_note()->found_ep == 1000);
    assert_int_equal(bed.kinds[WIRE_MOVED], 1);
    assert_true(place_node(bed.node[1], 1000) == ep_of(2)); // and the mover knows it for itself
    place_forget(bed.node[1], 1000);                        // it led nowhere: then the ring is asked
    assert_true(place_node(bed.node[1], 1000) == EP_NONE);
}

// The way to a node was lost and found: whoever waits for an endpoint there goes on too.
static void node_found_again_wakes_its_endpoints(void **state)
{
    (void)state;
    bed_line(3);
    locate_learn(bed.node[0], 1000, ep_of(2));
    struct wire_hdr h = {.kind = WIRE_REQUEST, .dst_node = ep_of(2), .src_ep = 5, .dst_ep = 1000, .tid = 1};
    assert_false(locate_send(bed.node[0], &h, NULL, 0));
    bed_run(NS_PER_MS);
    assert_int_equal(bed.nnotes, 2);
    assert_true(bed.notes[0].found_ep == ep_of(2));
    assert_true(bed.notes[1].found_ep == 1000);
}

// Moved 1 -> 2 -> 3: what node 1 says is old, and arrives first.
static void old_hint_does_not_win_against_the_process_itself(void **state)
{
    (void)state;
    bed_line(5);
    place_set_moved(bed.node[1], 1000, 666); // a node that is gone
    process_on(4, 1000, PROC_RUN);
    question_ask(bed.node[0], 1000);
    bed_run(NS_PER_S);
    assert_true(place_node(bed.node[0], 1000) == ep_of(4));
    assert_int_equal(bed.node[0]->net->nquestions, 0);
}

// Unless it comes from the very node that was thought to have it.
static void hint_of_the_node_that_had_it_is_taken(void **state)
{
    (void)state;
    bed_line(2);
    bed_meet(0, 1);
    locate_learn(bed.node[0], 1000, ep_of(1));
    locate_learn(bed.node[0], 1001, 555);
    place_set_moved(bed.node[1], 1000, 666);
    place_set_moved(bed.node[1], 1001, 666);
    question_ask(bed.node[0], 1000);
    question_ask(bed.node[0], 1001);
    bed_run(NS_PER_MS);
    assert_true(place_node(bed.node[0], 1000) == 666);
    assert_true(place_node(bed.node[0], 1001) == 555);
}

static void moved_to_expires(void **state)
{
    (void)state;
    bed_line(2);
    struct node *n = bed.node[0];
    place_set_moved(n, 1000, ep_of(1));
    bed.now += MOVED_LIFE_NS - 1;
    assert_true(place_moved(n, 1000) == ep_of(1));
    bed.now += 1;
    assert_true(place_moved(n, 1000) == EP_NONE);
    place_set_moved(n, 1000, ep_of(1));
    place_clear_moved(n, 1000); // it came back
    assert_true(place_moved(n, 1000) == EP_NONE);
}

static void moved_to_is_bounded(void **state)
{
    (void)state;
    bed_line(2);
    struct node *n = bed.node[0];
    for (ep_t ep = 1; ep <= 1000; ep++) {
        bed.now += NS_PER_MS;
        place_set_moved(n, 5000 + ep, 77);
    }
    unsigned known = 0;
    for (ep_t ep = 1; ep <= 1000; ep++)
        known += place_moved(n, 5000 + ep) != EP_NONE;
    assert_int_equal(known, MOVED_MAX);
    assert_true(place_moved(n, 6000) == 77);
}

static void cache_is_bounded_after_10000_endpoints(void **state)
{
    (void)state;
    bed_line(2);
    struct node *n = bed.node[0];
    size_t pages = page_free_count(n);
    for (ep_t ep = 1; ep <= 10000; ep++) {
        locate_learn(n, 50000 + ep, 77);
        assert_true(place_node(n, 50000 + ep) == 77);
        locate_learn_server(n, port_of(ep), 50000 + ep, 77);
        if (ep > 1) // used all the time: never the one that goes
            assert_true(place_node(n, 50001) == 77);
    }
    unsigned known = 0;
    for (ep_t ep = 1; ep <= 10000; ep++)
        known += place_node(n, 50000 + ep) != EP_NONE;
    assert_true(known <= EP_SETS * WAYS);
    assert_int_equal(page_free_count(n), pages);
}

static void forgotten_endpoint_is_unknown(void **state)
{
    (void)state;
    bed_line(2);
    locate_learn(bed.node[0], 1000, 77);
    place_forget(bed.node[0], 1000);
    place_forget(bed.node[0], 1000);
    place_forget(bed.node[0], EP_NONE);
    assert_true(place_node(bed.node[0], 1000) == EP_NONE);
}

static void frames_that_claim_what_is_here_teach_nothing(void **state)
{
    (void)state;
    bed_line(2);
    struct node *n = bed.node[0];
    struct proc *p = process_on(0, 1000, PROC_RUN);
    locate_learn(n, 1000, 77);
    locate_learn(n, ep_of(0), 77);
    locate_learn_server(n, port_of(5), 1000, 77);
    assert_true(place_node(n, 1000) == ep_of(0));
    p->state = PROC_DEAD;
    assert_true(place_node(n, 1000) == EP_NONE);
    assert_true(place_server(n, port_of(5)) == EP_NONE);
}

static void traffic_teaches_where_its_endpoint_is(void **state)
{
    (void)state;
    bed_line(3);
    bed_meet(0, 2);
    struct wire_hdr h = {.kind = WIRE_REQUEST, .dst_node = ep_of(2), .src_ep = 1000, .tid = 1};
    locate_send(bed.node[0], &h, NULL, 0);
    bed_run(NS_PER_MS);
    assert_true(place_node(bed.node[2], 1000) == ep_of(0));
    assert_true(place_node(bed.node[1], 1000) == ep_of(0)); // who forwards learns too
}

// "Not here" speaks about an endpoint; it does not come from it.
static void not_here_does_not_teach_that_it_is_there(void **state)
{
    (void)state;
    bed_line(2);
    bed_meet(0, 1);
    struct wire_hdr h = {.kind = WIRE_NOTHERE, .op = NOTHERE_EP, .dst_node = ep_of(1), .src_ep = 1000};
    locate_send(bed.node[0], &h, NULL, 0);
    bed_run(NS_PER_MS);
    assert_true(place_node(bed.node[1], 1000) == EP_NONE);
}

static void traffic_answers_an_open_question(void **state)
{
    (void)state;
    bed_line(2);
    bed_meet(1, 0);
    question_ask(bed.node[1], 1000); // nobody answers: no such process
    bed_run(NS_PER_MS);
    unsigned notes = bed.nnotes;
    struct wire_hdr h = {.kind = WIRE_REQUEST, .dst_node = ep_of(1), .src_ep = 1000, .tid = 1};
    locate_send(bed.node[0], &h, NULL, 0);
    bed_run(NS_PER_MS);
    assert_int_equal(bed.nnotes, notes + 2); // the frame, and then: found
    assert_true(last_note()->found_ep == 1000);
    assert_int_equal(bed.node[1]->net->nquestions, 0);
}

static void one_question_however_many_ask(void **state)
{
    (void)state;
    bed_line(2);
    for (int i = 0; i < 1000; i++) {
        question_ask(bed.node[0], 4711);
        question_ask_server(bed.node[0], port_of(4711));
    }
    assert_int_equal(bed.frames, 2); // and the first goes out at once
    bed_run(LOCATE_GIVE_UP_NS + NS_PER_S);
    assert_int_equal(bed.node[0]->net->nquestions, 0);
    assert_true(bed.frames <= 2 * 10);
    assert_true(timer_next(bed.node[0]) == UINT64_MAX);
}

static void questions_are_bounded_in_number_and_rate(void **state)
{
    (void)state;
    bed_line(2);
    for (ep_t ep = 1; ep <= 10000; ep++)
        question_ask(bed.node[0], 50000 + ep);
    assert_true(bed.frames <= FLOOD_BURST);
    assert_true(bed.node[0]->net->nquestions <= QUESTIONS_MAX);
    uint64_t before = bed.frames;
    for (int ms = 0; ms < 1000; ms++) { // a second of callers that never rest
        for (ep_t ep = 1; ep <= 100; ep++)
            question_ask(bed.node[0], 60000 + (ep_t)ms * 100 + ep);
        bed_run(NS_PER_MS);
    }
    assert_true(bed.frames - before <= FLOODS_PER_S + 2);
    assert_true(bed.frames - before >= FLOODS_PER_S / 2);
}

static void question_that_waited_its_turn_is_answered(void **state)
{
    (void)state;
    bed_line(2);
    for (ep_t ep = 1; ep <= FLOOD_BURST; ep++)
        question_ask(bed.node[0], 50000 + ep);
    process_on(1, 1001, PROC_RUN);
    question_ask(bed.node[0], 1001); // the burst is used up
    assert_int_equal(bed.frames, FLOOD_BURST);
    bed_run(LOCATE_GIVE_UP_NS);
    assert_true(place_node(bed.node[0], 1001) == ep_of(1));
}

static void question_without_links_expires(void **state)
{
    (void)state;
    bed_new(1);
    question_ask(bed.node[0], 4711);
    bed_run(LOCATE_GIVE_UP_NS);
    assert_int_equal(bed.node[0]->net->nquestions, 0);
    assert_int_equal(bed.nnotes, 0);
}

static void link_that_comes_up_is_asked_at_once(void **state)
{
    (void)state;
    bed_line(2);
    struct link *l = &bed.link[0].l;
    process_on(1, 1001, PROC_RUN);
    l->up = false;
    net_link_changed(bed.node[0], l);
    question_ask(bed.node[0], 1001);
    bed_run(3 * NS_PER_S);
    assert_int_equal(bed.frames, 0);
    l->up = true;
    net_link_changed(bed.node[0], l);
    bed_run(NS_PER_MS);
    assert_true(place_node(bed.node[0], 1001) == ep_of(1));
}

// --- All nodes -------------------------------------------------------------------------------------

static struct net_node seen[32];
static unsigned nseen;
static void on_seen(struct node *n, void *arg, const struct net_node *who)
{
    (void)n;
    assert_ptr_equal(arg, &nseen);
    assert_true(nseen < 32);
    seen[nseen++] = *who;
}
static bool saw(const char *name, unsigned hops)
{
    unsigned times = 0;
    for (unsigned i = 0; i < nseen; i++)
        times += strcmp(seen[i].name, name) == 0 && seen[i].hops == hops;
    return times == 1;
}

static void names_of_all_nodes_are_collected_once(void **state)
{
    (void)state;
    bed_ring(8);
    nseen = 0;
    nodes_ask(bed.node[0], on_seen, &nseen);
    assert_true(saw("n0", 0)); // this node at once
    bed_run(5 * NS_PER_S);
    assert_int_equal(nseen, 8);
    assert_true(saw("n1", 1) && saw("n7", 1) && saw("n4", 4));
    assert_true(bed.kinds[WIRE_LOCATE] <= 10 * 16);
    nodes_stop(bed.node[0]);
    uint64_t frames = bed.frames;
    bed_run(5 * NS_PER_S);
    assert_int_equal(bed.frames, frames);
    assert_true(timer_next(bed.node[0]) == UINT64_MAX);
}

static void node_that_was_cut_off_is_reported_later(void **state)
{
    (void)state;
    bed_line(3);
    bed.cut[1] = true;
    nseen = 0;
    nodes_ask(bed.node[0], on_seen, &nseen);
    bed_run(NS_PER_S);
    assert_int_equal(nseen, 2);
    bed.cut[1] = false;
    bed_run(2 * NS_PER_S);
    assert_int_equal(nseen, 3);
    nodes_stop(bed.node[0]);
    nseen = 0;
    nodes_ask(bed.node[0], on_seen, &nseen); // a new question begins afresh
    bed_run(NS_PER_S);
    assert_int_equal(nseen, 3);
    nodes_stop(bed.node[0]);
}

static void name_from_outside_cannot_speak_to_a_terminal(void **state)
{
    (void)state;
    bed_line(2);
    memcpy(bed.node[1]->net->name, "\033[2Jevil\nxxxxxxxxxxxxxxxxxxxxxx", NAME_MAX_LEN);
    bed.node[1]->net->name[NAME_MAX_LEN - 1] = '\0';
    nseen = 0;
    nodes_ask(bed.node[0], on_seen, &nseen);
    bed_run(NS_PER_S);
    nodes_stop(bed.node[0]);
    assert_string_equal(seen[1].name, "?[2Jevil?xxxxxxxxxxxxxxxxxxxxxx");
}

#define TEST(name) cmocka_unit_test_teardown(name, bed_free)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(endpoint_is_found_at_any_distance),
        TEST(near_things_do_not_wake_the_whole_ring),
        TEST(what_lives_here_is_known_without_asking),
        TEST(port_is_found_with_its_server),
        TEST(port_remembers_where_its_server_was),
        TEST(first_of_several_servers_is_taken),
        TEST(who_was_found_last_is_asked_alone),
        TEST(a_server_that_went_elsewhere_is_found_by_asking_all),
        TEST(what_is_remembered_is_no_answer),
        TEST(many_other_questions_do_not_push_a_check_out),
        TEST(arriving_process_does_not_answer),
        TEST(dead_process_does_not_answer),
        TEST(leaving_process_answers_until_commit),
        TEST(process_in_doubt_answers),
        TEST(the_node_that_has_it_is_found_and_not_the_copy_in_doubt),
        TEST(control_port_of_an_arriving_process_is_not_here),
        TEST(moved_to_answers_when_the_mover_is_asked),
        TEST(node_found_again_wakes_its_endpoints),
        TEST(old_hint_does_not_win_against_the_process_itself),
        TEST(hint_of_the_node_that_had_it_is_taken),
        TEST(moved_to_expires),
        TEST(moved_to_is_bounded),
        TEST(cache_is_bounded_after_10000_endpoints),
        TEST(forgotten_endpoint_is_unknown),
        TEST(frames_that_claim_what_is_here_teach_nothing),
        TEST(traffic_teaches_where_its_endpoint_is),
        TEST(not_here_does_not_teach_that_it_is_there),
        TEST(traffic_answers_an_open_question),
        TEST(one_question_however_many_ask),
        TEST(questions_are_bounded_in_number_and_rate),
        TEST(question_that_waited_its_turn_is_answered),
        TEST(question_without_links_expires),
        TEST(link_that_comes_up_is_asked_at_once),
        TEST(names_of_all_nodes_are_collected_once),
        TEST(node_that_was_cut_off_is_reported_later),
        TEST(name_from_outside_cannot_speak_to_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
