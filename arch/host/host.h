// SPDX-License-Identifier: BSD-2-Clause
// Nodes inside a Linux process: unit tests, the simulator with hundreds of them, and the `rotifer` command. One Linux
// thread, one hart a node.
//
// The caller is what the trap code is on a board: it decides when a node runs (host_node_step), hands it frames, and
// stands for U-mode (guest_run). There is no other thread, so a node's lock counts as held from host_node_new on, and
// core may be called at any time between steps. Before it calls core on a node other than through the functions here,
// the caller makes that node's hart the current one (host_node_enter).
#ifndef ARCH_HOST_HOST_H
#define ARCH_HOST_HOST_H

#include "core/node.h"

// All may be left 0.
struct host_options {
    uint64_t (*clock)(struct node *n);             // ns, monotonic; NULL: CLOCK_MONOTONIC
    uint64_t seed;                                 // of the node's randomness; 0: from Linux
    void (*log)(struct node *n, const char *line); // NULL: stderr
    // U-mode: thread t runs on harts[0] until it enters the kernel. Calls entry_syscall or
    // entry_fault at most once; returning without means that it was preempted. NULL: no guest ever
    // gets ready.
    void (*guest_run)(struct node *n, struct thread *t);
    void *world;             // becomes node->world
    const uint8_t *ring_key; // 32 bytes; NULL: zeros
};

// A node of npages pages of memory, initialized and online, without services, network or transport. options may be
// NULL. NULL: no memory.
struct node *host_node_new(const char *name, size_t npages, const struct host_options *options);
// Ends it, at once and silently, as a power cut does. What services and net keep outside its pages is theirs to free
// first. Not from inside a task of this node.
void host_node_free(struct node *n);

// Makes this node's hart the one that arch_this_hart() names.
void host_node_enter(struct node *n);
// Fires the timers that are due, runs all ready tasks until they wait, then at most one guest thread until it enters
// the kernel. Returns whether there was anything to do.
bool host_node_step(struct node *n);
// When to step again if nothing else happens; UINT64_MAX: never. Valid when the last step found nothing to do.
uint64_t host_node_deadline(const struct node *n);

// What a hart would find: the page that the address space has for an access with these PROT_* at va; NULL: it would
// fault.
void *arch_host_page(const struct arch_aspace *as, uint64_t va, unsigned prot);

// The hart on which the caller counts as running; NULL: none.
void arch_host_set_hart(struct hart *h);

#endif
