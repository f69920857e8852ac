// SPDX-License-Identifier: BSD-2-Clause
// Memory in pieces of 2 MiB, which a program does not see: all must be as with small pages. Run with
// --grant seg:create.
//
//   windows check          shared, copied, marked, made shorter; status 0 when all went as it must
//   windows threads        threads write all the time, while their memory is marked and copied
//   windows big MIB MS     fills so much, then looks at it and changes it for so long; may be moved meanwhile
//   windows pieces         leaves the node's memory in pieces, fills some all the same, and waits for a line
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/tests/segments.h"

#define PAGE 4096ul
#define MIB (1024 * 1024ul)

static int done(const char *what)
{
    printf("windows: %s, %u checks, %u errors\n", what, checks, errors);
    return errors != 0;
}

static volatile uint64_t *map(const struct cap *c, uint64_t flags)
{
    int64_t at = sys_map_cap(c, 0, 0, 0, flags);
    MUST(at < 0 ? at : 0, 0);
    if (at < 0)
        exit(done("no memory"));
    return (volatile uint64_t *)at;
}

static volatile uint64_t *word(volatile uint64_t *at, uint64_t page)
{
    return at + page * (PAGE / sizeof *at) + page % 7; // not always the first of its page
}

static void sweep(volatile uint64_t *at, uint64_t len, uint64_t what)
{
    for (uint64_t i = 0; i < len / PAGE; i++)
        *word(at, i) = what + i;
}

static void expect(volatile uint64_t *at, uint64_t len, uint64_t what)
{
    for (uint64_t i = 0; i < len / PAGE; i++)
        MUST(*word(at, i), what + i);
}

// --- One process -------------------------------------------------------------------------------------------------

static void shared_and_copied(void)
{
    struct cap c = make(8 * MIB);
    volatile uint64_t *one = map(&c, RW), *two = map(&c, RW);
    sweep(one, 8 * MIB, 1000);
    expect(two, 8 * MIB, 1000);
    sweep(two, 8 * MIB, 2000);
    expect(one, 8 * MIB, 2000);
    volatile uint64_t *copy = map(&c, RW | MAP_COPY);
    sweep(one, 5 * MIB, 3000); // two of its windows whole, half of one
    expect(copy, 8 * MIB, 2000);
    expect(two, 5 * MIB, 3000);
    *word(copy, 7 * 256) = 1;
    MUST(*word(one, 7 * 256), 2000 + 7 * 256);
    MUST(*word(copy, 7 * 256 + 1), 2000 + 7 * 256 + 1);
    MUST(sys_unmap((uint64_t)two), 0);
    MUST(sys_unmap((uint64_t)copy), 0);
    expect(one, 5 * MIB, 3000);
    const uint64_t args[4] = {3 * MIB};
    MUST(trans(&c, OP_WRITE, args, "kernel", 6, NULL, 0, NULL), 0);
    MUST(memcmp((const char *)one + 3 * MIB, "kernel", 6), 0);
    MUST(sys_unmap((uint64_t)one), 0);
    MUST(cap_destroy(&c), 0);
}

static void made_shorter(void)
{
    int64_t at = sys_map(0, 8 * MIB, RW | MAP_GROW_UP);
    MUST(at > 0, 1);
    volatile uint64_t *p = (volatile uint64_t *)at;
    MUST((uint64_t)at % (2 * MIB), 0);
    sweep(p, 8 * MIB, 5);
    MUST(sys_grow((uint64_t)at, 3 * MIB), 0);
    expect(p, 3 * MIB, 5);
    MUST(sys_grow((uint64_t)at, 8 * MIB), 0);
    expect(p, 3 * MIB, 5);
    for (uint64_t i = 3 * MIB / PAGE; i < 8 * MIB / PAGE; i++)
        MUST(*word(p, i), 0);
    sweep(p, 8 * MIB, 6);
    expect(p, 8 * MIB, 6);
    MUST(sys_unmap((uint64_t)at), 0);
}

static struct seg_run runs[2048];

static uint64_t mark(const struct cap *c)
{
    struct trans_result out;
    MUST(trans(c, OP_SEG_MARK, NULL, NULL, 0, NULL, 0, &out), 0);
    return out.res[0];
}

static void told(const struct cap *c, uint64_t number, uint8_t page[2048])
{
    const uint64_t args[4] = {number};
    struct trans_result out;
    memset(page, 0, 2048);
    MUST(trans(c, OP_SEG_WRITTEN, args, NULL, 0, runs, sizeof runs, &out), 0);
    for (uint64_t i = 0; i < out.res[1]; i++)
        for (uint64_t off = runs[i].off; off < runs[i].off + runs[i].len; off += PAGE)
            page[off / PAGE] = 1;
}

static void unmark(const struct cap *c, uint64_t number)
{
    const uint64_t args[4] = {number};
    MUST(trans(c, OP_SEG_UNMARK, args, NULL, 0, NULL, 0, NULL), 0);
}

static void marked(void)
{
    struct cap c = make(8 * MIB);
    volatile uint64_t *p = map(&c, RW);
    static uint8_t page[2048];
    sweep(p, 8 * MIB, 1);
    for (unsigned round = 0; round < 5; round++) {
        uint64_t number = mark(&c), wrong = 0;
        for (uint64_t i = round; i < 2048; i += 97)
            *word(p, i) = round;
        told(&c, number, page);
        for (uint64_t i = 0; i < 2048; i++)
            wrong += page[i] != (i % 97 == round);
        MUST(wrong, 0);
        unmark(&c, number);
        sweep(p, 8 * MIB, 1);
    }
    expect(p, 8 * MIB, 1);
    MUST(sys_unmap((uint64_t)p), 0);
    MUST(cap_destroy(&c), 0);
}

static int check(void)
{
    shared_and_copied();
    made_shorter();
    marked();
    return done("check");
}

// --- Threads -----------------------------------------------------------------------------------------------------

// Each writes the number of its round into some pages of a window of its own, from front to back, again and again. So
// at any moment the numbers in a window do not rise, and differ by one at most. Some only: for each that is copied all
// harts are interrupted, which takes an emulator long.
enum { THREADS = 4, WINDOW_PAGES = 512, STEP = 16, WORDS = THREADS * WINDOW_PAGES / STEP };
static volatile uint64_t *volatile area; // NULL: they pause
static _Atomic uint32_t paused, over;

static void *writes(void *arg)
{
    uint64_t first = (uint64_t)arg * WINDOW_PAGES;
    while (!over) {
        volatile uint64_t *at = area;
        paused++;
        while (!at && !over) {
            sys_yield();
            at = area;
        }
        paused--;
        for (uint64_t round = 1; at && area == at && !over; round++)
            for (uint64_t i = first; i < first + WINDOW_PAGES; i += STEP)
                *word(at, i) = round;
    }
    return NULL;
}

static void pause_all(void)
{
    area = NULL;
    while (paused < THREADS)
        sleep_ms(1);
}

static uint64_t now[WORDS], later[WORDS];

static void look(volatile uint64_t *at, uint64_t *words)
{
    for (uint64_t i = 0; i < WORDS; i++)
        words[i] = *word(at, i * STEP);
}

// A copy of memory that is being written shows one moment, and goes on showing it.
static void copied_meanwhile(const struct cap *c)
{
    volatile uint64_t *copy = map(c, MAP_READ | MAP_COPY);
    uint64_t torn = 0;
    look(copy, now);
    const uint64_t each = WORDS / THREADS;
    for (uint64_t i = 0; i < WORDS; i++) {
        uint64_t first = now[i / each * each];
        torn += i % each > 0 && now[i] > now[i - 1];
        torn += now[i] > first || now[i] + 1 < first;
    }
    MUST(torn, 0);
    sleep_ms(2);
    look(copy, later);
    MUST(memcmp(now, later, sizeof now), 0);
    MUST(sys_unmap((uint64_t)copy), 0);
}

// What changes after a mark is told.
static void marked_meanwhile(const struct cap *c, volatile uint64_t *at)
{
    static uint8_t page[2048];
    uint64_t number = mark(c), missed = 0;
    look(at, now);
    do {
        sleep_ms(2);
        look(at, later);
    } while (memcmp(now, later, sizeof now) == 0);
    told(c, number, page);
    for (uint64_t i = 0; i < WORDS; i++)
        missed += now[i] != later[i] && !page[i * STEP];
    MUST(missed, 0);
    unmark(c, number);
}

static int threads(void)
{
    struct thread *t[THREADS];
    for (uint64_t i = 0; i < THREADS; i++)
        MUST((t[i] = thread_create(writes, (void *)i, 0)) != NULL, 1);
    for (unsigned round = 0; round < 3; round++) {
        struct cap c = make(8 * MIB);
        volatile uint64_t *at = map(&c, RW);
        for (uint64_t i = 0; i < THREADS * WINDOW_PAGES; i++) // from here on they are in one piece
            *word(at, i) = 0;
        area = at;
        for (unsigned i = 0; i < 3; i++)
            marked_meanwhile(&c, at);
        copied_meanwhile(&c);
        pause_all();
        MUST(sys_unmap((uint64_t)at), 0);
        MUST(cap_destroy(&c), 0);
    }
    over = 1;
    for (unsigned i = 0; i < THREADS; i++)
        thread_join(t[i]);
    return done("threads");
}

// --- Much ----------------------------------------------------------------------------------------------------------

// Half of it mapped, half of it malloc's. What must be in each page is known by another array.
static int big(uint64_t mib, uint64_t ms)
{
    uint64_t half = mib / 2 * MIB, pages = half / PAGE, seed = 9, turns = 0;
    int64_t at = sys_map(0, half, RW);
    volatile uint64_t *part[2] = {(volatile uint64_t *)at, malloc(half + PAGE)};
    uint64_t *model = calloc(2 * pages, sizeof *model);
    if (at < 0 || !part[1] || !model) {
        printf("windows: no memory\n");
        return 3;
    }
    for (uint64_t i = 0; i < 2 * pages; i++)
        model[i] = *word(part[i / pages], i % pages) = 3 * i + 1;
    printf("windows: filled\n");
    for (uint64_t end = clock_ns() + ms * 1000000; clock_ns() < end; turns++) {
        for (unsigned k = 0; k < 2000; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            uint64_t i = (seed >> 33) % (2 * pages);
            MUST(*word(part[i / pages], i % pages), model[i]);
            model[i] = *word(part[i / pages], i % pages) = seed;
        }
        if (turns % 8 == 0)
            sleep_ms(1);
    }
    for (uint64_t i = 0; i < 2 * pages; i++)
        MUST(*word(part[i / pages], i % pages), model[i]);
    return done("big");
}

// --- Little and in pieces ------------------------------------------------------------------------------------------

enum { SEGMENTS = 900, LONG = 4 };
static struct cap small[SEGMENTS];

static int pieces(void)
{
    static uint8_t bytes[LONG * PAGE];
    const uint64_t args[4] = {0};
    memset(bytes, 1, sizeof bytes);
    for (unsigned i = 0; i < SEGMENTS; i++) {
        small[i] = make(LONG * PAGE);
        MUST(trans(&small[i], OP_WRITE, args, bytes, sizeof bytes, NULL, 0, NULL), 0);
    }
    for (unsigned i = 0; i < SEGMENTS; i += 2)
        MUST(cap_destroy(&small[i]), 0);
    int64_t at = sys_map(0, 8 * MIB, RW);
    MUST(at > 0, 1);
    sweep((volatile uint64_t *)at, 6 * MIB, 11);
    expect((volatile uint64_t *)at, 6 * MIB, 11);
    printf("windows: pieces filled\n");
    (void)getchar();
    expect((volatile uint64_t *)at, 6 * MIB, 11);
    for (unsigned i = 1; i < SEGMENTS; i += 2) {
        uint8_t last = 0;
        const uint64_t where[4] = {LONG * PAGE - 1, 1};
        MUST(trans(&small[i], OP_READ, where, NULL, 0, &last, 1, NULL), 0);
        MUST(last, 1);
        MUST(cap_destroy(&small[i]), 0);
    }
    return done("pieces");
}

int main(int argc, char **argv)
{
    MUST(startup_cap("seg", &seg_service), 0);
    if (argc == 2 && strcmp(argv[1], "check") == 0)
        return check();
    if (argc == 2 && strcmp(argv[1], "threads") == 0)
        return threads();
    if (argc == 4 && strcmp(argv[1], "big") == 0)
        return big(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
    if (argc == 2 && strcmp(argv[1], "pieces") == 0)
        return pieces();
    printf("usage: windows check | threads | big MIB MS | pieces\n");
    return 2;
}
