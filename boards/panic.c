// SPDX-License-Identifier: BSD-2-Clause
// The epitaph of a kernel: what is wrong, on which hart, the chain of calls, and the last events.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "arch/arch.h"
#include "core/node.h"
#include "core/panic.h"

#define STATUS_PANIC 101
#define EVENTS_SHOWN 24

static void print(const char *text)
{
    while (*text)
        arch_putc(*text++);
    arch_putc('\n');
}

void panic(const char *fmt, ...)
{
    static unsigned entered; // a panic within a panic prints no more than its text
    struct hart *h = arch_this_hart();
    char text[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    print("\n--- panic");
    print(text);
    if (__atomic_fetch_add(&entered, 1, __ATOMIC_SEQ_CST) == 0) {
        snprintf(text, sizeof text, "on hart %u (id %lu)%s; called from:", h->index, (unsigned long)h->arch.hartid,
                 h->current ? ", which has a thread" : "");
        print(text);
        arch_backtrace(print);
        print("last events:");
        trace_show(h->node, EVENTS_SHOWN, print);
    }
    print("--- stopped");
    arch_stop(STATUS_PANIC);
}

// The C library and libsodium end this way when they find their own state wrong.
void abort(void)
{
    panic("abort() was called");
}

void assert_failed(const char *file, int line)
{
    panic("%s:%d: assertion failed", file, line);
}
