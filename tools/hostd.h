// SPDX-License-Identifier: BSD-2-Clause
// The host daemon: the node called "host". It forwards between its two cables, so the ring is closed through it; its
// boot directory is where guests meet ("dir"); its third link is the switch that commands plug into.
#ifndef TOOLS_HOSTD_H
#define TOOLS_HOSTD_H

// rotifer hostd [--nodes N] [--lock FD]: runs until SIGTERM. Internal: `rotifer ring up` starts it.
int hostd_main(int argc, char **argv);

#endif
