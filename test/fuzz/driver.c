// SPDX-License-Identifier: BSD-2-Clause
// main() of every fuzz target: mutates the target's seeds and feeds them to it, under sanitizers. The same arguments
// give the same inputs on every machine.
//
// usage: fuzz_NAME [ITERATIONS [SEED [FIRST]]]   defaults 20000 1 0
//
// Iteration i depends on SEED and i alone, so a failure is replayed by itself: ITERATIONS 1, FIRST i. With 0 iterations
// only the seeds themselves are run.
#include "test/fuzz/fuzz.h"

#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sanitizer/common_interface_defs.h>

#define INPUT_MAX (256u * 1024)
#define MUTATIONS_MAX 8

static uint8_t input[INPUT_MAX], other[INPUT_MAX];
static size_t input_len;
static uint64_t seed = 1, iteration;
static bool running, unchanged;
static const char *program;

// --- What failed -----------------------------------------------------------------------------------

#define ROW 32u
static void dump(void)
{ // rows that repeat the one before are left out
    for (size_t at = 0; at < input_len && at < 64 * ROW; at += ROW) {
        size_t len = input_len - at < ROW ? input_len - at : ROW;
        if (at > 0 && len == ROW && memcmp(input + at, input + at - ROW, ROW) == 0)
            continue;
        printf("# %6zu ", at);
        for (size_t i = 0; i < len; i++)
            printf("%s%02x", i % 8 == 0 ? " " : "", input[at + i]);
        printf("\n");
    }
}

static void report(void)
{
    if (!running)
        return;
    running = false;
    if (unchanged)
        printf("not ok - unchanged fuzz_seed(%" PRIu64 "), %zu bytes:\n", iteration, input_len);
    else
        printf("not ok - input %" PRIu64 " of seed %" PRIu64 ", %zu bytes:\n", iteration, seed, input_len);
    dump();
    printf("# replay: %s %d %" PRIu64 " %" PRIu64 "\n", program, !unchanged, seed, iteration);
    fflush(stdout);
}

// The undefined-behaviour sanitizer has no callback at death, but it can abort.
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
    return "print_stacktrace=1:abort_on_error=1";
}

static void on_signal(int sig)
{
    report();
    signal(sig, SIG_DFL);
    raise(sig);
}

// --- Randomness: xorshift64* (Vigna 2014) ------------------------------------------------------------

static uint64_t rng;
static uint64_t random64(void)
{
    rng ^= rng >> 12;
    rng ^= rng << 25;
    rng ^= rng >> 27;
    return rng * 0x2545f4914f6cdd1dull;
}
static size_t below(size_t n)
{
    return n ? (size_t)(random64() % n) : 0;
}

static void start_iteration(uint64_t i)
{
    rng = (seed * 0x9e3779b97f4a7c15ull) ^ (i * 0xbf58476d1ce4e5b9ull) ^ 0x94d049bb133111ebull;
    if (rng == 0)
        rng = 1;
    for (int warm = 0; warm < 4; warm++)
        random64();
}

// --- Mutations -------------------------------------------------------------------------------------

static const uint64_t edges[] = {0,
                                 1,
                                 7,
                                 8,
                                 63,
                                 64,
                                 0x7f,
                                 0x80,
                                 0xff,
                                 0x100,
                                 0xfff,
                                 0x1000,
                                 0x7fff,
                                 0x8000,
                                 0xffff,
                                 0x10000,
                                 0x7fffffff,
                                 0x80000000,
                                 0xffffffff,
                                 0x100000000,
                                 0x10000000,
                                 0x7fffffffffffffff,
                                 0x8000000000000000,
                                 UINT64_MAX - 7,
                                 UINT64_MAX};

static void put_number(size_t at, size_t width, uint64_t v)
{
    if (width > input_len || at > input_len - width)
        return;
    memcpy(input + at, &v, width);
}

static uint64_t get_number(size_t at, size_t width)
{
    uint64_t v = 0;
    if (width <= input_len && at <= input_len - width)
        memcpy(&v, input + at, width);
    return v;
}

static void move_block(void)
{ // copies, so that parts repeat, vanish and change places
    size_t len = below(input_len) + 1, from = below(input_len), to = below(input_len);
    if (len > input_len - from)
        len = input_len - from;
    if (len > input_len - to)
        len = input_len - to;
    memmove(input + to, input + from, len);
}

static void append_other(unsigned nseeds)
{ // sequences of frames, sections of another file
    size_t len = fuzz_seed((unsigned)below(nseeds), other, sizeof(other));
    if (len > INPUT_MAX - input_len)
        len = INPUT_MAX - input_len;
    memcpy(input + input_len, other, len);
    input_len += len;
}

static void mutate(unsigned nseeds)
{
    size_t width = (size_t)1 << below(4);
    size_t at = below(input_len);
    if (random64() % 2)
        at -= at % width; // fields are aligned
    switch (below(9)) {
    case 0: input_len ? input[at] ^= (uint8_t)(1u << below(8)) : 0; break;
    case 1: put_number(at, 1, random64()); break;
    case 2:
    case 3: put_number(at, width, edges[below(sizeof(edges) / sizeof(edges[0]))]); break;
    case 4: put_number(at, width, get_number(at, width) + below(33) - 16); break;
    case 5: put_number(at, width, get_number(below(input_len), width)); break; // one field's value in another
    case 6: input_len ? move_block() : (void)0; break;
    case 7: input_len = below(8) ? input_len : below(input_len + 1); break;
    default: append_other(nseeds); break;
    }
}

// --- Loop ------------------------------------------------------------------------------------------

static unsigned count_seeds(void)
{
    unsigned n = 0;
    while (fuzz_seed(n, input, sizeof(input)) > 0)
        n++;
    return n;
}

// An exact copy on the heap: the sanitizer sees one byte too far.
static bool run_input(void)
{
    uint8_t *exact = malloc(input_len ? input_len : 1);
    memcpy(exact, input, input_len);
    running = true;
    int bad = fuzz_one(exact, input_len);
    if (bad)
        report();
    running = false;
    free(exact);
    return bad == 0;
}

int main(int argc, char **argv)
{
    uint64_t iterations = argc > 1 ? strtoull(argv[1], NULL, 0) : 20000;
    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 0) : 0;
    program = argv[0];
    atexit(report); // a target that ends the program has failed too
    __sanitizer_set_death_callback(report);
    signal(SIGABRT, on_signal);

    unsigned nseeds = count_seeds();
    if (nseeds == 0) {
        printf("not ok - the target has no seeds\n");
        return 1;
    }
    unchanged = true;
    for (iteration = 0; iteration < nseeds && (argc <= 3 || iterations == 0); iteration++) {
        input_len = fuzz_seed((unsigned)iteration, input, sizeof(input));
        if (!run_input())
            return 1;
    }
    unchanged = false;
    for (uint64_t i = 0; i < iterations; i++) {
        iteration = first + i;
        start_iteration(iteration);
        input_len = fuzz_seed((unsigned)below(nseeds), input, sizeof(input));
        for (size_t m = below(MUTATIONS_MAX) + 1; m > 0; m--)
            mutate(nseeds);
        if (!run_input())
            return 1;
    }
    printf("ok - %" PRIu64 " inputs from %u seeds, seed %" PRIu64 "\n", iterations, nseeds, seed);
    return 0;
}
