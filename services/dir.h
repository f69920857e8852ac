// SPDX-License-Identifier: BSD-2-Clause
// The boot directory of a node: names -> capabilities. A program that has the ring key derives the directory's own
// capability (services/protocol/dir.h).
#ifndef SERVICES_DIR_H
#define SERVICES_DIR_H

#include "core/types.h"

// Returns the capability of the boot directory of the node called `name`. No node is asked: whether there is such a
// node, the first transaction tells. Costs two hashes: keep the result. Callers: any context.
struct cap dir_root_cap(const uint8_t ring_key[32], const char *name, uint32_t rights);

struct node;
// Enters, or replaces, a name in this node's boot directory. Returns 0, or E_ARG: not 1 to 31 printable bytes; E_LIMIT:
// the directory is full; E_MEM. Callers: node lock held.
int dir_enter(struct node *n, const char *name, const struct cap *cap);

#endif
