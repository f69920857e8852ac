// SPDX-License-Identifier: BSD-2-Clause
// rotifer trace: the last events of a node, in the words of its node service.
#include "core/config.h"
#include "core/error.h"
#include "core/task.h"
#include "core/text.h"
#include "tools/command.h"
#include "tools/find.h"
#include "tools/member.h"
#include "tools/say.h"
#include "tools/table.h"

#include <stdlib.h>
#include <string.h>

#define TRACE_TEXT_MAX (256 * KIB)

static struct {
    const char *node;
    bool json;
} trace;

static const struct option options[] = {OPTION_JSON(&trace.json), {.name = NULL}};
static const struct option operands[] = {
    {.name = "NODE", .kind = OPTION_TEXT, .text = &trace.node},
    {.name = NULL},
};
static const struct column columns[] = {{"at_us", NULL, 0, NULL}, {"event", NULL, 0, NULL}, {NULL, NULL, 0, NULL}};

// A line begins with seconds and six digits of microseconds: "   12.000345 ".
static void put_line(struct table *t, const char *line)
{
    unsigned long long sec = 0, us = 0;
    int behind = 0;
    if (sscanf(line, " %llu.%6llu %n", &sec, &us, &behind) < 2)
        behind = 0;
    table_number(t, sec * 1000000 + us, NULL);
    table_text(t, line + behind);
    table_row_end(t);
}

static void print_json(char *text)
{
    struct table t;
    table_begin(&t, stdout, true, columns);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        put_line(&t, line);
    table_end(&t);
}

static int print_trace(struct node *n, const struct cap *node, char *text)
{
    struct task_result r;
    int64_t s =
        task_trans(n, node, OP_NODE_TRACE, NULL, buf_none(), buf_kernel(text, TRACE_TEXT_MAX), FIND_TIMEOUT_MS, &r);
    if (s < 0)
        return fail_error(s, "trace of %s", trace.node);
    text[r.len] = 0;
    text_make_plain_lines(text, r.len);
    if (trace.json)
        print_json(text);
    else
        fwrite(text, 1, r.len, stdout);
    return EXIT_OK;
}

static int trace_task(struct node *n, void *arg)
{
    struct cap c;
    (void)arg;
    int status = find_service_or_say(n, trace.node, "node", &c);
    if (status != EXIT_OK)
        return status;
    char *text = malloc(TRACE_TEXT_MAX + 1);
    status = text ? print_trace(n, &c, text) : fail("no memory for the trace");
    free(text);
    return status;
}

static int run(void)
{
    return member_run(trace_task, NULL);
}

const struct command command_trace = {
    .name = "trace",
    .group = GROUP_SHOW,
    .what = "the last events of a node",
    .help = "The last events of a node, oldest first: seconds.microseconds since it booted, what happened, "
            "and to what.",
    .next = "rotifer nodes -l",
    .options = options,
    .operands = operands,
    .run = run,
};
