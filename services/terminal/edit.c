// SPDX-License-Identifier: BSD-2-Clause
// A line being typed. The functions at the top work on bytes and characters of the text; edit_key at the end is the
// state machine.
#include "services/terminal/edit.h"
#include "core/panic.h"
#include "services/terminal/width.h"

#include <string.h>

#define CTRL(letter) ((letter)-64)
#define BEL 7
#define ESCAPE 27
#define DELETE 127

// state        after                  next
// TEXT         any byte but ESC       TEXT
//              ESC                    ESC
// ESC          [                      CSI
//              O                      SS3
//              ] P X ^ _              STRING
//              other                  TEXT (ignored)
// CSI          0 .. ? (parameters)    CSI, the first digit kept
//              @ .. ~ (final)         TEXT, the key
// SS3          any                    TEXT, the key
// STRING       BEL                    TEXT
//              ESC                    STRING_ESC
//              another control        TEXT, the key: nobody types on in a string that does not end
//              other                  STRING (ignored)
// STRING_ESC   \\                      TEXT
//              other                  as after ESC
//
// A string is a terminal's answer, or an order to it that was pasted: OSC, DCS, SOS, PM, APC (ECMA-48, 5.6).
enum { TEXT, ESC, CSI, SS3, STRING, STRING_ESC };

void edit_init(struct edit *e)
{
    memset(e, 0, sizeof *e);
}

void edit_reset(struct edit *e)
{
    e->len = e->cursor = 0;
    e->shown = 0;
    e->text[0] = 0;
}

// --- Text ------------------------------------------------------------------------------------------------------

static bool continues_char(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80; // UTF-8
}

// A mark belongs to the character that it is drawn over.
static bool is_mark(const struct edit *e, unsigned at)
{
    size_t bytes;
    return at < e->len && char_width(e->text + at, e->len - at, &bytes) == 0;
}

static unsigned char_before(const struct edit *e, unsigned at)
{
    do {
        at -= at > 0;
        while (at > 0 && continues_char(e->text[at]))
            at--;
    } while (at > 0 && is_mark(e, at));
    return at;
}

static unsigned char_after(const struct edit *e, unsigned at)
{
    do {
        at += at < e->len;
        while (at < e->len && continues_char(e->text[at]))
            at++;
    } while (is_mark(e, at));
    return at;
}

static unsigned word_before(const struct edit *e, unsigned at)
{
    while (at > 0 && e->text[at - 1] == ' ')
        at--;
    while (at > 0 && e->text[at - 1] != ' ')
        at--;
    return at;
}

bool edit_insert(struct edit *e, const char *text, size_t len)
{
    ASSERT(e->len <= EDIT_LINE_MAX && e->cursor <= e->len);
    if (len > EDIT_LINE_MAX - e->len)
        return false;
    memmove(e->text + e->cursor + len, e->text + e->cursor, e->len - e->cursor);
    memcpy(e->text + e->cursor, text, len);
    e->len += (unsigned)len;
    e->cursor += (unsigned)len;
    e->text[e->len] = 0;
    return true;
}

static enum edit_event delete_range(struct edit *e, unsigned from, unsigned to)
{
    if (from == to)
        return EDIT_REFUSED;
    ASSERT(from <= to && to <= e->len);
    memmove(e->text + from, e->text + to, e->len - to);
    e->len -= to - from;
    e->cursor = from;
    e->text[e->len] = 0;
    return EDIT_CHANGED;
}

static enum edit_event move_to(struct edit *e, unsigned at)
{
    if (at == e->cursor)
        return EDIT_REFUSED;
    e->cursor = at;
    return EDIT_CHANGED;
}

// --- History -----------------------------------------------------------------------------------------------------

// The line `back` steps ago, from 1.
static char *past(struct edit *e, unsigned back)
{
    return e->history[(e->newest + EDIT_HISTORY + 1 - back) % EDIT_HISTORY];
}

void edit_remember(struct edit *e)
{
    if (e->len == 0 || (e->kept > 0 && strcmp(past(e, 1), e->text) == 0))
        return;
    e->newest = (e->newest + 1) % EDIT_HISTORY;
    memcpy(e->history[e->newest], e->text, e->len + 1);
    e->kept += e->kept < EDIT_HISTORY;
}

static enum edit_event show_past(struct edit *e, unsigned back)
{
    if (back > e->kept)
        return EDIT_REFUSED;
    ASSERT(e->kept <= EDIT_HISTORY);
    if (e->shown == 0)
        memcpy(e->typed, e->text, e->len + 1);
    const char *line = back ? past(e, back) : e->typed;
    e->len = e->cursor = (unsigned)strlen(line);
    memcpy(e->text, line, e->len + 1);
    e->shown = back;
    return EDIT_CHANGED;
}

static enum edit_event older(struct edit *e)
{
    return show_past(e, e->shown + 1);
}
static enum edit_event newer(struct edit *e)
{
    return e->shown ? show_past(e, e->shown - 1) : EDIT_REFUSED;
}

// --- Keys --------------------------------------------------------------------------------------------------------

static enum edit_event delete_under(struct edit *e)
{
    return delete_range(e, e->cursor, char_after(e, e->cursor));
}

// The last byte of a control sequence says which key it was.
static enum edit_event sequence_key(struct edit *e, char final)
{
    e->state = TEXT;
    switch (final) {
    case 'A': return older(e);
    case 'B': return newer(e);
    case 'C': return move_to(e, char_after(e, e->cursor));
    case 'D': return move_to(e, char_before(e, e->cursor));
    case 'H': return move_to(e, 0);
    case 'F': return move_to(e, e->len);
    case '~': break;
    default: return EDIT_NOTHING;
    }
    switch (e->param) {
    case '1':
    case '7': return move_to(e, 0);
    case '4':
    case '8': return move_to(e, e->len);
    case '3': return delete_under(e);
    default: return EDIT_NOTHING;
    }
}

static enum edit_event after_escape(struct edit *e, char c)
{
    e->param = 0;
    e->state = c == '[' ? CSI : c == 'O' ? SS3 : c && strchr("]PX^_", c) ? STRING : TEXT;
    return EDIT_NOTHING;
}

static enum edit_event control_key(struct edit *e, char c);

static enum edit_event string_key(struct edit *e, char c)
{
    if (c == BEL)
        e->state = TEXT;
    else if (c == ESCAPE)
        e->state = STRING_ESC;
    else if ((unsigned char)c < 0x20) {
        e->state = TEXT;
        return control_key(e, c);
    }
    return EDIT_NOTHING;
}

static enum edit_event escape_key(struct edit *e, char c)
{
    if (e->state == STRING)
        return string_key(e, c);
    if (e->state == STRING_ESC && c == '\\') {
        e->state = TEXT;
        return EDIT_NOTHING;
    }
    if (e->state == ESC || e->state == STRING_ESC)
        return after_escape(e, c);
    if (e->state == CSI && c >= 0x20 && c < 0x40) { // parameters and intermediates
        if (e->param == 0)
            e->param = c;
        return EDIT_NOTHING;
    }
    return sequence_key(e, c);
}

static enum edit_event control_key(struct edit *e, char c)
{
    switch (c) {
    case CTRL('A'): return move_to(e, 0);
    case CTRL('B'): return move_to(e, char_before(e, e->cursor));
    case CTRL('C'): return EDIT_INTERRUPT;
    case CTRL('D'): return e->len == 0 ? EDIT_END : delete_under(e);
    case CTRL('E'): return move_to(e, e->len);
    case CTRL('F'): return move_to(e, char_after(e, e->cursor));
    case CTRL('H'):
    case DELETE: return delete_range(e, char_before(e, e->cursor), e->cursor);
    case CTRL('I'): return EDIT_COMPLETE;
    case CTRL('J'):
    case CTRL('M'): return EDIT_LINE;
    case CTRL('K'): return delete_range(e, e->cursor, e->len);
    case CTRL('L'): return EDIT_CLEAR;
    case CTRL('N'): return newer(e);
    case CTRL('P'): return older(e);
    case CTRL('U'): return delete_range(e, 0, e->cursor);
    case CTRL('W'): return delete_range(e, word_before(e, e->cursor), e->cursor);
    case CTRL('Z'): return EDIT_SUSPEND;
    case ESCAPE: e->state = ESC; return EDIT_NOTHING;
    default: return EDIT_NOTHING;
    }
}

enum edit_event edit_key(struct edit *e, char c)
{
    bool second_half = c == '\n' && e->had_return;
    e->had_return = c == '\r';
    if (second_half)
        return EDIT_NOTHING;
    if (e->state != TEXT)
        return escape_key(e, c);
    if ((unsigned char)c < 0x20 || c == DELETE)
        return control_key(e, c);
    return edit_insert(e, &c, 1) ? EDIT_CHANGED : EDIT_REFUSED;
}

// --- Completion ----------------------------------------------------------------------------------------------------

void completion_begin(const struct edit *e, struct completion *c)
{
    unsigned from = e->cursor;
    while (from > 0 && e->text[from - 1] != ' ')
        from--;
    *c = (struct completion){.word = e->text + from, .len = e->cursor - from};
    c->first = strspn(e->text, " ") >= from;
}

void completion_offer(struct completion *c, const char *name)
{
    size_t len = strlen(name);
    if (len > EDIT_LINE_MAX || strncmp(name, c->word, c->len) != 0)
        return;
    if (c->matches++ == 0) {
        memcpy(c->name, name, len + 1);
        c->common = len;
        return;
    }
    size_t same = 0;
    while (same < c->common && name[same] == c->name[same])
        same++;
    c->common = same;
}

bool completion_apply(struct edit *e, const struct completion *c)
{
    if (c->matches == 0)
        return false;
    bool done = true;
    ASSERT(c->common <= EDIT_LINE_MAX && c->word + c->len == e->text + e->cursor);
    if (c->common > c->len)
        done = edit_insert(e, c->name + c->len, c->common - c->len);
    if (c->matches == 1)
        return done && edit_insert(e, " ", 1);
    return done && c->common > c->len;
}
