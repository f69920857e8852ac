// SPDX-License-Identifier: BSD-2-Clause
// What the command says to people: errors, usage, numbers that can be read.
#ifndef TOOLS_SAY_H
#define TOOLS_SAY_H

#include "core/types.h"

// Exit status of the command itself. A program run by `rotifer run` gives its own.
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_LOST = 125,   // the process is gone and nobody knows how it ended
    EXIT_KILLED = 137, // 128 + SIGKILL, as a shell would say
    EXIT_INTERRUPT = 130,
};

// "rotifer: ..." on stderr. Returns EXIT_FAILED, so that `return fail(...)` reads well.
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
// "rotifer: WHAT: sentence of the error table (E_NAME)". Returns EXIT_FAILED.
int fail_error(int64_t error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// Prints "rotifer: ..." and the way to the help of this command; returns EXIT_USAGE.
int usage_error(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// True, and the help is printed, when the arguments ask for it (before any "--").
bool wants_help(int argc, char **argv, const char *help);

// "1,234,567". The text lies in one of eight buffers that are used in turn.
const char *with_commas(uint64_t v);
// "3.42 ms", "812 us", "12.0 s".
const char *duration(uint64_t ns);
// "61.3 MiB" for a count of 4 KiB pages.
const char *page_size_text(uint64_t pages);

// Decimal number in [min, max]; false when the text is anything else.
bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);

#endif
