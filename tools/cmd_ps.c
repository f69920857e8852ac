// SPDX-License-Identifier: BSD-2-Clause
// rotifer ps: the processes of all nodes, or of one.
#include "core/node.h"
#include "tools/command.h"
#include "tools/find.h"
#include "tools/member.h"
#include "tools/say.h"
#include "tools/table.h"

#include <stdlib.h>

static struct {
    bool all, json;
    const char *node;
} ps;

static const struct option options[] = {
    {.name = "all",
     .letter = 'a',
     .kind = OPTION_FLAG,
     .flag = &ps.all,
     .what = "also what arrives, leaves or has ended; endpoints and comments"},
    {.name = "node", .kind = OPTION_TEXT, .text = &ps.node, .value = "NODE", .what = "of one node only"},
    OPTION_JSON(&ps.json),
    {.name = NULL},
};

#define COLUMNS                                                                                                        \
    {"pid", "PID", -6, NULL}, {"name", "NAME", -16, NULL}, {"node", "NODE", -8, " "}, {"state", "STATE", -9, " "},     \
        {"threads", "THREADS", 7, " "}, {"pages", "PAGES", 9, " "},                                                    \
    {                                                                                                                  \
        "moves", "MOVES", 6, " "                                                                                       \
    }
static const struct column columns[] = {
    COLUMNS,
    {"endpoint", NULL, 0, NULL},
    {"comment", NULL, 0, NULL},
    {NULL, NULL, 0, NULL},
};
static const struct column columns_all[] = {
    COLUMNS,
    {"endpoint", "ENDPOINT", -16, NULL},
    {"comment", "COMMENT", 0, NULL},
    {NULL, NULL, 0, NULL},
};

static bool is_shown(const struct proc_entry *e)
{
    return ps.all || e->state == PROC_RUN || e->state == PROC_STUNNED || e->state == PROC_STUNNING ||
           e->state == PROC_MOVING;
}

static const char *state_text(uint32_t state)
{
    return state < PROC_STATES ? proc_state_name((enum proc_state)state) : "?";
}

static void put_row(struct table *t, const struct found_proc *p)
{
    const struct proc_entry *e = &p->e;
    char pid[16], endpoint[24];
    snprintf(pid, sizeof pid, "%06x", e->pid);
    snprintf(endpoint, sizeof endpoint, "%016llx", (unsigned long long)e->ep);
    table_text(t, pid);
    table_text(t, e->name);
    table_text(t, p->node);
    table_text(t, state_text(e->state));
    table_number(t, e->threads, NULL);
    table_number(t, e->pages, with_commas(e->pages));
    table_number(t, e->moves, with_commas(e->moves));
    table_text(t, endpoint);
    table_text(t, e->comment);
    table_row_end(t);
}

static int ps_task(struct node *n, void *arg)
{
    (void)arg;
    struct found_proc *p;
    struct table t;
    unsigned count;
    int status = find_procs(n, ps.node, &p, &count);
    if (p) {
        table_begin(&t, stdout, ps.json, ps.all ? columns_all : columns);
        for (unsigned i = 0; i < count; i++)
            if (is_shown(&p[i].e))
                put_row(&t, &p[i]);
        table_end(&t);
    }
    free(p);
    bool missing = !ps.node && find_say_missing();
    return status == EXIT_OK && missing ? EXIT_NOBODY : status;
}

static int run(void)
{
    return member_run(ps_task, NULL);
}

const struct command command_ps = {
    .name = "ps",
    .group = GROUP_PROCESS,
    .what = "the processes of all nodes",
    .help = "Lists the processes of all nodes. A process keeps its number (PID) when it moves. Status 203 "
            "when a node that `ring up` started does not answer.",
    .next = "rotifer migrate PROC NODE",
    .options = options,
    .run = run,
};
