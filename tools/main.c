// SPDX-License-Identifier: BSD-2-Clause
// rotifer: a ring of nodes on your own machine, and what runs on it.
#include "core/config.h"
#include "tools/command.h"
#include "tools/say.h"

#include <string.h>

static bool is_any(const char *word, const char *a, const char *b, const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

// "rotifer ring --help" asks for the group, "rotifer ring sideways" names none of its commands.
static int no_command(int argc, char *const argv[])
{
    for (enum group g = 0; g < GROUPS; g++) {
        if (strcmp(argv[0], group_word(g)) != 0)
            continue;
        if (argc > 1 && is_any(argv[1], "--help", "-h", "help"))
            return help_about(1, argv);
        return argc > 1 ? usage_error(argv[0], "%s has no command '%s'", argv[0], argv[1])
                        : usage_error(argv[0], "%s is a group: which of its commands is missing", argv[0]);
    }
    return usage_error(NULL, "there is no command '%s'", argv[0]);
}

int main(int argc, char **argv)
{
    int words;
    if (argc < 2) {
        help_all(stderr);
        return EXIT_USAGE;
    }
    argc--, argv++;
    if (is_any(argv[0], "help", "--help", "-h"))
        return help_about(argc - 1, argv + 1);
    if (is_any(argv[0], "--version", "-V", "version")) {
        puts("rotifer " ROTIFER_VERSION);
        return EXIT_OK;
    }
    const struct command *c = command_named(argc, argv, &words);
    return c ? command_start(c, argc - (words - 1), argv + (words - 1)) : no_command(argc, argv);
}
