// SPDX-License-Identifier: BSD-2-Clause
// A node: everything that one kernel knows. No globals (design D5): the simulator has hundreds of these, the host
// command one, a kernel one. The world outside comes in through pointers set before node_init(), the rooms above
// through tables.
//
// Letters behind fields, here and in all headers: [N] changes with the node lock held only; [I] never changes once it
// is set; [h] only the hart that it belongs to uses it. Behind a heading they are for all its fields that say nothing
// else.
#ifndef CORE_NODE_H
#define CORE_NODE_H

#include "core/ended.h"
#include "core/hart.h"
#include "core/list.h"
#include "core/megapage.h"
#include "core/page.h"
#include "core/pool.h"
#include "core/proc.h"
#include "core/random.h"
#include "core/timer.h"
#include "core/trace.h"
#include "core/transport.h"
#include "core/txn.h"

#define RECS_HASH 256
#define PORTS_HASH 64
#define PROCS_HASH 64
#define WAITERS_HASH 256

struct task_inline;
struct txn_request;
struct net;      // net/net.h
struct services; // services/service.h

// What the services decide for core, in one table: core asks, and does without where a function is NULL. The dispatcher
// sets its own (services/list.c), the process service one that has more (services/proc/proc.c).
// All are called with the node lock held and must not block.
struct policy {
    // Executes a guest's request to a port of kproc inline. True: answered. False: nothing changed; a task receives it.
    bool (*inline_call)(struct node *n, struct task_inline *q);
    // A request that would be taken into a port of kproc: true, it must wait as at a stopped process. Its client is
    // told so, and asks again.
    bool (*holds)(struct node *n, const struct txn_request *q);
    // A process is DEAD and on no hart any more: true, its end is taken care of; false, the reaper is woken.
    bool (*ended)(struct node *n, struct proc *p);
    // Another node has this endpoint, and is in no doubt about it.
    void (*ep_found)(struct node *n, ep_t ep, ep_t node);
    // Another node serves this port.
    void (*port_found)(struct node *n, struct port port);
    // A process closed this port; others here may still serve it (port_find). Not called when a process ends: see
    // `ended`.
    void (*port_closed)(struct node *n, struct port port);
    // True: this node has seen the last server of the port end, or close it, a while ago. For nodes that ask.
    bool (*port_ended)(struct node *n, struct port port);
    // Another node says so of a port that was asked for.
    void (*port_gone)(struct node *n, struct port port);
};

struct node {
    struct arch_lock lock; // the node lock: [N] everywhere

    // Identity
    char name[NAME_MAX_LEN];      // [I] "n1"
    uint8_t ring_key[32];         // [I] shared secret of the ring; zeros before node_init: the node draws one
    struct proc *kproc;           // [I] owner of the tasks; its ep is this node's endpoint
    struct port seg_get, seg_put; // [I] segment service of this node: drawn at boot
    uint64_t orphan_grace_ns;     // [I] of processes that have none of their own; 0: ORPHAN_GRACE_NS

    // The world outside, given before node_init()
    uint64_t (*clock)(struct node *n);                      // [I] ns, monotonic
    void (*entropy)(struct node *n, void *buf, size_t len); // [I] seed of the generator; once at init
    void (*log)(struct node *n, const char *line);          // [I] a line for people; NULL: nobody reads them
    void (*irq)(struct node *n);                            // [I] device interrupt pending (boards)
    void (*guest_done)(struct node *n, struct proc *p);     // [I] a process has ended: for tests; NULL: nobody asks
    void *world;                                            // [I] of the code that made the node

    // Upper rooms
    const struct policy *policy;       // [N] never NULL
    const struct transport *transport; // [I] NULL: a lone node
    struct net *net;                   // [I]
    struct services *services;         // [I]

    // Memory [N]
    struct pages pages;
    struct megapages megapages;
    struct pool pool_proc, pool_thread, pool_fp, pool_seg, pool_map, pool_rec, pool_port;
    void *zero_page; // [I] for reading holes

    // Processes and segments [N]
    struct list procs, segs;
    uint32_t next_seg; // number of the segment made next

    // Ports and transactions [N]
    struct list calls;      // client halves whose server is elsewhere
    struct timer sweep;     // txn_sweep
    struct list last_words; // processes that ended and whose replies are not acknowledged (proc_linger)
    unsigned nlast_words;

    // Threads that wait [N]
    struct list event_waiters; // tasks in state EVENT
    struct timers timers;

    // Harts and the run queue [N]
    unsigned nharts;
    // Counts what may change what a hart should do next or when: queues, timers, states of processes. A hart that has
    // seen it all may go on with its thread without looking (sched_next).
    uint64_t sched_epoch;
    struct list ready_tasks;
    struct list ready_guests[PRIO_LEVELS]; // by priority; each in the order in which they have their turns
    uint32_t ready_levels;                 // bit i clear: ready_guests[i] is empty
    uint32_t passed;                       // slices since one was lent to a lower level
    uint32_t lent_last;                    // the level that had it

    // For people, and random numbers [N]
    struct { // counters for status, never reset
        uint64_t syscalls, switches, trans_local, trans_remote, retries, dups_dropped;
        uint64_t aspace_loads; // changes of satp
    } stat;
    struct random random;

    // Tables, harts [N]. They come last: a field within 2 KiB of the node's address is reached by one instruction
    struct hart harts[HARTS_MAX];
    struct trace trace;
    struct list procs_hash[PROCS_HASH]; // by endpoint
    struct list ports_hash[PORTS_HASH]; // by put-port
    struct list recs_hash[RECS_HASH];   // by server, client and its thread
    struct list waiters[WAITERS_HASH];  // guests in state FUTEX, by address; longest wait first
    struct ended ended;
};

// Returns the node's endpoint, new at every boot. Callers: anybody, after node_init.
static inline ep_t node_ep(const struct node *n)
{
    return n->kproc->ep;
}
// Returns the time in ns since a moment before boot; never goes back. Callers: anybody.
static inline uint64_t node_now(struct node *n)
{
    return n->clock(n);
}
// Makes an empty node: lists, pools, random numbers, the process of the tasks. clock, entropy, log and name are set and
// the pages given (page_init, page_add_range); the rest of *n is zero. Returns 0, or E_MEM: no page is left; node_fini
// may not be called then. Callers: who makes the node, before any other function of core.
int node_init(struct node *n);
// Ends all processes and tasks in silence and frees what node_init took, so that tests can count pages afterwards. On
// no stack of its tasks. Callers: who made the node; a kernel never does.
void node_fini(struct node *n);

#endif
