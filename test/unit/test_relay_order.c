// SPDX-License-Identifier: BSD-2-Clause
// The relay's orders: what each word becomes, and the sentence about what is none. And the rules that pick a frame.
#include "services/protocol/numbers.h"
#include "test/unit/unit.h"
#include "tools/relay_order.h"

#define NODES 4u // host - n1 - n2 - n3 - n4 - host: cable K from position K

static struct relay_order o;
static char why[OPTION_SENTENCE];

static bool reads(const char *line)
{
    why[0] = 0;
    return relay_order_read(line, strlen(line), NODES, &o, why);
}

static void refuses(const char *line, const char *said)
{
    assert_false(reads(line));
    if (!strstr(why, said))
        fail_msg("%s: \"%s\", not \"%s\"", line, why, said);
}

// --- Orders -----------------------------------------------------------------------------------------------

static void faults_of_one_link(void **state)
{
    (void)state;
    assert_true(reads("n1,n2 loss=10 dup=0.5% reorder=100 delay=2ms jitter=1.5s rate=10M seed=7"));
    assert_int_equal(o.given, ORDER_FAULTS);
    assert_int_equal(o.cables, 1u << 1);
    assert_false(o.all);
    assert_int_equal(o.set.loss, 100000);
    assert_int_equal(o.set.dup, 5000);
    assert_int_equal(o.set.reorder, FAULT_ALL);
    assert_int_equal(o.set.delay_ns, 2 * NS_PER_MS);
    assert_int_equal(o.set.jitter_ns, 1500 * NS_PER_MS);
    assert_int_equal(o.set.rate_bits, 10000000);
    assert_int_equal(o.set.seed, 7);
}

static void only_what_is_said_is_given(void **state)
{
    (void)state;
    assert_true(reads("n2,n1 delay=500us"));
    assert_int_equal(o.given, ORDER_DELAY);
    assert_int_equal(o.cables, 1u << 1); // either end may come first
    assert_true(reads("-"));
    assert_int_equal(o.given, 0);
    assert_true(o.all);
    assert_int_equal(o.cables, (1u << (NODES + 1)) - 1);
}

static void the_ring_is_closed_through_the_host(void **state)
{
    (void)state;
    assert_true(reads("host,n1"));
    assert_int_equal(o.cables, 1u << 0);
    assert_true(reads("host,n4"));
    assert_int_equal(o.cables, 1u << NODES);
    refuses("n1,n4", "there is no link between n1 and n4: neighbours have one");
    refuses("n1,n1", "there is no link");
    refuses("n1,n5", "no node of this ring is called 'n5': it has host and n1 to n4");
    refuses("n1", "a link has two ends");
    refuses("n1,n2,n3", "a link has two ends");
    assert_true(relay_order_read("host,n1", 7, 1, &o, why)); // a ring of one has two links between them
    assert_int_equal(o.cables, 3);
}

static void numbers_are_exact_or_refused(void **state)
{
    (void)state;
    assert_true(reads("- loss=0.0001"));
    assert_int_equal(o.set.loss, 1);
    refuses("- loss=0.00001", "--loss is per cent, from 0 to 100, not '0.00001'");
    refuses("- loss=100.0001", "--loss is per cent");
    refuses("- loss=-1", "--loss is per cent");
    refuses("- loss=1.", "--loss is per cent");
    refuses("- loss=.5", "--loss is per cent");
    refuses("- loss=", "--loss is per cent");
    refuses("- loss=1e1", "--loss is per cent");
    assert_true(reads("- delay=0.000001ms"));
    assert_int_equal(o.set.delay_ns, 1);
    assert_true(reads("- delay=60s"));
    refuses("- delay=61s", "--delay is a time of at most a minute");
    refuses("- delay=10", "--delay is a time");
    refuses("- delay=99999999999999999999ns", "--delay is a time");
    refuses("- jitter=1m", "--jitter is a time");
    assert_true(reads("- rate=0"));
    assert_true(reads("- rate=1.5G"));
    assert_int_equal(o.set.rate_bits, 1500000000);
    refuses("- rate=999", "--rate is bits a second, 1K or more");
    refuses("- rate=10m", "--rate is bits a second");
    assert_true(reads("- seed=18446744073709551608"));
    refuses("- seed=18446744073709551616", "--seed is a number");
}

static void cuts(void **state)
{
    (void)state;
    assert_true(reads("n1,n2 cut"));
    assert_int_equal(o.given, ORDER_CUT);
    assert_true(reads("n1,n2 cut-from=n2"));
    assert_int_equal(o.cut_from, 2);
    refuses("n1,n2 cut-from=n3", "--cut-from names an end of the link");
    refuses("- cut-from=n1", "--cut-from needs a link");
    assert_true(reads("- partition=n1,n3,host"));
    assert_int_equal(o.side, 1u << 1 | 1u << 3 | 1u << 0);
    refuses("n1,n2 partition=n1", "--partition is for the whole ring");
    assert_true(reads("- heal"));
    assert_true(reads("n1,n2 heal clear"));
    refuses("n1,n2 heal cut", "--heal and --clear undo what was set");
}

static void what_is_no_order(void **state)
{
    (void)state;
    static char long_line[RELAY_ORDER_MAX + 2];
    refuses("", "an order has 1 to");
    refuses("- loss", "'loss' is no order");
    refuses("- cut=n1", "'cut=n1' is no order");
    refuses("-  cut", "'' is no order");
    refuses("- loss=1 loss=2", "--loss was given twice");
    refuses("- capture cut", "a capture is an order of its own");
    refuses("- capture capture-end", "a capture is an order of its own");
    refuses("n1,n2 capture", "a capture is an order of its own");
    assert_false(relay_order_read("- cut\0", 6, NODES, &o, why));
    memset(long_line, ' ', sizeof long_line);
    assert_false(relay_order_read(long_line, sizeof long_line, NODES, &o, why));
    assert_true(strlen(why) < OPTION_SENTENCE);
}

static void a_rule(void **state)
{
    (void)state;
    assert_true(reads("n2,n3 at=kind=REQUEST,op=COMMIT,from=n1,to=n3,n=3 do=twice,delay:5ms,kill:n2,pause:n4,cut"));
    const struct frame_rule *r = &o.rule;
    assert_int_equal(o.given, ORDER_AT);
    assert_int_equal(r->cables, 1u << 2);
    assert_false(r->any_kind || r->any_op);
    assert_int_equal(r->kind, WIRE_REQUEST);
    assert_int_equal(r->op, OP_PROC_COMMIT);
    assert_int_equal(r->from, 1);
    assert_int_equal(r->to, 3);
    assert_int_equal(r->nth, 3);
    assert_int_equal(r->what, RULE_TWICE | RULE_DELAY | RULE_KILL | RULE_PAUSE | RULE_CUT);
    assert_int_equal(r->delay_ns, 5 * NS_PER_MS);
    assert_int_equal(r->killed, 2);
    assert_int_equal(r->paused, 4);
    assert_true(reads("- at=n=1 do=drop"));
    assert_true(r->any_kind && r->any_op && r->from == ANY_POSITION && r->to == ANY_POSITION);
}

static void what_is_no_rule(void **state)
{
    (void)state;
    refuses("- at=n=1", "--at and --do need each other");
    refuses("- do=drop", "--at and --do need each other");
    refuses("- at=n=0 do=drop", "n is a number from 1 on, not '0'");
    refuses("- at=kind=REQUESTS do=drop", "no kind of frame is called 'REQUESTS'");
    refuses("- at=op=LIST do=drop", "2 operations are called 'LIST'");
    refuses("- at=op=FROB do=drop", "no operation is called 'FROB'");
    refuses("- at=colour=red do=drop", "is none of kind=, op=, from=, to=, n=");
    refuses("- at= do=drop", "is none of kind=");
    refuses("- at=n=1 do=burn", "--do: 'burn' is none of drop, twice, delay:TIME, cut, kill:NODE, pause:NODE");
    refuses("- at=n=1 do=kill", "--do: 'kill' is none of");
    refuses("- at=n=1 do=drop:n1", "--do: 'drop:n1' is none of");
    refuses("- at=n=1 do=kill:host", "the host daemon closes the ring");
    refuses("- at=n=1 do=kill:n9", "no node of this ring is called 'n9'");
}

// --- Names ------------------------------------------------------------------------------------------------

static void kinds_have_the_names_of_the_header_and_of_people(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t kind;
    } names[] = {{"REQUEST", WIRE_REQUEST},    {"request-ack", WIRE_REQUEST_ACK}, {"REPLY_ACK", WIRE_REPLY_ACK},
                 {"NOTHERE", WIRE_NOTHERE},    {"not-here", WIRE_NOTHERE},        {"HereIs", WIRE_HEREIS},
                 {"echo-back", WIRE_ECHO_BACK}};
    uint8_t kind;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_true(frame_kind_named(names[i].name, strlen(names[i].name), &kind));
        assert_int_equal(kind, names[i].kind);
    }
    assert_false(frame_kind_named("REQ", 3, &kind));
    assert_false(frame_kind_named("unknown", 7, &kind));
}

static void operations_have_their_names_of_the_table(void **state)
{
    (void)state;
    uint32_t op;
    assert_int_equal(frame_op_named("COMMIT", 6, &op), 1);
    assert_int_equal(op, OP_PROC_COMMIT);
    assert_int_equal(frame_op_named("proc_commit", 11, &op), 1);
    assert_int_equal(frame_op_named("OP_DIR_LIST", 11, &op), 1);
    assert_int_equal(op, OP_DIR_LIST);
    assert_int_equal(frame_op_named("STATUS", 6, &op), 1); // the standard one, though the node has one too
    assert_int_equal(op, OP_STATUS);
    assert_int_equal(frame_op_named("4711", 4, &op), 1);
    assert_int_equal(op, 4711);
    assert_int_equal(frame_op_named("LIST", 4, &op), 2);
    assert_int_equal(frame_op_named("4294967296", 10, &op), 0);
    assert_string_equal(frame_op_name(OP_PROC_COMMIT), "PROC_COMMIT");
    assert_null(frame_op_name(4711));
}

// --- Frames -----------------------------------------------------------------------------------------------

static struct frame_memory memory;
static struct frame_facts facts;

#define NODE_AT(position) (0x1000u + (position)) // endpoint of the node there
#define CLIENT 77u

static struct wire_hdr frame(enum wire_kind kind, unsigned from, unsigned to)
{
    struct wire_hdr h = {.ethertype = WIRE_ETHERTYPE_BE,
                         .version = WIRE_VERSION,
                         .kind = (uint8_t)kind,
                         .limit = 8,
                         .path_payload = WIRE_PAYLOAD_MAX,
                         .src_node = NODE_AT(from),
                         .dst_node = NODE_AT(to),
                         .src_ep = CLIENT,
                         .dst_ep = CLIENT,
                         .tid = 1,
                         .seq = 5};
    h.src_mac[0] = 2;
    return h;
}

static void read_frame(struct wire_hdr h, unsigned position)
{
    frame_read(&memory, (const uint8_t *)&h, sizeof h, position, &facts);
}

static void nodes_are_known_by_frames_of_their_own(void **state)
{
    (void)state;
    memset(&memory, 0, sizeof memory);
    struct wire_hdr on = frame(WIRE_REQUEST, 3, 1); // n2 passes it on: it is not n2's
    on.hops = 1;
    read_frame(on, 2);
    assert_true(facts.ours && facts.from == ANY_POSITION && facts.to == ANY_POSITION);
    read_frame(frame(WIRE_REQUEST, 1, 3), 1);
    assert_true(facts.from == 1 && facts.to == ANY_POSITION);
    read_frame(frame(WIRE_REQUEST, 3, 1), 3);
    assert_true(facts.from == 3 && facts.to == 1);
    read_frame(on, 2);
    assert_true(facts.from == 3 && facts.to == 1);
    struct wire_hdr again = frame(WIRE_REQUEST, 3, 1); // n3 was started again: it has another endpoint
    again.src_node = 0x2000;
    read_frame(again, 3);
    assert_int_equal(facts.from, 3);
    read_frame(on, 2);
    assert_int_equal(facts.from, ANY_POSITION);
}

static void an_answer_is_of_the_operation_that_was_asked(void **state)
{
    (void)state;
    memset(&memory, 0, sizeof memory);
    read_frame(frame(WIRE_REPLY, 3, 1), 3);
    assert_false(facts.has_op); // its request went by before there was a relay
    struct wire_hdr q = frame(WIRE_REQUEST, 1, 3);
    q.op = OP_PROC_COMMIT;
    read_frame(q, 1);
    assert_true(facts.has_op && facts.op == OP_PROC_COMMIT);
    for (unsigned kind = WIRE_REQUEST_ACK; kind <= WIRE_REPLY_ACK; kind++) {
        read_frame(frame((enum wire_kind)kind, 3, 1), 3);
        assert_true(facts.has_op && facts.op == OP_PROC_COMMIT);
    }
    struct wire_hdr next = frame(WIRE_REPLY, 3, 1);
    next.seq = 6;
    read_frame(next, 3);
    assert_false(facts.has_op);
    struct wire_hdr locate = frame(WIRE_LOCATE, 1, 3);
    locate.op = LOCATE_NODES;
    read_frame(locate, 1);
    assert_true(facts.ours && !facts.has_op); // its op is no operation
}

static void what_is_no_frame_of_ours_tells_nothing(void **state)
{
    (void)state;
    memset(&memory, 0, sizeof memory);
    struct wire_hdr h = frame(WIRE_REQUEST, 1, 3);
    struct frame_rule any = {
        .cables = 1, .any_kind = true, .any_op = true, .from = ANY_POSITION, .to = ANY_POSITION, .nth = 1};
    h.version++;
    read_frame(h, 1);
    assert_false(facts.ours);
    assert_false(frame_rule_picks(&any, 0, &facts));
    frame_read(&memory, (const uint8_t *)&h, sizeof h - 1, 1, &facts);
    assert_false(facts.ours);
    for (unsigned i = 0; i <= RING_NODES_MAX; i++)
        assert_int_equal(memory.node[i], EP_NONE);
}

static void a_rule_picks_the_nth_frame_and_no_other(void **state)
{
    (void)state;
    memset(&memory, 0, sizeof memory);
    assert_true(reads("n1,n2 at=kind=REQUEST,op=COMMIT,from=n1,n=3 do=drop"));
    struct wire_hdr q = frame(WIRE_REQUEST, 1, 3);
    q.op = OP_PROC_COMMIT;
    unsigned picked = 0;
    for (unsigned i = 1; i <= 10; i++) {
        read_frame(frame(WIRE_REPLY, 1, 3), 1); // another kind
        assert_false(frame_rule_picks(&o.rule, 1, &facts));
        struct wire_hdr other = q;
        other.op = OP_PROC_OFFER;
        read_frame(other, 1);
        assert_false(frame_rule_picks(&o.rule, 1, &facts));
        other = q;
        other.src_node = NODE_AT(2);
        read_frame(other, 2);
        assert_false(frame_rule_picks(&o.rule, 1, &facts));
        read_frame(q, 1);
        assert_false(frame_rule_picks(&o.rule, 2, &facts)); // another link
        bool now = frame_rule_picks(&o.rule, 1, &facts);
        assert_int_equal(now, i == 3);
        picked += now;
    }
    assert_int_equal(picked, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_of_one_link),
        cmocka_unit_test(only_what_is_said_is_given),
        cmocka_unit_test(the_ring_is_closed_through_the_host),
        cmocka_unit_test(numbers_are_exact_or_refused),
        cmocka_unit_test(cuts),
        cmocka_unit_test(what_is_no_order),
        cmocka_unit_test(a_rule),
        cmocka_unit_test(what_is_no_rule),
        cmocka_unit_test(kinds_have_the_names_of_the_header_and_of_people),
        cmocka_unit_test(operations_have_their_names_of_the_table),
        cmocka_unit_test(nodes_are_known_by_frames_of_their_own),
        cmocka_unit_test(an_answer_is_of_the_operation_that_was_asked),
        cmocka_unit_test(what_is_no_frame_of_ours_tells_nothing),
        cmocka_unit_test(a_rule_picks_the_nth_frame_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
