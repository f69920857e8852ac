// SPDX-License-Identifier: BSD-2-Clause
// All commands, and how one of them is started.
#include "tools/command.h"
#include "core/panic.h"
#include "tools/say.h"

#include <string.h>

#ifndef COMMANDS
#error "COMMANDS: COMMAND(ps) COMMAND(ring_up) ..., one for each tools/cmd_NAME.c; see mk/host.mk"
#endif

#define COMMAND(name) extern const struct command command_##name;
COMMANDS
#undef COMMAND

#define COMMAND(name) &command_##name,
const struct command *const command_table[] = {COMMANDS NULL};
#undef COMMAND

// How many of the words are the name; 0: it is another name.
static int words_of_name(const char *name, int argc, char *const argv[])
{
    const char *blank = strchr(name, ' ');
    if (!blank)
        return strcmp(name, argv[0]) == 0 ? 1 : 0;
    size_t len = (size_t)(blank - name);
    bool same =
        argc > 1 && strlen(argv[0]) == len && memcmp(name, argv[0], len) == 0 && strcmp(blank + 1, argv[1]) == 0;
    return same ? 2 : 0;
}

const struct command *command_named(int argc, char *const argv[], int *words)
{
    for (unsigned i = 0; argc > 0 && command_table[i]; i++)
        if ((*words = words_of_name(command_table[i]->name, argc, argv)) > 0)
            return command_table[i];
    return NULL;
}

int command_start(const struct command *c, int argc, char *const argv[])
{
    char why[OPTION_SENTENCE];
    ASSERT(c->run && argc >= 1);
    if (options_ask_help(c->options, c->operands, argc, argv)) {
        help_command(stdout, c);
        return EXIT_OK;
    }
    if (!options_parse(c->options, c->operands, argc, argv, why))
        return usage_error(c->name, "%s", why);
    return c->run();
}
