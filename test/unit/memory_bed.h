// SPDX-License-Identifier: BSD-2-Clause
// Processes, segments and a guest's accesses, for tests of memory. A guest's access faults as a hart's would, and only
// when it would.
#ifndef TEST_UNIT_MEMORY_BED_H
#define TEST_UNIT_MEMORY_BED_H

#include "test/unit/unit.h"

#include "arch/host/host.h"
#include "core/abi.h"
#include "core/map.h"
#include "core/proc.h"
#include "core/seg.h"

#define RW (MAP_READ | MAP_WRITE)

static inline struct seg *new_seg(struct node *n, uint64_t len)
{
    struct seg *s = NULL;
    assert_int_equal(seg_create(n, len, &s), 0);
    return s;
}

static inline struct proc *new_proc(struct node *n)
{
    struct proc *p = NULL;
    assert_int_equal(proc_create(n, EP_NONE, &p), 0);
    return p;
}

// All of s at va; the caller keeps his reference.
static inline void map(struct node *n, struct proc *p, uint64_t va, struct seg *s, uint32_t flags)
{
    seg_hold(s);
    assert_int_equal(proc_map(n, p, va, s->len, s, 0, flags), 0);
}

// *byte: where the guest's access at va (PROT_R, PROT_W) goes. 0 or the fault's error.
static inline int guest_at(struct node *n, struct proc *p, uint64_t va, unsigned prot, void **byte)
{
    uint8_t *page = arch_host_page(&p->aspace, va, prot);
    if (!page) {
        int r = proc_fault(n, p, va, prot);
        if (r < 0)
            return r;
        page = arch_host_page(&p->aspace, va, prot);
    }
    assert_non_null(page);
    *byte = page + (va & PAGE_MASK);
    return 0;
}

#endif
