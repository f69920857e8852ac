// SPDX-License-Identifier: BSD-2-Clause
// go NAME on|off: enters a name in the directory where it meets others (--meet), or removes it. For tests in which
// others wait for a word.
#include <string.h>

#include "guest/lib/rotifer.h"

int main(int argc, char **argv)
{
    struct cap cap = {.port = {{1, 1}}};
    if (argc != 3)
        return 2;
    return (strcmp(argv[2], "on") == 0 ? dir_enter(NULL, argv[1], &cap) : dir_remove(NULL, argv[1])) < 0;
}
