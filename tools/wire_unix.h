// SPDX-License-Identifier: BSD-2-Clause
// Link driver of a node that is a Linux process: one Ethernet frame is one datagram between unix sockets, as
// QEMU's `-netdev dgram` has it. Two shapes:
//   a cable: one peer, whose socket may come, go and come back
//   a switch: any number of peers (the commands); which address has which MAC is learned from what they
//   send, forgotten when their socket is gone, and frames between two of them are passed on
// Callers: one thread; nothing here locks.
#ifndef TOOLS_WIRE_UNIX_H
#define TOOLS_WIRE_UNIX_H

#include "net/net.h"
#include "tools/loop.h"

struct wire;

// In the run directory (rundir_enter). local: name of our socket, made afresh. remote: the peer's, NULL for a switch.
// The wire is given to the loop and, as a link, to the node; it stays for ever. Returns it, or NULL after saying why.
struct wire *wire_open(struct loop *l, const char *name, const uint8_t mac[6], const char *local, const char *remote);

// gone() is called when nobody has the peer's socket any more (a cable; on a switch peers come and go).
void wire_on_gone(struct wire *w, void (*gone)(void));

// The wires of a node, in the order in which they were opened. Returns the one after this one; after NULL the first,
// after the last NULL.
struct wire *wire_next(const struct node *n, const struct wire *after);
// Returns the link that the node knows it by.
const struct link *wire_link(const struct wire *w);

#endif
