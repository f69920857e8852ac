// SPDX-License-Identifier: BSD-2-Clause
// Links between processes of this machine: cables between two, and the switch that commands plug into.
//
// The receiver of a unix datagram has a short queue (10 by default), and the sender is told EAGAIN when it is full.
// That is backpressure, not loss: the frame waits here, in order, and is tried again a little later. poll() cannot say
// when, for a socket that is not connected; so a timer does.
#include "tools/wire_unix.h"
#include "core/config.h"
#include "core/error.h"
#include "core/node.h"
#include "core/panic.h"
#include "tools/say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define PEERS_MAX 64
#define QUEUE_MAX 512   // frames that wait for one peer: 16 MiB of the largest
#define AGAIN_NS 200000 // between two tries to a peer whose queue is full
#define BATCH 32        // frames taken in before the node's tasks get their turn
#define SOCKET_BUFFER (4 << 20)

struct frame {
    struct frame *next;
    size_t len;
    unsigned char bytes[];
};

struct peer {
    bool used;
    uint8_t mac[6];
    struct sockaddr_un addr;
    socklen_t addr_len;
    int fd; // what we send from: a socket each, or one stuck peer would use up the send buffer of all
    struct frame *first, **last;
    unsigned waiting;
};

struct wire {
    struct wire *next; // of the same process
    struct link link;
    struct loop *loop;
    int rx, timer;
    bool is_switch, armed;
    void (*gone)(void);          // or NULL
    struct peer peer[PEERS_MAX]; // a cable has peer[0]
    struct wire_hdr hdr;         // of the frame that is coming in
    unsigned char *payload;
};

static struct wire *wires; // in the order of opening

static bool mac_eq(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, 6) == 0;
}
static bool mac_is_group(const uint8_t *m)
{
    return (m[0] & 1) != 0;
}

// --- Peers ------------------------------------------------------------------------------------------

static bool peer_init(struct peer *p, const struct sockaddr_un *addr, socklen_t len, int fd)
{
    if (fd < 0)
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SOCKET_BUFFER}, sizeof(int));
    p->fd = fd;
    p->addr = *addr;
    p->addr_len = len;
    p->first = NULL;
    p->last = &p->first;
    p->waiting = 0;
    p->used = true; // last: a slot whose socket failed stays free
    return true;
}

static void peer_pop(struct peer *p)
{
    struct frame *f = p->first;
    ASSERT(f && p->waiting > 0);
    p->first = f->next;
    if (!p->first)
        p->last = &p->first;
    p->waiting--;
    free(f);
}

static void peer_forget(struct wire *w, struct peer *p)
{
    while (p->first)
        peer_pop(p);
    ASSERT(p->waiting == 0);
    if (w->is_switch) {
        close(p->fd);
        p->used = false;
    } else if (w->gone) {
        w->gone();
    }
}

// The peer that sent from this address with this MAC; learned now when it is new. A MAC may come from another address
// than before: its command's socket is new, and what is sent to the old one would be lost.
static void peer_learn(struct wire *w, const uint8_t mac[6], const struct sockaddr_un *addr, socklen_t len)
{
    struct peer *slot = NULL;
    for (unsigned i = 0; i < PEERS_MAX; i++) {
        struct peer *p = &w->peer[i];
        if (p->used && mac_eq(p->mac, mac)) {
            p->addr = *addr;
            p->addr_len = len;
            return;
        }
        if (!p->used && !slot)
            slot = p;
    }
    if (!slot || len <= offsetof(struct sockaddr_un, sun_path)) // full, or a socket without a name
        return;
    if (peer_init(slot, addr, len, -1))
        memcpy(slot->mac, mac, 6);
}

// --- Sending ----------------------------------------------------------------------------------------

static void arm(struct wire *w)
{
    if (w->armed)
        return;
    struct itimerspec in = {.it_value = {.tv_nsec = AGAIN_NS}};
    w->armed = timerfd_settime(w->timer, 0, &in, NULL) == 0;
}

enum outcome { SENT, FULL, GONE };

static enum outcome try_send(struct peer *p, struct iovec *iov, unsigned niov)
{
    struct msghdr m = {.msg_name = &p->addr, .msg_namelen = p->addr_len, .msg_iov = iov, .msg_iovlen = niov};
    for (;;) {
        if (sendmsg(p->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            return SENT;
        if (errno == EINTR)
            continue;
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? FULL : GONE;
    }
}

static void peer_queue(struct wire *w, struct peer *p, const struct iovec *iov, unsigned niov)
{
    size_t len = 0;
    ASSERT(p->used);
    for (unsigned i = 0; i < niov; i++)
        len += iov[i].iov_len;
    struct frame *f = p->waiting < QUEUE_MAX ? malloc(sizeof *f + len) : NULL;
    if (!f) {
        w->link.stat.tx_drop++;
        return;
    }
    f->next = NULL;
    f->len = 0;
    for (unsigned i = 0; i < niov; i++) {
        memcpy(f->bytes + f->len, iov[i].iov_base, iov[i].iov_len);
        f->len += iov[i].iov_len;
    }
    *p->last = f;
    p->last = &f->next;
    p->waiting++;
    arm(w);
}

static void peer_send(struct wire *w, struct peer *p, struct iovec *iov, unsigned niov)
{
    enum outcome o = p->first ? FULL : try_send(p, iov, niov); // what waits goes first
    if (o == FULL)
        peer_queue(w, p, iov, niov);
    if (o == GONE) {
        w->link.stat.tx_drop++;
        peer_forget(w, p);
    }
}

static void peer_flush(struct wire *w, struct peer *p)
{
    while (p->first) {
        struct iovec iov = {p->first->bytes, p->first->len};
        enum outcome o = try_send(p, &iov, 1);
        if (o == FULL) {
            arm(w);
            return;
        }
        if (o == GONE) {
            w->link.stat.tx_drop += p->waiting;
            peer_forget(w, p);
            return;
        }
        peer_pop(p);
    }
}

static void timer_ready(void *arg, short events)
{
    (void)events;
    struct wire *w = arg;
    uint64_t times;
    (void)!read(w->timer, &times, sizeof times);
    w->armed = false;
    for (unsigned i = 0; i < PEERS_MAX; i++)
        if (w->peer[i].used)
            peer_flush(w, &w->peer[i]);
}

// To whoever has the MAC; to all but `from` when it is a group's.
static void send_frame(struct wire *w, const uint8_t dst[6], const struct peer *from, struct iovec *iov, unsigned niov)
{
    ASSERT(w->is_switch || !from); // a cable has nobody to pass a frame on to
    for (unsigned i = 0; i < PEERS_MAX; i++) {
        struct peer *p = &w->peer[i];
        if (!p->used || p == from)
            continue;
        if (!w->is_switch || mac_is_group(dst) || mac_eq(dst, p->mac))
            peer_send(w, p, iov, niov);
    }
}

static void wire_send(struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned npieces)
{
    struct wire *w = l->driver;
    struct iovec iov[1 + WIRE_PIECES_MAX] = {{(void *)(uintptr_t)h, sizeof *h}};
    if (npieces > WIRE_PIECES_MAX) {
        l->stat.tx_drop++;
        return;
    }
    for (unsigned i = 0; i < npieces; i++)
        iov[1 + i] = (struct iovec){p[i].ptr, p[i].len};
    send_frame(w, h->dst_mac, NULL, iov, 1 + npieces);
}

// --- Receiving --------------------------------------------------------------------------------------

// A switch passes on what is not, or not only, for us: never to where the frame came from, or a command would see its
// own questions. Answers whether the node is to see the frame.
static bool pass_on(struct wire *w, size_t payload_len)
{
    bool group = mac_is_group(w->hdr.dst_mac);
    if (!w->is_switch || mac_eq(w->hdr.dst_mac, w->link.mac))
        return true;
    const struct peer *from = NULL;
    for (unsigned i = 0; i < PEERS_MAX; i++)
        if (w->peer[i].used && mac_eq(w->peer[i].mac, w->hdr.src_mac))
            from = &w->peer[i];
    struct iovec iov[2] = {{&w->hdr, sizeof w->hdr}, {w->payload, payload_len}};
    send_frame(w, w->hdr.dst_mac, from, iov, 2);
    return group;
}

static bool take_frame(struct wire *w)
{
    struct sockaddr_un from;
    struct iovec iov[2] = {{&w->hdr, sizeof w->hdr}, {w->payload, WIRE_PAYLOAD_MAX}};
    struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = iov, .msg_iovlen = 2};
    ssize_t got = recvmsg(w->rx, &m, MSG_DONTWAIT);
    if (got < 0)
        return errno == EINTR;
    if ((size_t)got < sizeof w->hdr || (m.msg_flags & MSG_TRUNC)) {
        w->link.stat.rx_bad++; // net/ never sees it
        return true;
    }
    size_t payload_len = (size_t)got - sizeof w->hdr;
    ASSERT(payload_len <= WIRE_PAYLOAD_MAX);
    if (w->is_switch)
        peer_learn(w, w->hdr.src_mac, &from, m.msg_namelen);
    if (pass_on(w, payload_len)) {
        struct piece p = {w->payload, payload_len};
        net_input(w->loop->node, &w->link, &w->hdr, &p, payload_len ? 1 : 0, payload_len);
    }
    return true;
}

static void rx_ready(void *arg, short events)
{
    (void)events;
    struct wire *w = arg;
    for (unsigned i = 0; i < BATCH && take_frame(w); i++)
        ;
}

// --- Which wires there are ----------------------------------------------------------------------------

static void remember(struct wire *w)
{
    struct wire **at = &wires;
    while (*at)
        at = &(*at)->next;
    *at = w;
}

struct wire *wire_next(const struct node *n, const struct wire *after)
{
    struct wire *w = after ? after->next : wires;
    while (w && w->link.node != n)
        w = w->next;
    return w;
}

void wire_on_gone(struct wire *w, void (*gone)(void))
{
    w->gone = gone;
}

const struct link *wire_link(const struct wire *w)
{
    return &w->link;
}

// --- Opening ----------------------------------------------------------------------------------------

static bool address(struct sockaddr_un *a, const char *name)
{
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    return (size_t)snprintf(a->sun_path, sizeof a->sun_path, "%s", name) < sizeof a->sun_path;
}

static int bind_socket(const char *name)
{
    struct sockaddr_un a;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || !address(&a, name))
        return -1;
    (void)unlink(name); // left by a process that died: nobody else owns this name
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

struct wire *wire_open(struct loop *l, const char *name, const uint8_t mac[6], const char *local, const char *remote)
{
    struct wire *w = calloc(1, sizeof *w);
    if (!w || !(w->payload = aligned_alloc(PAGE_SIZE, WIRE_PAYLOAD_MAX)))
        goto no;
    w->loop = l;
    w->is_switch = !remote;
    w->rx = bind_socket(local);
    w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (w->rx < 0 || w->timer < 0)
        goto no;
    struct sockaddr_un a;
    // On a cable we send from the socket that we receive on: a switch at the other end learns our name by it.
    if (remote && (!address(&a, remote) || !peer_init(&w->peer[0], &a, sizeof a, w->rx)))
        goto no;
    loop_watch(l, w->rx, POLLIN, rx_ready, w);
    loop_watch(l, w->timer, POLLIN, timer_ready, w);
    w->link.name = name;
    memcpy(w->link.mac, mac, 6);
    w->link.payload_max = WIRE_PAYLOAD_MAX;
    w->link.up = true;
    w->link.send = wire_send;
    w->link.driver = w;
    int e = net_link_add(l->node, &w->link);
    if (e == 0) {
        remember(w);
        return w;
    }
    fail_error(e, "cannot add link %s", name);
    return NULL;
no:
    fail("cannot open the link %s (%s in %s): %s", name, local, "the run directory", strerror(errno));
    return NULL;
}
