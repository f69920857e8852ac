// SPDX-License-Identifier: BSD-2-Clause
// printf and its family: ISO C11 7.21.6.1 (those that print wide are picolibc's), and with glibc's spelling where the
// standard leaves it open ("(null)", "(nil)", the form of %a), because the outputs of one program here and on Linux are
// compared byte for byte. picolibc's own has at most 17 digits of a double.
//
// All state of a call is on its stack: threads print to strings at the same time, and a failed assertion may print
// while another call is half done. Only what goes to a stream takes a lock, once for the whole call, so that lines of
// two threads do not mix. Nothing here allocates: to the terminal, printf works when there is no memory left.
//
// A field's length is known before its first byte is emitted, as blanks or zeros may have to come first. That is why
// each conversion computes its digits, then calls field_begin(), then emits.
#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "guest/lib/internal.h"

// --- Where it goes -------------------------------------------------------------------------------

struct sink {
    FILE *file; // NULL: into buf
    char *buf;
    size_t room;  // bytes of buf without the final zero
    size_t count; // bytes produced, whether or not there was room
    bool failed;
};

static void emit(struct sink *s, const char *bytes, size_t len)
{
    size_t at = s->count;
    s->count += len; // also beyond the buffer: snprintf tells how long it would have been
    if (!s->file) {
        if (at < s->room)
            memcpy(s->buf + at, bytes, len < s->room - at ? len : s->room - at);
    } else if (tty_is_output(s->file)) {
        tty_put(bytes, len);
    } else {
        for (size_t i = 0; i < len; i++)
            if (s->file->put(bytes[i], s->file) < 0)
                s->failed = true;
    }
}

static void emit_repeated(struct sink *s, char c, int n)
{
    char run[32];
    memset(run, c, sizeof run);
    for (; n > 0; n -= (int)sizeof run)
        emit(s, run, n < (int)sizeof run ? (size_t)n : sizeof run);
}

// --- One conversion ------------------------------------------------------------------------------

struct spec {
    bool left, plus, space, alt, zero;
    int width;
    int precision; // -1: none given
    char conversion;
};

// Opens a field for `len` bytes behind `prefix` (a sign, "0x"): blanks, prefix, zeros, whichever applies.
static void field_begin(struct sink *s, const struct spec *f, const char *prefix, int len, bool may_zero)
{
    int prefix_len = (int)strlen(prefix);
    int padding = f->width - prefix_len - len;
    bool zeros = f->zero && !f->left && may_zero;
    if (!f->left && !zeros)
        emit_repeated(s, ' ', padding);
    emit(s, prefix, (size_t)prefix_len);
    if (zeros)
        emit_repeated(s, '0', padding);
}

static void field_end(struct sink *s, const struct spec *f, const char *prefix, int len)
{
    if (f->left)
        emit_repeated(s, ' ', f->width - (int)strlen(prefix) - len);
}

static void field(struct sink *s, const struct spec *f, const char *prefix, const char *text, int len, bool may_zero)
{
    field_begin(s, f, prefix, len, may_zero);
    emit(s, text, (size_t)len);
    field_end(s, f, prefix, len);
}

static const char *sign_prefix(const struct spec *f, bool negative)
{
    return negative ? "-" : f->plus ? "+" : f->space ? " " : "";
}

// An integer in the given base, `prefix` before it.
static void integer(struct sink *s, const struct spec *f, const char *prefix, uint64_t value, unsigned base)
{
    const char *set = f->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[24], *end = text + sizeof text, *p = end;
    _Static_assert(sizeof text >= 64 / 3 + 1, "64 bits in octal");
    for (; value; value /= base)
        *--p = set[value % base];
    int digits = (int)(end - p);
    int least = f->precision < 0 ? 1 : f->precision;
    if (base == 8 && f->alt && least <= digits)
        least = digits + 1; // "#": the octal number begins with a zero
    int zeros = least > digits ? least - digits : 0;

    field_begin(s, f, prefix, zeros + digits, f->precision < 0);
    emit_repeated(s, '0', zeros);
    emit(s, p, (size_t)digits);
    field_end(s, f, prefix, zeros + digits);
}

static void string(struct sink *s, const struct spec *f, const char *text)
{
    if (!text)
        text = f->precision < 0 || f->precision >= 6 ? "(null)" : "";
    size_t len = f->precision < 0 ? strlen(text) : strnlen(text, (size_t)f->precision);
    field(s, f, "", text, (int)len, false);
}

// In the encoding of the locale; whole characters only.
static void wide_string(struct sink *s, const struct spec *f, const wchar_t *text)
{
    char bytes[MB_LEN_MAX];
    size_t room = f->precision < 0 ? INT_MAX : (size_t)f->precision, len = 0, count = 0;
    for (mbstate_t state = {0}; len < room && text[count]; count++) {
        size_t n = wcrtomb(bytes, text[count], &state);
        s->failed |= n == (size_t)-1;
        if (s->failed || n > room - len)
            break;
        len += n;
    }
    field_begin(s, f, "", (int)len, false);
    mbstate_t state = {0};
    for (size_t i = 0; i < count; i++)
        emit(s, bytes, wcrtomb(bytes, text[i], &state));
    field_end(s, f, "", (int)len);
}

static void pointer(struct sink *s, const struct spec *f, const void *p)
{
    if (!p)
        field(s, f, "", "(nil)", 5, false);
    else
        integer(s, f, "0x", (uint64_t)p, 16);
}

// --- Floating point ------------------------------------------------------------------------------

struct decimal {
    int n;        // digits
    int exponent; // value = 0.d1 d2 ... dn * 10^exponent; zero: n = 0 and exponent = 1
    char digit[DECIMAL_DIGITS_MAX + 1];
};

static void expand(struct decimal *d, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & ((1ull << 52) - 1);
    int biased = (int)(bits >> 52 & 0x7ff);
    d->n =
        decimal_expand(biased ? 1ull << 52 | fraction : fraction, (biased ? biased : 1) - 1075, d->digit, &d->exponent);
    if (d->n == 0)
        d->exponent = 1;
}

// Should the part behind the first `keep` digits (0 <= keep < n) be rounded away from zero? To nearest, ties to even:
// the digits are exact, so a 5 with nothing behind it is a true tie.
static bool rounds_up(const struct decimal *d, int keep)
{
    assert(keep >= 0 && keep < d->n);
    char next = d->digit[keep];
    if (next != '5')
        return next > '5';
    if (d->n > keep + 1)
        return true;
    return keep > 0 && (d->digit[keep - 1] - '0') % 2 == 1;
}

// Keeps at most `keep` digits; negative: the value is less than half a unit of the last place, so nothing.
static void round_to(struct decimal *d, int keep)
{
    if (keep >= d->n)
        return;
    bool up = keep >= 0 && rounds_up(d, keep);
    d->n = keep > 0 ? keep : 0;
    if (up) {
        while (d->n > 0 && d->digit[d->n - 1] == '9')
            d->n--;
        if (d->n > 0) {
            d->digit[d->n - 1]++;
        } else { // 99.9 became 100, or 0.6 became 1
            d->digit[d->n++] = '1';
            d->exponent++;
        }
    }
    while (d->n > 0 && d->digit[d->n - 1] == '0')
        d->n--;
    if (d->n == 0)
        d->exponent = 1;
}

// Digits number from..to-1; outside the known ones there are zeros.
static void emit_digits(struct sink *s, const struct decimal *d, int from, int to)
{
    int known = to < d->n ? to : d->n;
    if (from < 0) {
        emit_repeated(s, '0', (to < 0 ? to : 0) - from);
        from = 0;
    }
    if (from < known) {
        emit(s, d->digit + from, (size_t)(known - from));
        from = known;
    }
    emit_repeated(s, '0', to - from);
}

static void fixed(struct sink *s, const struct spec *f, const char *sign, const struct decimal *d, int precision)
{
    int whole = d->exponent > 0 ? d->exponent : 1;
    bool point = precision > 0 || f->alt;
    int len = whole + point + precision;
    field_begin(s, f, sign, len, true);
    emit_digits(s, d, d->exponent - whole, d->exponent);
    if (point)
        emit(s, ".", 1);
    emit_digits(s, d, d->exponent, d->exponent + precision);
    field_end(s, f, sign, len);
}

// "e+05" at text. Returns its length.
static int exponent_text(char text[8], char letter, int exponent, int least_digits)
{
    char reversed[6];
    int n = 0, at = 0;
    for (int e = exponent < 0 ? -exponent : exponent; e > 0 || n < least_digits; e /= 10)
        reversed[n++] = (char)('0' + e % 10);
    text[at++] = letter;
    text[at++] = exponent < 0 ? '-' : '+';
    while (n > 0)
        text[at++] = reversed[--n];
    return at;
}

static void scientific(struct sink *s, const struct spec *f, const char *sign, const struct decimal *d, int precision)
{
    char tail[8];
    int tail_len = exponent_text(tail, f->conversion < 'a' ? 'E' : 'e', d->exponent - 1, 2);
    bool point = precision > 0 || f->alt;
    int len = 1 + point + precision + tail_len;
    field_begin(s, f, sign, len, true);
    emit_digits(s, d, 0, 1);
    if (point)
        emit(s, ".", 1);
    emit_digits(s, d, 1, 1 + precision);
    emit(s, tail, (size_t)tail_len);
    field_end(s, f, sign, len);
}

// %g: `precision` significant digits, in whichever form is shorter, without zeros at the end unless "#".
static void general(struct sink *s, const struct spec *f, const char *sign, struct decimal *d, int precision)
{
    if (precision == 0)
        precision = 1;
    round_to(d, precision);
    int exponent = d->exponent - 1;
    bool is_fixed = exponent >= -4 && exponent < precision;
    int behind = is_fixed ? precision - 1 - exponent : precision - 1;
    if (!f->alt) {
        int needed = is_fixed ? d->n - d->exponent : d->n - 1;
        behind = needed < 0 ? 0 : needed < behind ? needed : behind;
    }
    if (is_fixed)
        fixed(s, f, sign, d, behind);
    else
        scientific(s, f, sign, d, behind);
}

// %a: 0x1.8p+1; a subnormal number begins with 0x0.
static void hexadecimal(struct sink *s, const struct spec *f, bool negative, double value)
{
    bool upper = f->conversion == 'A';
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & ((1ull << 52) - 1);
    int biased = (int)(bits >> 52 & 0x7ff);
    uint64_t whole = biased ? 1 : 0; // the digit before the point, fraction in 13 digits behind it
    int exponent = biased ? biased - 1023 : fraction ? -1022 : 0;

    int precision = f->precision;
    if (precision < 0)
        precision = fraction ? 13 - __builtin_ctzll(fraction) / 4 : 0;
    if (precision < 13) {
        uint64_t number = whole << 52 | fraction, unit = 1ull << (52 - 4 * precision);
        uint64_t low = number & (unit - 1);
        number -= low;
        if (low > unit / 2 || (low == unit / 2 && (number & unit)))
            number += unit;
        whole = number >> 52;
        fraction = number & ((1ull << 52) - 1);
    }

    const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[32], prefix[4];
    int len = 0;
    text[len++] = set[whole];
    if (precision > 0 || f->alt)
        text[len++] = '.';
    int digits = precision < 13 ? precision : 13;
    for (int i = 0; i < digits; i++)
        text[len++] = set[fraction >> (48 - 4 * i) & 15];
    char tail[8];
    int tail_len = exponent_text(tail, upper ? 'P' : 'p', exponent, 1);

    strcpy(prefix, sign_prefix(f, negative));
    strcat(prefix, upper ? "0X" : "0x");
    int all = len + (precision - digits) + tail_len;
    field_begin(s, f, prefix, all, true);
    emit(s, text, (size_t)len);
    emit_repeated(s, '0', precision - digits);
    emit(s, tail, (size_t)tail_len);
    field_end(s, f, prefix, all);
}

static void floating(struct sink *s, const struct spec *f, double value)
{
    bool negative = signbit(value), upper = f->conversion < 'a';
    const char *sign = sign_prefix(f, negative);
    if (isnan(value) || isinf(value)) {
        const char *word = isnan(value) ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf");
        field(s, f, sign, word, 3, false);
        return;
    }
    if (f->conversion == 'a' || f->conversion == 'A') {
        hexadecimal(s, f, negative, value);
        return;
    }
    struct decimal d;
    int precision = f->precision < 0 ? 6 : f->precision;
    expand(&d, value);
    switch (f->conversion) {
    case 'e':
    case 'E':
        round_to(&d, precision + 1);
        scientific(s, f, sign, &d, precision);
        break;
    case 'f':
    case 'F':
        round_to(&d, d.exponent + precision);
        fixed(s, f, sign, &d, precision);
        break;
    default: general(s, f, sign, &d, precision);
    }
}

// --- The format string ---------------------------------------------------------------------------

enum length { INT, CHAR, SHORT, LONG, LONG_DOUBLE }; // long long, size_t, ... are all LONG here

static int64_t signed_argument(va_list *ap, enum length length)
{
    switch (length) {
    case LONG: return va_arg(*ap, int64_t);
    case CHAR: return (signed char)va_arg(*ap, int);
    case SHORT: return (short)va_arg(*ap, int);
    default: return va_arg(*ap, int);
    }
}

static uint64_t unsigned_argument(va_list *ap, enum length length)
{
    switch (length) {
    case LONG: return va_arg(*ap, uint64_t);
    case CHAR: return (unsigned char)va_arg(*ap, unsigned);
    case SHORT: return (unsigned short)va_arg(*ap, unsigned);
    default: return va_arg(*ap, unsigned);
    }
}

static double double_argument(va_list *ap, enum length length)
{
    return length == LONG_DOUBLE ? (double)va_arg(*ap, long double) : va_arg(*ap, double);
}

static void store_count(va_list *ap, enum length length, size_t count)
{
    switch (length) {
    case LONG: *va_arg(*ap, int64_t *) = (int64_t)count; break;
    case CHAR: *va_arg(*ap, signed char *) = (signed char)count; break;
    case SHORT: *va_arg(*ap, short *) = (short)count; break;
    default: *va_arg(*ap, int *) = (int)count;
    }
}

static const char *parse_flags(const char *p, struct spec *f)
{
    for (;; p++)
        switch (*p) {
        case '-': f->left = true; break;
        case '+': f->plus = true; break;
        case ' ': f->space = true; break;
        case '#': f->alt = true; break;
        case '0': f->zero = true; break;
        default: return p;
        }
}

// A number or "*" at p.
static const char *parse_number(const char *p, va_list *ap, int *value)
{
    *value = 0;
    if (*p == '*') {
        *value = va_arg(*ap, int);
        return p + 1;
    }
    for (; *p >= '0' && *p <= '9'; p++)
        if (*value < 1000000)
            *value = *value * 10 + (*p - '0');
    return p;
}

static const char *parse_length(const char *p, enum length *length)
{
    *length = INT;
    for (;; p++)
        switch (*p) {
        case 'h': *length = *length == SHORT ? CHAR : SHORT; break;
        case 'l':
        case 'j':
        case 'z':
        case 't': *length = LONG; break;
        case 'L': *length = LONG_DOUBLE; break;
        default: return p;
        }
}

static void convert(struct sink *s, struct spec *f, enum length length, va_list *ap)
{
    switch (f->conversion) {
    case 'd':
    case 'i': {
        int64_t value = signed_argument(ap, length);
        uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
        integer(s, f, sign_prefix(f, value < 0), magnitude, 10);
        break;
    }
    case 'u': integer(s, f, "", unsigned_argument(ap, length), 10); break;
    case 'o': integer(s, f, "", unsigned_argument(ap, length), 8); break;
    case 'x':
    case 'X': {
        uint64_t value = unsigned_argument(ap, length);
        integer(s, f, !f->alt || !value ? "" : f->conversion == 'x' ? "0x" : "0X", value, 16);
        break;
    }
    case 'c': {
        wint_t wide = va_arg(*ap, wint_t);
        char c = (char)wide;
        f->precision = -1;
        if (length == LONG && wide)
            wide_string(s, f, (wchar_t[]){(wchar_t)wide, 0});
        else
            field(s, f, "", &c, 1, false);
        break;
    }
    case 's': {
        const void *text = va_arg(*ap, const void *);
        if (length == LONG && text)
            wide_string(s, f, text);
        else
            string(s, f, text);
        break;
    }
    case 'p': pointer(s, f, va_arg(*ap, void *)); break;
    case 'n': store_count(ap, length, s->count); break;
    case 'a':
    case 'A':
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': floating(s, f, double_argument(ap, length)); break;
    case '%': emit(s, "%", 1); break;
    default: s->failed = true; // undefined by the standard: print nothing, report it
    }
}

static void format(struct sink *s, const char *p, va_list *ap)
{
    for (;;) {
        const char *percent = p + strcspn(p, "%");
        emit(s, p, (size_t)(percent - p));
        if (*percent == 0)
            return;
        struct spec f = {.precision = -1};
        enum length length;
        p = parse_flags(percent + 1, &f);
        p = parse_number(p, ap, &f.width);
        if (f.width < 0) { // from "*": a flag and a width
            f.left = true;
            f.width = -f.width;
        }
        if (*p == '.')
            p = parse_number(p + 1, ap, &f.precision);
        p = parse_length(p, &length);
        f.conversion = *p;
        if (*p == 0) {
            s->failed = true;
            return;
        }
        convert(s, &f, length, ap);
        p++;
    }
}

// --- The family ----------------------------------------------------------------------------------

int vfprintf(FILE *file, const char *fmt, va_list ap)
{
    struct sink s = {.file = file};
    va_list copy;
    if (!(file->flags & __SWR))
        return EOF;
    va_copy(copy, ap); // where va_list is an array, &ap of the parameter is no va_list *
    stdio_lock();
    format(&s, fmt, &copy);
    if (file == stderr)
        tty_flush();
    if (tty_unlock() != 0 && tty_is_output(file))
        s.failed = true;
    va_end(copy);
    if (s.failed)
        file->flags |= __SERR;
    return s.failed ? EOF : (int)s.count;
}

int vprintf(const char *fmt, va_list ap)
{
    return vfprintf(stdout, fmt, ap);
}

int fprintf(FILE *file, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vfprintf(file, fmt, ap);
    va_end(ap);
    return n;
}

int printf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vfprintf(stdout, fmt, ap);
    va_end(ap);
    return n;
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
    struct sink s = {.buf = buf, .room = size ? size - 1 : 0};
    va_list copy;
    va_copy(copy, ap);
    format(&s, fmt, &copy);
    va_end(copy);
    if (size)
        buf[s.count < s.room ? s.count : s.room] = 0;
    return s.failed ? EOF : (int)s.count;
}

int vsprintf(char *buf, const char *fmt, va_list ap)
{
    return vsnprintf(buf, INT_MAX, fmt, ap);
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(buf, size, fmt, ap);
    va_end(ap);
    return n;
}

int sprintf(char *buf, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(buf, INT_MAX, fmt, ap);
    va_end(ap);
    return n;
}

// --- Whole strings -------------------------------------------------------------------------------

size_t fwrite(const void *bytes, size_t size, size_t n, FILE *file)
{
    size_t len = size * n;
    struct sink s = {.file = file};
    if (len == 0 || !(file->flags & __SWR))
        return 0;
    stdio_lock();
    emit(&s, bytes, len);
    if (file == stderr)
        tty_flush();
    if (tty_unlock() != 0 && tty_is_output(file))
        s.failed = true;
    if (s.failed)
        file->flags |= __SERR;
    return s.failed ? 0 : n;
}

int fputs(const char *text, FILE *file)
{
    size_t len = strlen(text);
    return len == 0 || fwrite(text, 1, len, file) == len ? 0 : EOF;
}

int puts(const char *text)
{
    stdio_lock();
    int result = fputs(text, stdout);
    if (fputs("\n", stdout) != 0)
        result = EOF;
    return tty_unlock() != 0 ? EOF : result;
}
