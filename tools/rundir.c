// SPDX-License-Identifier: BSD-2-Clause
// The run directory: where it is, and the files in it that are not sockets.
#include "tools/rundir.h"
#include "core/panic.h"
#include "tools/say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(RUN_PATH_MAX == PATH_MAX, "paths of the kernel's own limit");

// Path of the directory that holds this executable, without a slash at the end.
static const char *home(void)
{
    static char path[PATH_MAX];
    if (path[0])
        return path;
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return NULL;
    path[n] = 0;
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = 0;
    return path;
}

const char *beside(const char *name)
{
    static char path[PATH_MAX];
    const char *dir = home();
    if (!dir || (size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path)
        return name;
    return path;
}

static bool absolute(const char *path, char out[PATH_MAX])
{
    char here[PATH_MAX];
    int n;
    if (path[0] == '/')
        n = snprintf(out, PATH_MAX, "%s", path);
    else if (getcwd(here, sizeof here))
        n = snprintf(out, PATH_MAX, "%s/%s", here, path);
    else
        return false;
    return n > 0 && n < PATH_MAX;
}

const char *rundir_path(void)
{
    static char path[PATH_MAX];
    if (path[0])
        return path;
    const char *chosen = getenv("ROTIFER_RUN");
    if (chosen && chosen[0]) {
        if (absolute(chosen, path))
            return path;
    } else if (home()) {
        if ((size_t)snprintf(path, sizeof path, "%s/../run", home()) < sizeof path)
            return path;
    }
    path[0] = 0;
    fail("cannot tell where the run directory is; set ROTIFER_RUN to a path");
    return NULL;
}

bool rundir_make(void)
{
    const char *path = rundir_path();
    if (!path)
        return false;
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return true;
    fail("cannot make the run directory %s: %s", path, strerror(errno));
    return false;
}

static int where_the_user_is = -1;

bool rundir_enter(void)
{
    const char *path = rundir_path();
    if (!path)
        return false;
    if (where_the_user_is < 0)
        where_the_user_is = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return chdir(path) == 0;
}

void rundir_leave(void)
{
    if (where_the_user_is < 0 || fchdir(where_the_user_is) != 0)
        warn("cannot go back to the directory of the start: %s", strerror(errno));
}

// The state's letter (proc(5)), and when it started; 'X' when there is no such process.
static char process_state(pid_t pid, uint64_t *started)
{
    char path[64], line[1024];
    *started = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return 'X';
    char *got = fgets(line, sizeof line, f);
    fclose(f);
    // The name, in parentheses, may hold anything: fields are counted from its end (proc(5)).
    char *p = got ? strrchr(line, ')') : NULL;
    unsigned long long start = 0;
    char state = 'Z';
    if (!p || sscanf(p + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &state,
                     &start) != 2)
        return 'X';
    *started = start;
    return state;
}

uint64_t process_start(pid_t pid)
{
    uint64_t start;
    char state = process_state(pid, &start);
    return state == 'Z' || state == 'X' ? 0 : start;
}

bool process_paused(const struct ring_process *p)
{
    uint64_t start;
    return process_state(p->pid, &start) == 'T' && start == p->start;
}

bool process_alive(const struct ring_process *p)
{
    return p->pid > 0 && p->start != 0 && process_start(p->pid) == p->start;
}

bool ring_state_read(struct ring_state *s)
{
    *s = (struct ring_state){.nodes = 0};
    FILE *f = fopen("ring.state", "re");
    if (!f)
        return false;
    bool ok = fscanf(f, "nodes %u", &s->nodes) == 1 && s->nodes <= RING_NODES_MAX;
    while (ok && s->count < RING_PROCESSES_MAX) {
        struct ring_process *p = &s->proc[s->count];
        int pid;
        unsigned long long start;
        if (fscanf(f, " %31s %d %llu", p->name, &pid, &start) != 3)
            break;
        p->pid = pid;
        p->start = start;
        s->count++;
    }
    fclose(f);
    return ok;
}

// By way of a second file: a command that reads meanwhile sees the old list or the new one, never half of it.
bool ring_state_write(const struct ring_state *s)
{
    ASSERT(s->nodes <= RING_NODES_MAX && s->count <= RING_PROCESSES_MAX);
    FILE *f = fopen("ring.state.new", "we");
    if (!f) {
        fail("cannot write %s/ring.state: %s", rundir_path(), strerror(errno));
        return false;
    }
    fprintf(f, "nodes %u\n", s->nodes);
    for (unsigned i = 0; i < s->count; i++)
        fprintf(f, "%s %d %llu\n", s->proc[i].name, (int)s->proc[i].pid, (unsigned long long)s->proc[i].start);
    if (fclose(f) == 0 && rename("ring.state.new", "ring.state") == 0)
        return true;
    fail("cannot write %s/ring.state: %s", rundir_path(), strerror(errno));
    return false;
}

static int changes = -1; // the lock, while it is held

bool ring_state_take(struct ring_state *s)
{
    ASSERT(changes < 0);
    changes = open("ring.changes", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (changes < 0 || flock(changes, LOCK_EX) != 0)
        fail("cannot lock %s/ring.changes: %s", rundir_path(), strerror(errno));
    else if (ring_state_read(s))
        return true;
    else
        fail("no ring is up in %s. Try: rotifer ring up", rundir_path());
    ring_state_let_go();
    return false;
}

void ring_state_let_go(void)
{
    if (changes >= 0)
        close(changes);
    changes = -1;
}

struct ring_process *ring_process_named(struct ring_state *s, const char *name)
{
    for (unsigned i = 0; i < s->count; i++)
        if (strcmp(s->proc[i].name, name) == 0)
            return &s->proc[i];
    return NULL;
}

bool ring_process_is_node(const struct ring_process *p)
{
    return strcmp(p->name, RELAY_NAME) != 0;
}

// What others have made, or may read or change, is no secret of ours.
static bool is_ours_alone(const struct stat *st)
{
    return st->st_uid == geteuid() && (st->st_mode & 077) == 0;
}

bool rundir_check(void)
{
    struct stat st;
    if (stat(".", &st) != 0) {
        fail("cannot look at the run directory %s: %s", rundir_path(), strerror(errno));
        return false;
    }
    if (is_ours_alone(&st))
        return true;
    if (st.st_uid != geteuid())
        fail("the run directory %s belongs to another user (number %u)", rundir_path(), (unsigned)st.st_uid);
    else
        fail("the run directory %s is open to others (mode %03o). Try: chmod 700 %s", rundir_path(),
             (unsigned)st.st_mode & 0777, rundir_path());
    return false;
}

static bool key_is_good(int fd, const uint8_t key[32])
{
    static const uint8_t zero[32];
    struct stat st;
    if (fstat(fd, &st) == 0 && is_ours_alone(&st) && S_ISREG(st.st_mode) && memcmp(key, zero, 32) != 0)
        return true;
    fail("the ring key %s/ring.key is no secret: others may have read or made it. Try: rotifer ring down, ring up",
         rundir_path());
    errno = EPERM;
    return false;
}

bool ring_key_read(uint8_t key[32])
{
    int fd = open("ring.key", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, key, 32);
    bool good = n == 32 && key_is_good(fd, key);
    int e = n < 0 || n == 32 ? errno : EIO;
    close(fd);
    errno = e;
    return good;
}

bool ring_key_make(uint8_t key[32])
{
    (void)unlink("ring.key"); // or its old mode would stay
    int fd = open("ring.key", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && getrandom(key, 32, 0) == 32 && write(fd, key, 32) == 32;
    if (!ok)
        fail("cannot make the ring key %s/ring.key: %s", rundir_path(), strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}
