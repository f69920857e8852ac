// SPDX-License-Identifier: BSD-2-Clause
// A process to move about while it works. It prints numbered lines and watches itself: every part of its state that a
// move or a checkpoint must carry is checked against what it must be, and a difference is reported and counted.
// Missing or repeated numbers in the output would show a process that was lost or ran twice.
//
//   counter [LINES] [MILLISECONDS between lines] [KIB of memory]        default: 20 500 256
//
// The last line is "counter: LINES lines, 0 errors"; the exit status is 0 if that is so.
#include <errno.h>
#include <fenv.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "guest/lib/rotifer.h"

static unsigned errors;
static _Thread_local uint64_t thread_local_count; // tp must come along

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    errors++;
    printf("counter: WRONG: %s\n", what);
}

// --- Memory: every word holds a mixture of its index and the round -------------------------------

static uint64_t pattern(uint64_t i, uint64_t round)
{
    uint64_t x = (i + 1) * 0x9e3779b97f4a7c15u ^ round * 0xbf58476d1ce4e5b9u;
    return x ^ x >> 31;
}

static void memory_fill(uint64_t *words, size_t n, uint64_t round)
{
    for (size_t i = 0; i < n; i++)
        words[i] = pattern(i, round);
}

static void memory_check(const uint64_t *words, size_t n, uint64_t round)
{
    for (size_t i = 0; i < n; i++)
        if (words[i] != pattern(i, round)) {
            check(false, "memory");
            return;
        }
}

// --- Floating point: values held in registers across the work, and the rounding mode -------------

// Eight values that never leave their registers for long, turned by a rotation that comes back to the start after 360
// steps. Returns how far it missed.
static double circle(void)
{
    const double c = 0.99984769515639123916, s = 0.01745240643728351282; // one degree
    double x[4] = {1, 2, 3, 4}, y[4] = {0, 1, 2, 3};
    for (int step = 0; step < 360; step++)
        for (int i = 0; i < 4; i++) {
            double t = c * x[i] - s * y[i];
            y[i] = s * x[i] + c * y[i];
            x[i] = t;
        }
    double miss = 0;
    for (int i = 0; i < 4; i++)
        miss += (x[i] - (i + 1)) * (x[i] - (i + 1)) + (y[i] - i) * (y[i] - i);
    return miss;
}

// A third, rounded in the mode that the round sets: fcsr must come along.
static void rounding_check(uint64_t round)
{
    static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    volatile double one = 1, three = 3;
    check(fegetround() == modes[round % 4], "rounding mode");
    double third = one / three;
    double expected = round % 4 == 1 ? 0x1.5555555555556p-2 : 0x1.5555555555555p-2;
    check(third == expected, "rounded quotient");
    fesetround(modes[(round + 1) % 4]);
}

// --- The whole -----------------------------------------------------------------------------------

// Computes until `until_ns`, checking all the time.
static void work(uint64_t *words, size_t n, uint64_t round, uint64_t until_ns)
{
    do {
        memory_check(words, n, round);
        check(circle() < 1e-20, "floating-point registers");
    } while (clock_ns() < until_ns);
}

static long number(int argc, char **argv, int i, long otherwise)
{
    return argc > i ? strtol(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    uint64_t lines = (uint64_t)number(argc, argv, 1, 20);
    uint64_t step_ns = (uint64_t)number(argc, argv, 2, 500) * 1000000;
    size_t n = (size_t)number(argc, argv, 3, 256) * 1024 / sizeof(uint64_t);
    uint64_t *words = malloc(n * sizeof *words);
    if (!words) {
        perror("counter");
        return 2;
    }

    uint64_t start = clock_ns(), last = start;
    memory_fill(words, n, 0);
    for (uint64_t round = 0; round < lines; round++) {
        work(words, n, round, start + (round + 1) * step_ns);
        rounding_check(round);
        memory_fill(words, n, round + 1);
        check(++thread_local_count == round + 1, "thread-local variable");

        uint64_t now = clock_ns();
        check(now >= last, "clock went back");
        last = now;
        struct self self;
        sys_self(&self);
        int mode = fegetround();
        fesetround(FE_TONEAREST); // printing is not part of the experiment
        printf("counter: %" PRIu64 " on node %016" PRIx64 "\n", round + 1, self.node);
        fesetround(mode);
    }
    printf("counter: %" PRIu64 " lines, %u errors\n", lines, errors);
    return errors != 0;
}
