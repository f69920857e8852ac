// SPDX-License-Identifier: BSD-2-Clause
// Process descriptor: what a kernel does with one. The bytes are drawn in desc_format.h.
//
//   process  -- desc_encode -->  bytes  -- desc_check, desc_decode -->        a process in state ARRIVING
//                                       -- desc_change_check, _make, _commit  the same process, changed
//
// encode(decode(x)) == x for what a kernel encoded. A function that gets bytes gets them as a buffer of any kind, which
// nobody else can change meanwhile.
// Callers: node lock held.
#ifndef CORE_DESC_H
#define CORE_DESC_H

#include "core/buf.h"
#include "core/desc_format.h"

struct proc;
struct seg;

// --- From a process to its descriptor -----------------------------------------------------------------------------

// Writes the descriptor of a frozen process into a new segment: *out, held once for the caller, and its length in
// *len_bytes. Its sources name this node's segment service. Returns 0, or E_STATE: p is not frozen; E_MEM; E_LIMIT: it
// would be longer than DESC_MAX_BYTES.
int desc_encode(struct node *n, struct proc *p, struct seg **out, uint64_t *len_bytes);
// Fills in length, number of sections and checksum of a descriptor of len bytes that was built by hand (a program's
// loader). buf is aligned to 8 bytes. Callers: anybody.
void desc_seal(void *buf, uint64_t len, uint32_t sections);
// Returns the checksum of a descriptor of len bytes, whatever its field says. buf is aligned to 8 bytes. Callers:
// anybody.
uint64_t desc_checksum(const void *buf, uint64_t len);

// --- From a descriptor to a process -------------------------------------------------------------------------------

#define DESC_SEGS_MAX (PROC_MAPS_MAX + PINNED_MAX) // segments of maps, and of replies that were pinned

// What desc_check found on its way: so nobody has to walk to it again.
struct desc_info {
    ep_t ep;             // endpoint of the process; EP_NONE: it is a new one
    struct port ctl_get; // secret of its control port; of no use when it is new
    struct cap owner;
    uint32_t priority, priority_limit; // 1 + level; 0: as for a new process
    uint32_t nsegs;                    // SEG sections
    uint64_t seg_at;                   // offset of the first one in bytes; of no use when there is none
};

// Checks form and meaning without changing anything: lengths, counts, sums, states. b: the bytes, b->len of them.
// isa_here: extensions that this node's harts have (arch.h ISA_*). Returns 0 and fills *info; or E_MAGIC, E_VERSION,
// E_ARCH, E_CHECKSUM, E_FORMAT, E_LIMIT and those of buf_read, and *why says what was wrong (a constant string). A fuzz
// target.
int desc_check(struct node *n, const struct buf *b, uint64_t isa_here, struct desc_info *info, const char **why);

// Calls look(n, s, arg) for each segment of a descriptor that passed desc_check, in their order, until one answers
// something else than 0. Returns that, or 0; or an error of buf_read.
int desc_each_seg(struct node *n, const struct buf *b, const struct desc_info *info,
                  int (*look)(struct node *n, const struct desc_seg *s, void *arg), void *arg);

// One segment still to be filled by the caller.
struct desc_fill {
    struct seg *seg; // held by the process
    struct cap source;
    uint64_t source_off, source_len, dest_off; // bytes
};
// Makes a process in state ARRIVING from a descriptor that passed desc_check: all records, segments (empty), maps,
// threads. fills: room for DESC_SEGS_MAX; *nfills: how many are there. A new process (ep 0) gets endpoint, control port
// and key drawn. Returns 0; or an error, and nothing is left: E_MEM; E_EXISTS: the endpoint lives here; E_FORMAT,
// E_OVERLAP, E_ARG, E_LIMIT: sections contradict each other (a thread waits for a record that is not there...); those
// of buf_read.
int desc_decode(struct node *n, const struct buf *b, struct proc **out, struct desc_fill *fills, unsigned *nfills);

// --- A descriptor that comes back: a stopped process is changed to what it says (desc_change.c) ----------------
//
// Applied in full, or refused while nothing has changed. Registers, threads, memory, ports, owner, limit, name and
// comment may be others. The identity may not, nor may a transaction in progress be altered or made up: a thread's own
// call may be there as it was, or be given up; the records of what it serves must all come back.

// May b, which passed desc_check, become p? Returns 0; or an error, and *why says what was wrong (a constant string):
// E_STATE: p is not stunned, or has run since the descriptor was taken; E_ARG: the identity is another, a clock or a
// number that only grows would go back, or a transaction is not as it is here; those of buf_read.
int desc_change_check(struct node *n, struct proc *p, const struct buf *b, const char **why);
// Makes the changed process beside p: state ARRIVING, an endpoint of its own, found by nobody. Segments that p holds
// and b names as a whole are its own at once; fills, *nfills of them, are the others. b passed desc_change_check.
// Returns 0, or an error as desc_decode().
int desc_change_make(struct node *n, struct proc *p, const struct buf *b, struct proc **out, struct desc_fill *fills,
                     unsigned *nfills);
// q takes p's place, under p's identity and in p's state, and p is no more. Cannot fail. p has not run since
// desc_change_check. Tasks that wait for p's stun_event are woken, and look it up again.
void desc_change_commit(struct node *n, struct proc *p, struct proc *q);
// Returns the segment of p that s names as a whole, to be filled with what is in it already: it stays. NULL: there is
// none.
struct seg *desc_own_seg(struct node *n, const struct proc *p, const struct desc_seg *s);

#endif
