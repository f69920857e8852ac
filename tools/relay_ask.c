// SPDX-License-Identifier: BSD-2-Clause
// The relay from a command's side: start it when it is needed first, tell it something, put into words what it says.
#include "tools/qemu.h"
#include "tools/relay.h"
#include "tools/ring.h"
#include "tools/rundir.h"
#include "tools/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// --- Starting ---------------------------------------------------------------------------------------------

#define START_MS 20000

// A connection to the relay, or -1.
static int plug_in(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = RELAY_SOCKET};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

// The relay is recorded among the ring's processes: `ring down` ends it.
static int start(struct ring_state *s)
{
    char self[RUN_PATH_MAX], nodes[16];
    struct ring_process *p = ring_process_named(s, RELAY_NAME);
    if (!p && s->count < s->nodes + 1)
        return fail("the ring is still being started");
    if (!p)
        p = &s->proc[s->count++];
    else if (process_alive(p))
        return EXIT_OK; // another command has started it just now
    snprintf(self, sizeof self, "%s", beside("rotifer"));
    snprintf(nodes, sizeof nodes, "%u", s->nodes);
    char *const argv[] = {self, RELAY_NAME, nodes, NULL};
    (void)unlink(RELAY_SOCKET);
    pid_t pid = start_process(argv, RELAY_NAME ".err", -1);
    if (pid < 0)
        return EXIT_FAILED;
    snprintf(p->name, sizeof p->name, RELAY_NAME);
    p->pid = pid;
    p->start = process_start(pid);
    return ring_state_write(s) ? EXIT_OK : EXIT_FAILED;
}

static int wait_until_it_answers(int *fd)
{
    for (int ms = 0; ms < START_MS; ms += 2) {
        struct ring_state s;
        *fd = plug_in();
        if (*fd >= 0)
            return EXIT_OK;
        const struct ring_process *p = ring_state_read(&s) ? ring_process_named(&s, RELAY_NAME) : NULL;
        if (!p || !process_alive(p))
            break;
        ring_nap(2);
    }
    fail("the relay did not come up");
    ring_show_tail(RELAY_NAME, "err");
    return EXIT_FAILED;
}

// Two commands may want one at the same time: the second finds the first one's.
static int plug_in_or_start(int *fd)
{
    struct ring_state s;
    if (!ring_state_take(&s))
        return EXIT_NO_RING;
    *fd = plug_in();
    int status = *fd >= 0 ? EXIT_OK : start(&s);
    ring_state_let_go();
    return status == EXIT_OK && *fd < 0 ? wait_until_it_answers(fd) : status;
}

// --- Orders -----------------------------------------------------------------------------------------------

static bool send_order(int relay, const char *order, int fd)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } along = {.bytes = {0}};
    struct iovec iov = {(void *)(uintptr_t)order, strlen(order)};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd >= 0) {
        m.msg_control = along.bytes;
        m.msg_controllen = sizeof along.bytes;
        along.head =
            (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&along.head), &fd, sizeof fd);
    }
    return sendmsg(relay, &m, MSG_NOSIGNAL) == (ssize_t)iov.iov_len;
}

static int order_and_answer(int relay, const char *order, int fd, struct relay_answer *a)
{
    struct timeval limit = {.tv_sec = 20};
    (void)setsockopt(relay, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (!send_order(relay, order, fd))
        return fail("cannot tell the relay: %s", strerror(errno));
    ssize_t len = recv(relay, a, sizeof *a, 0);
    if (len != sizeof *a || a->size != sizeof *a)
        return fail(len < 0 ? "the relay does not answer" : "the relay is of another build than this command");
    return a->done ? EXIT_OK : fail_as(EXIT_REFUSED, "%s", a->why);
}

// A relay that was killed has left its links leading to nobody.
static bool has_died(void)
{
    struct ring_state s;
    const struct ring_process *p = ring_state_read(&s) ? ring_process_named(&s, RELAY_NAME) : NULL;
    return p && !process_alive(p);
}

int relay_ask(const char *order, int fd, bool start_it, struct relay_answer *a)
{
    int relay = -1, status = EXIT_OK;
    memset(a, 0, sizeof *a);
    if (!rundir_enter())
        return start_it ? fail_as(EXIT_NO_RING, "no ring is up in %s. Try: rotifer ring up", rundir_path()) : EXIT_OK;
    if (has_died()) {
        warn("the relay was killed; a new one makes all links straight again, and nothing is set");
        start_it = true;
    }
    if (start_it)
        status = plug_in_or_start(&relay);
    else
        relay = plug_in();
    if (relay >= 0) {
        status = order_and_answer(relay, order, fd, a);
        close(relay);
    }
    rundir_leave();
    return status;
}

int relay_ring(unsigned *nodes)
{
    struct ring_state s;
    if (!rundir_path())
        return EXIT_FAILED;
    bool up = rundir_enter() && ring_state_read(&s) && s.nodes > 0;
    if (up)
        *nodes = s.nodes;
    rundir_leave();
    return up ? EXIT_OK : fail_as(EXIT_NO_RING, "no ring is up in %s. Try: rotifer ring up", rundir_path());
}

// --- In words ---------------------------------------------------------------------------------------------

struct words {
    char *text;
    size_t size;
};

static void say(struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct words *w, const char *fmt, ...)
{
    size_t at = strlen(w->text);
    va_list ap;
    if (at && at + 3 < w->size)
        at += (size_t)snprintf(w->text + at, w->size - at, ", ");
    va_start(ap, fmt);
    vsnprintf(w->text + at, w->size - at, fmt, ap);
    va_end(ap);
}

static void say_percent(struct words *w, const char *what, uint32_t parts)
{
    if (parts)
        say(w, "%s %g %%", what, parts * 100.0 / FAULT_ALL);
}

static void say_cut(struct words *w, const struct relay_status *s, unsigned k)
{
    const struct relay_way_status *way = &s->way[2 * k];
    char from[POSITION_NAME];
    if (way[0].cut && way[1].cut) {
        say(w, "cut");
    } else if (way[0].cut || way[1].cut) {
        position_name(cable_way(2 * k + (way[1].cut ? 1 : 0), s->nodes).from, from);
        say(w, "cut from %s", from);
    }
}

bool relay_cable_text(const struct relay_status *s, unsigned k, char *text, size_t size)
{
    const struct fault_settings *f = &s->cable[k];
    struct words w = {text, size};
    text[0] = 0;
    say_cut(&w, s, k);
    say_percent(&w, "loss", f->loss);
    say_percent(&w, "dup", f->dup);
    say_percent(&w, "reorder", f->reorder);
    if (f->delay_ns)
        say(&w, "delay %s", duration(f->delay_ns));
    if (f->jitter_ns)
        say(&w, "jitter %s", duration(f->jitter_ns));
    if (f->rate_bits)
        say(&w, "rate %g Mbit/s", (double)f->rate_bits / 1e6);
    if (text[0] && f->seed != FAULT_SEED)
        say(&w, "seed %llu", (unsigned long long)f->seed);
    return text[0] != 0;
}
