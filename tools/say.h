// SPDX-License-Identifier: BSD-2-Clause
// What the command says to people: errors, usage, numbers that can be read; and its exit status. Callers: one thread;
// nothing here locks.
#ifndef TOOLS_SAY_H
#define TOOLS_SAY_H

#include "core/types.h"

// Exit status. `rotifer run` passes its program's on, so what the command says of itself must be none that programs end
// with by accident: 0 and small numbers, 64 to 78 (sysexits.h), 123 to 127 (xargs, timeout, env, shells), 129 to 192
// (signals) and 224 to 255 (a negative error) are taken. docs/tools.md has this table for users.
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 200,    // this machine's part did not work: a file, memory, a process
    EXIT_USAGE = 201,     // the command line is wrong; nothing was done
    EXIT_NO_RING = 202,   // no ring is up there, it is somebody else's, or it went down meanwhile
    EXIT_NOBODY = 203,    // no node or process of that name answers
    EXIT_REFUSED = 204,   // a node or process answered: no
    EXIT_LOST = 205,      // run: the process is gone and nobody knows how it ended
    EXIT_KILLED = 137,    // run: 128 + SIGKILL, as a shell would say
    EXIT_INTERRUPT = 130, // 128 + SIGINT
};

// "rotifer: ..." on stderr, behind all that was printed before. Returns EXIT_FAILED, for `return fail(...)`.
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
// As fail(). Returns `status`, one of the above.
int fail_as(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2))); // as fail(), but the command goes on
// "rotifer: WHAT: sentence of the error table (E_NAME)"; error: of core/error.h, or its negative. Returns EXIT_NOBODY
// when it means that nobody answered, else EXIT_REFUSED.
int fail_error(int64_t error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// "rotifer: WHAT. Try: rotifer help COMMAND"; command NULL: rotifer help. Returns EXIT_USAGE.
int usage_error(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// These return texts in one of eight buffers that are used in turn.
const char *with_commas(uint64_t v);          // v, whatever it counts. Returns "1,234,567"
const char *duration(uint64_t ns);            // ns: nanoseconds. Returns "3.42 ms", "812.0 us", "12.00 s"
const char *page_size_text(uint64_t n_pages); // Returns "61.3 MiB"

#endif
