// SPDX-License-Identifier: BSD-2-Clause
// A line as words: separated by blanks; '...' and "..." keep blanks, \ keeps the next character (not inside '...'). A &
// behind the last word: in the background. # begins a comment.
#ifndef SERVICES_WORDS_H
#define SERVICES_WORDS_H

#include "core/types.h"

#define WORDS_MAX 32u
#define WORDS_LINE 256u // bytes of a line, final zero included

struct words {
    unsigned count;
    const char *word[WORDS_MAX + 1]; // in text; the one behind the last is NULL
    bool background;
    char text[WORDS_LINE];
};
// NULL, or what is wrong with the line (a constant).
const char *words_split(struct words *w, const char *line);

#endif
