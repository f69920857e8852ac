// SPDX-License-Identifier: BSD-2-Clause
// What tests of memory begin with: a check that counts, and segments made by the node's segment service.
#ifndef GUEST_TESTS_SEGMENTS_H
#define GUEST_TESTS_SEGMENTS_H

#include <stdio.h>

#include "guest/lib/rotifer.h"
#include "services/protocol.h"

#define RW (MAP_READ | MAP_WRITE)

static unsigned checks, errors;

// Says the first ten that are wrong.
static void must(int64_t got, int64_t want, const char *file, int line)
{
    checks++;
    if (got == want || ++errors > 10)
        return;
    printf("%s:%d: %ld (%s), not %ld (%s)\n", file, line, got, got < 0 ? error_string(got) : "", want,
           want < 0 ? error_string(want) : "");
}
#define MUST(got, want) must((int64_t)(got), (int64_t)(want), __FILE__, __LINE__)

static struct cap seg_service; // startup_cap("seg", ...)

static struct cap make(uint64_t len)
{
    struct cap c = {0};
    const uint64_t args[4] = {len};
    MUST(trans(&seg_service, OP_SEG_CREATE, args, NULL, 0, &c, sizeof c, NULL), 0);
    return c;
}

#endif
