// SPDX-License-Identifier: BSD-2-Clause
// Maps: which part of which segment a process sees at which addresses, with which rights. The translations (page table
// entries) behind a map are made by the faults that need them and may be taken away at any time: the next access faults
// them in again. All under the node lock.
#ifndef CORE_MAP_H
#define CORE_MAP_H

#include "core/list.h"
#include "core/types.h"

#include <stdbool.h>
#include <stdint.h>

struct node;
struct proc;
struct seg;

struct map {
    struct list seg_link; // [N] seg->maps: who takes a page away finds its translations by it
    struct proc *proc;    // [I]
    uint64_t va, len;     // [N] bytes, page multiples
    struct seg *seg;      // [I] holds one ref
    uint64_t off;         // [N] offset of va in the segment; GROW_DOWN: bytes below that it may still grow by
    uint32_t flags;       // [I] MAP_* of abi.h
};

extern const struct map map_none; // of no bytes

// Adds a mapping; takes over the caller's ref of seg on success. E_OVERLAP, E_ARG, E_LIMIT, E_MEM.
int proc_map(struct node *n, struct proc *p, uint64_t va, uint64_t len, struct seg *seg, uint64_t off, uint32_t flags);
// Maps what a capability of this node's segment service names: SYS_MAP_CAP of abi.h says how, and lists the errors. va
// 0: chosen here. len 0: to the segment's end. Returns the address.
int64_t proc_map_cap(struct node *n, struct proc *p, const struct cap *cap, uint64_t va, uint64_t off, uint64_t len,
                     uint32_t flags);
// Does anybody else on this node see the contents of one of its segments: another process that has it mapped, or one
// that may map it by capability?
bool proc_shares(const struct proc *p);
// Takes the mapping that starts at va away, with its ref of the segment. E_ARG there is none.
int proc_unmap(struct node *n, struct proc *p, uint64_t va);
// Gives the mapping that starts at va (MAP_GROW_UP) the length len (bytes, rounded up to pages). A segment that nobody
// else has becomes as long. E_ARG, E_OVERLAP, E_LIMIT.
int proc_grow(struct node *n, struct proc *p, uint64_t va, uint64_t len);
struct map *proc_find_map(struct proc *p, uint64_t va); // NULL: none
// The mapping that allows an access at va: grows a stack down to va when va lies below one and inside its segment.
// NULL: none, or va lies in a guard page (MAP_GUARD).
struct map *proc_map_at(struct proc *p, uint64_t va);
// Bytes of the mapping from va (inside it) to its end or the next guard page; 0: va lies in one.
uint64_t map_run(const struct map *m, uint64_t va);
// Bytes that count for the process's limit: of its mappings, and THREAD_COST_BYTES for each thread but the first.
uint64_t proc_used(const struct proc *p);
// Returns the pages present in the segments behind p's mappings. A segment mapped twice counts twice.
uint64_t proc_pages(const struct proc *p);
// E_LIMIT: so many bytes more would pass the process's limit.
int proc_room(const struct proc *p, uint64_t more);
uint64_t proc_find_gap(struct proc *p, uint64_t len); // address for a new mapping, 0: none
// Makes va usable for an access (PROT_*): grows a stack, brings the page in, makes it the process's own when the access
// is a write and others share it, maps it. E_FAULT, E_MEM; E_LIMIT: a stack may not grow so far.
int proc_fault(struct node *n, struct proc *p, uint64_t va, unsigned prot);
// Gives all of a process's mappings up. Its address space is gone already.
void map_drop_all(struct node *n, struct proc *p);

#endif
