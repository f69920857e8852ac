// SPDX-License-Identifier: BSD-2-Clause
// A process that only waits: in a sleep, in a wait with a time-out, and for a wake of its own thread that sleeps. Moved
// meanwhile it must wait for the rest, not for the whole again, and not wake before its time.
//
//   sleeper MILLISECONDS        each wait takes so long; status 0 when none was shorter
#include <stdio.h>
#include <stdlib.h>

#include "guest/lib/rotifer.h"

static _Atomic uint32_t word;
static uint64_t wait_ms;

static void *waker(void *unused)
{
    (void)unused;
    sleep_ms(wait_ms);
    word = 1;
    sys_wake(&word, 1);
    return NULL;
}

int main(int argc, char **argv)
{
    wait_ms = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
    unsigned errors = 0;
    for (int kind = 0; kind < 3; kind++) {
        static const char *const names[] = {"sleep", "time-out", "wake"};
        int64_t result = 0;
        printf("sleeper: %s\n", names[kind]);
        uint64_t start = clock_ns();
        struct thread *other = NULL;
        if (kind == 0) {
            sleep_ms(wait_ms);
        } else if (kind == 1) {
            result = sys_wait(&word, 0, wait_ms);
            errors += result != -E_TIMEOUT;
        } else {
            other = thread_create(waker, NULL, 0);
            while (word == 0)
                result = sys_wait(&word, 0, 0);
            errors += result != 0;
        }
        uint64_t ms = (clock_ns() - start) / 1000000;
        errors += ms < wait_ms;
        printf("sleeper: %s took %lu ms, result %ld\n", names[kind], ms, result);
        if (other)
            thread_join(other);
    }
    printf("sleeper: %u errors\n", errors);
    return errors != 0;
}
