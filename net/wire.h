// SPDX-License-Identifier: BSD-2-Clause
// Every byte that crosses the wire. One header of one size for every kind of frame, 192 bytes, then the payload, so
// that a receive chain of (header, page, page, ...) lands payload in whole pages (design D2). Numbers are little
// endian, but for the EtherType. What a kind does not use is zero, and wire_check() refuses anything else in flags.
//
//   byte   size  field
//      0      6  dst_mac        Ethernet
//      6      6  src_mac
//     12      2  ethertype      0x88b5, big endian
//     14      1  version        WIRE_VERSION
//     15      1  kind           enum wire_kind
//     16      1  hops           links crossed so far
//     17      1  limit          links it may cross
//     18      2  flags          WIRE_FLAG_*
//     20      4  path_payload   largest payload that every link crossed so far carries
//     24      8  src_node       from node
//     32      8  dst_node       to node; 0: to every node that receives it
//     40      8  src_ep         from process
//     48      8  dst_ep         to process
//     56      4  tid            which transaction: of which thread of the client
//     60      4  op             what it asks for
//     64      8  seq            which of that thread's transactions
//     72     32  cap            the capability that is called
//    104     32  arg            four words: arguments or results
//    136      8  status         of a reply
//    144      8  total          bytes of the whole message
//    152      8  offset         where in it the payload lies; acknowledgements: all below it has arrived
//    160      8  mask           acknowledgements: which fragments behind offset have arrived too
//    168      4  frag           bytes a fragment
//    172      4  payload        bytes behind the header
//    176     16  tag            zero
//    192         payload
//
// Callers: any context; all functions are pure.
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
    // "the endpoint (op = NOTHERE_EP), port (NOTHERE_PORT) or transaction (NOTHERE_TXN) is not here"; arg[0] =
    // endpoint, arg[1] = kind of the frame that this answers. To a LOCATE: "here the port's last server has ended"
    WIRE_NOTHERE,
    WIRE_MOVED, // "endpoint arg[0] (0: the port in cap) is at node arg[1] now; ports: arg[2] = its server there"
    // Flooded, or asked of one node alone (dst_node). op = LOCATE_*: "who has endpoint arg[0]", "who serves cap.port",
    // "all nodes"
    WIRE_LOCATE,
    // answer: arg[0] endpoint, src node has it; arg[1] = 1: it has a copy in doubt, and another node may have the
    // process. LOCATE_NODES: payload = node name
    WIRE_HEREIS,
    WIRE_ECHO, // turned round by the receiving link before any protocol: the limit of the link (bench)
    WIRE_ECHO_BACK,
    WIRE_KINDS
};
enum { NOTHERE_EP = 1, NOTHERE_PORT, NOTHERE_TXN };
enum { LOCATE_EP = 1, LOCATE_PORT, LOCATE_NODES };

#define WIRE_FLAG_PROBE 1u
#define WIRE_FLAG_WAIT 2u
#define WIRE_FLAG_WORKING 4u
#define WIRE_FLAG_DONE 8u
#define WIRE_FLAG_ACK_NOW 16u // last fragment of a burst: acknowledge without delay
#define WIRE_FLAG_FORWARD 32u // a reply without data: "call cap with op and arg instead"
// A request without data: the client does not want the answer any more. status: ns that it still waits for one, 0 = no
// limit. With DONE it does not wait at all. With PROBE a server had the request: a node without a record makes none.
#define WIRE_FLAG_CANCEL 64u

struct wire_hdr {
    uint8_t dst_mac[6], src_mac[6];
    uint16_t ethertype; // big endian, as Ethernet has it
    uint8_t version, kind;
    uint8_t hops;  // links crossed so far
    uint8_t limit; // links it may cross
    uint16_t flags;
    uint32_t path_payload;   // largest payload that every link crossed so far carries; in every frame
    ep_t src_node, dst_node; // dst_node 0: a flood, or an echo
    ep_t src_ep, dst_ep;
    uint32_t tid, op; // tid: the client's thread, in both directions
    uint64_t seq;     // of the client's transaction; LOCATE: of the flood
    struct cap cap;
    uint64_t arg[4];
    int64_t status;
    uint64_t total;
    uint64_t offset;
    uint64_t mask; // bit i: fragment i behind offset
    uint32_t frag, payload;
    uint8_t tag[16]; // link authentication; zero until links are keyed
};

// The drawing above, held. A field that moves changes what every node of a ring must speak: WIRE_VERSION.
#define WIRE_FIELD(field, byte, size)                                                                                  \
    _Static_assert(offsetof(struct wire_hdr, field) == (byte) && sizeof(((struct wire_hdr *)0)->field) == (size),      \
                   #field)
WIRE_FIELD(dst_mac, 0, 6);
WIRE_FIELD(src_mac, 6, 6);
WIRE_FIELD(ethertype, 12, 2);
WIRE_FIELD(version, 14, 1);
WIRE_FIELD(kind, 15, 1);
WIRE_FIELD(hops, 16, 1);
WIRE_FIELD(limit, 17, 1);
WIRE_FIELD(flags, 18, 2);
WIRE_FIELD(path_payload, 20, 4);
WIRE_FIELD(src_node, 24, 8);
WIRE_FIELD(dst_node, 32, 8);
WIRE_FIELD(src_ep, 40, 8);
WIRE_FIELD(dst_ep, 48, 8);
WIRE_FIELD(tid, 56, 4);
WIRE_FIELD(op, 60, 4);
WIRE_FIELD(seq, 64, 8);
WIRE_FIELD(cap, 72, 32);
WIRE_FIELD(arg, 104, 32);
WIRE_FIELD(status, 136, 8);
WIRE_FIELD(total, 144, 8);
WIRE_FIELD(offset, 152, 8);
WIRE_FIELD(mask, 160, 8);
WIRE_FIELD(frag, 168, 4);
WIRE_FIELD(payload, 172, 4);
WIRE_FIELD(tag, 176, 16);
_Static_assert(sizeof(struct wire_hdr) == 192, "the header has one size");
#undef WIRE_FIELD

// Returns what is wrong with a header whose frame brought payload_len bytes after it, as a sentence; NULL: its form is
// good, that is lengths, kinds, offsets within totals, hop counts. Never looks at meaning. A fuzz target.
const char *wire_check(const struct wire_hdr *h, uint64_t payload_len);
// Returns the kind's name for people, "unknown" if it is none.
const char *wire_kind_name(unsigned kind);

#endif
