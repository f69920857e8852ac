// SPDX-License-Identifier: BSD-2-Clause
// A network namespace of one's own, tried in a child first.
#include "tools/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUEUE "/proc/sys/net/unix/max_dgram_qlen"
#define QUEUE_TEXT "512\n"

static int write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, strlen(text));
    close(fd);
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

// Without root: in a user namespace of our own we may make a network namespace. We stay who we are in it.
static int enter_user(void)
{
    char map[64];
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return -1;
    (void)write_text("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "%u %u 1", (unsigned)uid, (unsigned)uid);
    (void)write_text("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "%u %u 1", (unsigned)gid, (unsigned)gid);
    return write_text("/proc/self/gid_map", map);
}

static int enter(void)
{
    if (geteuid() == 0 && unshare(CLONE_NEWNET) == 0)
        return write_text(QUEUE, QUEUE_TEXT);
    // Only ever written in a namespace that we have just made: never the machine's own.
    return geteuid() != 0 && enter_user() == 0 ? write_text(QUEUE, QUEUE_TEXT) : -1;
}

// Tried in a child first: half a namespace, with the short queue, is worth nothing and may lose us the use of the
// machine's devices.
static int would_work(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(enter() == 0 ? 0 : 1);
    int status = 1;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

void netns_enter(void)
{
    fflush(NULL);
    if (would_work())
        (void)enter();
}
