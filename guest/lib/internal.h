// SPDX-License-Identifier: BSD-2-Clause
// What the files of the library tell each other and programs need not know.
#ifndef GUEST_LIB_INTERNAL_H
#define GUEST_LIB_INTERNAL_H

#include <stdio.h>

#include "guest/lib/rotifer.h"

// --- start.c, thread.c ---
// Symbols of linker/guest.ld: their addresses are the values.
extern char tls_image[], tls_image_bytes[], tls_bytes[], tls_first[];
void start(const struct startup *block);
// Makes `block` (tls_bytes long, aligned to 16) a fresh set of thread-local variables.
void tls_fill(char *block);
void thread_entry(void); // entry.S: first instruction of a new thread; a0 = its struct thread
void thread_main(struct thread *t);

// --- lock.c: a mutex that its holder may take again ---
struct rlock {
    struct mutex mutex;
    _Atomic uintptr_t owner; // tp of the holder: differs for every thread, 0 = free
    uint32_t depth;          // touched by the holder only
};
void rlock_take(struct rlock *l);
void rlock_give(struct rlock *l);

// --- tty.c ---
// Puts bytes into the output buffer; it is sent at the next stdio_unlock if there is a newline in
// it. Call between stdio_lock and stdio_unlock.
void tty_put(const char *bytes, size_t len);
bool tty_is_output(const FILE *f); // stdout or stderr
// Sends what is buffered. 0, or EOF when the terminal did not take it (it is dropped then).
int tty_flush(void);
// stdio_unlock(), and whether what it sent was taken: 0 or EOF.
int tty_unlock(void);
// Reads what one line of typing gave, at most len bytes. 0 at the end, -1 on an error.
int64_t tty_read(char *bytes, size_t len);

// --- decimal.c ---
// Exact decimal digits of mantissa * 2^exponent2: value = 0.d1 d2 d3... * 10^*exponent10, digits as
// '0'..'9' without zeros at either end. Returns their number, 0 for the value 0. Exponents as far
// as a double and the points half-way between two doubles need: -1076..971.
#define DECIMAL_DIGITS_MAX 800
int decimal_expand(uint64_t mantissa, int exponent2, char digits[DECIMAL_DIGITS_MAX], int *exponent10);

#endif
