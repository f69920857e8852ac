// SPDX-License-Identifier: BSD-2-Clause
// Console: guests' text out, line by line and marked as the node's own lines are; typed lines in.
#include "services/console.h"
#include "core/cap.h"
#include "services/services_priv.h"
#include <string.h>

#define WRITE_PAGES 16u             // 64 KiB: the longest OP_WRITE
#define FLUSH_NS (200 * NS_PER_MS)  // an unfinished line (a prompt) is printed after this
#define CTRL_D 0x04
#define BACKSPACE 0x08
#define DELETE 0x7f

static int console_key(struct node *n, const struct request *r, uint8_t key[16])
{
    if (cap_obj(&r->in.cap) != 0)
        return -E_OBJECT;
    memcpy(key, n->services->console_key, 16);
    return 0;
}

// --- Out --------------------------------------------------------------------------------------------------

static void line_flush(struct node *n, struct console *c)
{
    timer_cancel(n, &c->flush);
    c->line[c->len] = 0;
    c->len = 0;
    node_log(n, "%s", c->line);
}

static void line_due(struct node *n, struct timer *t)
{
    (void)t;
    line_flush(n, &n->services->console);
}

static void line_put(struct node *n, struct console *c, const char *s, unsigned len)
{
    if (c->len + len > CONSOLE_LINE)
        line_flush(n, c);
    memcpy(c->line + c->len, s, len);
    c->len += len;
}

// A guest must not be able to steer the terminal that shows the console of its node.
static void char_out(struct node *n, struct console *c, char ch)
{
    static const char digits[] = "0123456789abcdef";
    unsigned u = (unsigned char)ch;
    if (ch == '\n') {
        line_flush(n, c);
    } else if (ch == '\t' || (u >= 0x20 && u != DELETE)) { // UTF-8 passes
        line_put(n, c, &ch, 1);
    } else if (ch != '\r') {
        const char shown[4] = {'\\', 'x', digits[u >> 4], digits[u & 15]};
        line_put(n, c, shown, sizeof shown);
    }
}

static int64_t run_write(struct node *n, struct request *r)
{
    struct console *c = &n->services->console;
    for (uint64_t at = 0; at < r->in.len;) {
        void *p;
        size_t run;
        int e = buf_at(n, &r->data, at, false, &p, &run);
        if (e < 0)
            return e;
        if (run > r->in.len - at)
            run = (size_t)(r->in.len - at);
        for (size_t i = 0; i < run; i++)
            char_out(n, c, ((const char *)p)[i]);
        at += run;
    }
    if (c->len > 0)
        timer_set(n, &c->flush, node_now(n) + FLUSH_NS);
    r->res[0] = r->in.len;
    return 0;
}

// --- In ---------------------------------------------------------------------------------------------------

static char *ring_at(struct console *c, unsigned i) { return &c->ring[(c->head + i) % CONSOLE_RING]; }

static void ring_ends_line(struct node *n, struct console *c)
{
    c->ready = c->count;
    task_wake(n, c);
}

void console_input(struct node *n, char ch)
{
    if (!n->services)
        return;
    struct console *c = &n->services->console;
    if (ch == '\r')
        ch = '\n';
    if (ch == BACKSPACE || ch == DELETE) {
        if (c->count > c->ready)
            c->count--;
        return;
    }
    if (ch == CTRL_D) { // as on any terminal: gives what is typed so far, or the end when that is nothing
        c->ends += c->count == c->ready;
        ring_ends_line(n, c);
        return;
    }
    // The last place is for the newline: a line that is too long can still be ended.
    if (c->count == CONSOLE_RING || (c->count == CONSOLE_RING - 1 && ch != '\n'))
        return;
    *ring_at(c, c->count++) = ch;
    if (ch == '\n')
        ring_ends_line(n, c);
}

// Takes at most max bytes of the oldest line, up to and with its newline.
static size_t ring_take(struct console *c, char *to, size_t max)
{
    size_t len = 0;
    while (c->ready > 0 && len < max) {
        char ch = *ring_at(c, 0);
        c->head = (c->head + 1) % CONSOLE_RING;
        c->count--;
        c->ready--;
        to[len++] = ch;
        if (ch == '\n')
            break;
    }
    return len;
}

static int64_t run_read(struct node *n, struct request *r)
{
    struct console *c = &n->services->console;
    size_t max = r->in.arg[1] < CONSOLE_RING ? (size_t)r->in.arg[1] : CONSOLE_RING;
    char *page = request_page(n, r);
    if (!page)
        return -E_MEM;
    if (max == 0)
        return 0;
    while (c->ready == 0 && c->ends == 0)
        task_wait(n, c);
    if (c->ready == 0) {
        c->ends--;
        return -E_EOF;
    }
    r->reply = buf_kernel(page, ring_take(c, page, max));
    return 0;
}

static const struct operation ops[] = {
    {OP_READ, "read", RIGHT_READ, false, OP_WAITS, run_read},
    {OP_WRITE, "write", RIGHT_WRITE, false, OP_QUICK, run_write},
    {0, NULL, 0, false, OP_QUICK, NULL},
};
static const struct service service = {
    .name = "console",
    .ops = ops,
    .key = console_key,
    .buffer_pages = WRITE_PAGES,
    .tasks = 1,
    .tasks_max = 4,
};

int console_service_start(struct node *n)
{
    struct services *sv = n->services;
    timer_init(&sv->console.flush, line_due);
    struct port get;
    node_random(n, &get, sizeof get);
    node_random(n, sv->console_key, sizeof sv->console_key);
    int e = service_open(n, &service, get, &sv->console_put);
    if (e < 0)
        return e;
    struct cap c = cap_make(sv->console_put, 0, RIGHT_ALL, sv->console_key);
    return dir_enter(n, "console", &c);
}

void console_service_stop(struct node *n) { timer_cancel(n, &n->services->console.flush); }
