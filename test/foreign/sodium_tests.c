// SPDX-License-Identifier: BSD-2-Clause
// libsodium's own tests (test/default of its tarball) in one program: each test's main is called main_NAME here
// (mk/foreign.mk), and SODIUM_TESTS is the list of T(NAME).
//
// usage: sodium_tests [NAME...]   all of them, or these; each one's output stands between two lines that name it
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// libsodium takes its random bytes from here (HAVE_SAFE_ARC4RANDOM).
uint32_t arc4random(void);
void arc4random_buf(void *buf, size_t len);

void arc4random_buf(void *buf, size_t len)
{
    for (size_t done = 0, n; done < len; done += n) {
        n = len - done < 256 ? len - done : 256;
        if (getentropy((char *)buf + done, n) != 0)
            abort();
    }
}

uint32_t arc4random(void)
{
    uint32_t x;
    arc4random_buf(&x, sizeof x);
    return x;
}

// Named on a way that is taken for a random device only, of which there is none here.
int fcntl(int fd, int command, ...)
{
    (void)fd, (void)command;
    errno = ENOSYS;
    return -1;
}

#define T(name) int main_##name(void);
SODIUM_TESTS
#undef T

static const struct {
    const char *name;
    int (*run)(void);
} tests[] = {
#define T(name) {#name, main_##name},
    SODIUM_TESTS
#undef T
};

static int wanted(const char *name, int argc, char **argv)
{
    int found = argc < 2;
    for (int i = 1; i < argc; i++)
        found |= strcmp(argv[i], name) == 0;
    return found;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        if (!wanted(tests[i].name, argc, argv))
            continue;
        printf("=== %s\n", tests[i].name);
        int status = tests[i].run();
        printf("=== %s: %d\n", tests[i].name, status);
        failed += status != 0;
        fflush(stdout);
    }
    return failed ? 1 : 0;
}
