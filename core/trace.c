// SPDX-License-Identifier: BSD-2-Clause
// The ring of the last events.
#include "core/trace.h"

#include "core/config.h"
#include "core/node.h"

#include <stdio.h>

static const char *const names[TRACE_KINDS] = {
#define X(name, text) [name] = text,
    TRACE_EVENTS(X)
#undef X
};

void trace(struct node *n, enum trace_kind kind, uint32_t a, uint64_t b, uint64_t c)
{
    struct trace *tr = &n->trace;
    tr->ev[tr->count++ % TRACE_SIZE] = (struct trace_event){.at_ns = node_now(n), .kind = kind, .a = a, .b = b, .c = c};
}

static void show(const struct trace_event *e, void (*line)(const char *text))
{
    char text[120];
    // A panic may show this, so a damaged event must not lead outside the table.
    const char *name = e->kind < TRACE_KINDS ? names[e->kind] : "?";
    unsigned long long sec = e->at_ns / NS_PER_S, us = e->at_ns % NS_PER_S / 1000;
    snprintf(text, sizeof text, "%6llu.%06llu %-9s %8lx %16llx %16llx", sec, us, name, (unsigned long)e->a,
             (unsigned long long)e->b, (unsigned long long)e->c);
    line(text);
}

void trace_show(struct node *n, unsigned max, void (*line)(const char *text))
{
    const struct trace *tr = &n->trace;
    uint64_t kept = tr->count < TRACE_SIZE ? tr->count : TRACE_SIZE;
    uint64_t shown = max < kept ? max : kept;
    for (uint64_t i = tr->count - shown; i < tr->count; i++)
        show(&tr->ev[i % TRACE_SIZE], line);
}
