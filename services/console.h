// SPDX-License-Identifier: BSD-2-Clause
// The console of a node as an object: what is written to it is printed, what is typed can be read. With a screen it is
// a place to sit at: terminals for several programs, and keys one by one (services/protocol/console.h).
#ifndef SERVICES_CONSOLE_H
#define SERVICES_CONSOLE_H

#include "core/types.h"

struct node;

// The character c was typed. What finds no room is dropped. Without a screen it is the console's own input
// (TERMINAL_COOKED of services/terminal/terminal.h); nothing is echoed. With a screen it is a key, for a reader of
// keys. Callers: the driver of the UART, node lock held.
void console_input(struct node *n, char c);

// From now on there is a screen, for somebody sits here. put and room: struct screen. Returns 0, or E_MEM. Callers:
// after services_start, once; node lock held.
int console_attach(struct node *n, size_t (*put)(struct node *n, const char *bytes, size_t len), const void *room);

// A line that the node says (node->log). True: there is a screen, and the line is kept for requests (OP_CONSOLE_LOG);
// false: the caller prints it. Callers: any context, node lock held.
bool console_log(struct node *n, const char *line);

#endif
