// SPDX-License-Identifier: BSD-2-Clause
// rotifer node pause: a node hangs.
//
// The whole QEMU is stopped, by SIGSTOP, and not its harts by way of QMP: QMP's `stop` stops the machine's clock along
// with the harts, so that the node cannot notice that it stood still. In a real hang (firmware that takes its time, a
// host that is busy elsewhere) the clock goes on: afterwards all timers of that time are overdue at once, deadlines
// have passed, and old frames wait at the devices. With SIGSTOP it is so: QEMU's clock is this machine's.
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
    int status = node_signal(p, SIGSTOP, process_paused);
    if (status == EXIT_OK)
        node_order_done(&order, p, "paused");
    return status;
}

static int run(void)
{
    return node_order_run(&order, true, act);
}

const struct command command_node_pause = {
    .name = "node pause",
    .group = GROUP_NODE,
    .what = "a node hangs, until node go",
    .help = "Stops a node's QEMU as it is (SIGSTOP). The node's clock goes on, as in a real hang: afterwards its "
            "timers are overdue and old frames wait for it.",
    .next = "rotifer node go NODE",
    .options = options,
    .operands = operands,
    .run = run,
};
