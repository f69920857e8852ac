// SPDX-License-Identifier: BSD-2-Clause
// The screen at which somebody sits: whole lines go up it, and its last row belongs to the program in front and to what
// is being typed. A line that arrives while somebody types appears above, and what was typed stays.
//
//     lua| 3  planets day 10957     a line from the background
//     n1> ru_                       the row: unfinished text of the front, then what is typed, with the cursor
//
// Understands as much of a terminal as every terminal does: \r, \b, ESC [ K, ESC [ n C, ESC [ H, ESC [ J.
//
// Callers: tasks, node lock held. They block while there is no room or another task draws; screen_log() does not.
#ifndef SERVICES_TERMINAL_SCREEN_H
#define SERVICES_TERMINAL_SCREEN_H

#include "core/types.h"

struct node;

#define SCREEN_COLUMNS 79u              // of the row; a terminal of 80 does not wrap it
#define SCREEN_ROW (4 * SCREEN_COLUMNS) // bytes: UTF-8
#define SCREEN_PARTIAL 160u
#define SCREEN_TYPED 256u
#define SCREEN_LOG 2048u

struct screen {
    // Takes bytes for the terminal; returns how many it had room for. Tasks sleep on `room` when that is none: who
    // takes the bytes wakes them when there is room again.
    size_t (*put)(struct node *n, const char *bytes, size_t len); // [I]
    const void *room;                                             // [I]
    bool busy;                                                    // [N] somebody draws
    char row[SCREEN_ROW];                                         // [N] what is in the last row
    unsigned row_len, row_cursor;                                 // [N] bytes; cursor in columns
    char partial[SCREEN_PARTIAL];                                 // [N] unfinished text of the front
    unsigned partial_len;
    char typed[SCREEN_TYPED];   // [N]
    unsigned typed_len, cursor; // [N] bytes
    char log[SCREEN_LOG];       // [N] the last lines that the node said, each ended by a newline
    uint64_t logged;            // [N] bytes ever
};

// begin ... end is one change of the screen: no other task's comes in between. At screen_end() the row is drawn again
// when it changed.
void screen_begin(struct node *n, struct screen *s);
void screen_end(struct node *n, struct screen *s);
// Of what follows: between begin and end.
// A whole line, shown above the row. prefix may be NULL. Text is shown as it is: who calls this has filtered it.
void screen_line(struct node *n, struct screen *s, const char *prefix, const char *text, size_t len);
// The row stays as it is, a new one begins.
void screen_keep_row(struct node *n, struct screen *s);
void screen_clear(struct node *n, struct screen *s); // all of it is blank
// What is in the row from the next screen_end on: the unfinished text of the front, cut at its beginning when it is too
// long; and behind it, by screen_set_typed(), what is typed, cut at its end, with the cursor before byte `cursor`.
void screen_set_partial(struct screen *s, const char *text, size_t len);
void screen_set_typed(struct screen *s, const char *text, size_t len, size_t cursor);

// A line that the node says; never blocks. It is kept for who asks, and not shown.
void screen_log(struct screen *s, const char *line);
// Copies what is kept, oldest whole line first, to `to` (SCREEN_LOG bytes). Returns its length.
size_t screen_log_read(const struct screen *s, char *to);

#endif
