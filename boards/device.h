// SPDX-License-Identifier: BSD-2-Clause
// What a driver reads of its device's node in the tree. Property names and formats: Devicetree Specification 0.4, 2.2
// and 2.3; bindings of single devices as in Linux, Documentation/devicetree/bindings.
//
// The tree comes from outside: a property may be missing, have any length, and contain anything. Callers: boot hart
// only, before other harts start.
#ifndef BOARDS_DEVICE_H
#define BOARDS_DEVICE_H

#include "boards/machine.h"

// Returns the bytes of the property `name` and how many in *len, or NULL: there is none, *len = 0.
const uint8_t *device_property(const struct device *d, const char *name, uint32_t *len);
// Returns the property `name` as a number of one cell; `otherwise`, the default, if there is none, and with a warning
// if it has another length.
uint32_t device_number(const struct device *d, const char *name, uint32_t otherwise);
// Says what is wrong with the device: "device tree: NAME: ...".
void device_warn(const struct device *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// Says what is wrong with the tree. After a while machine_warn() says no more, for each line may go to a slow console.
void machine_warn(struct machine *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Returns the 32 bits of a cell: big-endian, at any address.
static inline uint32_t cell_read(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

#endif
