// SPDX-License-Identifier: BSD-2-Clause
// The chain of calls, by frame pointers: at s0 - 8 the return address, at s0 - 16 the caller's s0 (GCC with
// -fno-omit-frame-pointer). Ends at the first link that does not look like one.
//
// Names come from a table made after a first link (tools/mksyms.py) and added in a second one:
//
//   count | offset of text from _start, offset of name (4 + 4 bytes, ascending), ... | names
//
#include <stdio.h>

#include "arch/riscv/csr.h"
#include "arch/riscv/hart.h"

#define FRAMES_MAX 32
#define FRAME_MAX_BYTES 65536 // a caller's frame lies above, and not far

struct symbol {
    uint32_t at, name;
};
extern const uint8_t _start[], _etext[], _symbols[], _erodata[];

static const char *name_of(uint64_t pc, uint64_t *offset)
{
    const uint32_t *head = (const uint32_t *)(const void *)_symbols;
    const struct symbol *s = (const struct symbol *)(const void *)(head + 2);
    if (&_symbols[0] == &_erodata[0] || head[0] == 0)
        return NULL;
    uint32_t at = (uint32_t)(pc - (uint64_t)(uintptr_t)_start);
    uint32_t low = 0, high = head[0]; // s[low].at <= at < s[high].at
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (s[middle].at <= at)
            low = middle;
        else
            high = middle;
    }
    *offset = at - s[low].at;
    return (const char *)&s[head[0]] + s[low].name;
}

static bool is_text(uint64_t pc)
{
    return pc >= (uint64_t)(uintptr_t)_start && pc < (uint64_t)(uintptr_t)_etext;
}

static void show(uint64_t pc, uint64_t where, void (*line)(const char *text))
{
    char text[96];
    uint64_t offset = 0;
    const char *name = is_text(where) ? name_of(where, &offset) : NULL;
    // where = pc - 1 for a return address, so that a call at the very end of a function counts as its own.
    if (name)
        snprintf(text, sizeof text, "  %016lx  %s+%lu", (unsigned long)pc, name,
                 (unsigned long)(offset + (pc - where)));
    else
        snprintf(text, sizeof text, "  %016lx", (unsigned long)pc);
    line(text);
}

void backtrace_from(uint64_t pc, uint64_t fp, void (*line)(const char *text))
{
    if (pc)
        show(pc, pc, line);
    for (unsigned i = 0; i < FRAMES_MAX; i++) {
        if (fp < DIRECT_BASE || fp % 8 != 0)
            return;
        const uint64_t *frame = (const uint64_t *)fp;
        uint64_t ra = frame[-1], next = frame[-2];
        if (!is_text(ra))
            return;
        show(ra, ra - 1, line);
        if (next <= fp || next - fp > FRAME_MAX_BYTES)
            return;
        fp = next;
    }
}

void arch_backtrace(void (*line)(const char *text))
{
    backtrace_from(0, (uint64_t)(uintptr_t)__builtin_frame_address(0), line);
}
