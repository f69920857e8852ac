// SPDX-License-Identifier: BSD-2-Clause
// The network half of a node: begun once, given links, and told of what comes in by them.
// Callers: node lock held.
#ifndef NET_NET_H
#define NET_NET_H

#include "net/link.h"

// Gives the node its network half: sets n->net and n->transport. Once, after node_init(). Returns 0. E_MEM: no run of
// pages is long enough for its tables.
int net_init(struct node *n);
// Takes it away. Links are forgotten; their drivers must not call any more.
void net_fini(struct node *n);

// Hands a link to the node, which keeps it for ever. Returns 0. E_LIMIT: the node has LINKS_MAX links.
int net_link_add(struct node *n, struct link *l);
// To be called after l->up has changed.
void net_link_changed(struct node *n, struct link *l);

// A frame came in over l: a header, then payload_len bytes in npieces pieces. They are only read, and only until the
// return. Anything may be in them.
void net_input(struct node *n, struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces,
               uint64_t payload_len);

#endif
