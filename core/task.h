// SPDX-License-Identifier: BSD-2-Clause
// Privileged tasks: threads of the kernel image with a stack of their own. They run under the node lock and give up the
// hart, and with it the lock, only inside the calls that block (event.h). They use the same transactions as guests.
// Callers: tasks (node lock held; a call that blocks says so), but for task_spawn and task_free: node lock held.
#ifndef CORE_TASK_H
#define CORE_TASK_H

#include "core/event.h"
#include "core/txn.h"

// Starts fn(n, arg) as a task of node->kproc; name is a constant. It is READY, and first runs when this hart, or
// another, looks for something to do. When fn returns the task ends, and its record is freed. Returns it, or NULL: no
// memory for its record or TASK_STACK_PAGES in a row, or kproc has PROC_THREADS_MAX threads. Callers: node lock held.
struct thread *task_spawn(struct node *n, const char *name, void (*fn)(struct node *n, void *arg), void *arg);
// Frees a task that ended, or that is blocked and shall never go on (a service or a node is taken down), with its
// stack: not the one that runs. Callers: node lock held.
void task_free(struct node *n, struct thread *t);

struct task_result {
    uint64_t res[4];
    uint64_t len; // bytes of reply
};
// One transaction, as SYS_TRANS: operation op on cap. arg: four words, NULL: zeros. req and rep stay as they are until
// it returns. timeout_ms 0: none. Blocks. Returns the server's status (>= 0, or its negative error), or an error of the
// kernel's: E_ARG: cap has no port, or a buffer is longer than MESSAGE_MAX_BYTES; E_FAULT: a buffer; E_LIMIT: after
// THREAD_SEQ_MAX calls; E_NOTHERE, E_DIED, E_TIMEOUT, E_TOOBIG, E_CANCEL, E_WITHDRAWN as error.h says of them. *out,
// which may be NULL: results and length; it is not filled in when nothing was sent (E_ARG, E_LIMIT, E_FAULT at once).
int64_t task_trans(struct node *n, const struct cap *cap, uint32_t op, const uint64_t arg[4], struct buf req,
                   struct buf rep, uint64_t timeout_ms, struct task_result *out);
struct task_request {
    uint32_t handle, op;
    uint64_t arg[4];
    struct cap cap;     // as presented: port, object, rights, check
    uint64_t len;       // bytes of request
    struct proc *about; // control port of this process, or NULL
};

// A request of a guest of this node to a port of kproc that may be answered at once, on the hart where it is made.
// node->policy->inline_call answers it: true: answered. false: nothing has changed, and a task gets the request.
struct task_inline {
    struct task_request in;
    struct buf req, rep; // the guest's: req holds in.len bytes; rep is as long as a reply may be
    bool saved;          // operations may make threads ready
    // to be filled in
    int64_t status;
    uint64_t res[4];
    uint64_t len; // bytes put into rep
};

// The next request on a port whose handle's bit is set in mask; its bytes go into buf. timeout_ms 0: none. Blocks.
// Returns 0 and *out, or E_STATE: the task owes a reply; E_ARG: a handle that kproc does not serve, or none; E_FAULT:
// buf; E_TIMEOUT.
int task_getreq(struct node *n, uint64_t mask, struct buf buf, uint64_t timeout_ms, struct task_request *out);
// Answers the request that this task received last: status (>= 0, or a negative error), four words (NULL: zeros), and
// the bytes of rep. Blocks until a long reply has reached the client: rep must stay as it is until then. Returns 0, or,
// and the request stays open: E_STATE: none is; E_ARG: longer than MESSAGE_MAX_BYTES; E_FAULT: rep.
int task_putrep(struct node *n, int64_t status, const uint64_t res[4], struct buf rep);
// Returns true if the client of the request that this task serves has cancelled it, or is gone. A task_wait returns
// when it does; a call of the task's own is cancelled.
bool task_cancelled(struct node *n);
// As SYS_FORWARD: the client calls op on cap instead, with four words of arg (NULL: zeros), and this task owes nothing
// any more. Returns 0, or E_STATE: no request is open; E_ARG: cap has no port.
int task_forward(struct node *n, const struct cap *cap, uint32_t op, const uint64_t arg[4]);
// Blocks for ns nanoseconds, or until sched_wake.
void task_sleep(struct node *n, uint64_t ns);
// Lets the tasks that are ready now run first.
void task_yield(struct node *n);
// Serves the port F(get) in kproc; *put: what clients call it by. Returns its handle, 0 or more, or an error as
// port_listen().
int task_listen(struct node *n, struct port get, struct port *put);

#endif
