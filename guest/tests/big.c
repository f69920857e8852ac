// SPDX-License-Identifier: BSD-2-Clause
// A large process: fills its memory with a pattern and looks at it again and again, while it is moved.
//
//   big MIB SECONDS
#include <stdio.h>
#include <stdlib.h>

#include "guest/lib/rotifer.h"

#define PAGE 4096ul
#define NS_PER_S 1000000000ull

static unsigned char byte_of(size_t page)
{
    return (unsigned char)(page * 7 + 1);
}

static void fill(unsigned char *bytes, size_t pages)
{
    for (size_t i = 0; i < pages; i++)
        bytes[i * PAGE] = bytes[i * PAGE + PAGE - 1] = byte_of(i);
}

static bool as_filled(const unsigned char *bytes, size_t pages)
{
    for (size_t i = 0; i < pages; i++)
        if (bytes[i * PAGE] != byte_of(i) || bytes[i * PAGE + PAGE - 1] != byte_of(i)) {
            printf("big: page %zu has changed\n", i);
            return false;
        }
    return true;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    size_t pages = (strtoul(argv[1], NULL, 0) << 20) / PAGE;
    uint64_t end = clock_ns() + strtoul(argv[2], NULL, 0) * NS_PER_S;
    unsigned char *bytes = malloc(pages * PAGE);
    if (!bytes) {
        printf("big: no memory\n");
        return 3;
    }
    fill(bytes, pages);
    printf("big: filled\n");
    while (clock_ns() < end) {
        if (!as_filled(bytes, pages))
            return 1;
        sleep_ms(20);
    }
    printf("big: end\n");
    return 0;
}
