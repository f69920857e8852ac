// SPDX-License-Identifier: BSD-2-Clause
// rotifer relay: the process that stands in the links while something is to happen to their frames.
#include "tools/command.h"
#include "tools/netns.h"
#include "tools/relay.h"
#include "tools/rundir.h"
#include "tools/say.h"

static uint64_t nodes;

static const struct option operands[] = {
    {.name = "N", .kind = OPTION_NUMBER, .number = &nodes, .unit = "nodes", .min = 1, .max = RING_NODES_MAX},
    {.name = NULL},
};

static int run(void)
{
    if (!rundir_path())
        return EXIT_FAILED;
    if (!rundir_enter())
        return fail_as(EXIT_NO_RING, "no ring is up (there is no %s). Try: rotifer ring up", rundir_path());
    netns_enter(); // its queues are as long as the nodes'
    return relay_run((unsigned)nodes);
}

const struct command command_relay = {
    .name = "relay",
    .group = GROUP_INTERNAL,
    .what = "the relay of a ring of N nodes",
    .help = "The relay of a ring of N nodes, in the foreground. `rotifer link` and `rotifer capture` start it.",
    .operands = operands,
    .run = run,
};
