// SPDX-License-Identifier: BSD-2-Clause
// Drivers. A machine is a list of devices, which are bound by `compatible`: the first name in a node's list that a
// driver knows decides (Devicetree Specification 0.4, 2.3.1: from the most specific to the most general).
//
// A new driver is a file that defines `const struct driver NAME_driver`, and NAME in the table of boards/drivers.c. A
// device is never trusted: what it says about itself, and every number that it writes, is checked before use, and a
// device that lies is given up with a line that quotes the value.
#ifndef BOARDS_DRIVER_H
#define BOARDS_DRIVER_H

#include "boards/device.h"

struct node;

struct driver {
    const char *const *compatible; // names that it knows; NULL behind the last
    uint64_t regs_min_bytes;       // registers that it touches: a device that has fewer is left alone
    // Either may be NULL, and neither can fail the boot: a device that is of no use is left alone, and said so.
    // Takes the device over: nothing but its registers may be touched. There is no memory to be had yet.
    void (*claim)(const struct device *d);
    // Puts it to work: the node is there, and interrupts can be had, if there is a controller (plic_handle).
    void (*start)(struct node *n, const struct device *d);
};

// Returns the driver that knows the name, or NULL: none does. Callers: any context.
const struct driver *driver_find(const char *compatible);
// claim() of every device, and before all others of m->console: what claims the console first has it. Callers: boot
// hart only, before there is a node.
void drivers_claim(const struct machine *m);
// start() of every device. Callers: boot hart only, node lock held.
void drivers_start(struct node *n, const struct machine *m);

#endif
