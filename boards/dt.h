// SPDX-License-Identifier: BSD-2-Clause
// Reads the device tree, once: harts, memory, boot arguments, and a list of the devices that a driver knows. Property
// names and formats: Devicetree Specification 0.4.
//
// The tree comes from outside. Whatever is wrong in it gives a warning and a safe default (a hart, a memory range or a
// device less), never a crash. Compiles for the host too, for tests with the trees of real boards.
#ifndef BOARDS_DT_H
#define BOARDS_DT_H

#include "boards/machine.h"

#define DT_MAX_BYTES (2 * MIB)

struct dt_request {
    const void *fdt; // readable for DT_MAX_BYTES, or as far as its header says; stays where it is
    uint64_t fdt_pa;
    uint64_t boot_hartid;
    struct range image; // where the kernel lies
    void (*warn)(const char *text);
};

// Fills *m. False if there is no tree at all: *m then has what can be assumed without one. Callers: boot hart only,
// once.
bool dt_read(const struct dt_request *q, struct machine *m);

#endif
