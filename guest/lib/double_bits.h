// SPDX-License-Identifier: BSD-2-Clause
// The bits of a double, and back. Standard C only: tests compile this for your machine, too.
//
// Callers: any context.
#ifndef GUEST_LIB_DOUBLE_BITS_H
#define GUEST_LIB_DOUBLE_BITS_H

#include <stdint.h>
#include <string.h>

// Returns the bits of d, sign first; with double_of() back again.
static inline uint64_t bits_of(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

// Returns the double of these bits.
static inline double double_of(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

#endif
