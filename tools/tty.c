// SPDX-License-Identifier: BSD-2-Clause
// Standard input and output as the device of a terminal (services/terminal/terminal.h): bytes are moved, no more.
#include "tools/tty.h"
#include "core/cap.h"
#include "core/config.h"
#include "core/error.h"
#include "core/panic.h"
#include "core/task.h"
#include "services/protocol.h"
#include "services/terminal/terminal.h"

#include <errno.h>
#include <unistd.h>

#define TTY_OBJECT 1u
#define REQUEST_PAGES 64u
#define CHUNK 4096u // poll() promises that so many bytes can be written to a pipe without waiting (PIPE_BUF)
#define INPUT_MAX (64u * 1024)

static struct {
    struct node *node;
    struct loop *loop;
    void (*broken)(struct node *n); // NULL: told already
    uint8_t key[16];
    struct terminal terminal;
    char ring[INPUT_MAX];
    char out_ready; // event: its address is what writers wait for
} tty;

// --- The device -------------------------------------------------------------------------------------------

static void input_ready(void *arg, short events)
{
    (void)arg;
    (void)events;
    loop_set_events(tty.loop, STDIN_FILENO, 0);
    task_wake(tty.node, &tty.terminal);
}

static void output_ready(void *arg, short events)
{
    (void)arg;
    (void)events;
    loop_set_events(tty.loop, STDOUT_FILENO, 0);
    task_wake(tty.node, &tty.out_ready);
}

// Events come once and wake all; each looks again for itself.
static bool ready_now(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    return poll(&p, 1, 0) > 0;
}

// A pipe without a reader: Linux would have ended the program by SIGPIPE.
static void tell_broken(struct node *n)
{
    void (*broken)(struct node * n) = tty.broken;
    tty.broken = NULL;
    if (broken)
        broken(n);
}

static int64_t put(struct node *n, struct terminal *t, const char *bytes, size_t len)
{
    (void)t;
    while (!ready_now(STDOUT_FILENO, POLLOUT)) {
        loop_set_events(tty.loop, STDOUT_FILENO, POLLOUT);
        task_wait(n, &tty.out_ready);
    }
    ssize_t written = write(STDOUT_FILENO, bytes, len < CHUNK ? len : CHUNK);
    if (written >= 0)
        return written;
    if (errno == EPIPE)
        tell_broken(n);
    return errno == EINTR || errno == EAGAIN ? 0 : -E_IO; // nobody reads any more, or the disk is full
}

// Not more than a reader asked for: what is left belongs to the shell, or to the next program.
static int want(struct node *n, struct terminal *t, size_t max)
{
    static char bytes[INPUT_MAX];
    ASSERT(max <= sizeof bytes && max <= terminal_space(t));
    ssize_t got = -1;
    if (ready_now(STDIN_FILENO, POLLIN))
        got = read(STDIN_FILENO, bytes, max);
    else
        errno = EAGAIN;
    if (got > 0)
        terminal_input(n, t, bytes, (size_t)got);
    else if (got == 0)
        terminal_end_input(n, t);
    else if (errno != EAGAIN && errno != EINTR)
        return -E_IO;
    else
        loop_set_events(tty.loop, STDIN_FILENO, POLLIN);
    return 0;
}

static const struct terminal_ops terminal_ops = {.put = put, .want = want};

// --- The service ------------------------------------------------------------------------------------------

static int tty_key(struct node *n, const struct request *r, uint8_t key[16])
{
    (void)n;
    if (cap_obj(&r->in.cap) != TTY_OBJECT)
        return -E_OBJECT;
    for (int i = 0; i < 16; i++)
        key[i] = tty.key[i];
    return 0;
}

static struct terminal *the_terminal(struct node *n, const struct request *r)
{
    (void)n;
    (void)r;
    return &tty.terminal;
}

static int64_t run_write(struct node *n, struct request *r)
{
    return terminal_write(n, &tty.terminal, r);
}

static int64_t run_read(struct node *n, struct request *r)
{
    return terminal_read(n, r, the_terminal);
}

static const struct operation ops[] = {
    {OP_READ, "read", RIGHT_READ, false, OP_BLOCKS, run_read},
    {OP_WRITE, "write", RIGHT_WRITE, false, OP_SLOW, run_write},
    {0, NULL, 0, false, OP_NONBLOCKING, NULL},
};
static const struct service service = {
    .name = "tty", .ops = ops, .key = tty_key, .buffer_pages = REQUEST_PAGES, .tasks = 2, .tasks_max = 6};

int tty_start(struct node *n, struct loop *l, void (*broken)(struct node *n), struct cap *cap)
{
    struct port get, put_port;
    ASSERT(!tty.node);
    tty.node = n;
    tty.loop = l;
    tty.broken = broken;
    terminal_init(&tty.terminal, &terminal_ops, TERMINAL_KEYS, tty.ring, sizeof tty.ring);
    node_random(n, tty.key, sizeof tty.key);
    node_random(n, &get, sizeof get);
    int handle = service_open(n, &service, get, &put_port);
    if (handle < 0)
        return handle;
    loop_watch(l, STDIN_FILENO, 0, input_ready, NULL);
    loop_watch(l, STDOUT_FILENO, 0, output_ready, NULL);
    *cap = cap_make(put_port, TTY_OBJECT, RIGHT_READ | RIGHT_WRITE, tty.key);
    return 0;
}
