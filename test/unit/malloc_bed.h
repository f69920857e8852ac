// SPDX-License-Identifier: BSD-2-Clause
// The guests' malloc (guest/lib/malloc.c) on memory of a test's own: its source is included here, with each function
// called guest_NAME. bed_heap_check() walks all of its blocks and lists.
#ifndef TEST_UNIT_MALLOC_BED_H
#define TEST_UNIT_MALLOC_BED_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <unistd.h>

#define BED_HEAP_BYTES ((size_t)16 << 20)

static _Alignas(4096) char bed_memory[BED_HEAP_BYTES];
static size_t bed_used, bed_room; // of bed_memory: what sbrk gave, and may give

#define malloc guest_malloc
#define free guest_free
#define calloc guest_calloc
#define realloc guest_realloc
#define memalign guest_memalign
#define aligned_alloc guest_aligned_alloc
#define posix_memalign guest_posix_memalign
#define malloc_usable_size guest_malloc_usable_size
#define sbrk bed_sbrk

void *malloc(size_t request);
void free(void *p);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t request);
void *aligned_alloc(size_t alignment, size_t request);
int posix_memalign(void **out, size_t alignment, size_t request);

static void *bed_sbrk(ptrdiff_t increment)
{
    if (increment < 0 || (size_t)increment > bed_room - bed_used) {
        errno = ENOMEM;
        return (void *)-1;
    }
    char *p = bed_memory + bed_used;
    bed_used += (size_t)increment;
    return p;
}

#include "guest/lib/malloc.c"

#undef malloc
#undef free
#undef calloc
#undef realloc
#undef memalign
#undef aligned_alloc
#undef posix_memalign
#undef malloc_usable_size
#undef sbrk

// One thread only.
void mutex_lock(struct mutex *m)
{
    (void)m;
}
void mutex_unlock(struct mutex *m)
{
    (void)m;
}

// An empty heap that may become so long.
static inline void bed_heap_reset(size_t room)
{
    memset(list, 0, sizeof list);
    memset(not_empty, 0, sizeof not_empty);
    heap_end = NULL;
    bed_used = 0;
    bed_room = room;
}

static inline size_t bed_listed(unsigned n, const char **wrong)
{
    size_t count = 0;
    for (struct block *b = list[n], *previous = NULL; b; previous = b, b = b->next, count++) {
        if (!(b->word & FREE) || list_for(size_of(b)) != n)
            *wrong = "a block is in a list where it does not belong";
        if (b->previous != previous)
            *wrong = "a list's links back are wrong";
    }
    if ((count > 0) != (not_empty[n / 64] >> n % 64 & 1))
        *wrong = "a list's bit is wrong";
    return count;
}

// Walks the heap, which must be in one stretch: NULL, or what is wrong. *used: bytes of blocks in use.
static inline const char *bed_heap_check(size_t *used)
{
    const char *wrong = NULL;
    size_t free_blocks = 0, listed = 0;
    *used = 0;
    for (unsigned n = 0; n < LISTS; n++)
        listed += bed_listed(n, &wrong);
    if (!heap_end || wrong)
        return wrong;
    bool left_free = false;
    struct block *b = at(bed_memory, HEADER);
    for (; size_of(b) != 0; b = right_of(b)) {
        if ((char *)b < bed_memory || (char *)b + size_of(b) > bed_memory + bed_used)
            return "a block goes beyond the heap";
        if (size_of(b) < BLOCK_MIN || size_of(b) % 16 != 0)
            return "a block has an impossible size";
        if (left_free != ((b->word & LEFT_FREE) != 0))
            return "a block is wrong about its left neighbour";
        if (left_free && (b->word & FREE))
            return "two neighbours are free";
        left_free = (b->word & FREE) != 0;
        if (left_free && ((size_t *)right_of(b))[-1] != size_of(b))
            return "a free block's size does not stand at its end";
        free_blocks += left_free;
        *used += left_free ? 0 : size_of(b);
    }
    if (b != heap_end || left_free != ((b->word & LEFT_FREE) != 0))
        return "the heap does not end where it should";
    return free_blocks == listed ? NULL : "a free block is in no list";
}

#endif
