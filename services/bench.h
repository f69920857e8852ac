// SPDX-License-Identifier: BSD-2-Clause
// Measurements that a node makes itself, by its own clock (OP_NODE_BENCH).
#ifndef SERVICES_BENCH_H
#define SERVICES_BENCH_H

#include "services/service.h"

// OP_NODE_BENCH: arg[0] enum node_bench, arg[1] rounds; the reply is one uint64_t of ns for each round. Returns 0, or
// E_ARG; E_STATE: the node has no network; E_MEM, E_LIMIT; or an error of an echo or of a transaction. Callers: tasks
// (may sleep).
int64_t bench_run(struct node *n, struct request *r);

#endif
