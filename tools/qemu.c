// SPDX-License-Identifier: BSD-2-Clause
// QEMU: its arguments, its cables, its end.
#include "tools/qemu.h"
#include "core/panic.h"
#include "tools/rundir.h"
#include "tools/say.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define QEMU "qemu-system-riscv64"

// --- Cables -------------------------------------------------------------------------------------------

// Position 0 is the host daemon's, with "h" in place of a number.
static void position_text(unsigned position, char out[12])
{
    if (position)
        snprintf(out, 12, "%u", position);
    else
        snprintf(out, 12, "h");
}

struct ring_socket_names ring_sockets(unsigned position, unsigned nodes)
{
    struct ring_socket_names s;
    char me[12], next[12], prev[12];
    ASSERT(position <= nodes && nodes <= RING_NODES_MAX);
    position_text(position, me);
    position_text(position == nodes ? 0 : position + 1, next);
    position_text(position == 0 ? nodes : position - 1, prev);
    snprintf(s.local[0], sizeof s.local[0], "r%s", me);
    snprintf(s.remote[0], sizeof s.remote[0], "l%s", next);
    snprintf(s.local[1], sizeof s.local[1], "l%s", me);
    snprintf(s.remote[1], sizeof s.remote[1], "r%s", prev);
    for (unsigned side = 0; side < 2; side++) {
        uint8_t mac[6] = {0x02, 0, 0, 0, (uint8_t)side, (uint8_t)(position ? position : 0xfe)};
        memcpy(s.mac[side], mac, 6);
    }
    return s;
}

// --- Starting -----------------------------------------------------------------------------------------

// In the child: nothing of ours goes along but keep_fd.
static _Noreturn void become(char *const argv[], const char *log, int keep_fd)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid(); // a Ctrl-C at the terminal is not for the ring
    int in = open("/dev/null", O_RDWR);
    int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (in < 0 || out < 0)
        _exit(127);
    dup2(in, 0);
    dup2(out, 1);
    dup2(out, 2);
    if (keep_fd >= 0)
        fcntl(keep_fd, F_SETFD, 0);
    execvp(argv[0], argv);
    fprintf(stderr, "cannot start %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

pid_t start_process(char *const argv[], const char *log, int keep_fd)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        become(argv, log, keep_fd);
    if (pid < 0)
        fail("cannot start %s: %s", argv[0], strerror(errno));
    return pid;
}

// The key goes into a file, not into the arguments: those, everybody on this machine may read.
static bool write_config(const char *path, unsigned position, const uint8_t key[32], const struct qemu_options *o)
{
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f)
        return false;
    fprintf(f, "[machine]\n  append = \"node=n%u ringkey=", position);
    for (int i = 0; i < 32; i++)
        fprintf(f, "%02x", key[i]);
    if (o->orphan_grace)
        fprintf(f, " orphan-grace=%llu", (unsigned long long)o->orphan_grace);
    fprintf(f, "%s%s\"\n", o->append ? " " : "", o->append ? o->append : "");
    return fclose(f) == 0;
}

// Arguments of one command line, built as text; freed by nobody, for the process that builds them execs.
struct arguments {
    char *argv[64];
    unsigned count;
};

static void add(struct arguments *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct arguments *a, const char *fmt, ...)
{
    va_list ap;
    char *text = NULL;
    va_start(ap, fmt);
    ASSERT(a->count + 1 < sizeof a->argv / sizeof a->argv[0]); // execvp wants a NULL behind the last
    if (vasprintf(&text, fmt, ap) >= 0)
        a->argv[a->count++] = text;
    va_end(ap);
}

static void add_links(struct arguments *a, unsigned position, unsigned nodes)
{
    struct ring_socket_names s = ring_sockets(position, nodes);
    for (unsigned i = 0; i < 2; i++) { // the first -device is the first that the kernel finds
        const uint8_t *m = s.mac[i];
        add(a, "-netdev");
        add(a, "dgram,id=e%u,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s", i, s.local[i],
            s.remote[i]);
        add(a, "-device");
        add(a, "virtio-net-device,id=nic%u,netdev=e%u,mac=%02x:%02x:%02x:%02x:%02x:%02x,host_mtu=65535", i, i, m[0],
            m[1], m[2], m[3], m[4], m[5]);
    }
}

pid_t qemu_start(unsigned position, unsigned nodes, const uint8_t key[32], const struct qemu_options *o)
{
    struct arguments a = {.count = 0};
    char config[16], log[16];
    ASSERT(position >= 1 && position <= nodes); // 0 is the host daemon, which is no QEMU
    snprintf(config, sizeof config, "n%u.cfg", position);
    snprintf(log, sizeof log, "n%u.err", position);
    if (!write_config(config, position, key, o)) {
        fail("cannot write %s/%s: %s", rundir_path(), config, strerror(errno));
        return -1;
    }
    add(&a, QEMU);
    add(&a, "-M"), add(&a, "virt");
    add(&a, "-m"), add(&a, "%s", o->memory);
    add(&a, "-smp"), add(&a, "%u", o->harts);
    add(&a, "-display"), add(&a, "none");
    add(&a, "-monitor"), add(&a, "none");
    add(&a, "-no-reboot");
    add(&a, "-serial"), add(&a, "file:n%u.log", position);
    add(&a, "-global"), add(&a, "virtio-mmio.force-legacy=false");
    add(&a, "-qmp"), add(&a, "unix:n%u.qmp,server=on,wait=off", position);
    if (o->icount)
        add(&a, "-icount"), add(&a, "shift=0");
    if (o->count)
        add(&a, "-plugin"), add(&a, "%s,out=n%u.count", beside("count.so"), position);
    add_links(&a, position, nodes);
    add(&a, "-kernel"), add(&a, "%s", beside("Image"));
    add(&a, "-readconfig"), add(&a, "%s", config);
    pid_t pid = start_process(a.argv, log, -1);
    for (unsigned i = 0; i < a.count; i++)
        free(a.argv[i]);
    return pid;
}

bool qemu_present(void)
{
    const char *path = getenv("PATH");
    char name[RUN_PATH_MAX];
    while (path && *path) {
        size_t len = strcspn(path, ":");
        if ((size_t)snprintf(name, sizeof name, "%.*s/%s", (int)len, path, QEMU) < sizeof name &&
            access(name, X_OK) == 0)
            return true;
        path += len + (path[len] == ':');
    }
    fail("%s is not on the PATH. Try: make doctor", QEMU);
    return false;
}

// --- Stopping -----------------------------------------------------------------------------------------

bool qemu_quit(const char *name)
{
    static const char ask[] = "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"quit\"}\n";
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s.qmp", name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    struct timeval limit = {.tv_sec = 5};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    bool ok = connect(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
              send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) == (ssize_t)(sizeof ask - 1);
    char answer[512];
    while (ok && recv(fd, answer, sizeof answer, 0) > 0) // until it closes: then it has heard us out
        ;
    close(fd);
    return ok;
}
