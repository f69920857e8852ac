// SPDX-License-Identifier: BSD-2-Clause
// Every byte that crosses the wire. One header of one fixed size, little endian, so that a receive chain of (header,
// page, page, ...) lands payload in whole pages (design D2).
//
//   0         6         12   14  15  16   17    18    20        24
//   | dst mac | src mac | type|ver|kind|hops|limit|flags| path payload |     Ethernet, EtherType 0x88B5
//   24         32         40         48         56     60     64     72
//   | src node | dst node | src ep   | dst ep   | tid  | op   | seq  |
//   72                        104                    136      144
//   | capability (32)         | 4 words              | status | total length of the message
//   152          160       168       172      176                192
//   | offset     | mask    | frag    | payload| tag (16)         | payload ...
//
#ifndef NET_WIRE_H
#define NET_WIRE_H

#include "core/types.h"

#define WIRE_ETHERTYPE 0x88b5u // IEEE 802 local experimental EtherType 1
#define WIRE_ETHERTYPE_BE ((uint16_t)(WIRE_ETHERTYPE >> 8 | WIRE_ETHERTYPE << 8)) // as little-endian machines load it
#define WIRE_VERSION 4u // 2: FORWARD. 3: CANCEL. 4: ports are another function of their secret
#define WIRE_HOPS_MAX 32u
#define WIRE_PAYLOAD_MAX 32768u // 8 pages
#define WIRE_PIECES_MAX 9u      // a fragment cut from pages at any alignment

enum wire_kind {
    WIRE_REQUEST = 1, // client -> server: a fragment of the request; FLAG_PROBE: no data, "are you working?"
    WIRE_REQUEST_ACK, // server -> client: offset = base, mask; FLAG_WAIT, FLAG_WORKING
    WIRE_REPLY,       // server -> client: a fragment of the reply
    WIRE_REPLY_ACK,   // client -> server: offset = base, mask; FLAG_WAIT, FLAG_DONE
    WIRE_NOTHERE,     // "the endpoint (op = NOTHERE_EP), port (NOTHERE_PORT) or transaction (NOTHERE_TXN) is not here"
    WIRE_MOVED,       // "endpoint arg[0] (0: the port in cap) is at node arg[1] now; ports: arg[2] = its server there"
    // Flooded, or asked of one node alone (dst_node). op = LOCATE_*: who has endpoint arg[0] / serves cap.port / all
    // nodes
    WIRE_LOCATE,
    WIRE_HEREIS, // answer: arg[0] endpoint, src node has it; LOCATE_NODES: payload = node name
    WIRE_ECHO,   // turned round by the receiving link before any protocol: the limit of the link (bench)
    WIRE_ECHO_BACK,
    WIRE_KINDS
};
enum { NOTHERE_EP = 1, NOTHERE_PORT, NOTHERE_TXN };
enum { LOCATE_EP = 1, LOCATE_PORT, LOCATE_NODES };

#define WIRE_FLAG_PROBE 1u
#define WIRE_FLAG_WAIT 2u
#define WIRE_FLAG_WORKING 4u
#define WIRE_FLAG_DONE 8u
#define WIRE_FLAG_FORWARD 32u // a reply without data: "call cap with op and arg instead"
// On a request without data: the client wants it no more. status: ns that it still waits for an answer, 0 = no limit;
// with
// DONE it does not wait at all; with PROBE a server had it: nobody makes a record of it now.
#define WIRE_FLAG_CANCEL 64u
#define WIRE_FLAG_ACK_NOW 16u // last fragment of a burst: acknowledge without delay

struct wire_hdr {
    uint8_t dst_mac[6], src_mac[6];
    uint16_t ethertype; // big endian, as Ethernet has it
    uint8_t version, kind;
    uint8_t hops;  // links crossed so far
    uint8_t limit; // links it may cross
    uint16_t flags;
    uint32_t path_payload;   // largest payload that every link crossed so far carries; in every frame
    ep_t src_node, dst_node; // dst_node 0: whoever receives it (flood)
    ep_t src_ep, dst_ep;
    uint32_t tid, op; // tid: the client's thread, in both directions
    uint64_t seq;     // of the client's transaction; LOCATE: of the flood
    struct cap cap;
    uint64_t arg[4];
    int64_t status;
    uint64_t total;
    uint64_t offset;
    uint64_t mask;
    uint32_t frag, payload; // bytes a fragment; bytes that follow this header
    uint8_t tag[16];        // link authentication; zero until links are keyed
};
_Static_assert(sizeof(struct wire_hdr) == 192, "the header has one size");
_Static_assert(offsetof(struct wire_hdr, src_node) == 24, "");
_Static_assert(offsetof(struct wire_hdr, seq) == 64, "");
_Static_assert(offsetof(struct wire_hdr, cap) == 72, "");
_Static_assert(offsetof(struct wire_hdr, arg) == 104, "");
_Static_assert(offsetof(struct wire_hdr, total) == 144, "");
_Static_assert(offsetof(struct wire_hdr, payload) == 172, "");

// Answers what is wrong with a header whose frame brought payload_len bytes after it, NULL when its form is good:
// lengths, kinds, offsets within totals, hop counts. Never looks at meaning. A fuzz target.
const char *wire_check(const struct wire_hdr *h, uint64_t payload_len);
const char *wire_kind_name(unsigned kind);

#endif
