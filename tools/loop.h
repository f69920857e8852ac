// SPDX-License-Identifier: BSD-2-Clause
// The loop of a node that is a Linux process: wait for a socket, the terminal, a signal or the node's next timer; hand
// in what came; let the node's tasks run until they all wait; again.
// Callers: one thread; nothing here locks.
#ifndef TOOLS_LOOP_H
#define TOOLS_LOOP_H

#include "core/types.h"

#include <poll.h>

struct node;

#define LOOP_WATCHES_MAX 24

struct loop {
    struct node *node;
    bool done;
    int status;
    unsigned nwatches;
    struct watch {
        int fd;
        short events; // as in poll(2); 0: asleep
        void (*ready)(void *arg, short events);
        void *arg;
    } watch[LOOP_WATCHES_MAX];
};

void loop_init(struct loop *l, struct node *n); // for this node; nothing is watched
// ready(arg, events) is called, from loop_run and under the node lock, when one of events (of poll(2)) happens to fd.
void loop_watch(struct loop *l, int fd, short events, void (*ready)(void *arg, short events), void *arg);
// Other events of fd are waited for from now on; 0: none. fd is watched.
void loop_set_events(struct loop *l, int fd, short events);
// Runs the node until loop_stop(). Returns its status. Callers: not a task of the node.
int loop_run(struct loop *l);
// The loop ends, when the task that runs now waits, with this exit status.
void loop_stop(struct loop *l, int status);

#endif
