// SPDX-License-Identifier: BSD-2-Clause
// Thread records. Everything that a blocked thread is waiting for, and how far it has got, is here as plain data
// (design D1): another kernel can read it and go on. A task (privileged) has a stack besides.
// Callers: node lock held; nothing here blocks.
#ifndef CORE_THREAD_H
#define CORE_THREAD_H

#include "arch/arch.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/list.h"
#include "core/panic.h"
#include "core/peer.h"
#include "core/progress.h"
#include "core/timer.h"
#include "core/types.h"

struct proc;
struct rec;

// state        waits for                              leaves by
// READY        a hart                                 sched_next
// RUN          - (is on a hart)                       any system call, fault, end of slice
// CALL         its own transaction (call.state)       txn: reply, error, time-out
// GETREQ       a request on ports serve.mask          txn: request, time-out
// FILL         the data of request serve.rec          txn: all there
// PUTREP       its long reply to reach the client     txn: acknowledged
// SLEEP        wake_ns                                thread timer
// FUTEX        a wake at address wait_va              SYS_WAKE, thread timer
// EVENT        a task: task_wake(event)               task_wake
// ENDED        nothing. A thread that ended, or whose process lives on at another node; its record is about to be freed
enum thread_state {
    THREAD_READY,
    THREAD_RUN,
    THREAD_CALL,
    THREAD_GETREQ,
    THREAD_FILL,
    THREAD_PUTREP,
    THREAD_SLEEP,
    THREAD_FUTEX,
    THREAD_EVENT,
    THREAD_ENDED,
    THREAD_STATES
};

// Client half of a transaction: table in txn.h.
enum call_state { CALL_NONE, CALL_SEND, CALL_WAIT, CALL_RECV };
struct call {
    enum call_state state; // [N] set by call_set_state only, and by fastpath.c, which leaves what it would have left
    uint32_t op;
    struct rec *rec;         // record of this call at a server here, or of the last one, cached for the next
    struct list remote_link; // node->calls while the server is, or is looked for, elsewhere
    bool begun;              // a server may have it: errors then say "may have been executed"
    bool remote;             // a frame of it was sent: copies may be under way somewhere
    bool busy : 1;           // server said wait: it has no room for the data yet, or is stunned
    bool unsure : 1;         // frames went to a node that never said what became of them
    uint8_t fill : 6;        // how often the server has begun to take in the request, as far as is known (rec->fills)
    uint8_t forwards : 7;    // times that a server handed it on to another (forward.c)
    bool cancelled : 1;      // the client does not want it any more (cancel.c)
    uint16_t tries;          // times that request fragments were sent to this server
    uint16_t ask;            // look-ups of this call, each another node or server: an answer to an earlier one is old
    uint32_t inc;            // incarnation of the client when the call began
    uint32_t server_inc;     // the highest incarnation of the server heard of; 0: none
    uint32_t asked;          // node that frames of this look-up went to, low half of its endpoint | 1; 0: none yet
    uint32_t first_ms;       // when the first frame went to this server, node's clock | 1; 0: none did
    uint32_t retry_ns;       // present interval of retransmission
    uint32_t rep_total;      // bytes of the whole reply, known from CALL_RECV on
    uint64_t seq;            // number of this transaction among this thread's, from 1
    struct cap cap;
    uint64_t arg[4];
    struct buf req, rep;
    ep_t server;          // endpoint that serves it, EP_NONE while looking for one
    struct progress sent; // of the request, as acknowledged
    struct progress got;  // of the reply
    int64_t status;       // reply: status, results
    uint64_t res[4];
    uint64_t deadline_ns; // node's clock; UINT64_MAX = none
    struct peer peer;     // the server
};

// Moves a call to state s; what goes with it is the caller's affair. Callers: the transaction machine (call.c, reply.c,
// forward.c, serve.c), which has the table in txn.h, and desc_decode.c; node lock held.
static inline void call_set_state(struct call *c, enum call_state s)
{
    ASSERT(s <= CALL_RECV);
    c->state = s;
}

// Server half: the request that the thread waits for or works on.
struct serve {
    uint64_t mask;   // GETREQ: port handles
    struct buf buf;  // GETREQ, FILL: where the request goes.  PUTREP: where the reply lies
    struct rec *rec; // FILL, working, PUTREP; NULL while open: its client is gone, the reply has no reader
    bool open;       // a request was delivered and the reply is owed
    bool shielded;   // a cancel of the request is only told when asked for
    int32_t result;  // for tasks: how getreq or putrep ended
};

// What a task has besides a thread, at the low end of its stack's pages.
struct task {
    const char *name;    // [I]
    struct arch_ctx ctx; // [N]
    const void *event;   // [N] EVENT
    void (*fn)(struct node *n, void *arg);
    void *arg;
    uint64_t guard; // [I] TASK_GUARD: the first that a stack which overflows writes to
};
#define TASK_GUARD 0x6472617567736174ull // "tasguard"

struct thread {
    struct arch_regs regs;   // first: the trap code stores here
    struct proc *proc;       // [I]
    struct list link;        // [N] proc->threads
    struct list run_link;    // [N] run queue, proc->receivers, or node->waiters
    uint32_t tid;            // [I] number within the process, from 1
    enum thread_state state; // [N] set by thread_set_state only, and by fastpath.c
    struct hart *hart;       // [N] RUN: where
    struct call call;        // [N]
    struct serve serve;      // [N]
    struct timer timer;      // [N] of whatever the thread waits for
    uint64_t wake_ns;        // [N] SLEEP, FUTEX, GETREQ: node's clock, UINT64_MAX = none
    uint64_t wait_va;        // [N] FUTEX
    uint64_t seq;            // [N] last transaction number used
    struct task *task;       // [I] what it has besides; NULL: a guest's
};
_Static_assert(sizeof(struct thread) <= 800, "five on a page: under 1 KiB for a thread that waits");

// True if p may have no further thread: PROC_THREADS_MAX reached, or thread numbers used up.
bool thread_limit(const struct proc *p);
// Moves t to state s, as the table above says; queues and timers that go with it are the caller's affair.
static inline void thread_set_state(struct thread *t, enum thread_state s)
{
    ASSERT(s < THREAD_STATES);
    t->state = s;
}
// t has no FP state (asserted): gives it some, all zero. Returns 0, or E_MEM.
int thread_use_fp(struct node *n, struct thread *t);
// Returns p's thread with this number, or NULL: there is none.
struct thread *thread_find(struct proc *p, uint32_t tid);
// True if t is a task, which has a stack; false: a guest's thread.
static inline bool thread_is_task(const struct thread *t)
{
    return t->task != NULL;
}
// Returns the state's name for people, a constant; "?" for a number s that is no state. Callers: anywhere.
const char *thread_state_name(enum thread_state s);

#endif
