// SPDX-License-Identifier: BSD-2-Clause
// A line of the shell, split into words: the command and its arguments. Words are separated by blanks; '...' and "..."
// keep blanks, \ keeps the next character (not inside '...'). A & behind the last word: in the background. # begins a
// comment.
// Callers: any context; nothing here locks.
#ifndef SERVICES_SHELL_ARGS_H
#define SERVICES_SHELL_ARGS_H

#include "core/types.h"

#define ARGS_MAX 32u
#define ARGS_LINE 256u // bytes of a line, final zero included

struct args {
    unsigned count;
    const char *word[ARGS_MAX + 1]; // in text; the one behind the last is NULL
    bool background;
    char text[ARGS_LINE];
};
// Returns NULL, or what is wrong with the line (a constant); then *a means nothing.
const char *args_split(struct args *a, const char *line);

#endif
