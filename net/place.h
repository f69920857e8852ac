// SPDX-License-Identifier: BSD-2-Clause
// Places: on which node an endpoint is, and which endpoint serves a port: what lives here, caches of bounded size, and
// "moved to". All but the first may be wrong by the time it is used; then a "not here" or silence comes, and the user
// forgets it and asks (net/question.h). So nothing here needs an expiry but "moved to", which would make wrong answers
// for ever.
// Callers: net/, node lock held.
#ifndef NET_PLACE_H
#define NET_PLACE_H

#include "core/types.h"

struct node;

// --- Here

// Returns true if the endpoint lives here: it is this node's own, or that of a process here.
bool place_is_here(struct node *n, ep_t ep);
// Returns true if what lives here is a copy in doubt: another node may have the process (core/proc.h).
bool place_in_doubt(struct node *n, ep_t ep);
// Returns true if what serves the port here is one, or the port is the control port of one.
bool place_server_in_doubt(struct node *n, struct port port);
// Returns the endpoint of this node that serves the port, EP_NONE: none does.
ep_t place_server_here(struct node *n, struct port port);

// --- As far as known. Nothing is asked.

// Returns the node that has the endpoint, this node when it lives here; EP_NONE: not known.
ep_t place_node(struct node *n, ep_t ep);
// Returns the endpoint that serves the port on another node; EP_NONE: not known.
ep_t place_server(struct node *n, struct port port);
// Notes where the endpoint is. Returns false: there is nothing to learn. It lives here, and news that say otherwise are
// old or forged.
bool place_note(struct node *n, ep_t ep, ep_t node);
// Notes who serves the port, and where. Returns as place_note().
bool place_note_server(struct node *n, struct port port, ep_t server, ep_t node);
// What was known led nowhere.
void place_forget(struct node *n, ep_t ep);
void place_forget_server(struct node *n, struct port port); // place_forget_server: of a port, likewise
// Calls found() for every endpoint that is known to be at the node. found() may look things up and note them.
void place_each_at(struct node *n, ep_t node, void (*found)(struct node *n, ep_t ep));

// --- "Moved to", left behind for MOVED_LIFE_NS by a process that has gone

// The endpoint has left this node for another.
void place_set_moved(struct node *n, ep_t ep, ep_t node);
// Returns the node that the endpoint has left this one for; EP_NONE: it has not, lately.
ep_t place_moved(struct node *n, ep_t ep);
// The endpoint came back.
void place_clear_moved(struct node *n, ep_t ep);

#endif
