// SPDX-License-Identifier: BSD-2-Clause
// What a node remembers of processes that ended here: which transactions they had. A frame of a transaction may be
// doubled and late, so a client may ask long after the end; "the server never had it" lets it call another server,
// "had it" must not (docs/decisions.md, "Who may conclude what from silence").
//
// The memory is a ring of fixed size. A key that is overwritten before its time makes the node unsure of everything for
// the rest of that time: it says so then, and clients conclude nothing from its "not here".
// Callers: node lock held.
#ifndef CORE_ENDED_H
#define CORE_ENDED_H

#include "core/types.h"

struct node;

#define ENDED_MAX 512u

struct ended_key { // a transaction of a process that has ended
    ep_t server, client;
    uint32_t tid, inc;
    uint64_t seq;
    uint64_t until_ns; // 0: free
};
struct ended {
    struct ended_key keys[ENDED_MAX];
    unsigned next; // the oldest
    uint64_t unsure_until_ns;
};

// Remembers for RECORD_LIFE_NS that `server`, which has ended here, had transaction (inc, seq) of the client's thread
// tid.
void ended_note(struct node *n, ep_t server, ep_t client, uint32_t tid, uint32_t inc, uint64_t seq);
// Something about processes that were here had to be forgotten, which counted until until_ns (node's clock).
void ended_forgot(struct node *n, uint64_t until_ns);
// Returns the key of the last transaction that `server` had of the client's thread tid; NULL: none is remembered.
const struct ended_key *ended_find(struct node *n, ep_t server, ep_t client, uint32_t tid);
// Returns true if what is not remembered may have been all the same.
bool ended_unsure(struct node *n);

#endif
