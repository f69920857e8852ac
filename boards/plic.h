// SPDX-License-Identifier: BSD-2-Clause
// The interrupt controller: RISC-V Platform-Level Interrupt Controller Specification 1.0.
#ifndef BOARDS_PLIC_H
#define BOARDS_PLIC_H

#include "boards/device.h"

struct node;

// True if there is a controller that serves the boot hart. Callers: boot hart, after drivers_claim().
bool plic_present(void);
// From now on fn(arg) is called while the interrupt irq is pending, on the boot hart, with the node lock held. False if
// there is no controller, or it has no such interrupt. Callers: boot hart, node lock held.
bool plic_handle(uint32_t irq, void (*fn)(void *arg), void *arg);
// node->irq: serves what is pending. Callers: node lock held.
void plic_dispatch(struct node *n);

// --- The binding, apart for its tests ------------------------------------------------------------

// Finds in *context the context for the S-mode of the hart whose interrupt controller node has this phandle. False if
// the device d serves none. Callers: boot hart only.
bool plic_context(const struct device *d, uint32_t phandle, uint32_t *context);
// Returns the highest number of an interrupt, 0..1023. Callers: boot hart only.
uint32_t plic_irqs(const struct device *d);

#endif
