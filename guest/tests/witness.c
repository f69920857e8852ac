// SPDX-License-Identifier: BSD-2-Clause
// A well-behaved neighbour: it has a secret, takes a little memory each second, and measures how long its kernel keeps
// it in a null call.
//
//   witness SECONDS
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/rotifer.h"

#define NS_PER_S 1000000000ull
#define BLOCKS 100u
#define BLOCK_BYTES 8192u

static char secret[32];

// The longest null call of one second, in ns; *calls: how many there were.
static uint64_t watch_a_second(unsigned long *calls)
{
    uint64_t begun = clock_ns(), now = begun, worst = 0;
    *calls = 0;
    while (now - begun < NS_PER_S) {
        uint64_t before = clock_ns();
        sys_null();
        now = clock_ns();
        worst = now - before > worst ? now - before : worst;
        ++*calls;
    }
    return worst;
}

int main(int argc, char **argv)
{
    unsigned long seconds = argc > 1 ? strtoul(argv[1], NULL, 0) : 10, calls;
    unsigned blocks = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    strcpy(secret, "SECR"); // in two parts, so that it is not in the program's file
    strcat(secret, "ET-0815-hello");
    printf("witness: watches\n");
    for (unsigned long i = 0; i < seconds; i++) {
        uint64_t worst = watch_a_second(&calls);
        char *block = blocks < BLOCKS ? malloc(BLOCK_BYTES) : NULL;
        if (block)
            memset(block, 1, BLOCK_BYTES), blocks++;
        printf("witness: worst null call %lu us, of %lu\n", (unsigned long)(worst / 1000), calls);
    }
    printf("witness: ended well, %u blocks\n", blocks);
    return 0;
}
