// SPDX-License-Identifier: BSD-2-Clause
// Frames that are under way: a list by due time, and sockets at both ends of it.
#include "tools/relay_way.h"
#include "core/panic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_BUFFER (4 << 20)
#define AGAIN_NS 200000ull // between two tries at a receiver whose queue is full

struct under_way {
    struct under_way *next;
    uint64_t due_ns, number;
    unsigned behind; // so many later frames are still to overtake it
    size_t len;
    uint8_t bytes[];
};

void way_init(struct way *w, unsigned index, unsigned nodes)
{
    static const struct fault_settings none = {.seed = FAULT_SEED};
    *w = (struct way){.names = cable_way(index, nodes), .index = index, .fd = -1};
    w->last = &w->first;
    fault_start(&w->line, &none, index);
}

// --- Sockets ----------------------------------------------------------------------------------------------

static struct sockaddr_un address(const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    _Static_assert(sizeof((struct cable_way *)0)->end < sizeof a.sun_path, "a name fits");
    memcpy(a.sun_path, name, strnlen(name, sizeof a.sun_path - 1));
    return a;
}

static bool open_socket(struct way *w)
{
    struct sockaddr_un a = address(w->names.relay);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SOCKET_BUFFER}, sizeof(int));
    (void)unlink(w->names.relay); // left by a relay that was killed
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        close(fd);
        return false;
    }
    w->fd = fd;
    return true;
}

bool way_set(struct way *w, bool in)
{
    if (in && w->fd < 0 && !open_socket(w))
        return false;
    if (!cable_point(&w->names, in))
        return false;
    w->in = in;
    return true;
}

size_t way_take(struct way *w, uint8_t frame[WAY_FRAME_BYTES])
{
    struct iovec iov = {frame, WAY_FRAME_BYTES};
    for (;;) {
        struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
        ssize_t got = recvmsg(w->fd, &m, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return 0;
        if (got == 0) // an empty datagram is no frame
            continue;
        if (m.msg_flags & MSG_TRUNC) {
            w->counts.too_long++;
            continue;
        }
        w->counts.frames++;
        w->counts.bytes += (size_t)got;
        return (size_t)got;
    }
}

bool way_has_room(const struct way *w)
{
    return w->waiting < WAY_FRAMES_MAX;
}

// --- The list ---------------------------------------------------------------------------------------------

// By due time, then by number: a frame that was held back goes before those of its time that came after it.
static bool goes_before(const struct under_way *a, const struct under_way *b)
{
    return a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->number < b->number);
}

static void insert(struct way *w, struct under_way *u)
{
    struct under_way **at = &w->first;
    ASSERT(!u->next);
    if (w->first && u->due_ns >= w->last_due_ns && u->number == w->number)
        at = w->last; // the usual case, the newest frame: no walk
    while (*at && !goes_before(u, *at))
        at = &(*at)->next;
    u->next = *at;
    *at = u;
    if (!u->next) {
        w->last = &u->next;
        w->last_due_ns = u->due_ns;
    }
}

static struct under_way *take_off(struct way *w, struct under_way **at)
{
    struct under_way *u = *at;
    ASSERT(u);
    *at = u->next;
    if (!*at)
        w->last = at; // what is due before it has no later time: last_due_ns is still a bound
    u->next = NULL;
    return u;
}

static void drop(struct way *w, struct under_way **at)
{
    struct under_way *u = take_off(w, at);
    ASSERT(w->waiting > 0);
    w->waiting--;
    w->held -= u->behind > 0;
    free(u);
}

static void put_copy(struct way *w, const uint8_t *frame, size_t len, uint64_t due_ns, unsigned behind)
{
    struct under_way *u = malloc(sizeof *u + len);
    if (!u) { // as if its receiver were gone: it is told of in the counts
        w->counts.nobody++;
        return;
    }
    *u = (struct under_way){.due_ns = due_ns + (behind ? FAULT_HOLD_NS : 0), .behind = behind, .len = len};
    u->number = w->number;
    memcpy(u->bytes, frame, len);
    insert(w, u);
    w->waiting++;
    w->held += behind > 0;
}

void way_put(struct way *w, const uint8_t *frame, size_t len, const struct fault_verdict *v)
{
    ASSERT(v->copies <= 2 && v->behind <= FAULT_BEHIND_MAX);
    w->number++;
    if (w->cut) {
        w->counts.cut++;
        return;
    }
    w->counts.doubled += v->copies == 2;
    w->counts.held += v->copies > 0 && v->behind > 0;
    for (unsigned i = 0; i < v->copies; i++)
        put_copy(w, frame, len, v->due_ns[i], v->behind);
}

void way_set_cut(struct way *w, bool cut)
{
    w->cut = cut;
    while (cut && w->first) {
        w->counts.cut++;
        drop(w, &w->first);
    }
}

// --- Handing over -----------------------------------------------------------------------------------------

enum outcome { PASSED, FULL, NOBODY };

static enum outcome hand_over(struct way *w, const struct under_way *u)
{
    struct sockaddr_un a = address(w->names.end);
    for (;;) {
        if (sendto(w->fd, u->bytes, u->len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&a, sizeof a) >= 0)
            return PASSED;
        if (errno == EINTR)
            continue;
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? FULL : NOBODY;
    }
}

// A frame of this number went by: each that is held back and came before it has been overtaken once more. Those that
// were overtaken often enough are due when they would have been without.
static void overtaken(struct way *w, uint64_t number)
{
    struct under_way *ripe = NULL, **end = &ripe;
    for (struct under_way **at = &w->first; w->held > 0 && *at;) {
        struct under_way *u = *at;
        if (u->behind == 0 || u->number > number || --u->behind > 0) {
            at = &u->next;
            continue;
        }
        w->held--;
        *end = take_off(w, at);
        end = &u->next;
    }
    while (ripe) {
        struct under_way *u = ripe;
        ripe = u->next;
        u->next = NULL;
        u->due_ns -= FAULT_HOLD_NS;
        insert(w, u);
    }
}

uint64_t way_flush(struct way *w, uint64_t now_ns)
{
    if (w->again_ns > now_ns)
        return w->again_ns;
    while (w->first && w->first->due_ns <= now_ns) {
        uint64_t number = w->first->number;
        bool was_held = w->first->behind > 0;
        enum outcome o = hand_over(w, w->first);
        if (o == FULL)
            return w->again_ns = now_ns + AGAIN_NS;
        w->counts.passed += o == PASSED;
        w->counts.nobody += o == NOBODY;
        drop(w, &w->first);
        if (!was_held)
            overtaken(w, number);
    }
    return w->first ? w->first->due_ns : UINT64_MAX;
}
