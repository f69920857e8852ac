// SPDX-License-Identifier: BSD-2-Clause
// A node: everything that one kernel knows. No globals (design D5): the simulator has hundreds of these, the host
// command one, a kernel one. Outside things come in through the pointers set before node_init().
#ifndef CORE_NODE_H
#define CORE_NODE_H

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
struct net;      // net/net.h
struct services; // services/service.h

struct node {
    struct arch_lock lock; // the node lock: [N] everywhere
    // Counts what may change what a hart should do next or when: queues, timers, states of processes. A hart that has
    // seen it all may go on with its thread without looking (sched_next).
    uint64_t sched_epoch;
    struct { // counters for status, never reset
        uint64_t syscalls, switches, trans_local, trans_remote, retries, dups_dropped;
        uint64_t aspace_loads; // changes of satp
    } stat;
    char name[NAME_MAX_LEN]; // [I] "n1"
    uint8_t ring_key[32];    // [I] shared secret of the ring
    // What the world gives (set before node_init)
    uint64_t (*clock)(struct node *n); // [I] ns, monotonic
    void (*entropy)(struct node *n, void *buf,
                    size_t len);                                // [I] seed of the generator; once at init
    void (*log)(struct node *n, const char *line);              // [I] a line for people
    void (*irq)(struct node *n);                                // [I] device interrupt pending (boards)
    void (*guest_done)(struct node *n, struct proc *p);         // [I] may be NULL
    bool (*inline_call)(struct node *n, struct task_inline *q); // [I] services, task.h; may be NULL
    // A process is DEAD and on no hart any more. true: somebody sees to it; false: the reaper is woken. May be NULL
    bool (*ended)(struct node *n, struct proc *p); // [I] services
    // [I] services/proc/orphan.h; may be NULL. Another node serves the port / a process of this node serves it no more.
    void (*port_found)(struct node *n, struct port port);
    void (*port_closed)(struct node *n, struct port port);
    void *world;                       // [I] whoever made the node
    const struct transport *transport; // [I] NULL: a lone node
    struct net *net;                   // [I]
    struct services *services;         // [I]
    // Memory
    struct pages pages;
    struct megapages megapages;
    struct pool pool_proc, pool_thread, pool_fp, pool_seg, pool_map, pool_rec, pool_port;
    void *zero_page; // [I] for reading holes
    // Objects
    struct list procs, segs;
    struct list calls; // client halves whose server is elsewhere
    struct list procs_hash[PROCS_HASH];
    struct list waiters[WAITERS_HASH]; // guests in state FUTEX, by address; longest wait first
    struct list event_waiters;         // tasks in state EVENT
    struct list ports_hash[PORTS_HASH];
    struct list recs_hash[RECS_HASH];
    struct proc *kproc; // tasks; its ep is this node's endpoint
    uint32_t next_seg;
    struct port seg_get, seg_put; // segment service of this node: drawn at boot
    // Time, harts
    struct timers timers;
    struct timer sweep; // txn_sweep
    struct list ready_tasks;
    struct list ready_guests[PRIO_LEVELS]; // by priority; each in the order in which they have their turns
    uint32_t ready_levels;                 // bit i clear: ready_guests[i] is empty
    uint32_t passed;                       // slices since one was lent to a lower level
    uint32_t lent_last;                    // the level that had it
    struct hart harts[HARTS_MAX];
    unsigned nharts;
    struct random random;
    struct trace trace;
};

static inline ep_t node_ep(const struct node *n)
{
    return n->kproc->ep;
}
static inline uint64_t node_now(struct node *n)
{
    return n->clock(n);
}
// Everything in order; pages must have been given (page_init, page_add_range) and clock, entropy, log, name set. E_MEM.
int node_init(struct node *n);
void node_fini(struct node *n); // host: tests count pages afterwards
void node_log(struct node *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
