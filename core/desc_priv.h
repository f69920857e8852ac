// SPDX-License-Identifier: BSD-2-Clause
// Shared by the files of the descriptor: the walk over its sections, and how a thread and a record are written down.
// Callers: those files, node lock held.
#ifndef CORE_DESC_PRIV_H
#define CORE_DESC_PRIV_H

#include "core/desc.h"
#include "core/rec.h"
#include "core/txn.h"

#define ALIGN8(x) (((x) + 7) & ~7ull)

// Puts the sum of the len bytes of b, of which the first are *hdr, into *sum. Returns 0, or an error of buf_at.
int desc_hash(struct node *n, const struct buf *b, const struct desc_hdr *hdr, uint64_t len, uint64_t *sum);

union any_section {
    struct desc_proc proc;
    struct desc_seg seg;
    struct desc_map map;
    struct desc_port port;
    struct desc_thread thrd;
    struct desc_start start; // THRD: desc_is_start
    struct desc_rec rec;
};

// A walk over the sections of a descriptor, in their order. A section is looked at where it lies, if its bytes are in a
// row there, as they mostly are; else in a copy. The bytes are the kernel's own, or nobody else could change them.
struct desc_walk {
    struct node *n;
    const struct buf *b;
    const struct desc_hdr *hdr;
    const char *flat;            // where all the bytes lie in a row; NULL: they may not
    uint64_t off;                // of the next section
    struct desc_sec sec;         // the present one; tag 0: an unknown one that may be skipped
    const union any_section *at; // its fixed part; of no use with tag 0
    uint64_t more_at;            // REC: where the bytes of its reply begin
    struct desc_hdr hdr_copy;
    union any_section copy;
};

// Returns true if the section is a THRD of a thread that has not run yet.
static inline bool desc_is_start(const struct desc_sec *sec)
{
    return sec->tag == DESC_THRD && sec->len == sizeof(struct desc_start);
}

// Begins before the first section: *hdr is there. Leaves `copy` as it is: most walks never need it. Returns 0; E_FAULT:
// shorter than a header; or an error of buf_read.
int desc_walk_start(struct desc_walk *w, struct node *n, const struct buf *b);
// Goes to the next section, of which there is one, says the header. Returns 0; or E_FORMAT, E_VERSION, or an error of
// buf_read, and *why says what was wrong (a constant string).
int desc_next(struct desc_walk *w, const char **why);
// The same in a descriptor that passed desc_check. Returns 0, or an error of buf_read.
int desc_next_checked(struct desc_walk *w);

// Fills *out with a thread of a frozen process, all of it (desc_encode.c).
void desc_of_thread(const struct thread *t, struct desc_thread *out);
// Fills *out with a record of a frozen process that desc_has_rec (desc_encode.c).
void desc_of_rec(const struct rec *r, struct desc_rec *out);
// Returns true if the record is in the descriptor of its process; else it is left out (desc_encode.c).
bool desc_has_rec(const struct rec *r);

// desc_decode, and beside `old` when that is not NULL (desc_change.c): under an endpoint of its own, with old's control
// port and key, and without copying the segments of old that it names. fills, *nfills: as desc_decode. Returns 0, or an
// error as desc_decode().
int desc_make(struct node *n, const struct buf *b, const struct proc *old, struct proc **out, struct desc_fill *fills,
              unsigned *nfills);

#endif
