// SPDX-License-Identifier: BSD-2-Clause
// What the files of the descriptor share: desc.c, desc_encode.c, desc_decode.c. Nobody else includes it.
#ifndef CORE_DESC_PRIV_H
#define CORE_DESC_PRIV_H

#include "core/desc.h"
#include "core/txn.h"

#define ALIGN8(x) (((x) + 7) & ~7ull)

// The bytes lie in a buffer of any kind: hashed stretch by stretch.
int desc_hash(struct node *n, const struct buf *b, uint64_t len, uint64_t *sum);

union any_section {
    struct desc_proc proc;
    struct desc_seg seg;
    struct desc_map map;
    struct desc_port port;
    struct desc_thread thrd;
    struct desc_rec rec;
};

// Reads the section at *off into *u and moves *off behind it. sec->tag 0: an unknown one that may be skipped.
int desc_next(struct node *n, const struct buf *b, uint64_t *off, struct desc_sec *sec,
              union any_section *u, uint64_t *more_at, const char **why);

// A thread, a record, as the descriptor of a frozen process has them (desc_encode.c).
void desc_of_thread(const struct thread *t, struct desc_thread *out);
void desc_of_rec(const struct rec *r, struct desc_rec *out);
bool desc_has_rec(const struct rec *r); // else it is left out

// desc_decode, and beside `old` when that is not NULL (desc_change.c): under an endpoint of its own, with old's control
// port and key, and without copying the segments of old that it names.
int desc_make(struct node *n, const struct buf *b, const struct proc *old, struct proc **out,
              struct desc_fill *fills, unsigned *nfills);

#endif
