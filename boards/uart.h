// SPDX-License-Identifier: BSD-2-Clause
// Serial ports: NS16550 and its DesignWare relative, and SiFive's.
#ifndef BOARDS_UART_H
#define BOARDS_UART_H

#include <stdbool.h>

#include "boards/dt.h"

struct node;

// Takes the port over as the firmware has set it up (speed and format are kept). False: none to use.
bool uart_init(const struct dt_uart *u);
bool uart_present(void);
void uart_put(char c); // waits until it is out; what uart_write took goes first
// Takes what there is room for and returns how many bytes that were; they go out by interrupt. When that was not all,
// task_wait() on uart_room's address. Node lock held.
size_t uart_write(struct node *n, const char *bytes, size_t len);
void uart_listen(void);       // receive by interrupt from now on; after plic_init
int uart_get(void);           // next character that came in, -1 none
extern const char uart_event; // task_wait() on its address: characters may have come
extern const char uart_room;  // there is room again

#endif
