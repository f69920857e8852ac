// SPDX-License-Identifier: BSD-2-Clause
// Faults in words: what a process did when it was stopped, and why that could not be.
// Callers: node lock held; nothing here blocks or changes anything.
#ifndef SERVICES_PROC_FAULT_H
#define SERVICES_PROC_FAULT_H

#include "core/proc.h"

#define FAULT_REASON_MAX 32u // bytes of a reason, with its zero

// Returns what a fault was: "write to", "illegal instruction"...; kind is enum fault_kind of core/entry.h, others: "?".
const char *fault_name(uint32_t kind);
// Why p->fault could not be carried out, as far as the list of maps says: ", guard page below a stack". Empty for
// faults that are no access.
void fault_reason(struct proc *p, char text[FAULT_REASON_MAX]);

#endif
