// SPDX-License-Identifier: BSD-2-Clause
// The table of error.h, twice.
#include "core/error.h"

#include <stddef.h>

static const struct {
    const char *name, *sentence;
} table[] = {
#define X(name, number, sentence) [number] = {#name, sentence},
    ERROR_TABLE(X)
#undef X
};
#define TABLE_LEN (long)(sizeof table / sizeof table[0])

// 0..TABLE_LEN-1, or -1: no such number. Takes the number or its negative.
static long index_of(long number)
{
    if (number <= -TABLE_LEN || number >= TABLE_LEN)
        return -1;
    long i = number < 0 ? -number : number;
    return table[i].name ? i : -1;
}

const char *error_string(long number)
{
    long i = index_of(number);
    return i < 0 ? "an error that this table does not know" : table[i].sentence;
}

const char *error_name(long number)
{
    long i = index_of(number);
    return i < 0 ? "E_?" : table[i].name;
}
