// SPDX-License-Identifier: BSD-2-Clause
// Threads and monitors: a bounded buffer (C. A. R. Hoare, "Monitors", 1974) between producers and consumers, with
// malloc, floating point and thread-local variables in all of them. The checksum printed at the end is known
// beforehand, whatever the order in which the threads ran and on however many nodes.
//
//   threads [ITEMS of each producer]        default: 2000
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"

enum { PRODUCERS = 3, CONSUMERS = 3, SLOTS = 8 };

struct item {
    uint64_t producer, number;
    double root; // of number, by Newton's method, for the consumer to check
    char *text;
};

// The monitor: all its variables are touched under its mutex only.
static struct {
    struct mutex mutex;
    struct cond not_full, not_empty;
    struct item *slot[SLOTS];
    unsigned first, count;
    bool closed;
} buffer;

static struct sem starting_gun;
static struct mutex total_mutex;
static uint64_t total, errors;
static _Thread_local uint64_t mine; // each thread's own sum

static uint64_t items = 2000;

static void put(struct item *item)
{
    mutex_lock(&buffer.mutex);
    while (buffer.count == SLOTS)
        cond_wait(&buffer.not_full, &buffer.mutex);
    buffer.slot[(buffer.first + buffer.count++) % SLOTS] = item;
    cond_signal(&buffer.not_empty);
    mutex_unlock(&buffer.mutex);
}

// NULL: the buffer is closed and empty.
static struct item *get(void)
{
    struct item *item = NULL;
    mutex_lock(&buffer.mutex);
    while (buffer.count == 0 && !buffer.closed)
        cond_wait(&buffer.not_empty, &buffer.mutex);
    if (buffer.count > 0) {
        item = buffer.slot[buffer.first];
        buffer.first = (buffer.first + 1) % SLOTS;
        buffer.count--;
        cond_signal(&buffer.not_full);
    }
    mutex_unlock(&buffer.mutex);
    return item;
}

static void close_buffer(void)
{
    mutex_lock(&buffer.mutex);
    buffer.closed = true;
    cond_broadcast(&buffer.not_empty);
    mutex_unlock(&buffer.mutex);
}

static double newton_root(double x)
{
    double r = x > 1 ? x : 1;
    for (int i = 0; i < 40; i++)
        r = (r + x / r) / 2;
    return r;
}

// What an item adds to the checksum.
static uint64_t worth(uint64_t producer, uint64_t number)
{
    return (producer + 1) * 1000003 + number * number;
}

static void *producer(void *arg)
{
    uint64_t me = (uint64_t)arg;
    sem_down(&starting_gun);
    for (uint64_t i = 0; i < items; i++) {
        struct item *item = malloc(sizeof *item);
        char text[64];
        snprintf(text, sizeof text, "item %lu of producer %lu", i, me);
        *item = (struct item){me, i, newton_root((double)i), strdup(text)};
        put(item);
        mine += worth(me, i);
    }
    return (void *)mine;
}

static bool is_right(const struct item *item)
{
    char text[64];
    snprintf(text, sizeof text, "item %lu of producer %lu", item->number, item->producer);
    double error = item->root * item->root - (double)item->number;
    return strcmp(text, item->text) == 0 && error < 1e-6 && error > -1e-6;
}

static void *consumer(void *arg)
{
    (void)arg;
    sem_down(&starting_gun);
    for (struct item *item; (item = get()) != NULL;) {
        bool right = is_right(item);
        mutex_lock(&total_mutex);
        total += worth(item->producer, item->number);
        errors += !right;
        mutex_unlock(&total_mutex);
        mine += worth(item->producer, item->number);
        free(item->text);
        free(item);
    }
    return (void *)mine;
}

// The sum of worth() over all items, by formula.
static uint64_t expected(void)
{
    uint64_t squares = items ? (items - 1) * items * (2 * items - 1) / 6 : 0;
    return PRODUCERS * squares + items * 1000003 * (PRODUCERS * (PRODUCERS + 1) / 2);
}

// A condition that nobody signals must time out, with the mutex taken again.
static void check_timeout(void)
{
    struct mutex mutex = {0};
    struct cond cond = {0};
    mutex_lock(&mutex);
    uint64_t before = clock_ns();
    int64_t result = cond_wait_timeout(&cond, &mutex, 20);
    if (result != -E_TIMEOUT || clock_ns() - before < 19000000 || mutex_trylock(&mutex))
        errors++;
    mutex_unlock(&mutex);
}

static struct thread *must(struct thread *thread)
{
    if (thread)
        return thread;
    perror("threads: thread_create");
    exit(2);
}

int main(int argc, char **argv)
{
    struct thread *producers[PRODUCERS], *consumers[CONSUMERS];
    uint64_t produced = 0, consumed = 0;
    if (argc > 1)
        items = strtoull(argv[1], NULL, 10);

    for (uint64_t i = 0; i < PRODUCERS; i++)
        producers[i] = must(thread_create(producer, (void *)i, 0));
    for (int i = 0; i < CONSUMERS; i++)
        consumers[i] = must(thread_create(consumer, NULL, 32 * 1024));
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++)
        sem_up(&starting_gun);

    for (int i = 0; i < PRODUCERS; i++)
        produced += (uint64_t)thread_join(producers[i]);
    close_buffer();
    for (int i = 0; i < CONSUMERS; i++)
        consumed += (uint64_t)thread_join(consumers[i]);
    check_timeout();

    errors += total != expected() || produced != total || consumed != total || mine != 0;
    printf("threads: checksum %lu, expected %lu, %lu errors\n", total, expected(), errors);
    return errors != 0;
}
