// SPDX-License-Identifier: BSD-2-Clause
// This process as a node: made, plugged into the host daemon's switch, run until its one task has an exit status.
#include "tools/member.h"
#include "arch/host/host.h"
#include "core/error.h"
#include "core/panic.h"
#include "core/task.h"
#include "net/net.h"
#include "services/dir.h"
#include "services/protocol.h"
#include "services/service.h"
#include "tools/rundir.h"
#include "tools/say.h"
#include "tools/wire_unix.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define MEMBER_MEMORY (16 * MIB)

static struct {
    struct loop loop;
    struct node *n;
    int signals;
    unsigned interrupts;
    void (*on_interrupt)(struct node *n);
    int stops; // SIGTSTP comes out here
    void (*on_stop)(struct node *n);
    int (*fn)(struct node *n, void *arg);
    void *arg;
    char socket[32];
} member;

struct loop *member_loop(void)
{
    return &member.loop;
}
void member_on_interrupt(void (*fn)(struct node *n))
{
    member.on_interrupt = fn;
}

void member_on_stop(void (*fn)(struct node *n))
{
    member.on_stop = fn;
}

static void log_nothing(struct node *n, const char *line)
{
    if (getenv("ROTIFER_LOG"))
        fprintf(stderr, "%s: %s\n", n->name, line);
}

// --- The node -----------------------------------------------------------------------------------------

// As on a board, a node's clock begins when it boots: that is its uptime.
static uint64_t clock_since_start(struct node *n)
{
    (void)n;
    static uint64_t start;
    uint64_t now = arch_now_ns();
    if (!start)
        start = now - 1; // 0 means "never" in places
    return now - start;
}

// Guests cannot run on this machine's processor. Without "proc" in its directory nobody can send one here.
static void forget_proc(struct node *n, void *arg)
{
    (void)arg;
    struct cap root = dir_root_cap(n->ring_key, n->name, RIGHT_ALL);
    (void)task_trans(n, &root, OP_DIR_REMOVE, NULL, buf_kernel("proc", 4), buf_none(), 0, NULL);
}

struct node *member_node(const char *name, const uint8_t key[32], uint64_t bytes, bool quiet)
{
    struct host_options o = {.clock = clock_since_start, .ring_key = key, .log = quiet ? log_nothing : NULL};
    struct node *n = host_node_new(name, bytes / PAGE_SIZE, &o);
    int e = n ? net_init(n) : -E_MEM;
    if (e == 0)
        e = services_start(n);
    if (e == 0 && !task_spawn(n, "forget proc", forget_proc, NULL))
        e = -E_MEM;
    if (e != 0) {
        fail_error(e, "cannot make the node %s", name);
        return NULL;
    }
    return n;
}

// --- Signals ------------------------------------------------------------------------------------------

// Whoever started us may have said that we are not to be interrupted (nohup, a shell's background).
static void add_unless_ignored(sigset_t *set, int sig)
{
    struct sigaction now;
    if (sigaction(sig, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
        sigaddset(set, sig);
}

void member_signals(struct loop *l, void (*got)(void *arg, short events), int *fd)
{
    sigset_t set;
    sigemptyset(&set);
    add_unless_ignored(&set, SIGINT);
    add_unless_ignored(&set, SIGTERM);
    add_unless_ignored(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    *fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (*fd >= 0)
        loop_watch(l, *fd, POLLIN, got, NULL);
}

// The first one is for what the command does, which may want to clear up. The second ends it however it hangs.
static void got_signal(void *arg, short events)
{
    (void)arg;
    (void)events;
    struct signalfd_siginfo info;
    (void)!read(member.signals, &info, sizeof info);
    if (member.on_interrupt && member.interrupts++ == 0)
        member.on_interrupt(member.n);
    else
        loop_stop(&member.loop, EXIT_INTERRUPT);
}

static void got_stop(void *arg, short events)
{
    (void)arg;
    (void)events;
    struct signalfd_siginfo info;
    if (read(member.stops, &info, sizeof info) != sizeof info)
        return;
    if (member.on_stop)
        member.on_stop(member.n);
    else
        raise(SIGSTOP);
}

// Here and not by who wants to know: what a task does to the mask of signals ends with its turn.
static void take_stops(void)
{
    sigset_t set;
    sigemptyset(&set);
    add_unless_ignored(&set, SIGTSTP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    member.stops = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (member.stops >= 0)
        loop_watch(&member.loop, member.stops, POLLIN, got_stop, NULL);
}

// --- Joining and leaving ------------------------------------------------------------------------------

static void task(struct node *n, void *arg)
{
    (void)arg;
    loop_stop(&member.loop, member.fn(n, member.arg));
}

static void ring_is_gone(void)
{
    if (!member.loop.done)
        fail("the ring has gone down");
    loop_stop(&member.loop, EXIT_NO_RING);
}

// A MAC of its own: the daemon's switch tells commands apart by it. Locally administered (IEEE 802, bit 1). The
// daemon's socket is named by way of a descriptor, for while the command runs it is where the user is, not in the run
// directory; and the directory's own path may be too long for a socket's name.
static bool plug_in(void)
{
    uint8_t mac[6] = {0x02, 0x01};
    char remote[64];
    int dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || getrandom(mac + 2, 4, 0) != 4) {
        fail("cannot plug into the ring: %s", strerror(errno));
        return false;
    }
    snprintf(remote, sizeof remote, "/proc/self/fd/%d/cli.sock", dir);
    struct wire *w = wire_open(&member.loop, "cli", mac, member.socket, remote);
    if (w)
        wire_on_gone(w, ring_is_gone);
    return w != NULL;
}

// In the run directory: all that can be wrong before there is a node.
static int read_ring(uint8_t key[32])
{
    if (access("cli.sock", F_OK) == 0) {
        if (!rundir_check())
            return EXIT_NO_RING;
        if (ring_key_read(key))
            return EXIT_OK;
        if (errno == EPERM) // it has been said
            return EXIT_NO_RING;
    }
    if (errno == EACCES)
        return fail_as(EXIT_NO_RING, "the ring in %s belongs to somebody else: %s", rundir_path(), strerror(errno));
    return fail_as(EXIT_NO_RING, "no ring is up (looked in %s). Try: rotifer ring up", rundir_path());
}

// In the run directory, with the ring's key.
static bool become_node(const uint8_t key[32])
{
    char name[32];
    snprintf(name, sizeof name, "cli-%d", (int)getpid());
    snprintf(member.socket, sizeof member.socket, "cli-%d.sock", (int)getpid());
    member.n = member_node(name, key, MEMBER_MEMORY, true);
    if (!member.n)
        return false;
    loop_init(&member.loop, member.n);
    member_signals(&member.loop, got_signal, &member.signals);
    take_stops();
    return plug_in();
}

static int join(void)
{
    uint8_t key[32];
    if (!rundir_path())
        return EXIT_FAILED;
    if (!rundir_enter()) {
        if (errno == EACCES)
            return fail_as(EXIT_NO_RING, "the ring in %s belongs to somebody else: %s", rundir_path(), strerror(errno));
        return fail_as(EXIT_NO_RING, "no ring is up (there is no %s). Try: rotifer ring up", rundir_path());
    }
    int status = read_ring(key);
    if (status == EXIT_OK && !become_node(key))
        status = EXIT_FAILED;
    rundir_leave();
    return status;
}

static void leave(void)
{
    fflush(stdout);
    if (rundir_enter())
        (void)unlink(member.socket);
    rundir_leave();
}

int member_run(int (*fn)(struct node *n, void *arg), void *arg)
{
    ASSERT(fn && !member.fn);
    int status = join();
    if (status != EXIT_OK)
        return status;
    member.fn = fn;
    member.arg = arg;
    status = EXIT_FAILED;
    if (task_spawn(member.n, "command", task, NULL))
        status = loop_run(&member.loop);
    leave();
    return status; // the process ends now, and its node with it, as a power cut does: that is what the ring expects
}
