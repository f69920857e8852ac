// SPDX-License-Identifier: BSD-2-Clause
// All nodes of the ring: their names, for people. Nobody in the kernel keeps such a list; it is asked for, and complete
// when nothing new comes any more.
// Callers: node lock held.
#ifndef NET_NODES_H
#define NET_NODES_H

#include "net/link.h"

struct net_node { // one answer
    ep_t node;
    char name[32]; // printable, may be empty
    unsigned hops; // links between it and this node
};

// Asks all nodes for their names; seen() is called for each answer as it comes, this node included, until nodes_stop.
// One question at a time.
void nodes_ask(struct node *n, void (*seen)(struct node *n, void *arg, const struct net_node *who), void *arg);
void nodes_stop(struct node *n);

// --- Within net/

// The timer of nodes_ask, and the name that this node answers with: n->name, as it is now.
void nodes_init(struct node *n);
// Stops the timer.
void nodes_fini(struct node *n);
// LOCATE of all nodes, of good form: answers with this node's name.
void nodes_say_name(struct node *n, const struct wire_hdr *q);
// HEREIS of a node, of good form: its name is in npieces pieces.
void nodes_hereis(struct node *n, const struct wire_hdr *h, const struct piece *p, unsigned npieces);

#endif
