// SPDX-License-Identifier: BSD-2-Clause
// Memory of the device tree: what is there, minus what is in use (by the firmware, the image, the tree itself, and the
// initrd).
#include "boards/dt_priv.h"

#include <libfdt.h>
#include <string.h>

#include "core/panic.h"

static void add_hole(struct reader *r, uint64_t from, uint64_t to)
{
    if (from >= to)
        return;
    if (r->nholes == sizeof r->hole / sizeof r->hole[0]) {
        // Rather too little memory than memory that is in use.
        machine_warn(r->m, "too many reserved ranges: the last ones are taken as one");
        struct range *last = &r->hole[r->nholes - 1];
        last->from = from < last->from ? from : last->from;
        last->to = to > last->to ? to : last->to;
        return;
    }
    ASSERT(r->nholes < sizeof r->hole / sizeof r->hole[0]);
    r->hole[r->nholes++] = (struct range){from, to};
}

static void add_ram(struct reader *r, struct range at)
{
    struct machine *m = r->m;
    m->ram_bytes += at.to - at.from;
    if (at.to > ADDRESS_MAX) {
        machine_warn(m, "memory above 128 GiB is not used: it ends at 0x%llx", (unsigned long long)at.to);
        at.to = ADDRESS_MAX;
    }
    at.from = (at.from + PAGE_MASK) & ~PAGE_MASK;
    at.to &= ~PAGE_MASK;
    if (at.from >= at.to)
        return;
    for (unsigned i = 0; i < m->nram; i++)
        if (at.from < m->ram[i].to && m->ram[i].from < at.to) {
            machine_warn(m, "memory ranges overlap: the one at 0x%llx is ignored", (unsigned long long)at.from);
            return;
        }
    if (m->nram == RANGES_MAX) {
        machine_warn(m, "too many memory ranges: the one at 0x%llx is not used", (unsigned long long)at.from);
        return;
    }
    m->ram[m->nram++] = at;
}

// Takes the range out of the memory, in whole pages.
static void punch(struct reader *r, struct range hole)
{
    struct machine *m = r->m;
    hole.from &= ~PAGE_MASK;
    hole.to = hole.to > UINT64_MAX - PAGE_MASK ? UINT64_MAX & ~PAGE_MASK : (hole.to + PAGE_MASK) & ~PAGE_MASK;
    for (unsigned i = 0; i < m->nram; i++) {
        struct range *ram = &m->ram[i];
        if (hole.from >= ram->to || hole.to <= ram->from)
            continue;
        if (hole.from > ram->from && hole.to < ram->to) { // in the middle: two remain
            if (m->nram < RANGES_MAX)
                m->ram[m->nram++] = (struct range){hole.to, ram->to};
            else
                machine_warn(m, "memory in too many pieces: that from 0x%llx on is not used",
                             (unsigned long long)hole.to);
            ram->to = hole.from;
        } else if (hole.from > ram->from) {
            ram->to = hole.from;
        } else if (hole.to < ram->to) {
            ram->from = hole.to;
        } else {
            ram->to = ram->from;
        }
    }
}

// Sorts the ranges by address, and drops those that the holes have emptied.
static void sort_ram(struct machine *m)
{
    unsigned n = 0;
    for (unsigned i = 0; i < m->nram; i++)
        if (m->ram[i].from < m->ram[i].to)
            m->ram[n++] = m->ram[i];
    m->nram = n;
    for (unsigned i = 1; i < n; i++)
        for (unsigned j = i; j > 0 && m->ram[j].from < m->ram[j - 1].from; j--) {
            struct range x = m->ram[j];
            m->ram[j] = m->ram[j - 1];
            m->ram[j - 1] = x;
        }
}

void dt_visit_memory(struct reader *r)
{
    struct range at;
    for (uint32_t i = 0; dt_enabled(r) && dt_reg(r, i, &at); i++)
        add_ram(r, at);
}

void dt_visit_reserved(struct reader *r)
{
    struct range hole;
    for (uint32_t i = 0; dt_reg(r, i, &hole); i++) {
        add_hole(r, hole.from, hole.to);
        r->firmware_reserved |= hole.from < r->q->image.from;
    }
}

// Adds the list of reserved ranges that stands before the tree; section 5.3.
static void read_reserved_list(struct reader *r)
{
    uint64_t at, len;
    int n = fdt_num_mem_rsv(r->q->fdt);
    if (n < 0)
        machine_warn(r->m, "the list of reserved memory has no end: ignored");
    for (int i = 0; i < n; i++)
        if (fdt_get_mem_rsv(r->q->fdt, i, &at, &len) == 0 && len <= UINT64_MAX - at)
            add_hole(r, at, at + len);
}

void dt_read_initrd(struct reader *r)
{
    const struct value *from = &r->property[P_INITRD_START], *to = &r->property[P_INITRD_END];
    if ((from->len != 4 && from->len != 8) || (to->len != 4 && to->len != 8))
        return;
    r->m->initrd = (struct range){dt_cells(from->at, from->len / 4), dt_cells(to->at, to->len / 4)};
    add_hole(r, r->m->initrd.from, r->m->initrd.to);
}

// The initrd will be read as memory, so it must lie in memory. Called before the holes are taken out.
static void check_initrd(struct reader *r)
{
    struct range *at = &r->m->initrd;
    if (at->to == 0)
        return;
    for (unsigned i = 0; i < r->m->nram && at->from < at->to; i++)
        if (at->from >= r->m->ram[i].from && at->to <= r->m->ram[i].to)
            return;
    machine_warn(r->m, "the initrd lies in no memory, at 0x%llx to 0x%llx: ignored", (unsigned long long)at->from,
                 (unsigned long long)at->to);
    *at = (struct range){0, 0};
}

void dt_finish_memory(struct reader *r)
{
    struct machine *m = r->m;
    const struct range *image = &r->q->image;
    read_reserved_list(r);
    check_initrd(r);
    add_hole(r, image->from, image->to);
    add_hole(r, r->q->fdt_pa, r->q->fdt_pa + fdt_totalsize(r->q->fdt));
    if (!r->firmware_reserved) {
        for (unsigned i = 0; i < m->nram; i++)
            if (image->from >= m->ram[i].from && image->from < m->ram[i].to) {
                if (image->from - m->ram[i].from > 0)
                    machine_warn(r->m, "firmware memory not marked: none below the kernel is used");
                add_hole(r, m->ram[i].from, image->from);
            }
    }
    for (unsigned i = 0; i < r->nholes; i++)
        punch(r, r->hole[i]);
    sort_ram(m);
    for (unsigned i = 0; i < m->nram; i++)
        ASSERT(m->ram[i].from < m->ram[i].to && (i == 0 || m->ram[i - 1].to <= m->ram[i].from));
}
