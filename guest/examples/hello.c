// SPDX-License-Identifier: BSD-2-Clause
// The smallest guest: standard C. Every printf below is one transaction with the terminal capability that the process
// was started with; where the terminal is, and where this runs, does not matter to either.
//
//   rotifer run hello.elf [arguments...]
#include <stdio.h>

#include "guest/lib/rotifer.h"

int main(int argc, char **argv)
{
    struct self self;
    sys_self(&self);
    printf("Hello from process %06lx on node %016lx.\n", self.process, self.node);
    for (int i = 1; i < argc; i++)
        printf("  argument %d: %s\n", i, argv[i]);
    return 0;
}
