// SPDX-License-Identifier: BSD-2-Clause
// rotifer stun: stops a process, whole, at a well-defined point.
#include "tools/command.h"
#include "tools/control.h"

static int order(struct node *n, const struct found_proc *p)
{
    return control_send(n, p, OP_PROC_STUN, NULL, "stunned");
}

static int run(void)
{
    return control_run(&control_line, order);
}

const struct command command_stun = {
    .name = "stun",
    .group = GROUP_PROCESS,
    .what = "stop a process, whole, where it is",
    .help = "Stops a process, whole, at a well-defined point. Callers of it wait for as long as it is "
            "stopped, and are told so.",
    .next = "rotifer resume PROC",
    .options = control_options,
    .operands = control_operands,
    .run = run,
};
