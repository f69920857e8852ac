// SPDX-License-Identifier: BSD-2-Clause
// rotifer kill: ends a process, wherever it is.
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
    return control_send(n, p, OP_DESTROY, NULL, "killed");
}

static int run(void)
{
    return control_run(&what, order);
}

const struct command command_kill = {
    .name = "kill",
    .group = GROUP_PROCESS,
    .what = "end a process",
    .help = "Ends a process, wherever it is. Its owner is told.",
    .options = options,
    .operands = operands,
    .run = run,
};
