// SPDX-License-Identifier: BSD-2-Clause
// rotifer priority: who comes first when there are fewer harts than threads that can run.
#include "core/cap.h"
#include "core/config.h"
#include "tools/command.h"
#include "tools/control.h"
#include "tools/table.h"

static struct control what;
static uint64_t level;

static const struct option options[] = {OPTION_JSON(&what.json), {.name = NULL}};
static const struct option operands[] = {
    {.name = "PROC", .kind = OPTION_TEXT, .text = &what.what},
    {.name = "LEVEL", .kind = OPTION_NUMBER, .number = &level, .min = 0, .max = 7},
    {.name = NULL},
};

static int order(struct node *n, const struct found_proc *p)
{
    // With the right to raise the limit, the limit is raised along: at this command sits the owner of the ring.
    bool owner = cap_rights(&p->e.cap) & RIGHT_OWNER;
    const uint64_t arg[4] = {level, owner && level >= PRIO_DEFAULT ? level + 1 : 0};
    char done[32];
    snprintf(done, sizeof done, "priority %u", (unsigned)level);
    return control_send(n, p, OP_PROC_SET_PRIORITY, arg, done);
}

static int run(void)
{
    return control_run(&what, order);
}

const struct command command_priority = {
    .name = "priority",
    .group = GROUP_PROCESS,
    .what = "who comes first when harts are short: 0 to 7",
    .help = "LEVEL is 0 to 7, 7 the most urgent; processes start with 4. It goes along when the process "
            "moves. One of higher priority takes the processor at once; those below it get one slice in 17.",
    .next = "rotifer info PROC",
    .options = options,
    .operands = operands,
    .run = run,
};
