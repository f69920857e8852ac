// SPDX-License-Identifier: BSD-2-Clause
// One order at a time for each process. A move (migrate.c) and a change (change.c) take long and must not be disturbed;
// while one of them has the process, every other order for it waits here for the end. Without this, a process could be
// resumed, changed or destroyed after its descriptor was sent, and then run twice, or as it was before.
// Callers: node lock held; tasks.
#ifndef SERVICES_PROC_ORDER_H
#define SERVICES_PROC_ORDER_H

#include "core/node.h"

struct txn_request;

enum order_kind { ORDER_MOVE, ORDER_CHANGE };

struct order {            // embedded in the record of the move or of the change
    struct list link;     // [N] proc_service.orders
    ep_t ep;              // [I] of the process, which is looked up again after each wait
    enum order_kind kind; // [I]
    bool given_up;        // [N] ORDER_CHANGE: the process is to be destroyed, so the change stops filling segments
};

// The order has the process from now on. It must have none: order_busy.
void order_begin(struct node *n, struct order *o, const struct proc *p, enum order_kind kind);
// The order is over; tasks that wait for the process look again.
void order_end(struct node *n, struct order *o);
// True if an order has this process: nobody else may change its state.
bool order_busy(struct node *n, ep_t ep);
// The process is to be destroyed: a change under way gives up after its present transaction. A move goes on: only the
// target's answer may end it.
void order_give_up(struct node *n, ep_t ep);
// Blocks until the process has no order and is not about to stop. Returns it, or NULL: it ended or left meanwhile, and
// *gone says why: E_OBJECT (it has ended) or E_NOTHERE (it may be elsewhere: the order goes after it).
struct proc *order_wait(struct node *n, ep_t ep, int *gone);
// policy.holds (core/node.h). Returns true if the request is an order to a process that moves. It waits at this node's
// control port as at a stopped process, with no task or record, and goes on with the process or here. Questions are
// answered meanwhile. Or it is an order to move, and MOVES_MAX others are under way.
// Callers: core.
bool order_holds(struct node *n, const struct txn_request *q);
// The oldest order of this kind, or NULL: there is none. For taking everything down.
struct order *order_first(struct node *n, enum order_kind kind);

#endif
