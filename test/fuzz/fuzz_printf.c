// SPDX-License-Identifier: BSD-2-Clause
// Arbitrary formats for the guests' printf (guest/lib/printf.c): it never writes outside its buffer, ends it with a
// zero and says how long it would have been; and a conversion made of the input's bytes prints what this machine
// prints.
#include "core/panic.h"
#include "test/fuzz/fuzz.h"
#include "test/unit/printf_bed.h"

#define FORMAT_MAX 200
#define OUT 1500

#pragma GCC diagnostic ignored "-Wformat-nonliteral"

// The bytes as a format that takes numbers only: no %s, %n, %c, no stars, and no width of more than three digits.
static void make_format(char *fmt, const uint8_t *data, size_t size)
{
    size_t digits = 0, len = 0;
    for (size_t i = 0; i < size && len < FORMAT_MAX; i++) {
        char c = (char)data[i];
        digits = isdigit((unsigned char)c) ? digits + 1 : 0;
        if (c == 0 || strchr("snScCLm*$'wIBb", c) || digits > 3)
            continue;
        fmt[len++] = c;
    }
    fmt[len] = 0;
}

static void any_format(const uint8_t *data, size_t size)
{
    char fmt[FORMAT_MAX + 1], out[64];
    make_format(fmt, data, size);
    memset(out, '!', sizeof out);
    size_t room = size % (sizeof out - 1);
    // As many of both kinds as a format of this length can take.
    int n = guest_snprintf(out, room, fmt, 1ul, 2ul, 3ul, 4ul, 5ul, 6ul, 7ul, 8ul, 9ul, 10ul, 11ul, 12ul, 13ul, 14ul,
                           15ul, 16ul, 17ul, 18ul, 19ul, 20ul, 21ul, 22ul, 23ul, 24ul, 25ul, 26ul, 27ul, 28ul, 29ul,
                           30ul, 31ul, 32ul, 33ul, 34ul, 35ul, 36ul, 37ul, 38ul, 39ul, 40ul, 1.5, 2.5, -3.0, 1e300,
                           1e-300, 0.1, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0);
    for (size_t i = room; i < sizeof out; i++)
        ASSERT(out[i] == '!');
    if (room > 0 && n >= 0)
        ASSERT(out[(size_t)n < room - 1 ? (size_t)n : room - 1] == 0);
}

static void one_conversion(const uint8_t *data)
{
    char spec[40] = "%", *p = spec + 1, ours[OUT], theirs[OUT];
    uint64_t bits;
    memcpy(&bits, data, sizeof bits);
    bool floating = data[8] & 1, alternate = data[9] & 1;
    char letter = floating ? "eEfFaAgG"[data[8] >> 1 & 7] : "diuoxX"[(data[8] >> 1 & 127) % 6];
    for (unsigned i = 0; i < 5; i++) // '#' of %g: see test_printf.c
        if (data[9] >> i & 1 && !(i == 0 && alternate && (letter == 'g' || letter == 'G')))
            *p++ = "#-+ 0"[i];
    if (data[10] & 1)
        p += snprintf(p, 8, "%u", data[10] / 2 % 80u + 1);
    if (data[11] & 1)
        p += snprintf(p, 8, ".%u", data[11] / 2 % 60u);
    p += snprintf(p, 8, "%s%c", floating ? "" : "l", letter);
    double d;
    memcpy(&d, &bits, sizeof d);
    int n = floating ? guest_snprintf(ours, OUT, spec, d) : guest_snprintf(ours, OUT, spec, bits);
    int m = floating ? snprintf(theirs, OUT, spec, d) : snprintf(theirs, OUT, spec, bits);
    ASSERT(n == m && strcmp(ours, theirs) == 0);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    if (size >= 12)
        one_conversion(data);
    any_format(data, size);
    return 0;
}

size_t fuzz_seed(unsigned i, uint8_t *buf, size_t max)
{
    static const char *const fmt[] = {
        "%d %i %u",      "%-10.5x|%+o", "%08.3f %e %g", "%a", "%%",  "%",
        "%lld %hhx %zu", "text only",   "%#010lx",      "%5", "%.f", "\1\2\3\4\5\6\7\10\11\12\13\14\15 %+.10e",
    };
    if (i >= sizeof fmt / sizeof *fmt || strlen(fmt[i]) > max)
        return 0;
    memcpy(buf, fmt[i], strlen(fmt[i]));
    return strlen(fmt[i]);
}
