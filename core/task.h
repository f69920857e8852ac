// SPDX-License-Identifier: BSD-2-Clause
// Privileged tasks: threads of the kernel image with a stack of their own. They run under the node lock and give it up
// only inside these calls. They use the same transactions as guests.
#ifndef CORE_TASK_H
#define CORE_TASK_H

#include "core/event.h"
#include "core/txn.h"

// Starts fn(n, arg) as a task of node->kproc. NULL: no memory. When fn returns the task ends.
struct thread *task_spawn(struct node *n, const char *name, void (*fn)(struct node *n, void *arg), void *arg);
void task_free(struct node *n, struct thread *t); // an ended task, off its stack

struct task_result {
    uint64_t res[4];
    uint64_t len; // bytes of reply
};
// As SYS_TRANS. Returns status (>= 0, or the negative error). out may be NULL.
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
struct task_inline {
    struct task_request in;
    struct buf req, rep; // the guest's: req holds in.len bytes; rep is as long as a reply may be
    bool saved;          // operations may make threads ready
    // to be filled in
    int64_t status;
    uint64_t res[4];
    uint64_t len; // bytes put into rep
};

int task_getreq(struct node *n, uint64_t mask, struct buf buf, uint64_t timeout_ms, struct task_request *out);
// Waits until a long reply has reached the client.
int task_putrep(struct node *n, int64_t status, const uint64_t res[4], struct buf rep);
// Has the client of the request that this task serves cancelled it? A task_wait returns when it does; a call of the
// task's own is cancelled.
bool task_cancelled(struct node *n);
// As SYS_FORWARD: the client calls this instead.
int task_forward(struct node *n, const struct cap *cap, uint32_t op, const uint64_t arg[4]);
void task_sleep(struct node *n, uint64_t ns);
void task_yield(struct node *n);
// Serve port G as handle in kproc; returns the handle or a negative error.
int task_listen(struct node *n, struct port get, struct port *put);

#endif
