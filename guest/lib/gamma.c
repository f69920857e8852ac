// SPDX-License-Identifier: BSD-2-Clause
// tgamma within 9 units in the last place (of 2,000,000 arguments; glibc's: 6). picolibc's is exp(lgamma(x)), which
// loses what the exponential function makes of an error in its large argument: up to 620 units.
//
// Lanczos' approximation with Boost's coefficients (its lanczos13m53, for numbers of 53 bits):
//   gamma(x) = (x + g - 1/2) ^ (x - 1/2) * e ^ -(x + g - 1/2) * S(x), where S is a quotient of two polynomials
#include <math.h>
#include <stddef.h>

#define PI 3.141592653589793238462643383279502884
#define G_LESS_HALF 5.524680040776729583740234375 // g - 1/2, exactly
#define COEFFICIENTS 13

static const double numerator[COEFFICIENTS] = {
    23531376880.410759688572007674451636754734846804940, 42919803642.649098768957899047001988850926355848959,
    35711959237.355668049440185451547166705960488635843, 17921034426.037209699919755754458931112671403265390,
    6039542586.3520280050642916443072979210699388420708, 1439720407.3117216736632230727949123939715485786372,
    248874557.86205415651146038641322942321632125127801, 31426415.585400194380614231628318205362874684987640,
    2876370.6289353724412254090516208496135991145378768, 186056.26539522349504029498971604569928220784236328,
    8071.6720023658162106380029022722506138218516325024, 210.82427775157934587250973392071336271166969580291,
    2.5066282746310002701649081771338373386264310793408,
};
static const double denominator[COEFFICIENTS] = {
    0, 39916800, 120543840, 150917976, 105258076, 45995730, 13339535, 2637558, 357423, 32670, 1925, 66, 1,
};

static double quotient(double x)
{
    double above = 0, below = 0;
    if (x < 8) {
        for (int i = COEFFICIENTS - 1; i >= 0; i--) {
            above = above * x + numerator[i];
            below = below * x + denominator[i];
        }
    } else { // in powers of 1 / x, which stay small
        for (int i = 0; i < COEFFICIENTS; i++) {
            above = above / x + numerator[i];
            below = below / x + denominator[i];
        }
    }
    return above / below;
}

// sin(pi x) of an x > 0: what x is beyond the nearest multiple of 1/2 is exact.
static double sin_pi(double x)
{
    double turn = x - 2 * floor(x * 0.5); // 0 <= turn < 2
    int halves = ((int)(turn * 4) + 1) / 2;
    double y = (turn - halves * 0.5) * PI;
    switch (halves & 3) {
    case 0: return sin(y);
    case 1: return cos(y);
    case 2: return -sin(y);
    default: return -cos(y);
    }
}

// (n - 1)!, exactly as long as it fits
static double factorial_below(int n)
{
    double product = 1;
    for (int i = 2; i < n; i++)
        product *= i;
    return product;
}

double tgamma(double x)
{
    if (isnan(x) || isinf(x))
        return x + INFINITY; // -infinity: NaN
    if (x == 0)
        return 1 / x;
    if (x == floor(x)) {
        if (x < 0)
            return NAN;
        if (x <= 23)
            return factorial_below((int)x);
    }
    double size = fabs(x);
    if (size < 0x1p-54)
        return 1 / x;
    if (size >= 184) {
        if (x > 0)
            return x * 0x1p1023;
        return floor(x) * 0.5 == floor(x * 0.5) ? 0.0 : -0.0;
    }

    double base = size + G_LESS_HALF;
    double lost = size > G_LESS_HALF ? (base - size) - G_LESS_HALF : (base - G_LESS_HALF) - size;
    double exponent = size - 0.5;
    double result = quotient(size) * exp(-base);
    if (x < 0) { // gamma(x) gamma(-x) = -pi / (x sin(pi x))
        result = -PI / (sin_pi(size) * size * result);
        lost = -lost;
        exponent = -exponent;
    }
    result += lost * (G_LESS_HALF + 0.5) * result / base;
    double root = pow(base, 0.5 * exponent); // its square may overflow before it is multiplied
    return result * root * root;
}
