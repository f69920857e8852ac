// SPDX-License-Identifier: BSD-2-Clause
// The rest of what picolibc asks of a system: the end of the process, and time.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "guest/lib/internal.h"

#define NS_PER_S 1000000000ull
_Static_assert(NS_PER_S % CLOCKS_PER_SEC == 0, "a tick of clock() is a whole number of nanoseconds");

// --- The end -------------------------------------------------------------------------------------

noreturn void _exit(int status)
{
    sys_exit(status);
}

// A signal that nobody catches ends the process with the status a shell would show: abort() gives 134. picolibc's
// raise() calls the handler itself if there is one, else comes here. Other processes are not reached by number: a
// program may kill those that it has a capability of (cap_destroy).
int kill(pid_t pid, int sig)
{
    if (pid != getpid()) {
        errno = ESRCH;
        return -1;
    }
    _exit(128 + sig);
}

pid_t getpid(void)
{
    struct self self;
    sys_self(&self);
    return (pid_t)self.process;
}

int system(const char *command)
{
    if (!command)
        return 0; // there is no shell
    errno = ENOSYS;
    return -1;
}

// POSIX has the same limit as SYS_RANDOM, 256 bytes, and EIO for more.
int getentropy(void *buf, size_t len)
{
    if (len <= 256 && sys_random(buf, len) >= 0)
        return 0;
    errno = EIO;
    return -1;
}

// --- Time ----------------------------------------------------------------------------------------

// There is no clock of the date on a node: the program loader says the date at the start, and the process's own clock,
// which goes on through every move, says how long ago that was. So the date jumps neither when a process moves nor when
// nodes differ; but it falls behind by as long as the process is stunned.
static uint64_t clock_at_start, epoch_ns;

__attribute__((constructor)) static void note_start(void)
{
    const char *epoch = getenv("EPOCH_NS"); // the date at which the program loader started us
    clock_at_start = sys_time();
    epoch_ns = epoch ? strtoull(epoch, NULL, 10) : 0;
}

uint64_t clock_ns(void)
{
    return sys_time();
}

static uint64_t since_start(void)
{
    return sys_time() - clock_at_start;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    (void)zone;
    uint64_t now = epoch_ns + since_start();
    tv->tv_sec = (time_t)(now / NS_PER_S);
    tv->tv_usec = (suseconds_t)(now % NS_PER_S / 1000);
    return 0;
}

static uint64_t now_of(clockid_t clock)
{
    return clock == CLOCK_REALTIME ? epoch_ns + since_start() : sys_time();
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) {
        errno = EINVAL;
        return -1;
    }
    uint64_t now = now_of(clock);
    *t = (struct timespec){.tv_sec = (time_t)(now / NS_PER_S), .tv_nsec = (long)(now % NS_PER_S)};
    return 0;
}

int timespec_get(struct timespec *t, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, t) == 0 ? base : 0;
}

int nanosleep(const struct timespec *t, struct timespec *left)
{
    if (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec >= (long)NS_PER_S) {
        errno = EINVAL;
        return -1;
    }
    uint64_t ns;
    if (__builtin_mul_overflow((uint64_t)t->tv_sec, NS_PER_S, &ns) ||
        __builtin_add_overflow(ns, (uint64_t)t->tv_nsec, &ns))
        ns = UINT64_MAX; // 584 years
    sys_sleep(ns);
    if (left)
        *left = (struct timespec){0};
    return 0;
}

// Nobody counts what the processor spends on a process: elapsed time is the closest there is.
clock_t times(struct tms *t)
{
    clock_t ticks = (clock_t)(since_start() / (NS_PER_S / CLOCKS_PER_SEC));
    *t = (struct tms){.tms_utime = ticks};
    return ticks;
}

void sleep_ns(uint64_t ns)
{
    sys_sleep(ns);
}

void sleep_ms(uint64_t ms)
{
    uint64_t ns;
    sys_sleep(__builtin_mul_overflow(ms, (uint64_t)1000000, &ns) ? UINT64_MAX : ns);
}

unsigned sleep(unsigned seconds)
{
    sys_sleep(seconds * NS_PER_S);
    return 0;
}

int usleep(useconds_t us)
{
    sys_sleep((uint64_t)us * 1000);
    return 0;
}
