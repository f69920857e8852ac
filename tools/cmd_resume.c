// SPDX-License-Identifier: BSD-2-Clause
// rotifer resume: a stunned process goes on.
#include "tools/command.h"
#include "tools/control.h"
#include "tools/table.h"

static struct control what;

static const struct option options[] = {OPTION_JSON(&what.json), {.name = NULL}};
static const struct option operands[] = {
    {.name = "PROC", .kind = OPTION_TEXT, .text = &what.what},
    {.name = NULL},
};

static int order(struct node *n, const struct found_proc *p)
{
    return control_send(n, p, OP_PROC_RESUME, NULL, "runs");
}

static int run(void)
{
    return control_run(&what, order);
}

const struct command command_resume = {
    .name = "resume",
    .group = GROUP_PROCESS,
    .what = "let a stunned process go on",
    .help = "Lets a stunned process go on from where it was.",
    .options = options,
    .operands = operands,
    .run = run,
};
