// SPDX-License-Identifier: BSD-2-Clause
// The interrupt controller: RISC-V Platform-Level Interrupt Controller Specification 1.0.
#ifndef BOARDS_PLIC_H
#define BOARDS_PLIC_H

#include <stdbool.h>

#include "boards/dt.h"

struct node;

// All device interrupts go to the boot hart's S-mode. False: there is none to use.
bool plic_init(const struct machine *m);
// From now on fn(arg) is called, with the node lock held, while irq is pending. False: bad number.
bool plic_handle(uint32_t irq, void (*fn)(void *arg), void *arg);
// node->irq: serves what is pending.
void plic_dispatch(struct node *n);

#endif
