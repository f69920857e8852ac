// SPDX-License-Identifier: BSD-2-Clause
// Stopping a ring's processes, removing its files, and looking at both.
#include "tools/ring.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void ring_nap(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

// --- Looking and waiting ----------------------------------------------------------------------------------

#define TAIL_BYTES 2000

void ring_show_tail(const char *node, const char *suffix)
{
    char path[64], text[TAIL_BYTES + 1];
    snprintf(path, sizeof path, "%s.%s", node, suffix);
    FILE *f = fopen(path, "re");
    if (!f)
        return;
    if (fseek(f, -TAIL_BYTES, SEEK_END) != 0)
        rewind(f);
    size_t len = fread(text, 1, TAIL_BYTES, f);
    fclose(f);
    text[len] = 0;
    if (len == 0)
        return;
    fprintf(stderr, "--- %s/%s, the end of it:\n", rundir_path(), path);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        fprintf(stderr, "    %s\n", line);
}

// --- Stopping ---------------------------------------------------------------------------------------------

#define QUIT_MS 5000

static bool ends_within(const struct ring_process *p, long ms)
{
    for (; ms > 0; ms -= 10) {
        (void)waitpid(p->pid, NULL, WNOHANG); // when it is our child
        if (!process_alive(p))
            return true;
        ring_nap(10);
    }
    return !process_alive(p);
}

static void stop(const struct ring_process *p)
{
    if (!process_alive(p))
        return;
    if (strcmp(p->name, HOST_NODE) != 0 && qemu_quit(p->name) && ends_within(p, QUIT_MS))
        return;
    kill(p->pid, SIGTERM);
    if (!ends_within(p, QUIT_MS))
        kill(p->pid, SIGKILL);
    (void)ends_within(p, QUIT_MS);
}

// The host daemon is first in the list.
void ring_stop(const struct ring_state *s)
{
    for (unsigned i = s->count; i-- > 0;)
        stop(&s->proc[i]);
}

void ring_remove_files(bool keep_logs)
{
    static const char *const ours[] = {"ring.state", "ring.state.new", "ring.key", "*.sock",
                                       "n[1-8].qmp", "n[1-8].cfg",     "r[1-8h]",  "l[1-8h]"};
    static const char *const logs[] = {"n[1-8].log", "n[1-8].err", "host.err"};
    glob_t g = {.gl_pathc = 0};
    int more = 0;
    for (unsigned i = 0; i < sizeof ours / sizeof ours[0]; i++, more = GLOB_APPEND)
        (void)glob(ours[i], more, NULL, &g);
    for (unsigned i = 0; !keep_logs && i < sizeof logs / sizeof logs[0]; i++)
        (void)glob(logs[i], GLOB_APPEND, NULL, &g);
    for (size_t i = 0; i < g.gl_pathc; i++)
        (void)unlink(g.gl_pathv[i]);
    globfree(&g);
}

bool ring_any_runs(const struct ring_state *s)
{
    for (unsigned i = 0; i < s->count; i++)
        if (process_alive(&s->proc[i]))
            return true;
    return false;
}

const struct ring_process *ring_one_that_ended(const struct ring_state *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        (void)waitpid(s->proc[i].pid, NULL, WNOHANG);
        if (!process_alive(&s->proc[i]))
            return &s->proc[i];
    }
    return NULL;
}
