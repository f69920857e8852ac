// SPDX-License-Identifier: BSD-2-Clause
// Transport of transactions between nodes: fragments, acknowledgements, selective retransmission. Turns frames into the
// events of core/txn.h and its requests into frames. Keeps no state of its own: progress is in the thread's call and in
// the record, so it moves with the process.
#ifndef NET_XFER_H
#define NET_XFER_H

#include "core/txn_net.h"
#include "net/link.h"

extern const struct transport xfer_transport;
// A frame for this node (dst_node is ours), of kind REQUEST .. MOVED; its form was checked. net.c dispatches here.
void xfer_input(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned npieces);

#endif
