// SPDX-License-Identifier: BSD-2-Clause
// Names and sentences of core/error.h's table, for guests.
#include "core/error.h"

static const struct {
    int number;
    const char *name, *sentence;
} table[] = {
#define X(name, number, sentence) {number, #name, sentence},
    ERROR_TABLE(X)
#undef X
};

// Index of the number (or its negative) in the table; -1 if it is in no line.
static int find(long number)
{
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].number == number || table[i].number == -number)
            return (int)i;
    return -1;
}

const char *error_string(long number)
{
    int i = find(number);
    return i < 0 ? "an error without a name" : table[i].sentence;
}

const char *error_name(long number)
{
    int i = find(number);
    return i < 0 ? "E_UNKNOWN" : table[i].name;
}
