// SPDX-License-Identifier: BSD-2-Clause
// One node of the ring as a process of this machine: what `node kill`, `node pause` and their like do to it.
// Callers: one thread; nothing here locks.
#ifndef TOOLS_NODE_PROCESS_H
#define TOOLS_NODE_PROCESS_H

#include "tools/options.h"
#include "tools/ring.h"

struct node_order {
    const char *node; // as it was typed
    bool json;
};

// Options and operands of such a command, with their places in the struct node_order called `order`.
#define NODE_ORDER_TABLES(order)                                                                                       \
    static const struct option options[] = {OPTION_JSON(&order.json), {.name = NULL}};                                 \
    static const struct option operands[] = {                                                                          \
        {.name = "NODE", .kind = OPTION_TEXT, .text = &order.node},                                                    \
        {.name = NULL},                                                                                                \
    }

// Enters the run directory, takes the ring's state into *s (ring_state_take), and calls act(s, p), p being the node's
// process, which runs if `runs` is true. Returns what act returned; or EXIT_NO_RING, EXIT_NOBODY: there is no such
// node or it has ended, EXIT_REFUSED: it is the host daemon; after saying so.
int node_order_run(const struct node_order *o, bool runs, int (*act)(struct ring_state *s, struct ring_process *p));
// Sends signal number sig and waits until done(p). Returns EXIT_OK, or EXIT_FAILED after saying that it never was.
int node_signal(const struct ring_process *p, int sig, bool (*done)(const struct ring_process *p));
// True when it has ended.
bool node_has_ended(const struct ring_process *p);
// Says what was done, as a sentence or as JSON.
void node_order_done(const struct node_order *o, const struct ring_process *p, const char *done);

#endif
