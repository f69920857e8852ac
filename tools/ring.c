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

static bool ring_is_qemu(const struct ring_process *p)
{
    return ring_process_is_node(p) && strcmp(p->name, HOST_NODE) != 0;
}

static void stop(const struct ring_process *p)
{
    if (!process_alive(p))
        return;
    kill(p->pid, SIGCONT); // one that is paused hears nothing
    if (ring_is_qemu(p) && qemu_quit(p->name) && ends_within(p, QUIT_MS))
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

// Files called PREFIX and SUFFIX, PREFIX with patterns of glob(7).
static void remove_files(const char *prefix, const char *suffix)
{
    char pattern[64];
    glob_t g = {.gl_pathc = 0};
    snprintf(pattern, sizeof pattern, "%s%s", prefix, suffix);
    (void)glob(pattern, 0, NULL, &g);
    for (size_t i = 0; i < g.gl_pathc; i++)
        (void)unlink(g.gl_pathv[i]);
    globfree(&g);
}

// Of nodes 1 to 99, and of the links' ends: no file of anybody else's has such a name.
static void remove_numbered(const char *letter, const char *suffix)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "%s[1-9h]", letter);
    remove_files(prefix, suffix);
    snprintf(prefix, sizeof prefix, "%s[1-9][0-9]", letter);
    remove_files(prefix, suffix);
}

void ring_remove_files(bool keep_logs)
{
    static const char *const ours[] = {"ring.state", "ring.state.new", "ring.changes", "ring.key", "*.sock"};
    static const char *const of_node[] = {".qmp", ".cfg", ".args"}, *const of_end[] = {"", ".end", ".relay", ".new"};
    static const char *const logs[] = {".log", ".err"};
    for (unsigned i = 0; i < sizeof ours / sizeof ours[0]; i++)
        remove_files(ours[i], "");
    for (unsigned i = 0; i < sizeof of_node / sizeof of_node[0]; i++)
        remove_numbered("n", of_node[i]);
    for (unsigned i = 0; i < sizeof of_end / sizeof of_end[0]; i++)
        remove_numbered("[lr]", of_end[i]);
    for (unsigned i = 0; !keep_logs && i < sizeof logs / sizeof logs[0]; i++)
        remove_numbered("n", logs[i]);
    if (keep_logs)
        return;
    remove_files("host", ".err");
    remove_files(RELAY_NAME, ".err");
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
