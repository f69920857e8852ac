// SPDX-License-Identifier: BSD-2-Clause
// Thousands of threads at once: do all start, have variables and a stack of their own with a guard page below, end, and
// give their memory back?
//
//   manythreads [THREADS] [limit]      default: 1000; limit: also as many as there can be. --grant node
//
// The last line is "manythreads: THREADS threads, 0 errors"; the exit status is 0 if that is so.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"
#include "services/protocol.h"

#define PAGE 4096

static struct {
    struct mutex mutex;
    struct cond all_here, go;
    unsigned here, expected;
    bool open;
} barrier;
static _Atomic unsigned errors;
static _Thread_local uint64_t mine;

static void check(bool ok, const char *what, uint64_t who)
{
    if (ok)
        return;
    if (errors++ < 10)
        printf("manythreads: thread %lu: %s\n", who, what);
}

// Can the kernel read a word there? It asks the same list of mappings as a load of ours would, and does not kill us.
static bool readable(uintptr_t at)
{
    return sys_wait((_Atomic uint32_t *)at, 0x5eed5eed, 1) != -E_FAULT;
}

// From the thread's record, at the top of its slot, down to the first page that nobody may touch: that is the guard, at
// the bottom of the slot; behind it the neighbour's slot begins.
static void check_guard(uint64_t me)
{
    uintptr_t top = (uintptr_t)thread_self() & ~(uintptr_t)(PAGE - 1);
    uintptr_t bottom = top + PAGE - THREAD_SLOT_DEFAULT;
    for (uintptr_t at = top; at > bottom; at -= PAGE)
        check(readable(at), "a page of the stack cannot be read", me);
    check(!readable(bottom) && !readable(bottom + PAGE - 4), "there is no guard below the stack", me);
}

// Fills `left` frames with words that only this thread has, waits for all others, looks at them again.
static void frames(uint64_t me, unsigned left)
{
    volatile uint64_t word[64];
    for (unsigned i = 0; i < 64; i++)
        word[i] = me << 32 | left << 8 | i;
    if (left > 0) {
        frames(me, left - 1);
    } else {
        mutex_lock(&barrier.mutex);
        if (++barrier.here == barrier.expected)
            cond_signal(&barrier.all_here);
        while (!barrier.open)
            cond_wait(&barrier.go, &barrier.mutex);
        mutex_unlock(&barrier.mutex);
    }
    for (unsigned i = 0; i < 64; i++)
        check(word[i] == (me << 32 | left << 8 | i), "its stack changed", me);
}

static void *body(void *arg)
{
    uint64_t me = (uint64_t)arg;
    check(mine == 0, "its variable does not begin at 0", me);
    mine = me;
    frames(me, 12); // about 7 KiB
    check(mine == me, "its variable changed", me);
    check_guard(me);
    return (void *)(me * me);
}

static uint64_t pages_free(const struct cap *node)
{
    struct node_status st = {0};
    return trans(node, OP_NODE_STATUS, NULL, NULL, 0, &st, sizeof st, NULL) < 0 ? 0 : st.pages_free;
}

static void *nothing(void *arg)
{
    return arg;
}

// One after the other: what a thread costs when the arena is there already.
static void one_at_a_time(unsigned n)
{
    uint64_t start = clock_ns();
    for (uint64_t i = 0; i < n; i++) {
        struct thread *t = thread_create(nothing, (void *)i, 0);
        check(t && thread_join(t) == (void *)i, "cannot be made, or its result is wrong", i);
    }
    printf("manythreads: one at a time: %lu ns to create and join\n", (clock_ns() - start) / n);
}

static unsigned start_all(struct thread **threads, unsigned n)
{
    for (uint64_t i = 0; i < n; i++)
        if (!(threads[i] = thread_create(body, (void *)i, 0))) {
            printf("manythreads: thread %lu: %s\n", i, strerror(errno));
            errors++;
            return (unsigned)i;
        }
    return n;
}

static void all_at_once(unsigned n, const struct cap *node)
{
    struct thread **threads = calloc(n, sizeof(struct thread *));
    uint64_t sum = 0, before = pages_free(node), start = clock_ns();
    unsigned made = start_all(threads, n);
    uint64_t created = clock_ns() - start;

    mutex_lock(&barrier.mutex);
    barrier.expected = made;
    while (barrier.here < made)
        cond_wait(&barrier.all_here, &barrier.mutex);
    uint64_t peak = pages_free(node);
    barrier.open = true;
    cond_broadcast(&barrier.go);
    mutex_unlock(&barrier.mutex);

    start = clock_ns();
    for (unsigned i = 0; i < made; i++)
        sum += (uint64_t)thread_join(threads[i]);
    printf("manythreads: all at once: %lu ns to create, %lu ns to end and join\n", created / n,
           (clock_ns() - start) / n);
    uint64_t m = made;
    check(m == 0 || sum == (m - 1) * m * (2 * m - 1) / 6, "a result is wrong", 0);
    free(threads);

    uint64_t after = pages_free(node);
    printf("manythreads: KiB a thread %lu, kept afterwards %ld in all\n",
           made ? (before - peak) * PAGE / 1024 / made : 0, ((long)before - (long)after) * PAGE / 1024);
    // Kept: malloc's heap, and pools of the kernel's, which shrink later.
    check(peak != 0 && after + 64 + made / 8 >= before, "their memory did not come back", 0);
}

static void *wait_for_go(void *arg)
{
    mutex_lock(&barrier.mutex);
    while (!barrier.open)
        cond_wait(&barrier.go, &barrier.mutex);
    mutex_unlock(&barrier.mutex);
    return arg;
}

// All of PROC_THREADS_MAX and no more; the refusal takes nothing and afterwards all is as before.
static void too_many(void)
{
    enum { MOST = 5000 };
    struct thread **threads = calloc(MOST, sizeof(struct thread *));
    barrier.open = false;
    unsigned made = 0;
    while (made < MOST && (threads[made] = thread_create(wait_for_go, NULL, 8192)))
        made++;
    check(made < MOST && (errno == EAGAIN || errno == ENOMEM), "there is no limit", made);
    printf("manythreads: %u at most, then: %s\n", made, strerror(errno));
    mutex_lock(&barrier.mutex);
    barrier.open = true;
    cond_broadcast(&barrier.go);
    mutex_unlock(&barrier.mutex);
    while (made > 0)
        thread_join(threads[--made]);
    free(threads);
}

static void sizes(void)
{
    static const size_t bytes[] = {1, 1000, 4096, 61000, 100000, 3 << 20, 100 << 20};
    for (unsigned i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        struct thread *t = thread_create(nothing, NULL, bytes[i]);
        check(t != NULL, "cannot have a stack of that size", bytes[i]);
        if (t)
            thread_join(t);
    }
    check(!thread_create(nothing, NULL, (size_t)2 << 30) && errno == EAGAIN, "too large", 0);
    check(!thread_create(nothing, NULL, SIZE_MAX) && errno == EAGAIN, "far too large", 0);
}

static struct sem tried;

static void *unlock(void *unused)
{
    (void)unused;
    errno = 0;
    stdio_unlock();
    uintptr_t error = (uintptr_t)errno;
    sem_up(&tried);
    return (void *)error;
}

// Output that one thread keeps together cannot be let go by another. (A thread that ends waits for the lock.)
static void others_lock(void)
{
    stdio_lock();
    struct thread *t = thread_create(unlock, NULL, 0);
    if (t)
        sem_down(&tried);
    stdio_unlock();
    check(t && (uintptr_t)thread_join(t) == EPERM, "let go of another thread's lock", 1);
    errno = 0;
    stdio_unlock();
    check(errno == EPERM, "let go of a lock that it had given back", 0);
}

int main(int argc, char **argv)
{
    unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000;
    struct cap node;
    int64_t found = startup_cap("node", &node);
    if (n == 0 || found < 0) {
        fprintf(stderr, "usage: manythreads [THREADS]; %s\n", error_string(found));
        return 2;
    }
    one_at_a_time(n);
    all_at_once(n, &node);
    others_lock();
    if (argc > 2 && strcmp(argv[2], "limit") == 0)
        too_many();
    sizes();
    printf("manythreads: %u threads, %u errors\n", n, errors);
    return errors != 0;
}
