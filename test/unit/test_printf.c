// SPDX-License-Identifier: BSD-2-Clause
// The guests' printf (guest/lib/printf.c, decimal.c) prints, byte for byte, what this machine's C library prints.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/printf_bed.h"

#define OUT 1600
#define CASES 60000

// Numbers that are hard to print: ends of the range, ties, powers of ten, 17 digits and more.
static const double hard[] = {
    0.0,
    -0.0,
    1.0,
    0.5,
    0.1,
    0.15,
    2.5,
    3.5,
    1e15,
    1e16,
    1e17,
    1e21,
    1e22,
    1e23,
    9.995,
    0.00001,
    123456789.125,
    9007199254740993.0,
    5e-324,
    2.2250738585072011e-308,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    8.5,
    9.5,
    0.3,
    4.35,
    1.005,
    99999.5,
    999999.5,
    1e100,
    1e-100,
    6.02214076e23,
    (double)INFINITY,
    -(double)INFINITY,
    (double)NAN,
};

static double draw_double(uint64_t *r)
{
    uint64_t kind = bed_rand(r) % 4;
    if (kind == 0)
        return hard[bed_rand(r) % (sizeof hard / sizeof *hard)];
    if (kind == 1) // any bits at all
        return double_of(bed_rand(r));
    double d = (double)(int64_t)bed_rand(r) / 9007199254740992.0; // everyday sizes
    return kind == 2 ? d : round(d * 1e4) / 1e4;
}

// A conversion with random flags, width and precision; `letters`: which it may be. Returns which it is.
static char draw_spec(uint64_t *r, char *spec, const char *length, const char *letters)
{
    char *p = spec;
    *p++ = '%';
    for (const char *flag = "-+ #0"; *flag; flag++)
        if (bed_rand(r) % 4 == 0)
            *p++ = *flag;
    if (bed_rand(r) % 2)
        p += snprintf(p, 8, "%u", (unsigned)(bed_rand(r) % 60 + 1)); // not 0: that would be a flag
    if (bed_rand(r) % 2)
        p += snprintf(p, 8, ".%u", (unsigned)(bed_rand(r) % 40));
    p = stpcpy(p, length);
    char letter = letters[bed_rand(r) % strlen(letters)];
    *p++ = letter;
    *p = 0;
    return letter;
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat"

#define COMPARE(spec, ...)                                                                                             \
    do {                                                                                                               \
        char ours[OUT], theirs[OUT];                                                                                   \
        int n = guest_snprintf(ours, sizeof ours, spec, __VA_ARGS__),                                                  \
            m = snprintf(theirs, sizeof theirs, spec, __VA_ARGS__);                                                    \
        if (n != m || strcmp(ours, theirs) != 0)                                                                       \
            fail_msg("%s: \"%s\" (%d), should be \"%s\" (%d)", spec, ours, n, theirs, m);                              \
    } while (0)

static void floating_point_numbers_are_printed_as_the_host_prints_them(void **state)
{
    (void)state;
    uint64_t r = 1;
    for (int i = 0; i < CASES; i++) {
        char spec[40], *alternate;
        char letter = draw_spec(&r, spec, "", "eEfFgGaA");
        double d = draw_double(&r);
        // glibc 2.36 loses the zeros of %#g when rounding gives a digit more: " 1.e+06" for 999999.5. The next test has
        // it.
        while ((letter == 'g' || letter == 'G') && (alternate = strchr(spec, '#')) != NULL)
            memmove(alternate, alternate + 1, strlen(alternate));
        COMPARE(spec, d);
    }
}

static void an_alternate_g_keeps_its_zeros(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        double d;
        const char *text;
    } known[] = {
        {"%#g", 1.0, "1.00000"}, {"%#g", 0.0, "0.00000"},           {"%#.3g", 100.0, "100."},
        {"%#.0g", 1.0, "1."},    {"%#.3G", 1e-7, "1.00E-07"},       {"%#.6g", 999999.5, "1.00000e+06"},
        {"%#.2g", 9.99, "10."},  {"%#10.4g|", 12.5, "     12.50|"},
    };
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        char text[40];
        guest_snprintf(text, sizeof text, known[i].spec, known[i].d);
        assert_string_equal(text, known[i].text);
    }
}

static void all_digits_of_a_double_are_right(void **state)
{
    (void)state;
    uint64_t r = 2;
    for (int i = 0; i < CASES / 20; i++) {
        double d = double_of(bed_rand(&r));
        COMPARE("%.1100e", d);
        COMPARE("%.1074f", d);
    }
}

static void integers_of_every_length_are_printed_as_the_host_prints_them(void **state)
{
    (void)state;
    static const char *const length[] = {"hh", "h", "", "l", "ll", "j", "z", "t"};
    uint64_t r = 3;
    for (int i = 0; i < CASES; i++) {
        char spec[40];
        unsigned l = (unsigned)(bed_rand(&r) % 8);
        draw_spec(&r, spec, length[l], "diuoxX");
        uint64_t x = bed_rand(&r) >> bed_rand(&r) % 64;
        if (l < 3)
            COMPARE(spec, (int)x);
        else
            COMPARE(spec, x);
    }
}

static void text_characters_and_addresses_are_printed_as_the_host_prints_them(void **state)
{
    (void)state;
    static const char *const text[] = {"", "a", "hello", "a longer line, with (some) marks 100 %", NULL};
    uint64_t r = 4;
    for (int i = 0; i < CASES / 4; i++) {
        char spec[40];
        const char *string = text[bed_rand(&r) % 4];
        int character = (int)(bed_rand(&r) % 255 + 1);
        draw_spec(&r, spec, "", "s");
        COMPARE(spec, string);
        draw_spec(&r, spec, "", "c");
        COMPARE(spec, character);
    }
    const char *volatile nothing = text[4];
    COMPARE("%s", nothing);
    COMPARE("%p %p", (void *)0x1234, NULL);
    COMPARE("%5p|%-20p|", (void *)0xffffffffffffffff, (void *)1);
}

static void stars_are_arguments(void **state)
{
    (void)state;
    uint64_t r = 5;
    for (int i = 0; i < CASES / 10; i++) {
        int width = (int)(bed_rand(&r) % 60) - 30, precision = (int)(bed_rand(&r) % 30) - 5;
        double d = draw_double(&r);
        COMPARE("[%*.*f]", width, precision, d);
        COMPARE("[%0*d%%%-*.*s]", width, precision * 1001, width, precision, "what");
    }
}

// As snprintf promises: the length it would have had, a zero at the end, nothing behind the buffer.
static void a_buffer_that_is_too_short_has_the_beginning(void **state)
{
    (void)state;
    char whole[200], part[200];
    int len = guest_snprintf(whole, sizeof whole, "%d %s %.10f %x", 12345, "between", 1.0 / 3, 0xbeefu);
    for (size_t size = 0; size < sizeof part; size++) {
        memset(part, '!', sizeof part);
        assert_int_equal(guest_snprintf(part, size, "%d %s %.10f %x", 12345, "between", 1.0 / 3, 0xbeefu), len);
        size_t got = size == 0 ? 0 : size - 1 < (size_t)len ? size - 1 : (size_t)len;
        assert_memory_equal(part, whole, got);
        if (size > 0)
            assert_int_equal(part[got], 0);
        assert_int_equal(part[size], '!');
    }
}

static void n_tells_how_much_came_before(void **state)
{
    (void)state;
    char buf[8];
    int n = -1;
    long long m = -1;
    assert_int_equal(guest_snprintf(buf, sizeof buf, "12345%n67890%lln", &n, &m), 10);
    assert_int_equal(n, 5);
    assert_int_equal(m, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floating_point_numbers_are_printed_as_the_host_prints_them),
        cmocka_unit_test(an_alternate_g_keeps_its_zeros),
        cmocka_unit_test(all_digits_of_a_double_are_right),
        cmocka_unit_test(integers_of_every_length_are_printed_as_the_host_prints_them),
        cmocka_unit_test(text_characters_and_addresses_are_printed_as_the_host_prints_them),
        cmocka_unit_test(stars_are_arguments),
        cmocka_unit_test(a_buffer_that_is_too_short_has_the_beginning),
        cmocka_unit_test(n_tells_how_much_came_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
