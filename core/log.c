// SPDX-License-Identifier: BSD-2-Clause
// Lines for people.
#include "core/log.h"

#include "core/node.h"

#include <stdarg.h>
#include <stdio.h>

#define LOG_LINE 200

void node_log(struct node *n, const char *fmt, ...)
{
    char line[LOG_LINE];
    va_list ap;
    if (!n->log)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    n->log(n, line);
}
