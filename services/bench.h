// SPDX-License-Identifier: BSD-2-Clause
// Measurements that a node makes itself, by its own clock (OP_NODE_BENCH).
#ifndef SERVICES_BENCH_H
#define SERVICES_BENCH_H

#include "services/service.h"

// echo sends one frame with `payload` bytes to the neighbour on link number `link` and returns 0 when it is back, or a
// negative error (E_TIMEOUT, E_ARG no such link). It may block as tasks do. Given after services_start.
void bench_set_echo(struct node *n, int (*echo)(struct node *n, unsigned link, uint32_t payload));

// The operation: arg[0] enum node_bench, arg[1] rounds; the reply is one uint64_t of ns for each round.
int64_t bench_run(struct node *n, struct request *r);

#endif
