// SPDX-License-Identifier: BSD-2-Clause
// Serial ports: NS16550 and its DesignWare relative, and SiFive's.
#ifndef BOARDS_UART_H
#define BOARDS_UART_H

#include <stdbool.h>

#include "boards/dt.h"

// Takes the port over as the firmware has set it up (speed and format are kept). False: none to
// use.
bool uart_init(const struct dt_uart *u);
void uart_put(char c);
void uart_listen(void);       // receive by interrupt from now on; after plic_init
int uart_get(void);           // next character that came in, -1 none
extern const char uart_event; // task_wait() on its address: characters may have come

#endif
