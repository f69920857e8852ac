// SPDX-License-Identifier: BSD-2-Clause
// What the files of the library tell each other and programs need not know.
// Callers: the library; any thread.
#ifndef GUEST_LIB_INTERNAL_H
#define GUEST_LIB_INTERNAL_H

#include <stdio.h>

#include "guest/lib/rotifer.h"

// An assert() here states what the library itself has made so; what a program passes wrongly gets errno or an error.
// One that fails prints to stderr and aborts (status 134), and takes the terminal's lock for that: so under that lock
// nothing is asserted about the output buffer.

// --- start.c, thread.c ---
// Symbols of linker/guest.ld: their addresses are the values.
extern char tls_image[], tls_image_bytes[], tls_bytes[], tls_first[];
// The process from its first C instruction to exit(): constructors, main. Does not return. block: as the kernel passes
// it in a0; one without STARTUP_MAGIC ends the process with status 126. Callers: _start (entry.S), with tp and sp set.
void start(const struct startup *block);
// Makes `block` (tls_bytes long, aligned to 16) a fresh set of thread-local variables. No thread uses it yet.
void tls_fill(char *block);
// The first instruction of a new thread (entry.S), with its struct thread in a0. Callers: the kernel resumes there,
// never as a function.
void thread_entry(void);
// The thread t from its first C instruction to its end: calls its function. Does not return. Callers: thread_entry.
void thread_main(struct thread *t);

// --- lock.c: a mutex that its holder may take again ---
struct rlock {
    struct mutex mutex;
    _Atomic uintptr_t owner; // tp of the holder: differs for every thread, 0 = free
    uint32_t depth;          // touched by the holder only
};
// Takes the lock, blocking while another thread has it; its holder takes it once more.
void rlock_take(struct rlock *l);
// Gives it back as often as it was taken; the last time it is free. The caller has it (asserted).
void rlock_give(struct rlock *l);
// True if the calling thread has the lock.
bool rlock_held(struct rlock *l);

// --- tty.c ---
// Puts len bytes into the output buffer, which is sent when it is full; and at the next stdio_unlock if there is a
// newline among them, or as setvbuf has chosen. Callers: between stdio_lock and stdio_unlock (asserted).
void tty_put(const char *bytes, size_t len);
// True if f is stdout or stderr.
bool tty_is_output(const FILE *f);
// Sends what is buffered. Returns 0, or EOF: the terminal did not take it (it is dropped, and errno is EIO). Callers:
// between stdio_lock and stdio_unlock (asserted).
int tty_flush(void);
// stdio_unlock(). Returns 0, or EOF: something that was sent since the outermost stdio_lock was not taken.
int tty_unlock(void);
// Reads what one line of typing gave, at most len bytes; what is buffered for output is sent first. Blocks. Returns how
// many; 0: the end of input, or there is no terminal; -1 and errno = EIO: an error of the terminal's.
int64_t tty_read(char *bytes, size_t len);

// --- decimal.c ---
#define DECIMAL_DIGITS_MAX 800
// Exact decimal digits of mantissa * 2^exponent2: value = 0.d1 d2 d3... * 10^*exponent10, digits as '0'..'9' without
// zeros at either end. Returns their number, 0 for the value 0. The value is a double or lies half-way between two
// (asserted): mantissa < 2^54, exponent2 in -1076..971. For others there would not be room.
int decimal_expand(uint64_t mantissa, int exponent2, char digits[DECIMAL_DIGITS_MAX], int *exponent10);

#endif
