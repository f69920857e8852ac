// SPDX-License-Identifier: BSD-2-Clause
// What a program that is started gets from this command. Each file and the terminal are objects that the command serves
// itself: nothing is uploaded, and when the process moves its capabilities still lead here.
#include "tools/offer.h"
#include "core/config.h"
#include "core/node.h"
#include "core/task.h"
#include "tools/files.h"
#include "tools/find.h"
#include "tools/member.h"
#include "tools/rundir.h"
#include "tools/say.h"
#include "tools/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool offer_file(struct node *n, struct program_file *p, const char *path)
{
    char name[64];
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        return true; // an argument like any other
    }
    if ((size_t)snprintf(name, sizeof name, "file:%s", path) >= sizeof p->cap[0].name) {
        warn("%s is a file, but its name is longer than 26 bytes: the program cannot open it", path);
        close(fd);
        return true;
    }
    struct cap c = files_add_file(n, fd);
    if (!cap_is_null(&c) && program_file_add_cap(p, name, &c))
        return true;
    fail("more files among the arguments than a program can be given");
    return false;
}

// What a program may have for a terminal that nobody sits at: to write to, not to read from.
static bool offer_console(struct node *n, const char *node, struct cap *tty)
{
    const uint64_t keep[4] = {RIGHT_WRITE, 0, 0, 0};
    struct cap console;
    if (find_service_or_say(n, node, "console", &console) != EXIT_OK)
        return false;
    int64_t s =
        task_trans(n, &console, OP_RESTRICT, keep, buf_none(), buf_kernel(tty, sizeof *tty), FIND_TIMEOUT_MS, NULL);
    if (s < 0)
        fail_error(s, "console of %s", node);
    return s >= 0;
}

// Its own arguments it has; the files that they name it could read only while this command is there.
static void say_unreadable(const struct program_file *p)
{
    struct stat st;
    for (int i = 1; i < p->argc; i++)
        if (stat(p->argv[i], &st) == 0 && S_ISREG(st.st_mode))
            warn("%s is a file of this machine: a detached program cannot read it", p->argv[i]);
}

static bool offer_terminal(struct node *n, struct run *run, void (*nobody_reads)(struct node *n))
{
    struct program_file *p = &run->program;
    struct cap tty;
    int e = 0;
    if (run->detach) {
        if (!offer_console(n, run->node, &tty))
            return false;
    } else if ((e = tty_start(n, member_loop(), nobody_reads, &tty)) < 0) {
        fail_error(e, "terminal");
        return false;
    }
    return program_file_add_cap(p, "tty", &tty);
}

// A meeting is on the host when no node is named, for that is there as long as the ring is; any other grant is of the
// node on which the program starts.
static bool offer_grants(struct node *n, struct run *run)
{
    for (unsigned i = 0; i < run->ngrants; i++) {
        const struct grant *g = &run->grant[i];
        const char *node = strcmp(g->name, GRANT_MEET) == 0 ? HOST_NODE : run->node;
        struct cap c;
        int64_t s = grant_fetch(n, node, g, &c);
        if (s < 0) {
            fail_error(s, "cannot grant %s of %s", g->what, g->node[0] ? g->node : node);
            return false;
        }
        if (!program_file_add_cap(&run->program, g->name, &c))
            return false;
        grant_note(run->program.note, g);
    }
    return true;
}

static bool offer_folder(struct node *n, struct run *run)
{
    if (!run->files)
        return true;
    int fd = open(run->files, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (fd < 0) {
        fail("--files %s: %s", run->files, strerror(errno));
        return false;
    }
    struct cap c = files_add_dir(n, fd);
    return program_file_add_cap(&run->program, "files", &c);
}

// The date at which the process's clock begins: its own clock then goes along when it moves.
static void offer_date(struct program_file *p)
{
    static char text[48];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(text, sizeof text, "EPOCH_NS=%llu",
             (unsigned long long)now.tv_sec * NS_PER_S + (unsigned long long)now.tv_nsec);
    if (p->nenv < PROGRAM_ENV_MAX)
        p->env[p->nenv++] = text;
}

bool offer_all(struct node *n, struct run *run, void (*nobody_reads)(struct node *n))
{
    struct program_file *p = &run->program;
    if (!offer_terminal(n, run, nobody_reads) || !offer_grants(n, run) || !offer_folder(n, run))
        return false;
    offer_date(p);
    if (run->detach)
        say_unreadable(p);
    for (int i = 1; i < p->argc && !run->detach; i++)
        if (!offer_file(n, p, p->argv[i]))
            return false;
    return true;
}
