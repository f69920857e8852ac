// SPDX-License-Identifier: BSD-2-Clause
// Nodes inside a Linux process: unit tests, the simulator with hundreds of them, and the `rotifer` command. One Linux
// thread, one hart a node.
//
// The caller is what the trap code is on a board: it decides when a node runs (host_node_step), hands it frames, and
// plays U-mode (guest_run). There is no other thread, so a node's lock counts as held from host_node_new on, and core
// may be called at any time between steps. Before the caller calls core on a node other than through the functions
// here, it makes that node's hart the current one (host_node_enter).
//
// Callers: the one Linux thread; from inside a node only where a function says so.
#ifndef ARCH_HOST_HOST_H
#define ARCH_HOST_HOST_H

#include "core/node.h"

// All may be left 0.
struct host_options {
    uint64_t (*clock)(struct node *n);             // ns, monotonic; NULL: CLOCK_MONOTONIC
    uint64_t seed;                                 // of the node's randomness; 0: from Linux
    void (*log)(struct node *n, const char *line); // NULL: stderr
    // U-mode: thread t runs on harts[0] until it enters the kernel. Calls entry_syscall or entry_fault at most once; to
    // return without means that t was preempted. NULL: no guest ever gets ready.
    void (*guest_run)(struct node *n, struct thread *t);
    void *world;             // becomes node->world
    const uint8_t *ring_key; // 32 bytes; NULL: the node draws one
};

// Makes a node of npages pages of memory, initialized and online, without services, network or transport. options may
// be NULL. Returns the node, or NULL: no memory.
struct node *host_node_new(const char *name, size_t npages, const struct host_options *options);
// Ends the node, at once and silently, as a power cut does. Services and net must have freed what they keep outside its
// pages. Callers: not from inside a task of this node.
void host_node_free(struct node *n);

// Makes this node's hart the one that arch_this_hart() returns.
void host_node_enter(struct node *n);
// Fires the timers that are due, runs all ready tasks until they wait, then at most one guest thread until it enters
// the kernel. Returns whether there was anything to do.
bool host_node_step(struct node *n);
// Returns when to step again if nothing else happens, in ns of the node's clock; UINT64_MAX: never. Valid when the last
// step found nothing to do.
uint64_t host_node_deadline(const struct node *n);

// Returns the page that a hart would find in the address space for an access at va with the rights prot (PROT_*), or
// NULL: the access would fault. Callers: also from guest_run.
void *arch_host_page(const struct arch_aspace *as, uint64_t va, unsigned prot);

// Makes h the hart that arch_this_hart() returns; NULL: none.
void arch_host_set_hart(struct hart *h);

#endif
