// SPDX-License-Identifier: BSD-2-Clause
// One order to one process, from its name on the command line to the sentence about it.
#include "tools/control.h"
#include "core/panic.h"
#include "tools/member.h"
#include "tools/say.h"
#include "tools/table.h"

struct control control_line;
const struct option control_options[] = {OPTION_JSON(&control_line.json), {.name = NULL}};
const struct option control_operands[] = {
    {.name = "PROC", .kind = OPTION_TEXT, .text = &control_line.what},
    {.name = NULL},
};

static struct {
    const struct control *of;
    int (*order)(struct node *n, const struct found_proc *p);
} control;

static int control_task(struct node *n, void *arg)
{
    struct found_proc p;
    (void)arg;
    int status = find_proc(n, control.of->what, &p);
    return status == EXIT_OK ? control.order(n, &p) : status;
}

int control_run(const struct control *c, int (*order)(struct node *n, const struct found_proc *p))
{
    ASSERT(c->what && order);
    control.of = c;
    control.order = order;
    return member_run(control_task, NULL);
}

int control_fails(const struct found_proc *p, int64_t error)
{
    ASSERT(error < 0);
    return fail_error(error, "%s %06x on %s", p->e.name, p->e.pid, p->node);
}

int control_send(struct node *n, const struct found_proc *p, uint32_t op, const uint64_t *arg, const char *done)
{
    struct json j;
    int64_t s = task_trans(n, &p->e.cap, op, arg, buf_none(), buf_none(), CONTROL_TIMEOUT_MS, NULL);
    if (s < 0)
        return control_fails(p, s);
    if (control.of->json) {
        control_json(&j, p);
        json_text(&j, "done", done);
        control_json_end(&j);
    } else {
        printf("%s %06x on %s: %s\n", p->e.name, p->e.pid, p->node, done);
    }
    return EXIT_OK;
}

void control_json(struct json *j, const struct found_proc *p)
{
    char pid[16];
    snprintf(pid, sizeof pid, "%06x", p->e.pid);
    json_begin(j, stdout);
    json_object(j, NULL);
    json_text(j, "pid", pid);
    json_text(j, "name", p->e.name);
    json_text(j, "node", p->node);
}

void control_json_end(struct json *j)
{
    json_close(j);
    json_finish(j);
}
