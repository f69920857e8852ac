// SPDX-License-Identifier: BSD-2-Clause
// Console: guests' text out, line by line and marked as the node's own lines are; typed lines in. With a screen:
// terminals. Whoever touches a terminal's record and may block holds the screen (screen_begin), so that it stays.
#include "services/console.h"
#include "core/cap.h"
#include "core/panic.h"
#include "core/rec.h"
#include "core/thread.h"
#include "core/words.h"
#include "services/dir.h"
#include "services/protocol.h"
#include "services/screen.h"
#include "services/service.h"
#include "services/services.h"

#include <stdio.h>
#include <string.h>

#define WRITE_PAGES 16u            // 64 KiB: the longest OP_WRITE
#define FLUSH_NS (200 * NS_PER_MS) // an unfinished line (a prompt) is printed after this
#define TTYS_MAX 64u
#define TTY_RING 1024u
#define CTRL_D 0x04
#define BACKSPACE 0x08
#define DELETE 0x7f

#define CONSOLE_LINE 160 // bytes of a line printed (node_log cuts at 200); longer ones are cut into several
#define CONSOLE_RING 1024
struct console_line {            // printed when it ends or is full
    char text[CONSOLE_LINE + 1]; // [N]
    unsigned len;                // [N]
    bool seen;                   // [N] it stands on the screen already, unfinished
};
struct tty {
    struct list link;              // [N] console.ttys
    uint32_t number;               // [I] object
    uint8_t key[16];               // [N]
    char prefix[NAME_MAX_LEN + 2]; // [I] "name| "
    struct console_line line;      // [N]
    char ring[TTY_RING];           // [N] typed and not yet read
    unsigned head, count;          // [N]
    unsigned ends;                 // [N] times that "end of input" was typed and not yet told
};

struct console {
    struct port put; // [I]
    uint8_t key[16]; // [N] of object 0
    struct pool pool_tty;
    struct console_line line;    // [N] of object 0; without a screen also printed when it has lain for a while
    struct timer flush;          // [N]
    struct screen *screen;       // [N] one page; NULL: nobody sits here
    struct list ttys;            // [N] struct tty: terminals (console.c)
    unsigned nttys;              // [N]
    uint32_t last_tty;           // [N] number of the one made last
    struct tty *front;           // [N] NULL: none
    char ring[CONSOLE_RING];     // [N] typed and not yet read
    unsigned head, count, ready; // [N] oldest; in the ring; of these, in lines that have ended
    unsigned ends;               // [N] times that "end of input" was typed and not yet told
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

static int console_key(struct node *n, const struct request *r, uint8_t key[16])
{
    const struct tty *t = tty_find(n, cap_obj(&r->in.cap));
    if (cap_obj(&r->in.cap) != 0 && !t)
        return -E_OBJECT;
    bytes_copy(key, t ? t->key : console_of(n)->key, 16);
    return 0;
}

static int console_rekey(struct node *n, const struct request *r, const uint8_t key[16])
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

// tty NULL: the console itself.
static struct console_line *line_of(struct console *c, struct tty *tty)
{
    return tty ? &tty->line : &c->line;
}

static void line_flush(struct node *n, struct console *c, struct tty *tty)
{
    struct console_line *l = line_of(c, tty);
    const char *prefix = tty && tty != c->front ? tty->prefix : NULL;
    unsigned len = l->len;
    l->text[len] = 0;
    l->len = 0;
    if (c->screen)
        screen_line(n, c->screen, prefix, l->text, len);
    else
        node_log(n, "%s", l->text);
}

static void line_due(struct node *n, struct timer *t)
{
    (void)t;
    struct console *c = console_of(n);
    if (!c->screen && c->line.len > 0) // with one, only a task may print
        line_flush(n, c, NULL);
}

static void line_put(struct node *n, struct console *c, struct tty *tty, const char *s, unsigned len)
{
    struct console_line *l = line_of(c, tty);
    if (l->seen && tty != c->front)
        l->len = 0; // it goes on elsewhere, where its beginning need not be told again
    if (l->len + len > CONSOLE_LINE)
        line_flush(n, c, tty);
    memcpy(l->text + l->len, s, len);
    l->len += len;
    l->seen = false;
}

// A guest must not be able to steer the terminal that shows the console of its node.
static void char_out(struct node *n, struct console *c, struct tty *tty, char ch)
{
    static const char digits[] = "0123456789abcdef";
    unsigned u = (unsigned char)ch;
    if (ch == '\n') {
        line_flush(n, c, tty);
    } else if (ch == '\t' || (u >= 0x20 && u != DELETE)) { // UTF-8 passes
        line_put(n, c, tty, &ch, 1);
    } else if (ch != '\r') {
        const char shown[4] = {'\\', 'x', digits[u >> 4], digits[u & 15]};
        line_put(n, c, tty, shown, sizeof shown);
    }
}

static int write_all(struct node *n, struct console *c, struct tty *tty, const struct request *r)
{
    for (uint64_t at = 0; at < r->in.len;) {
        void *p;
        size_t run;
        int e = buf_at(n, &r->data, at, false, &p, &run);
        if (e < 0)
            return e;
        if (run > r->in.len - at)
            run = (size_t)(r->in.len - at);
        for (size_t i = 0; i < run; i++)
            char_out(n, c, tty, ((const char *)p)[i]);
        at += run;
    }
    return 0;
}

static void show_front(struct console *c)
{
    const struct console_line *l = c->front ? &c->front->line : NULL;
    screen_set_partial(c->screen, l ? l->text : "", l ? l->len : 0);
}

static int write_to_screen(struct node *n, struct console *c, const struct request *r)
{
    screen_begin(n, c->screen);
    struct tty *tty = tty_find(n, cap_obj(&r->in.cap)); // now: it may have gone while we waited
    int e = cap_obj(&r->in.cap) != 0 && !tty ? -E_OBJECT : write_all(n, c, tty, r);
    show_front(c);
    screen_end(n, c->screen);
    return e;
}

static int64_t run_write(struct node *n, struct request *r)
{
    struct console *c = console_of(n);
    int e = c->screen ? write_to_screen(n, c, r) : write_all(n, c, NULL, r);
    if (e < 0)
        return e;
    if (!c->screen && c->line.len > 0)
        timer_set(n, &c->flush, node_now(n) + FLUSH_NS);
    r->res[0] = r->in.len;
    return 0;
}

// --- In: lines, without a screen ------------------------------------------------------------------------------

static char *ring_at(struct console *c, unsigned i)
{
    return &c->ring[(c->head + i) % CONSOLE_RING];
}

static void ring_ends_line(struct node *n, struct console *c)
{
    c->ready = c->count;
    task_wake(n, c);
}

static void line_input(struct node *n, struct console *c, char ch)
{
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

void console_input(struct node *n, char ch)
{
    if (!n->services)
        return;
    struct console *c = console_of(n);
    if (!c->screen) {
        line_input(n, c, ch);
    } else if (c->count < CONSOLE_RING) {
        *ring_at(c, c->count++) = ch;
        ring_ends_line(n, c); // every key counts at once
    }
}

// Takes at most max bytes of the oldest line, up to and with its newline.
static size_t ring_take(struct console *c, char *to, size_t max, bool lines)
{
    size_t len = 0;
    while (c->ready > 0 && len < max) {
        char ch = *ring_at(c, 0);
        c->head = (c->head + 1) % CONSOLE_RING;
        c->count--;
        c->ready--;
        to[len++] = ch;
        if (lines && ch == '\n')
            break;
    }
    return len;
}

// Whoever asked is gone, or has given up: what was typed is for the next reader, not for nobody. One on another node
// has said so, unless that frame was lost.
static bool asker_gone(struct node *n)
{
    const struct rec *r = task_self(n)->serve.rec;
    if (task_cancelled(n))
        return true;
    struct proc *p = proc_by_ep(n, r->client);
    const struct thread *t = p ? thread_find(p, r->tid) : NULL;
    return p && (!t || t->state != THREAD_CALL || t->call.seq != r->seq);
}

static size_t most_bytes(const struct request *r, size_t most)
{
    return r->in.arg[1] < most ? (size_t)r->in.arg[1] : most;
}

static int64_t read_ring(struct node *n, struct request *r, bool lines)
{
    struct console *c = console_of(n);
    size_t max = most_bytes(r, CONSOLE_RING);
    char *page = request_page(n, r);
    if (!page)
        return -E_MEM;
    if (max == 0)
        return 0;
    while (c->ready == 0 && c->ends == 0 && !task_cancelled(n))
        task_wait(n, c);
    if (asker_gone(n))
        return -E_CANCEL;
    if (c->ready == 0) {
        c->ends--;
        return -E_EOF;
    }
    r->reply = buf_kernel(page, ring_take(c, page, max, lines));
    return 0;
}

// --- In: terminals ----------------------------------------------------------------------------------------------

static size_t tty_take(struct tty *t, char *to, size_t max)
{
    size_t len = 0;
    while (t->count > 0 && len < max) {
        to[len] = t->ring[t->head];
        t->head = (t->head + 1) % TTY_RING;
        t->count--;
        if (to[len++] == '\n')
            break;
    }
    return len;
}

static int64_t read_tty(struct node *n, struct request *r)
{
    struct console *c = console_of(n);
    size_t max = most_bytes(r, TTY_RING);
    char *page = request_page(n, r);
    struct tty *t;
    if (!page)
        return -E_MEM;
    if (max == 0)
        return 0;
    while ((t = tty_find(n, cap_obj(&r->in.cap))) && t->count == 0 && t->ends == 0 && !task_cancelled(n))
        task_wait(n, &c->ttys); // one event for all of them: they are few
    if (!t)
        return -E_OBJECT;
    if (asker_gone(n))
        return -E_CANCEL;
    if (t->count == 0) {
        t->ends--;
        return -E_EOF;
    }
    r->reply = buf_kernel(page, tty_take(t, page, max));
    return 0;
}

static int64_t run_read(struct node *n, struct request *r)
{
    if (cap_obj(&r->in.cap) != 0)
        return read_tty(n, r);
    return console_of(n)->screen ? -E_STATE : read_ring(n, r, true);
}

static int64_t run_type(struct node *n, struct request *r)
{
    struct tty *t = tty_find(n, cap_obj(&r->in.cap));
    char bytes[TTY_RING];
    if (!t)
        return -E_OP;
    if (r->in.len > TTY_RING - t->count)
        return -E_LIMIT;
    int e = buf_read(n, &r->data, 0, bytes, (size_t)r->in.len);
    if (e < 0)
        return e;
    for (size_t i = 0; i < r->in.len; i++)
        t->ring[(t->head + t->count++) % TTY_RING] = bytes[i];
    t->ends += r->in.len == 0;
    task_wake(n, &console_of(n)->ttys);
    return 0;
}

// --- Keys and screen --------------------------------------------------------------------------------------------

static int64_t run_keys(struct node *n, struct request *r)
{
    int e = need_screen(n, r);
    return e < 0 ? e : read_ring(n, r, false);
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
            c->front->line.len = 0; // it stays on the screen, with what was typed behind it
        screen_keep_row(n, c->screen);
    }
    screen_end(n, c->screen);
    return 0;
}

// Nobody is in front from now on. What that one had not finished, a question most often, stays on the screen, and is
// asked again when it comes back.
static void front_leave(struct node *n, struct console *c)
{
    struct console_line *l = c->front ? &c->front->line : NULL;
    if (l && l->len > 0) {
        screen_line(n, c->screen, NULL, l->text, l->len);
        l->seen = true;
    }
    c->front = NULL;
}

static int64_t run_front(struct node *n, struct request *r)
{
    struct console *c = console_of(n);
    if (cap_obj(&r->in.cap) == 0)
        return -E_OP;
    screen_begin(n, c->screen);
    struct tty *t = tty_find(n, cap_obj(&r->in.cap));
    if (t && (t == c->front) != (r->in.arg[0] == 1)) {
        front_leave(n, c);
        c->front = r->in.arg[0] == 1 ? t : NULL;
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
    for (size_t i = 0; e == 0 && i < r->in.len; i++)
        if (name[i] < 0x20 || name[i] > 0x7e) // it is shown on the screen
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
    c->nttys--;
    pool_free(n, &console_of(n)->pool_tty, t);
}

static int64_t run_destroy(struct node *n, struct request *r)
{
    struct console *c = console_of(n);
    if (cap_obj(&r->in.cap) == 0)
        return -E_OP;
    screen_begin(n, c->screen);
    struct tty *t = tty_find(n, cap_obj(&r->in.cap));
    if (t && t->line.len > 0 && !t->line.seen)
        line_flush(n, c, t);
    if (t)
        tty_free(n, t);
    show_front(c);
    screen_end(n, c->screen);
    task_wake(n, &c->ttys);
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
    ring_ends_line(n, c); // what was typed meanwhile is keys now
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
