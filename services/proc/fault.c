// SPDX-License-Identifier: BSD-2-Clause
// Faults in words. Only reads the process, so a test needs no node that runs.
#include "services/proc/fault.h"
#include "core/abi.h"
#include "core/entry.h"
#include "core/error.h"
#include "core/map.h"

#include <stdio.h>

#define BELOW_STACK (64 * KIB) // a frame is seldom larger

const char *fault_name(uint32_t kind)
{
    static const char *const names[] = {
        [FAULT_READ] = "read from",
        [FAULT_WRITE] = "write to",
        [FAULT_EXEC] = "jump to",
        [FAULT_ILLEGAL] = "illegal instruction",
        [FAULT_BREAK] = "breakpoint",
        [FAULT_MISALIGNED] = "misaligned access to",
        [FAULT_ACCESS] = "no memory behind",
        [FAULT_OTHER] = "exception",
    };
    const char *name = kind < sizeof names / sizeof names[0] ? names[kind] : NULL;
    return name ? name : "?";
}

// True if va lies less than BELOW_STACK below a stack that could not grow there.
static bool below_stack(const struct proc *p, uint64_t va)
{
    for (uint32_t i = 0; i < p->nmaps; i++) {
        const struct map *m = p->maps[i];
        if ((m->flags & MAP_GROW_DOWN) && va < m->va && m->va - va <= BELOW_STACK)
            return true;
    }
    return false;
}

void fault_reason(struct proc *p, char text[FAULT_REASON_MAX])
{
    const size_t size = FAULT_REASON_MAX;
    uint64_t va = p->fault.addr;
    text[0] = 0;
    if (p->fault.kind != FAULT_READ && p->fault.kind != FAULT_WRITE && p->fault.kind != FAULT_EXEC)
        return;
    const struct map *m = proc_find_map(p, va);
    if (p->fault.error == -E_MEM)
        (void)snprintf(text, size, ", no memory is left");
    else if (p->fault.error == -E_LIMIT)
        (void)snprintf(text, size, ", the stack is full: limit");
    else if (m && map_run(m, va) == 0)
        (void)snprintf(text, size, ", guard page below a stack");
    else if (m)
        (void)snprintf(text, size, ", mapped %c%c%c", m->flags & MAP_READ ? 'r' : '-', m->flags & MAP_WRITE ? 'w' : '-',
                       m->flags & MAP_EXEC ? 'x' : '-');
    else if (va < USER_BASE)
        (void)snprintf(text, size, ", a null pointer");
    else if (va >= USER_END)
        (void)snprintf(text, size, ", no address of a program");
    else if (below_stack(p, va))
        (void)snprintf(text, size, ", the stack is full");
    else
        (void)snprintf(text, size, ", nothing is there");
}
