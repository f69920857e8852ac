// SPDX-License-Identifier: BSD-2-Clause
// Starting a run, from what is offered to the last copy.
#include "tools/start.h"
#include "core/cap.h"
#include "core/error.h"
#include "core/panic.h"
#include "core/task.h"
#include "tools/files.h"
#include "tools/find.h"
#include "tools/offer.h"
#include "tools/owner.h"
#include "tools/say.h"
#include "tools/watch.h"

#include <stdlib.h>

#define STARTERS 8u
#define EXEC_TIMEOUT_MS 120000

static void *prepare(struct node *n, struct run *run, uint64_t *len)
{
    int e = files_start(n);
    if (e == 0 && !run->detach)
        e = owner_start(n, &run->owner);
    if (e < 0) {
        fail_error(e, "cannot serve files");
        return NULL;
    }
    return offer_all(n, run, watch_nobody_reads) ? program_file_descriptor(n, &run->program, &run->owner, len) : NULL;
}

static void start_one(struct node *n, struct run *run, struct cap *process)
{
    struct task_result r;
    int64_t s = task_trans(n, &run->proc, OP_PROC_EXEC, NULL, run->desc, buf_kernel(process, sizeof *process),
                           EXEC_TIMEOUT_MS, &r);
    if (s < 0) {
        run->failure = fail_error(s, "%s on %s", run->program.name, run->node);
        *process = (struct cap){0};
        return;
    }
    run->pid = (uint32_t)r.res[0];
    if (!run->quiet)
        warn("%s %06x runs on %s", run->program.name, run->pid, run->node);
}

// Starts copies until all are begun or one fails. Several tasks do so at a time: each waits for answers mostly.
static void starter(struct node *n, void *arg)
{
    struct run *run = arg;
    while (run->begun < run->copies && run->failure == EXIT_OK && !run->interrupted)
        start_one(n, run, &run->process[run->begun++]);
    run->starters--;
    task_wake(n, &run->starters);
}

int start_all(struct node *n, struct run *run)
{
    uint64_t len;
    ASSERT(run->copies >= 1 && run->begun == 0);
    run->process = calloc(run->copies, sizeof *run->process);
    owner_so_far()->wanted = run->copies;
    void *desc = run->process ? prepare(n, run, &len) : NULL;
    if (!desc)
        return EXIT_FAILED;
    int status = find_service_or_say(n, run->node, "proc", &run->proc);
    if (status != EXIT_OK)
        return status;
    run->desc = buf_kernel(desc, len);
    for (; run->starters + 1 < STARTERS && run->starters + 1 < run->copies; run->starters++)
        if (!task_spawn(n, "starter", starter, run))
            break;
    run->starters++;
    starter(n, run);
    while (run->starters > 0)
        task_wait(n, &run->starters);
    free(desc);
    return run->failure;
}
