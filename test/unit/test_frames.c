// SPDX-License-Identifier: BSD-2-Clause
// What one node says to frames that come late, twice, or to a process that has gone: its peers are frames that the test
// makes, so each can come at the very moment that a network of the simulator meets once in a thousand runs.
#include "test/unit/actor_bed.h"

#include "core/desc.h"
#include "core/port.h"
#include "core/rec.h"
#include "core/transport.h"
#include "net/net.h"
#include "net/wire.h"

#define PEER ((ep_t)0x70000000000000b1)  // the node at the other end of the wire
#define THIRD ((ep_t)0x70000000000000b2) // another one behind it
#define CLIENT ((ep_t)0x1111222233334444)
#define SECRET 7u
#define SENT_MAX 256u

// --- A node with a wire -----------------------------------------------------------------------------------------

static struct wire {
    struct link l; // first: send() gets its address
    struct wire_hdr sent[SENT_MAX];
    unsigned nsent;
} wire;

static void wire_send(struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned np)
{
    struct wire *w = (struct wire *)(void *)l;
    (void)p, (void)np;
    assert_true(w->nsent < SENT_MAX);
    w->sent[w->nsent++] = *h;
}

static int frames_setup(void **state)
{
    int e = unit_setup(state);
    wire = (struct wire){.l = {.name = "wire", .mac = {2, 0, 0, 0, 0, 1}, .payload_max = 1312, .send = wire_send}};
    wire.l.up = true;
    host_node_enter(unit_node(state));
    return e ? e : net_init(unit_node(state)) < 0 || net_link_add(unit_node(state), &wire.l) < 0;
}

static int frames_teardown(void **state)
{
    net_fini(unit_node(state));
    return unit_teardown(state);
}
#define FRAMES_TEST(f) cmocka_unit_test_setup_teardown(f, frames_setup, frames_teardown)

static void come(struct node *n, struct wire_hdr h)
{
    h.ethertype = WIRE_ETHERTYPE_BE;
    h.version = WIRE_VERSION;
    h.hops = 1;
    h.limit = WIRE_HOPS_MAX;
    h.path_payload = 1312;
    h.src_node = h.src_node ? h.src_node : PEER;
    h.dst_node = node_ep(n);
    memcpy(h.dst_mac, wire.l.mac, sizeof h.dst_mac);
    h.src_mac[0] = 2, h.src_mac[5] = 9;
    assert_null(wire_check(&h, 0));
    host_node_enter(n);
    net_input(n, &wire.l, &h, NULL, 0, 0);
}

// How many frames of this kind, with all of these flags, went to the endpoint.
static unsigned sent(unsigned kind, unsigned flags, ep_t dst_ep)
{
    unsigned count = 0;
    for (unsigned i = 0; i < wire.nsent; i++)
        count += wire.sent[i].kind == kind && (wire.sent[i].flags & flags) == flags && wire.sent[i].dst_ep == dst_ep;
    return count;
}

// Request number seq of CLIENT's thread 1, without data, to server a.
static struct wire_hdr request(const struct actor *a, uint64_t seq)
{
    return (struct wire_hdr){
        .kind = WIRE_REQUEST, .src_ep = CLIENT, .dst_ep = a->p->ep, .tid = 1, .op = 5, .seq = seq, .cap = a->cap};
}
static void reply_ack(struct node *n, const struct actor *a, uint64_t seq)
{
    come(n, (struct wire_hdr){.kind = WIRE_REPLY_ACK,
                              .flags = WIRE_FLAG_DONE,
                              .src_ep = CLIENT,
                              .dst_ep = a->p->ep,
                              .tid = 1,
                              .seq = seq});
}

// Request seq comes, is executed, answered with len bytes, and the answer is acknowledged.
static void one_call(struct node *n, struct actor *a, uint64_t seq, uint64_t len)
{
    assert_false(serve(a));
    come(n, request(a, seq));
    assert_int_equal(a->t->state, THREAD_READY);
    assert_true(reply(a, 0, len));
    reply_ack(n, a, seq);
    assert_int_equal(txn_rec_find(n, a->p->ep, CLIENT, 1)->state, REC_DONE);
}

static void leave_hart(struct node *n)
{
    struct hart *h = &n->harts[0];
    if (!h->current)
        return;
    thread_set_state(h->current, THREAD_READY);
    sched_leave(n, h);
}

// --- At most once ---------------------------------------------------------------------------------------------------

static void a_late_copy_of_a_request_is_not_executed_for_as_long_as_it_can_live(void **state)
{
    struct node *n = unit_node(state);
    struct actor a = server(n, SECRET);
    one_call(n, &a, 1, 8);
    assert_false(serve(&a));
    for (unsigned s = 0; s < PACKET_LIFE_NS / NS_PER_S; s++) {
        pass(n, NS_PER_S);
        come(n, request(&a, 1));
        assert_int_equal(a.t->state, THREAD_GETREQ); // nobody is woken for it
    }
    pass(n, RECORD_LIFE_NS);
    assert_null(txn_rec_find(n, a.p->ep, CLIENT, 1)); // and then its record is gone
    gone(&a);
}

static void an_older_request_is_not_executed_after_a_newer_one(void **state)
{
    struct node *n = unit_node(state);
    struct actor a = server(n, SECRET);
    one_call(n, &a, 1, 0);
    one_call(n, &a, 2, 0);
    assert_false(serve(&a));
    come(n, request(&a, 1));
    assert_int_equal(a.t->state, THREAD_GETREQ);
    gone(&a);
}

static void a_request_for_a_server_that_is_gone_is_not_given_to_the_ports_next_one(void **state)
{
    struct node *n = unit_node(state);
    struct actor a = server(n, SECRET);
    struct wire_hdr h = request(&a, 1);
    one_call(n, &a, 1, 0);
    gone(&a);
    struct actor b = server(n, SECRET);
    assert_false(serve(&b));
    come(n, h);
    assert_int_equal(b.t->state, THREAD_GETREQ);
    assert_int_equal(sent(WIRE_NOTHERE, 0, CLIENT), 1);
    gone(&b);
}

#define FIRST 0x5000000000000001
#define SECOND 0x5000000000000002

// A call to a port that FIRST serves, at PEER; its request goes out again and again.
static struct cap called(struct node *n, struct actor *a)
{
    struct cap cap = {.port = {{11, 12}}, .obj_rights = 7};
    assert_false(call(a, &cap, 3, 0, 0));
    come(n, (struct wire_hdr){.kind = WIRE_HEREIS, .op = LOCATE_PORT, .cap = cap, .arg = {FIRST}});
    pass(n, NS_PER_S);
    assert_true(sent(WIRE_REQUEST, 0, FIRST) > 1);
    return cap;
}

// The node `from` says that FIRST is not there, to the call's look-up number `ask`.
static void not_here(struct node *n, const struct actor *a, const struct cap *cap, ep_t from, uint32_t ask)
{
    come(n, (struct wire_hdr){.kind = WIRE_NOTHERE,
                              .op = NOTHERE_EP,
                              .src_node = from,
                              .src_ep = from,
                              .dst_ep = a->p->ep,
                              .tid = a->t->tid,
                              .seq = a->t->call.seq,
                              .ask = ask,
                              .cap = *cap,
                              .arg = {FIRST, WIRE_REQUEST}});
}

// Whenever the ring is asked, SECOND says that it serves the port too.
static void second_offers(struct node *n, const struct actor *a, const struct cap *cap)
{
    for (unsigned i = 0; i < 20 && a->t->state == THREAD_CALL; i++) {
        come(n, (struct wire_hdr){
                    .kind = WIRE_HEREIS, .op = LOCATE_PORT, .src_node = THIRD, .cap = *cap, .arg = {SECOND}});
        pass(n, NS_PER_S);
    }
}

// Its server's node says for certain that it never had the call: another may be called.
static void a_call_that_its_server_never_had_goes_to_a_second_server(void **state)
{
    struct node *n = unit_node(state);
    struct actor a = actor(n);
    struct cap cap = called(n, &a);
    not_here(n, &a, &cap, PEER, a.t->call.ask);
    second_offers(n, &a, &cap);
    assert_true(sent(WIRE_REQUEST, 0, SECOND) > 0);
    gone(&a);
}

// An answer to an earlier look-up comes late.
static void a_late_not_here_sends_no_call_to_a_second_server(void **state)
{
    struct node *n = unit_node(state);
    struct actor a = actor(n);
    struct cap cap = called(n, &a);
    not_here(n, &a, &cap, PEER, a.t->call.ask - 1u);
    second_offers(n, &a, &cap);
    assert_int_equal(sent(WIRE_REQUEST, 0, SECOND), 0);
    assert_int_equal(result(&a), -E_DIED);
    gone(&a);
}

// Its first frame went so long ago that a server which executed it may have forgotten that, and have ended since.
static void a_call_that_may_be_forgotten_does_not_go_to_a_second_server(void **state)
{
    struct node *n = unit_node(state);
    struct actor a = actor(n);
    struct cap cap = called(n, &a);
    for (unsigned i = 0; i < 12; i++) { // it is said to be there, and does not answer
        come(n, (struct wire_hdr){.kind = WIRE_HEREIS, .op = LOCATE_EP, .arg = {FIRST}});
        pass(n, NS_PER_S);
    }
    assert_int_equal(a.t->state, THREAD_CALL);
    not_here(n, &a, &cap, PEER, a.t->call.ask);
    second_offers(n, &a, &cap);
    assert_int_equal(sent(WIRE_REQUEST, 0, SECOND), 0);
    assert_int_equal(result(&a), -E_DIED);
    gone(&a);
}

// --- A process that moves -------------------------------------------------------------------------------------------

static struct seg *descriptor(struct node *n, struct proc *p, uint64_t *len)
{
    struct seg *s;
    assert_int_equal(desc_encode(n, p, &s, len), 0);
    return s;
}

static void an_acknowledgement_changes_nothing_of_a_frozen_process(void **state)
{
    struct node *n = unit_node(state);
    struct actor a = server(n, SECRET);
    uint8_t before[4096], after[4096];
    uint64_t len, len_after;
    assert_false(serve(&a));
    come(n, request(&a, 1));
    assert_true(reply(&a, 0, 300));
    leave_hart(n);
    assert_int_equal(proc_stun(n, a.p), 0);
    struct seg *s = descriptor(n, a.p, &len);
    assert_true(len <= sizeof before);
    assert_int_equal(seg_read(n, s, 0, before, len), 0);
    seg_drop(n, s);
    reply_ack(n, &a, 1);
    come(n, request(&a, 2));
    assert_int_equal(txn_rec_find(n, a.p->ep, CLIENT, 1)->state, REC_REPLY);
    s = descriptor(n, a.p, &len_after);
    assert_int_equal(len_after, len);
    assert_int_equal(seg_read(n, s, 0, after, len), 0);
    seg_drop(n, s);
    assert_memory_equal(before, after, len);
    struct proc *p = a.p;
    gone(&a);
    assert_true(proc_lingers(p)); // nobody has acknowledged its reply
    txn_last_words_end(n, p);
}

// a stands still; CLIENT asks, and is told to wait. Then a is at THIRD.
static void move_away(struct node *n, struct actor *a)
{
    leave_hart(n);
    assert_int_equal(proc_stun(n, a->p), 0);
    come(n, request(a, 9));
    assert_int_equal(sent(WIRE_REQUEST_ACK, WIRE_FLAG_WAIT, CLIENT), 1);
    proc_set_state(a->p, PROC_MOVING);
    proc_set_state(a->p, PROC_DOUBT);
    n->transport->moved_away(n, a->p, THIRD);
    proc_destroy(n, a->p, true);
}

static const struct wire_hdr *moved_frame(void)
{
    for (unsigned i = 0; i < wire.nsent; i++)
        if (wire.sent[i].kind == WIRE_MOVED)
            return &wire.sent[i];
    return NULL;
}

static void a_client_that_was_told_to_wait_is_told_where_its_server_went(void **state)
{
    struct node *n = unit_node(state);
    struct actor a = server(n, SECRET);
    ep_t ep = a.p->ep;
    move_away(n, &a);
    const struct wire_hdr *h = moved_frame();
    assert_non_null(h);
    assert_int_equal(h->dst_ep, CLIENT);
    assert_int_equal(h->seq, 9);
    assert_int_equal(h->arg[0], ep);
    assert_int_equal(h->arg[1], THIRD);
}

static void a_late_request_goes_after_a_server_that_moved(void **state)
{
    struct node *n = unit_node(state);
    struct actor a = server(n, SECRET);
    struct wire_hdr h = request(&a, 10);
    come(n, (struct wire_hdr){.kind = WIRE_REQUEST_ACK, .src_node = THIRD, .src_ep = 1, .dst_ep = 2}); // a way to THIRD
    move_away(n, &a);
    for (unsigned s = 0; s < 50; s += 10) { // as long as "moved to" is kept, and PACKET_LIFE lies well within
        wire.nsent = 0;
        come(n, h);
        assert_int_equal(sent(WIRE_NOTHERE, 0, CLIENT), 0);
        assert_non_null(moved_frame());
        pass(n, 10 * NS_PER_S);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRAMES_TEST(a_late_copy_of_a_request_is_not_executed_for_as_long_as_it_can_live),
        FRAMES_TEST(an_older_request_is_not_executed_after_a_newer_one),
        FRAMES_TEST(a_request_for_a_server_that_is_gone_is_not_given_to_the_ports_next_one),
        FRAMES_TEST(a_call_that_its_server_never_had_goes_to_a_second_server),
        FRAMES_TEST(a_late_not_here_sends_no_call_to_a_second_server),
        FRAMES_TEST(a_call_that_may_be_forgotten_does_not_go_to_a_second_server),
        FRAMES_TEST(an_acknowledgement_changes_nothing_of_a_frozen_process),
        FRAMES_TEST(a_client_that_was_told_to_wait_is_told_where_its_server_went),
        FRAMES_TEST(a_late_request_goes_after_a_server_that_moved),
    };
    return UNIT_RUN(tests);
}
