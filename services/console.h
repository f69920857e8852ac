// SPDX-License-Identifier: BSD-2-Clause
// The console of a node as an object: what is written to it is printed, what is typed can be read.
#ifndef SERVICES_CONSOLE_H
#define SERVICES_CONSOLE_H

struct node;

// A character was typed (the driver of the UART calls this, node lock held). Carriage return ends a line as newline
// does; backspace takes the last character of the unfinished line back; ^D is the end of input: on an empty line the
// reader is told E_EOF. What finds no room is dropped. Echo is the driver's: it knows the terminal.
void console_input(struct node *n, char c);

#endif
