// SPDX-License-Identifier: BSD-2-Clause
// Segment service: segments by transaction. What it answers is in protocol/seg.h.
// Callers: node lock held.
#ifndef SERVICES_SEG_H
#define SERVICES_SEG_H

struct node;

// Returns how many segments OP_SEG_CREATE keeps alive.
unsigned seg_made(const struct node *n);

#endif
