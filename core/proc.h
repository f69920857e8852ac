// SPDX-License-Identifier: BSD-2-Clause
// Processes: protection domain = maps + threads + ports + transaction records. The kernel's own tasks are threads of
// node->kproc, which has no maps and is never stunned.
#ifndef CORE_PROC_H
#define CORE_PROC_H

#include "arch/arch.h"
#include "core/abi.h"
#include "core/config.h"
#include "core/list.h"
#include "core/map.h"
#include "core/seg.h"
#include "core/types.h"

// state      may run  frames for it         leaves by
// ARRIVING   no       "not here"            proc_resume (COMMIT) -> RUN; proc_destroy (abandoned)
// RUN        yes      processed             proc_stun; proc_finish
// STUNNING   no       "wait"                last thread has left its hart -> STUNNED
// STUNNED    no       "wait"                proc_resume -> RUN; MOVING; proc_finish
// MOVING     no       "wait"                refused -> RUN; COMMIT sent -> DOUBT      (services/proc/migrate.c)
// DOUBT      no       "wait"                answer: GONE or RUN
// DEAD       no       "not here"            owner told, proc_destroy
enum proc_state {
    PROC_ARRIVING,
    PROC_RUN,
    PROC_STUNNING,
    PROC_STUNNED,
    PROC_MOVING,
    PROC_DOUBT,
    PROC_DEAD,
    PROC_STATES
};

// Why a process stopped that its owner has to hear of. What the owner is told is the services' affair.
enum stop_reason {
    STOP_NONE,
    STOP_FAULT, // proc->fault
    STOP_ORDER, // somebody ordered it: proc->stun_code
};

struct proc_fault {
    uint32_t kind, tid; // enum fault_kind; the thread
    int64_t error;      // -E_FAULT; -E_MEM, -E_LIMIT: the access was right, there was no page for it
    uint64_t cause, addr, pc;
};

struct served_port {
    struct port get, put; // null put = slot free
};

struct proc {
    struct node *node;               // [I]
    struct list link;                // [N] node->procs
    struct list hash_link;           // [N] node->procs_hash
    ep_t ep;                         // [N] endpoint: goes along (proc_take_place sets it once)
    char name[NAME_MAX_LEN];         // [N]
    char comment[NAME_MAX_LEN];      // [N] any service's note
    uint32_t pid;                    // [I] low 24 bits of ep, never 0: what people type
    enum proc_state state;           // [N] set by proc_set_state only
    uint32_t on_harts;               // [N] threads in state RUN
    struct map *maps[PROC_MAPS_MAX]; // [N] sorted by va
    uint32_t nmaps;                  // [N]
    const struct map *last_map;      // [N] the one that proc_find_map found last; map_none: nothing is known
    struct arch_aspace aspace;       // [N]
    struct list threads;             // [N]
    uint32_t nthreads, next_tid;
    struct served_port ports[PROC_PORTS_MAX]; // [N] handle = index
    uint64_t port_mask;                       // [N] bit i: ports[i] is in use
    struct list receivers;                    // [N] threads in GETREQ, longest wait first
    struct list recs;                         // [N] server-side records of transactions (txn.h)
    struct list queue;                        // [N] those in REC_QUEUED, oldest first
    struct port ctl_get,
        ctl_put;                      // [I] port of the process's own capability; served by whatever kernel has it
    uint8_t key[16];                  // [N] of the check field of that capability
    struct cap owner;                 // [N] told of exceptions and of the end; null = nobody
    uint64_t time_offset;             // [N] process clock = node clock + this
    uint64_t mem_limit;               // [N] bytes of segments
    uint64_t moves;                   // [N] times it changed nodes
    uint64_t faults;                  // [N] translations that were missing, on this node
    uint8_t priority, priority_limit; // [N] PRIO_*; the limit is its owner's
    uint64_t isa;                     // [N] extensions its code may use (arch.h ISA_*); 0 = rv64gc only
    uint64_t stopped_ns;        // [N] frozen: the node's clock when it stopped. Its own clock stands still from then on
    uint64_t runs;              // [N] times it went on: a descriptor taken before the last one is out of date
    bool called, listened;      // [N] it may be known to others: as their client, as their server
    bool stay_stunned;          // [N] stunned by somebody: a move leaves it so
    bool killed;                // [N]
    int64_t exit_status;        // [N] DEAD: argument of SYS_EXIT, or negative error
    struct proc_fault fault;    // [N] what stopped it; goes along. kind 0 = nothing
    enum stop_reason to_report; // [N] its owner has still to be told, once it is STUNNED; STOP_NONE: nothing
    uint64_t stun_code;         // [N] of the order that stunned it
    const void *stun_event;     // [N] tasks that wait for STUNNED sleep on this field's address
};

// Does the mapping that was last asked for hold all of [va, va + len) with this right (MAP_READ, MAP_WRITE)? A cheap
// question with two answers: yes, or ask properly (buf_check).
static inline bool proc_map_covers(const struct proc *p, uint64_t va, uint64_t len, uint32_t right)
{
    const struct map *m = p->last_map;
    return va - m->va < m->len && len <= m->len - (va - m->va) && (m->flags & right) && MAP_GUARD_LOG2(m->flags) == 0;
}

// p is found by its endpoint p->ep from now on; it may have been found by another before. Callers: proc_create,
// proc_take_place.
void proc_enter(struct node *n, struct proc *p);
struct proc *proc_by_ep(struct node *n, ep_t ep);
struct proc *proc_by_pid(struct node *n, uint32_t pid);
void proc_set_state(struct proc *p, enum proc_state s);
const char *proc_state_name(enum proc_state s);
static inline bool proc_frozen(const struct proc *p)
{
    return p->state != PROC_RUN;
}

// Capability of the process itself. It stays good when the process moves.
struct cap proc_cap(struct proc *p, uint32_t rights);

#endif
