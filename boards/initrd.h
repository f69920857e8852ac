// SPDX-License-Identifier: BSD-2-Clause
// What a boot loader loaded beside the kernel.
#ifndef BOARDS_INITRD_H
#define BOARDS_INITRD_H

#include "boards/machine.h"

struct node;

// Gives the boot archive, if there is one, to the service that keeps it. Callers: after services_start().
void initrd_give(struct node *n, const struct range *initrd);

#endif
