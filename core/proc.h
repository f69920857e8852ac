// SPDX-License-Identifier: BSD-2-Clause
// Processes: protection domain = maps + threads + ports + transaction records. The kernel's own tasks are threads of
// node->kproc, which has no maps and is never stunned.
// Callers: node lock held.
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
// ARRIVING   no       "not here"            COMMIT, or a change is applied (desc_change.c) -> RUN, or STUNNED;
//                                           abandoned: proc_destroy
// RUN        yes      processed             proc_stun; proc_finish
// STUNNING   no       "wait"                last thread has left its hart -> STUNNED
// STUNNED    no       "wait"                proc_resume -> RUN; MOVING; proc_finish; replaced by a change: proc_destroy
// MOVING     no       "wait"                refused -> RUN, or STUNNED if stay_stunned; COMMIT sent -> DOUBT
// DOUBT      no       "wait"                COMMIT answered, or the owner's order: RUN, STUNNED, or proc_destroy
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
    STOP_ORDER, // an order stunned it: proc->stun_code
};

struct proc_fault {
    uint32_t kind, tid; // enum fault_kind; the thread
    int64_t error;      // -E_FAULT; -E_MEM, -E_LIMIT: the access was right, there was no page for it
    uint64_t cause, addr, pc;
};

struct served_port {
    struct port get, put; // null put = slot free
};

// Behind a heading, [N] and [I] are for all its fields that say nothing else (node.h).
struct proc {
    // Identity [I]
    struct node *node;
    struct list link;             // [N] node->procs
    struct list hash_link;        // [N] node->procs_hash
    ep_t ep;                      // [N] endpoint: goes along (proc_take_place sets it once)
    uint32_t pid;                 // low 24 bits of ep, never 0: what people type
    struct port ctl_get, ctl_put; // port of the process's own capability; served by whatever kernel has it
    uint8_t key[16];              // [N] of the check field of that capability
    uint32_t incarnation;    // [N] lives of it before this one: it goes along, and grows when a checkpoint is started
    char name[NAME_MAX_LEN]; // [N] plain text (text.h)
    char comment[NAME_MAX_LEN]; // [N] any service's note; plain text

    // Stop and go [N]
    enum proc_state state;      // set by proc_set_state only
    uint32_t on_harts;          // threads in state RUN
    uint64_t stopped_ns;        // frozen: the node's clock when it stopped. Its own clock stands still from then on
    uint64_t time_offset;       // process clock = node clock + this
    uint64_t runs;              // times it was resumed: a descriptor taken before the last one is out of date
    bool stay_stunned;          // stunned by an order: a move leaves it so
    uint64_t stun_code;         // of that order
    const void *stun_event;     // event (its address): it stopped, was replaced or ended, or an order for it is over
    struct proc_fault fault;    // what stopped it; goes along. kind 0 = nothing
    enum stop_reason to_report; // its owner has still to be told, once it is STUNNED; STOP_NONE: nothing
    bool killed;
    bool lingers;        // DEAD, and only its replies are left (proc_linger)
    int64_t exit_status; // DEAD: argument of SYS_EXIT, or negative error

    // Memory [N]
    struct map *maps[PROC_MAPS_MAX]; // sorted by va
    uint32_t nmaps;
    const struct map *last_map; // the one that proc_find_map found last; map_none: nothing is known
    struct arch_aspace aspace;
    uint64_t mem_limit; // bytes of segments

    // Threads [N]
    struct list threads;
    uint32_t nthreads, next_tid;
    uint8_t priority, priority_limit; // PRIO_*; the limit is its owner's
    uint64_t isa;                     // extensions its code may use (arch.h ISA_*); 0 = rv64gc only

    // Ports and transactions [N]
    struct served_port ports[PROC_PORTS_MAX]; // handle = index
    uint64_t port_mask;                       // bit i: ports[i] is in use
    struct list receivers;                    // threads in GETREQ, longest wait first
    struct list recs;                         // server-side records of transactions (rec.h)
    struct list queue;                        // those in REC_QUEUED, oldest first
    struct list still;                        // those in REC_FILL whose client stands still
    uint32_t npinned;
    uint64_t pinned_bytes;    // of replies that their servers do not wait for any more: count for mem_limit
    bool called, listened;    // it may be known to others: as their client, as their server
    struct cap owner;         // told of exceptions and of the end; null = nobody
    uint64_t orphan_grace_ns; // it lives on while its owner is silent for so long; 0 = the node's

    // Counts for people [N]
    uint64_t moves;  // times it changed nodes
    uint64_t faults; // translations that were missing, on this node
};

// Returns true if the mapping that was last asked for holds all of [va, va + len bytes) with this right (MAP_READ,
// MAP_WRITE). False says nothing: ask properly (buf_check).
static inline bool proc_map_covers(const struct proc *p, uint64_t va, uint64_t len, uint32_t right)
{
    const struct map *m = p->last_map;
    return va - m->va < m->len && len <= m->len - (va - m->va) && (m->flags & right) && MAP_GUARD_LOG2(m->flags) == 0;
}

// p is found by its endpoint p->ep from now on; it may have been found by another before. Callers: proc_create,
// proc_take_place.
void proc_enter(struct node *n, struct proc *p);
// p, which is DEAD and has nothing left but records, stays to be found by its endpoint until they are gone: it leaves
// the list of processes. Callers: proc_destroy.
void proc_linger(struct node *n, struct proc *p);
// Returns true if p lingers.
static inline bool proc_lingers(const struct proc *p)
{
    return p->lingers;
}
// Frees the record of a process that is in no list but its lists of processes. Callers: proc_destroy; txn_rec_free, for
// one that lingers and has no record left.
void proc_free(struct node *n, struct proc *p);
// Returns the process of this node with this endpoint, in whatever state; NULL: there is none.
struct proc *proc_by_ep(struct node *n, ep_t ep);
// Returns a process of this node with this number (pid, the low 24 bits of its endpoint), in whatever state; NULL:
// there is none. Of two, the one made first.
struct proc *proc_by_pid(struct node *n, uint32_t pid);
// The process is in this state from now on; the table above says which may follow which. Callers: life.c, node.c,
// desc_change.c; services/proc/migrate.c and offer.c, for a move.
void proc_set_state(struct proc *p, enum proc_state s);
// Returns the state's name for people; "?" for a number that is no state.
const char *proc_state_name(enum proc_state s);
// Returns true if no thread of p may run: its transactions stand still, and what its descriptor says stays true.
static inline bool proc_frozen(const struct proc *p)
{
    return p->state != PROC_RUN;
}
// Returns true if the process is to be found on this node. One that still arrives is its source's until COMMIT; a dead
// one is nowhere.
static inline bool proc_lives(const struct proc *p)
{
    return p->state != PROC_ARRIVING && p->state != PROC_DEAD;
}

// Returns the capability of the process itself, with these rights (RIGHT_*). It stays good when the process moves.
struct cap proc_cap(struct proc *p, uint32_t rights);

#endif
