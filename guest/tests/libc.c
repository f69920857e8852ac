// SPDX-License-Identifier: BSD-2-Clause
// libc FILE: what the C library answers where C libraries go wrong. Standard C and POSIX only, for this file is
// compiled for this machine, too, and both must print the same (test/ring/libc.py). FILE holds "left777".
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uchar.h>
#include <wchar.h>

#include "guest/lib/double_bits.h"

#define RANDOM_NUMBERS 20000

static uint64_t random_state = 88172645463325252ull;

static uint64_t draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

// FNV-1a: many answers as one line.
static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
    return hash;
}

// --- Text to numbers -----------------------------------------------------------------------------

static const char *const numbers[] = {
    "0x1.8",
    "0x",
    "0x.8p3",
    "-0x1p-1074",
    "0x1.fffffffffffff8p1023",
    "1e",
    "1e+",
    ".5",
    ".",
    "+-1",
    "-",
    "infinit",
    "-INFINITY",
    "inf",
    "nan",
    "NaN()",
    "nan(12)x",
    "nan(0x12)",
    "nan(_ab)",
    "nan(1",
    "1e400",
    "-1e-400",
    "4.9e-324",
    "2.4703282292062327e-324",
    "16777217.0000000001",
    "9007199254740993",
    "9007199254740992.99999999999999999999999",
    "123456789012345678901234567890",
    "2.2250738585072011e-308",
    "2.2250738585072012e-308",
    "1.7976931348623158e308",
    "3.4028235677973366e38",
    "1.1754943508222875e-38",
    "0.000000000000000000000000000000000000000000001401298464324817",
    "  12abc",
    "0b1",
    "1_0",
};

// Of subnormal results each library has an opinion of its own.
static bool out_of_range(double d)
{
    return errno == ERANGE && (isinf(d) || d == 0);
}

static void strings_to_numbers(void)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const char *s = numbers[i];
        char *end;
        errno = 0;
        double d = strtod(s, &end);
        printf("strtod \"%s\": %.17g %016llx rest \"%s\" ERANGE %d\n", s, d, (unsigned long long)bits_of(d), end,
               out_of_range(d));
        errno = 0;
        float f = strtof(s, &end);
        printf("strtof \"%s\": %.9g rest \"%s\" ERANGE %d, atof %.17g\n", s, f, end, out_of_range(f), atof(s));
    }
}

static void scans(void)
{
    static const char *const texts[] = {
        "0x1.8",
        "0x.8p3",
        "-0x1p-1074",
        "-0x1.23p-4z",
        ".5",
        "+-1",
        "-INFINITY",
        "inf",
        "nan",
        "1e400",
        "-1e-400",
        "4.9e-324",
        "3e5x",
        "9007199254740993",
        "16777217",
        "2.2250738585072014e-308",
        "1.7976931348623157e308",
        "  12abc",
        "left",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        float f = -1;
        double d = -1;
        long double l = -1;
        int at = -1;
        int as_float = sscanf(texts[i], "%f%n", &f, &at), as_double = sscanf(texts[i], "%lf", &d);
        int as_long = sscanf(texts[i], "%Lf", &l);
        printf("scanf \"%s\": %d %.9g at %d; %d %.17g; %d %.17g\n", texts[i], as_float, f, at, as_double, d, as_long,
               (double)l);
    }
}

static void file_scans(const char *path)
{
    FILE *file = fopen(path, "r");
    float f = -1;
    int i = -1, got;
    if (!file) {
        printf("no file\n");
        return;
    }
    got = fscanf(file, "%f", &f);
    printf("fscanf %%f of \"left777\": %d, next '%c'\n", got, fgetc(file));
    rewind(file);
    got = fscanf(file, "%d", &i);
    printf("fscanf %%d: %d, next '%c'\n", got, fgetc(file));
    char word[8] = "";
    got = fscanf(file, "%3[a-z]%d", word, &i);
    printf("fscanf %%3[a-z]%%d: %d \"%s\" %d, then %d\n", got, word, i, fgetc(file));
    rewind(file);
    fpos_t place;
    char *line = NULL;
    size_t room = 0;
    fgetc(file);
    got = fgetpos(file, &place);
    fgetc(file);
    got += fsetpos(file, &place);
    printf("fgetpos: %d, then '%c'\n", got, fgetc(file));
    got = (int)getline(&line, &room, file);
    printf("getline: %d \"%s\"\n", got, got < 0 ? "" : line);
    free(line);
    fclose(file);
}

static double random_double(void)
{
    uint64_t bits = draw();
    double d;
    memcpy(&d, &bits, sizeof d);
    return isfinite(d) ? d : 1;
}

static float random_float(void)
{
    uint32_t bits = (uint32_t)draw();
    float f;
    memcpy(&f, &bits, sizeof f);
    return isfinite(f) ? f : 1;
}

static void round_trips(void)
{
    long wrong[4] = {0};
    char text[64];
    for (int i = 0; i < RANDOM_NUMBERS; i++) {
        double d = random_double(), back = 0;
        snprintf(text, sizeof text, "%.17g", d);
        wrong[0] += sscanf(text, "%lf", &back) != 1 || bits_of(back) != bits_of(d);
        wrong[1] += bits_of(strtod(text, NULL)) != bits_of(d);
        float f = random_float(), half = 0;
        snprintf(text, sizeof text, "%.9g", f);
        wrong[2] += sscanf(text, "%f", &half) != 1 || half != f;
        wrong[3] += strtof(text, NULL) != f;
    }
    printf("round trips: sscanf %%lf wrong %ld, strtod %ld, sscanf %%f %ld, strtof %ld\n", wrong[0], wrong[1], wrong[2],
           wrong[3]);
}

// Numbers of 1 to 41 digits, few of which are near the middle between two doubles: that is what the list above is for.
static void random_digits(void)
{
    uint64_t as_double = 0, as_float = 0;
    char text[64];
    for (int i = 0; i < RANDOM_NUMBERS; i++) {
        int digits = 1 + (int)(draw() % 41), point = (int)(draw() % (unsigned)digits), at = 0;
        for (int k = 0; k < digits; k++) {
            if (k == point)
                text[at++] = '.';
            text[at++] = (char)('0' + draw() % 10);
        }
        snprintf(text + at, sizeof text - (size_t)at, "e%d", (int)(draw() % 700) - 360);
        double d = strtod(text, NULL);
        as_double = mix(as_double, &d, sizeof d);
        snprintf(text + at, sizeof text - (size_t)at, "e%d", (int)(draw() % 100) - 60);
        float f = strtof(text, NULL);
        as_float = mix(as_float, &f, sizeof f);
    }
    printf("random digits: strtod %016llx, strtof %016llx\n", (unsigned long long)as_double,
           (unsigned long long)as_float);
}

// --- Numbers to text -----------------------------------------------------------------------------

static void random_prints(void)
{
    uint64_t hash = 0;
    for (int i = 0; i < RANDOM_NUMBERS; i++) {
        char format[32], text[512], flags[8] = "";
        for (const char *c = "-+ #0"; *c; c++)
            if (draw() % 4 == 0)
                strncat(flags, c, 1);
        int width = (int)(draw() % 40), precision = (int)(draw() % 30);
        snprintf(format, sizeof format, "%%%s%d.%d%c", flags, width, precision, "aefgAEFG"[draw() % 8]);
        int len = snprintf(text, sizeof text, format, random_double());
        hash = mix(hash, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
    }
    printf("random %%a %%e %%f %%g: %016llx\n", (unsigned long long)hash);
    printf("%s|%5.2s|%-6d|%+ld|%#x|%#o|%05d|%.0f|%.0f|%.40g|%a|%c%%\n", "text", "text", 7, LONG_MIN, 255u, 8u, -42, 0.5,
           1.5, 0.1, -0.0, 'x');
}

// --- Functions of numbers ------------------------------------------------------------------------

static void rounding(void)
{
    static const double values[] = {2147483647.5, -2147483648.5,      4294967295.5, 0x1p52 + 0.5, 0x1p63, 0x1p64,
                                    0x1.8p64,     -0x1.8p70,          1e300,        0.5,          -0.5,   1.5,
                                    -0.0,         0.49999999999999994};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        volatile double d = values[i];
        volatile float f = (float)d;
        printf("%.17g: ceil %.17g floor %.17g trunc %.17g round %.17g rint %.17g\n", d, ceil(d), floor(d), trunc(d),
               round(d), rint(d));
        printf("   float: ceil %.9g floor %.9g trunc %.9g round %.9g rint %.9g\n", ceilf(f), floorf(f), truncf(f),
               roundf(f), rintf(f));
    }
}

static const char *volatile tag = "12";

static void functions(void)
{
    printf("nan(\"12\"): %016llx\n", (unsigned long long)bits_of(nan(tag)));
    uint64_t hash = 0;
    for (int i = 0; i < RANDOM_NUMBERS; i++) {
        double fraction = 1 + (double)(draw() >> 12) * 0x1p-52, d = ldexp(fraction, (int)(draw() % 64) - 32);
        double answers[] = {sqrt(d), fmod(d, 0.7)};
        hash = mix(hash, answers, sizeof answers);
    }
    printf("sqrt, fmod: %016llx\n", (unsigned long long)hash);
    volatile double x;
    int exact = 0;
    for (int i = -1074; i < 1024; i++)
        exact += log2(ldexp(1, i)) == i;
    printf("log2 of a power of 2: %d exact\n", exact);
    for (x = 0.7; x < 100; x *= 1.7) // the last digits are each library's own
        printf("%.14g %.14g %.14g %.14g %.14g\n", exp(x), log(x), log2(x), pow(x, 1.1), sin(x));
    static const double args[] = {1,    2,    5, 10,   20, 30,       100,       170, 0.5,   1.5,
                                  -0.5, -1.5, 0, -0.0, -1, INFINITY, -INFINITY, 172, -200.5};
    for (size_t i = 0; i < sizeof args / sizeof *args; i++) {
        x = args[i];
        printf("tgamma(%g) = %.14g\n", x, tgamma(x));
    }
    x = 1;
    printf("exp(1) = %.17g\n", exp(x));
}

// --- Memory --------------------------------------------------------------------------------------

static volatile size_t too_much = SIZE_MAX / 2;

static void alignment(void)
{
    static const size_t alignments[] = {0, 3, 4, 8, 16, 24, 64, 4096};
    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++) {
        void *p = NULL;
        int error = posix_memalign(&p, alignments[i], 8);
        printf("posix_memalign %zu: %s, %s\n", alignments[i],
               error == EINVAL ? "EINVAL"
               : error         ? "?"
                               : "0",
               p == NULL                      ? "nothing"
               : (uintptr_t)p % alignments[i] ? "not aligned"
                                              : "aligned");
        free(p);
    }
    void *p;
    printf("too much: posix_memalign %d,", posix_memalign(&p, 64, too_much) == ENOMEM);
    errno = 0;
    p = aligned_alloc(64, too_much);
    printf(" aligned_alloc %d %d,", p == NULL, errno == ENOMEM);
    errno = 0;
    p = malloc(too_much);
    printf(" malloc %d %d,", p == NULL, errno == ENOMEM);
    errno = 0;
    p = calloc(too_much, 4);
    printf(" calloc %d %d\n", p == NULL, errno == ENOMEM);
}

// --- Time ----------------------------------------------------------------------------------------

static void print_date(const char *what, time_t at, const struct tm *t)
{
    if (t)
        printf("%s %lld: %d-%d-%d %d:%d:%d, day %d of week, %d of year, %d\n", what, (long long)at, t->tm_year,
               t->tm_mon, t->tm_mday, t->tm_hour, t->tm_min, t->tm_sec, t->tm_wday, t->tm_yday, t->tm_isdst);
    else
        printf("%s %lld: none, EOVERFLOW %d\n", what, (long long)at, errno == EOVERFLOW);
}

static void dates(void)
{
    static const time_t times[] = {0,
                                   -1,
                                   951782399,
                                   951782400,
                                   1704067199,
                                   4102444800,
                                   -62167219200,
                                   -2208988801,
                                   -2208988800,
                                   67768036191676799,
                                   67768036191676800,
                                   -67768040609740800,
                                   -67768040609740801,
                                   LLONG_MAX,
                                   LLONG_MIN,
                                   1711846799,
                                   1711846800,
                                   1729990800,
                                   1729987199};
    static const char *const zones[] = {"UTC0", "CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0"};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        errno = 0;
        print_date("gmtime", times[i], gmtime(&times[i]));
    }
    // glibc has no local time where the year does not fit in UTC; here it is there as long as the local year fits.
    for (size_t z = 0; z < sizeof zones / sizeof *zones; z++) {
        setenv("TZ", zones[z], 1);
        tzset();
        for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
            errno = 0;
            if (gmtime(&times[i]))
                print_date(zones[z], times[i], localtime(&times[i]));
        }
    }
    uint64_t hash = 0;
    for (int i = 0; i < RANDOM_NUMBERS; i++) {
        time_t at = (time_t)(draw() >> 20) - (1ll << 42);
        struct tm t;
        char text[80];
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %j %w", gmtime_r(&at, &t));
        hash = mix(hash, text, strlen(text));
    }
    printf("random dates: %016llx\n", (unsigned long long)hash);
    struct timespec now;
    printf("timespec_get: %d\n", timespec_get(&now, TIME_UTC) == TIME_UTC);
}

// --- Wide characters -----------------------------------------------------------------------------

static void wide(void)
{
    static const char utf8[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
    wchar_t text[64];
    int n = swprintf(text, sizeof text / sizeof *text, L"%ls|%5d|%.3f|%s", L"wide", 42, 2.5, "narrow");
    printf("swprintf: %d %ls %d\n", n, text, wcscmp(text, L"wide|   42|2.500|narrow"));
    printf("C.UTF-8: %d\n", setlocale(LC_ALL, "C.UTF-8") != NULL);
    printf("%ls|%6ls|%-6.4ls|%.1ls|%lc|%3lc|%d\n", L"\u00e4\u20ac", L"\u00e4\u20ac", L"\u00e4\u20ac", L"\u00e4",
           L'\u20ac', L'x', printf("%ls", L"\U0001f600"));
    mbstate_t state = {0};
    for (const char *s = utf8; *s;) {
        char32_t c;
        char back[MB_LEN_MAX];
        mbstate_t other = {0};
        size_t len = mbrtoc32(&c, s, strlen(s), &state);
        if (len > strlen(s)) {
            printf("not UTF-8: %zd\n", (ssize_t)len);
            break;
        }
        printf("U+%04X of %zu bytes, back %zu\n", (unsigned)c, len, c32rtomb(back, c, &other));
        s += len;
    }
    mbstate_t sixteen = {0};
    char16_t unit;
    for (const char *s = utf8; *s;) {
        size_t len = mbrtoc16(&unit, s, strlen(s), &sixteen);
        printf("unit %04X, %zd bytes\n", (unsigned)unit, (ssize_t)len);
        if (len > strlen(s) && len != (size_t)-3)
            break;
        s += len == (size_t)-3 ? 0 : len;
    }
    setlocale(LC_ALL, "C");
    n = snprintf(NULL, 0, "%ls", L"\u20ac");
    printf("a euro in C: %d\n", n);
}

// --- Beginning and end ---------------------------------------------------------------------------

static int constructed;

__attribute__((constructor)) static void construct(void)
{
    constructed = 1;
}

__attribute__((destructor)) static void destruct(void)
{
    printf("destructor,");
}

static void at_exit(void)
{
    printf("at exit,"); // no newline: it waits for the last flush
}

int main(int argc, char **argv)
{
    strings_to_numbers();
    scans();
    file_scans(argc > 1 ? argv[1] : "left.txt");
    round_trips();
    random_digits();
    random_prints();
    rounding();
    functions();
    alignment();
    dates();
    wide();
    atexit(at_exit);
    time_t now = time(NULL);
    printf("constructors %d, after 2020 %d\n", constructed, now > 1577836800);
    return 0;
}
