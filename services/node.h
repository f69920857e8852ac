// SPDX-License-Identifier: BSD-2-Clause
// The node as an object: status, trace, power.
#ifndef SERVICES_NODE_H
#define SERVICES_NODE_H

#include "services/protocol.h"

struct node;

// fn fills in `links` and `link[]` of a status. Services do not know net/ (design section 4): who puts the two together
// (boards, the host command) gives this, after services_start.
void services_set_link_status(struct node *n, void (*fn)(struct node *n, struct node_status *st));

#endif
