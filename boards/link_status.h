// SPDX-License-Identifier: BSD-2-Clause
// What the node service and the benchmark say of links: services may not know net/, so they are lent functions.
#ifndef BOARDS_LINK_STATUS_H
#define BOARDS_LINK_STATUS_H

struct node;

// Lends the services statistics of the links, and the echo of a bare link. Callers: after services_start().
void link_status_lend(struct node *n);

#endif
