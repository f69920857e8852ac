// SPDX-License-Identifier: BSD-2-Clause
// A program that uses instructions which not every hart has: compiled for Zbb (mk/guest.mk). It must not get to a node
// whose harts lack them.
#include <stdio.h>

#include "guest/lib/rotifer.h"

int main(void)
{
    volatile unsigned long x = 0x12345678;
    for (unsigned i = 0; i < 1000; i++) {
        printf("zbb: %d\n", __builtin_popcountl(x + i) + __builtin_ctzl(x));
        sleep_ms(50);
    }
    return 0;
}
