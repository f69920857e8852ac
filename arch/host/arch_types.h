// SPDX-License-Identifier: BSD-2-Clause
// What a process of Linux keeps in core's records (arch/arch.h): private to arch/host/. Included by arch/arch.h alone.
#ifndef ARCH_HOST_ARCH_TYPES_H
#define ARCH_HOST_ARCH_TYPES_H

#include <stdint.h>

// One Linux thread: the lock only asserts that it is used in pairs.
struct arch_lock {
    uint32_t held; // 0 or 1
};

struct translations;
struct arch_aspace {
    struct translations *map; // NULL before init
    uint32_t tables;          // there are no page tables: 0
};

struct context;
struct arch_ctx {
    struct context *context; // NULL: not yet switched to
};

struct arch_hart {
    uint64_t timer_at; // ns; UINT64_MAX: not set. The caller of host_node_step() looks at the timers itself
};

#endif
