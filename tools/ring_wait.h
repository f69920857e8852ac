// SPDX-License-Identifier: BSD-2-Clause
// Waiting until all nodes of a ring that was just started answer.
#ifndef TOOLS_RING_WAIT_H
#define TOOLS_RING_WAIT_H

#include "tools/ring.h"

// Joins the ring and prints a line for each node that comes up: one whose boot directory gives its status. Returns
// EXIT_OK, or another exit status after saying why: EXIT_FAILED, a node ended or none came for a long time (30 s on a
// quiet machine); then logs stay, and their ends are printed. Callers: not in the run directory; not as a task.
int ring_wait(struct ring *r);
// For the one node of that name; quiet: no line is printed. The others may be in any state. Returns as ring_wait().
// Callers: as of ring_wait().
int ring_wait_for(struct ring *r, const char *node, bool quiet);

#endif
