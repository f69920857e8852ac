// SPDX-License-Identifier: BSD-2-Clause
// The node as an object: status, trace, power (services/protocol/node.h).
#ifndef SERVICES_NODE_H
#define SERVICES_NODE_H

#include "services/protocol.h"

struct node;

// fn fills in `links` and `link[]` of a status. Services do not know net/ (design section 4), so boards and the host
// command, which know both, give this. Callers: node lock held; after services_start, once.
void services_set_link_status(struct node *n, void (*fn)(struct node *n, struct node_status *st));

#endif
