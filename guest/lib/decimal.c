// SPDX-License-Identifier: BSD-2-Clause
// From a binary number to its decimal digits, all of them: the ground on which printf and strtod stand.
//
// A double is mantissa * 2^e, and with a negative e that is mantissa * 5^-e * 10^e: an integer with the decimal point
// moved. So both signs of e come down to multiplying an integer of many digits by small numbers. Slow for extreme
// exponents (hundreds of thousands of instructions), fast for everyday ones, always right.
#include <assert.h>

#include "guest/lib/internal.h"

#define LIMB_DIGITS 9
#define LIMB 1000000000u
// The longest integer: 2^54 * 5^1076 has 769 digits.
#define LIMBS 87
_Static_assert(LIMBS *LIMB_DIGITS <= DECIMAL_DIGITS_MAX, "the digits of all limbs fit the caller's array");

struct big {
    int n;
    uint32_t limb[LIMBS]; // least significant first, n in use
};

static void multiply(struct big *b, uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < b->n; i++) {
        uint64_t x = (uint64_t)b->limb[i] * factor + carry;
        b->limb[i] = (uint32_t)(x % LIMB);
        carry = x / LIMB;
    }
    while (carry) {
        assert(b->n < LIMBS);
        b->limb[b->n++] = (uint32_t)(carry % LIMB);
        carry /= LIMB;
    }
}

// Multiplies by base^exponent; step = base^step_exponent is the largest power below 2^32.
static void multiply_power(struct big *b, uint32_t base, uint32_t step, int step_exponent, int exponent)
{
    for (; exponent >= step_exponent; exponent -= step_exponent)
        multiply(b, step);
    for (; exponent > 0; exponent--)
        multiply(b, base);
}

// Writes all digits, leading zeros of the first limb left out. Returns their number.
static int write_digits(const struct big *b, char *digits)
{
    int n = 0;
    for (int i = b->n - 1; i >= 0; i--) {
        char nine[LIMB_DIGITS];
        uint32_t limb = b->limb[i];
        for (int j = LIMB_DIGITS - 1; j >= 0; j--, limb /= 10)
            nine[j] = (char)('0' + limb % 10);
        for (int j = 0; j < LIMB_DIGITS; j++)
            if (n > 0 || nine[j] != '0')
                digits[n++] = nine[j];
    }
    return n;
}

int decimal_expand(uint64_t mantissa, int exponent2, char digits[DECIMAL_DIGITS_MAX], int *exponent10)
{
    *exponent10 = 0;
    if (mantissa == 0)
        return 0;
    assert(mantissa < 1ull << 54 && exponent2 >= -1076 && exponent2 <= 971); // else LIMBS are too few
    int zeros = __builtin_ctzll(mantissa);
    mantissa >>= zeros;
    exponent2 += zeros;

    struct big b = {0};
    for (; mantissa; mantissa /= LIMB)
        b.limb[b.n++] = (uint32_t)(mantissa % LIMB);
    if (exponent2 >= 0)
        multiply_power(&b, 2, 1u << 31, 31, exponent2);
    else
        multiply_power(&b, 5, 1220703125u, 13, -exponent2);

    int n = write_digits(&b, digits);
    *exponent10 = n + (exponent2 < 0 ? exponent2 : 0);
    while (digits[n - 1] == '0')
        n--;
    return n;
}
