// SPDX-License-Identifier: BSD-2-Clause
// A program that is to be started, from what its file says to the descriptor: the startup block, the segments and maps,
// one thread.
#include "services/program.h"
#include "core/panic.h"
#include "core/text.h"
#include "core/thread.h"

#include <string.h>

bool program_cap(struct startup_cap *slot, const char *name, const struct cap *cap)
{
    size_t len = strlen(name);
    if (len >= sizeof slot->name)
        return false;
    memset(slot->name, 0, sizeof slot->name);
    memcpy(slot->name, name, len);
    slot->cap = *cap;
    return true;
}

// --- The startup block: struct startup | capabilities | argv, 0 | envp, 0 | strings ----------------------------

static uint64_t strings_at(const struct program *p)
{
    return sizeof(struct startup) + p->ncaps * sizeof(struct startup_cap) +
           ((uint64_t)p->argc + 1 + p->nenv + 1) * sizeof(uint64_t);
}

uint64_t program_startup_size(const struct program *p)
{
    uint64_t size = strings_at(p);
    for (unsigned i = 0; i < p->argc; i++)
        size += strlen(p->argv[i]) + 1;
    for (unsigned i = 0; i < p->nenv; i++)
        size += strlen(p->env[i]) + 1;
    return (size + 15) & ~15ull; // the stack pointer is a multiple of 16 (psABI, 2.1)
}

static uint64_t startup_va(const struct program *p)
{
    return PROGRAM_STACK_TOP - program_startup_size(p);
}

static uint64_t heap_base(const struct elf *e)
{
    // 1 MiB behind the program at least, and where an extent of 2 MiB begins in memory.
    return (e->end + MIB + MEGAPAGE_BYTES - 1) & ~(MEGAPAGE_BYTES - 1);
}

// Written from front to back: `off` is where the next thing goes, `strings` where the next string goes. Addresses in it
// are the guest's.
struct block {
    struct node *n;
    const struct buf *to;
    uint64_t at; // guest address of the block
    uint64_t off, strings;
    int error;
};

static void put(struct block *b, uint64_t off, const void *p, size_t len)
{
    if (b->error == 0 && len > 0)
        b->error = buf_write(b->n, b->to, off, p, len);
}

static void append(struct block *b, const void *p, size_t len)
{
    put(b, b->off, p, len);
    b->off += len;
}

// An array of addresses of strings, ended by a zero. Returns the array's address.
static uint64_t append_strings(struct block *b, const char *const *s, unsigned count)
{
    const uint64_t end = 0, array = b->at + b->off;
    for (unsigned i = 0; i < count; i++) {
        uint64_t va = b->at + b->strings;
        put(b, b->strings, s[i], strlen(s[i]) + 1);
        b->strings += strlen(s[i]) + 1;
        append(b, &va, sizeof va);
    }
    append(b, &end, sizeof end);
    return array;
}

int program_startup(struct node *n, const struct program *p, const struct buf *to)
{
    struct block b = {.n = n, .to = to, .at = startup_va(p), .off = sizeof(struct startup), .strings = strings_at(p)};
    struct startup s = {.magic = STARTUP_MAGIC,
                        .argc = p->argc,
                        .ncaps = p->ncaps,
                        .heap_base = heap_base(p->elf),
                        .stack_top = PROGRAM_STACK_TOP};
    s.caps = b.at + b.off;
    append(&b, p->cap, p->ncaps * sizeof p->cap[0]);
    s.argv = append_strings(&b, p->argv, p->argc);
    s.envp = append_strings(&b, p->env, p->nenv);
    put(&b, 0, &s, sizeof s);
    return b.error;
}

// --- The descriptor ---------------------------------------------------------------------------------------------

struct writer {
    unsigned char *bytes;
    uint64_t len;
    uint32_t sections;
};

// SEG sections come before MAP sections, so the two are written in two rounds over the same list.
struct part {
    struct desc_seg seg;
    struct desc_map map;
};

static void section(struct writer *w, uint32_t tag, const void *p, uint64_t len)
{
    struct desc_sec s = {.tag = tag, .len = len};
    memcpy(w->bytes + w->len, &s, sizeof s);
    memcpy(w->bytes + w->len + sizeof s, p, len);
    w->len += sizeof s + ((len + 7) & ~7ull);
    w->sections++;
}

static uint64_t page_up(uint64_t v)
{
    return (v + PAGE_MASK) & ~PAGE_MASK;
}

static struct part load_part(const struct elf_load *l, const struct cap *file)
{
    uint64_t va = l->va & ~PAGE_MASK, len = page_up(l->va + l->mem_len) - va;
    struct part p = {.seg = {.len = len}, .map = {.va = va, .len = len, .flags = l->flags}};
    if (l->file_len) {
        p.seg.source = *file;
        p.seg.source_off = l->off;
        p.seg.source_len = l->file_len;
        p.seg.dest_off = l->va - va;
    }
    return p;
}

static struct part heap_part(const struct elf *e)
{
    return (struct part){
        .seg = {.len = PAGE_SIZE},
        .map = {.va = heap_base(e), .len = PAGE_SIZE, .flags = MAP_READ | MAP_WRITE | MAP_GROW_UP},
    };
}

// The segment is as long as the stack may get; only its end is mapped, the rest as it grows.
static struct part stack_part(uint64_t block_len, const struct cap *startup)
{
    uint64_t len = PROGRAM_STACK_FIRST + page_up(block_len);
    uint64_t all = PROGRAM_STACK_MAX + page_up(block_len);
    return (struct part){
        .seg = {.source = *startup, .source_len = block_len, .dest_off = all - block_len, .len = all},
        .map = {.va = PROGRAM_STACK_TOP - len,
                .len = len,
                .off = all - len,
                .flags = MAP_READ | MAP_WRITE | MAP_GROW_DOWN},
    };
}

static void put_proc(struct writer *w, const struct program *p, const struct cap *owner)
{
    struct desc_proc d = {.owner = *owner, .next_tid = 2, .orphan_grace_ns = p->orphan_grace_ns};
    size_t len = strlen(p->name);
    ASSERT(len < sizeof d.name);
    memcpy(d.name, p->name, len);
    text_make_plain(d.name, len); // the name of a file on the host may be anything
    if (p->note) {
        ASSERT(strlen(p->note) < sizeof d.comment);
        memcpy(d.comment, p->note, strlen(p->note));
    }
    section(w, DESC_PROC, &d, sizeof d);
}

static void put_memory(struct writer *w, struct part *part, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        section(w, DESC_SEG, &part[i].seg, sizeof part[i].seg);
    for (unsigned i = 0; i < count; i++) {
        part[i].map.seg = i;
        section(w, DESC_MAP, &part[i].map, sizeof part[i].map);
    }
}

static void put_thread(struct writer *w, uint64_t pc, uint64_t startup)
{
    struct desc_start t = {.tid = 1, .pc = pc, .sp = startup, .a0 = startup}; // it grows down, away from the block
    section(w, DESC_THRD, &t, sizeof t);
}

uint64_t program_descriptor(const struct program *p, const struct cap *file, const struct cap *startup,
                            const struct cap *owner, void *to)
{
    struct part part[PROGRAM_PARTS_MAX];
    struct writer w = {.bytes = to, .len = sizeof(struct desc_hdr)};
    unsigned count = 0;
    for (unsigned i = 0; i < p->elf->nloads; i++)
        part[count++] = load_part(&p->elf->load[i], file);
    part[count++] = heap_part(p->elf);
    part[count++] = stack_part(program_startup_size(p), startup);
    put_proc(&w, p, owner);
    put_memory(&w, part, count);
    put_thread(&w, p->elf->entry, startup_va(p));
    desc_seal(w.bytes, w.len, w.sections);
    ASSERT(w.len <= PROGRAM_DESC_MAX);
    return w.len;
}
