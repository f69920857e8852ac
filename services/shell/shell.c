// SPDX-License-Identifier: BSD-2-Clause
// The main task of the shell: it finds its services, takes lines one by one, and has each carried out.
#include "services/shell/shell.h"
#include "core/cap.h"
#include "core/error.h"
#include "core/log.h"
#include "core/panic.h"
#include "services/dir.h"
#include "services/shell/shell_priv.h"

#include <stdio.h>
#include <string.h>

// --- The loop ----------------------------------------------------------------------------------------------------

// The oldest line of the queue, shown behind the prompt as if it had been typed now.
static void take_line(struct node *n, struct shell *sh, char line[EDIT_LINE_MAX + 1])
{
    char text[sizeof sh->prompt + EDIT_LINE_MAX];
    ASSERT(sh->queued > 0 && sh->queued <= SHELL_QUEUE);
    memcpy(line, sh->queue[sh->queue_first], EDIT_LINE_MAX + 1);
    sh->queue_first = (sh->queue_first + 1) % SHELL_QUEUE;
    sh->queued--;
    sh->at_prompt = false;
    sh->interrupted = sh->suspended = false;
    task_wake(n, sh->queue); // the task keys, if it waits for room there
    int len = snprintf(text, sizeof text, "%s%s", sh->prompt, line);
    const uint64_t arg[4] = {(uint64_t)len, SHOW_ENTERED, 0, 0};
    (void)task_trans(n, &sh->console, OP_CONSOLE_SHOW, arg, buf_kernel(text, (uint64_t)len), buf_none(), 0, NULL);
}

static void wait_for_line(struct node *n, struct shell *sh)
{
    while (sh->queued == 0) {
        notify_ends(n);
        if (sh->queued > 0)
            break;
        if (!sh->at_prompt) {
            sh->at_prompt = true;
            show_row(n, SHOW_TYPED); // what was typed meanwhile is behind it
        }
        if (sh->queued == 0 && !job_ended(n))
            task_wait(n, sh);
    }
}

static void main_loop(struct node *n, struct shell *sh)
{
    char line[EDIT_LINE_MAX + 1];
    say(n, "This is the shell of node %s. Type help.", n->name);
    for (;;) {
        wait_for_line(n, sh);
        take_line(n, sh, line);
        run_line(n, line);
        notify_ends(n);
    }
}

static int64_t find_services(struct node *n, struct shell *sh)
{
    const struct {
        const char *name;
        struct cap *cap;
    } all[] = {{"console", &sh->console}, {"proc", &sh->proc}, {"node", &sh->node}, {"bootfs", &sh->bootfs}};
    int64_t status = 0;
    sh->dir = dir_root_cap(n->ring_key, n->name, RIGHT_ALL);
    for (size_t i = 0; status >= 0 && i < sizeof all / sizeof all[0]; i++)
        status = ask(n, &sh->dir, OP_DIR_LOOKUP, 0, all[i].name, all[i].cap);
    return status;
}

static void shell_main(struct node *n, void *arg)
{
    struct shell *sh = arg;
    int64_t status = find_services(n, sh);
    if (status >= 0) {
        sh->keys = task_spawn(n, "keys", keys_main, sh);
        status = sh->keys ? 0 : -E_MEM;
    }
    if (status < 0)
        node_log(n, "shell: cannot start: %s", error_string(status));
    else
        main_loop(n, sh);
    sh->main = NULL; // the task ends
}

// --- Starting and stopping -----------------------------------------------------------------------------------------

static int open(struct node *n)
{
    struct port get;
    ASSERT(!n->services->shell);
    struct shell *sh = n->services->shell = page_alloc(n);
    if (!sh)
        return -E_MEM;
    pool_init(&sh->pool_job, "job", sizeof(struct job));
    list_init(&sh->jobs);
    (void)snprintf(sh->prompt, sizeof sh->prompt, "%s> ", n->name);
    sh->edit = page_alloc(n);
    if (!sh->edit)
        return -E_MEM;
    edit_init(sh->edit);
    node_random(n, &get, sizeof get);
    node_random(n, sh->key, sizeof sh->key);
    int e = service_open(n, &shell_owner, get, &sh->put);
    if (e < 0)
        return e;
    sh->main = task_spawn(n, "shell", shell_main, sh);
    return sh->main ? 0 : -E_MEM;
}

// Starts no task: not at every node somebody types (shell_open).
int shell_service_start(struct node *n)
{
    n->services->shell_open = open;
    return 0;
}

void shell_service_stop(struct node *n)
{
    struct shell *sh = n->services->shell;
    if (!sh)
        return;
    if (sh->keys)
        task_free(n, sh->keys);
    if (sh->main)
        task_free(n, sh->main);
    LIST_FOR_SAFE (l, next, &sh->jobs)
        job_free(n, LIST_ENTRY(l, struct job, link));
    if (sh->edit)
        page_drop(n, sh->edit);
    page_drop(n, sh);
    n->services->shell = NULL;
}
