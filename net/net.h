// SPDX-License-Identifier: BSD-2-Clause
// The network half of a node: links, routes, locate, transport of transactions.
#ifndef NET_NET_H
#define NET_NET_H

#include "net/link.h"

// After node_init(). Sets n->net, n->transport. E_MEM.
int net_init(struct node *n);
void net_fini(struct node *n);

// Link number i of the node, in the order in which they were added; NULL beyond the last.
struct link *net_link(struct node *n, unsigned i);

struct net_node { // one answer to "all nodes"
    ep_t node;
    char name[32];
    unsigned hops;
};
// Asks all nodes for their names; seen() is called for each answer as it comes, this node included, until
// net_nodes_stop. One question at a time.
void net_nodes_ask(struct node *n, void (*seen)(struct node *n, void *arg, const struct net_node *who), void *arg);
void net_nodes_stop(struct node *n);

// The limit of the link: sends one ECHO frame with `payload` bytes (<= l->payload_max) out of link l; its return wakes
// task_wait(l). l->echo says when it went and whether it is back. For make bench.
void net_echo(struct node *n, struct link *l, uint32_t payload);

#endif
