// SPDX-License-Identifier: BSD-2-Clause
// Chance that can be had again: the same seed, the same numbers.
#ifndef GUEST_TESTS_DICE_H
#define GUEST_TESTS_DICE_H

#include <stdint.h>

struct dice {
    uint64_t x;
};
static inline uint64_t roll(struct dice *d) // xorshift64* (S. Vigna, 2016)
{
    d->x ^= d->x >> 12;
    d->x ^= d->x << 25;
    d->x ^= d->x >> 27;
    return d->x * 0x2545f4914f6cdd1du;
}
static inline uint64_t below(struct dice *d, uint64_t n)
{
    return (roll(d) >> 16) % n;
}

#endif
