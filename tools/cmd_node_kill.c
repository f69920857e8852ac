// SPDX-License-Identifier: BSD-2-Clause
// rotifer node kill: a node loses power.
#include "tools/command.h"
#include "tools/node_process.h"
#include "tools/say.h"
#include "tools/table.h"

#include <signal.h>

static struct node_order order;
NODE_ORDER_TABLES(order);

static int act(struct ring_state *s, struct ring_process *p)
{
    (void)s;
    int status = node_signal(p, SIGKILL, node_has_ended);
    if (status == EXIT_OK)
        node_order_done(&order, p, "killed");
    return status;
}

static int run(void)
{
    return node_order_run(&order, true, act);
}

const struct command command_node_kill = {
    .name = "node kill",
    .group = GROUP_NODE,
    .what = "a node loses power: its QEMU is killed",
    .help = "Kills a node's QEMU (SIGKILL), in the middle of whatever it does. Its place in the ring stays.",
    .next = "rotifer node restart NODE",
    .options = options,
    .operands = operands,
    .run = run,
};
