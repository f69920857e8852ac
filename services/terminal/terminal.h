// SPDX-License-Identifier: BSD-2-Clause
// A terminal: the object that programs write to and read from. It is the same at a node's console (services/console.c:
// the console itself, and the terminals that share its screen) and at `rotifer run` (tools/tty.c: standard input and
// output). What differs is the device behind it, and how what is typed becomes what is read.
//
//   written   terminal_write -> put: bytes as they are
//                            -> cut into lines, filtered -> line: a line at a time; the device cannot be steered
//   typed     terminal_input -> ring -> terminal_read, which waits until something is there
//
// Several terminals may share one screen (screen.h): the one in front has its unfinished line in the screen's last row,
// the others show whole lines above it.
//
// Callers: tasks, node lock held. A function that waits says so; the terminal may be gone when it returns.
#ifndef SERVICES_TERMINAL_H
#define SERVICES_TERMINAL_H

#include "core/log.h"
#include "services/service.h"

#define TERMINAL_LINE 160u // bytes of a line; a longer one is cut into several (node_log cuts at 200)

struct terminal;

// The device. One of put and line is NULL.
struct terminal_ops {
    // Takes bytes as they are. May wait. Returns how many it took (0: ask again), or a negative error.
    int64_t (*put)(struct node *n, struct terminal *t, const char *bytes, size_t len);
    // Takes a line: text, zero-terminated, without its newline, in which nothing steers a terminal. May wait.
    void (*line)(struct node *n, struct terminal *t, const char *text, size_t len);
    // A reader finds nothing: up to max bytes may be handed in now (terminal_input), or later. Does not wait. Returns
    // 0, or a negative error for the reader. NULL: what is typed comes by itself.
    int (*want)(struct node *n, struct terminal *t, size_t max);
};

enum terminal_mode {
    TERMINAL_KEYS,  // each byte counts at once; a read gets what there is
    TERMINAL_LINES, // the same, but a read gets one line at most: what comes was edited elsewhere
    // Keys as they are typed, lines as they are read: carriage return ends one, backspace takes the last character of
    // an unfinished one back, ^D gives what there is, or the end of input.
    TERMINAL_COOKED,
};

struct terminal {
    const struct terminal_ops *ops; // [I]
    enum terminal_mode mode;        // [N]
    // Typed and not yet read. Readers sleep on the terminal's address.
    char *ring;           // [I]
    unsigned size;        // [I] bytes of it
    unsigned head, count; // [N] oldest; all that are there
    unsigned ready;       // [N] of these, what a reader may have: with TERMINAL_COOKED whole lines
    unsigned ends;        // [N] times that "end of input" was typed and not yet told
    // Written and not yet a line
    char line[TERMINAL_LINE + 1]; // [N]
    unsigned len;                 // [N] bytes of it
    bool front;                   // [N] it has the screen's last row
    bool seen;                    // [N] the unfinished line stands on the screen already, from when it was in front
};

// An empty terminal; ring has `size` bytes and is the caller's.
void terminal_init(struct terminal *t, const struct terminal_ops *ops, enum terminal_mode mode, char *ring,
                   unsigned size);
// All that was typed up to now may be read, whatever it was typed as.
void terminal_set_mode(struct node *n, struct terminal *t, enum terminal_mode mode);

// --- Typed ------------------------------------------------------------------------------------------------

// Returns how many bytes find room now.
size_t terminal_space(const struct terminal *t);
// Bytes were typed, or come from the device. What finds no room is lost; with TERMINAL_COOKED a line that is too long
// can still be ended. Callers: any context.
void terminal_input(struct node *n, struct terminal *t, const char *bytes, size_t len);
// The end of input: a reader is told E_EOF once, after what was typed before. Callers: any context.
void terminal_end_input(struct node *n, struct terminal *t);
// The operation OP_READ on the terminal that find(n, r) gives (NULL: it is gone): waits until there is something, and
// replies with it, arg[1] bytes at most. A reader that is gone or has given up gets nothing: what was typed is for the
// next one. Returns 0; E_MEM; E_OBJECT: gone; E_CANCEL: the reader is; E_EOF; or the device's error.
int64_t terminal_read(struct node *n, struct request *r,
                      struct terminal *(*find)(struct node *n, const struct request *r));
// The terminal ends: its readers wake up and do not find it. Callers: before it is freed, when find() finds it no more.
void terminal_end(struct node *n, struct terminal *t);

// --- Written ----------------------------------------------------------------------------------------------

// The operation OP_WRITE: all bytes of the request; res[0] says how many. Waits as the device does; the caller sees to
// it that the terminal stays. Returns 0, or the error of the request's buffer or of the device.
int64_t terminal_write(struct node *n, struct terminal *t, struct request *r);
// What is unfinished becomes a line. Waits as the device does.
void terminal_cut(struct node *n, struct terminal *t);
// It comes to the front of its screen, or leaves it. Then what it had not finished, a question most often, stays on the
// screen as a line, and is asked again when the terminal comes back. Waits as the device does.
void terminal_set_front(struct node *n, struct terminal *t, bool front);

#endif
