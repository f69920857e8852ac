// SPDX-License-Identifier: BSD-2-Clause
// Migration: a process leaves one node and resumes at another, such that AT MOST ONE COPY EVER RUNS (design section 7).
// Everything is an ordinary transaction to the target's process service (services/protocol/proc.h: OFFER, COMMIT,
// ABORT).
//
// Source (migrate.c), the process's own state. First the target is asked for a slot (SLOT), while the process runs and
// other orders for it are carried out: for as long as the target answers that all are taken; one that does not answer
// at all is given up soon.
//
//   state     event                                      next      action
//   RUN       SLOT answered: 0                           STUNNING  proc_stun
//   STUNNED   the same (stunned by an order)             MOVING    the copy arrives stunned too
//   STUNNING  last thread has left its hart              STUNNED
//   STUNNED                                              MOVING    descriptor encoded, OFFER sent
//   MOVING    OFFER is not begun within seconds          RUN (*)   withdrawn, ABORT
//   MOVING    OFFER failed, for whatever reason          RUN (*)   ABORT, nobody waits for its answer
//   MOVING    OFFER answered: everything is there        DOUBT     COMMIT sent
//   DOUBT     COMMIT answered: 0                         gone      "moved to" left behind, destroyed in silence
//   DOUBT     COMMIT answered: E_REFUSED                 RUN (*)
//   DOUBT     any other error: the answer is not known   DOUBT     COMMIT again, after growing pauses, and the ring is
//                                                                  asked who has it, for as long as this copy exists
//   DOUBT     another node has it, and is in no doubt    gone      as COMMIT answered
//   DOUBT     E_DOUBT answered, or asked for 60 s        DOUBT     OP_PROC_MIGRATE answered E_DOUBT, owner told
//   DOUBT     OP_DESTROY                                 gone      destroyed in silence
//   DOUBT     OP_PROC_NEVER_RAN, and neither the target  RUN       a person knows that the other copy does not run
//             nor another node knows better
//   (*) STUNNED when it was before
//
// Target (offer.c), one record for each offer:
//
//   state     event                                      next      action
//   -         SLOT, and a slot is free                   SLOT      answered 0; else E_LIMIT: ask again
//   SLOT      ABORT; no OFFER in SLOT_LIFE               -
//   -, SLOT   OFFER, and memory for all of it            PULLING   process made, state ARRIVING; segments pulled
//   PULLING   a segment did not come; ABORT              -         process destroyed; OFFER answered with the error
//   PULLING   all is here                                READY     OFFER answered
//   READY     COMMIT                                     COMMITTED process RUN, or STUNNED (stay_stunned): answered 0
//   READY     COMMIT, and no memory for its port         -         process destroyed, answered E_REFUSED
//   READY     ABORT; no COMMIT in OFFER_LIFE             -         process destroyed
//   COMMITTED COMMIT                                     same      answered 0, as often as it comes
//   COMMITTED ABORT                                      same      answered E_STATE
//   COMMITTED COMMITTED_MAX later ones                   -         its number counts as forgotten from then on
//   -         COMMIT of a number after the forgotten     -         answered E_REFUSED: it never ran here, never will
//   -         COMMIT of a number not after them          -         answered E_DOUBT: it may have run here
//   -         ABORT                                      -         answered 0
//
// Why at most one copy runs:
//   1. The source's copy does not run from STUNNING on until it is resumed; the target's does not before COMMIT.
//   2. The source resumes its copy only when it never sent COMMIT, or when the target answered E_REFUSED to it; or when
//      a person says that the other copy does not run, and nobody in the ring can know.
//   3. The target answers E_REFUSED only when it is sure that it did not and will not run it: there is no record, and
//      no record that it could have forgotten. A record that is gone does not come back: ids are random, OFFER is
//      executed at most once, and the source uses an id for one move only.
//   4. No clock and no time-out takes part in 2 and 3. However long a node or a link stands still, only the answer
//      counts.
//   5. A target that booted again cannot answer: its process port is new. So no answer of the new boot is taken for one
//      of the old boot, and the process stays in doubt.
//   6. A copy that is in doubt says so when it is asked for (net/locate.c), and is no proof for another copy in doubt.
//      What another node says counts only when no frame can be older than the doubt.
// Callers: node lock held.
#ifndef SERVICES_MIGRATE_H
#define SERVICES_MIGRATE_H

#include "core/node.h"

#define MOVES_MAX 8u // at a time, away from a node; and as many to it

struct request;

struct migrate_result {
    uint64_t bytes; // pulled by the target
    uint64_t pages;
    uint64_t freeze_ns; // from the order to stun it until COMMIT was answered, by this node's clock
    ep_t node;          // the target
};
// The source. target: capability of the target's process service, with EXEC; id: of the slot (migrate_slot). Returns 0:
// it runs there, p is freed; or E_DOUBT: it may run there, and is in state DOUBT here; or E_OBJECT: it ended meanwhile.
// After any other error it is here, in the state (RUN or STUNNED) that it had: E_STATE: it is neither, or has another
// order; E_SHARED: it shares memory with another process; E_REFUSED, E_MEM, E_EXISTS, E_ARCH... as the target said;
// E_NOTHERE, E_DIED, E_TIMEOUT: there is no such target. Callers: tasks (may sleep).
int64_t migrate_send(struct node *n, struct proc *p, const struct cap *target, uint64_t id, struct migrate_result *out);
// Takes a slot at the target, for migrate_send: *id. Returns 0; E_LIMIT: all have been taken for SLOT_WAIT_NS;
// E_TIMEOUT: it does not answer; E_CANCEL: nobody wants the move any more; other errors as the target said. Callers:
// tasks (may sleep).
int64_t migrate_slot(struct node *n, const struct cap *target, uint64_t *id);
// Gives the slot id back, for which migrate_send was not called. Callers: tasks (may sleep).
void migrate_slot_drop(struct node *n, const struct cap *target, uint64_t id);

// policy.ep_found (core/node.h): another node has the process, in no doubt. Callers: core.
void move_found(struct node *n, ep_t ep, ep_t node);
// Starts the tasks that ask about copies in doubt, where one is missing. Returns when to try again (ns), UINT64_MAX:
// all are there.
uint64_t doubts_begin(struct node *n);
// OP_PROC_NEVER_RAN: p is in doubt, and resumes here on a person's word. Returns 0: it runs here. E_EXISTS: another
// node has it, and this copy is gone; E_DOUBT: the target, or another node, can know better: ask again; E_STATE: p is
// not in doubt. Callers: tasks (may sleep).
int64_t move_never_ran(struct node *n, struct proc *p);

// The target: OP_PROC_SLOT. Returns the status: 0; E_LIMIT: all slots are taken; E_ARG, E_EXISTS, E_MEM, E_OP.
int64_t offer_slot(struct node *n, struct request *r);
// OP_PROC_OFFER. Returns the status: 0, or an error, and nothing is left: E_OP: of a process; E_ARG:
// without a number, or a process without an identity; E_EXISTS: the number is in use, or the process is here; E_LIMIT:
// too many offers; E_MEM; E_CANCEL: ABORT came; those of instantiate_begin and instantiate_fill. Callers: tasks (may
// sleep).
int64_t offer_take(struct node *n, struct request *r);
// OP_PROC_COMMIT. Returns the status: 0: it runs here; E_REFUSED, E_DOUBT as the table says; E_OP; E_STATE: OFFER was
// not answered yet.
int64_t offer_commit(struct node *n, struct request *r);
// OP_PROC_ABORT. Returns the status: 0; E_OP; E_STATE: it was committed.
int64_t offer_abort(struct node *n, struct request *r);
// Destroys the offers that were not committed in time. Returns when to look again (ns), UINT64_MAX: nothing to look
// for.
uint64_t offer_sweep(struct node *n);

// The pool of moves. Callers: the process service's start.
void migrate_start(struct node *n);
// Frees the records of moves under way. Callers: the process service's stop, when no task runs.
void migrate_stop(struct node *n);
// The pool and the list of offers. Callers: the process service's start.
void offer_start(struct node *n);
// Frees the records of offers; their processes go with the node. Callers: the process service's stop, when no task
// runs.
void offer_stop(struct node *n);

#endif
