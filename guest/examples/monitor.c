// SPDX-License-Identifier: BSD-2-Clause
// The dining philosophers (E. W. Dijkstra, 1965) with a monitor: a mutex around some variables, and a condition for
// each reason to wait (C. A. R. Hoare, 1974; B. W. Lampson and D. D. Redell, 1980).
//
//   monitor [PHILOSOPHERS] [MEALS]        default: 5 200
//
// Whoever is hungry waits until neither neighbour eats; two forks are taken at once or not at all, so that nobody sits
// there with one fork in his hand, waiting for the other for ever. The last line is the same in every run, however the
// threads are scheduled and whatever node they are moved to; the exit status is 0 if all is as it should be.
#include <stdio.h>
#include <stdlib.h>

#include "guest/lib/rotifer.h"

#define MOST 1000

// The monitor: all its variables are touched under its mutex only.
static struct {
    struct mutex mutex;
    struct cond may_eat[MOST]; // one for each philosopher: a signal wakes just the one it is for
    bool hungry[MOST], eating[MOST];
    unsigned at_table, most_at_table, mistakes;
} table;

static unsigned philosophers = 5, meals = 200;

static unsigned left(unsigned i)
{
    return (i + philosophers - 1) % philosophers;
}

static unsigned right(unsigned i)
{
    return (i + 1) % philosophers;
}

static bool forks_are_free(unsigned i)
{
    return !table.eating[left(i)] && !table.eating[right(i)];
}

static void take_forks(unsigned i)
{
    mutex_lock(&table.mutex);
    table.hungry[i] = true;
    // A loop and not an if: between the signal and our waking somebody else may have been faster.
    while (!forks_are_free(i))
        cond_wait(&table.may_eat[i], &table.mutex);
    table.hungry[i] = false;
    table.eating[i] = true;
    table.mistakes += table.eating[left(i)] || table.eating[right(i)];
    if (++table.at_table > table.most_at_table)
        table.most_at_table = table.at_table;
    mutex_unlock(&table.mutex);
}

static void tell(unsigned i)
{
    if (table.hungry[i] && forks_are_free(i))
        cond_signal(&table.may_eat[i]);
}

static void put_forks(unsigned i)
{
    mutex_lock(&table.mutex);
    table.eating[i] = false;
    table.at_table--;
    tell(left(i));
    tell(right(i));
    mutex_unlock(&table.mutex);
}

static void *philosopher(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    uint64_t eaten = 0;
    while (eaten < meals) {
        sys_yield(); // thinks
        take_forks(me);
        sys_yield(); // eats: the others run meanwhile, and try to take these forks
        eaten++;
        put_forks(me);
    }
    return (void *)eaten;
}

int main(int argc, char **argv)
{
    static struct thread *threads[MOST];
    if (argc > 1)
        philosophers = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        meals = (unsigned)strtoul(argv[2], NULL, 10);
    if (philosophers < 3 || philosophers > MOST) {
        fprintf(stderr, "usage: monitor [PHILOSOPHERS, 3 to %u] [MEALS]\n", MOST);
        return 2;
    }
    unsigned seated = 0;
    uint64_t eaten = 0;
    for (; seated < philosophers; seated++)
        if (!(threads[seated] = thread_create(philosopher, (void *)(uintptr_t)seated, 0))) {
            perror("monitor: thread_create");
            break;
        }
    for (unsigned i = 0; i < seated; i++)
        eaten += (uint64_t)thread_join(threads[i]);

    printf("monitor: at most %u ate at the same time\n", table.most_at_table);
    printf("monitor: %u philosophers ate %lu meals, %u with a fork that was not free\n", philosophers, eaten,
           table.mistakes);
    return table.mistakes != 0 || eaten != (uint64_t)philosophers * meals;
}
