// SPDX-License-Identifier: BSD-2-Clause
// Network ports: one struct link for each virtio-net device.
#ifndef BOARDS_VIRTIO_NET_H
#define BOARDS_VIRTIO_NET_H

#include "boards/dt.h"
#include "net/link.h"

#define VNETS_MAX 8

// Takes all the devices there are, names them net0.. in the order of their MAC addresses (that of the slots is the
// reverse of the command line's), hands them to the node and starts them. Answers how many.
unsigned vnet_start(struct node *n, const struct machine *m);
const struct link *vnet_link(unsigned i);

#endif
