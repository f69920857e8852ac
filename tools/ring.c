// SPDX-License-Identifier: BSD-2-Clause
// rotifer ring: starts, stops and looks at a ring of QEMU nodes on this machine.
#include "core/config.h"
#include "core/error.h"
#include "core/node.h"
#include "core/task.h"
#include "net/net.h"
#include "tools/cmds.h"
#include "tools/command.h"
#include "tools/find.h"
#include "tools/netns.h"
#include "tools/qemu.h"
#include "tools/rundir.h"
#include "tools/say.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: rotifer ring up [N] [--smp H] [--mem SIZE] [--append TEXT] [--icount | --count]\n"
    "       rotifer ring down [--keep-logs]\n"
    "       rotifer ring status\n"
    "\n"
    "up      starts N nodes (1..8, default 4), n1 - n2 - ... - nN - host - n1, and waits until each answers\n"
    "  --smp H        harts of each node (1..8, default 1)\n"
    "  --mem SIZE     memory of each node, as QEMU takes it (default 64M)\n"
    "  --append TEXT  added to the kernel's command line\n"
    "  --icount       count instructions: 1 instruction is 1 ns (slow; for measurements on one node)\n"
    "  --count        count how often each instruction runs, for tools/where.py (slower still)\n"
    "down    stops them; nothing is left behind\n"
    "status  which processes make the ring\n"
    "\n"
    "All of it lives in the run directory: ROTIFER_RUN, else run/ beside the build directory.\n"
    "Consoles are run/n1.log, ...\n";

struct ring {
    struct qemu_options qemu;
    struct ring_state state;
    int lock;
    uint8_t key[32];
};

// --- Small helps ----------------------------------------------------------------------------------------

static void nap_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

#define TAIL_BYTES 2000

// The last lines of a file in the run directory, indented.
static void show_tail(const char *node, const char *suffix)
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
        nap_ms(10);
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

// The host daemon is first in the list and is stopped last: commands still under way get an answer for longer.
static void stop_all(const struct ring_state *s)
{
    for (unsigned i = s->count; i-- > 0;)
        stop(&s->proc[i]);
}

static void remove_files(bool keep_logs)
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

static bool anything_alive(const struct ring_state *s)
{
    for (unsigned i = 0; i < s->count; i++)
        if (process_alive(&s->proc[i]))
            return true;
    return false;
}

static int ring_down(int argc, char **argv)
{
    bool keep = argc > 1 && strcmp(argv[1], "--keep-logs") == 0;
    struct ring_state s;
    if (argc > 1 + keep)
        return usage_error("ring", "what is '%s'?", argv[1 + keep]);
    if (!rundir_enter() || !ring_state_read(&s)) {
        printf("No ring is up in %s.\n", rundir_path() ? rundir_path() : "?");
        return EXIT_OK;
    }
    stop_all(&s);
    if (anything_alive(&s))
        return fail("some processes did not end; try again, or see: rotifer ring status");
    remove_files(keep);
    (void)unlink("ring.lock");
    printf("The ring of %u is down.\n", s.nodes);
    rundir_leave();
    if (!keep)
        (void)rmdir(rundir_path()); // unless there is more in it than ours
    return EXIT_OK;
}

// --- Status -----------------------------------------------------------------------------------------------

static int ring_status(int argc, char **argv)
{
    struct ring_state s;
    if (argc > 1)
        return usage_error("ring", "what is '%s'?", argv[1]);
    if (!rundir_enter() || !ring_state_read(&s)) {
        printf("No ring is up in %s. Next: rotifer ring up\n", rundir_path() ? rundir_path() : "?");
        return EXIT_FAILED;
    }
    bool whole = true;
    printf("A ring of %u nodes and the host daemon in %s\n", s.nodes, rundir_path());
    for (unsigned i = 0; i < s.count; i++) {
        bool alive = process_alive(&s.proc[i]);
        whole &= alive;
        printf("  %-5s pid %-7d %s\n", s.proc[i].name, (int)s.proc[i].pid, alive ? "runs" : "has ended");
    }
    puts(whole ? "Next: rotifer nodes" : "Not all of it runs. Next: rotifer ring down");
    return whole ? EXIT_OK : EXIT_FAILED;
}

// --- Waiting for the nodes ----------------------------------------------------------------------------------

// Boot takes well under a second on a quiet machine, and as much longer as the machine is busy. A hang is when no node
// has come for so long.
#define HANG_NS (30 * NS_PER_S)

static uint64_t hang_ns(const struct ring *r)
{
    double load = 0;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (getloadavg(&load, 1) != 1 || cpus < 1)
        load = 0, cpus = 1;
    double busy = (load + r->state.nodes * r->qemu.harts) / (double)cpus;
    double factor = (busy > 1 ? busy : 1) * (r->qemu.icount || r->qemu.count ? 4 : 1);
    return (uint64_t)(factor * (double)HANG_NS);
}

static struct coming {
    struct ring *ring;
    uint64_t start, last; // ns: began, a node came
    unsigned up;
    struct arrival {
        struct coming *all;
        char name[32];
        bool seen, up, asking;
    } node[RING_NODES_MAX];
} coming;

// A node has shown itself. It is up when its boot directory answers and gives its status.
static void ask_node(struct node *n, void *arg)
{
    struct arrival *a = arg;
    struct node_status s;
    int64_t e = find_status(n, a->name, &s);
    a->asking = false;
    if (e < 0 || a->up)
        return;
    a->up = true;
    a->all->up++;
    a->all->last = node_now(n);
    printf("  %-4s up after %.2f s: %u hart%s, %s free of %s, endpoint %016llx\n", a->name,
           (double)(node_now(n) - a->all->start) / 1e9, s.harts, s.harts == 1 ? "" : "s", page_size_text(s.pages_free),
           page_size_text(s.pages_total), (unsigned long long)s.ep);
    fflush(stdout);
}

static void node_seen(struct node *n, void *arg, const struct net_node *who)
{
    struct coming *c = arg;
    (void)n;
    for (unsigned i = 0; i < c->ring->state.nodes; i++)
        if (strncmp(who->name, c->node[i].name, sizeof who->name) == 0)
            c->node[i].seen = true;
}

static const struct ring_process *one_that_died(const struct ring_state *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        (void)waitpid(s->proc[i].pid, NULL, WNOHANG);
        if (!process_alive(&s->proc[i]))
            return &s->proc[i];
    }
    return NULL;
}

static int give_up(const struct ring *r, const char *name, const char *what)
{
    fail("%s %s", name, what);
    if (rundir_enter()) {
        show_tail(name, "err");
        show_tail(name, "log");
    }
    rundir_leave();
    fprintf(stderr, "The logs of all %u nodes stay in %s.\n", r->state.nodes, rundir_path());
    return EXIT_FAILED;
}

static const char *first_missing(const struct coming *c)
{
    for (unsigned i = 0; i < c->ring->state.nodes; i++)
        if (!c->node[i].up)
            return c->node[i].name;
    return HOST_NODE;
}

static void ask_those_seen(struct node *n, struct coming *c)
{
    for (unsigned i = 0; i < c->ring->state.nodes; i++) {
        struct arrival *a = &c->node[i];
        if (!a->seen || a->up || a->asking)
            continue;
        a->asking = task_spawn(n, "ask node", ask_node, a) != NULL;
    }
}

#define LOOK_NS (20 * NS_PER_MS)
#define ASK_EVERY 20 // looks

static int wait_task(struct node *n, void *arg)
{
    struct coming *c = arg;
    uint64_t hang = hang_ns(c->ring);
    c->start = c->last = node_now(n);
    for (unsigned look = 0; c->up < c->ring->state.nodes; look++) {
        if (look % ASK_EVERY == 0) {
            net_nodes_stop(n);
            net_nodes_ask(n, node_seen, c);
        }
        ask_those_seen(n, c);
        const struct ring_process *dead = one_that_died(&c->ring->state);
        if (dead)
            return give_up(c->ring, dead->name, "ended before it was up");
        if (node_now(n) - c->last > hang)
            return give_up(c->ring, first_missing(c), "did not come up");
        task_sleep(n, LOOK_NS);
    }
    net_nodes_stop(n);
    return EXIT_OK;
}

static int wait_for_nodes(struct ring *r)
{
    coming.ring = r;
    for (unsigned i = 0; i < r->state.nodes; i++) {
        coming.node[i].all = &coming;
        snprintf(coming.node[i].name, sizeof coming.node[i].name, "n%u", i + 1);
    }
    return command_run(wait_task, &coming);
}

// --- Starting -----------------------------------------------------------------------------------------------

static bool record(struct ring *r, const char *name, pid_t pid)
{
    if (pid < 0)
        return false;
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
        if (one_that_died(&r->state))
            break;
        nap_ms(5);
    }
    fail("the host daemon did not come up");
    show_tail(HOST_NODE, "err");
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
    if (ring_state_read(&s) && anything_alive(&s)) {
        warn("an earlier ring lost its host daemon; stopping what is left of it");
        stop_all(&s);
    }
    remove_files(false);
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
    int status = started ? wait_for_nodes(r) : EXIT_FAILED;
    if (status == EXIT_OK) {
        puts("The ring is up. Next: rotifer nodes; rotifer run --node n1 lua; rotifer ring down");
        return EXIT_OK;
    }
    if (rundir_enter()) {
        stop_all(&r->state);
        remove_files(true);
    }
    return status;
}

// SIZE as QEMU takes it: digits, then perhaps K, M or G.
static bool is_memory(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits;
    return digits && (*unit == 0 || (strchr("KMG", *unit) && unit[1] == 0));
}

static int take_options(int argc, char **argv, struct ring *r)
{
    bool given = false;
    for (int i = 1; i < argc; i++) {
        const char *o = argv[i], *v = i + 1 < argc ? argv[i + 1] : NULL;
        uint64_t number;
        if (strcmp(o, "--icount") == 0) {
            r->qemu.icount = true;
        } else if (strcmp(o, "--count") == 0) {
            r->qemu.count = true;
        } else if (o[0] != '-' && !given) {
            if (!parse_number(o, 1, RING_NODES_MAX, &number))
                return usage_error("ring", "a ring has 1 to %d nodes, not '%s'", RING_NODES_MAX, o);
            r->state.nodes = (unsigned)number;
            given = true;
        } else if (strcmp(o, "--smp") == 0 && v) {
            if (!parse_number(v, 1, HARTS_MAX, &number))
                return usage_error("ring", "a node has 1 to %d harts, not '%s'", HARTS_MAX, v);
            r->qemu.harts = (unsigned)number;
            i++;
        } else if (strcmp(o, "--mem") == 0 && v) {
            if (!is_memory(v))
                return usage_error("ring", "'%s' is no size; give something like 64M", v);
            r->qemu.memory = v;
            i++;
        } else if (strcmp(o, "--append") == 0 && v) {
            if (strchr(v, '"') || strchr(v, '\n'))
                return usage_error("ring", "the kernel's command line cannot hold \" or a line end");
            r->qemu.append = v;
            i++;
        } else {
            return usage_error("ring", "what is '%s'?", o);
        }
    }
    return EXIT_OK;
}

static int ring_up(int argc, char **argv)
{
    struct ring r = {.qemu = {.harts = 1, .memory = "64M"}, .state = {.nodes = 4}, .lock = -1};
    int status = take_options(argc, argv, &r);
    if (status != EXIT_OK)
        return status;
    if (access(beside("Image"), R_OK) != 0)
        return fail("there is no kernel image %s. Try: make", beside("Image"));
    if (!qemu_present() || !rundir_make())
        return EXIT_FAILED;
    if (!rundir_enter())
        return fail("cannot enter %s: %s", rundir_path(), strerror(errno));
    if (!take_lock(&r))
        return EXIT_FAILED;
    return bring_up(&r);
}

int cmd_ring(int argc, char **argv)
{
    if (wants_help(argc, argv, help))
        return EXIT_OK;
    if (argc >= 2 && strcmp(argv[1], "up") == 0)
        return ring_up(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "down") == 0)
        return ring_down(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "status") == 0)
        return ring_status(argc - 1, argv + 1);
    return usage_error("ring", argc < 2 ? "up, down or status?" : "up, down or status, not '%s'?",
                       argc < 2 ? "" : argv[1]);
}
