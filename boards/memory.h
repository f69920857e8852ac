// SPDX-License-Identifier: BSD-2-Clause
// Memory: from the ranges of the machine to the pages of the node.
// Callers: boot hart only, node lock held.
#ifndef BOARDS_MEMORY_H
#define BOARDS_MEMORY_H

#include "boards/machine.h"

struct node;

// Gives the node all pages of m->ram, but for the table of holders that this needs, which is carved out of them.
// Returns false if there is no memory, or too little for the table.
bool memory_give(struct node *n, const struct machine *m);

#endif
