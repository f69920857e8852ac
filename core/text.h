// SPDX-License-Identifier: BSD-2-Clause
// Text from outside that people will see: names, comments. Terminals obey control characters, also the 32 above 0x7f
// (C1; 0x9b begins a sequence as ESC [ does), so what is shown raw must be free of them. One rule for all: printable
// ASCII, 0x20 to 0x7e.
//
// Pure functions. Callers: anybody.
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

// Returns true if this byte may be shown. Takes it as unsigned: plain char is unsigned on nodes and signed on a host.
static inline bool text_char_is_plain(unsigned char c)
{
    return c >= 0x20 && c <= 0x7e;
}

// Returns true if all len bytes of the text may be shown; of none, true.
static inline bool text_is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!text_char_is_plain((unsigned char)text[i]))
            return false;
    return true;
}

// Replaces each byte that may not be shown by '?': for a name that cannot be refused, such as a file's on the host, or
// one that another node tells.
static inline void text_make_plain(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!text_char_is_plain((unsigned char)text[i]))
            text[i] = '?';
}

// The same for a text of several lines: the ends of lines stay.
static inline void text_make_plain_lines(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] != '\n')
            text_make_plain(text + i, 1);
}

#endif
