// SPDX-License-Identifier: BSD-2-Clause
// Routes: node endpoint -> (link, neighbour's MAC), learned from every frame's source, and the sending, forwarding and
// flooding of frames. Nodes forward, so a ring of point-to-point links works, and goes on working when one link or node
// is cut: a route that brings no answer is forgotten and looked for.
#ifndef NET_ROUTE_H
#define NET_ROUTE_H

#include "net/link.h"

// Fills in the addresses (source node, MACs, EtherType, version, hops, limit) and sends towards h->dst_node. false: no
// route known now; the frame is dropped and the node is being looked for.
bool route_send(struct node *n, struct wire_hdr *h, const struct piece *p, unsigned npieces);
// Out of every link that is up, at most `limit` hops far. h->seq is set to a fresh flood number.
void route_flood(struct node *n, struct wire_hdr *h, const struct piece *p, unsigned npieces, unsigned limit);
// Largest payload that every link on the way to the node carries (as far as known; never 0).
uint32_t route_payload(struct node *n, ep_t node);
// The peer was silent for too long by this way: forget it, the next send looks for another.
void route_suspect(struct node *n, ep_t node);

#endif
