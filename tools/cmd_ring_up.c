// SPDX-License-Identifier: BSD-2-Clause
// rotifer ring up: starts the host daemon and the nodes, cabled to a ring, and waits until each node answers.
#include "core/config.h"
#include "core/panic.h"
#include "tools/command.h"
#include "tools/netns.h"
#include "tools/ring.h"
#include "tools/ring_wait.h"
#include "tools/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

// --- The command line -------------------------------------------------------------------------------------

static struct {
    uint64_t nodes, harts, orphan_grace;
    const char *memory, *append;
    bool icount, count;
} up = {.nodes = 4, .harts = 1, .memory = "64M"};

// As QEMU takes it: digits, then perhaps K, M or G.
static const char *wrong_memory(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits;
    bool right = digits && (*unit == 0 || (strchr("KMG", *unit) && unit[1] == 0));
    return right ? NULL : "is no size; give something like 64M";
}

// It goes between quotation marks into a line of QEMU's configuration (qemu.c).
static const char *wrong_append(const char *text)
{
    return strpbrk(text, "\"\n") ? "holds a \" or a line end: the kernel's command line cannot" : NULL;
}

static const struct option options[] = {
    {.name = "smp",
     .kind = OPTION_NUMBER,
     .number = &up.harts,
     .value = "H",
     .unit = "harts",
     .min = 1,
     .max = HARTS_MAX,
     .what = "harts of each node (1 to 8; 1)"},
    {.name = "mem",
     .kind = OPTION_TEXT,
     .text = &up.memory,
     .value = "SIZE",
     .wrong = wrong_memory,
     .what = "memory of each node, as QEMU takes it (64M)"},
    {.name = "append",
     .kind = OPTION_TEXT,
     .text = &up.append,
     .value = "TEXT",
     .wrong = wrong_append,
     .what = "added to the kernel's command line"},
    {.name = "orphan-grace",
     .kind = OPTION_NUMBER,
     .number = &up.orphan_grace,
     .value = "S",
     .unit = "seconds",
     .min = 1,
     .max = ORPHAN_GRACE_MAX_S,
     .what = "how long an owner may be silent before its processes end (600)"},
    {.name = "icount",
     .kind = OPTION_FLAG,
     .flag = &up.icount,
     .what = "count instructions, 1 is 1 ns (slow; to measure on one node)"},
    {.name = "count",
     .kind = OPTION_FLAG,
     .flag = &up.count,
     .what = "count how often each runs, for tools/where.py (slower still)"},
    {.name = NULL},
};
static const struct option operands[] = {
    {.name = "N",
     .kind = OPTION_NUMBER,
     .number = &up.nodes,
     .unit = "nodes",
     .min = 1,
     .max = RING_NODES_MAX,
     .optional = true},
    {.name = NULL},
};

// --- Starting ---------------------------------------------------------------------------------------------

// At once, one by one: whatever happens to this command now, `ring down` finds what it has started.
static bool record(struct ring *r, const char *name, pid_t pid)
{
    if (pid < 0)
        return false;
    ASSERT(r->state.count < RING_PROCESSES_MAX);
    struct ring_process *p = &r->state.proc[r->state.count++];
    snprintf(p->name, sizeof p->name, "%s", name);
    p->pid = pid;
    p->start = process_start(pid);
    return ring_state_write(&r->state);
}

#define DAEMON_MS 20000

static bool start_daemon(struct ring *r)
{
    char self[RUN_PATH_MAX], nodes[16], lock[16];
    snprintf(self, sizeof self, "%s", beside("rotifer"));
    snprintf(nodes, sizeof nodes, "%u", r->state.nodes);
    snprintf(lock, sizeof lock, "%d", r->lock);
    char *const argv[] = {self, "hostd", "--nodes", nodes, "--lock", lock, NULL};
    (void)setenv("ROTIFER_RUN", rundir_path(), 1);
    if (!record(r, HOST_NODE, start_process(argv, "host.err", r->lock)))
        return false;
    for (int ms = 0; ms < DAEMON_MS; ms += 5) {
        if (access("cli.sock", F_OK) == 0)
            return true;
        if (ring_one_that_ended(&r->state))
            break;
        ring_nap(5);
    }
    fail("the host daemon did not come up");
    ring_show_tail(HOST_NODE, "err");
    return false;
}

static bool start_nodes(struct ring *r)
{
    for (unsigned i = 1; i <= r->state.nodes; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%u", i);
        if (!record(r, name, qemu_start(i, r->state.nodes, r->key, &r->qemu)))
            return false;
    }
    return true;
}

// One ring a run directory: the lock says so, and is held by the daemon for as long as it lives.
static bool take_lock(struct ring *r)
{
    r->lock = open("ring.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (r->lock >= 0 && flock(r->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    struct ring_state s;
    if (r->lock < 0)
        fail("cannot write in %s: %s", rundir_path(), strerror(errno));
    else if (ring_state_read(&s))
        fail("a ring of %u is up already (in %s). Try: rotifer nodes, or rotifer ring down", s.nodes, rundir_path());
    else
        fail("a ring is being started already (in %s)", rundir_path());
    return false;
}

static void clear_remains(void)
{
    struct ring_state s;
    if (ring_state_read(&s) && ring_any_runs(&s)) {
        warn("an earlier ring lost its host daemon; stopping what is left of it");
        ring_stop(&s);
    }
    ring_remove_files(false);
}

static bool start_all(struct ring *r)
{
    return ring_key_make(r->key) && start_daemon(r) && start_nodes(r);
}

static int bring_up(struct ring *r)
{
    clear_remains();
    printf("A ring of %u: n1 - ... - n%u - host - n1, in %s\n", r->state.nodes, r->state.nodes, rundir_path());
    netns_enter();
    bool started = start_all(r);
    rundir_leave();
    int status = started ? ring_wait(r) : EXIT_FAILED;
    if (status == EXIT_OK) {
        puts("The ring is up. Next: rotifer nodes; rotifer run --node n1 lua; rotifer ring down");
        return EXIT_OK;
    }
    if (rundir_enter()) {
        ring_stop(&r->state);
        ring_remove_files(true);
    }
    return status;
}

// --- The command ------------------------------------------------------------------------------------------

static int run(void)
{
    struct ring r = {.qemu = {.harts = (unsigned)up.harts,
                              .memory = up.memory,
                              .append = up.append,
                              .orphan_grace = up.orphan_grace,
                              .icount = up.icount,
                              .count = up.count},
                     .state = {.nodes = (unsigned)up.nodes},
                     .lock = -1};
    ASSERT(r.state.nodes >= 1 && r.state.nodes <= RING_NODES_MAX);
    if (access(beside("Image"), R_OK) != 0)
        return fail("there is no kernel image %s. Try: make", beside("Image"));
    if (!qemu_present() || !rundir_make())
        return EXIT_FAILED;
    if (!rundir_enter())
        return fail("cannot enter %s: %s", rundir_path(), strerror(errno));
    if (!rundir_check() || !take_lock(&r))
        return EXIT_FAILED;
    return bring_up(&r);
}

const struct command command_ring_up = {
    .name = "ring up",
    .group = GROUP_RING,
    .what = "start N nodes (1 to 32; 4) and wait until each answers",
    .help = "Starts N nodes (1 to 32; 4): n1 - n2 - ... - nN - host - n1, and waits until each answers. All of "
            "it lives in the run directory: ROTIFER_RUN, else run/ beside the build directory. Consoles are "
            "run/n1.log, ...",
    .next = "rotifer nodes; rotifer run lua; rotifer ring down",
    .options = options,
    .operands = operands,
    .run = run,
};
