// SPDX-License-Identifier: BSD-2-Clause
// A ring of the last events of a node: what a panic, a failed test and the shell show.
// Callers: node lock held; nothing here blocks.
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

#include <stdint.h>

struct node;

// Version 14 cannot make up its mind about this list.
// clang-format off
#define TRACE_EVENTS(X)                                                                            \
    X(TRACE_SYSCALL, "syscall")                                                                    \
    X(TRACE_FAULT, "fault")                                                                        \
    X(TRACE_CALL, "call")                                                                          \
    X(TRACE_REC, "rec")                                                                            \
    X(TRACE_PROC, "proc")                                                                          \
    X(TRACE_FRAME_IN, "frame in")                                                                  \
    X(TRACE_FRAME_OUT, "frame out")                                                                \
    X(TRACE_LOCATE, "locate")                                                                      \
    X(TRACE_ROUTE, "route")                                                                        \
    X(TRACE_MIGRATE, "migrate")                                                                    \
    X(TRACE_ORPHAN, "orphan")                                                                      \
    X(TRACE_DROP, "drop")
// clang-format on
enum trace_kind {
#define X(name, text) name,
    TRACE_EVENTS(X)
#undef X
        TRACE_KINDS
};
#define TRACE_SIZE 256
struct trace_event {
    uint64_t at_ns;
    uint32_t kind;
    uint32_t a;
    uint64_t b, c;
};
struct trace {
    uint64_t count; // events ever; the last TRACE_SIZE are kept
    struct trace_event ev[TRACE_SIZE];
};
// Notes an event, with the time. What the words a, b and c say differs by kind: the call of trace() tells.
void trace(struct node *n, enum trace_kind kind, uint32_t a, uint64_t b, uint64_t c);
// Calls line() for the last `max` events, oldest first, each a line of text without a newline. Callers: node lock held;
// or a panic, which looks without it.
void trace_show(struct node *n, unsigned max, void (*line)(const char *text));

#endif
