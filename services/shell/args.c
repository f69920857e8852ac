// SPDX-License-Identifier: BSD-2-Clause
// A line of the shell, split into words, without a byte of memory but the record.
#include "services/shell/args.h"

#include <string.h>

static const char *skip_blanks(const char *s)
{
    return s + strspn(s, " \t");
}

static bool ends_line(const char *s)
{
    return *s == 0 || *s == '#';
}

static bool ends_word(char c)
{
    return c == 0 || c == ' ' || c == '\t' || c == '&';
}

// Copies the word at *from to *to, both moved behind it. NULL, or what is wrong.
static const char *take_word(const char **from, char **to)
{
    char quote = 0;
    const char *s = *from;
    for (; quote || !ends_word(*s); s++) {
        if (*s == 0)
            return "a quote is not closed";
        if (quote ? *s == quote : *s == '\'' || *s == '"') {
            quote = quote ? 0 : *s;
            continue;
        }
        if (*s == '\\' && quote != '\'' && *++s == 0)
            return "there is nothing behind the \\";
        *(*to)++ = *s;
    }
    *(*to)++ = 0;
    *from = s;
    return NULL;
}

// A word in text takes no more bytes than it did in the line, its final zero the place of what ended it: all of them
// fit where the line did.
const char *args_split(struct args *a, const char *line)
{
    char *to = a->text;
    const char *s = skip_blanks(line);
    a->count = 0;
    a->background = false;
    if (strlen(line) >= sizeof a->text)
        return "the line is too long";
    while (!ends_line(s) && *s != '&') {
        if (a->count == ARGS_MAX)
            return "that is more than 32 words";
        a->word[a->count++] = to;
        const char *why = take_word(&s, &to);
        if (why)
            return why;
        s = skip_blanks(s);
    }
    a->word[a->count] = NULL;
    if (*s != '&')
        return NULL;
    a->background = true;
    if (a->count == 0)
        return "there is no command in front of the &";
    return ends_line(skip_blanks(s + 1)) ? NULL : "& goes at the end of the line";
}
