// SPDX-License-Identifier: BSD-2-Clause
// From the first instruction to main, and the startup block.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/lib/internal.h"

int main(int argc, char **argv, char **envp);
void __libc_init_array(void); // picolibc: runs the constructors

static const struct startup *the_block;

// The program loader wrote these; a field that moves would be read as another.
_Static_assert(sizeof(struct startup) == 8 * sizeof(uint64_t), "the startup block has no gaps");
_Static_assert(sizeof(struct startup_cap) == 32 + sizeof(struct cap), "nor have its capabilities");

// Called by _start with tp set, and never left. tls_fill comes first: even errno is thread-local.
void start(const struct startup *block)
{
    tls_fill(tls_first);
    if (block->magic != STARTUP_MAGIC) // no program loader of ours; and no terminal to say so
        sys_exit(126);
    the_block = block;
    environ = (char **)block->envp;
    __libc_init_array();
    exit(main((int)block->argc, (char **)block->argv, environ));
}

const struct startup *startup_block(void)
{
    return the_block;
}

// "seg" is also the name of what was granted as "seg@n2": a program need not know of which node its services are.
static bool is_called(const struct startup_cap *c, const char *name, bool whole)
{
    size_t len = strnlen(c->name, sizeof c->name);
    const char *at = whole ? NULL : memchr(c->name, '@', len);
    if (at)
        len = (size_t)(at - c->name);
    return strlen(name) == len && memcmp(c->name, name, len) == 0;
}

int64_t startup_cap(const char *name, struct cap *out)
{
    const struct startup_cap *c = (const struct startup_cap *)the_block->caps;
    for (uint64_t i = 0; i < 2 * the_block->ncaps; i++) { // twice: a whole name goes before the beginning of one
        const struct startup_cap *this = &c[i % the_block->ncaps];
        if (!is_called(this, name, i < the_block->ncaps))
            continue;
        *out = this->cap;
        return 0;
    }
    return -E_GRANT;
}
