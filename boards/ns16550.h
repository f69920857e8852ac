// SPDX-License-Identifier: BSD-2-Clause
// The binding of NS16550 serial ports, apart for its tests.
#ifndef BOARDS_NS16550_H
#define BOARDS_NS16550_H

#include "boards/device.h"

struct ns16550_shape {
    uint32_t shift; // registers are 1 << shift bytes apart: 0..3
    uint32_t width; // and that many bytes wide: 1, or 4
};

// Reads reg-shift and reg-io-width. False if the registers are of a shape that we do not know, and then a warning.
// Callers: boot hart only.
bool ns16550_shape(const struct device *d, struct ns16550_shape *shape);

#endif
