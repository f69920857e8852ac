// SPDX-License-Identifier: BSD-2-Clause
// What services need of net/ and of the drivers and may not include: given to them as functions at boot.
#ifndef BOARDS_GLUE_H
#define BOARDS_GLUE_H

struct machine;
struct node;

// After services_start(). Link statistics and the echo of the bare link for the node service; characters from the UART
// for the console; what was loaded beside the kernel for the store; a shell when the boot arguments ask for one.
void glue_start(struct node *n, const struct machine *m);

#endif
