// SPDX-License-Identifier: BSD-2-Clause
// What comes into the relay from outside: orders at its socket, and frames. An order that is accepted says only what
// can be done; frames, whatever they hold, name positions that exist or none, a rule picks once, and the captured
// file's blocks fit together.
//
// An input is rows of a byte, two bytes of length and as many bytes as these say (or as are left). Bit 0 of the first
// byte: a frame, else an order; its other bits: the position that the frame comes from, or how many nodes the ring has.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/protocol/numbers.h"
#include "test/fuzz/fuzz.h"
#include "tools/pcapng.h"
#include "tools/relay_order.h"

#define RULES 8u

static const char *failure;
static struct frame_memory memory;
static struct frame_rule rule[RULES];
static unsigned rules;

static void expect(bool good, const char *what)
{
    if (!good && !failure)
        failure = what;
}

// --- Orders -----------------------------------------------------------------------------------------------

static bool position_ok(unsigned position, unsigned nodes)
{
    return position <= nodes;
}

static void check_rule(const struct frame_rule *r, unsigned nodes)
{
    expect(r->nth >= 1 && r->seen == 0, "a rule for no frame");
    expect(r->what != 0 && r->what < 64, "a rule that does nothing");
    expect(r->from == ANY_POSITION || position_ok(r->from, nodes), "from nowhere");
    expect(r->to == ANY_POSITION || position_ok(r->to, nodes), "to nowhere");
    expect(!(r->what & RULE_KILL) || (r->killed >= 1 && position_ok(r->killed, nodes)), "kills nobody, or the host");
    expect(!(r->what & RULE_PAUSE) || (r->paused >= 1 && position_ok(r->paused, nodes)), "pauses nobody, or the host");
    expect(r->delay_ns <= FAULT_TIME_MAX_NS, "too late");
    expect(r->any_kind || (r->kind >= 1 && r->kind < WIRE_KINDS), "no kind");
}

static void check_order(const struct relay_order *o, unsigned nodes)
{
    uint64_t all = (1ull << (nodes + 1)) - 1;
    expect(o->cables != 0 && !(o->cables & ~all), "cables that are not there");
    expect(!(o->side & ~all), "positions that are not there");
    expect(!(o->given & ORDER_DO), "half a rule");
    expect(!(o->given & ORDER_CUT_FROM) || position_ok(o->cut_from, nodes), "cut from nowhere");
    expect(o->set.loss <= FAULT_ALL && o->set.dup <= FAULT_ALL && o->set.reorder <= FAULT_ALL, "more than all");
    expect(o->set.delay_ns <= FAULT_TIME_MAX_NS && o->set.jitter_ns <= FAULT_TIME_MAX_NS, "too late");
    expect(o->set.rate_bits == 0 || o->set.rate_bits >= FAULT_RATE_MIN, "too slow");
    if (!(o->given & ORDER_AT))
        return;
    check_rule(&o->rule, nodes);
    if (rules < RULES)
        rule[rules++] = o->rule;
}

static void order(const uint8_t *data, size_t len, unsigned nodes)
{
    struct relay_order o;
    char why[OPTION_SENTENCE] = "";
    if (relay_order_read((const char *)data, len, nodes, &o, why))
        check_order(&o, nodes);
    else
        expect(why[0] && memchr(why, 0, sizeof why), "refused without a reason");
}

// --- Frames -----------------------------------------------------------------------------------------------

static void check_blocks(const uint8_t *file, size_t size)
{
    uint32_t len, again;
    for (size_t at = 0; at < size; at += len) {
        expect(size - at >= 12, "the rest of a block");
        if (failure)
            return;
        memcpy(&len, file + at + 4, 4);
        expect(len >= 12 && len % 4 == 0 && len <= size - at, "a block's length");
        if (failure)
            return;
        memcpy(&again, file + at + len - 4, 4);
        expect(len == again, "a block's two lengths");
    }
}

static void capture(const uint8_t *data, size_t len)
{
    char *file = NULL, comment[300];
    size_t size = 0;
    FILE *f = open_memstream(&file, &size);
    size_t some = len < sizeof comment - 1 ? len : sizeof comment - 1;
    memcpy(comment, data, some);
    comment[some] = 0;
    pcapng_begin(f);
    pcapng_interface(f, "n1>n2", comment);
    pcapng_frame(f, 0, 1, data, len, comment);
    fclose(f);
    check_blocks((const uint8_t *)file, size);
    free(file);
}

static void frame(const uint8_t *data, size_t len, unsigned position)
{
    struct frame_facts f;
    struct fault_verdict v;
    static struct fault_line line;
    const struct fault_settings s = {
        .loss = 100000, .dup = 100000, .reorder = 100000, .jitter_ns = FAULT_TIME_MAX_NS, .rate_bits = FAULT_RATE_MIN};
    frame_read(&memory, data, len, position, &f);
    expect(f.from == ANY_POSITION || f.from <= RING_NODES_MAX, "from nowhere");
    expect(f.to == ANY_POSITION || f.to <= RING_NODES_MAX, "to nowhere");
    expect(f.ours || !f.has_op, "an operation of no frame");
    for (unsigned i = 0; i < rules; i++) {
        uint64_t before = rule[i].seen;
        bool picked = frame_rule_picks(&rule[i], position, &f);
        expect(!picked || (f.ours && rule[i].seen == rule[i].nth && before + 1 == rule[i].nth), "picked another");
        expect(rule[i].seen <= rule[i].nth, "counts on");
    }
    fault_start(&line, &s, position);
    fault_judge(&line, len, 1, &v);
    expect(v.copies <= 2 && v.behind <= FAULT_BEHIND_MAX && v.due_ns[0] >= 1 && v.due_ns[1] >= 1, "a verdict");
    capture(data, len);
}

// --- The target -------------------------------------------------------------------------------------------

int fuzz_one(const uint8_t *data, size_t size)
{
    failure = NULL;
    memset(&memory, 0, sizeof memory);
    rules = 0;
    while (size >= 3) {
        unsigned what = data[0];
        size_t len = (size_t)data[1] | (size_t)data[2] << 8;
        data += 3, size -= 3;
        len = len < size ? len : size;
        if (what & 1)
            frame(data, len, (what >> 1) % (RING_NODES_MAX + 1));
        else
            order(data, len, 1 + (what >> 1) % RING_NODES_MAX);
        data += len, size -= len;
    }
    if (failure)
        printf("# %s\n", failure);
    return failure != NULL;
}

static size_t put(uint8_t *buf, size_t at, size_t max, uint8_t what, const void *data, size_t len)
{
    if (at + 3 + len > max)
        return at;
    buf[at] = what;
    buf[at + 1] = (uint8_t)len;
    buf[at + 2] = (uint8_t)(len >> 8);
    memcpy(buf + at + 3, data, len);
    return at + 3 + len;
}

size_t fuzz_seed(unsigned i, uint8_t *buf, size_t max)
{
    static const char *const orders[] = {
        "n1,n2 loss=10 dup=0.5% reorder=5 delay=2ms jitter=20ms rate=10M seed=7",
        "n1,n2 cut-from=n1",
        "- partition=n1,host,n3",
        "host,n1 heal clear",
        "- at=kind=REQUEST,op=COMMIT,from=n1,to=n3,n=1 do=drop,twice,delay:5ms,cut,kill:n1,pause:n2",
        "- at=kind=not-here,n=2 do=drop",
        "- capture",
        "- capture-end",
    };
    struct wire_hdr h = {.ethertype = WIRE_ETHERTYPE_BE,
                         .version = WIRE_VERSION,
                         .kind = WIRE_REQUEST,
                         .limit = 8,
                         .path_payload = WIRE_PAYLOAD_MAX,
                         .src_node = 1,
                         .dst_node = 3,
                         .src_ep = 5,
                         .dst_ep = 6,
                         .op = OP_PROC_COMMIT};
    size_t n = sizeof orders / sizeof orders[0], at = 0;
    if (i < n)
        return put(buf, 0, max, 2 * 3, orders[i], strlen(orders[i]));
    if (i > n)
        return 0;
    at = put(buf, at, max, 2 * 3, orders[4], strlen(orders[4]));
    at = put(buf, at, max, 1 | 2 * 1, &h, sizeof h);
    h.kind = WIRE_REPLY, h.src_node = 3, h.dst_node = 1, h.dst_ep = 5;
    return put(buf, at, max, 1 | 2 * 3, &h, sizeof h);
}
