// SPDX-License-Identifier: BSD-2-Clause
// rotifer run: loads a program, starts it on a node, and is its terminal, its files and its owner until it ends; or
// starts it detached: then nobody is its owner.
#include "core/config.h"
#include "core/entry.h"
#include "core/error.h"
#include "core/node.h"
#include "core/task.h"
#include "services/dir.h"
#include "tools/cmds.h"
#include "tools/command.h"
#include "tools/files.h"
#include "tools/find.h"
#include "tools/owner.h"
#include "tools/program.h"
#include "tools/rundir.h"
#include "tools/say.h"
#include "tools/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define COPIES_MAX 4000u
#define STARTERS 8u
#define EXEC_TIMEOUT_MS 120000
#define KILL_TIMEOUT_MS 5000
#define LOOK_AFTER_NS (3 * NS_PER_S) // between two looks whether the process is still anywhere
#define LOOK_TIMEOUT_MS 60000        // longer than it takes to find out that nobody serves a port
#define LOST_AFTER 3                 // looks in a row that found it nowhere
#define LAST_WORD_NS (2 * NS_PER_S)  // a fault was reported: how long to wait for "ended"

static const char help[] =
    "usage: rotifer run [--node NODE] [--name NAME] [--env K=V]... [--dir NODE] [--files DIR] [--quiet]\n"
    "                   [--copies N] [--detach] PROGRAM [ARG...]\n"
    "\n"
    "Starts PROGRAM (a static RISC-V ELF file, or NAME for build/guest/NAME.elf) on a node and stays its\n"
    "terminal and its owner, wherever it moves. An ARG that names a readable file may be read by the program.\n"
    "  --node NODE   where to start it (default n1)\n"
    "  --name NAME   what ps, migrate and kill call it (default: the program's)\n"
    "  --env K=V     put K=V into its environment\n"
    "  --dir NODE    whose boot directory it gets as \"dir\" (default host, where all programs meet)\n"
    "  --files DIR   it may read all files that lie in DIR, by their plain names: for Lua's require and dofile\n"
    "  --quiet       say nothing but what the program says\n"
    "  --copies N    start N of it, on one terminal; when one cannot start, or fails, all are ended\n"
    "  --detach      start it and leave: it has no owner and lives on by itself. What it prints goes to the console\n"
    "                of the node where it starts; it reads no input and no files of this machine\n"
    "Exit status: the program's own; 128 + n when it was ended by what is signal n on Linux; 125 when it was\n"
    "lost; of several copies, the first that is not 0. Ctrl-C kills it. Ctrl-Z stuns it, and it goes on when this\n"
    "command does (fg, bg). When this command dies (kill -9), its nodes find out within some 65 s and end it.\n"
    "Next, from another terminal: rotifer ps; rotifer migrate NAME n2\n";

struct run {
    const char *node;  // where it starts
    const char *dir;   // node whose boot directory it gets
    const char *files; // folder of ours that it may read; NULL: none
    bool quiet, detach;
    struct program_file program;
    unsigned copies;
    struct cap owner; // ours; null: nobody is
    struct cap proc;  // service that starts them
    struct buf desc;
    unsigned begun, starters; // copies; tasks that start them
    bool failed;
    struct cap *process; // copies of them; null: not started
    uint32_t pid;        // of the last one
    bool interrupted, lost, unread, pausing;
};

static struct run *running; // NULL: not started yet

static void interrupt(struct node *n)
{
    running->interrupted = true;
    task_wake(n, owner_so_far());
}

static void nobody_reads(struct node *n)
{
    if (!running)
        return;
    running->unread = true;
    task_wake(n, owner_so_far());
}

// --- Ctrl-Z: it stops with us -------------------------------------------------------------------------------

// To each copy; those that have ended, or cannot be reached now, are left out.
static void order_all(struct node *n, const struct run *run, uint32_t op, uint64_t arg1, const struct cap *cap)
{
    const uint64_t arg[4] = {0, arg1, 0, 0};
    for (unsigned i = 0; i < run->copies; i++)
        if (!cap_is_null(&run->process[i]))
            (void)task_trans(n, &run->process[i], op, arg, cap ? buf_kernel(cap, sizeof *cap) : buf_none(), buf_none(),
                             KILL_TIMEOUT_MS, NULL);
}

// Stopped, we are as silent as a dead owner, and a terminal that does not answer. So meanwhile nobody owns it, and it
// is stunned: nothing is lost, however long it takes.
static void pause_main(struct node *n, void *arg)
{
    struct run *run = arg;
    static const struct cap nobody;
    order_all(n, run, OP_PROC_STUN, 1, NULL);
    order_all(n, run, OP_PROC_SET_OWNER, 0, &nobody);
    if (!run->quiet)
        warn("%s is stunned; fg or bg lets it go on", run->program.name);
    fflush(NULL);
    raise(SIGSTOP);
    order_all(n, run, OP_PROC_SET_OWNER, 0, &run->owner);
    order_all(n, run, OP_PROC_RESUME, 0, NULL);
    run->pausing = false;
}

static void pause_it(struct node *n)
{
    if (running->pausing)
        return;
    running->pausing = task_spawn(n, "pause", pause_main, running) != NULL;
}

// --- What the process is given ------------------------------------------------------------------------

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
static bool console_of(struct node *n, const char *node, struct cap *tty)
{
    const uint64_t keep[4] = {RIGHT_WRITE, 0, 0, 0};
    struct cap console;
    if (!find_service_or_say(n, node, "console", &console))
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

static bool offer_services(struct node *n, struct run *run)
{
    struct program_file *p = &run->program;
    struct cap tty;
    int e = 0;
    // Names of its own it may enter and remove there; what else the directory holds, it may only look up.
    struct cap dir = dir_root_cap(n->ring_key, run->dir, RIGHT_READ | RIGHT_CREATE | RIGHT_DESTROY);
    if (run->detach) {
        if (!console_of(n, run->node, &tty))
            return false;
    } else if ((e = terminal_start(n, command_loop(), nobody_reads, &tty)) < 0) {
        fail_error(e, "terminal");
        return false;
    }
    return program_file_add_cap(p, "tty", &tty) && program_file_add_cap(p, "dir", &dir);
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

// --- Starting it ----------------------------------------------------------------------------------------

static void *prepare(struct node *n, struct run *run, uint64_t *len)
{
    struct program_file *p = &run->program;
    int e = files_start(n);
    if (e == 0 && !run->detach)
        e = owner_start(n, &run->owner);
    if (e < 0) {
        fail_error(e, "cannot serve files");
        return NULL;
    }
    if (!offer_services(n, run) || !offer_folder(n, run))
        return NULL;
    offer_date(p);
    if (run->detach)
        say_unreadable(p);
    for (int i = 1; i < p->argc && !run->detach; i++)
        if (!offer_file(n, p, p->argv[i]))
            return NULL;
    return program_file_descriptor(n, p, &run->owner, len);
}

static bool start_one(struct node *n, struct run *run, struct cap *process)
{
    struct task_result r;
    int64_t s = task_trans(n, &run->proc, OP_PROC_EXEC, NULL, run->desc, buf_kernel(process, sizeof *process),
                           EXEC_TIMEOUT_MS, &r);
    if (s < 0) {
        fail_error(s, "%s on %s", run->program.name, run->node);
        *process = (struct cap){0};
        return false;
    }
    run->pid = (uint32_t)r.res[0];
    if (!run->quiet)
        warn("%s %06x runs on %s", run->program.name, run->pid, run->node);
    return true;
}

// Starts copies until all are begun or one fails. Several tasks do so at a time: each waits for answers mostly.
static void starter(struct node *n, void *arg)
{
    struct run *run = arg;
    while (run->begun < run->copies && !run->failed && !run->interrupted) {
        struct cap *process = &run->process[run->begun++];
        run->failed |= !start_one(n, run, process);
    }
    run->starters--;
    task_wake(n, &run->starters);
}

static bool start(struct node *n, struct run *run)
{
    uint64_t len;
    run->process = calloc(run->copies, sizeof *run->process);
    owner_so_far()->wanted = run->copies;
    void *desc = run->process ? prepare(n, run, &len) : NULL;
    if (!desc || !find_service_or_say(n, run->node, "proc", &run->proc))
        return false;
    run->desc = buf_kernel(desc, len);
    for (; run->starters + 1 < STARTERS && run->starters + 1 < run->copies; run->starters++)
        if (!task_spawn(n, "starter", starter, run))
            break;
    run->starters++;
    starter(n, run);
    while (run->starters > 0)
        task_wait(n, &run->starters);
    free(desc);
    return !run->failed;
}

// --- While it runs ----------------------------------------------------------------------------------------

// A node that loses power tells no owner anything. So look, now and then, whether the process is anywhere.
static void watch(struct node *n, void *arg)
{
    struct run *run = arg;
    unsigned at = run->copies - 1; // of several, one after the other, as they end
    for (unsigned missing = 0; missing < LOST_AFTER;) {
        task_sleep(n, LOOK_AFTER_NS);
        int64_t s = task_trans(n, &run->process[at], OP_INFO, NULL, buf_none(), buf_none(), LOOK_TIMEOUT_MS, NULL);
        missing = s == -E_NOTHERE || s == -E_DIED || s == -E_OBJECT ? missing + 1 : 0;
        if (missing && at > 0) {
            at--;
            missing = 0;
        }
    }
    run->lost = true;
    task_wake(n, owner_so_far());
}

static void kill_it(struct node *n, const struct run *run)
{
    unsigned told = 0;
    for (unsigned i = 0; i < run->copies; i++) {
        if (cap_is_null(&run->process[i]))
            continue;
        int64_t s = task_trans(n, &run->process[i], OP_DESTROY, NULL, buf_none(), buf_none(), KILL_TIMEOUT_MS, NULL);
        if (s < 0 && s != -E_NOTHERE && s != -E_DIED && s != -E_OBJECT)
            fail_error(s, "%s %06x could not be killed", run->program.name, (unsigned)cap_obj(&run->process[i]));
        told += s >= 0;
    }
    // Their kernel tells the owner, and would go on trying if we left without an answer.
    for (unsigned i = 0; told && !run->detach && i < KILL_TIMEOUT_MS && !owner_so_far()->over; i++)
        task_sleep(n, NS_PER_MS);
}

// Wakes the main task when a report that should follow does not.
static void last_word(struct node *n, void *arg)
{
    task_sleep(n, LAST_WORD_NS);
    owner_so_far()->over = true;
    task_wake(n, arg);
}

static void wait_for_end(struct node *n, struct run *run)
{
    struct owner_report *o = owner_so_far();
    bool patience = true;
    while (!o->over && !run->interrupted && !run->lost && !run->unread) {
        if (o->faulted && patience) {
            patience = false;
            (void)task_spawn(n, "last word", last_word, o);
        }
        task_wait(n, o);
    }
}

// --- How it ended -------------------------------------------------------------------------------------------

// What Linux would have sent.
static int signal_of(uint32_t fault_kind)
{
    switch (fault_kind) {
    case FAULT_READ:
    case FAULT_WRITE:
    case FAULT_EXEC: return SIGSEGV;
    case FAULT_BREAK: return SIGTRAP;
    case FAULT_MISALIGNED:
    case FAULT_ACCESS: return SIGBUS;
    default: return SIGILL;
    }
}

static void print_place(const struct run *run, const char *what, uint64_t pc)
{
    char name[80];
    uint64_t off;
    if (program_file_function(&run->program, pc, name, sizeof name, &off))
        fprintf(stderr, "  %-11s %#llx  %s+%#llx\n", what, (unsigned long long)pc, name, (unsigned long long)off);
    else
        fprintf(stderr, "  %-11s %#llx\n", what, (unsigned long long)pc);
}

static int end_by_fault(const struct run *run, const struct owner_report *o)
{
    warn("%s %06x, thread %u: %s (scause %llu)", run->program.name, run->pid, o->tid, o->fault.what,
         (unsigned long long)o->fault.cause);
    print_place(run, "at", o->fault.pc);
    print_place(run, "called from", o->fault.ra);
    fprintf(stderr, "  %-11s %#llx\n", "sp", (unsigned long long)o->fault.sp);
    return 128 + signal_of(o->fault_kind);
}

static int how_it_ended(const struct run *run)
{
    const struct owner_report *o = owner_so_far();
    if (run->interrupted)
        return EXIT_INTERRUPT;
    if (run->unread)
        return 128 + SIGPIPE;
    if (o->faulted)
        return end_by_fault(run, o);
    if (o->last == EVENT_DOUBT) {
        warn("%s %06x: %s", run->program.name, run->pid, error_string(E_DOUBT));
        return EXIT_LOST;
    }
    if (o->last != EVENT_ENDED) {
        warn("%s %06x is lost: no node knows it any more. Its node may have lost power; try: rotifer nodes",
             run->program.name, run->pid);
        return EXIT_LOST;
    }
    if (o->status == -E_CANCEL) {
        if (!run->quiet)
            warn("%s %06x was killed", run->program.name, run->pid);
        return EXIT_KILLED;
    }
    int status = (int)(o->status & 0xff); // as a shell shows it
    if (!run->quiet && status)
        warn("%s %06x ended with status %d", run->program.name, run->pid, status);
    return status;
}

static int run_task(struct node *n, void *arg)
{
    struct run *run = arg;
    running = run;
    // First: an interrupt between start and its answer would leave an orphan.
    command_on_interrupt(interrupt);
    if (!start(n, run)) {
        if (run->copies > 1 && run->process)
            kill_it(n, run);
        return run->interrupted ? EXIT_INTERRUPT : EXIT_FAILED;
    }
    if (run->detach)
        return EXIT_OK;
    command_on_stop(pause_it);
    (void)task_spawn(n, "watch", watch, run);
    wait_for_end(n, run);
    if (owner_so_far()->ended < run->copies && (run->interrupted || run->unread || (run->copies > 1 && !run->lost)))
        kill_it(n, run);
    return how_it_ended(run);
}

// --- Arguments ------------------------------------------------------------------------------------------------

// The value of an option that needs one; NULL, after saying so.
static const char *value_of(int argc, char **argv, int *i)
{
    if (*i + 1 < argc)
        return argv[++*i];
    usage_error("run", "%s needs a value", argv[*i]);
    return NULL;
}

static bool take_copies(struct run *run, const char *v)
{
    char *end;
    unsigned long copies = strtoul(v, &end, 10);
    if (*end || copies < 1 || copies > COPIES_MAX) {
        usage_error("run", "--copies needs a number from 1 to %u, not '%s'", COPIES_MAX, v);
        return false;
    }
    run->copies = (unsigned)copies;
    return true;
}

struct options {
    struct run run;
    const char *name;
    unsigned nenv;
    const char *env[PROGRAM_ENV_MAX - 1];
};

static bool take_env(struct options *o, const char *v)
{
    if (!strchr(v, '=') || v[0] == '=') {
        usage_error("run", "--env needs NAME=value, not '%s'", v);
        return false;
    }
    if (o->nenv == sizeof o->env / sizeof o->env[0]) {
        usage_error("run", "that is too many --env");
        return false;
    }
    o->env[o->nenv++] = v;
    return true;
}

// Index of the program among the arguments; 0 after saying what is wrong.
static int take_options(int argc, char **argv, struct options *o)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        const char *v;
        if (strcmp(argv[i], "--") == 0)
            return i + 1 < argc ? i + 1 : (usage_error("run", "which program?"), 0);
        if (strcmp(argv[i], "--quiet") == 0 || strcmp(argv[i], "-q") == 0) {
            o->run.quiet = true;
            continue;
        }
        if (strcmp(argv[i], "--detach") == 0) {
            o->run.detach = true;
            continue;
        }
        const char *option = argv[i];
        bool env = strcmp(option, "--env") == 0, copies = strcmp(option, "--copies") == 0;
        const char **where = strcmp(option, "--node") == 0    ? &o->run.node
                             : strcmp(option, "--dir") == 0   ? &o->run.dir
                             : strcmp(option, "--files") == 0 ? &o->run.files
                             : strcmp(option, "--name") == 0  ? &o->name
                                                              : NULL;
        if (!env && !copies && !where)
            return usage_error("run", "what is '%s'?", option), 0;
        if (!(v = value_of(argc, argv, &i)) || (env && !take_env(o, v)) || (copies && !take_copies(&o->run, v)))
            return 0;
        if (where)
            *where = v;
    }
    return i < argc ? i : (usage_error("run", "which program?"), 0);
}

int cmd_run(int argc, char **argv)
{
    static struct options o = {.run = {.node = "n1", .dir = HOST_NODE, .copies = 1}};
    if (argc > 1 && wants_help(2, argv, help))
        return EXIT_OK;
    int first = take_options(argc, argv, &o);
    if (!first)
        return EXIT_USAGE;
    if (o.run.detach && o.run.files)
        return usage_error("run", "--files needs this command to serve them; --detach ends it");
    struct program_file *p = &o.run.program;
    if (!program_file_load(p, argv[first]))
        return EXIT_FAILED;
    if (o.name && (strlen(o.name) >= sizeof p->name || o.name[0] == 0))
        return usage_error("run", "a name has 1 to %zu bytes", sizeof p->name - 1);
    if (o.name)
        snprintf(p->name, sizeof p->name, "%s", o.name);
    p->argc = argc - first;
    p->argv = argv + first;
    for (unsigned i = 0; i < o.nenv; i++)
        p->env[p->nenv++] = o.env[i];
    return command_run(run_task, &o.run);
}
