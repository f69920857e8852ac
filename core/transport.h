// SPDX-License-Identifier: BSD-2-Clause
// What a node asks of its network, if it has one: node->transport, which net/ sets (net/xfer.c) and tests replace. What
// is asked for a transaction is asked once, and nothing answers: retransmission is core's, by its timers; what frames
// bring comes by core/txn_net.h. Callers do not know how it is sent, or whether.
// Callers: node lock held.
#ifndef CORE_TRANSPORT_H
#define CORE_TRANSPORT_H

#include "core/types.h"

struct node;
struct proc;
struct rec;
struct thread;

struct link_status { // what a link is, and has done since boot
    char name[8];
    bool up;
    uint32_t payload_max;             // bytes behind the wire header
    uint64_t tx, rx, tx_drop, rx_bad; // frames
};

struct transport {
    // The call has something due (txn_call_sends). Endpoint or port unknown: look for it, then txn_kick_call or
    // txn_refused.
    void (*request)(struct node *n, struct thread *t);
    // Acknowledge what of the request is there, with "wait" for QUEUED, "working" for SERVE.
    void (*request_ack)(struct node *n, struct rec *r);
    // Send the unacknowledged part of the reply, or the forward.
    void (*reply)(struct node *n, struct rec *r);
    // The client of this call goes and wants no answer: tell its server once, if it is known where it is.
    void (*cancel)(struct node *n, struct thread *t);
    // The client of this call stands still, in the middle of its request or of the reply: tell its server once, if it
    // is known where it is.
    void (*still)(struct node *n, struct thread *t);
    // The process has left for another node (migration committed) / has arrived here.
    void (*moved_away)(struct node *n, struct proc *p, ep_t target_node);
    void (*arrived)(struct node *n, struct proc *p);
    // The process runs again: clients that were told to wait for it may go on. Of kproc: a request that was held
    // (policy->holds) may be taken now, here or elsewhere: its client looks for the port again.
    void (*resumed)(struct node *n, struct proc *p);
    // Who else has this endpoint, of which there is a copy here, in doubt? The answer is policy->ep_found, or nothing.
    void (*ask_ep)(struct node *n, ep_t ep);
    // Does another node serve this port? The server found last is asked, then the ring, for LOCATE_GIVE_UP_NS at most.
    // The server itself does not notice. The answer is policy->port_found, or nothing. false: no link is up.
    bool (*ask_port)(struct node *n, struct port port);
    // For the node service. Fills in *out for link number i, from 0. False if there are fewer links.
    bool (*link_status)(struct node *n, unsigned i, struct link_status *out);
    // For the node service. One frame with `payload` bytes to the neighbour on link number i, and back. Returns 0, or
    // E_ARG: no such link, or a frame too long for it; E_TIMEOUT. Callers: tasks (may sleep).
    int (*link_echo)(struct node *n, unsigned i, uint32_t payload);
};

#endif
