// SPDX-License-Identifier: BSD-2-Clause
// The serial port as the console of the node: services may not know drivers, so they are given characters.
#ifndef BOARDS_UART_CONSOLE_H
#define BOARDS_UART_CONSOLE_H

#include <stdbool.h>

struct node;

// Makes the task that carries characters from the port to the console service; with a shell, makes the port its screen,
// and the shell. Callers: after services_start().
void uart_console_start(struct node *n, bool shell);

#endif
