// SPDX-License-Identifier: BSD-2-Clause
// rotifer resume: a stunned process goes on.
#include "tools/command.h"
#include "tools/control.h"

static int order(struct node *n, const struct found_proc *p)
{
    return control_send(n, p, OP_PROC_RESUME, NULL, "runs");
}

static int run(void)
{
    return control_run(&control_line, order);
}

const struct command command_resume = {
    .name = "resume",
    .group = GROUP_PROCESS,
    .what = "let a stunned process go on",
    .help = "Lets a stunned process go on from where it was.",
    .options = control_options,
    .operands = control_operands,
    .run = run,
};
