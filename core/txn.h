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
//          not here, and cannot have begun         SEND   server = EP_NONE, locate; not found: E_NOTHERE
//          not here, and may have begun            SEND   locate; not found: E_DIED
//          ended, and had this call                -      E_DIED
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
//   FILL   the client stands still, others wait     QUEUED what came is thrown away; the thread takes another request
//   QUEUED nothing heard of the client's node      DONE   not executed; dropped (QUEUED_LIFE_NS)
//   QUEUED,FILL cancelled                          REPLY  E_WITHDRAWN
//   SERVE  cancelled                               SERVE  the server's thread is told, once
//   SERVE  putrep                                  REPLY  send; a short reply is copied here, server goes on
//   SERVE  forward                                 FORWARD  send; server goes on. As REPLY in all that follows
//   REPLY  the client stands still                 REPLY  a long reply is pinned; a server in putrep goes on
//   REPLY  acknowledged                            DONE   a server in putrep goes on; start RECORD_LIFE timer
//   DONE   time                                    -      forgotten
//   QUEUED,FILL,SERVE: same request again          same   "wait" / what is there / "working"
//   REPLY: same request again                      same   reply again
//   DONE: same request again                       same   nothing: the client said that it has the reply
//   any    request with a higher number            as -   implies that the client has the old reply
//   any    request with a lower number             same   ignored: an old duplicate
//
// The files of the machine call each other in a circle, which is allowed for these alone (test/check-circles.py):
// call.c, serve.c, reply.c, forward.c, cancel.c. Both halves of a local transaction change in one event: a request that
// is delivered wakes a server, whose reply ends a call, whose thread's next request is delivered. To cut the circle an
// event would have to wait in a queue between any two of them.
//
// Callers: node lock held.
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
// Returns the state's name for people; "?" for a number that is no state. Callers: anybody.
const char *rec_state_name(enum rec_state s);

// --- System calls and tasks. t is the calling thread, its process is in state RUN -----------------------------------

// SYS_TRANS: t calls the server of cap's port. req: the request; rep: room for the reply. timeout_ns: 0 = none. Returns
// 0: t is in state CALL, or has been and is ready again; the results are in t->call. Or an error, and nothing has
// changed: E_ARG: a message longer than MESSAGE_MAX_BYTES, or no port; E_LIMIT: the thread's numbers are used up;
// E_FAULT: a buffer is not there.
int txn_trans(struct node *n, struct thread *t, const struct cap *cap, uint32_t op, const uint64_t arg[4],
              struct buf req, struct buf rep, uint64_t timeout_ns);
// SYS_GETREQ: t waits for a request to one of its process's ports. mask: bit i = handle i; buf: room for the request;
// timeout_ns: 0 = none. Returns 0: t is in state GETREQ, FILL, or ready again; the results are in t->serve. Or an
// error, and nothing has changed: E_STATE: t owes a reply; E_ARG: no port, or one that the process does not serve, or
// buf is longer than MESSAGE_MAX_BYTES; E_FAULT: buf is not there.
int txn_getreq(struct node *n, struct thread *t, uint64_t mask, struct buf buf, uint64_t timeout_ns);
// SYS_PUTREP: t answers the request that it works on. status, res: for the client as they are; rep: the reply's bytes.
// Returns 1: the reply has left t's hands; 0: t is in state PUTREP until the client has it. Or an error, and the
// request stays open: E_STATE: t owes no reply; E_ARG: rep is longer than MESSAGE_MAX_BYTES; E_FAULT: rep is not there.
int txn_putrep(struct node *n, struct thread *t, int64_t status, const uint64_t res[4], struct buf rep);
// The same for a reply of at most REPLY_COPY_MAX bytes, which never waits. Returns 0, or an error as txn_putrep(), and
// E_MEM: there is no page to keep the reply in.
int txn_putrep_short(struct node *n, struct thread *t, int64_t status, const uint64_t res[4], struct buf rep);
// SYS_FORWARD: the request that t works on goes to another server; t owes nothing any more. Never waits. Returns 0; or
// an error, and the request stays open: E_STATE: t owes no reply; E_ARG: cap has no port.
int txn_forward(struct node *n, struct thread *t, const struct cap *cap, uint32_t op, const uint64_t arg[4]);

// SYS_CANCEL: ends what t is blocked in. A call ends when its server has answered, at the latest after grace_ns (0: at
// its own deadline). Returns 0, or E_STATE: t is blocked in nothing that can be cancelled. Callers: system calls of
// other threads of t's process, tasks.
int txn_cancel(struct node *n, struct thread *t, uint64_t grace_ns);
// Returns the thread of this node that waits for what t works on; NULL: there is none.
const struct thread *txn_client_of(struct node *n, const struct thread *t);
// Returns true if nobody wants the answer any more to the request that t works on.
bool txn_cancelled(const struct thread *t);

// --- Timers ---------------------------------------------------------------------------------------------------------

// Deadline or retransmission of t's call: t is in state CALL.
void txn_call_due(struct node *n, struct thread *t);
// node->sweep: frees records that were cached for a next call which did not come for RECORD_LIFE_NS.
void txn_sweep(struct node *n, struct timer *t);
// The time-out of t's getreq: t is in state GETREQ.
void txn_getreq_due(struct node *n, struct thread *t);

// --- The life of processes and threads (life.c), and their moves ----------------------------------------------------

// p was stopped: servers that wait for the data of its requests, or for it to take their replies, are told that it
// stands still.
void txn_proc_stopped(struct node *n, struct proc *p);
// Takes up all of p's transactions now, and those of local peers with it: p was resumed, has arrived or has left. Only
// arms timers.
void txn_kick_proc(struct node *n, struct proc *p);
// The same of a process that nobody can have found before: it has no peers that wait.
void txn_kick_own(struct node *n, struct proc *p);
// t ends: its server is told that nobody waits, its client that the request has died.
void txn_thread_gone(struct node *n, struct thread *t);
// p ends, or has left this node (silent): frees its records. Ends: its clients here get an error, remote ones one
// frame; a short reply that a remote client has not acknowledged stays, in its record, and goes on being sent; servers
// here learn that their client is gone. Silent: nothing of p's may end here, for it goes on elsewhere.
void txn_proc_gone(struct node *n, struct proc *p, bool silent);
// The process lingers for its last replies (proc_linger): they are given up, and it is freed.
void txn_last_words_end(struct node *n, struct proc *p);
// q, made from p's descriptor under another endpoint, is about to take p's place: q gets what p's records and calls
// know and a descriptor does not say. Calls that q does not have are given up. From then on q's records bear p's
// endpoint.
void txn_proc_renewed(struct node *n, struct proc *p, struct proc *q);
// p serves port number `handle` no more: requests that wait there end with E_NOTHERE.
void txn_port_closed(struct node *n, struct proc *p, uint32_t handle);
// Makes a thread's call as it is while there is none; txn_trans and fastpath.c write only what differs.
void call_reset(struct call *c);

#endif
