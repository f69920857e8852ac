// SPDX-License-Identifier: BSD-2-Clause
// What every unit test starts from.
#ifndef TEST_UNIT_UNIT_H
#define TEST_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/host/host.h"
#include "core/error.h"
#include "core/life.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNIT_PAGES 1024

// What must be the same after a test as before.
struct unit {
    struct node *n;
    size_t free_pages, procs, threads, segs, recs, ports;
};

static inline struct unit unit_counts(struct node *n)
{
    return (struct unit){n,
                         page_free_count(n),
                         n->pool_proc.used,
                         n->pool_thread.used,
                         n->pool_seg.used,
                         n->pool_rec.used,
                         n->pool_port.used};
}

// Time stands still unless the test moves it.
static uint64_t unit_now_ns;
static inline uint64_t unit_clock(struct node *n)
{
    (void)n;
    return unit_now_ns;
}

// A test function's state is a struct unit; the node in it is new, the same in every run, and alone.
static inline int unit_setup(void **state)
{
    const struct host_options options = {.clock = unit_clock, .seed = 1};
    unit_now_ns = NS_PER_S;
    struct node *n = host_node_new("unit", UNIT_PAGES, &options);
    struct unit *u = malloc(sizeof *u);
    if (!n || !u)
        return -1;
    *u = unit_counts(n);
    *state = u;
    return 0;
}

// Fails when the test left something behind.
static inline int unit_teardown(void **state)
{
    struct unit *u = *state, now = unit_counts(u->n);
    int same = memcmp(u, &now, sizeof now) == 0;
    if (!same)
        print_error("left behind: %ld pages, %ld procs, %ld threads, %ld segs, %ld recs, %ld ports\n",
                    (long)(u->free_pages - now.free_pages), (long)(now.procs - u->procs),
                    (long)(now.threads - u->threads), (long)(now.segs - u->segs), (long)(now.recs - u->recs),
                    (long)(now.ports - u->ports));
    host_node_free(u->n);
    free(u);
    return same ? 0 : -1;
}

#define UNIT_TEST(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)
#define UNIT_RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)
static inline struct node *unit_node(void **state)
{
    return ((struct unit *)*state)->n;
}

// Whether fn(arg) ends in panic(). It runs in a child process, whose epitaph is not shown.
static inline bool unit_panics(void (*fn)(void *arg), void *arg)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr))
            _exit(2);
        fn(arg);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

// A small generator for random tests: xorshift64* (Vigna 2014). Same seed, same test.
struct unit_rand {
    uint64_t s;
};
static inline uint64_t unit_rand(struct unit_rand *r)
{
    r->s ^= r->s >> 12;
    r->s ^= r->s << 25;
    r->s ^= r->s >> 27;
    return r->s * 2685821657736338717ull;
}
static inline uint64_t unit_below(struct unit_rand *r, uint64_t limit)
{
    return unit_rand(r) % limit;
}

static inline bool unit_all_bytes(const void *p, uint8_t value, size_t len)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < len; i++)
        if (b[i] != value)
            return false;
    return true;
}

#endif
