// SPDX-License-Identifier: BSD-2-Clause
// A terminal: bytes that are typed on their way to readers, text that is written on its way to the device.
#include "services/terminal/terminal.h"
#include "core/error.h"
#include "core/panic.h"
#include "core/rec.h"
#include "core/thread.h"

#include <string.h>

#define CTRL_D 0x04
#define BACKSPACE 0x08
#define DELETE 0x7f

void terminal_init(struct terminal *t, const struct terminal_ops *ops, enum terminal_mode mode, char *ring,
                   unsigned size)
{
    ASSERT(!ops->put != !ops->line);
    ASSERT(ring && size > 1);
    *t = (struct terminal){.ops = ops, .mode = mode, .ring = ring, .size = size};
}

// --- Typed ------------------------------------------------------------------------------------------------

static void all_is_ready(struct node *n, struct terminal *t)
{
    t->ready = t->count;
    task_wake(n, t);
}

void terminal_set_mode(struct node *n, struct terminal *t, enum terminal_mode mode)
{
    t->mode = mode;
    all_is_ready(n, t);
}

size_t terminal_space(const struct terminal *t)
{
    ASSERT(t->ready <= t->count && t->count <= t->size);
    return t->size - t->count;
}

static void ring_put(struct terminal *t, char ch)
{
    ASSERT(t->count < t->size);
    t->ring[(t->head + t->count++) % t->size] = ch;
}

static void cooked_input(struct node *n, struct terminal *t, char ch)
{
    if (ch == '\r')
        ch = '\n';
    if (ch == BACKSPACE || ch == DELETE) {
        t->count -= t->count > t->ready;
        return;
    }
    if (ch == CTRL_D) { // gives what is typed so far, or the end of input when that is nothing
        t->ends += t->count == t->ready;
        all_is_ready(n, t);
        return;
    }
    // The last place is for the newline, or a line that is too long could not be ended.
    if (terminal_space(t) > (ch == '\n' ? 0 : 1))
        ring_put(t, ch);
    if (ch == '\n')
        all_is_ready(n, t);
}

void terminal_input(struct node *n, struct terminal *t, const char *bytes, size_t len)
{
    if (t->mode == TERMINAL_COOKED) {
        for (size_t i = 0; i < len; i++)
            cooked_input(n, t, bytes[i]);
        return;
    }
    for (size_t i = 0; i < len && terminal_space(t) > 0; i++)
        ring_put(t, bytes[i]);
    all_is_ready(n, t);
}

void terminal_end_input(struct node *n, struct terminal *t)
{
    t->ends++;
    all_is_ready(n, t);
}

void terminal_end(struct node *n, struct terminal *t)
{
    task_wake(n, t);
}

// --- Read -------------------------------------------------------------------------------------------------

// The reader is gone, or has given up. One on another node has said so, unless that frame was lost.
static bool reader_gone(struct node *n)
{
    const struct rec *r = task_self(n)->serve.rec;
    if (task_cancelled(n))
        return true;
    struct proc *p = proc_by_ep(n, r->client);
    const struct thread *t = p ? thread_find(p, r->tid) : NULL;
    return p && (!t || t->state != THREAD_CALL || t->call.seq != r->seq);
}

// How much a reader gets of what is ready: max bytes, or up to and with the first newline.
static size_t length_for_reader(const struct terminal *t, size_t max)
{
    size_t most = t->ready < max ? t->ready : max;
    if (t->mode == TERMINAL_KEYS)
        return most;
    for (size_t i = 0; i < most; i++)
        if (t->ring[(t->head + i) % t->size] == '\n')
            return i + 1;
    return most;
}

// Moves the oldest len bytes into the reply: in one stretch, or in two where the ring comes round.
static int64_t reply_with(struct node *n, struct request *r, struct terminal *t, size_t len)
{
    ASSERT(len > 0 && len <= t->ready);
    size_t first = t->size - t->head < len ? t->size - t->head : len;
    char *page = len <= PAGE_SIZE ? request_page(n, r) : NULL;
    int64_t e = len <= PAGE_SIZE && !page ? -E_MEM : 0;
    if (page) {
        memcpy(page, t->ring + t->head, first);
        memcpy(page + first, t->ring, len - first);
        r->reply = buf_kernel(page, len);
    } else if (e == 0) {
        e = reply_append(n, r, t->ring + t->head, first);
        if (e == 0 && len > first)
            e = reply_append(n, r, t->ring, len - first);
    }
    if (e < 0)
        return e; // and it stays in the ring
    t->head = (t->head + (unsigned)len) % t->size;
    t->count -= (unsigned)len;
    t->ready -= (unsigned)len;
    return 0;
}

static bool has_something(const struct terminal *t)
{
    return t->ready > 0 || t->ends > 0;
}

int64_t terminal_read(struct node *n, struct request *r,
                      struct terminal *(*find)(struct node *n, const struct request *r))
{
    struct terminal *t = find(n, r);
    size_t max = r->in.arg[1];
    while (t && max > 0 && !has_something(t) && !task_cancelled(n)) {
        int e = t->ops->want ? t->ops->want(n, t, max < t->size ? max : t->size) : 0;
        if (e < 0)
            return e;
        if (!has_something(t))
            task_wait(n, t);
        t = find(n, r); // now: it may have ended while we waited
    }
    if (!t)
        return -E_OBJECT;
    if (max == 0)
        return 0;
    if (reader_gone(n))
        return -E_CANCEL;
    if (t->ready == 0) {
        t->ends--;
        return -E_EOF;
    }
    return reply_with(n, r, t, length_for_reader(t, max));
}

// --- Written: lines ---------------------------------------------------------------------------------------

void terminal_cut(struct node *n, struct terminal *t)
{
    size_t len = t->len;
    ASSERT(t->ops->line && len <= TERMINAL_LINE);
    t->line[len] = 0;
    t->len = 0;
    t->ops->line(n, t, t->line, len);
}

static void line_put(struct node *n, struct terminal *t, const char *s, unsigned len)
{
    if (t->seen && !t->front)
        t->len = 0; // it goes on elsewhere, where its beginning need not be told again
    if (t->len + len > TERMINAL_LINE)
        terminal_cut(n, t);
    memcpy(t->line + t->len, s, len);
    t->len += len;
    t->seen = false;
}

// May a byte of 0x80 to 0x9f follow in the line? Inside a character of UTF-8 it is a part of it. Elsewhere, and behind
// 0xc2 (U+0080 to U+009F), it is a control character, which terminals obey as they obey ESC and a letter.
static bool inside_character(const struct terminal *t)
{
    size_t back = 0;
    while (back < 3 && back < t->len && ((unsigned char)t->line[t->len - 1 - back] & 0xc0) == 0x80)
        back++;
    unsigned lead = back < t->len ? (unsigned char)t->line[t->len - 1 - back] : 0;
    return lead > 0xc2 && back < (lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1);
}

static bool may_be_shown(const struct terminal *t, unsigned u)
{
    return u >= 0x20 && u != DELETE && (u < 0x80 || u > 0x9f || inside_character(t));
}

// A guest must not be able to steer the device that shows what others say, too.
static void char_out(struct node *n, struct terminal *t, char ch)
{
    static const char digits[] = "0123456789abcdef";
    unsigned u = (unsigned char)ch;
    if (ch == '\n') {
        terminal_cut(n, t);
    } else if (ch == '\t' || may_be_shown(t, u)) { // UTF-8 passes
        line_put(n, t, &ch, 1);
    } else if (ch != '\r') {
        const char shown[4] = {'\\', 'x', digits[u >> 4], digits[u & 15]};
        line_put(n, t, shown, sizeof shown);
    }
}

void terminal_set_front(struct node *n, struct terminal *t, bool front)
{
    ASSERT(t->front != front && t->ops->line);
    if (!front && t->len > 0) {
        t->line[t->len] = 0;
        t->ops->line(n, t, t->line, t->len);
        t->seen = true;
    }
    t->front = front;
}

// --- Written ----------------------------------------------------------------------------------------------

// Returns how many bytes the device took, 0 when it is to be asked again, or its error.
static int64_t put_some(struct node *n, struct terminal *t, const char *bytes, size_t len)
{
    if (t->ops->put)
        return t->ops->put(n, t, bytes, len);
    for (size_t i = 0; i < len; i++)
        char_out(n, t, bytes[i]);
    return (int64_t)len;
}

int64_t terminal_write(struct node *n, struct terminal *t, struct request *r)
{
    for (uint64_t at = 0; at < r->in.len;) {
        void *p;
        size_t run;
        int e = buf_at(n, &r->data, at, false, &p, &run);
        if (e < 0)
            return e;
        if (run > r->in.len - at)
            run = (size_t)(r->in.len - at);
        int64_t took = put_some(n, t, p, run);
        if (took < 0)
            return took;
        ASSERT((uint64_t)took <= run);
        at += (uint64_t)took;
    }
    r->res[0] = r->in.len;
    return 0;
}
