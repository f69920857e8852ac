// SPDX-License-Identifier: BSD-2-Clause
// Standard input and output as a terminal of the ring.
#include "tools/terminal.h"
#include "core/cap.h"
#include "core/config.h"
#include "core/error.h"
#include "core/task.h"
#include "services/protocol.h"
#include "services/service.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define TERMINAL_OBJECT 1u
#define REQUEST_PAGES 64u
#define CHUNK 4096u // poll() promises that so many bytes can be written to a pipe without waiting (PIPE_BUF)
#define INPUT_MAX (64 * KIB)

static struct {
    struct node *node;
    struct loop *loop;
    void (*broken)(struct node *n); // NULL: told already
    uint8_t key[16];
    char in_ready, out_ready; // events: their addresses are what tasks wait for
} terminal;

// --- Waiting for a descriptor, in a task ---------------------------------------------------------------

static void input_ready(void *arg, short events)
{
    (void)arg;
    (void)events;
    loop_set_events(terminal.loop, STDIN_FILENO, 0);
    task_wake(terminal.node, &terminal.in_ready);
}

static void output_ready(void *arg, short events)
{
    (void)arg;
    (void)events;
    loop_set_events(terminal.loop, STDOUT_FILENO, 0);
    task_wake(terminal.node, &terminal.out_ready);
}

// Events come once and wake all; each looks again for itself.
static bool ready_now(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    return poll(&p, 1, 0) > 0;
}

// false: may_end, and who asked does not want it any more.
static bool wait_ready(struct node *n, int fd, short events, const void *event, bool may_end)
{
    while (!ready_now(fd, events)) {
        if (may_end && task_cancelled(n))
            return false;
        loop_set_events(terminal.loop, fd, events);
        task_wait(n, event);
    }
    return true;
}

// --- Operations -----------------------------------------------------------------------------------------

static int terminal_key(struct node *n, const struct request *r, uint8_t key[16])
{
    (void)n;
    if (cap_obj(&r->in.cap) != TERMINAL_OBJECT)
        return -E_OBJECT;
    for (int i = 0; i < 16; i++)
        key[i] = terminal.key[i];
    return 0;
}

// A pipe without a reader: Linux would have ended the program by SIGPIPE.
static void tell_broken(struct node *n)
{
    void (*broken)(struct node * n) = terminal.broken;
    terminal.broken = NULL;
    if (broken)
        broken(n);
}

static int64_t run_write(struct node *n, struct request *r)
{
    for (uint64_t at = 0; at < r->in.len;) {
        void *p;
        size_t run;
        int e = buf_at(n, &r->data, at, false, &p, &run);
        if (e < 0)
            return e;
        if (run > r->in.len - at)
            run = r->in.len - at;
        if (run > CHUNK)
            run = CHUNK;
        (void)wait_ready(n, STDOUT_FILENO, POLLOUT, &terminal.out_ready, false);
        ssize_t w = write(STDOUT_FILENO, p, run);
        if (w < 0 && errno == EPIPE)
            tell_broken(n);
        if (w < 0 && errno != EINTR && errno != EAGAIN)
            return -E_IO; // nobody reads any more, or the disk is full
        if (w > 0)
            at += (uint64_t)w;
    }
    r->res[0] = r->in.len;
    return 0;
}

static void free_buffer(struct node *n, struct request *r)
{
    (void)n;
    free(r->after_arg);
}

static int64_t run_read(struct node *n, struct request *r)
{
    size_t max = r->in.arg[1] < INPUT_MAX ? (size_t)r->in.arg[1] : INPUT_MAX;
    if (max == 0)
        return 0;
    char *p = malloc(max);
    if (!p)
        return -E_MEM;
    ssize_t got;
    do {
        if (!wait_ready(n, STDIN_FILENO, POLLIN, &terminal.in_ready, true)) {
            free(p);
            return -E_CANCEL; // what is typed is for the next reader
        }
        got = read(STDIN_FILENO, p, max);
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    if (got <= 0) {
        free(p);
        return got == 0 ? -E_EOF : -E_IO;
    }
    r->reply = buf_kernel(p, (uint64_t)got);
    r->after = free_buffer;
    r->after_arg = p;
    return 0;
}

static const struct operation ops[] = {
    {OP_READ, "read", RIGHT_READ, false, OP_BLOCKS, run_read},
    {OP_WRITE, "write", RIGHT_WRITE, false, OP_SLOW, run_write},
    {0, NULL, 0, false, OP_NONBLOCKING, NULL},
};
static const struct service service = {
    .name = "terminal", .ops = ops, .key = terminal_key, .buffer_pages = REQUEST_PAGES, .tasks = 2, .tasks_max = 6};

int terminal_start(struct node *n, struct loop *l, void (*broken)(struct node *n), struct cap *cap)
{
    struct port get, put;
    terminal.node = n;
    terminal.loop = l;
    terminal.broken = broken;
    node_random(n, terminal.key, sizeof terminal.key);
    node_random(n, &get, sizeof get);
    int handle = service_open(n, &service, get, &put);
    if (handle < 0)
        return handle;
    loop_watch(l, STDIN_FILENO, 0, input_ready, NULL);
    loop_watch(l, STDOUT_FILENO, 0, output_ready, NULL);
    *cap = cap_make(put, TERMINAL_OBJECT, RIGHT_READ | RIGHT_WRITE, terminal.key);
    return 0;
}
