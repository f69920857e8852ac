// SPDX-License-Identifier: BSD-2-Clause
// Routes: node endpoint -> (link, neighbour's MAC), learned from every frame's source, and the sending, forwarding and
// flooding of frames. Nodes forward, so a ring of point-to-point links works, and goes on working when one link or node
// is cut: a route that brings no answer is forgotten. That the node is looked for then is its caller's affair
// (net/locate.h).
// Callers: net/, node lock held.
#ifndef NET_ROUTE_H
#define NET_ROUTE_H

#include "net/link.h"

struct route;

// Rounds of a LOCATE, arg[1]: the first three go 2, 8 and 32 links far, those from ROUND_FAR on all the way. These
// cross each link ROUND_COPIES times, for by then something was lost or nothing is there.
#define ROUND_FAR 3u
#define ROUND_COPIES 2u

// --- Sending. Pieces of payload follow the header; they may be read after the return (struct link).

// Fills in the addresses (source node, MACs, EtherType, version, hops, limit) and sends towards h->dst_node, npieces
// pieces. Returns false: no way to it is known, or it is this node; the frame is dropped.
bool route_send(struct node *n, struct wire_hdr *h, const struct piece *p, unsigned npieces);
// Passes on a frame of npieces pieces for another node that came in over l (NULL: xfer sends it on after an endpoint
// that moved). Returns false: no way is known, and the frame is dropped. A frame that has crossed as many links as it
// may is dropped too.
bool route_forward(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces);
// Sends npieces pieces out of every link that is up, as often as its round asks for (ROUND_FAR), at most `limit` links
// far (1..WIRE_HOPS_MAX). h->seq is set to a fresh flood number.
void route_flood(struct node *n, struct wire_hdr *h, const struct piece *p, unsigned npieces, unsigned limit);
// Passes on a flood of npieces pieces to all links but l, which it came from.
void route_spread(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces);

// --- The table

// A frame from `node` came over l from neighbour mac after crossing `hops` links, each of which carries `payload`
// bytes. proof: it is the first copy of a flood, or the answer to one, so this way works now.
void route_learn(struct node *n, ep_t node, struct link *l, const uint8_t mac[6], unsigned hops, uint32_t payload,
                 bool proof);
// Returns the way to the node, good until the next change of the table; NULL: none is known.
const struct route *route_find(struct node *n, ep_t node);
// Returns the largest payload, in bytes, that every link on the way to the node carries, as far as known; never 0.
uint32_t route_payload(struct node *n, ep_t node);
// The peer was silent for too long by this way: it is forgotten, unless it was found only now.
void route_suspect(struct node *n, ep_t node);
// The link is down: forgets all ways over it.
void route_link_down(struct node *n, struct link *l);

// --- Floods

// Notes that flood number seq of `node` was heard. Returns true if it was heard before, or is too old to tell.
bool route_flood_seen(struct node *n, ep_t node, uint64_t seq);
// Can it wait? What is asked for the first time is FLOOD_NOW; a search that goes on; one that was whole before.
enum flood_class { FLOOD_NOW, FLOOD_SEARCH, FLOOD_REPEAT };
// Returns true if this node may flood h now, and counts the flood (FLOODS_PER_S, RING_FLOODS_PER_S).
bool route_flood_allowed(struct node *n, const struct wire_hdr *h, enum flood_class class);
// Returns in how many ns at the earliest a flood that may wait can be allowed.
uint64_t route_flood_wait(struct node *n, enum flood_class class);
// Counts the flood h of another node against what the ring may carry. Once for each flood.
void route_flood_heard(struct node *n, const struct wire_hdr *h);

#endif
