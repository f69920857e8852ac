// SPDX-License-Identifier: BSD-2-Clause
// Intake: from a descriptor in a request to a process with its memory, state ARRIVING. Download, restart and move are
// this and differ in what comes afterwards (design D4).
#ifndef SERVICES_INSTANTIATE_H
#define SERVICES_INSTANTIATE_H

#include "core/desc.h"
#include "services/service.h"

struct instance {
    struct proc *p;        // ARRIVING: nobody but the task that made it may destroy it
    ep_t given_ep;         // endpoint in the descriptor; EP_NONE: a new process
    uint64_t promised;     // pages not yet taken of those that were found free
    uint64_t bytes, pages; // that came by transaction; holes do not
    unsigned nfills;
    struct desc_fill fills[PROC_MAPS_MAX];
};
_Static_assert(sizeof(struct instance) <= PAGE_SIZE, "lives in the page of its request");

// Checks the descriptor that is the request's bytes, sees to it that there is memory for all that has to come, and
// makes the process. pages: how many pages of contents there are, when the sender knows (holes do not count), else
// UINT64_MAX.
// *out lives in request_page(r). On error nothing has changed: E_MEM, E_EXISTS, and those of desc_check.
int instantiate_begin(struct node *n, struct request *r, uint64_t pages, struct instance **out);
// The same for any bytes and any zeroed *in; p not NULL: the process is made beside p, which is stopped, to take its
// place (desc_change_commit). Also those of desc_change_check.
int instantiate_make(struct node *n, struct proc *p, const struct buf *b, uint64_t pages, struct instance *in);
// An empty intake, for one that does not lie in a zeroed page.
void instantiate_init(struct instance *in);
// instantiate_make of a descriptor that passed instantiate_check just now.
int instantiate_make_checked(struct node *n, struct proc *p, const struct buf *b, uint64_t pages, struct instance *in);
// Of a descriptor that passed instantiate_check: is all that fills its segments here, so that instantiate_fill will not
// wait?
bool instantiate_at_once(struct node *n, const struct buf *b);
// Only looks whether b may be started (p NULL), or p be changed to it. *why: a constant string.
int instantiate_check(struct node *n, struct proc *p, const struct buf *b, const char **why);
// Fills its segments from their capabilities. given_up: may become true while this waits (NULL: never): E_CANCEL. E_EOF
// a source is shorter than promised; E_MEM; errors of the transactions. The process is still there on error.
int64_t instantiate_fill(struct node *n, struct instance *in, const bool *given_up);
// No more pages will be taken. The process is the caller's: serve it, or destroy it.
void instantiate_end(struct node *n, struct instance *in);

#endif
