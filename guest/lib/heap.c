// SPDX-License-Identifier: BSD-2-Clause
// sbrk: where malloc's memory comes from. The startup block names a mapping that may grow (MAP_GROW_UP); its pages cost
// nothing until they are touched.
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "guest/lib/rotifer.h"

#define GRAIN ((size_t)64 * 1024)
#define EXTENT ((size_t)2 * 1024 * 1024) // of a multiple of this the kernel can map all at once
_Static_assert(EXTENT % GRAIN == 0, "a heap that has grown by extents goes on in grains");

static size_t used;   // bytes that malloc has; under malloc's lock
static size_t mapped; // bytes known to be mapped

// Asks for an eighth more than needed, so that a heap of n MiB has taken a few dozen system calls.
static bool grow_to(size_t bytes)
{
    size_t grain = bytes < EXTENT ? GRAIN : EXTENT;
    size_t want = (bytes + bytes / 8 + grain - 1) & ~(grain - 1);
    size_t least = (bytes + GRAIN - 1) & ~(GRAIN - 1);
    uint64_t base = startup_block()->heap_base;
    if (sys_grow(base, want) >= 0)
        mapped = want;
    else if (sys_grow(base, least) >= 0)
        mapped = least;
    return bytes <= mapped;
}

// A smaller heap stays mapped: malloc gives nothing back in the middle, and its end moves up again soon.
void *sbrk(ptrdiff_t increment)
{
    assert(used <= mapped);
    size_t wanted = used + (size_t)increment;
    bool wrapped = increment >= 0 ? wanted < used : wanted > used;
    if (wrapped || (wanted > mapped && !grow_to(wanted))) {
        errno = ENOMEM;
        return (void *)-1;
    }
    char *old_end = (char *)startup_block()->heap_base + used;
    used = wanted;
    return old_end;
}
