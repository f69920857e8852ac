// SPDX-License-Identifier: BSD-2-Clause
// Reading frames as far as rules ask, and the rules.
#include "tools/frame_rule.h"
#include "core/panic.h"
#include "services/protocol/numbers.h"
#include "tools/options.h"

#include <string.h>
#include <strings.h>

// --- Frames -----------------------------------------------------------------------------------------------

static struct asked *slot_of(struct frame_memory *m, ep_t client, uint32_t tid, uint64_t seq)
{
    uint64_t hash = (client ^ seq * 0x9e3779b97f4a7c15ull ^ (uint64_t)tid << 32) * 0xbf58476d1ce4e5b9ull;
    return &m->asked[(hash >> 32) % ASKED_SLOTS];
}

// The client is who sent a request and its acknowledgements of the reply, and whom the other two are for.
static void read_op(struct frame_memory *m, const struct wire_hdr *h, struct frame_facts *f)
{
    bool from_client = h->kind == WIRE_REQUEST || h->kind == WIRE_REPLY_ACK;
    if (!from_client && h->kind != WIRE_REQUEST_ACK && h->kind != WIRE_REPLY)
        return;
    ep_t client = from_client ? h->src_ep : h->dst_ep;
    struct asked *a = slot_of(m, client, h->tid, h->seq);
    if (h->kind == WIRE_REQUEST)
        *a = (struct asked){.client = client, .seq = h->seq, .tid = h->tid, .op = h->op};
    f->has_op = a->client == client && a->seq == h->seq && a->tid == h->tid;
    f->op = a->op;
}

static uint8_t position_of(const struct frame_memory *m, ep_t node)
{
    for (uint8_t i = 0; i <= RING_NODES_MAX; i++)
        if (node != EP_NONE && m->node[i] == node)
            return i;
    return ANY_POSITION;
}

void frame_read(struct frame_memory *m, const uint8_t *frame, size_t len, unsigned position, struct frame_facts *f)
{
    struct wire_hdr h;
    ASSERT(position <= RING_NODES_MAX);
    *f = (struct frame_facts){.from = ANY_POSITION, .to = ANY_POSITION};
    if (len < sizeof h)
        return;
    memcpy(&h, frame, sizeof h);
    f->ours = wire_check(&h, len - sizeof h) == NULL;
    if (!f->ours)
        return;
    if (h.hops == 0)
        m->node[position] = h.src_node;
    f->kind = h.kind;
    f->from = position_of(m, h.src_node);
    f->to = position_of(m, h.dst_node);
    read_op(m, &h, f);
}

// --- Rules ------------------------------------------------------------------------------------------------

static bool matches(const struct frame_rule *r, const struct frame_facts *f)
{
    if (!f->ours)
        return false;
    if (!r->any_kind && r->kind != f->kind)
        return false;
    if (!r->any_op && (!f->has_op || r->op != f->op))
        return false;
    if (r->from != ANY_POSITION && r->from != f->from)
        return false;
    return r->to == ANY_POSITION || r->to == f->to;
}

bool frame_rule_picks(struct frame_rule *r, unsigned cable_index, const struct frame_facts *f)
{
    ASSERT(cable_index < CABLES_MAX && r->nth > 0);
    if (!(r->cables >> cable_index & 1) || r->seen >= r->nth || !matches(r, f))
        return false;
    return ++r->seen == r->nth;
}

// --- Names ------------------------------------------------------------------------------------------------

// As people and headers write it: "request-ack" and "REQUEST_ACK" are one name.
static bool same_name(const char *text, size_t len, const char *name)
{
    size_t i = 0;
    for (; i < len && name[i]; i++) {
        char a = text[i] == '_' ? '-' : text[i], b = name[i] == '_' ? '-' : name[i];
        if (strncasecmp(&a, &b, 1) != 0)
            return false;
    }
    return i == len && !name[i];
}

bool frame_kind_named(const char *text, size_t len, uint8_t *kind)
{
    static const char *const as_in_header[WIRE_KINDS] = {[WIRE_NOTHERE] = "NOTHERE", [WIRE_HEREIS] = "HEREIS"};
    for (uint8_t k = 1; k < WIRE_KINDS; k++)
        if (same_name(text, len, wire_kind_name(k)) || (as_in_header[k] && same_name(text, len, as_in_header[k]))) {
            *kind = k;
            return true;
        }
    return false;
}

static const struct {
    const char *name; // without its "OP_"
    uint32_t op;
} ops[] = {
#define X(name, number, text) {&#name[3], number},
    OP_NUMBERS(X)
#undef X
};
#define OPS (sizeof ops / sizeof ops[0])

// What is behind the service's name, the first "_"; a standard operation's name has none.
static const char *without_service(const char *name)
{
    const char *line = strchr(name, '_');
    return line ? line + 1 : name;
}

unsigned frame_op_named(const char *text, size_t len, uint32_t *op)
{
    char digits[16];
    uint64_t number;
    unsigned found = 0;
    if (len < sizeof digits) {
        memcpy(digits, text, len);
        digits[len] = 0;
        if (option_number(digits, 0, UINT32_MAX, &number)) {
            *op = (uint32_t)number;
            return 1;
        }
    }
    if (len > 3 && same_name(text, 3, "OP_"))
        text += 3, len -= 3;
    for (unsigned i = 0; i < OPS; i++)
        if (same_name(text, len, ops[i].name)) {
            *op = ops[i].op;
            return 1;
        }
    for (unsigned i = 0; i < OPS; i++)
        if (same_name(text, len, without_service(ops[i].name))) {
            *op = ops[i].op;
            found++;
        }
    return found;
}

const char *frame_op_name(uint32_t op)
{
    for (unsigned i = 0; i < OPS; i++)
        if (ops[i].op == op)
            return ops[i].name;
    return NULL;
}
