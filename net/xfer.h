// SPDX-License-Identifier: BSD-2-Clause
// Transport of transactions between nodes: fragments, acknowledgements, selective retransmission. Turns frames into
// what core/txn_net.h is told, and what core/transport.h asks into frames. Keeps no state of a transaction: progress is
// in the thread's call and in the record, so it moves with the process.
// Callers: net/, node lock held.
#ifndef NET_XFER_H
#define NET_XFER_H

#include "net/link.h"

// Sets n->transport, and learns what this node's questions find. After question_init().
void xfer_init(struct node *n);
// A frame for this node (dst_node is ours), of kind REQUEST .. MOVED, with npieces pieces of payload; its form was
// checked. net.c dispatches here.
void xfer_input(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned npieces);

#endif
