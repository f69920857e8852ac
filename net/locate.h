// SPDX-License-Identifier: BSD-2-Clause
// Locate: what frames say about where things are, and the answers to other nodes' questions. Learning keeps the caches
// (net/place.h) and the questions of this node (net/question.h) in step: what was learned answers what was asked.
// Callers: net/, node lock held.
#ifndef NET_LOCATE_H
#define NET_LOCATE_H

#include "net/link.h"

// --- Sending to a node that may have to be looked for

// As route_send(), npieces pieces of payload after the header; when no way is known, asks the ring for the node.
// Returns true if the frame was sent.
bool locate_send(struct node *n, struct wire_hdr *h, const struct piece *p, unsigned npieces);
// As route_forward(), npieces pieces; when no way is known, asks the ring for the node.
void locate_forward(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces);
// Sends a, with npieces pieces of payload, as the answer to q, another node's question.
void locate_reply(struct node *n, const struct wire_hdr *q, struct wire_hdr *a, const struct piece *p,
                  unsigned npieces);

// --- Learning

// The endpoint is at the node.
void locate_learn(struct node *n, ep_t ep, ep_t node);
// The port is served by an endpoint at the node.
void locate_learn_server(struct node *n, struct port port, ep_t server, ep_t node);
// A frame that `node` itself sent says: endpoint ep (may be EP_NONE) is there, and so is node.
void locate_heard(struct node *n, ep_t ep, ep_t node);

// --- Frames in, of good form

// LOCATE of an endpoint or port: answers it, if this node can. Returns true if no other node can have it, so that the
// question need not go further.
bool locate_answer(struct node *n, const struct wire_hdr *h);
// HEREIS: the answer to a question about an endpoint or port.
void locate_hereis(struct node *n, const struct wire_hdr *h);
// MOVED as the answer to a question (not to a request, which is xfer's): tid is 0, threads count from 1.
void locate_moved_hint(struct node *n, const struct wire_hdr *h);

#endif
