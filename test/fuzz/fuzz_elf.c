// SPDX-License-Identifier: BSD-2-Clause
// Arbitrary bytes as a program. What the loader accepts must be what it promises, and must become a descriptor that the
// kernel's own check takes.
#include "arch/arch.h"
#include "core/desc.h"
#include "core/panic.h"
#include "services/program.h"
#include "test/fuzz/fuzz.h"
#include "test/unit/files_bed.h"

#include <stdlib.h>

static int64_t read_memory(void *arg, uint64_t off, void *dst, size_t len)
{
    memcpy(dst, (const uint8_t *)arg + off, len); // the sanitizer checks that it lies inside
    return 0;
}

static void check_loads(const struct elf *e, size_t size)
{
    uint64_t end = 0;
    bool entry = false;
    ASSERT(e->nloads >= 1 && e->nloads <= ELF_LOADS_MAX);
    for (unsigned i = 0; i < e->nloads; i++) {
        const struct elf_load *l = &e->load[i];
        ASSERT(l->off <= size && l->file_len <= size - l->off);
        ASSERT(l->file_len <= l->mem_len && l->mem_len > 0);
        ASSERT(l->va >= USER_BASE && l->va < USER_END && l->mem_len <= USER_END - l->va);
        ASSERT((l->va & ~PAGE_MASK) >= end);
        end = (l->va + l->mem_len + PAGE_MASK) & ~PAGE_MASK;
        entry |= (l->flags & MAP_EXEC) && e->entry >= l->va && e->entry - l->va < l->file_len;
    }
    ASSERT(entry && e->end == end);
}

static void check_descriptor(const struct elf *e)
{
    static _Alignas(8) uint8_t desc[PROGRAM_DESC_MAX];
    const char *argv[] = {"fuzz"}, *why = NULL;
    const struct program p = {.name = "fuzz", .elf = e, .argc = 1, .argv = argv};
    const struct cap file = {.port = {{1, 2}}}, startup = {.port = {{3, 4}}}, owner = {.obj_rights = 0};
    memset(desc, 0, sizeof desc);
    uint64_t len = program_descriptor(&p, &file, &startup, &owner, desc);
    struct buf b = buf_kernel(desc, len);
    struct desc_info info;
    ASSERT(desc_check(NULL, &b, ISA_RV64GC, &info, &why) == 0); // buffers in kernel memory need no node
}

int fuzz_one(const uint8_t *data, size_t size)
{
    const struct elf_file f = {.read = read_memory, .arg = (void *)(uintptr_t)data, .len = size};
    struct elf e;
    char name[40];
    uint64_t off;
    if (elf_parse(&e, &f) == NULL) {
        check_loads(&e, size);
        check_descriptor(&e);
    }
    if (elf_function(&f, BED_ENTRY, name, sizeof name, &off))
        ASSERT(strlen(name) > 0 && strlen(name) < sizeof name);
    return 0;
}

size_t fuzz_seed(unsigned i, uint8_t *buf, size_t max)
{
    struct bed_elf e;
    bed_elf(&e);
    if (i > 1 || max < sizeof e)
        return 0;
    if (i == 1) { // one more load in place of the segment that is passed over
        e.p[2] = e.p[0];
        e.p[2].vaddr = 0x40000;
    }
    memcpy(buf, &e, sizeof e);
    return sizeof e;
}
