// SPDX-License-Identifier: BSD-2-Clause
// rotifer node restart: a node that lost power, or loses it now, boots again, in its place in the ring.
#include "core/panic.h"
#include "tools/command.h"
#include "tools/netns.h"
#include "tools/node_process.h"
#include "tools/ring_wait.h"
#include "tools/say.h"
#include "tools/table.h"

#include <signal.h>

static struct node_order order;
NODE_ORDER_TABLES(order);

static struct ring ring = {.qemu = {.harts = 1}, .lock = -1};
static struct ring_process started;

static int act(struct ring_state *s, struct ring_process *p)
{
    if (process_alive(p)) {
        int status = node_signal(p, SIGKILL, node_has_ended);
        if (status != EXIT_OK)
            return status;
    }
    netns_enter(); // as `ring up`: its sockets have long queues
    pid_t pid = qemu_start_again(p->name);
    if (pid < 0)
        return EXIT_FAILED;
    p->pid = pid;
    p->start = process_start(pid);
    if (!ring_state_write(s))
        return EXIT_FAILED;
    ring.state = *s;
    started = *p;
    return EXIT_OK;
}

static int run(void)
{
    int status = node_order_run(&order, false, act);
    if (status == EXIT_OK)
        status = ring_wait_for(&ring, started.name, order.json);
    if (status == EXIT_OK)
        node_order_done(&order, &started, "restarted");
    return status;
}

const struct command command_node_restart = {
    .name = "node restart",
    .group = GROUP_NODE,
    .what = "boot a node again, in its place in the ring",
    .help = "Starts a node again that was killed, with the command line that `ring up` gave it; one that still "
            "runs is killed first. Waits until it answers.",
    .next = "rotifer nodes",
    .options = options,
    .operands = operands,
    .run = run,
};
