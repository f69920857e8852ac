// SPDX-License-Identifier: BSD-2-Clause
// Boot arguments: words with blanks between them, NAME or NAME=value. boards/main.c lists those that mean something.
// Callers: any context.
#ifndef BOARDS_BOOTARGS_H
#define BOARDS_BOOTARGS_H

#include <stdbool.h>
#include <stddef.h>

// The value of the first NAME=value in args, cut at the next blank, as a string. Returns false if there is none, or it
// is longer than size - 1 characters.
bool bootarg_value(const char *args, const char *name, char *value, size_t size);
// True if one of the words of args is NAME, alone.
bool bootarg_flag(const char *args, const char *name);

#endif
