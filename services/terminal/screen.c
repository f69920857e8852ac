// SPDX-License-Identifier: BSD-2-Clause
// One row for several writers: the unfinished line of the front, what is typed behind it, lines of others above.
#include "services/terminal/screen.h"
#include "core/panic.h"
#include "core/task.h"
#include "services/terminal/width.h"

#include <stdio.h>
#include <string.h>

#define TYPED_COLUMNS_MIN 30u // that what is typed gets in the row, however long the text before it

// --- Out ------------------------------------------------------------------------------------------------------

static void emit(struct node *n, struct screen *s, const char *bytes, size_t len)
{
    ASSERT(s->busy);
    for (;;) {
        size_t took = s->put(n, bytes, len);
        bytes += took;
        len -= took;
        if (len == 0)
            return;
        task_wait(n, s->room);
    }
}

static void emit_text(struct node *n, struct screen *s, const char *text)
{
    emit(n, s, text, strlen(text));
}

void screen_begin(struct node *n, struct screen *s)
{
    while (s->busy)
        task_wait(n, &s->busy);
    s->busy = true;
}

// --- Columns: the bytes of a character stay together, and with it the marks that are drawn over it --------------

// Bytes of the longest beginning of text that takes no more than so many columns.
static size_t fitting(const char *text, size_t len, unsigned most)
{
    size_t at = 0, step;
    for (unsigned width; at < len && (width = char_width(text + at, len - at, &step)) <= most; at += step)
        most -= width;
    return at;
}

// Bytes of the shortest beginning of text that takes so many columns at least: what is left begins with a character.
static size_t covering(const char *text, size_t len, unsigned least)
{
    size_t at = 0, step;
    for (unsigned width; at < len; at += step) {
        width = char_width(text + at, len - at, &step);
        if (least == 0 && width > 0)
            break;
        least -= width < least ? width : least;
    }
    return at;
}

// --- The row ----------------------------------------------------------------------------------------------------

struct row {
    char text[SCREEN_ROW];
    unsigned len, cursor;
};

static void row_add(struct row *r, const char *text, size_t len)
{
    size_t room = sizeof r->text - r->len;
    if (len > room) // more than four bytes a column: many marks, or no UTF-8
        for (len = room; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
            len--;
    memcpy(r->text + r->len, text, len);
    r->len += (unsigned)len;
}

// The end of the unfinished text, then that window of what is typed in which the cursor is.
static void compose(const struct screen *s, struct row *r)
{
    unsigned before = text_width(s->partial, s->partial_len), typed = text_width(s->typed, s->typed_len);
    unsigned cursor = text_width(s->typed, s->cursor), room = SCREEN_COLUMNS;
    unsigned least = typed < TYPED_COLUMNS_MIN ? typed : TYPED_COLUMNS_MIN;
    unsigned cut = before > room - least ? before - (room - least) : 0;
    size_t skip = cut ? covering(s->partial, s->partial_len, cut) : 0;
    unsigned shown = text_width(s->partial + skip, s->partial_len - skip);
    ASSERT(shown <= room - least);
    room -= shown;
    size_t from = cursor > room ? covering(s->typed, s->typed_len, cursor - room) : 0;
    from = from < s->cursor ? from : s->cursor; // the cursor may be before a mark
    size_t len = fitting(s->typed + from, s->typed_len - from, room);
    r->len = 0;
    row_add(r, s->partial + skip, s->partial_len - skip);
    row_add(r, s->typed + from, len);
    r->cursor = shown + text_width(s->typed + from, s->cursor - from);
}

static void row_erase(struct node *n, struct screen *s)
{
    if (s->row_len > 0)
        emit_text(n, s, "\r\x1b[K");
    s->row_len = s->row_cursor = 0;
}

static bool starts_with(const char *text, size_t len, const char *start, size_t start_len)
{
    return start_len <= len && memcmp(text, start, start_len) == 0;
}

static bool cursor_at_end(const char *row, unsigned len, unsigned cursor)
{
    return cursor == text_width(row, len);
}

static void place_cursor(struct node *n, struct screen *s, unsigned column)
{
    char text[16];
    (void)snprintf(text, sizeof text, column ? "\r\x1b[%uC" : "\r", column);
    emit_text(n, s, text);
}

// What most keys do (a character more at the end) costs that character and no more.
static void row_draw(struct node *n, struct screen *s)
{
    struct row r;
    compose(s, &r);
    bool same = r.len == s->row_len && memcmp(r.text, s->row, r.len) == 0;
    if (same && r.cursor == s->row_cursor)
        return;
    bool at_end = cursor_at_end(r.text, r.len, r.cursor);
    bool was_at_end = cursor_at_end(s->row, s->row_len, s->row_cursor);
    if (at_end && was_at_end && starts_with(r.text, r.len, s->row, s->row_len)) {
        emit(n, s, r.text + s->row_len, r.len - s->row_len);
    } else if (at_end && was_at_end && s->row_len == r.len + 1 && starts_with(s->row, s->row_len, r.text, r.len)) {
        emit_text(n, s, "\b \b");
    } else {
        if (!same) {
            emit_text(n, s, "\r");
            emit(n, s, r.text, r.len);
            emit_text(n, s, "\x1b[K");
        }
        if (same || !at_end)
            place_cursor(n, s, r.cursor);
    }
    memcpy(s->row, r.text, r.len);
    s->row_len = r.len;
    s->row_cursor = r.cursor;
}

void screen_end(struct node *n, struct screen *s)
{
    row_draw(n, s);
    s->busy = false;
    task_wake(n, &s->busy);
}

void screen_line(struct node *n, struct screen *s, const char *prefix, const char *text, size_t len)
{
    bool goes_on = !prefix && s->row_len > 0 && starts_with(text, len, s->row, s->row_len) &&
                   cursor_at_end(s->row, s->row_len, s->row_cursor);
    size_t there = goes_on ? s->row_len : 0;
    if (goes_on)
        s->row_len = s->row_cursor = 0; // the front ends the line that it began
    else
        row_erase(n, s);
    if (prefix)
        emit_text(n, s, prefix);
    emit(n, s, text + there, len - there);
    emit_text(n, s, "\r\n");
}

void screen_keep_row(struct node *n, struct screen *s)
{
    row_draw(n, s);
    emit_text(n, s, "\r\n");
    s->row_len = s->row_cursor = s->partial_len = s->typed_len = s->cursor = 0;
}

void screen_clear(struct node *n, struct screen *s)
{
    emit_text(n, s, "\x1b[H\x1b[J");
    s->row_len = s->row_cursor = 0;
}

void screen_set_partial(struct screen *s, const char *text, size_t len)
{
    size_t skip = len > sizeof s->partial ? len - sizeof s->partial : 0;
    memcpy(s->partial, text + skip, len - skip);
    s->partial_len = (unsigned)(len - skip);
}

void screen_set_typed(struct screen *s, const char *text, size_t len, size_t cursor)
{
    if (len > sizeof s->typed)
        len = sizeof s->typed;
    memcpy(s->typed, text, len);
    s->typed_len = (unsigned)len;
    s->cursor = (unsigned)(cursor < len ? cursor : len);
}

// --- The log ------------------------------------------------------------------------------------------------------

static void log_put(struct screen *s, char c)
{
    s->log[s->logged++ % SCREEN_LOG] = c;
}

void screen_log(struct screen *s, const char *line)
{
    for (; *line; line++)
        log_put(s, *line);
    log_put(s, '\n');
}

size_t screen_log_read(const struct screen *s, char *to)
{
    uint64_t at = s->logged > SCREEN_LOG ? s->logged - SCREEN_LOG : 0;
    size_t len = 0;
    if (at > 0) // the first line there may be half overwritten
        while (at < s->logged && s->log[at++ % SCREEN_LOG] != '\n') {}
    while (at < s->logged)
        to[len++] = s->log[at++ % SCREEN_LOG];
    return len;
}
