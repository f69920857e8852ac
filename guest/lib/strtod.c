// SPDX-License-Identifier: BSD-2-Clause
// strtod and strtof, correctly rounded for every input: picolibc's keep 17 digits of a number, and no more.
//
// Up to 15 digits and a small power of ten, one multiplication or division is exact enough (W. Clinger, "How to read
// floating point numbers accurately", 1990). Otherwise: a guess in double arithmetic, a few units off at most, and then
// steps to the neighbour as long as the decimal number lies beyond the point half-way to it. That point is a binary
// number too, and decimal_expand gives its digits exactly: comparing is comparing strings. For a float the same double
// is rounded once more; where that could be wrong (S. Boldo and G. Melquiond, "When double rounding is odd", 2005) the
// first rounding is to odd.
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "guest/lib/double_bits.h"
#include "guest/lib/internal.h"

#define DIGITS_KEPT 790 // no point half-way between two doubles has more than 770
_Static_assert(DIGITS_KEPT <= DECIMAL_DIGITS_MAX, "all that is kept of a text has room");

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

// How `number` compares with mantissa * 2^exponent.
static int compare_binary(const struct decimal *number, uint64_t mantissa, int exponent)
{
    struct decimal other;
    other.n = decimal_expand(mantissa, exponent, other.digit, &other.exponent);
    return compare(number, &other);
}

// The double of these bits is mantissa * 2^exponent.
static void split(uint64_t bits, uint64_t *mantissa, int *exponent)
{
    uint64_t fraction = bits & ((1ull << 52) - 1);
    int biased = (int)(bits >> 52);
    *mantissa = biased ? 1ull << 52 | fraction : fraction;
    *exponent = (biased ? biased : 1) - 1075;
}

// How `number` compares with the double of these bits.
static int compare_double(const struct decimal *number, uint64_t bits)
{
    uint64_t mantissa;
    int exponent;
    split(bits, &mantissa, &exponent);
    return mantissa ? compare_binary(number, mantissa, exponent) : 1;
}

// The same with the point half-way between it and the next larger double.
static int compare_half(const struct decimal *number, uint64_t bits)
{
    uint64_t mantissa;
    int exponent;
    split(bits, &mantissa, &exponent);
    return compare_binary(number, 2 * mantissa + 1, exponent - 1);
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
    uint64_t bits = bits_of(isinf(d) ? 0x1.fffffffffffffp1023 : d);
    uint64_t start = bits;
    for (int c; bits < 0x7ffull << 52; bits++) {
        c = compare_half(number, bits);
        if (c < 0 || (c == 0 && bits % 2 == 0))
            break;
    }
    if (bits > start)
        return double_of(bits);
    for (int c; bits > 0; bits--) {
        c = compare_half(number, bits - 1);
        if (c > 0 || (c == 0 && bits % 2 == 0))
            break;
    }
    return double_of(bits);
}

static double decimal_value(const struct decimal *number)
{
    if (number->n == 0 || number->exponent < -330)
        return 0;
    if (number->exponent > 310)
        return INFINITY;
    assert(number->digit[0] != '0' && number->digit[number->n - 1] != '0'); // else compare() would be wrong
    uint64_t leading = 0;
    int used = number->n < 19 ? number->n : 19;
    for (int i = 0; i < used; i++)
        leading = leading * 10 + (uint64_t)(number->digit[i] - '0');
    int exponent = number->exponent - used;
    if (number->n <= 15 && exponent >= -22 && exponent <= 22)
        return exponent < 0 ? (double)leading / small_power[-exponent] : (double)leading * small_power[exponent];
    return round_exactly(number, guess(leading, exponent));
}

// May a float of d, the double nearest to some number, differ from the float nearest to that number? Only if d lies
// half-way between two floats; of subnormal floats we do not ask where that is.
static bool is_float_tie(double d)
{
    return (bits_of(d) & 0x1fffffff) == 0x10000000 || d < 0x1p-126;
}

// Rounded to the double of odd fraction instead, unless it is exact: then rounding once more, to a float, is right.
static double to_odd(const struct decimal *number, double nearest)
{
    uint64_t bits = bits_of(nearest);
    if (number->n == 0 || bits % 2 == 1 || isinf(nearest))
        return nearest;
    int c = compare_double(number, bits);
    return double_of(c > 0 ? bits + 1 : c < 0 ? bits - 1 : bits);
}

// --- Reading the text ----------------------------------------------------------------------------

// What was read, without its sign.
struct reading {
    double value;
    bool for_float; // asked for: a value that, rounded to a float, is the float nearest to the text
    bool finite;    // the text is a number, neither infinity nor NaN,
    bool nonzero;   // and not 0
    const char *end;
};

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

static void read_decimal(struct reading *r, const char *s)
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
        return;
    r->end = s;
    if (*s == 'e' || *s == 'E')
        d.exponent += read_exponent(s + 1, &r->end);
    while (d.n > 0 && d.digit[d.n - 1] == '0')
        d.n--;
    r->nonzero = d.n > 0;
    r->value = decimal_value(&d);
    if (r->for_float && is_float_tie(r->value))
        r->value = to_odd(&d, r->value);
}

// mantissa * 2^exponent rounded to even, or to odd; `rest` says that something not zero follows the mantissa's last
// bit.
static double scale(uint64_t mantissa, int exponent, bool rest, bool odd)
{
    if (mantissa == 0)
        return 0;
    int up = __builtin_clzll(mantissa);
    mantissa <<= up;
    exponent -= up;                                           // value = mantissa * 2^exponent, 2^63 <= mantissa < 2^64
    int drop = exponent + 11 < -1074 ? -1074 - exponent : 11; // bits that a double has no room for
    if (drop > 64)
        return 0; // as a float, too
    uint64_t kept = drop == 64 ? 0 : mantissa >> drop;
    uint64_t half = 1ull << (drop - 1), low = drop == 64 ? mantissa : mantissa & (2 * half - 1);
    if (odd)
        kept |= low || rest;
    else if (low > half || (low == half && (rest || kept % 2)))
        kept++;
    return ldexp((double)kept, exponent + drop);
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

// At s the text behind "0x".
static void read_hex(struct reading *r, const char *s)
{
    uint64_t mantissa = 0;
    int exponent = 0;
    bool point = false, any = false, rest = false;
    r->end = s - 1; // of "0x" alone the number is the 0
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
        return;
    r->end = s;
    if (*s == 'p' || *s == 'P')
        exponent += read_exponent(s + 1, &r->end);
    r->nonzero = mantissa != 0;
    r->value = scale(mantissa, exponent, rest, r->for_float);
}

// What may follow "nan": "(", letters and digits, ")"; at s. They are a number for the fraction of the NaN if they are
// the digits of one, as in glibc.
static double read_nan(const char *s, const char **end)
{
    if (*s != '(')
        return NAN;
    const char *close = s + 1;
    while (isalnum((unsigned char)*close) || *close == '_')
        close++;
    if (*close != ')')
        return NAN;
    *end = close + 1;
    char *number_end;
    int errno_before = errno;
    uint64_t fraction = strtoull(s + 1, &number_end, 0);
    errno = errno_before;
    if (number_end != close)
        return NAN;
    return double_of(bits_of(NAN) | (fraction & ((1ull << 51) - 1)));
}

// "infinity", "inf" or "nan" at s.
static void read_word(struct reading *r, const char *s)
{
    static const char *const words[] = {"infinity", "inf", "nan"};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i]);
        if (strncasecmp(s, words[i], len) == 0) {
            r->finite = false;
            r->end = s + len;
            r->value = i < 2 ? INFINITY : read_nan(r->end, &r->end);
            return;
        }
    }
}

static struct reading read_number(const char *text, bool for_float)
{
    struct reading r = {.finite = true, .for_float = for_float, .end = text};
    const char *s = text;
    while (isspace((unsigned char)*s))
        s++;
    bool negative = *s == '-';
    if (*s == '+' || *s == '-')
        s++;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
        read_hex(&r, s + 2);
    else if (isalpha((unsigned char)*s))
        read_word(&r, s);
    else
        read_decimal(&r, s);
    if (negative && r.end != text) // "-" alone is no number: 0, not -0
        r.value = -r.value;
    return r;
}

double strtod(const char *restrict text, char **restrict end)
{
    struct reading r = read_number(text, false);
    if (end)
        *end = (char *)r.end;
    if (r.finite && (isinf(r.value) || (r.nonzero && fabs(r.value) < 0x1p-1022)))
        errno = ERANGE;
    return r.value;
}

float strtof(const char *restrict text, char **restrict end)
{
    struct reading r = read_number(text, true);
    float value = (float)r.value;
    if (end)
        *end = (char *)r.end;
    if (r.finite && (isinf(value) || (r.nonzero && fabsf(value) < 0x1p-126f)))
        errno = ERANGE;
    return value;
}

// As the standard says of it; picolibc's gives the same for every tag.
double nan(const char *tag)
{
    char text[32];
    size_t len = strlen(tag);
    if (len > sizeof text - sizeof "nan()")
        return NAN;
    strcpy(text, "nan(");
    strcat(text, tag);
    strcat(text, ")");
    const char *end;
    double value = read_nan(text + 3, &end);
    return value;
}
