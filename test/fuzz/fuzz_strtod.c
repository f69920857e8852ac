// SPDX-License-Identifier: BSD-2-Clause
// Arbitrary text as a number: the guests' strtod and strtof (guest/lib/strtod.c) read what this machine's read, to the
// bit, and as far. Only the fraction of a NaN is left open.
#include "core/panic.h"
#include "test/fuzz/fuzz.h"
#include "test/unit/printf_bed.h"

#define TEXT_MAX 4000

int fuzz_one(const uint8_t *data, size_t size)
{
    char text[TEXT_MAX + 1], *our_end, *their_end;
    size_t len = size < TEXT_MAX ? size : TEXT_MAX;
    memcpy(text, data, len);
    text[len] = 0;
    double ours = guest_strtod(text, &our_end), theirs = strtod(text, &their_end);
    ASSERT(our_end >= text && our_end <= text + len);
    ASSERT(our_end == their_end);
    ASSERT(isnan(theirs) ? isnan(ours) : bits_of(ours) == bits_of(theirs));
    float our_float = guest_strtof(text, &our_end), their_float = strtof(text, &their_end);
    ASSERT(our_end == their_end);
    ASSERT(isnan(their_float) ? isnan(our_float) : memcmp(&our_float, &their_float, sizeof our_float) == 0);
    return 0;
}

size_t fuzz_seed(unsigned i, uint8_t *buf, size_t max)
{
    static const char *const text[] = {
        "0",
        "-1.5e10",
        "3.14159265358979323846264338327950288",
        "0x1.8p3",
        "inf",
        "2.4703282292062327208e-324",
        "1.7976931348623158079e308",
        "0x.8p-1073",
        "9007199254740993.0000000000000000000000000001",
        " \t+00012.500e-3x",
    };
    if (i >= sizeof text / sizeof *text || strlen(text[i]) > max)
        return 0;
    memcpy(buf, text[i], strlen(text[i]));
    return strlen(text[i]);
}
