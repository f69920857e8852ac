// SPDX-License-Identifier: BSD-2-Clause
// rotifer hostd, the host daemon: the node called "host". It forwards between its two cables, so the ring is closed
// through it; its boot directory is where guests meet ("dir"); its third link is the switch that commands plug into.
#include "core/config.h"
#include "tools/cable.h"
#include "tools/command.h"
#include "tools/member.h"
#include "tools/say.h"
#include "tools/wire_unix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define HOSTD_MEMORY (32 * MIB)

#define NO_LOCK 1024u // no descriptor has this number

static uint64_t nodes, lock = NO_LOCK;

static const struct option options[] = {
    {.name = "nodes",
     .kind = OPTION_NUMBER,
     .number = &nodes,
     .value = "N",
     .unit = "nodes",
     .max = RING_NODES_MAX,
     .what = "that are cabled to it (0)"},
    {.name = "lock", .kind = OPTION_NUMBER, .number = &lock, .value = "FD", .max = NO_LOCK - 1}, // from ring up
    {.name = NULL},
};

static struct {
    struct loop loop;
    int signals;
} hostd;

static void got_signal(void *arg, short events)
{
    (void)arg;
    (void)events;
    loop_stop(&hostd.loop, EXIT_OK);
}

// Between node N and node 1, so that the ring is closed.
static bool plug_in_cables(void)
{
    struct ring_socket_names s = ring_sockets(0, (unsigned)nodes);
    if (!cables_lay((unsigned)nodes)) {
        fail("cannot make the links' names in %s: %s", rundir_path(), strerror(errno));
        return false;
    }
    return wire_open(&hostd.loop, "next", s.mac[0], s.local[0], s.remote[0]) &&
           wire_open(&hostd.loop, "prev", s.mac[1], s.local[1], s.remote[1]);
}

static bool plug_in_switch(void)
{
    static const uint8_t mac[6] = {0x02, 0, 0, 0, 0x02, 0xfe};
    return wire_open(&hostd.loop, "cli", mac, "cli.sock", NULL) != NULL;
}

static bool run_node(const uint8_t key[32])
{
    struct node *n = member_node(HOST_NODE, key, HOSTD_MEMORY, false);
    if (!n)
        return false;
    loop_init(&hostd.loop, n);
    member_signals(&hostd.loop, got_signal, &hostd.signals);
    if (nodes && !plug_in_cables())
        return false;
    if (!plug_in_switch())
        return false; // the switch comes last: its socket says that the daemon is ready
    fprintf(stderr, "host: up, %u nodes in the ring\n", (unsigned)nodes);
    return loop_run(&hostd.loop) == EXIT_OK;
}

// `ring up` holds the lock already and passes it on; started by hand the daemon takes it itself.
static bool take_lock(int inherited)
{
    int fd = inherited >= 0 ? inherited : open("ring.lock", O_RDWR | O_CREAT, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    fail("a ring is up in %s already", rundir_path());
    return false;
}

static bool record_self(void)
{
    struct ring_state s = {.count = 1};
    snprintf(s.proc[0].name, sizeof s.proc[0].name, HOST_NODE);
    s.proc[0].pid = getpid();
    s.proc[0].start = process_start(getpid());
    return ring_state_write(&s);
}

static int run(void)
{
    uint8_t key[32];
    bool has_lock = lock != NO_LOCK;
    if (!rundir_make() || !rundir_enter() || !rundir_check() || !take_lock(has_lock ? (int)lock : -1))
        return EXIT_FAILED;
    if (!ring_key_read(key) && (errno == EPERM || !ring_key_make(key)))
        return EXIT_FAILED;
    if (!has_lock && !record_self()) // else `ring up` keeps the record
        return EXIT_FAILED;
    bool ok = run_node(key);
    (void)unlink("cli.sock");
    if (!has_lock)
        (void)unlink("ring.state");
    return ok ? EXIT_OK : EXIT_FAILED;
}

const struct command command_hostd = {
    .name = "hostd",
    .group = GROUP_INTERNAL,
    .what = "the host daemon of a ring",
    .help = "The host daemon of a ring, in the foreground. `rotifer ring up` starts it; by hand, with no "
            "nodes, it is a ring of one: other commands find it, and nothing else.",
    .options = options,
    .run = run,
};
