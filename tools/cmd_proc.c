// SPDX-License-Identifier: BSD-2-Clause
// Commands about one process: migrate, kill, stun, resume, info. Each finds its capability and sends one request.
#include "core/config.h"
#include "core/error.h"
#include "core/node.h"
#include "core/task.h"
#include "tools/cmds.h"
#include "tools/command.h"
#include "tools/find.h"
#include "tools/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (64 * KIB)
#define CONTROL_TIMEOUT_MS 30000
#define MOVE_TIMEOUT_MS 600000 // a large process over a slow link

struct about {
    const char *what; // the process, as typed
    const char *node; // migrate
    uint32_t op;
    const char *done; // what has happened then
    unsigned level;   // priority
};

// --- migrate ------------------------------------------------------------------------------------------

static void print_move(const struct found_proc *p, const char *target, const uint64_t res[4])
{
    printf("%s %06x: %s -> %s, %s bytes, %s pages, freeze %.2f ms\n", p->e.name, p->e.pid, p->node, target,
           with_commas(res[0]), with_commas(res[2]), (double)res[1] / 1e6);
}

static int migrate_task(struct node *n, void *arg)
{
    const struct about *a = arg;
    struct found_proc p;
    struct cap target;
    struct task_result r;
    if (!find_proc(n, a->what, &p) || !find_service_or_say(n, a->node, "proc", &target))
        return EXIT_FAILED;
    if (strcmp(p.node, a->node) == 0) {
        printf("%s %06x is on %s already\n", p.e.name, p.e.pid, p.node);
        return EXIT_OK;
    }
    int64_t s = task_trans(n, &p.e.cap, OP_PROC_MIGRATE, NULL, buf_kernel(&target, sizeof target), buf_none(),
                           MOVE_TIMEOUT_MS, &r);
    if (s < 0)
        return fail_error(s, "%s %06x: %s -> %s", p.e.name, p.e.pid, p.node, a->node);
    print_move(&p, a->node, r.res);
    return EXIT_OK;
}

static const char migrate_help[] =
    "usage: rotifer migrate PROC NODE\n"
    "\n"
    "Moves a running process, with the transactions it has open, to another node. It does not notice.\n"
    "Prints what moved and for how long the process stood still (freeze).\n"
    "PROC is the process's name or the beginning of its number.\n"
    "Next: rotifer ps\n";

int cmd_migrate(int argc, char **argv)
{
    if (wants_help(argc, argv, migrate_help))
        return EXIT_OK;
    if (argc != 3)
        return usage_error("migrate", "two arguments are needed: a process and a node");
    struct about a = {.what = argv[1], .node = argv[2]};
    return command_run(migrate_task, &a);
}

// --- kill, stun, resume ---------------------------------------------------------------------------------

static int control_task(struct node *n, void *arg)
{
    const struct about *a = arg;
    struct found_proc p;
    if (!find_proc(n, a->what, &p))
        return EXIT_FAILED;
    int64_t s = task_trans(n, &p.e.cap, a->op, NULL, buf_none(), buf_none(), CONTROL_TIMEOUT_MS, NULL);
    if (s < 0)
        return fail_error(s, "%s %06x on %s", p.e.name, p.e.pid, p.node);
    printf("%s %06x on %s: %s\n", p.e.name, p.e.pid, p.node, a->done);
    return EXIT_OK;
}

static int control(int argc, char **argv, uint32_t op, const char *done, const char *help)
{
    if (wants_help(argc, argv, help))
        return EXIT_OK;
    if (argc != 2)
        return usage_error(argv[0], "one argument is needed: a process");
    struct about a = {.what = argv[1], .op = op, .done = done};
    return command_run(control_task, &a);
}

int cmd_kill(int argc, char **argv)
{
    return control(argc, argv, OP_DESTROY, "killed",
                   "usage: rotifer kill PROC\n\nEnds a process, wherever it is. Its owner is told.\n");
}

int cmd_stun(int argc, char **argv)
{
    return control(argc, argv, OP_PROC_STUN, "stunned",
                   "usage: rotifer stun PROC\n\nStops a process, whole, at a well-defined point. Callers of it "
                   "wait for as long as\nit is stopped, and are told so.\nNext: rotifer resume PROC\n");
}

int cmd_resume(int argc, char **argv)
{
    return control(argc, argv, OP_PROC_RESUME, "runs",
                   "usage: rotifer resume PROC\n\nLets a stunned process go on from where it was.\n");
}

// --- priority -------------------------------------------------------------------------------------------

static int priority_task(struct node *n, void *arg)
{
    const struct about *a = arg;
    struct found_proc p;
    if (!find_proc(n, a->what, &p))
        return EXIT_FAILED;
    // Whoever may raise the limit does: at this command sits the owner of the ring.
    bool owner = cap_rights(&p.e.cap) & RIGHT_OWNER;
    const uint64_t arg4[4] = {a->level, owner && a->level >= PRIO_DEFAULT ? a->level + 1 : 0};
    int64_t s = task_trans(n, &p.e.cap, OP_PROC_SET_PRIORITY, arg4, buf_none(), buf_none(), CONTROL_TIMEOUT_MS, NULL);
    if (s < 0)
        return fail_error(s, "%s %06x on %s", p.e.name, p.e.pid, p.node);
    printf("%s %06x on %s: priority %u\n", p.e.name, p.e.pid, p.node, a->level);
    return EXIT_OK;
}

int cmd_priority(int argc, char **argv)
{
    if (wants_help(argc, argv,
                   "usage: rotifer priority PROC LEVEL\n\nLEVEL is 0 to 7, the highest first; processes "
                   "start with 4. It goes along when the process\nmoves. One of higher priority takes the "
                   "processor at once; those below it get one slice in 17.\nNext: rotifer info PROC\n"))
        return EXIT_OK;
    if (argc != 3 || argv[2][0] < '0' || argv[2][0] > '7' || argv[2][1] != 0)
        return usage_error("priority", "two arguments are needed: a process and a level, 0 to 7");
    struct about a = {.what = argv[1], .level = (unsigned)(argv[2][0] - '0')};
    return command_run(priority_task, &a);
}

// --- info -----------------------------------------------------------------------------------------------

static int info_task(struct node *n, void *arg)
{
    const struct about *a = arg;
    struct found_proc p;
    struct task_result r;
    if (!find_proc(n, a->what, &p))
        return EXIT_FAILED;
    char *text = malloc(TEXT_MAX);
    int64_t s =
        text ? task_trans(n, &p.e.cap, OP_STATUS, NULL, buf_none(), buf_kernel(text, TEXT_MAX), CONTROL_TIMEOUT_MS, &r)
             : -E_MEM;
    if (s >= 0) {
        fwrite(text, 1, r.len, stdout);
        if (r.len && text[r.len - 1] != '\n')
            putchar('\n');
    }
    free(text);
    return s < 0 ? fail_error(s, "%s %06x on %s", p.e.name, p.e.pid, p.node) : EXIT_OK;
}

int cmd_info(int argc, char **argv)
{
    if (wants_help(argc, argv, "usage: rotifer info PROC\n\nAll that its kernel tells about a process.\n"))
        return EXIT_OK;
    if (argc != 2)
        return usage_error("info", "one argument is needed: a process");
    struct about a = {.what = argv[1]};
    return command_run(info_task, &a);
}
