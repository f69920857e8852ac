// SPDX-License-Identifier: BSD-2-Clause
// Transactions: the state machine of both halves, local and remote alike. No I/O: when the peer is on another node it
// asks node->transport (set by net/), which calls back with what frames brought.
//
// Client half (struct call in the thread):
//
//   state  event                                   next   action
//   NONE   SYS_TRANS                               SEND   look for the port here, else transport->request
//   SEND   acknowledged (base, mask)               SEND   fragments not yet there are sent
//          ... all of the request                  WAIT
//          "wait"                                  SEND   busy = true: only probe until told to go on
//          not here                                SEND   server = EP_NONE, locate; not found: E_NOTHERE / E_DIED
//   WAIT   "working" (answer to a probe)           WAIT   heard
//          unknown to the server                   -      E_DIED
//   any    first fragment of the reply             RECV   (a reply implies the whole request arrived)
//   RECV   more fragments                          RECV
//          ... all of the reply                    NONE   acknowledge, wake with the status
//   any    forwarded                               SEND   a new transaction, to the capability given (forward.c)
//   any    cancelled                               same   the server is told (cancel.c), and may still reply
//   any    deadline                                NONE   E_TIMEOUT; E_CANCEL when it was cancelled
//
// Server half (struct rec, one per client thread known to a server process; it is also the at-most-once history, so it
// goes with the process):
//
//   state  event                                   next   action
//   -      request, nobody in getreq               QUEUED "wait" to the client; the data stays there (D2)
//   -,QUEUED a thread in getreq                    FILL   ask the client for the data ("go")
//   FILL   all of the request is in the buffer     SERVE  wake the server thread
//   QUEUED,FILL cancelled                          REPLY  E_WITHDRAWN
//   SERVE  cancelled                               SERVE  the server's thread is told, once
//   SERVE  putrep                                  REPLY  send; a short reply is copied here, server goes on
//   SERVE  forward                                 FORWARD  send; server goes on. As REPLY in all that follows
//   REPLY  acknowledged                            DONE   a server in putrep goes on; start RECORD_LIFE timer
//   DONE   time                                    -      forgotten
//   QUEUED,FILL,SERVE: same request again          same   "wait" / what is there / "working"
//   REPLY: same request again                      same   reply again
//   DONE: same request again                       same   nothing: the client said that it has the reply
//   any    request with a higher number            as -   implies that the client has the old reply
//   any    request with a lower number             same   ignored: an old duplicate
#ifndef CORE_TXN_H
#define CORE_TXN_H

#include "core/buf.h"
#include "core/types.h"

struct node;
struct proc;
struct call;
struct thread;
struct timer;

// Of the server half.
enum rec_state { REC_QUEUED, REC_FILL, REC_SERVE, REC_REPLY, REC_DONE, REC_FORWARD, REC_STATES };
// Returns the state's name for people; "?" for a number that is no state.
const char *rec_state_name(enum rec_state s);

// --- Called by system calls and tasks. t is the calling thread. Returns 0 when the thread now waits, or a
// negative error at once (nothing has changed then). Results are in t->call / t->serve after the wake.
int txn_trans(struct node *n, struct thread *t, const struct cap *cap, uint32_t op, const uint64_t arg[4],
              struct buf req, struct buf rep, uint64_t timeout_ns);
int txn_getreq(struct node *n, struct thread *t, uint64_t mask, struct buf buf, uint64_t timeout_ns);
// May complete at once (returns 1): then the thread goes on.
int txn_putrep(struct node *n, struct thread *t, int64_t status, const uint64_t res[4], struct buf rep);
// For replies up to REPLY_COPY_MAX: always complete at once. E_MEM: no page to keep it in; the request stays open.
int txn_putrep_short(struct node *n, struct thread *t, int64_t status, const uint64_t res[4], struct buf rep);

// The request that t works on goes to another server; t owes nothing any more. Complete at once: 0. E_STATE, E_ARG.
int txn_forward(struct node *n, struct thread *t, const struct cap *cap, uint32_t op, const uint64_t arg[4]);

// SYS_CANCEL: ends what t is blocked in; a call when its server has answered, at the latest after grace_ns (0: its own
// deadline). 0, E_STATE. Its process is not frozen.
int txn_cancel(struct node *n, struct thread *t, uint64_t grace_ns);
// The thread of this node that waits for what t works on; NULL: none.
const struct thread *txn_client_of(struct node *n, const struct thread *t);
// Does nobody want the answer to the request that t works on any more?
bool txn_cancelled(const struct thread *t);

// --- Called by timers
void txn_call_due(struct node *n, struct thread *t);   // deadline or retransmission of a client half
void txn_sweep(struct node *n, struct timer *t);       // node->sweep
void txn_getreq_due(struct node *n, struct thread *t); // time-out of getreq

// --- Called by proc and hand-off
// All of p's transactions are taken up again now, and those of local peers with it (it resumed, arrived or left).
void txn_kick_proc(struct node *n, struct proc *p);
// The same of a process that nobody can have found before: it has no peers that wait.
void txn_kick_own(struct node *n, struct proc *p);
void txn_thread_gone(struct node *n, struct thread *t);          // the thread ends
void txn_proc_gone(struct node *n, struct proc *p, bool silent); // the process ends or has left
// q, made from p's descriptor under another endpoint, is about to take p's place: what p's records and calls know that
// a descriptor does not say goes to q's; calls that q does not have are given up. q's records bear p's endpoint then.
void txn_proc_renewed(struct node *n, struct proc *p, struct proc *q);
void txn_port_closed(struct node *n, struct proc *p, uint32_t handle);
// As a thread's call is while there is none; txn_trans and fastpath.c write only what differs.
void call_reset(struct call *c);
#endif
