// SPDX-License-Identifier: BSD-2-Clause
// Starting a run: the descriptor is made once, and each copy is one transaction with the node's process service.
#ifndef TOOLS_START_H
#define TOOLS_START_H

#include "tools/run.h"

// Starts run->copies of run->program on run->node. Returns EXIT_OK, or after saying why not EXIT_FAILED (this machine's
// part), EXIT_NOBODY, EXIT_REFUSED; some copies may run then. Callers: the task of the command, once.
int start_all(struct node *n, struct run *run);

#endif
