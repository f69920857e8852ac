// SPDX-License-Identifier: BSD-2-Clause
// The seed of the node's random numbers.
#ifndef BOARDS_ENTROPY_H
#define BOARDS_ENTROPY_H

#include "boards/machine.h"

// Fills buf with len random bytes, 16..64: from the seed that the firmware left in the device tree if there is one
// (QEMU and U-Boot do), and always from time and cycle counters, which differ a little from boot to boot. Returns false
// if only from those: an attacker who knows the machine may guess the bytes. Callers: boot hart, after
// arch_configure().
bool entropy_gather(const struct machine *m, void *buf, size_t len);

#endif
