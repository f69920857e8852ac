// SPDX-License-Identifier: BSD-2-Clause
// rotifer info: all that its kernel tells about a process, in the kernel's own words.
#include "core/config.h"
#include "core/text.h"
#include "tools/command.h"
#include "tools/control.h"
#include "tools/say.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (64 * KIB)

// Typed is what the list of processes has; the kernel's lines come as they are.
static void print_json(const struct found_proc *p, char *text)
{
    struct json j;
    control_json(&j, p);
    json_number(&j, "threads", p->e.threads);
    json_number(&j, "segments", p->e.segments);
    json_number(&j, "pages", p->e.pages);
    json_number(&j, "moves", p->e.moves);
    json_array(&j, "lines");
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        json_text(&j, NULL, line);
    json_close(&j);
    control_json_end(&j);
}

static int print_info(struct node *n, const struct found_proc *p, char *text)
{
    struct task_result r;
    int64_t s =
        task_trans(n, &p->e.cap, OP_STATUS, NULL, buf_none(), buf_kernel(text, TEXT_MAX), CONTROL_TIMEOUT_MS, &r);
    if (s < 0)
        return control_fails(p, s);
    text[r.len] = 0;
    text_make_plain_lines(text, r.len);
    if (control_line.json)
        print_json(p, text);
    else
        printf("%s%s", text, r.len && text[r.len - 1] != '\n' ? "\n" : "");
    return EXIT_OK;
}

static int order(struct node *n, const struct found_proc *p)
{
    char *text = malloc(TEXT_MAX + 1);
    int status = text ? print_info(n, p, text) : fail("no memory for the answer");
    free(text);
    return status;
}

static int run(void)
{
    return control_run(&control_line, order);
}

const struct command command_info = {
    .name = "info",
    .group = GROUP_PROCESS,
    .what = "all that its kernel tells about a process",
    .help = "All that its kernel tells about a process: maps, threads, transactions, owner, limit.",
    .options = control_options,
    .operands = control_operands,
    .run = run,
};
