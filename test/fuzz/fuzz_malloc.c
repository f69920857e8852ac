// SPDX-License-Identifier: BSD-2-Clause
// Arbitrary sequences of malloc, realloc, memalign and free (guest/lib/malloc.c): the heap is sound, blocks keep
// their bytes, and in the end all of it is free.
#include "core/panic.h"
#include "test/fuzz/fuzz.h"
#include "test/unit/malloc_bed.h"

#define HELD 32
#define STEPS_MAX 128
#define STEPS_CHECKED 32 // the heap is walked so often

static struct {
    unsigned char *p;
    size_t len;
} held[HELD];

// Two bytes as a length: half of them short.
static size_t length(const uint8_t *data)
{
    size_t n = data[0] | (size_t)data[1] << 8;
    return n & 1 ? n >> 1 & 255 : n >> 4;
}

static void fill(unsigned i)
{
    memset(held[i].p, (int)(i + 1), held[i].len);
}

static void check(unsigned i, size_t len)
{
    for (size_t k = 0; k < len; k++)
        ASSERT(held[i].p[k] == i + 1);
}

static void step(uint8_t what, unsigned i, size_t len)
{
    unsigned char *p;
    if (!held[i].p) {
        p = what & 1 ? guest_memalign((size_t)16 << (what >> 1 & 7), len) : guest_malloc(len);
    } else if (what & 1) {
        check(i, held[i].len);
        guest_free(held[i].p);
        held[i].p = NULL;
        return;
    } else {
        p = guest_realloc(held[i].p, len);
        if (p) {
            held[i].p = p;
            check(i, held[i].len < len ? held[i].len : len);
        }
    }
    if (!p)
        return;
    held[i].p = p;
    held[i].len = len;
    fill(i);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    size_t used;
    bed_heap_reset((size_t)65536 + (size > 0 ? data[0] * (size_t)512 : 0));
    memset(held, 0, sizeof held);
    for (size_t at = 1; at + 4 <= size && at < 4 * STEPS_MAX; at += 4) {
        step(data[at], data[at + 1] % HELD, length(data + at + 2));
        if (at / 4 % STEPS_CHECKED == 0)
            ASSERT(bed_heap_check(&used) == NULL);
    }
    for (unsigned i = 0; i < HELD; i++) {
        if (held[i].p) {
            check(i, held[i].len);
            guest_free(held[i].p);
        }
    }
    ASSERT(bed_heap_check(&used) == NULL);
    ASSERT(used == 0);
    return 0;
}

size_t fuzz_seed(unsigned i, uint8_t *buf, size_t max)
{
    size_t len = 1 + 4 * (size_t)(i * 40 + 20);
    if (i > 4 || len > max)
        return 0;
    for (size_t at = 0; at < len; at++)
        buf[at] = (uint8_t)((at + i) * 2654435761u >> 13);
    return len;
}
