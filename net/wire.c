// SPDX-License-Identifier: BSD-2-Clause
// The form of a header. Each rule is one line: what must not be, and the sentence that says so.
#include "net/wire.h"
#include "core/config.h"

_Static_assert(WIRE_PAYLOAD_MAX % 8 == 0, "fragments are multiples of 8 bytes");
_Static_assert(WIRE_PAYLOAD_MAX <= (WIRE_PIECES_MAX - 1) * PAGE_SIZE,
               "a full payload that starts in the middle of a page fits the pieces");

// What a kind of frame may be. Everything else in it is refused, so that a bit which gets a meaning later was zero in
// every frame before.
struct kind_rule {
    const char *name;
    uint16_t flags;       // those it may have
    bool fragment;        // payload is part of a message: offset, frag, total count
    bool ack;             // offset, frag, mask count
    uint32_t payload_max; // bytes
};
static const struct kind_rule rules[WIRE_KINDS] = {
    [WIRE_REQUEST] = {"request",
                      WIRE_FLAG_PROBE | WIRE_FLAG_WAIT | WIRE_FLAG_ACK_NOW | WIRE_FLAG_CANCEL | WIRE_FLAG_DONE, true,
                      false, WIRE_PAYLOAD_MAX},
    [WIRE_REQUEST_ACK] = {"request-ack", WIRE_FLAG_WAIT | WIRE_FLAG_WORKING, false, true, 0},
    [WIRE_REPLY] = {"reply", WIRE_FLAG_ACK_NOW | WIRE_FLAG_FORWARD, true, false, WIRE_PAYLOAD_MAX},
    [WIRE_REPLY_ACK] = {"reply-ack", WIRE_FLAG_WAIT | WIRE_FLAG_DONE, false, true, 0},
    [WIRE_NOTHERE] = {"not-here", 0, false, false, 0},
    [WIRE_MOVED] = {"moved", 0, false, false, 0},
    [WIRE_LOCATE] = {"locate", 0, false, false, 0},
    [WIRE_HEREIS] = {"here-is", 0, false, false, NAME_MAX_LEN},
    [WIRE_ECHO] = {"echo", 0, false, false, WIRE_PAYLOAD_MAX},
    [WIRE_ECHO_BACK] = {"echo-back", 0, false, false, WIRE_PAYLOAD_MAX},
};

const char *wire_kind_name(unsigned kind)
{
    return kind < WIRE_KINDS && rules[kind].name ? rules[kind].name : "unknown";
}

static bool group_address(const uint8_t mac[6])
{
    return mac[0] & 1u;
} // IEEE 802: I/G bit

// dst_node 0 means every node that receives the frame, and only a question may be that: a message sent to all would be
// acted on, or forwarded, by each node of a shared wire.
static const char *check_addresses(const struct wire_hdr *h)
{
    bool may_be_to_all = h->kind == WIRE_LOCATE, on_link = h->kind == WIRE_ECHO;
    if (h->src_node == EP_NONE)
        return "source node is zero";
    if (group_address(h->src_mac))
        return "source MAC is a group address";
    if (!may_be_to_all && !on_link && h->dst_node == EP_NONE)
        return "destination node is zero";
    if (!on_link && h->dst_node != EP_NONE && group_address(h->dst_mac))
        return "a frame for one node was sent to a group MAC";
    return NULL;
}

static const char *check_way(const struct wire_hdr *h)
{
    _Static_assert(WIRE_HOPS_MAX == UINT8_MAX, "no limit is too high");
    if (h->limit == 0)
        return "hop limit is zero";
    if (h->hops >= h->limit) // hops counts the links before this one
        return "more hops than its limit";
    if (h->path_payload == 0 || h->path_payload > WIRE_PAYLOAD_MAX)
        return "path payload is out of range";
    if (h->path_payload % 8 != 0)
        return "path payload is no multiple of 8";
    return NULL;
}

// Bytes a fragment: the unit of offsets and mask bits. Zero would make every position the same.
static const char *check_frag(const struct wire_hdr *h)
{
    if (h->frag < 8 || h->frag > WIRE_PAYLOAD_MAX)
        return "fragment size is out of range";
    if (h->frag % 8 != 0)
        return "fragment size is no multiple of 8";
    return NULL;
}

static const char *check_fragment(const struct wire_hdr *h)
{
    if (h->offset > h->total)
        return "offset lies behind the message";
    if (h->payload > h->total - h->offset) // no sum: it could wrap
        return "fragment goes past the end of the message";
    if ((h->flags & WIRE_FLAG_PROBE) && h->payload != 0)
        return "a probe carries data";
    if (h->payload == 0 && h->frag == 0)
        return NULL; // a probe, an announcement
    const char *bad = check_frag(h);
    if (bad || h->payload == 0) // an empty message may name a size, but it is used in the answer
        return bad;
    if (h->payload > h->frag)
        return "payload is longer than its fragment";
    if (h->payload < h->frag && h->payload < h->total - h->offset)
        return "a fragment that is not the last one is short";
    return NULL; // any offset: after a change of fragment size they start from wherever the receiver had got to
}

static const char *check_ack(const struct wire_hdr *h)
{
    if (h->offset > MESSAGE_MAX_BYTES)
        return "acknowledges more than a message can be";
    return h->mask != 0 || h->frag != 0 ? check_frag(h) : NULL;
}

// The thing that a LOCATE or HEREIS is about.
static const char *check_subject(const struct wire_hdr *h)
{
    if (h->op < LOCATE_EP || h->op > LOCATE_NODES)
        return "unknown kind of locate";
    if (h->op == LOCATE_PORT && port_is_null(h->cap.port))
        return "locate of the null port";
    bool names_ep = h->op == LOCATE_EP || (h->op == LOCATE_PORT && h->kind == WIRE_HEREIS);
    if (names_ep && h->arg[0] == EP_NONE)
        return "locate of endpoint zero";
    if (h->op != LOCATE_NODES && h->payload != 0)
        return "payload where there is none";
    return NULL;
}

static const char *check_meaning_of_kind(const struct wire_hdr *h)
{
    switch (h->kind) {
    case WIRE_REPLY:
        if ((h->flags & WIRE_FLAG_FORWARD) && (h->total != 0 || port_is_null(h->cap.port)))
            return "a forward has data, or names no port";
        return h->dst_ep == EP_NONE ? "client endpoint is zero" : NULL;
    case WIRE_REQUEST:
        if ((h->flags & WIRE_FLAG_CANCEL) && (h->payload != 0 || h->status < 0 || h->dst_ep == EP_NONE))
            return "a cancel has data, or nobody to go to";
        if ((h->flags & WIRE_FLAG_WAIT) && (h->flags != WIRE_FLAG_WAIT || h->payload != 0 || h->dst_ep == EP_NONE))
            return "a client that stands still sends something else too";
        if ((h->flags & WIRE_FLAG_DONE) && !(h->flags & WIRE_FLAG_CANCEL))
            return "a request is done without being cancelled";
        return h->src_ep == EP_NONE ? "client endpoint is zero" : NULL;
    case WIRE_REPLY_ACK: return h->src_ep == EP_NONE ? "client endpoint is zero" : NULL;
    case WIRE_REQUEST_ACK: return h->dst_ep == EP_NONE ? "client endpoint is zero" : NULL;
    case WIRE_NOTHERE: return h->op < NOTHERE_EP || h->op >= NOTHERE_KINDS ? "unknown kind of not-here" : NULL;
    case WIRE_MOVED:
        if (h->arg[0] == EP_NONE && port_is_null(h->cap.port))
            return "moved, but nothing is named";
        return h->arg[1] == EP_NONE ? "moved to node zero" : NULL;
    case WIRE_LOCATE:
    case WIRE_HEREIS: return check_subject(h);
    default: return NULL;
    }
}

const char *wire_check(const struct wire_hdr *h, uint64_t payload_len)
{
    if (h->ethertype != WIRE_ETHERTYPE_BE)
        return "not our EtherType";
    if (h->version != WIRE_VERSION)
        return "unknown version";
    if (h->kind == 0 || h->kind >= WIRE_KINDS)
        return "unknown kind";
    const struct kind_rule *rule = &rules[h->kind];
    if (h->payload != payload_len)
        return "payload length differs from the frame's";
    if (h->payload > rule->payload_max)
        return rule->payload_max == 0 ? "payload where there is none" : "payload is too long";
    if (h->flags & ~(unsigned)rule->flags)
        return "flag that this kind does not have";
    if (h->total > MESSAGE_MAX_BYTES)
        return "message is too long";

    const char *bad = check_addresses(h);
    if (!bad)
        bad = check_way(h);
    if (!bad && rule->fragment)
        bad = check_fragment(h);
    if (!bad && rule->ack)
        bad = check_ack(h);
    if (!bad)
        bad = check_meaning_of_kind(h);
    return bad;
}
