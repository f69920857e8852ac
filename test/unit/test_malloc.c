// SPDX-License-Identifier: BSD-2-Clause
// The guests' malloc (guest/lib/malloc.c): what it gives is aligned, overlaps nothing, keeps its bytes, and comes back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/malloc_bed.h"

#include <signal.h>
#include <sys/wait.h>

#define HELD 300
#define ROUNDS 60000

static uint64_t random_state;
static uint64_t draw(uint64_t limit) // xorshift64* (Vigna 2014)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717ull % limit;
}

static struct {
    unsigned char *p;
    size_t len;
    unsigned char fill;
} held[HELD];

static void check_heap(size_t *used)
{
    const char *wrong = bed_heap_check(used);
    if (wrong)
        fail_msg("%s", wrong);
}

static int setup(void **state)
{
    (void)state;
    memset(held, 0, sizeof held);
    random_state = 1;
    bed_heap_reset(BED_HEAP_BYTES);
    return 0;
}

// Mostly short, sometimes long, now and then very long.
static size_t draw_size(void)
{
    uint64_t kind = draw(20);
    return (size_t)(kind == 0 ? draw(200000) : kind < 5 ? draw(5000) : draw(200));
}

static void hold(unsigned i, void *p, size_t len)
{
    held[i].p = p;
    held[i].len = len;
    held[i].fill = (unsigned char)draw(256);
    memset(p, held[i].fill, len);
}

static void check_bytes(unsigned i, size_t len)
{
    for (size_t k = 0; k < len; k++)
        if (held[i].p[k] != held[i].fill)
            fail_msg("byte %zu of block %u has changed", k, i);
}

static void let_go(unsigned i)
{
    check_bytes(i, held[i].len);
    guest_free(held[i].p);
    held[i].p = NULL;
}

static void *take(size_t len)
{
    switch (draw(4)) {
    case 0: {
        unsigned char *p = guest_calloc(1, len);
        for (size_t k = 0; p && k < len; k++)
            assert_int_equal(p[k], 0);
        return p;
    }
    case 1: {
        size_t alignment = (size_t)16 << draw(9);
        void *p = guest_memalign(alignment, len);
        assert_int_equal((uintptr_t)p % alignment, 0);
        return p;
    }
    default: return guest_malloc(len);
    }
}

static void one_round(void)
{
    unsigned i = (unsigned)draw(HELD);
    size_t len = draw_size();
    if (!held[i].p) {
        void *p = take(len);
        if (p)
            hold(i, p, len);
    } else if (draw(3) == 0) {
        size_t kept = held[i].len < len ? held[i].len : len;
        void *p = guest_realloc(held[i].p, len);
        if (p) {
            held[i].p = p;
            check_bytes(i, kept);
            hold(i, p, len);
        }
    } else {
        let_go(i);
    }
    if (held[i].p) {
        assert_int_equal((uintptr_t)held[i].p % 16, 0);
        assert_true(guest_malloc_usable_size(held[i].p) >= held[i].len);
    }
}

static void run(void)
{
    size_t used;
    for (int round = 0; round < ROUNDS; round++) {
        one_round();
        if (round % 100 == 0)
            check_heap(&used);
    }
    for (unsigned i = 0; i < HELD; i++)
        if (held[i].p)
            let_go(i);
    check_heap(&used);
    assert_int_equal(used, 0);
}

static void random_use_keeps_all_bytes_and_gives_all_back(void **state)
{
    (void)state;
    run();
}

// sbrk says no again and again: what cannot be had is NULL and ENOMEM, and nothing else is different.
static void random_use_of_a_heap_that_is_too_small(void **state)
{
    (void)state;
    bed_heap_reset(200000);
    run();
}

static void what_came_back_is_one_block_again(void **state)
{
    (void)state;
    void *p[1000];
    size_t used;
    for (int i = 0; i < 1000; i++)
        p[i] = guest_malloc(1000);
    size_t had = bed_used;
    for (int i = 0; i < 1000; i++)
        guest_free(p[i * 7 % 1000]);
    check_heap(&used);
    assert_int_equal(used, 0);
    void *all = guest_malloc(had / 8 * 7); // lists hold blocks of sizes up to an eighth apart
    assert_non_null(all);
    assert_int_equal(bed_used, had); // no more was asked for
    guest_free(all);
}

static void a_block_grows_where_it_is_when_there_is_room(void **state)
{
    (void)state;
    char *p = guest_malloc(100), *q = guest_malloc(100), *last = guest_malloc(100);
    memset(p, 'p', 100);
    guest_free(q);
    assert_ptr_equal(guest_realloc(p, 180), p);
    assert_ptr_equal(guest_realloc(p, 20), p);
    assert_int_equal(p[19], 'p');
    guest_free(last);
    guest_free(p);
}

static void impossible_requests_are_refused(void **state)
{
    (void)state;
    void *out = NULL;
    size_t used;
    errno = 0;
    assert_null(guest_malloc(SIZE_MAX));
    assert_int_equal(errno, ENOMEM);
    assert_null(guest_malloc(SIZE_MAX / 2));
    assert_null(guest_calloc(SIZE_MAX / 2, 3));
    void *p = guest_malloc(10);
    assert_null(guest_realloc(p, SIZE_MAX - 8));
    guest_free(p);
    errno = 0;
    assert_null(guest_memalign(48, 10));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(guest_posix_memalign(&out, 48, 10), EINVAL);
    assert_null(out);
    guest_free(NULL);
    check_heap(&used);
    assert_int_equal(used, 0);
}

static void free_twice(void)
{
    char *p = guest_malloc(100), *q = guest_malloc(100);
    guest_free(p);
    guest_free(p);
    guest_free(q);
}
static void free_inside(void)
{
    char *p = guest_malloc(100);
    guest_free(p + 8);
}
static void free_overwritten(void)
{
    char *p = guest_malloc(100);
    memset(p - 8, 0, 8);
    guest_free(p);
}

static bool aborts(void (*fn)(void))
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr))
            _exit(2);
        fn();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void what_was_not_allocated_ends_the_program(void **state)
{
    (void)state;
    assert_true(aborts(free_twice));
    assert_true(aborts(free_inside));
    assert_true(aborts(free_overwritten));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(random_use_keeps_all_bytes_and_gives_all_back, setup),
        cmocka_unit_test_setup(random_use_of_a_heap_that_is_too_small, setup),
        cmocka_unit_test_setup(what_came_back_is_one_block_again, setup),
        cmocka_unit_test_setup(a_block_grows_where_it_is_when_there_is_room, setup),
        cmocka_unit_test_setup(impossible_requests_are_refused, setup),
        cmocka_unit_test_setup(what_was_not_allocated_ends_the_program, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
