// SPDX-License-Identifier: BSD-2-Clause
// The console service. Object 0 is the console itself: what is written to it is printed as the node's own lines are,
// what is typed can be read in lines. With a screen it gives keys one by one, and terminals for several programs. An
// operation that works on a terminal and may block holds the screen (screen_begin), so that the terminal stays.
#include "services/console.h"
#include "core/cap.h"
#include "core/error.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/text.h"
#include "core/words.h"
#include "services/dir.h"
#include "services/protocol.h"
#include "services/service.h"
#include "services/services.h"
#include "services/terminal/screen.h"
#include "services/terminal/terminal.h"

#include <stdio.h>
#include <string.h>

#define WRITE_PAGES 16u            // 64 KiB: the longest OP_WRITE
#define FLUSH_NS (200 * NS_PER_MS) // an unfinished line (a prompt) is printed after this
#define TTYS_MAX 64u
#define RING 1024u // bytes typed and not yet read, of each terminal

// A terminal of the screen.
struct tty {
    struct list link;              // [N] console.ttys
    uint32_t number;               // [I] object
    uint8_t key[16];               // [N]
    char prefix[NAME_MAX_LEN + 2]; // [I] "name| ": before its lines while it is not in front
    struct terminal terminal;      // [N]
    char ring[RING];               // [N]
};

struct console {
    struct port put; // [I]
    uint8_t key[16]; // [N] of object 0
    struct pool pool_tty;
    // [N] object 0; without a screen an unfinished line is also printed when it has lain a while
    struct terminal terminal;
    char ring[RING];       // [N] of object 0
    struct timer flush;    // [N]
    struct screen *screen; // [N] one page; NULL: nobody sits here
    struct list ttys;      // [N] struct tty
    unsigned nttys;        // [N]
    uint32_t last_tty;     // [N] number of the one made last
    struct tty *front;     // [N] NULL: none
};

static struct console *console_of(struct node *n)
{
    return n->services->console;
}

static struct tty *tty_find(struct node *n, uint32_t number)
{
    LIST_FOR (l, &console_of(n)->ttys) {
        struct tty *t = LIST_ENTRY(l, struct tty, link);
        if (t->number == number)
            return t;
    }
    return NULL;
}

// The terminal that the request's capability names; NULL: it is gone.
static struct terminal *terminal_of(struct node *n, const struct request *r)
{
    struct tty *t = tty_find(n, cap_obj(&r->in.cap));
    return cap_obj(&r->in.cap) == 0 ? &console_of(n)->terminal : t ? &t->terminal : NULL;
}

static int console_key(struct node *n, const struct request *r, uint8_t key[16])
{
    const struct tty *t = tty_find(n, cap_obj(&r->in.cap));
    if (cap_obj(&r->in.cap) != 0 && !t)
        return -E_OBJECT;
    bytes_copy(key, t ? t->key : console_of(n)->key, 16);
    return 0;
}

static int console_rekey(struct node *n, struct request *r, const uint8_t key[16])
{
    struct tty *t = tty_find(n, cap_obj(&r->in.cap));
    if (cap_obj(&r->in.cap) != 0 && !t)
        return -E_OBJECT;
    memcpy(t ? t->key : console_of(n)->key, key, 16);
    return 0;
}

// 0 for an operation of the console itself that needs a screen.
static int need_screen(struct node *n, const struct request *r)
{
    if (cap_obj(&r->in.cap) != 0)
        return -E_OP;
    return console_of(n)->screen ? 0 : -E_STATE;
}

// --- Out --------------------------------------------------------------------------------------------------

static void line_out(struct node *n, struct terminal *t, const char *text, size_t len)
{
    struct console *c = console_of(n);
    const char *prefix = t == &c->terminal || t->front ? NULL : LIST_ENTRY(t, struct tty, terminal)->prefix;
    if (c->screen)
        screen_line(n, c->screen, prefix, text, len);
    else
        node_log(n, "%s", text);
}

static const struct terminal_ops terminal_ops = {.line = line_out};

static void line_due(struct node *n, struct timer *t)
{
    (void)t;
    struct console *c = console_of(n);
    if (!c->screen && c->terminal.len > 0) // with one, only a task may print
        terminal_cut(n, &c->terminal);
}

static void show_front(struct console *c)
{
    const struct terminal *t = c->front ? &c->front->terminal : NULL;
    ASSERT(!t || t->front);
    screen_set_partial(c->screen, t ? t->line : "", t ? t->len : 0);
}

static int64_t write_to_screen(struct node *n, struct console *c, struct request *r)
{
    screen_begin(n, c->screen);
    struct terminal *t = terminal_of(n, r); // now: it may have gone while we waited
    int64_t e = t ? terminal_write(n, t, r) : -E_OBJECT;
    show_front(c);
    screen_end(n, c->screen);
    return e;
}

static int64_t run_write(struct node *n, struct request *r)
{
    struct console *c = console_of(n);
    if (c->screen)
        return write_to_screen(n, c, r);
    int64_t e = terminal_write(n, &c->terminal, r);
    if (e == 0 && c->terminal.len > 0)
        timer_set(n, &c->flush, node_now(n) + FLUSH_NS);
    return e;
}

// --- In ---------------------------------------------------------------------------------------------------

void console_input(struct node *n, char ch)
{
    if (n->services && console_of(n))
        terminal_input(n, &console_of(n)->terminal, &ch, 1);
}

static int64_t run_read(struct node *n, struct request *r)
{
    if (cap_obj(&r->in.cap) == 0 && console_of(n)->screen)
        return -E_STATE; // the keys are read
    return terminal_read(n, r, terminal_of);
}

static int64_t run_type(struct node *n, struct request *r)
{
    struct terminal *t = terminal_of(n, r);
    char bytes[RING];
    ASSERT(t);
    if (cap_obj(&r->in.cap) == 0)
        return -E_OP;
    if (r->in.len > terminal_space(t))
        return -E_LIMIT;
    int e = buf_read(n, &r->data, 0, bytes, (size_t)r->in.len);
    if (e < 0)
        return e;
    if (r->in.len == 0)
        terminal_end_input(n, t);
    else
        terminal_input(n, t, bytes, (size_t)r->in.len);
    return 0;
}

// --- Keys and screen --------------------------------------------------------------------------------------------

static int64_t run_keys(struct node *n, struct request *r)
{
    int e = need_screen(n, r);
    return e < 0 ? e : terminal_read(n, r, terminal_of);
}

static int64_t run_show(struct node *n, struct request *r)
{
    struct console *c = console_of(n);
    char text[SCREEN_TYPED];
    int e = need_screen(n, r);
    if (e == 0 && r->in.len > sizeof text)
        e = -E_ARG;
    if (e == 0)
        e = buf_read(n, &r->data, 0, text, (size_t)r->in.len);
    if (e < 0)
        return e;
    screen_begin(n, c->screen);
    if (r->in.arg[1] == SHOW_CLEAR)
        screen_clear(n, c->screen);
    screen_set_typed(c->screen, text, (size_t)r->in.len, (size_t)r->in.arg[0]);
    if (r->in.arg[1] == SHOW_ENTERED) {
        if (c->front)
            c->front->terminal.len = 0; // it stays on the screen, with what was typed behind it
        screen_keep_row(n, c->screen);
    }
    screen_end(n, c->screen);
    return 0;
}

static int64_t run_front(struct node *n, struct request *r)
{
    struct console *c = console_of(n);
    bool yes = r->in.arg[0] == 1;
    if (cap_obj(&r->in.cap) == 0)
        return -E_OP;
    screen_begin(n, c->screen);
    struct tty *t = tty_find(n, cap_obj(&r->in.cap));
    if (t && (t == c->front) != yes) {
        if (c->front)
            terminal_set_front(n, &c->front->terminal, false);
        c->front = yes ? t : NULL;
        if (yes)
            terminal_set_front(n, &t->terminal, true);
    }
    show_front(c);
    screen_end(n, c->screen);
    return t ? 0 : -E_OBJECT;
}

static int64_t run_log(struct node *n, struct request *r)
{
    _Static_assert(SCREEN_LOG <= PAGE_SIZE, "fits one page");
    int e = need_screen(n, r);
    char *page = e == 0 ? request_page(n, r) : NULL;
    if (!page)
        return e < 0 ? e : -E_MEM;
    size_t len = screen_log_read(console_of(n)->screen, page);
    if (len > 0)
        r->reply = buf_kernel(page, len);
    return 0;
}

// --- Terminals come and go ----------------------------------------------------------------------------------------

static int name_of(struct node *n, const struct request *r, char name[NAME_MAX_LEN])
{
    if (r->in.len == 0 || r->in.len >= NAME_MAX_LEN)
        return -E_ARG;
    memset(name, 0, NAME_MAX_LEN);
    int e = buf_read(n, &r->data, 0, name, (size_t)r->in.len);
    if (e == 0 && !text_is_plain(name, (size_t)r->in.len)) // it is shown on the screen
        e = -E_ARG;
    return e;
}

static int64_t run_open(struct node *n, struct request *r)
{
    struct console *c = console_of(n);
    char name[NAME_MAX_LEN];
    int e = need_screen(n, r);
    if (e == 0)
        e = name_of(n, r, name);
    if (e < 0)
        return e;
    if (c->nttys == TTYS_MAX)
        return -E_LIMIT;
    struct tty *t = pool_alloc(n, &c->pool_tty);
    if (!t)
        return -E_MEM;
    do // 24 bits may come round
        t->number = ++c->last_tty & CAP_OBJ_MAX;
    while (t->number == 0 || tty_find(n, t->number));
    node_random(n, t->key, sizeof t->key);
    terminal_init(&t->terminal, &terminal_ops, TERMINAL_LINES, t->ring, sizeof t->ring);
    (void)snprintf(t->prefix, sizeof t->prefix, "%s| ", name);
    list_add_tail(&c->ttys, &t->link);
    c->nttys++;
    return reply_cap(r, cap_make(c->put, t->number, RIGHT_ALL, t->key));
}

static void tty_free(struct node *n, struct tty *t)
{
    struct console *c = console_of(n);
    if (c->front == t)
        c->front = NULL;
    list_del(&t->link);
    ASSERT(c->nttys > 0);
    c->nttys--;
    terminal_end(n, &t->terminal);
    pool_free(n, &console_of(n)->pool_tty, t);
}

static int64_t run_destroy(struct node *n, struct request *r)
{
    struct console *c = console_of(n);
    if (cap_obj(&r->in.cap) == 0)
        return -E_OP;
    screen_begin(n, c->screen);
    struct tty *t = tty_find(n, cap_obj(&r->in.cap));
    if (t && t->terminal.len > 0 && !t->terminal.seen)
        terminal_cut(n, &t->terminal);
    if (t)
        tty_free(n, t);
    show_front(c);
    screen_end(n, c->screen);
    return t ? 0 : -E_OBJECT;
}

int console_attach(struct node *n, size_t (*put)(struct node *n, const char *bytes, size_t len), const void *room)
{
    _Static_assert(sizeof(struct screen) <= PAGE_SIZE, "allocated as one page");
    struct console *c = console_of(n);
    ASSERT(!c->screen);
    struct screen *s = page_alloc(n);
    if (!s)
        return -E_MEM;
    s->put = put;
    s->room = room;
    c->screen = s;
    terminal_set_mode(n, &c->terminal, TERMINAL_KEYS); // and so is what was typed meanwhile
    return 0;
}

bool console_log(struct node *n, const char *line)
{
    if (!n->services || !console_of(n) || !console_of(n)->screen)
        return false;
    screen_log(console_of(n)->screen, line);
    return true;
}

// --- The service ------------------------------------------------------------------------------------------------

static const struct operation ops[] = {
    {OP_READ, "read", RIGHT_READ, false, OP_BLOCKS, run_read},
    {OP_WRITE, "write", RIGHT_WRITE, false, OP_SLOW, run_write}, // slow: for the screen
    {OP_DESTROY, "destroy", RIGHT_DESTROY, false, OP_SLOW, run_destroy},
    {OP_CONSOLE_KEYS, "keys", RIGHT_CONTROL, false, OP_BLOCKS, run_keys},
    {OP_CONSOLE_SHOW, "show", RIGHT_CONTROL, false, OP_SLOW, run_show},
    {OP_CONSOLE_OPEN, "open", RIGHT_CREATE, false, OP_NONBLOCKING, run_open},
    {OP_CONSOLE_LOG, "log", RIGHT_READ, true, OP_NONBLOCKING, run_log},
    {OP_CONSOLE_TYPE, "type", RIGHT_CONTROL, false, OP_NONBLOCKING, run_type},
    {OP_CONSOLE_FRONT, "front", RIGHT_CONTROL, true, OP_SLOW, run_front},
    {0, NULL, 0, false, OP_NONBLOCKING, NULL},
};
static const struct service service = {
    .name = "console",
    .ops = ops,
    .key = console_key,
    .rekey = console_rekey,
    .buffer_pages = WRITE_PAGES,
    .tasks = 1,
    .tasks_max = 12, // ten may wait for lines or keys
};

int console_service_start(struct node *n)
{
    struct console *c = n->services->console = service_state(n, sizeof *c);
    if (!c)
        return -E_MEM;
    pool_init(&c->pool_tty, "tty", sizeof(struct tty));
    list_init(&c->ttys);
    timer_init(&c->flush, line_due);
    terminal_init(&c->terminal, &terminal_ops, TERMINAL_COOKED, c->ring, sizeof c->ring);
    struct port get;
    node_random(n, &get, sizeof get);
    node_random(n, c->key, sizeof c->key);
    int e = service_open(n, &service, get, &c->put);
    if (e < 0)
        return e;
    struct cap cap = cap_make(c->put, 0, RIGHT_ALL, c->key);
    return dir_enter(n, "console", &cap);
}

void console_service_stop(struct node *n)
{
    struct console *c = console_of(n);
    if (!c)
        return;
    timer_cancel(n, &c->flush);
    LIST_FOR_SAFE (l, next, &c->ttys)
        tty_free(n, LIST_ENTRY(l, struct tty, link));
    if (c->screen)
        page_drop(n, c->screen);
    c->screen = NULL;
}
