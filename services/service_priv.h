// SPDX-License-Identifier: BSD-2-Clause
// The dispatcher: which services run on a node, with their tasks. Shared by list.c, service.c and inline.c; a service
// sees service.h only.
// Callers: node lock held.
#ifndef SERVICES_SERVICE_PRIV_H
#define SERVICES_SERVICE_PRIV_H

#include "services/service.h"
#include "services/services.h"

#define SERVICES_MAX 12 // ours, and those of a program that embeds the node (the host command: files, terminal, owner)

// A service of this node with the tasks that run it.
struct running {
    const struct service *s; // [I]
    uint64_t mask;           // [I] handles it receives on
    int handle;              // [I] the one that service_open made, or -1
    struct list workers;     // [N]
    unsigned count;          // [N] tasks
    unsigned slow;           // [N] of these, in an operation that is not OP_NONBLOCKING
    uint64_t needed_ns;      // [N] when it last had no more tasks than it needed
};
struct worker {          // a task in the loop, and the request it works on
    struct list link;    // [N] running->workers
    struct running *of;  // [I]
    struct thread *task; // [I]
    bool extra;          // [I] started while others were slow; ends when it is not needed any more
    struct seg *buffer;  // [I] where requests' bytes land; holds one ref
    uint64_t bytes_ns;   // [N] when the last request with bytes came
    struct request r;    // [N]
};

// A capability that was found genuine, and under which key.
struct genuine {
    struct cap cap;
    uint64_t key[2];
};
#define GENUINE 8

struct state_page { // what service_state gives, one behind the other
    struct state_page *next;
    size_t used;
};

struct dispatcher {
    struct services services;                  // what the services see of this: node->services points to it
    struct running running[SERVICES_MAX];      // [N]
    unsigned nrunning;                         // [N]
    struct running *by_handle[PROC_PORTS_MAX]; // [N] the service that receives on it; the first, if several do
    unsigned started;                          // [N] entries of list.c whose start was called
    struct pool pool_worker;
    struct genuine genuine[GENUINE];    // [N] by object number
    struct worker inline_worker;        // [N] of a request that is executed inline (inline.c): no task, no buffer
    struct state_page *state;           // [N] the one to take from first
    const struct policy *policy_before; // [I] node->policy when no services run
};
_Static_assert(sizeof(struct dispatcher) <= PAGE_SIZE, "allocated as one page");

// Returns the dispatcher of a node whose services have started.
static inline struct dispatcher *dispatcher_of(const struct node *n)
{
    return LIST_ENTRY(n->services, struct dispatcher, services);
}

// Returns the operation of this number, the service's own or a standard one; NULL: none.
const struct operation *service_operation(const struct service *s, uint32_t op);
// Does the capability of w's request allow the operation? Returns 0, or E_OBJECT, E_CAP, E_RIGHTS, or another error of
// the service's key function.
int64_t service_admit(struct node *n, const struct worker *w, const struct operation *op);
// Ends all tasks of all services. Callers: services_stop; no task runs.
void service_close_all(struct node *n);
// Frees all that service_state gave. Callers: services_stop, after all services have stopped.
void service_state_free(struct node *n);

#endif
