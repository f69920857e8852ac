// SPDX-License-Identifier: BSD-2-Clause
// Records: the server half of a transaction, one for each client thread that a server process knows. Its table of
// states is in core/txn.h. For core/ and for those who show what a process does; net/ sees of a record what
// core/txn_net.h tells.
// Callers: node lock held.
#ifndef CORE_REC_H
#define CORE_REC_H

#include "core/list.h"
#include "core/peer.h"
#include "core/progress.h"
#include "core/timer.h"
#include "core/txn.h"
#include "core/types.h"

struct rec {
    struct list link;       // [N] proc->recs
    struct list queue_link; // [N] proc->queue while QUEUED
    struct list hash_link;  // [N] node->recs_hash
    struct proc *proc;      // [I] server process
    ep_t client;            // [I]
    uint32_t tid;           // [I] the client's thread
    enum rec_state state;   // [N] set by rec_set_state only, and by fastpath.c, which leaves what it would have left
    uint32_t inc;           // incarnation of the client when the transaction began
    uint64_t seq;           // its number among those of the client's thread
    uint32_t handle;        // of the port
    struct cap cap;         // as presented; FORWARD: what to call instead, with op and arg
    uint32_t op;
    uint64_t arg[4];
    uint64_t req_len;
    struct thread *server; // FILL, SERVE, and REPLY while the thread is in putrep
    struct progress got;   // of the request
    int64_t status;        // REPLY, DONE
    uint64_t res[4];
    uint64_t rep_len;
    void *copy;           // short reply: a page, NULL when none or length 0
    struct seg *pinned;   // long reply that its server does not wait for any more (rec_pin); holds one ref. NULL: none
    uint64_t pinned_off;  // where in it the reply begins
    struct progress sent; // of the reply, as acknowledged
    struct timer timer;   // REPLY: retransmission. DONE: RECORD_LIFE
    uint64_t retry_ns;
    struct peer peer;      // the client
    bool idle;             // cached for a next call, and none came since the last sweep
    bool ready;            // DONE, cached, and no frame or time hangs on it: fastpath.c may use it as it is
    struct thread *caller; // [N] client thread here that holds this record as call.rec, else NULL
    bool lost;             // the client is known to be dead
    uint8_t fills; // times that what had come of the request was thrown away, modulo 64: its client sends it again
    bool still;    // QUEUED, FILL: the client stands still, and so does its data. It takes no thread of the server
                   // from others until it asks again
    enum { CANCEL_NONE, CANCEL_PENDING, CANCEL_TOLD } cancel; // SERVE: the client has had enough; the thread knows
    uint64_t cancel_by_ns; // until then it waits for an answer, UINT64_MAX = for ever
    bool remote;           // a frame of it may be under way somewhere: keep as history when done
};

// Makes p's record of the client's thread, in state DONE. Returns NULL: no memory.
struct rec *txn_rec_create(struct node *n, struct proc *p, ep_t client, uint32_t tid);
// Returns the record that the process with endpoint `server` has of the thread tid of `client`; NULL: it has none.
struct rec *txn_rec_find(struct node *n, ep_t server, ep_t client, uint32_t tid);
// Takes the record out of every queue and frees it; a thread that works for it owes nothing any more.
void txn_rec_free(struct node *n, struct rec *r);
// Arms the timers of a record that was decoded from a descriptor: its client may be anywhere.
void txn_adopt_rec(struct node *n, struct rec *r);
// Moves the record to state s; the queues and timers that go with it are the caller's affair. Traced when frames of it
// may be under way.
void rec_set_state(struct node *n, struct rec *r, enum rec_state s);
// Returns true if the server is through with the request and the client has to be told.
static inline bool rec_answered(const struct rec *r)
{
    return r->state == REC_REPLY || r->state == REC_FORWARD;
}

#endif
