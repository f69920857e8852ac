// SPDX-License-Identifier: BSD-2-Clause
// Boot arguments, word by word.
#include "boards/bootargs.h"

#include <string.h>

bool bootarg_value(const char *args, const char *name, char *value, size_t size)
{
    size_t n = strlen(name);
    for (const char *s = args; *s; s += strcspn(s, " ")) {
        s += strspn(s, " ");
        if (strncmp(s, name, n) != 0 || s[n] != '=')
            continue;
        size_t len = strcspn(s + n + 1, " ");
        if (len >= size)
            return false;
        memcpy(value, s + n + 1, len);
        value[len] = 0;
        return true;
    }
    return false;
}

bool bootarg_flag(const char *args, const char *name)
{
    size_t n = strlen(name);
    for (const char *s = args; *s; s += strcspn(s, " ")) {
        s += strspn(s, " ");
        if (strncmp(s, name, n) == 0 && (s[n] == 0 || s[n] == ' '))
            return true;
    }
    return false;
}
