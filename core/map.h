// SPDX-License-Identifier: BSD-2-Clause
// Maps: which part of which segment a process sees at which addresses, with which rights. The translations (page table
// entries) behind a map are made by the faults that need them and may be taken away at any time: the next access faults
// them in again.
// Callers: node lock held; nothing here blocks. A struct map is good until a mapping of its process is added, removed
// or changed.
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

// Maps len bytes of seg, from its offset off on, at va of p; all three are page multiples. flags: MAP_* of abi.h
// without MAP_COPY. Returns 0, and the caller's ref of seg belongs to the mapping; or an error, and it is still the
// caller's: E_ARG: a number is no page multiple, the range is empty or lies outside USER_BASE..USER_END or beyond the
// segment's end, or flags do not go together; E_LIMIT: p has PROC_MAPS_MAX mappings; E_OVERLAP: something is mapped
// there; E_MEM. The process's memory limit is for the caller to ask about (proc_room).
int proc_map(struct node *n, struct proc *p, uint64_t va, uint64_t len, struct seg *seg, uint64_t off, uint32_t flags);
// Maps what a capability of this node's segment service names, as SYS_MAP_CAP of abi.h says. va 0: chosen here. off,
// len: bytes, off a page multiple; len 0: to the segment's end. flags: MAP_* of abi.h. Returns the address, or E_ARG:
// flags, or a range that the segment does not have, or growing of a shared segment; E_NOTHERE: no segment of this
// node's; E_OBJECT, E_CAP, E_RIGHTS: of the capability; E_STATE: private memory of a process, without MAP_COPY;
// E_LIMIT: the process's memory limit or PROC_MAPS_MAX; E_OVERLAP; E_MEM: no memory, or no gap for va 0.
int64_t proc_map_cap(struct node *n, struct proc *p, const struct cap *cap, uint64_t va, uint64_t off, uint64_t len,
                     uint32_t flags);
// True if one of p's segments is, or may come to be, another process's on this node too: it is mapped there as well, or
// lives by its capability (seg->named). Such a process cannot leave the node: E_SHARED.
bool proc_shares(const struct proc *p);
// Takes the mapping that starts at va away, with its translations and its ref of the segment. Returns 0, or E_ARG: no
// mapping starts there.
int proc_unmap(struct node *n, struct proc *p, uint64_t va);
// Gives the mapping that starts at va (MAP_GROW_UP) the length len (bytes, rounded up to pages). The segment becomes
// longer with it; and shorter, which frees its pages there, if the mapping holds its only ref. Returns 0, or E_ARG: no
// such mapping, or a length of 0 or beyond USER_END; E_OVERLAP: another mapping is in the way; E_LIMIT: the process's
// memory limit, or SEG_MAX_BYTES.
int proc_grow(struct node *n, struct proc *p, uint64_t va, uint64_t len);
// Returns the mapping in which va lies (guard pages included), or NULL: there is none. Changes nothing but p->last_map.
struct map *proc_find_map(struct proc *p, uint64_t va);
// Returns the mapping for an access at va: grows a stack down to va when va lies below one and inside its segment.
// NULL: none, va lies in a guard page (MAP_GUARD), or the process's memory limit forbids the stack to grow. With which
// rights it is mapped is for the caller to look at.
struct map *proc_map_at(struct proc *p, uint64_t va);
// Returns the bytes of m from va (inside it) to its end or the next guard page; 0: va lies in one.
uint64_t map_run(const struct map *m, uint64_t va);
// Returns the bytes that count for the process's limit: of its mappings, of replies that were pinned, and
// THREAD_COST_BYTES for each thread but the first.
uint64_t proc_used(const struct proc *p);
// Returns the pages present in the segments behind p's mappings. A segment mapped twice counts twice.
uint64_t proc_pages(const struct proc *p);
// Has the process room for `more` bytes? Returns 0, or E_LIMIT: they would pass its limit (p->mem_limit, 0: none).
int proc_room(const struct proc *p, uint64_t more);
// Returns an address for a new mapping of len bytes (a page multiple), 16 GiB or above, with an unmapped page between
// it and its neighbours there; 0: there is none.
uint64_t proc_find_gap(struct proc *p, uint64_t len);
// A guest's access at va faulted; prot: PROT_R, PROT_W or PROT_X, what it wanted. Makes va usable for it: grows a
// stack, brings the page in, makes it the process's own when the access is a write and others share it, maps it. The
// last PAGE_RESERVE pages are not taken. Returns 0, or E_FAULT: not mapped with that right, a guard page, or beyond the
// end of a segment that became shorter; E_MEM; E_LIMIT: a stack may not grow so far. Callers: entry_fault; node lock
// held.
int proc_fault(struct node *n, struct proc *p, uint64_t va, unsigned prot);
// Gives all of a process's mappings up, with their refs. Its address space is gone already (arch_aspace_free): no
// translation is looked for. Callers: proc_destroy; node lock held.
void map_drop_all(struct node *n, struct proc *p);

#endif
