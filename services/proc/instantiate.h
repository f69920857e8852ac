// SPDX-License-Identifier: BSD-2-Clause
// From a descriptor to a process with its memory, state ARRIVING. Start, restart from a checkpoint, change and move are
// all this, and differ in what comes afterwards (design D4).
// Callers: node lock held.
#ifndef SERVICES_INSTANTIATE_H
#define SERVICES_INSTANTIATE_H

#include "core/desc.h"
#include "services/service.h"

struct instance {
    struct proc *p;        // ARRIVING: only the task that made it may destroy it
    struct desc_info info; // of the descriptor: info.ep == EP_NONE: a new process
    uint64_t promised;     // pages not yet taken of those that were found free
    uint64_t bytes, pages; // that came by transaction; holes do not
    unsigned nfills;
    struct desc_fill fills[DESC_SEGS_MAX];
};
_Static_assert(sizeof(struct instance) <= PAGE_SIZE, "lives in the page of its request");

// Checks the descriptor that is the request's bytes, reserves memory for all that has to come, and makes the process.
// pages: how many pages of contents there are, when the sender knows (holes do not count), else UINT64_MAX. *out lives
// in request_page(r). Returns 0, or an error, and nothing has changed: E_MEM, E_EXISTS, and those of desc_check.
int instantiate_begin(struct node *n, struct request *r, uint64_t pages, struct instance **out);
// The same for any bytes and any zeroed *in; pages as above. p not NULL: the process is made beside p, which is
// stunned, to take its place (desc_change_commit). Returns 0, or an error as instantiate_begin(), and those of
// desc_change_check.
int instantiate_make(struct node *n, struct proc *p, const struct buf *b, uint64_t pages, struct instance *in);
// Makes *in empty, if it does not lie in a zeroed page.
void instantiate_init(struct instance *in);
// instantiate_make of a descriptor that passed instantiate_check just now, with in->info from it; pages as above.
// Returns 0, or an error as instantiate_make().
int instantiate_make_checked(struct node *n, struct proc *p, const struct buf *b, uint64_t pages, struct instance *in);
// Of a descriptor that passed instantiate_check, with *info from it. True if all that fills its segments is on this
// node, so that instantiate_fill will not block.
bool instantiate_at_once(struct node *n, const struct buf *b, const struct desc_info *info);
// Only looks whether b may be started (p NULL), or p be changed to it. Returns 0 and fills *info, or an error of
// desc_check or desc_change_check, or E_ARG (its endpoint is not that of its secret), and *why, the reason in words (a
// constant).
int instantiate_check(struct node *n, struct proc *p, const struct buf *b, struct desc_info *info, const char **why);
// Fills its segments from their capabilities. given_up: may become true while this blocks (NULL: never). Returns 0, or
// E_CANCEL: given up; E_EOF: a source is shorter than the descriptor says; E_MEM; errors of the transactions. On error
// the process is still there. Callers: tasks (may sleep).
int64_t instantiate_fill(struct node *n, struct instance *in, const bool *given_up);
// No more pages will be taken: what is left of the reservation is given back. The process is the caller's: serve it, or
// destroy it.
void instantiate_end(struct node *n, struct instance *in);

#endif
