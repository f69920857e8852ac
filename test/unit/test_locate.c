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
        question_ask(bed.node[0], EP_NONE, 1000 + i);
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
    question_ask(bed.node[0], EP_NONE, 1002);
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
    question_ask_server(bed.node[0], EP_NONE, port_of(5));
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
    question_ask_server(bed.node[0], EP_NONE, port_of(5));
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
    question_ask_server(bed.node[0], EP_NONE, port_of(5));
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
        question_ask_server(bed.node[0], EP_NONE, port_of(1000 + i));
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
    question_ask_server(bed.node[0], EP_NONE, port_of(5));
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
    question_ask(bed.node[0], EP_NONE, 1001);
    question_ask_server(bed.node[0], EP_NONE, port_of(5));
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
    question_ask(bed.node[0], EP_NONE, 1001);
    question_ask_server(bed.node[0], EP_NONE, port_of(5));
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
    question_ask(bed.node[0], EP_NONE, 1001);
    question_ask_server(bed.node[0], EP_NONE, port_of(5));
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
    question_ask_server(bed.node[0], EP_NONE, port_of(5));
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
    question_ask(bed.node[0], EP_NONE, 1000);
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
    question_ask(bed.node[0], EP_NONE, 1000);
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
    question_ask(bed.node[0], EP_NONE, 1000);
    question_ask(bed.node[0], EP_NONE, 1001);
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
    question_ask(bed.node[1], EP_NONE, 1000); // nobody answers: no such process
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
        question_ask(bed.node[0], EP_NONE, 4711);
        question_ask_server(bed.node[0], EP_NONE, port_of(4711));
    }
    assert_int_equal(bed.frames, 2); // and the first goes out at once
    bed_run(LOCATE_GIVE_UP_NS + NS_PER_S);
    assert_int_equal(bed.node[0]->net->nquestions, 0);
    assert_true(bed.frames <= 2 * (ROUND_FAR + (SILENCE_WHOLE + 5) * ROUND_COPIES));
    assert_true(timer_next(bed.node[0]) == UINT64_MAX);
}

static void questions_are_bounded_in_number_and_rate(void **state)
{
    (void)state;
    bed_line(2);
    for (ep_t ep = 1; ep <= 10000; ep++)
        question_ask(bed.node[0], EP_NONE, 50000 + ep);
    assert_true(bed.frames <= FLOOD_BURST);
    assert_true(bed.node[0]->net->nquestions <= QUESTIONS_MAX);
    uint64_t before = bed.frames;
    for (int ms = 0; ms < 1000; ms++) { // a second of callers that never rest
        for (ep_t ep = 1; ep <= 100; ep++)
            question_ask(bed.node[0], EP_NONE, 60000 + (ep_t)ms * 100 + ep);
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
        question_ask(bed.node[0], EP_NONE, 50000 + ep);
    process_on(1, 1001, PROC_RUN);
    question_ask(bed.node[0], EP_NONE, 1001); // the burst is used up
    assert_int_equal(bed.frames, FLOOD_BURST);
    for (unsigned i = 0; i < 10; i++) { // its caller asks again
        bed_run(RETRY_MAX_NS);
        question_ask(bed.node[0], EP_NONE, 1001);
    }
    assert_true(place_node(bed.node[0], 1001) == ep_of(1));
}

static void question_without_links_expires(void **state)
{
    (void)state;
    bed_new(1);
    question_ask(bed.node[0], EP_NONE, 4711);
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
    question_ask(bed.node[0], EP_NONE, 1001);
    bed_run(3 * NS_PER_S);
    assert_int_equal(bed.frames, 0);
    l->up = true;
    net_link_changed(bed.node[0], l);
    bed_run(NS_PER_MS);
    assert_true(place_node(bed.node[0], 1001) == ep_of(1));
}

// --- Silence ---------------------------------------------------------------------------------------

// A caller of node i that asks for the port every half second, as a call does. Returns when it was told that nobody
// serves it, in ns; at most `most`. No question is open then.
static uint64_t until_nowhere(unsigned i, struct port port, uint64_t most)
{
    struct node *n = bed.node[i];
    uint64_t begun = bed.now;
    while (bed.now - begun < most && !question_nowhere_server(n, port, bed.now - begun)) {
        host_node_enter(n);
        question_ask_server(n, 77, port);
        bed_run(RETRY_MAX_NS);
    }
    uint64_t ns = bed.now - begun;
    bed_run(2 * LOCATE_GIVE_UP_NS); // what it asked last comes to its end
    return ns;
}

static void nobody_serves_it_only_after_a_whole_search(void **state)
{
    (void)state;
    bed_line(2);
    struct node *n = bed.node[0];
    unsigned asked;
    assert_false(question_nowhere_server(n, port_of(5), UINT64_MAX)); // nothing was asked
    uint64_t ns = until_nowhere(0, port_of(5), 20 * NS_PER_S);
    assert_true(ns > LOCATE_GIVE_UP_NS && ns <= LOCATE_GIVE_UP_NS + 2 * RETRY_MAX_NS);
    assert_true(silence_known(n, &(struct subject){.op = LOCATE_PORT, .port = port_of(5)}, &asked));
    assert_true(asked >= SILENCE_WHOLE);
    assert_false(question_nowhere_server(n, port_of(5), LOCATE_GIVE_UP_NS)); // another caller has its time too
    assert_int_equal(n->net->nquestions, 0);
}

// The ring is cut for all but the last second of the search, as by loss: what was lost is asked again until the end.
static void a_search_listens_and_asks_to_its_end(void **state)
{
    (void)state;
    bed_line(2);
    struct proc *p = process_on(1, 1001, PROC_RUN);
    serve(1, p, port_of(5));
    bed.cut[0] = true;
    question_ask_server(bed.node[0], EP_NONE, port_of(5));
    bed_run(LOCATE_GIVE_UP_NS - NS_PER_S);
    bed.cut[0] = false;
    bed_run(NS_PER_S);
    assert_true(place_server(bed.node[0], port_of(5)) == 1001);
    stop_serving(1, p, port_of(5));
}

static void a_question_that_was_not_asked_is_no_answer(void **state)
{
    (void)state;
    bed_line(2);
    struct node *n = bed.node[0];
    for (unsigned i = 0; i < QUESTIONS_EACH; i++)
        question_ask_server(n, 77, port_of(100 + i));
    question_ask_server(n, 77, port_of(5)); // one too many
    assert_int_equal(n->net->nquestions, QUESTIONS_EACH);
    assert_false(question_open_server(n, port_of(5)));
    assert_false(question_nowhere_server(n, port_of(5), UINT64_MAX));
    question_ask_server(n, 78, port_of(6)); // another process has room
    assert_true(question_open_server(n, port_of(6)));
    assert_true(until_nowhere(0, port_of(5), 60 * NS_PER_S) < 60 * NS_PER_S);
}

// Without a link there is nobody to ask.
static void alone_time_is_enough(void **state)
{
    (void)state;
    bed_new(1);
    assert_false(question_nowhere_server(bed.node[0], port_of(5), LOCATE_GIVE_UP_NS));
    assert_true(question_nowhere_server(bed.node[0], port_of(5), LOCATE_GIVE_UP_NS + 1));
}

static void silence_lasts_a_minute_then_one_question_renews_it(void **state)
{
    (void)state;
    bed_line(2);
    struct node *n = bed.node[0];
    until_nowhere(0, port_of(5), 20 * NS_PER_S);
    bed_run(SILENCE_KEPT_NS + 2 * LOCATE_GIVE_UP_NS);
    assert_false(question_nowhere_server(n, port_of(5), UINT64_MAX));
    uint64_t frames = bed.frames;
    question_ask_server(n, EP_NONE, port_of(5));
    assert_int_equal(bed.frames - frames, ROUND_COPIES);              // all the way at once: not 2, 8, 32 links
    assert_false(question_nowhere_server(n, port_of(5), UINT64_MAX)); // the answer may be on its way
    bed_run(SILENCE_LISTEN_NS);
    assert_true(question_nowhere_server(n, port_of(5), UINT64_MAX));
}

static void a_server_that_starts_later_is_found(void **state)
{
    (void)state;
    bed_line(2);
    until_nowhere(0, port_of(5), 20 * NS_PER_S);
    struct proc *p = process_on(1, 1001, PROC_RUN);
    serve(1, p, port_of(5));
    question_ask_server(bed.node[0], EP_NONE, port_of(5));
    bed_run(NS_PER_MS);
    assert_true(place_server(bed.node[0], port_of(5)) == 1001);
    assert_false(question_nowhere_server(bed.node[0], port_of(5), UINT64_MAX));
    stop_serving(1, p, port_of(5));
}

// Node 1 lies between: what it hears answered for node 0 is not nowhere.
static void an_answer_that_passes_ends_silence(void **state)
{
    (void)state;
    bed_line(3);
    until_nowhere(1, port_of(5), 20 * NS_PER_S);
    assert_true(question_nowhere_server(bed.node[1], port_of(5), UINT64_MAX));
    struct proc *p = process_on(2, 1002, PROC_RUN);
    serve(2, p, port_of(5));
    question_ask_server(bed.node[0], EP_NONE, port_of(5));
    bed_run(NS_PER_S);
    assert_true(place_server(bed.node[0], port_of(5)) == 1002);
    assert_false(question_nowhere_server(bed.node[1], port_of(5), UINT64_MAX));
    stop_serving(2, p, port_of(5));
}

static void a_link_that_comes_up_ends_silence(void **state)
{
    (void)state;
    bed_line(2);
    struct link *l = &bed.link[0].l;
    until_nowhere(0, port_of(5), 20 * NS_PER_S);
    l->up = false;
    net_link_changed(bed.node[0], l);
    l->up = true;
    net_link_changed(bed.node[0], l);
    assert_false(question_nowhere_server(bed.node[0], port_of(5), UINT64_MAX));
    assert_int_equal(bed.node[0]->net->nsilences, 0);
}

static void silence_is_bounded(void **state)
{
    (void)state;
    bed_line(2);
    struct node *n = bed.node[0];
    unsigned asked, known = 0;
    for (ep_t ep = 1; ep <= 1000; ep++) {
        bed.now++;
        silence_begin(n, &(struct subject){.op = LOCATE_EP, .ep = ep});
    }
    for (ep_t ep = 1; ep <= 1000; ep++)
        known += silence_known(n, &(struct subject){.op = LOCATE_EP, .ep = ep}, &asked);
    assert_int_equal(known, SILENCE_SETS * WAYS);
    assert_int_equal(n->net->nsilences, SILENCE_SETS * WAYS);
    assert_true(silence_known(n, &(struct subject){.op = LOCATE_EP, .ep = 1000}, &asked));
}

// --- Who may ask how much --------------------------------------------------------------------------

// A process that asks for very many things has the first of them asked at once. The node asks for others at once still.
static void a_process_that_asks_for_much_waits_and_others_do_not(void **state)
{
    (void)state;
    bed_line(2);
    struct node *n = bed.node[0];
    struct proc *p = process_on(1, 1001, PROC_RUN);
    serve(1, p, port_of(5));
    for (uint64_t i = 0; i < 20 * 1000; i++) { // 20 s
        question_ask_server(n, 77, port_of(1000 + i % 1500));
        bed_run(NS_PER_MS);
    }
    uint64_t before = bed.kinds[WIRE_LOCATE];
    for (uint64_t i = 0; i < 20 * 1000; i++) {
        question_ask_server(n, 77, port_of(1000 + i % 1500));
        bed_run(NS_PER_MS);
    }
    assert_true(bed.kinds[WIRE_LOCATE] - before <= 20 * (RING_FLOODS_PER_S + 4)); // 4: first questions, in ASKER_PRICE
    question_ask_server(n, 78, port_of(5));
    bed_run(NS_PER_MS);
    assert_true(place_server(n, port_of(5)) == 1001);
    stop_serving(1, p, port_of(5));
}

// The table is full of what is asked for in vain: a first question takes the place of one of those.
static void a_first_question_finds_room(void **state)
{
    (void)state;
    bed_line(2);
    struct node *n = bed.node[0];
    struct proc *p = process_on(1, 1001, PROC_RUN);
    serve(1, p, port_of(5));
    for (uint64_t i = 0; i < QUESTIONS_MAX; i++) {
        question_ask_server(n, 100 + i, port_of(1000 + i));
        bed_run(50 * NS_PER_MS);
    }
    assert_int_equal(n->net->nquestions, QUESTIONS_MAX);
    question_ask_server(n, 78, port_of(5));
    bed_run(NS_PER_MS);
    assert_true(place_server(n, port_of(5)) == 1001);
    stop_serving(1, p, port_of(5));
}

// 16 nodes that ask for dead ports all the time, and one that does: a link carries as much.
static uint64_t questions_of(unsigned askers)
{
    uint64_t before = 0;
    bed_ring(16);
    for (unsigned s = 0; s < 180; s++) {
        if (s == 60)
            before = bed.kinds[WIRE_LOCATE];
        for (unsigned i = 0; i < askers; i++) {
            host_node_enter(bed.node[i]);
            for (uint64_t k = 0; k < 8; k++)
                question_ask_server(bed.node[i], 77, port_of(1000 + i * 8 + k));
        }
        bed_run(NS_PER_S);
    }
    return (bed.kinds[WIRE_LOCATE] - before) / 16;
}

static void nodes_share_what_the_ring_carries(void **state)
{
    (void)state;
    uint64_t one = questions_of(1);
    assert_int_equal(bed_free(state), 0);
    uint64_t all = questions_of(16);
    assert_true(one <= 120 * (RING_FLOODS_PER_S + 1));
    assert_true(one >= 120 * RING_FLOODS_PER_S / 2);
    assert_true(all * 2 <= one * 3);
}

// --- More effort, the longer nobody answers --------------------------------------------------------

static void later_rounds_cross_each_link_twice_and_are_answered_more_often(void **state)
{
    (void)state;
    static const unsigned answers[] = {1, 2, 4, 8, 8};
    bed_line(3);
    process_on(2, 1002, PROC_RUN);
    for (unsigned round = 0; round < 5; round++) {
        struct wire_hdr h = {.kind = WIRE_LOCATE, .op = LOCATE_EP, .arg = {1002, round}};
        memset(bed.kinds, 0, sizeof(bed.kinds));
        host_node_enter(bed.node[0]);
        route_flood(bed.node[0], &h, NULL, 0, WIRE_HOPS_MAX);
        bed_run(NS_PER_MS);
        assert_int_equal(bed.kinds[WIRE_LOCATE], 2 * (round < ROUND_FAR ? 1 : ROUND_COPIES)); // two links
        assert_int_equal(bed.kinds[WIRE_HEREIS], 2 * answers[round]);
    }
}

static void second_round_comes_when_an_answer_from_nearby_would_be_here(void **state)
{
    (void)state;
    bed_line(2);
    bed_meet(0, 1);
    assert_true(bed.node[0]->net->near_ns == 2 * HOP_NS);
    question_ask(bed.node[0], EP_NONE, 4711);
    uint64_t frames = bed.frames;
    bed_run(LOCATE_LEAST_NS - 1);
    assert_int_equal(bed.frames, frames);
    bed_run(1);
    assert_int_equal(bed.frames, frames + 1);
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
        TEST(nobody_serves_it_only_after_a_whole_search),
        TEST(a_search_listens_and_asks_to_its_end),
        TEST(a_question_that_was_not_asked_is_no_answer),
        TEST(alone_time_is_enough),
        TEST(silence_lasts_a_minute_then_one_question_renews_it),
        TEST(a_server_that_starts_later_is_found),
        TEST(an_answer_that_passes_ends_silence),
        TEST(a_link_that_comes_up_ends_silence),
        TEST(silence_is_bounded),
        TEST(a_process_that_asks_for_much_waits_and_others_do_not),
        TEST(a_first_question_finds_room),
        TEST(nodes_share_what_the_ring_carries),
        TEST(later_rounds_cross_each_link_twice_and_are_answered_more_often),
        TEST(second_round_comes_when_an_answer_from_nearby_would_be_here),
        TEST(names_of_all_nodes_are_collected_once),
        TEST(node_that_was_cut_off_is_reported_later),
        TEST(name_from_outside_cannot_speak_to_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
