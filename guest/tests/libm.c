// SPDX-License-Identifier: BSD-2-Clause
// libm COUNT: what the mathematical functions give for COUNT random and hard arguments each, as lines of
//   NAME ARGUMENT [ARGUMENT [ARGUMENT]] RESULT
// all in bits. Standard C only: this file is compiled for this machine, too, and both outputs are compared
// (test/ring/libm.py).
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "guest/lib/double_bits.h"

// xorshift64* (Vigna 2014)
static uint64_t draw(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 2685821657736338717u;
}

// Ends of ranges, ties, neighbours of integers and of powers of two, multiples of pi as near as doubles come.
static const double hard[] = {
    0.0,
    -0.0,
    0.5,
    -0.5,
    1.0,
    -1.0,
    1.5,
    -1.5,
    2.5,
    -2.5,
    0.49999999999999994,
    -0.49999999999999994,
    2147483647.5,
    -2147483648.5,
    4294967295.5,
    4503599627370495.5,
    4503599627370496.5,
    9007199254740991.0,
    9007199254740993.0,
    9223372036854775808.0,
    18446744073709551616.0,
    36893488147419103232.0,
    1e300,
    -1e300,
    1.7976931348623157e308,
    2.2250738585072014e-308,
    5e-324,
    -5e-324,
    3.141592653589793,
    1.5707963267948966,
    6.283185307179586,
    1e22,
    0.9999999999999999,
    1.0000000000000002,
    -0.9999999999999999,
    709.78,
    -745.1,
    88.7,
    1e-10,
    -1e-10,
    170.6,
    (double)INFINITY,
    -(double)INFINITY,
    (double)NAN,
};
#define HARD (sizeof hard / sizeof *hard)

// The i-th argument of a function whose interesting ones are from -limit to limit.
static double argument(uint64_t *s, unsigned i, double limit)
{
    if (i < HARD)
        return hard[i];
    uint64_t x = draw(s);
    switch (x & 3) {
    case 0: return double_of(draw(s)); // any bits at all
    case 1: return ldexp((double)(int64_t)draw(s), -63 - (int)(x >> 2 & 31)) * limit;
    default: return ldexp((double)(int64_t)draw(s), -63) * limit;
    }
}

static const struct {
    const char *name;
    double limit;
    double (*f)(double);
} one[] = {
    {"floor", 1e6, floor}, {"ceil", 1e6, ceil},    {"trunc", 1e6, trunc},
    {"rint", 1e6, rint},   {"round", 1e6, round},  {"nearbyint", 1e6, nearbyint},
    {"sqrt", 1e10, sqrt},  {"fabs", 10, fabs},     {"logb", 1e10, logb},
    {"sin", 100, sin},     {"cos", 100, cos},      {"tan", 100, tan},
    {"asin", 1, asin},     {"acos", 1, acos},      {"atan", 10, atan},
    {"sinh", 20, sinh},    {"cosh", 20, cosh},     {"tanh", 5, tanh},
    {"asinh", 100, asinh}, {"acosh", 100, acosh},  {"atanh", 1, atanh},
    {"exp", 700, exp},     {"exp2", 1000, exp2},   {"expm1", 50, expm1},
    {"log", 1e10, log},    {"log2", 1e10, log2},   {"log10", 1e10, log10},
    {"log1p", 10, log1p},  {"cbrt", 1e10, cbrt},   {"erf", 5, erf},
    {"erfc", 10, erfc},    {"tgamma", 30, tgamma}, {"lgamma", 100, lgamma},
};

static double scaled(double x, double n)
{
    return scalbn(x, (int)fmax(-3000, fmin(3000, isnan(n) ? 0 : n)));
}

static const struct {
    const char *name;
    double limit, limit2;
    double (*f)(double, double);
} two[] = {
    {"atan2", 10, 10, atan2},
    {"pow", 100, 20, pow},
    {"hypot", 1e5, 1e5, hypot},
    {"fmod", 1e6, 100, fmod},
    {"remainder", 1e6, 100, remainder},
    {"fmin", 10, 10, fmin},
    {"fmax", 10, 10, fmax},
    {"fdim", 10, 10, fdim},
    {"copysign", 10, 10, copysign},
    {"nextafter", 10, 10, nextafter},
    {"scalbn", 10, 1100, scaled},
};

// In single precision; results are doubles of the same value.
static const struct {
    const char *name;
    double limit;
    float (*f)(float);
} single[] = {
    {"floorf", 1e6, floorf}, {"ceilf", 1e6, ceilf}, {"truncf", 1e6, truncf}, {"rintf", 1e6, rintf},
    {"sqrtf", 1e6, sqrtf},   {"sinf", 100, sinf},   {"cosf", 100, cosf},     {"tanf", 100, tanf},
    {"expf", 80, expf},      {"logf", 1e6, logf},   {"atanf", 10, atanf},
};

static void ones(unsigned count)
{
    for (unsigned k = 0; k < sizeof one / sizeof *one; k++) {
        uint64_t s = k + 1;
        for (unsigned i = 0; i < count; i++) {
            double x = argument(&s, i, one[k].limit);
            printf("%s %llx %llx\n", one[k].name, (unsigned long long)bits_of(x),
                   (unsigned long long)bits_of(one[k].f(x)));
        }
    }
}

static void twos(unsigned count)
{
    for (unsigned k = 0; k < sizeof two / sizeof *two; k++) {
        uint64_t s = k + 101;
        for (unsigned i = 0; i < count; i++) {
            unsigned hard_second = (unsigned)(draw(&s) % (HARD * 4));
            double x = argument(&s, i, two[k].limit), y = argument(&s, hard_second, two[k].limit2);
            printf("%s %llx %llx %llx\n", two[k].name, (unsigned long long)bits_of(x), (unsigned long long)bits_of(y),
                   (unsigned long long)bits_of(two[k].f(x, y)));
        }
    }
}

static void fused(unsigned count)
{
    uint64_t s = 201;
    for (unsigned i = 0; i < count; i++) {
        double x = argument(&s, i, 10), y = argument(&s, (unsigned)(draw(&s) % (HARD * 4)), 10),
               z = argument(&s, HARD, 100);
        if (i % 3 == 0) // where only a fused operation is right
            z = -(x * y);
        printf("fma %llx %llx %llx %llx\n", (unsigned long long)bits_of(x), (unsigned long long)bits_of(y),
               (unsigned long long)bits_of(z), (unsigned long long)bits_of(fma(x, y, z)));
    }
}

static void singles(unsigned count)
{
    for (unsigned k = 0; k < sizeof single / sizeof *single; k++) {
        uint64_t s = k + 301;
        for (unsigned i = 0; i < count; i++) {
            float x = (float)argument(&s, i, single[k].limit);
            printf("%s %llx %llx\n", single[k].name, (unsigned long long)bits_of(x),
                   (unsigned long long)bits_of(single[k].f(x)));
        }
    }
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    if (count == 0) {
        fprintf(stderr, "usage: libm COUNT\n");
        return 2;
    }
    ones(count);
    twos(count);
    fused(count);
    singles(count);
    return 0;
}
