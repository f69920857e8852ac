// SPDX-License-Identifier: BSD-2-Clause
// The guests' strtod and strtof (guest/lib/strtod.c) read, bit for bit, what this machine's C library reads.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/printf_bed.h"

#define CASES 60000

static void same(const char *text)
{
    char *our_end, *their_end;
    double ours = guest_strtod(text, &our_end), theirs = strtod(text, &their_end);
    bool equal = bits_of(ours) == bits_of(theirs) || (isnan(ours) && isnan(theirs));
    if (!equal || our_end != their_end)
        fail_msg("\"%s\": %a and %d characters, should be %a and %d", text, ours, (int)(our_end - text), theirs,
                 (int)(their_end - text));
    float our_float = guest_strtof(text, &our_end), their_float = strtof(text, &their_end);
    equal = memcmp(&our_float, &their_float, sizeof our_float) == 0 || (isnan(our_float) && isnan(their_float));
    if (!equal || our_end != their_end)
        fail_msg("\"%s\" as a float: %a and %d characters, should be %a and %d", text, our_float, (int)(our_end - text),
                 their_float, (int)(their_end - text));
}

static char *put_digits(uint64_t *r, char *p, unsigned n)
{
    while (n-- > 0)
        *p++ = (char)('0' + bed_rand(r) % 10);
    return p;
}

static void random_numbers_of_up_to_forty_digits(void **state)
{
    (void)state;
    uint64_t r = 1;
    for (int i = 0; i < CASES; i++) {
        char text[80], *p = text;
        if (bed_rand(&r) % 4 == 0)
            *p++ = bed_rand(&r) % 2 ? '-' : '+';
        p = put_digits(&r, p, (unsigned)(bed_rand(&r) % 21));
        if (bed_rand(&r) % 2) {
            *p++ = '.';
            p = put_digits(&r, p, (unsigned)(bed_rand(&r) % 21));
        }
        if (bed_rand(&r) % 4)
            p += snprintf(p, 12, "%c%d", bed_rand(&r) % 2 ? 'e' : 'E', (int)(bed_rand(&r) % 700) - 350);
        *p = 0;
        same(text);
    }
}

// The hardest there are: exactly half-way between two doubles, and one digit beyond or below.
static void numbers_half_way_between_two_doubles(void **state)
{
    (void)state;
    uint64_t r = 2;
    for (int i = 0; i < CASES / 40; i++) {
        uint64_t bits = bed_rand(&r) & 0x7fefffffffffffffull;
        char text[1400], *end;
        int len = snprintf(text, sizeof text, "%.1100Le",
                           ((long double)double_of(bits) + (long double)double_of(bits + 1)) / 2);
        same(text);
        end = strchr(text, 'e');
        memmove(end + 1, end, (size_t)(text + len - end) + 1);
        *end = '1'; // a little beyond
        same(text);
    }
}

// The same for floats: their middle is a double, so that rounding twice goes wrong.
static void numbers_half_way_between_two_floats(void **state)
{
    (void)state;
    uint64_t r = 5;
    for (int i = 0; i < CASES / 10; i++) {
        uint32_t bits = (uint32_t)bed_rand(&r) & 0x7f7fffff;
        float f;
        char text[200], *end;
        memcpy(&f, &bits, sizeof f);
        double middle = ((double)f + (double)nextafterf(f, INFINITY)) / 2;
        int len = snprintf(text, sizeof text, "%.160e", isinf(middle) ? 0x1.ffffffp127 : middle);
        same(text);
        end = strchr(text, 'e');
        memmove(end + 1, end, (size_t)(text + len - end) + 1);
        *end = '1';
        same(text);
        guest_snprintf(text, sizeof text, "%a", nextafter(middle, i % 2 ? 0 : INFINITY));
        same(text);
    }
}

static void what_was_printed_is_read_back(void **state)
{
    (void)state;
    uint64_t r = 3;
    for (int i = 0; i < CASES; i++) {
        double d = double_of(bed_rand(&r));
        char text[40], hexadecimal[40];
        if (isnan(d))
            continue;
        guest_snprintf(text, sizeof text, "%.17g", d);
        guest_snprintf(hexadecimal, sizeof hexadecimal, "%a", d);
        assert_true(bits_of(guest_strtod(text, NULL)) == bits_of(d));
        assert_true(bits_of(guest_strtod(hexadecimal, NULL)) == bits_of(d));
    }
}

static void hexadecimal_numbers(void **state)
{
    (void)state;
    uint64_t r = 4;
    for (int i = 0; i < CASES; i++) {
        char text[80];
        int n = snprintf(text, sizeof text, "0%c%llx", bed_rand(&r) % 2 ? 'x' : 'X',
                         (unsigned long long)(bed_rand(&r) >> bed_rand(&r) % 64));
        if (bed_rand(&r) % 2)
            n += snprintf(text + n, 30, ".%llx", (unsigned long long)(bed_rand(&r) >> bed_rand(&r) % 64));
        if (bed_rand(&r) % 2)
            snprintf(text + n, 12, "p%d", (int)(bed_rand(&r) % 2300) - 1150);
        same(text);
    }
}

static void odd_ones(void **state)
{
    (void)state;
    static const char *const text[] = {
        "",
        " ",
        "+",
        "-",
        ".",
        "-.",
        "e5",
        ".e5",
        "0",
        "-0",
        "00.00",
        "0x",
        "0x.",
        "0xg",
        "0x.p1",
        "0x1p",
        "0x1p+",
        "1e",
        "1e+",
        "1e-",
        "1.",
        ".1",
        " \t\n\v\f\r 12",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "0e99999999999999",
        "inf",
        "-INF",
        "infinity",
        "INFINITYx",
        "infinit",
        "nan",
        "-NaN",
        "nanx",
        "nan(",
        "nan(1",
        "nan()",
        "nan(12)x",
        "-nan(0x1f_)",
        "nan(1 2)",
        "1_000",
        "1e5x",
        "12abc",
        "2.2250738585072012e-308",
        "2.2250738585072011e-308",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "0x1.fffffffffffff8p1023",
        "0x1.fffffffffffff7p1023",
        "0x0.0000000000001p-1022",
        "0x0.00000000000008p-1022",
        "9007199254740993",
    };
    for (unsigned i = 0; i < sizeof text / sizeof *text; i++)
        same(text[i]);
}

static void out_of_range_is_said(void **state)
{
    (void)state;
    errno = 0;
    assert_true(guest_strtod("1e309", NULL) == (double)INFINITY);
    assert_int_equal(errno, ERANGE);
    errno = 0;
    assert_true(guest_strtod("1e-400", NULL) == 0);
    assert_int_equal(errno, ERANGE);
    errno = 0;
    assert_true(guest_strtod("1e308", NULL) == 1e308);
    assert_int_equal(errno, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_numbers_of_up_to_forty_digits),
        cmocka_unit_test(numbers_half_way_between_two_doubles),
        cmocka_unit_test(numbers_half_way_between_two_floats),
        cmocka_unit_test(what_was_printed_is_read_back),
        cmocka_unit_test(hexadecimal_numbers),
        cmocka_unit_test(odd_ones),
        cmocka_unit_test(out_of_range_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
