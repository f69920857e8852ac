// SPDX-License-Identifier: BSD-2-Clause
// The console of a node as an object: what is written to it is printed, what is typed can be read. With a screen it is
// a place to sit at: terminals for several programs, and keys one by one (services/protocol/console.h).
#ifndef SERVICES_CONSOLE_H
#define SERVICES_CONSOLE_H

#include "core/types.h"

struct node;

// A character was typed (the driver of the UART calls this, node lock held). What finds no room is dropped. Without a
// screen: carriage return ends a line as newline does; backspace takes the last character of the unfinished line back;
// ^D is the end of input: on an empty line the reader is told E_EOF. Nothing is echoed. With a screen: the character as
// it is, for who reads the keys.
void console_input(struct node *n, char c);

// Somebody sits here: from now on there is a screen. put and room: struct screen. After services_start, once. E_MEM.
int console_attach(struct node *n, size_t (*put)(struct node *n, const char *bytes, size_t len), const void *room);

// A line that the node says (node->log), from anywhere. true: there is a screen, and it is kept there for who asks
// (OP_CONSOLE_LOG). false: the caller prints it.
bool console_log(struct node *n, const char *line);

#endif
