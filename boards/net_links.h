// SPDX-License-Identifier: BSD-2-Clause
// The network links of a node: what drivers found, in an order that is the same at every boot. Callers: boot hart only,
// node lock held.
#ifndef BOARDS_NET_LINKS_H
#define BOARDS_NET_LINKS_H

#include "net/net.h"

#define NET_LINKS_MAX 8u

// Called by a driver's start() for each link that works: mac, payload_max, send, driver and up are set; mac as the
// device says it. start(l) is called once the node has the link; until then the driver must not give it a frame.
// Returns NULL, or why the node does not take the link: the driver gives the device up.
const char *net_links_found(struct link *l, void (*start)(struct link *l));
// Names all links that were found net0.. in the order of their MAC addresses, for that of the devices may be any
// (QEMU's is the reverse of the command line's), hands them to the node and starts them.
void net_links_start(struct node *n);

#endif
