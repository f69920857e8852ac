// SPDX-License-Identifier: BSD-2-Clause
// The loop of a node that is a Linux process: ppoll(2) is where it waits.
#include "tools/loop.h"
#include "arch/host/host.h"
#include "core/config.h"
#include "core/node.h"
#include "core/panic.h"

#include <time.h>

void loop_init(struct loop *l, struct node *n)
{
    *l = (struct loop){.node = n};
}

void loop_watch(struct loop *l, int fd, short events, void (*ready)(void *arg, short events), void *arg)
{
    ASSERT(l->nwatches < LOOP_WATCHES_MAX);
    l->watch[l->nwatches++] = (struct watch){.fd = fd, .events = events, .ready = ready, .arg = arg};
}

void loop_set_events(struct loop *l, int fd, short events)
{
    unsigned found = 0;
    for (unsigned i = 0; i < l->nwatches; i++)
        if (l->watch[i].fd == fd) {
            l->watch[i].events = events;
            found++;
        }
    ASSERT(found == 1);
}

void loop_stop(struct loop *l, int status)
{
    l->done = true;
    l->status = status;
}

// How long nothing of the node's own is due; NULL: for ever.
static struct timespec *until_deadline(struct node *n, struct timespec *t)
{
    uint64_t at = host_node_deadline(n);
    if (at == UINT64_MAX)
        return NULL;
    uint64_t now = node_now(n);
    uint64_t left = at > now ? at - now : 0;
    t->tv_sec = (time_t)(left / NS_PER_S);
    t->tv_nsec = (long)(left % NS_PER_S);
    return t;
}

static void wait_and_hand_in(struct loop *l)
{
    struct pollfd fds[LOOP_WATCHES_MAX];
    struct timespec t;
    ASSERT(l->nwatches > 0);             // else nothing could ever wake this loop
    unsigned count = l->nwatches;        // a callback may add watches: those are for the next round
    for (unsigned i = 0; i < count; i++) // poll skips negative descriptors
        fds[i] = (struct pollfd){.fd = l->watch[i].events ? l->watch[i].fd : -1, .events = l->watch[i].events};
    if (ppoll(fds, count, until_deadline(l->node, &t), NULL) <= 0)
        return;
    for (unsigned i = 0; i < count; i++)
        if (fds[i].revents)
            l->watch[i].ready(l->watch[i].arg, fds[i].revents);
}

int loop_run(struct loop *l)
{
    for (;;) {
        while (!l->done && host_node_step(l->node))
            ;
        if (l->done)
            return l->status;
        wait_and_hand_in(l);
    }
}
