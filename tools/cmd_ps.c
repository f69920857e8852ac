// SPDX-License-Identifier: BSD-2-Clause
// rotifer ps
#include "core/node.h"
#include "tools/cmds.h"
#include "tools/command.h"
#include "tools/find.h"
#include "tools/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: rotifer ps [-a] [--node NODE]\n"
    "\n"
    "Lists the processes of all nodes. A process keeps its number (PID) when it moves.\n"
    "  -a           also those that are arriving, leaving or have ended; and endpoints and comments\n"
    "  --node NODE  of one node only\n"
    "Next: rotifer migrate PROC NODE\n";

struct ps {
    bool all;
    const char *node;
};

static bool is_shown(const struct ps *o, const struct proc_entry *e)
{
    return o->all || e->state == PROC_RUN || e->state == PROC_STUNNED || e->state == PROC_STUNNING ||
           e->state == PROC_MOVING;
}

static const char *state_text(uint32_t state)
{
    return state < PROC_STATES ? proc_state_name((enum proc_state)state) : "?";
}

static int ps_task(struct node *n, void *arg)
{
    const struct ps *o = arg;
    struct found_proc *p;
    unsigned count = find_procs(n, o->node, &p);
    printf("%-6s  %-16s %-8s %-9s %7s %9s %6s%s\n", "PID", "NAME", "NODE", "STATE", "THREADS", "PAGES", "MOVES",
           o->all ? "  ENDPOINT          COMMENT" : "");
    for (unsigned i = 0; i < count; i++) {
        const struct proc_entry *e = &p[i].e;
        if (!is_shown(o, e))
            continue;
        printf("%06x  %-16s %-8s %-9s %7u %9s %6s", e->pid, e->name, p[i].node, state_text(e->state), e->threads,
               with_commas(e->pages), with_commas(e->moves));
        if (o->all)
            printf("  %016llx  %s", (unsigned long long)e->ep, e->comment);
        putchar('\n');
    }
    free(p);
    return EXIT_OK;
}

int cmd_ps(int argc, char **argv)
{
    struct ps o = {.node = NULL};
    if (wants_help(argc, argv, help))
        return EXIT_OK;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-a") == 0)
            o.all = true;
        else if (strcmp(argv[i], "--node") == 0 && i + 1 < argc)
            o.node = argv[++i];
        else
            return usage_error("ps", "what is '%s'?", argv[i]);
    }
    return command_run(ps_task, &o);
}
