// SPDX-License-Identifier: BSD-2-Clause
// strtod, correctly rounded for every input: picolibc's is off by one in the last place for about one number of 18 or
// more digits in twenty-five.
//
// Up to 15 digits and a small power of ten, one multiplication or division is exact enough (W. Clinger, "How to read
// floating point numbers accurately", 1990). Otherwise: a guess in double arithmetic, a few units off at most, and then
// steps to the neighbour as long as the decimal number lies beyond the point half-way to it. That point is a binary
// number too, and decimal_expand gives its digits exactly: comparing is comparing strings.
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "guest/lib/internal.h"

#define DIGITS_KEPT 790 // no point half-way between two doubles has more than 770

// A decimal number: 0.d1 d2 ... dn * 10^exponent, d1 and dn not '0'; n = 0 for zero.
struct decimal {
    int n;
    int exponent;
    char digit[DECIMAL_DIGITS_MAX];
};

static int compare(const struct decimal *a, const struct decimal *b)
{
    if (a->exponent != b->exponent)
        return a->exponent < b->exponent ? -1 : 1;
    int c = memcmp(a->digit, b->digit, (size_t)(a->n < b->n ? a->n : b->n));
    return c ? c : a->n - b->n;
}

static double from_bits(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static uint64_t to_bits(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

// How `number` compares with the point half-way between the double of these bits and the next larger one.
static int compare_half(const struct decimal *number, uint64_t bits)
{
    uint64_t fraction = bits & ((1ull << 52) - 1);
    int biased = (int)(bits >> 52);
    uint64_t mantissa = biased ? 1ull << 52 | fraction : fraction;
    struct decimal half;
    half.n = decimal_expand(2 * mantissa + 1, (biased ? biased : 1) - 1076, half.digit, &half.exponent);
    return compare(number, &half);
}

static const double power[] = {1e1, 1e2, 1e4, 1e8, 1e16, 1e32, 1e64, 1e128, 1e256};
static const double small_power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// The value, a few units in the last place off, of a number well inside the range of doubles.
static double guess(uint64_t leading, int exponent10)
{
    double d = (double)leading;
    int n = exponent10 < 0 ? -exponent10 : exponent10;
    for (int i = 8; i >= 0; i--)
        for (; n >= 1 << i; n -= 1 << i)
            d = exponent10 < 0 ? d / power[i] : d * power[i];
    return d;
}

static double round_exactly(const struct decimal *number, double d)
{
    uint64_t bits = to_bits(isinf(d) ? 0x1.fffffffffffffp1023 : d);
    uint64_t start = bits;
    for (int c; bits < 0x7ffull << 52; bits++) {
        c = compare_half(number, bits);
        if (c < 0 || (c == 0 && bits % 2 == 0))
            break;
    }
    if (bits > start)
        return from_bits(bits);
    for (int c; bits > 0; bits--) {
        c = compare_half(number, bits - 1);
        if (c > 0 || (c == 0 && bits % 2 == 0))
            break;
    }
    return from_bits(bits);
}

static double decimal_value(const struct decimal *number)
{
    if (number->n == 0 || number->exponent < -330)
        return 0;
    if (number->exponent > 310)
        return INFINITY;
    uint64_t leading = 0;
    int used = number->n < 19 ? number->n : 19;
    for (int i = 0; i < used; i++)
        leading = leading * 10 + (uint64_t)(number->digit[i] - '0');
    int exponent = number->exponent - used;
    if (number->n <= 15 && exponent >= -22 && exponent <= 22)
        return exponent < 0 ? (double)leading / small_power[-exponent] : (double)leading * small_power[exponent];
    return round_exactly(number, guess(leading, exponent));
}

// --- Reading the text ----------------------------------------------------------------------------

// The number after an exponent's letter at s, clamped; *end moves behind it if there is one.
static int read_exponent(const char *s, const char **end)
{
    bool negative = *s == '-';
    if (*s == '+' || *s == '-')
        s++;
    if (!isdigit((unsigned char)*s))
        return 0;
    int value = 0;
    for (; isdigit((unsigned char)*s); s++)
        if (value < 100000)
            value = value * 10 + (*s - '0');
    *end = s;
    return negative ? -value : value;
}

static void add_digit(struct decimal *d, char c)
{
    if (d->n < DIGITS_KEPT)
        d->digit[d->n++] = c;
    else if (c != '0')
        d->digit[DIGITS_KEPT - 1] = '1'; // only that something follows matters now
}

static double read_decimal(const char *s, const char **end)
{
    struct decimal d = {.n = 0, .exponent = 0};
    bool point = false, any = false;
    for (;; s++) {
        if (*s == '.' && !point) {
            point = true;
            continue;
        }
        if (!isdigit((unsigned char)*s))
            break;
        any = true;
        if (d.n > 0 || *s != '0')
            add_digit(&d, *s);
        // Digits before the point raise the exponent, zeros right behind it lower it.
        if (!point && (d.n > 0))
            d.exponent++;
        else if (point && d.n == 0)
            d.exponent--;
    }
    if (!any)
        return 0;
    *end = s;
    if (*s == 'e' || *s == 'E')
        d.exponent += read_exponent(s + 1, end);
    while (d.n > 0 && d.digit[d.n - 1] == '0')
        d.n--;
    double value = decimal_value(&d);
    if (isinf(value) || (d.n > 0 && value < 0x1p-1022))
        errno = ERANGE;
    return value;
}

// mantissa * 2^exponent rounded to even; `rest` says that something not zero follows the mantissa's last bit.
static double scale(uint64_t mantissa, int exponent, bool rest)
{
    if (mantissa == 0)
        return 0;
    int up = __builtin_clzll(mantissa);
    mantissa <<= up;
    exponent -= up;                                           // value = mantissa * 2^exponent, 2^63 <= mantissa < 2^64
    int drop = exponent + 11 < -1074 ? -1074 - exponent : 11; // bits that a double has no room for
    if (drop > 64)
        return 0;
    uint64_t kept = drop == 64 ? 0 : mantissa >> drop;
    uint64_t half = 1ull << (drop - 1), low = drop == 64 ? mantissa : mantissa & (2 * half - 1);
    if (low > half || (low == half && (rest || kept % 2)))
        kept++;
    return ldexp((double)kept, exponent + drop);
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

// At s the text behind "0x".
static double read_hex(const char *s, const char **end)
{
    uint64_t mantissa = 0;
    int exponent = 0;
    bool point = false, any = false, rest = false;
    for (;; s++) {
        if (*s == '.' && !point) {
            point = true;
            continue;
        }
        if (!isxdigit((unsigned char)*s))
            break;
        any = true;
        if (mantissa >> 60 == 0) {
            mantissa = mantissa << 4 | (uint64_t)hex_digit(*s);
            exponent -= point ? 4 : 0;
        } else {
            rest |= *s != '0';
            exponent += point ? 0 : 4;
        }
    }
    if (!any)
        return 0; // "0x": the number is the 0, which the caller has counted
    *end = s;
    if (*s == 'p' || *s == 'P')
        exponent += read_exponent(s + 1, end);
    double value = scale(mantissa, exponent, rest);
    if (isinf(value) || (mantissa && value < 0x1p-1022))
        errno = ERANGE;
    return value;
}

// "infinity", "inf" or "nan" at s.
static double read_word(const char *s, const char **end)
{
    static const struct {
        const char *word;
        double value;
    } words[] = {{"infinity", INFINITY}, {"inf", INFINITY}, {"nan", NAN}};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i].word);
        if (strncasecmp(s, words[i].word, len) == 0) {
            *end = s + len;
            return words[i].value;
        }
    }
    return 0;
}

double strtod(const char *restrict text, char **restrict end_out)
{
    const char *s = text, *end = text;
    while (isspace((unsigned char)*s))
        s++;
    bool negative = *s == '-';
    if (*s == '+' || *s == '-')
        s++;

    double value;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        end = s + 1;
        value = read_hex(s + 2, &end);
    } else if (isalpha((unsigned char)*s)) {
        value = read_word(s, &end);
    } else {
        value = read_decimal(s, &end);
    }
    if (end_out)
        *end_out = (char *)end;
    return negative && end != text ? -value : value; // "-" alone is no number: 0, not -0
}
