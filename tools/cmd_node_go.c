// SPDX-License-Identifier: BSD-2-Clause
// rotifer node go: a node that was paused goes on.
#include "tools/command.h"
#include "tools/node_process.h"
#include "tools/say.h"
#include "tools/table.h"

#include <signal.h>

static struct node_order order;
NODE_ORDER_TABLES(order);

static bool runs(const struct ring_process *p)
{
    return !process_paused(p);
}

static int act(struct ring_state *s, struct ring_process *p)
{
    (void)s;
    bool was_paused = process_paused(p);
    int status = node_signal(p, SIGCONT, runs);
    if (status == EXIT_OK)
        node_order_done(&order, p, was_paused ? "goes on" : "was not paused");
    return status;
}

static int run(void)
{
    return node_order_run(&order, true, act);
}

const struct command command_node_go = {
    .name = "node go",
    .group = GROUP_NODE,
    .what = "a node that was paused goes on",
    .help = "Lets a node go on that was paused, by `node pause` or by a rule of `link`.",
    .next = "rotifer nodes",
    .options = options,
    .operands = operands,
    .run = run,
};
