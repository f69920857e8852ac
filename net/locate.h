// SPDX-License-Identifier: BSD-2-Clause
// Where is an endpoint, who serves a port: bounded caches, learned from traffic, corrected by "not here" and "moved
// to", filled by flooding with growing hop counts. Broadcasts per second are bounded: one question about a thing at a
// time, however many threads wait for it (mechanisms.md row 26).
#ifndef NET_LOCATE_H
#define NET_LOCATE_H

#include "net/link.h"

// Node that has the endpoint: this node's own when it lives here; EP_NONE: not known (nothing is asked).
ep_t locate_ep(struct node *n, ep_t ep);
// Endpoint that serves the port on another node; EP_NONE: not known.
ep_t locate_port(struct node *n, struct port p);
// Asks the ring. When the answer comes the caches know and net_found_ep / net_found_port are called. Asked again while
// a question is open: nothing more is sent. A question ends unanswered by itself (LOCATE_GIVE_UP_NS).
void locate_ask_ep(struct node *n, ep_t ep);
void locate_ask_port(struct node *n, struct port p);
// Is the port still served? Who is known to serve it is asked alone, and the ring only when he does not answer at once.
// Tells as locate_ask_port does; what the caches know is not taken for an answer.
void locate_check_port(struct node *n, struct port p);
// Every frame from another node teaches where its source endpoint is.
void locate_learn_ep(struct node *n, ep_t ep, ep_t node);
void locate_learn_port(struct node *n, struct port p, ep_t server, ep_t node);
void locate_forget_ep(struct node *n, ep_t ep);
void locate_forget_port(struct node *n, struct port p);

// "Moved to", left behind by a hand-off for MOVED_LIFE_NS. Answers EP_NONE when there is none.
void locate_set_moved(struct node *n, ep_t ep, ep_t node);
ep_t locate_moved(struct node *n, ep_t ep);
void locate_clear_moved(struct node *n, ep_t ep); // it came back

// Implemented in net/xfer.c: an answer came; calls that wait for it go on at once.
void net_found_ep(struct node *n, ep_t ep);
void net_found_port(struct node *n, struct port p);

#endif
