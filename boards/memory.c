// SPDX-License-Identifier: BSD-2-Clause
// Memory for the node's pages.
#include "boards/memory.h"

#include "arch/riscv/boot.h"
#include "core/node.h"
#include "core/panic.h"

// The table of pages needs 2 bytes for each page from the first to the last, holes included. Ranges so far away that
// the table would take more than 1/8 of the memory before them are left alone. Returns how many ranges are used.
static unsigned choose_ranges(const struct range *ram, unsigned nram, uint64_t *table_bytes)
{
    uint64_t bytes = 0;
    unsigned i;
    *table_bytes = 0;
    for (i = 0; i < nram; i++) {
        bytes += ram[i].to - ram[i].from;
        uint64_t needs = PAGE_TABLE_LEN((ram[i].to - ram[0].from) >> PAGE_SHIFT) * sizeof(uint16_t);
        if (i > 0 && needs > bytes / 8)
            break;
        *table_bytes = (needs + PAGE_MASK) & ~PAGE_MASK;
    }
    return i;
}

// Returns which range the table is cut off from, at its end; nram if none is large enough.
static unsigned range_for_table(const struct range *ram, unsigned nram, uint64_t table_bytes)
{
    unsigned i = 0;
    while (i < nram && ram[i].to - ram[i].from <= table_bytes)
        i++;
    return i;
}

bool memory_give(struct node *n, const struct machine *m)
{
    uint64_t table_bytes;
    unsigned nram = choose_ranges(m->ram, m->nram, &table_bytes);
    unsigned carved = range_for_table(m->ram, nram, table_bytes);
    if (carved == nram)
        return false;
    uint64_t base = m->ram[0].from, end = m->ram[nram - 1].to, table = m->ram[carved].to - table_bytes;
    if (carved == nram - 1)
        end = table;
    ASSERT(base < end && ((base | end | table) & PAGE_MASK) == 0);
    page_init(n, arch_direct(base, 0), (end - base) >> PAGE_SHIFT, arch_direct(table, table_bytes));
    for (unsigned i = 0; i < nram; i++)
        page_add_range(n, arch_direct(m->ram[i].from, 0), arch_direct(i == carved ? table : m->ram[i].to, 0));
    return true;
}
