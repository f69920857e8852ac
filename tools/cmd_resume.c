// SPDX-License-Identifier: BSD-2-Clause
// rotifer resume: a stunned process goes on.
#include "tools/command.h"
#include "tools/control.h"
#include "tools/table.h"

static struct control what;
static bool never_ran;

static const struct option options[] = {
    OPTION_JSON(&what.json),
    {.name = "never-ran-there",
     .kind = OPTION_FLAG,
     .flag = &never_ran,
     .what = "of a copy in doubt: you know that the other copy does not run, nor ever will"},
    {.name = NULL},
};
static const struct option operands[] = {
    {.name = "PROC", .kind = OPTION_TEXT, .text = &what.what},
    {.name = NULL},
};

static int order(struct node *n, const struct found_proc *p)
{
    return control_send(n, p, never_ran ? OP_PROC_NEVER_RAN : OP_PROC_RESUME, NULL, "runs");
}

static int run(void)
{
    return control_run(&what, order);
}

const struct command command_resume = {
    .name = "resume",
    .group = GROUP_PROCESS,
    .what = "let a stunned process go on",
    .help =
        "Lets a stunned process go on from where it was. A copy that a broken move left in doubt goes on by itself, "
        "or goes, as soon as the nodes of the move hear of each other. If they never will again, "
        "--never-ran-there makes it go on, on your word that the other copy does not run. That is refused while a "
        "node of the ring can know better.",
    .options = options,
    .operands = operands,
    .run = run,
};
