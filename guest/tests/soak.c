// SPDX-License-Identifier: BSD-2-Clause
// Threads that check themselves without end, while they are moved: floating-point registers and rounding modes,
// thread-local variables, malloc, setjmp, sleep, a lock.
//
//   soak SECONDS THREADS
#include <fenv.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"
#include "guest/tests/dice.h"

#define THREADS_MAX 16u
#define BLOCKS 64u
#define MODES 4u

static _Atomic bool stop;
static _Atomic unsigned bad;

static void check(bool good, const char *what, uint64_t id)
{
    if (good)
        return;
    bad++;
    printf("soak: thread %lu: %s\n", (unsigned long)id, what);
}

struct worker {
    uint64_t id, rounds;
    struct dice dice;
    char *block[BLOCKS];
    size_t len[BLOCKS];
    struct thread *thread;
};

// --- Floating point --------------------------------------------------------------------------------------------------

// Values stay in registers over many loops.
static bool registers_keep(double first)
{
    register double a __asm__("fs0") = first, b __asm__("fs5") = first + 1, c __asm__("fs11") = first + 2;
    for (int i = 0; i < 20000; i++)
        __asm__ volatile("" : "+f"(a), "+f"(b), "+f"(c));
    return a == first && b == first + 1 && c == first + 2;
}

static const int modes[MODES] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
static double expected[MODES];

// A sum that comes out differently in each rounding mode; -1 when the mode did not last.
static double series(int mode)
{
    double sum = 0;
    fesetround(mode);
    for (int i = 1; i < 3000; i++)
        sum += 1.0 / (i * (double)i);
    int left = fegetround();
    fesetround(FE_TONEAREST);
    return left == mode ? sum : -1;
}

static void floating_point(struct worker *w)
{
    uint64_t mode = below(&w->dice, MODES);
    check(registers_keep((double)w->id), "a register has changed", w->id);
    check(series(modes[mode]) == expected[mode], "a sum has changed", w->id);
}

// --- Memory ----------------------------------------------------------------------------------------------------------

static void drop_block(struct worker *w, uint64_t i)
{
    for (size_t at = 0; at < w->len[i]; at += 997)
        check(w->block[i][at] == (char)(w->id + i), "a block has changed", w->id);
    free(w->block[i]);
    w->block[i] = NULL;
}

static void take_block(struct worker *w, uint64_t i)
{
    w->len[i] = below(&w->dice, 20000) + 1;
    w->block[i] = malloc(w->len[i]);
    if (w->block[i])
        memset(w->block[i], (int)(w->id + i), w->len[i]);
}

static void heap(struct worker *w)
{
    uint64_t i = below(&w->dice, BLOCKS);
    if (w->block[i])
        drop_block(w, i);
    else
        take_block(w, i);
}

static _Thread_local uint64_t initialized = 0x1111, zeroed[8];

static void thread_locals_begin(uint64_t id)
{
    initialized += id;
    for (unsigned i = 0; i < 8; i++)
        zeroed[i] = id * 100 + i;
}

static void thread_locals(uint64_t id)
{
    check(initialized == 0x1111 + id, "a thread-local variable has changed", id);
    for (unsigned i = 0; i < 8; i++)
        check(zeroed[i] == id * 100 + i, "a thread-local array has changed", id);
}

// --- Control ---------------------------------------------------------------------------------------------------------

static void jump(uint64_t id)
{
    jmp_buf back;
    volatile double kept = 3.25 * (double)id;
    int value = setjmp(back);
    if (value == 0) {
        (void)registers_keep((double)id + 9);
        longjmp(back, 5);
    }
    check(value == 5 && kept == 3.25 * (double)id, "a jump went wrong", id);
}

static struct mutex mutex;
static uint64_t shared;

static void take_turn(struct worker *w)
{
    mutex_lock(&mutex);
    uint64_t was = shared;
    if (below(&w->dice, 8) == 0)
        sys_yield();
    shared = was + 1;
    mutex_unlock(&mutex);
    w->rounds++;
}

static void doze(struct worker *w)
{
    uint64_t before = clock_ns();
    sleep_ms(3);
    check(clock_ns() - before >= 3000000, "it woke too early", w->id);
}

// --- All of it -------------------------------------------------------------------------------------------------------

static void *work(void *arg)
{
    struct worker *w = arg;
    thread_locals_begin(w->id);
    while (!stop) {
        floating_point(w);
        heap(w);
        thread_locals(w->id);
        jump(w->id);
        take_turn(w);
        if (below(&w->dice, 16) == 0)
            doze(w);
    }
    return NULL;
}

static bool workers_start(struct worker *w, unsigned count)
{
    for (unsigned i = 0; i < MODES; i++)
        expected[i] = series(modes[i]);
    for (unsigned i = 0; i < count; i++) {
        w[i] = (struct worker){.id = i + 1, .dice = {(i + 1) * 7919 + 1}};
        w[i].thread = thread_create(work, &w[i], 0);
        if (!w[i].thread)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct worker workers[THREADS_MAX];
    unsigned long seconds = argc > 1 ? strtoul(argv[1], NULL, 0) : 60, all = 0;
    unsigned count = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : 6;
    if (count > THREADS_MAX || !workers_start(workers, count))
        return 2;
    printf("soak: begun\n");
    sleep_ms(seconds * 1000);
    stop = true;
    for (unsigned i = 0; i < count; i++) {
        thread_join(workers[i].thread);
        all += workers[i].rounds;
    }
    check(all == shared, "the lock let two in", 0);
    printf("soak: %lu rounds, %u bad\n", all, (unsigned)bad);
    return bad != 0;
}
