// SPDX-License-Identifier: BSD-2-Clause
// Waiters: clients on other nodes that were told to wait for a process of this node, because it is stopped. They are
// told again when the process runs, here or elsewhere, so that no client sits out a retransmission interval after a
// move. A hint: there is room for WAITERS_MAX, the oldest is overwritten, and a client that is forgotten asks again by
// itself.
// And senders whose frame was sent on after a process that has moved.
// Callers: net/, node lock held.
#ifndef NET_WAITERS_H
#define NET_WAITERS_H

#include "net/wire.h"

struct node;

// The client that sent this request is being told to wait.
void waiters_note(struct node *n, const struct wire_hdr *request);
// The server runs again: its waiters are told to go on.
void waiters_tell_resumed(struct node *n, ep_t server);
// The server takes now what it held, or another does: its waiters look for the port again.
void waiters_tell_held(struct node *n, ep_t server);
// The server is at another node now: its waiters are told where.
void waiters_tell_moved(struct node *n, ep_t server, ep_t node);

// A frame came for a process that has moved away. Returns true if it is to be sent on and its sender told; false: one
// of the same kind, sender and transaction was, less than RETRY_FIRST_NS ago. The sender learns from the first where to
// send what it has, and should it not, then it sends again later. There is room for SENT_ON_MAX senders.
bool waiters_send_on(struct node *n, const struct wire_hdr *h);

#endif
