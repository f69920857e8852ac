// SPDX-License-Identifier: BSD-2-Clause
// The epitaph: what, on which hart, who called whom, and what happened last.
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
    static unsigned entered; // a panic within a panic says no more than it must
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

// The C library and libsodium give up this way.
void abort(void)
{
    panic("abort() was called");
}
