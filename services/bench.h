// SPDX-License-Identifier: BSD-2-Clause
// Measurements that a node makes itself, by its own clock (OP_NODE_BENCH).
#ifndef SERVICES_BENCH_H
#define SERVICES_BENCH_H

#include "services/service.h"

// Sends one frame with `payload` bytes to the neighbour on link number `link` and returns 0 when it is back, or a
// negative error (E_TIMEOUT, E_ARG no such link). It may block as tasks do.
typedef int bench_echo_fn(struct node *n, unsigned link, uint32_t payload);

// Gives the node service its echo. Callers: boards and tools, after services_start, once.
void bench_set_echo(struct node *n, bench_echo_fn *echo);

// OP_NODE_BENCH: arg[0] enum node_bench, arg[1] rounds; the reply is one uint64_t of ns for each round. echo may be
// NULL: E_STATE for BENCH_ECHO. Returns 0, or E_ARG, E_STATE, E_MEM, E_LIMIT, or what echo or a transaction returned.
// Callers: tasks (may sleep).
int64_t bench_run(struct node *n, struct request *r, bench_echo_fn *echo);

#endif
