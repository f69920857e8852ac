// SPDX-License-Identifier: BSD-2-Clause
// The serial port that is the console: characters that wait to be sent or fetched, and interrupts. What its registers
// are like is the business of a driver (ns16550.c, sifive_uart.c), which gives it as a struct uart_ops. Callers: node
// lock held, where a function does not say otherwise.
#ifndef BOARDS_UART_H
#define BOARDS_UART_H

#include "boards/machine.h"

struct node;

struct uart_ops {
    bool (*can_send)(void);           // the transmitter has room
    void (*send)(char c);             // after can_send(); an interrupt driver may send `burst` characters then
    int (*receive)(void);             // the next character received, -1: none
    void (*interrupts)(bool sending); // from now on when something was received; and, if sending, when there is room
    unsigned (*by_interrupt)(void);   // prepares the port for interrupts; returns `burst`, at least 1
};

// Called by a driver that found a port, as the firmware has set it up (speed and format are kept). The first one is the
// console. Returns false if another port is.
// Callers: boot hart only, from struct driver's claim().
bool uart_claim(const struct uart_ops *ops, const struct device *d);
// struct driver's start(): if d is the console, sends and receives by interrupt from now on.
void uart_start(struct node *n, const struct device *d);

// True if there is a port.
bool uart_present(void);
// Sends c, after what uart_write() took, and waits until it is out. Callers: any context, a panic without the lock too.
void uart_put(char c);
// Takes what there is room for of len bytes; they go out by interrupt. Returns how many that were. If those are not
// all, task_wait() on the address of uart_room.
size_t uart_write(struct node *n, const char *bytes, size_t len);
// Returns the next character that came in, or -1: none.
int uart_get(void);
extern const char uart_event; // task_wait() on its address: characters may have come
extern const char uart_room;  // there is room again

#endif
