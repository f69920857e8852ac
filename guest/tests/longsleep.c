// SPDX-License-Identifier: BSD-2-Clause
// Sleeps whose nanoseconds do not fit 64 bits, in a thread each: none of them has ended after half a second.
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "guest/lib/rotifer.h"

#define KINDS 3
static _Atomic unsigned began, ended;

static void *sleeper(void *kind)
{
    began++;
    switch ((long)kind) {
    case 0: nanosleep(&(struct timespec){.tv_sec = 18446744074}, NULL); break; // 2^64 ns and 0.29 s
    case 1: nanosleep(&(struct timespec){.tv_sec = 18446744073, .tv_nsec = 709551616}, NULL); break; // 2^64 ns
    default: sleep_ms(18446744073710);
    }
    ended++;
    return NULL;
}

int main(void)
{
    for (long kind = 0; kind < KINDS; kind++)
        thread_create(sleeper, (void *)kind, 0);
    while (began < KINDS)
        sleep_ms(1);
    sleep_ms(500);
    printf("longsleep: %u of %d sleep on\n", KINDS - ended, KINDS);
    return 0;
}
