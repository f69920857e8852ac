// SPDX-License-Identifier: BSD-2-Clause
// rotifer kill: ends a process, wherever it is.
#include "tools/command.h"
#include "tools/control.h"

static int order(struct node *n, const struct found_proc *p)
{
    return control_send(n, p, OP_DESTROY, NULL, "killed");
}

static int run(void)
{
    return control_run(&control_line, order);
}

const struct command command_kill = {
    .name = "kill",
    .group = GROUP_PROCESS,
    .what = "end a process",
    .help = "Ends a process, wherever it is. Its owner is told.",
    .options = control_options,
    .operands = control_operands,
    .run = run,
};
