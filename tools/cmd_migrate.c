// SPDX-License-Identifier: BSD-2-Clause
// rotifer migrate: moves a running process to another node.
#include "tools/command.h"
#include "tools/control.h"
#include "tools/say.h"
#include "tools/table.h"

#include <string.h>

#define MOVE_TIMEOUT_MS 600000 // a large process over a slow link

static struct control what;
static const char *target;

static const struct option options[] = {OPTION_JSON(&what.json), {.name = NULL}};
static const struct option operands[] = {
    {.name = "PROC", .kind = OPTION_TEXT, .text = &what.what},
    {.name = "NODE", .kind = OPTION_TEXT, .text = &target},
    {.name = NULL},
};

// res: bytes, nanoseconds that it stood still, pages (OP_PROC_MIGRATE).
static void print_move(const struct found_proc *p, const uint64_t res[4])
{
    struct json j;
    if (what.json) {
        control_json(&j, p);
        json_text(&j, "to", target);
        json_bool(&j, "moved", true);
        json_number(&j, "bytes", res[0]);
        json_number(&j, "pages", res[2]);
        json_number(&j, "freeze_ns", res[1]);
        control_json_end(&j);
    } else {
        printf("%s %06x: %s -> %s, %s bytes, %s pages, freeze %.2f ms\n", p->e.name, p->e.pid, p->node, target,
               with_commas(res[0]), with_commas(res[2]), (double)res[1] / 1e6);
    }
}

static void print_there_already(const struct found_proc *p)
{
    struct json j;
    if (what.json) {
        control_json(&j, p);
        json_text(&j, "to", target);
        json_bool(&j, "moved", false);
        control_json_end(&j);
    } else {
        printf("%s %06x is on %s already\n", p->e.name, p->e.pid, p->node);
    }
}

static int order(struct node *n, const struct found_proc *p)
{
    struct cap to;
    struct task_result r;
    int status = find_service_or_say(n, target, "proc", &to);
    if (status != EXIT_OK)
        return status;
    if (strcmp(p->node, target) == 0) {
        print_there_already(p);
        return EXIT_OK;
    }
    int64_t s =
        task_trans(n, &p->e.cap, OP_PROC_MIGRATE, NULL, buf_kernel(&to, sizeof to), buf_none(), MOVE_TIMEOUT_MS, &r);
    if (s < 0)
        return fail_error(s, "%s %06x: %s -> %s", p->e.name, p->e.pid, p->node, target);
    print_move(p, r.res);
    return EXIT_OK;
}

static int run(void)
{
    return control_run(&what, order);
}

const struct command command_migrate = {
    .name = "migrate",
    .group = GROUP_PROCESS,
    .what = "move a running process to another node",
    .help = "Moves a running process, with the transactions it has open, to another node. It does not notice. "
            "Prints what moved and for how long the process stood still (freeze). PROC is the process's name "
            "or the beginning of its number.",
    .next = "rotifer ps",
    .options = options,
    .operands = operands,
    .run = run,
};
