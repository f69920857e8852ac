// SPDX-License-Identifier: BSD-2-Clause
// log2 to about half a unit in the last place. picolibc's is a macro, log(x) / ln 2, which is off by one unit for many
// arguments, and glibc's is not: with this (and #undef log2), Lua's math.log(x, 2) prints the same here and there.
#include <math.h>

#undef log2

double log2(double x)
{
    static const double inv_ln2 = 0x1.71547652b82fep+0, inv_ln2_rest = 0x1.777d0ffda0d24p-56;
    int exponent;
    if (!(x > 0) || isinf(x))
        return log(x); // -infinity, infinity, NaN: as they are
    double m = frexp(x, &exponent);
    if (m < 0x1.6a09e667f3bcdp-1) { // below sqrt(1/2): so that log(m) is small on either side
        m *= 2;
        exponent--;
    }
    double l = log(m), high = l * inv_ln2;
    double low = fma(l, inv_ln2, -high) + l * inv_ln2_rest;
    double sum = exponent + high;
    return sum + ((exponent - sum) + high + low);
}
