// SPDX-License-Identifier: BSD-2-Clause
// A line being typed: a pure state machine, bytes in, a line and a cursor out. It draws nothing. Callers: one task;
// nothing here locks.
//
// Keys: what is printable is inserted. Left, right, Home, End, Ctrl-B, F, A, E move; backspace, Delete, Ctrl-H, D
// delete; Ctrl-U, K, W delete to the beginning, to the end, the word before; up, down, Ctrl-P, N go through the
// history. The cursor keys are what a terminal sends for them: ESC [ A, ESC O A, ESC [ 3 ~ and the like (ECMA-48, 5.4;
// xterm).
//
// The terminal of a node is edited so; on your own machine the terminal's own driver does it (tools/tty.c). Callers:
// one task; nothing here locks or waits.
#ifndef SERVICES_TERMINAL_EDIT_H
#define SERVICES_TERMINAL_EDIT_H

#include "core/types.h"

#define EDIT_LINE_MAX 200u // bytes of a line
#define EDIT_HISTORY 16u

enum edit_event {
    EDIT_NOTHING,
    EDIT_CHANGED,   // text or cursor
    EDIT_REFUSED,   // it does not fit, or there is nothing that way: ring the bell
    EDIT_LINE,      // Enter: text is the line. edit_reset() before the next byte
    EDIT_END,       // Ctrl-D on an empty line
    EDIT_INTERRUPT, // Ctrl-C
    EDIT_SUSPEND,   // Ctrl-Z
    EDIT_COMPLETE,  // Tab
    EDIT_CLEAR,     // Ctrl-L
};

struct edit {
    char text[EDIT_LINE_MAX + 1]; // ends with a zero
    unsigned len, cursor;         // bytes; the cursor is never inside a character
    uint8_t state;                // of an escape sequence: see edit.c
    char param;                   // its first digit
    bool had_return;              // so that \r\n is one Enter
    unsigned kept,
        shown;                     // lines in the history; shown: how many steps back, 0 = the line being typed
    unsigned newest;               // index in history
    char typed[EDIT_LINE_MAX + 1]; // the line being typed while an older one is shown
    char history[EDIT_HISTORY][EDIT_LINE_MAX + 1];
};

// Makes the record empty: no line, no history.
void edit_init(struct edit *e);
// One more byte was typed. Returns what that did.
enum edit_event edit_key(struct edit *e, char c);
// The line is empty again.
void edit_reset(struct edit *e);
// Puts the line into the history, unless it is empty or the same as the last.
void edit_remember(struct edit *e);
// Inserts len bytes of text at the cursor. False if there is no room for all of it; then nothing is inserted.
bool edit_insert(struct edit *e, const char *text, size_t len);

// --- Completion of the word before the cursor -----------------------------------------------------------------

struct completion {
    const char *word;             // in edit.text
    size_t len;                   // bytes of it before the cursor
    bool first;                   // it is the first word of the line
    unsigned matches;             // names offered that begin with it
    size_t common;                // bytes that all of these have in common
    char name[EDIT_LINE_MAX + 1]; // the first of them
};
// Finds the word before the cursor of e, which must not change until completion_apply(). Each name that the word might
// become goes to completion_offer().
void completion_begin(const struct edit *e, struct completion *c);
// The word may be completed to this name, if it begins with it.
// The word may be completed to this name, if it begins with it.
void completion_offer(struct completion *c, const char *name);
// Inserts what is certain: the rest of the common part, and a blank when there was one match. False: nothing is.
bool completion_apply(struct edit *e, const struct completion *c);

#endif
