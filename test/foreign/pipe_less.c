// SPDX-License-Identifier: BSD-2-Clause
// What picosat names and its tests never need: programs at the other end of a pipe, and an alarm clock. Refused, as a
// system without them does.
#include <errno.h>
#include <stdio.h>

FILE *popen(const char *command, const char *mode);
int pclose(FILE *f);
unsigned alarm(unsigned seconds);

FILE *popen(const char *command, const char *mode)
{
    (void)command, (void)mode;
    errno = ENOSYS;
    return NULL;
}

int pclose(FILE *f)
{
    (void)f;
    errno = ENOSYS;
    return -1;
}

unsigned alarm(unsigned seconds)
{
    (void)seconds;
    return 0;
}
