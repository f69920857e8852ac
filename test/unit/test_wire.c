// SPDX-License-Identifier: BSD-2-Clause
// Each way in which a header can be malformed is refused, and for its own reason.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/config.h"
#include "net/wire.h"

static struct wire_hdr good(enum wire_kind kind)
{
    struct wire_hdr h = {.ethertype = 0xb588, .version = WIRE_VERSION, .kind = (uint8_t)kind};
    h.limit = 8;
    h.path_payload = 1320;
    h.src_mac[0] = h.dst_mac[0] = 2;
    h.src_node = 1;
    h.dst_node = 2;
    h.src_ep = 3;
    h.dst_ep = 4;
    h.tid = 1;
    return h;
}

static struct wire_hdr fragment(void)
{ // the second of three, 1 KiB each and a rest
    struct wire_hdr h = good(WIRE_REQUEST);
    h.total = 2500;
    h.offset = 1024;
    h.frag = h.payload = 1024;
    return h;
}

static struct wire_hdr locate(uint32_t op)
{
    struct wire_hdr h = good(WIRE_LOCATE);
    memset(h.dst_mac, 0xff, sizeof(h.dst_mac));
    h.dst_node = EP_NONE;
    h.op = op;
    h.arg[0] = 9;
    h.cap.port.w[0] = 9;
    return h;
}

static void refused(struct wire_hdr h, const char *reason)
{
    const char *got = wire_check(&h, h.payload);
    assert_non_null(got);
    assert_string_equal(got, reason);
}
static void accepted(struct wire_hdr h)
{
    const char *got = wire_check(&h, h.payload);
    if (got)
        fail_msg("refused: %s", got);
}

static void ethertype_is_on_the_wire_in_network_order(void **state)
{
    (void)state;
    struct wire_hdr h = good(WIRE_REQUEST);
    const uint8_t *bytes = (const uint8_t *)&h;
    assert_int_equal(bytes[12], 0x88);
    assert_int_equal(bytes[13], 0xb5);
    accepted(h);
}

static void every_kind_has_a_good_form(void **state)
{
    (void)state;
    for (enum wire_kind k = WIRE_REQUEST; k < WIRE_KINDS; k++) {
        struct wire_hdr h = k == WIRE_LOCATE ? locate(LOCATE_EP) : good(k);
        if (k == WIRE_NOTHERE || k == WIRE_HEREIS)
            h.op = 1;
        h.arg[0] = h.arg[1] = 7;
        accepted(h);
        assert_string_not_equal(wire_kind_name(k), "unknown");
    }
    assert_string_equal(wire_kind_name(0), "unknown");
    assert_string_equal(wire_kind_name(WIRE_KINDS), "unknown");
}

#define REFUSED(make, change, reason)                                                                                  \
    do {                                                                                                               \
        struct wire_hdr h = make;                                                                                      \
        accepted(h);                                                                                                   \
        change;                                                                                                        \
        refused(h, reason);                                                                                            \
    } while (0)

static void frames_of_other_protocols_are_refused(void **state)
{
    (void)state;
    REFUSED(good(WIRE_REQUEST), h.ethertype = 0x88b5, "not our EtherType");
    REFUSED(good(WIRE_REQUEST), h.version++, "unknown version");
    REFUSED(good(WIRE_REQUEST), h.kind = 0, "unknown kind");
    REFUSED(good(WIRE_REQUEST), h.kind = WIRE_KINDS, "unknown kind");
    REFUSED(good(WIRE_REQUEST), h.kind = 255, "unknown kind");
}

static void payload_must_be_what_the_frame_brought(void **state)
{
    (void)state;
    struct wire_hdr f = fragment();
    assert_string_equal(wire_check(&f, 1023), "payload length differs from the frame's");
    assert_string_equal(wire_check(&f, 0x100000000 + 1024), "payload length differs from the frame's");
    REFUSED(good(WIRE_ECHO), h.payload = WIRE_PAYLOAD_MAX + 1, "payload is too long");
    REFUSED(good(WIRE_REQUEST_ACK), h.payload = 1, "payload where there is none");
    REFUSED(locate(LOCATE_NODES), h.payload = 8, "payload where there is none");
}

static void node_names_are_bounded(void **state)
{
    (void)state;
    struct wire_hdr name = good(WIRE_HEREIS);
    name.op = LOCATE_NODES;
    name.payload = NAME_MAX_LEN;
    REFUSED(name, h.payload = NAME_MAX_LEN + 1, "payload is too long");
    REFUSED(name, (h.op = LOCATE_EP, h.arg[0] = 1), "payload where there is none");
}

static void hops_are_bounded(void **state)
{
    (void)state;
    REFUSED(good(WIRE_REQUEST), h.limit = 0, "hop limit is zero");
    REFUSED(good(WIRE_REQUEST), h.hops = h.limit, "more hops than its limit"); // it counts the links before this one
    REFUSED(good(WIRE_REQUEST), h.hops = 9, "more hops than its limit");
    REFUSED(good(WIRE_REQUEST), h.path_payload = 0, "path payload is out of range");
    REFUSED(good(WIRE_REQUEST), h.path_payload = WIRE_PAYLOAD_MAX + 8, "path payload is out of range");
    REFUSED(good(WIRE_REQUEST), h.path_payload = 1321, "path payload is no multiple of 8");
}

static void addresses_must_fit_the_kind(void **state)
{
    (void)state;
    REFUSED(good(WIRE_REQUEST), h.src_node = 0, "source node is zero");
    REFUSED(good(WIRE_REQUEST), h.dst_node = 0, "destination node is zero");
    REFUSED(good(WIRE_REQUEST), h.dst_mac[0] = 0xff, "a frame for one node was sent to a group MAC");
    REFUSED(good(WIRE_REQUEST), h.src_mac[0] = 0xff, "source MAC is a group address");
    REFUSED(locate(LOCATE_EP), (h.dst_node = 5, h.dst_mac[0] = 0xff), "a frame for one node was sent to a group MAC");
    struct wire_hdr alone = locate(LOCATE_PORT);
    alone.dst_node = 5;
    alone.dst_mac[0] = 2;
    assert_null(wire_check(&alone, 0));
}

static void a_client_has_an_endpoint(void **state)
{
    (void)state;
    REFUSED(good(WIRE_REQUEST), h.src_ep = 0, "client endpoint is zero");
    REFUSED(good(WIRE_REPLY_ACK), h.src_ep = 0, "client endpoint is zero");
    REFUSED(good(WIRE_REPLY), h.dst_ep = 0, "client endpoint is zero");
    REFUSED(good(WIRE_REQUEST_ACK), h.dst_ep = 0, "client endpoint is zero");
    struct wire_hdr by_port = good(WIRE_REQUEST);
    by_port.dst_ep = EP_NONE; // the server is found by the port
    accepted(by_port);
}

static void fragments_lie_within_their_message(void **state)
{
    (void)state;
    REFUSED(fragment(), h.total = MESSAGE_MAX_BYTES + 1, "message is too long");
    REFUSED(fragment(), h.offset = 2501, "offset lies behind the message");
    REFUSED(fragment(), h.offset = UINT64_MAX - 7, "offset lies behind the message");
    REFUSED(fragment(), h.offset = 2048, "fragment goes past the end of the message");
    REFUSED(fragment(), h.total = 2047, "fragment goes past the end of the message");
    struct wire_hdr last = fragment();
    last.offset = 2048;
    last.payload = 2500 - 2048;
    accepted(last);
}

static void fragments_have_a_usable_size(void **state)
{
    (void)state;
    REFUSED(fragment(), h.frag = 0, "fragment size is out of range");
    REFUSED(fragment(), h.frag = 7, "fragment size is out of range");
    REFUSED(fragment(), h.frag = WIRE_PAYLOAD_MAX + 8, "fragment size is out of range");
    REFUSED(good(WIRE_REPLY), h.frag = 0x10000528, "fragment size is out of range");
    REFUSED(fragment(), h.frag = 1028, "fragment size is no multiple of 8");
    REFUSED(fragment(), h.frag = 1016, "payload is longer than its fragment");
    REFUSED(fragment(), h.payload = 1016, "a fragment that is not the last one is short");
}

static void probes_carry_no_data(void **state)
{
    (void)state;
    REFUSED(fragment(), h.flags |= WIRE_FLAG_PROBE, "a probe carries data");
    struct wire_hdr probe = good(WIRE_REQUEST);
    probe.flags = WIRE_FLAG_PROBE;
    probe.total = 1000000;
    accepted(probe);
}

static void acknowledgements_are_bounded(void **state)
{
    (void)state;
    struct wire_hdr ack = good(WIRE_REQUEST_ACK);
    ack.offset = 1024;
    ack.frag = 512;
    ack.mask = 5;
    REFUSED(ack, h.offset = MESSAGE_MAX_BYTES + 1, "acknowledges more than a message can be");
    REFUSED(ack, h.frag = 0, "fragment size is out of range");
    REFUSED(ack, (h.frag = 12, h.mask = 0), "fragment size is no multiple of 8");
}

static void unknown_flags_are_refused(void **state)
{
    (void)state;
    REFUSED(good(WIRE_REQUEST), h.flags = WIRE_FLAG_FORWARD, "flag that this kind does not have");
    REFUSED(good(WIRE_REQUEST), h.flags = 128, "flag that this kind does not have");
    REFUSED(good(WIRE_REPLY), h.flags = WIRE_FLAG_CANCEL, "flag that this kind does not have");
    REFUSED(locate(LOCATE_EP), h.flags = WIRE_FLAG_WAIT, "flag that this kind does not have");
}

static void a_cancel_and_a_forward_have_no_data_and_a_destination(void **state)
{
    (void)state;
    const char *cancel = "a cancel has data, or nobody to go to";
    struct wire_hdr c = good(WIRE_REQUEST), f = good(WIRE_REPLY);
    c.flags = WIRE_FLAG_CANCEL;
    c.payload = c.frag = 0;
    c.dst_ep = 9;
    accepted(c);
    REFUSED(c, h.dst_ep = EP_NONE, cancel);
    REFUSED(c, h.status = -1, cancel);
    REFUSED(c, h.payload = 8; h.frag = 64; h.total = 8; h.offset = 0, cancel);
    REFUSED(c, h.flags = WIRE_FLAG_DONE, "a request is done without being cancelled");
    const char *forward = "a forward has data, or names no port";
    f.flags = WIRE_FLAG_FORWARD;
    f.payload = f.frag = 0;
    f.total = f.offset = 0;
    f.cap.port.w[1] = 9;
    accepted(f);
    REFUSED(f, h.cap.port.w[0] = h.cap.port.w[1] = 0, forward);
    REFUSED(f, h.total = 8, forward);
}

static void questions_and_answers_name_something(void **state)
{
    (void)state;
    REFUSED(locate(LOCATE_EP), h.op = 0, "unknown kind of locate");
    REFUSED(locate(LOCATE_EP), h.op = 4, "unknown kind of locate");
    REFUSED(locate(LOCATE_EP), h.arg[0] = 0, "locate of endpoint zero");
    REFUSED(locate(LOCATE_PORT), h.cap.port.w[0] = 0, "locate of the null port");
    struct wire_hdr answer = locate(LOCATE_PORT);
    answer.kind = WIRE_HEREIS;
    answer.dst_node = 2;
    answer.dst_mac[0] = 2;
    REFUSED(answer, h.arg[0] = 0, "locate of endpoint zero");
    struct wire_hdr moved = good(WIRE_MOVED);
    moved.arg[0] = moved.arg[1] = 7;
    REFUSED(moved, h.arg[0] = 0, "moved, but nothing is named");
    REFUSED(moved, h.arg[1] = 0, "moved to node zero");
    struct wire_hdr not_here = good(WIRE_NOTHERE);
    not_here.op = NOTHERE_KINDS - 1;
    REFUSED(not_here, h.op = 0, "unknown kind of not-here");
    REFUSED(not_here, h.op = NOTHERE_KINDS, "unknown kind of not-here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ethertype_is_on_the_wire_in_network_order),
        cmocka_unit_test(every_kind_has_a_good_form),
        cmocka_unit_test(frames_of_other_protocols_are_refused),
        cmocka_unit_test(payload_must_be_what_the_frame_brought),
        cmocka_unit_test(node_names_are_bounded),
        cmocka_unit_test(hops_are_bounded),
        cmocka_unit_test(addresses_must_fit_the_kind),
        cmocka_unit_test(a_client_has_an_endpoint),
        cmocka_unit_test(fragments_lie_within_their_message),
        cmocka_unit_test(fragments_have_a_usable_size),
        cmocka_unit_test(probes_carry_no_data),
        cmocka_unit_test(acknowledgements_are_bounded),
        cmocka_unit_test(unknown_flags_are_refused),
        cmocka_unit_test(a_cancel_and_a_forward_have_no_data_and_a_destination),
        cmocka_unit_test(questions_and_answers_name_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
