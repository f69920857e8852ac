// SPDX-License-Identifier: BSD-2-Clause
// Routes: learned from traffic, corrected, forgotten; floods reach everybody once.
#include "test/unit/net_bed.h"

// A line has one way between any two nodes, and the middle ones forward.
static void line_of_three_forwards_both_ways(void **state)
{
    (void)state;
    bed_line(3);
    bed_meet(0, 2);
    assert_int_equal(route_find(bed.node[0], ep_of(2))->hops, 2);
    assert_true(place_node(bed.node[0], ep_of(2)) == ep_of(2));   // a node is where its route leads
    assert_int_equal(route_find(bed.node[2], ep_of(0))->hops, 2); // learned from the question
    assert_true(bed_say(0, 2));
    assert_int_equal(last_note()->h.hops, 1);
    assert_true(bed_say(2, 0));
}

static void sending_without_a_route_looks_for_the_node(void **state)
{
    (void)state;
    bed_line(3);
    struct wire_hdr h = {.kind = WIRE_REQUEST, .dst_node = ep_of(2), .src_ep = 5, .tid = 1};
    assert_false(locate_send(bed.node[0], &h, NULL, 0));
    bed_run(50 * NS_PER_MS);
    assert_true(last_note()->node == bed.node[0]);
    assert_true(last_note()->found_ep == ep_of(2));
    assert_true(bed_say(0, 2));
}

static void every_address_field_is_filled_in(void **state)
{
    (void)state;
    bed_line(2);
    bed_meet(0, 1);
    struct wire_hdr h;
    memset(&h, 0xff, sizeof(h)); // what the caller left there must not get out
    h.kind = WIRE_REQUEST;
    h.dst_node = ep_of(1);
    h.payload = h.frag = h.flags = 0;
    h.total = h.offset = 0;
    assert_true(locate_send(bed.node[0], &h, NULL, 0));
    bed_run(NS_PER_MS);
    const struct wire_hdr *got = &last_note()->h;
    assert_true(got->src_node == ep_of(0));
    assert_memory_equal(got->src_mac, bed.link[0].l.mac, 6);
    assert_memory_equal(got->dst_mac, bed.link[1].l.mac, 6);
    assert_int_equal(got->hops, 0);
    assert_int_equal(got->limit, WIRE_HOPS_MAX);
    assert_int_equal(got->path_payload, WIRE_PAYLOAD_MAX);
    assert_memory_equal(got->tag, (uint8_t[16]){0}, 16);
}

static void frames_for_oneself_are_not_sent(void **state)
{
    (void)state;
    bed_line(2);
    struct wire_hdr h = {.kind = WIRE_REQUEST, .dst_node = ep_of(0), .src_ep = 5, .tid = 1};
    assert_false(locate_send(bed.node[0], &h, NULL, 0));
    bed_run(NS_PER_S);
    assert_int_equal(bed.frames, 0);
}

static void ring_takes_the_shorter_way(void **state)
{
    (void)state;
    bed_ring(8);
    bed_meet(0, 3);
    bed_meet(0, 6);
    assert_int_equal(route_find(bed.node[0], ep_of(3))->hops, 3);
    assert_int_equal(route_find(bed.node[0], ep_of(6))->hops, 2);
    assert_ptr_not_equal(route_find(bed.node[0], ep_of(3))->link, route_find(bed.node[0], ep_of(6))->link);
}

// The cable swallows frames in silence: no carrier tells anybody.
static void ring_cut_is_got_round_after_suspicion(void **state)
{
    (void)state;
    bed_ring(8);
    bed_meet(0, 3);
    assert_true(bed_say(0, 3));
    bed.cut[1] = true; // between nodes 1 and 2
    assert_false(bed_say(0, 3));
    bed_run(ROUTE_NEW_NS);
    route_suspect(bed.node[0], ep_of(3));
    assert_null(route_find(bed.node[0], ep_of(3)));
    assert_false(bed_say(0, 3)); // starts the search
    bed_run(100 * NS_PER_MS);
    assert_int_equal(route_find(bed.node[0], ep_of(3))->hops, 5);
    assert_true(bed_say(0, 3));
    assert_true(bed_say(3, 0)); // the question taught the way back
}

static void link_down_takes_its_routes_along(void **state)
{
    (void)state;
    bed_ring(4);
    bed_meet(0, 1);
    struct link *l = route_find(bed.node[0], ep_of(1))->link;
    l->up = false;
    net_link_changed(bed.node[0], l);
    assert_null(route_find(bed.node[0], ep_of(1)));
    bed_meet(0, 1);
    assert_int_equal(route_find(bed.node[0], ep_of(1))->hops, 3);
    assert_true(bed_say(0, 1));
}

// Node 2 sees its link to 3 go down. The question it asks on the frame's behalf mends the route of node 0.
static void node_in_between_mends_the_senders_route(void **state)
{
    (void)state;
    bed_ring(8);
    bed_meet(0, 3);
    assert_int_equal(route_find(bed.node[0], ep_of(3))->hops, 3);
    bed_run(ROUTE_QUIET_NS);
    for (unsigned end = 4; end <= 5; end++) { // both ends of cable 2
        bed.link[end].l.up = false;
        net_link_changed(bed.link[end].l.node, &bed.link[end].l);
    }
    assert_false(bed_say(0, 3));
    bed_run(200 * NS_PER_MS);
    assert_int_equal(route_find(bed.node[0], ep_of(3))->hops, 5);
    assert_true(bed_say(0, 3));
}

static void fresh_route_is_not_suspected(void **state)
{
    (void)state;
    bed_line(2);
    bed_meet(0, 1);
    bed_run(ROUTE_NEW_NS);
    route_suspect(bed.node[0], ep_of(1));
    assert_null(route_find(bed.node[0], ep_of(1)));
    bed_meet(0, 1);
    route_suspect(bed.node[0], ep_of(1)); // the second of many callers
    assert_non_null(route_find(bed.node[0], ep_of(1)));
    route_suspect(bed.node[0], 12345); // unknown: nothing happens
}

static void longer_way_replaces_only_a_silent_one(void **state)
{
    (void)state;
    bed_line(2);
    bed_wire(0, 1);
    struct node *n = bed.node[0];
    struct link *a = &bed.link[0].l, *b = &bed.link[2].l;
    const uint8_t m1[6] = {2, 1}, m2[6] = {2, 2};
    route_learn(n, 77, a, m1, 2, 8000, false);
    route_learn(n, 77, b, m2, 3, 8000, false);
    assert_ptr_equal(route_find(n, 77)->link, a);
    bed.now += ROUTE_STALE_NS - 1;
    route_learn(n, 77, b, m2, 3, 8000, false);
    assert_ptr_equal(route_find(n, 77)->link, a);
    bed.now += 1;
    route_learn(n, 77, b, m2, 3, 8000, false);
    assert_ptr_equal(route_find(n, 77)->link, b);
    route_learn(n, 77, a, m1, 2, 8000, false); // shorter: at once
    assert_ptr_equal(route_find(n, 77)->link, a);
    route_learn(n, 77, a, m1, 5, 8000, false); // the neighbour's own way has become longer
    assert_int_equal(route_find(n, 77)->hops, 5);
}

static void equal_ways_do_not_take_turns(void **state)
{
    (void)state;
    bed_ring(4);
    bed_meet(0, 2);
    const struct link *way = route_find(bed.node[0], ep_of(2))->link;
    for (int i = 0; i < 20; i++) {
        question_ask(bed.node[2], EP_NONE, 4711); // its floods reach node 0 from both sides
        bed_run(10 * NS_PER_MS);
        assert_ptr_equal(route_find(bed.node[0], ep_of(2))->link, way);
    }
}

static void flood_on_a_ring_of_eight_is_bounded(void **state)
{
    (void)state;
    bed_ring(8);
    struct wire_hdr h = {.kind = WIRE_LOCATE, .op = LOCATE_EP, .arg = {4711}};
    route_flood(bed.node[0], &h, NULL, 0, WIRE_HOPS_MAX);
    bed_run(NS_PER_S);
    assert_true(bed.frames <= 2 * 8); // each cable at most twice
    assert_true(bed.frames >= 8);
}

// A full mesh is where an unsuppressed flood would grow without bound.
static void flood_in_a_mesh_crosses_each_cable_at_most_twice(void **state)
{
    (void)state;
    bed_new(6);
    for (unsigned a = 0; a < 6; a++)
        for (unsigned b = a + 1; b < 6; b++)
            bed_wire(a, b);
    struct wire_hdr h = {.kind = WIRE_LOCATE, .op = LOCATE_EP, .arg = {4711}};
    route_flood(bed.node[0], &h, NULL, 0, WIRE_HOPS_MAX);
    bed_run(NS_PER_S);
    assert_true(bed.frames <= 2 * 15);
}

static void flood_goes_no_further_than_its_limit(void **state)
{
    (void)state;
    bed_line(6);
    struct wire_hdr h = {.kind = WIRE_LOCATE, .op = LOCATE_EP, .arg = {4711}};
    route_flood(bed.node[0], &h, NULL, 0, 3);
    bed_run(NS_PER_S);
    assert_int_equal(bed.frames, 3);
    assert_non_null(route_find(bed.node[3], ep_of(0)));
    assert_null(route_find(bed.node[4], ep_of(0)));
}

static void duplicate_floods_are_dropped(void **state)
{
    (void)state;
    bed_line(3);
    bed.doubled = 3; // every frame arrives four times
    struct wire_hdr h = {.kind = WIRE_LOCATE, .op = LOCATE_EP, .arg = {ep_of(2)}};
    route_flood(bed.node[0], &h, NULL, 0, 8);
    bed_run(NS_PER_S);
    assert_int_equal(bed.kinds[WIRE_LOCATE], 2);
    assert_int_equal(bed.kinds[WIRE_HEREIS],
                     1 + 4); // one answer; node 1 forwards all four copies of it
}

static void flood_window_knows_old_numbers(void **state)
{
    (void)state;
    bed_line(2);
    struct node *n = bed.node[0];
    assert_false(route_flood_seen(n, 9, 100));
    assert_true(route_flood_seen(n, 9, 100));
    assert_false(route_flood_seen(n, 9, 99)); // overtaken on its way
    assert_true(route_flood_seen(n, 9, 99));
    assert_false(route_flood_seen(n, 9, 163));
    assert_true(route_flood_seen(n, 9, 100));
    assert_true(route_flood_seen(n, 9, 99)); // too old to tell: as if heard
    assert_false(route_flood_seen(n, 9, 10000));
    assert_false(route_flood_seen(n, 8, 100)); // another source
    // One wild number spoils the window no longer than frames live.
    assert_false(route_flood_seen(n, 9, UINT64_MAX));
    assert_true(route_flood_seen(n, 9, 10001));
    bed.now += PACKET_LIFE_NS;
    assert_false(route_flood_seen(n, 9, 10002));
    assert_true(route_flood_seen(n, 9, 10002));
}

static void flood_numbers_of_300_sources_do_not_overflow_the_table(void **state)
{
    (void)state;
    bed_line(2);
    for (ep_t node = 1000; node < 1300; node++) {
        bed.now += NS_PER_MS;
        assert_false(route_flood_seen(bed.node[0], node, 1));
    }
    assert_true(route_flood_seen(bed.node[0], 1299, 1));
}

static void routes_are_bounded_and_the_oldest_goes(void **state)
{
    (void)state;
    bed_line(2);
    struct node *n = bed.node[0];
    const uint8_t mac[6] = {2, 9};
    for (ep_t node = 1; node <= 10000; node++) {
        bed.now += NS_PER_MS;
        route_learn(n, 1000000 + node * 7, &bed.link[0].l, mac, 2, 8000, false);
    }
    unsigned known = 0;
    for (ep_t node = 1; node <= 10000; node++)
        known += route_find(n, 1000000 + node * 7) != NULL;
    assert_int_equal(known, ROUTES_MAX);
    assert_non_null(route_find(n, 1000000 + 10000 * 7));
    assert_null(route_find(n, 1000000 + (10000 - ROUTES_MAX) * 7));
}

static void both_ends_learn_the_smallest_payload_of_the_way(void **state)
{
    (void)state;
    bed_new(4);
    bed_wire(0, 1);
    bed_attach(1, 7, 1320), bed_attach(2, 7, 1320);
    bed_attach(2, 8, 8192), bed_attach(3, 8, 8192);
    bed_meet(0, 3);
    assert_int_equal(route_payload(bed.node[0], ep_of(3)), 1320);
    assert_int_equal(route_payload(bed.node[3], ep_of(0)), 1320);
    bed_meet(0, 1);
    assert_int_equal(route_payload(bed.node[0], ep_of(1)), WIRE_PAYLOAD_MAX);
    assert_int_equal(route_payload(bed.node[0], 4711),
                     ROUTE_PAYLOAD_SAFE); // unknown: what any link carries
    assert_int_equal(route_payload(bed.node[0], ep_of(0)), WIRE_PAYLOAD_MAX);
}

static void each_copy_of_a_flood_knows_its_own_link(void **state)
{
    (void)state;
    bed_new(3);
    bed_attach(0, 7, 1320), bed_attach(1, 7, 1320);
    bed_wire(0, 2);
    question_ask(bed.node[0], EP_NONE, 4711);
    bed_run(NS_PER_MS);
    assert_int_equal(route_payload(bed.node[1], ep_of(0)), 1320);
    assert_int_equal(route_payload(bed.node[2], ep_of(0)), WIRE_PAYLOAD_MAX);
}

static void frame_longer_than_the_link_is_dropped_and_counted(void **state)
{
    (void)state;
    bed_new(2);
    struct link *l = bed_attach(0, 0, 512);
    bed_attach(1, 0, 512);
    bed_meet(0, 1);
    uint64_t frames = bed.frames;
    struct wire_hdr h = {.kind = WIRE_REQUEST, .dst_node = ep_of(1), .src_ep = 5, .tid = 1};
    struct piece p = {bed.node[0]->zero_page, 520};
    h.payload = 520;
    assert_true(locate_send(bed.node[0], &h, &p, 1));
    assert_int_equal(bed.frames, frames);
    assert_int_equal(l->stat.tx_drop, 1);
}

// Two nodes that each believe the other to be on the way must not throw a frame to and fro.
static void frame_is_not_sent_back_where_it_came_from(void **state)
{
    (void)state;
    bed_line(2);
    bed_meet(0, 1);
    route_learn(bed.node[0], 77, &bed.link[0].l, bed.link[1].l.mac, 3, 8000, false);
    route_learn(bed.node[1], 77, &bed.link[1].l, bed.link[0].l.mac, 3, 8000, false);
    uint64_t before = bed.kinds[WIRE_REQUEST];
    struct wire_hdr h = {.kind = WIRE_REQUEST, .dst_node = 77, .src_ep = 5, .tid = 1};
    assert_true(locate_send(bed.node[0], &h, NULL, 0));
    bed_run(NS_PER_MS);
    assert_int_equal(bed.kinds[WIRE_REQUEST], before + 1);
    assert_null(route_find(bed.node[1], 77));
}

static void frames_for_another_station_are_left_alone(void **state)
{
    (void)state;
    bed_new(3); // one wire for all, and every node hears everything
    for (unsigned i = 0; i < 3; i++)
        bed_attach(i, 0, 1320);
    bed_meet(0, 2);
    uint64_t before = bed.frames;
    assert_true(bed_say(0, 2));
    assert_int_equal(bed.frames, before + 1);
}

static void own_frames_that_come_back_are_ignored(void **state)
{
    (void)state;
    bed_new(1); // a loop of cable
    bed_attach(0, 0, 1320), bed_attach(0, 0, 1320);
    question_ask(bed.node[0], EP_NONE, 4711);
    bed_run(NS_PER_MS);
    assert_null(route_find(bed.node[0], ep_of(0)));
    assert_int_equal(bed.frames, 2);
}

// Node 0 has it no more and sends the frame on to node 2: the way there leads past the sender.
static void redirected_frame_passes_its_own_sender(void **state)
{
    (void)state;
    bed_line(3);
    bed_meet(1, 0);
    bed_meet(0, 2);
    bed_meet(1, 2);
    assert_true(bed_say(1, 0));
    struct wire_hdr on = last_note()->h;
    on.dst_node = ep_of(2);
    locate_forward(bed.node[0], NULL, &on, NULL, 0);
    bed_run(NS_PER_MS);
    assert_ptr_equal(last_note()->node, bed.node[2]);
    assert_true(last_note()->h.src_node == ep_of(1));
}

static void malformed_frames_are_counted_and_teach_nothing(void **state)
{
    (void)state;
    bed_line(2);
    struct wire_hdr h = {.version = WIRE_VERSION, .kind = WIRE_REQUEST, .src_node = 99};
    net_input(bed.node[0], &bed.link[0].l, &h, NULL, 0, 0);
    assert_int_equal(bed.link[0].l.stat.rx_bad, 1);
    assert_int_equal(bed.link[0].l.stat.rx, 0);
    assert_null(route_find(bed.node[0], 99));
    assert_int_equal(bed.node[0]->trace.ev[(bed.node[0]->trace.count - 1) % TRACE_SIZE].kind, TRACE_DROP);
}

static void echo_comes_back_whole_and_touches_no_table(void **state)
{
    (void)state;
    bed_line(2);
    struct link *l = &bed.link[0].l;
    for (uint32_t payload = 0; payload <= WIRE_PAYLOAD_MAX; payload += payload ? 8188 : 4) {
        link_echo(bed.node[0], l, payload);
        assert_int_not_equal(l->echo.sent, l->echo.back);
        bed_run(NS_PER_MS);
        assert_int_equal(l->echo.sent, l->echo.back);
        assert_int_equal(l->echo.back_ns - l->echo.sent_ns, 2 * HOP_NS);
    }
    assert_int_equal(bed.kinds[WIRE_ECHO], bed.kinds[WIRE_ECHO_BACK]);
    assert_int_equal(l->stat.rx_bytes, l->stat.tx_bytes);
    assert_null(route_find(bed.node[0], ep_of(1)));
    assert_null(route_find(bed.node[1], ep_of(0)));
}

static void links_are_limited(void **state)
{
    (void)state;
    bed_new(1);
    for (unsigned i = 0; i < LINKS_MAX; i++)
        bed_attach(0, i, 1320);
    struct link more = {.name = "more", .payload_max = 1320, .send = bed_send};
    assert_int_equal(net_link_add(bed.node[0], &more), -E_LIMIT);
}

static void net_init_fails_cleanly_without_memory(void **state)
{
    (void)state;
    bed_new(1);
    net_fini(bed.node[0]);
    bed.node[0]->pages.fail_after = 0;
    assert_int_equal(net_init(bed.node[0]), -E_MEM);
    assert_null(bed.node[0]->net);
    bed.node[0]->pages.fail_after = -1;
    assert_int_equal(net_init(bed.node[0]), 0);
}

// --- Another version of the wire format -----------------------------------------------------------

static char said[200];
static unsigned times_said;
static void say(struct node *n, const char *line)
{
    (void)n;
    times_said++;
    snprintf(said, sizeof said, "%s", line);
}

static void hear_version(uint8_t version, bool ours)
{
    struct bed_link *to = &bed.link[1];
    struct wire_hdr h = {.ethertype = ours ? WIRE_ETHERTYPE_BE : 0x0008,
                         .version = version,
                         .kind = WIRE_REQUEST,
                         .limit = 8,
                         .path_payload = 8,
                         .src_node = 99,
                         .dst_node = ep_of(1)};
    memcpy(h.dst_mac, to->l.mac, 6);
    host_node_enter(bed.node[1]);
    net_input(bed.node[1], &to->l, &h, NULL, 0, 0);
}

static void unknown_version_is_dropped_and_logged_once_a_minute(void **state)
{
    (void)state;
    bed_line(2);
    bed.node[1]->log = say;
    times_said = 0;
    hear_version(WIRE_VERSION + 3, false); // another protocol
    assert_int_equal(times_said, 0);
    for (unsigned i = 0; i < 59; i++) {
        hear_version(WIRE_VERSION + 3, true);
        bed_run(NS_PER_S);
    }
    assert_int_equal(times_said, 1);
    char text[80];
    snprintf(text, sizeof text, "version %u was dropped; this node has version %u", WIRE_VERSION + 3, WIRE_VERSION);
    assert_non_null(strstr(said, text));
    bed_run(NS_PER_S);
    hear_version(WIRE_VERSION + 3, true);
    assert_int_equal(times_said, 2);
    assert_int_equal(bed.link[1].l.stat.rx_bad, 61);
    assert_null(route_find(bed.node[1], 99));
}

// --- Frames sent on after a process that has moved -----------------------------------------------

static void one_frame_of_a_sender_is_sent_on(void **state)
{
    (void)state;
    bed_line(2);
    struct node *n = bed.node[0];
    struct wire_hdr h = {.kind = WIRE_REQUEST, .src_node = 9, .src_ep = 5, .dst_ep = 6, .tid = 1};
    assert_true(waiters_send_on(n, &h));
    for (unsigned i = 0; i < 15; i++) // the rest of the window
        assert_false(waiters_send_on(n, &h));
    struct wire_hdr other = h;
    other.tid = 2;
    assert_true(waiters_send_on(n, &other));
    other = h;
    other.src_node = 10; // the sender has moved, too
    assert_true(waiters_send_on(n, &other));
    bed_run(RETRY_FIRST_NS); // sent again: it was not told
    assert_true(waiters_send_on(n, &h));
    for (unsigned i = 0; i < SENT_ON_MAX; i++) {
        other.tid = 100 + i;
        assert_true(waiters_send_on(n, &other));
    }
    assert_true(waiters_send_on(n, &h)); // forgotten for others
}

#define TEST(name) cmocka_unit_test_teardown(name, bed_free)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(line_of_three_forwards_both_ways),
        TEST(sending_without_a_route_looks_for_the_node),
        TEST(every_address_field_is_filled_in),
        TEST(frames_for_oneself_are_not_sent),
        TEST(ring_takes_the_shorter_way),
        TEST(ring_cut_is_got_round_after_suspicion),
        TEST(link_down_takes_its_routes_along),
        TEST(node_in_between_mends_the_senders_route),
        TEST(fresh_route_is_not_suspected),
        TEST(longer_way_replaces_only_a_silent_one),
        TEST(equal_ways_do_not_take_turns),
        TEST(flood_on_a_ring_of_eight_is_bounded),
        TEST(flood_in_a_mesh_crosses_each_cable_at_most_twice),
        TEST(flood_goes_no_further_than_its_limit),
        TEST(duplicate_floods_are_dropped),
        TEST(flood_window_knows_old_numbers),
        TEST(flood_numbers_of_300_sources_do_not_overflow_the_table),
        TEST(routes_are_bounded_and_the_oldest_goes),
        TEST(both_ends_learn_the_smallest_payload_of_the_way),
        TEST(each_copy_of_a_flood_knows_its_own_link),
        TEST(frame_longer_than_the_link_is_dropped_and_counted),
        TEST(frame_is_not_sent_back_where_it_came_from),
        TEST(frames_for_another_station_are_left_alone),
        TEST(own_frames_that_come_back_are_ignored),
        TEST(redirected_frame_passes_its_own_sender),
        TEST(malformed_frames_are_counted_and_teach_nothing),
        TEST(echo_comes_back_whole_and_touches_no_table),
        TEST(unknown_version_is_dropped_and_logged_once_a_minute),
        TEST(one_frame_of_a_sender_is_sent_on),
        TEST(links_are_limited),
        TEST(net_init_fails_cleanly_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
