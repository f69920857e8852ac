// SPDX-License-Identifier: BSD-2-Clause
#include "tools/program.h"
#include "arch/riscv/arch.h"
#include "core/desc.h"
#include "core/thread.h"
#include "tools/files.h"
#include "tools/rundir.h"
#include "tools/say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// --- The file -----------------------------------------------------------------------------------------

static void name_after(struct program *p, const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(p->name, sizeof p->name, "%.*s", (int)sizeof p->name - 1, slash ? slash + 1 : path);
    char *dot = strrchr(p->name, '.');
    if (dot && dot != p->name && strcmp(dot, ".elf") == 0)
        *dot = 0;
}

// What was typed is a path when there is such a file; else the name of one of our own programs.
static const char *find_file(const char *what, char path[RUN_PATH_MAX])
{
    char name[256];
    if (strchr(what, '/') || access(what, F_OK) == 0)
        return what;
    bool whole = strlen(what) > 4 && strcmp(what + strlen(what) - 4, ".elf") == 0;
    if ((size_t)snprintf(name, sizeof name, "guest/%s%s", what, whole ? "" : ".elf") >= sizeof name)
        return what;
    snprintf(path, RUN_PATH_MAX, "%s", beside(name));
    return access(path, F_OK) == 0 ? path : what;
}

bool program_load(struct program *p, const char *what)
{
    char found[RUN_PATH_MAX];
    const char *path = find_file(what, found);
    *p = (struct program){.argc = 0};
    p->file = file_read_all(path, ELF_FILE_MAX, &p->len);
    if (!p->file) {
        int e = errno;
        fail("cannot read the program %s: %s", what, strerror(e));
        if (e == ENOENT && !strchr(what, '/'))
            fprintf(stderr, "Neither a file here nor one of ours (%s/*.elf).\n", beside("guest"));
        return false;
    }
    const char *why = elf_parse(&p->elf, p->file, p->len);
    if (why) {
        fail("%s cannot run: %s", path, why);
        return false;
    }
    name_after(p, path);
    return true;
}

bool program_add_cap(struct program *p, const char *name, const struct cap *cap)
{
    struct startup_cap *c = &p->cap[p->ncaps];
    if (p->ncaps == PROGRAM_CAPS_MAX || strlen(name) >= sizeof c->name)
        return false;
    memset(c->name, 0, sizeof c->name);
    memcpy(c->name, name, strlen(name));
    c->cap = *cap;
    p->ncaps++;
    return true;
}

// --- The startup block ----------------------------------------------------------------------------------

// Built here, to lie in the guest at `at`: addresses in it are the guest's.
struct block {
    unsigned char *bytes;
    uint64_t len, at;
    uint64_t strings; // offset of the next string
};

static uint64_t align16(uint64_t v)
{
    return (v + 15) & ~15ull;
}

static uint64_t block_size(const struct program *p, uint64_t *strings)
{
    uint64_t size = sizeof(struct startup) + p->ncaps * sizeof(struct startup_cap);
    size += ((uint64_t)p->argc + 1 + p->nenv + 1) * sizeof(uint64_t);
    *strings = size;
    for (int i = 0; i < p->argc; i++)
        size += strlen(p->argv[i]) + 1;
    for (unsigned i = 0; i < p->nenv; i++)
        size += strlen(p->env[i]) + 1;
    return align16(size);
}

// Puts a string into the block; answers its guest address.
static uint64_t put_string(struct block *b, const char *s)
{
    uint64_t off = b->strings;
    memcpy(b->bytes + off, s, strlen(s) + 1);
    b->strings += strlen(s) + 1;
    return b->at + off;
}

static void fill_block(struct block *b, const struct program *p, uint64_t heap_base)
{
    uint64_t off = sizeof(struct startup);
    struct startup s = {.magic = STARTUP_MAGIC,
                        .argc = (uint64_t)p->argc,
                        .ncaps = p->ncaps,
                        .heap_base = heap_base,
                        .stack_top = PROGRAM_STACK_TOP};
    s.caps = b->at + off;
    memcpy(b->bytes + off, p->cap, p->ncaps * sizeof p->cap[0]);
    off += p->ncaps * sizeof p->cap[0];
    s.argv = b->at + off;
    for (int i = 0; i < p->argc; i++, off += sizeof(uint64_t))
        memcpy(b->bytes + off, &(uint64_t){put_string(b, p->argv[i])}, sizeof(uint64_t));
    off += sizeof(uint64_t); // the zero that ends it
    s.envp = b->at + off;
    for (unsigned i = 0; i < p->nenv; i++, off += sizeof(uint64_t))
        memcpy(b->bytes + off, &(uint64_t){put_string(b, p->env[i])}, sizeof(uint64_t));
    memcpy(b->bytes, &s, sizeof s);
}

static bool make_block(struct block *b, const struct program *p, uint64_t heap_base)
{
    b->len = block_size(p, &b->strings);
    if (b->len > PROGRAM_STARTUP_MAX) {
        fail("arguments and environment are longer than %llu KiB",
             (unsigned long long)(PROGRAM_STARTUP_MAX / KIB));
        return false;
    }
    b->at = PROGRAM_STACK_TOP - b->len;
    b->bytes = calloc(1, b->len); // lives as long as the process that may still be filled from it
    if (b->bytes)
        fill_block(b, p, heap_base);
    return b->bytes != NULL;
}

// --- The descriptor -------------------------------------------------------------------------------------

struct writer {
    unsigned char *bytes;
    uint64_t len;
    uint32_t sections, segs;
};

// SEG sections come before MAP sections, so the two are written in two rounds over the same list.
struct part {
    struct desc_seg seg;
    struct desc_map map;
};

static void put(struct writer *w, uint32_t tag, const void *p, uint64_t len)
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
static uint64_t page_down(uint64_t v)
{
    return v & ~PAGE_MASK;
}

static struct part load_part(const struct elf_load *l, const struct cap *file)
{
    uint64_t va = page_down(l->va), len = page_up(l->va + l->mem_len) - va;
    struct part p = {.seg = {.len = len}, .map = {.va = va, .len = len, .flags = l->flags}};
    if (l->file_len) {
        p.seg.source = *file;
        p.seg.source_off = l->off;
        p.seg.source_len = l->file_len;
        p.seg.dest_off = l->va - va;
    }
    return p;
}

static struct part heap_part(uint64_t base)
{
    return (struct part){
        .seg = {.len = PAGE_SIZE},
        .map = {.va = base, .len = PAGE_SIZE, .flags = MAP_READ | MAP_WRITE | MAP_GROW_UP},
    };
}

// The segment is as long as the stack may get; only its end is mapped, the rest as it grows.
static struct part stack_part(const struct block *b, const struct cap *source)
{
    uint64_t len = PROGRAM_STACK_FIRST + page_up(b->len);
    uint64_t all = PROGRAM_STACK_MAX + page_up(b->len);
    return (struct part){
        .seg = {.source = *source, .source_len = b->len, .dest_off = all - b->len, .len = all},
        .map = {.va = PROGRAM_STACK_TOP - len,
                .len = len,
                .off = all - len,
                .flags = MAP_READ | MAP_WRITE | MAP_GROW_DOWN},
    };
}

static void put_proc(struct writer *w, const struct program *p, const struct cap *owner)
{
    struct desc_proc d = {.owner = *owner, .next_tid = 2};
    memcpy(d.name, p->name, sizeof d.name);
    put(w, DESC_PROC, &d, sizeof d);
}

static void put_thread(struct writer *w, uint64_t pc, uint64_t startup)
{
    struct desc_thread t = {.tid = 1, .state = THREAD_READY, .pc = pc, .wake_left_ns = UINT64_MAX};
    t.x[REG_SP] = startup; // 16-byte aligned; grows down, away from the block
    t.x[REG_A0] = startup;
    t.call.deadline_left_ns = UINT64_MAX;
    put(w, DESC_THRD, &t, sizeof t);
}

static uint64_t heap_base(const struct elf *e)
{
    return (e->end + 2 * MIB - 1) & ~(MIB - 1);
}

static unsigned collect_parts(struct node *n, const struct program *p,
                              struct part part[ELF_LOADS_MAX + 2])
{
    struct block b;
    struct cap file = files_add_bytes(n, p->file, p->len);
    uint64_t heap = heap_base(&p->elf);
    if (!make_block(&b, p, heap))
        return 0;
    struct cap stack = files_add_bytes(n, b.bytes, b.len);
    unsigned count = 0;
    for (unsigned i = 0; i < p->elf.nloads; i++)
        part[count++] = load_part(&p->elf.load[i], &file);
    part[count++] = heap_part(heap);
    part[count++] = stack_part(&b, &stack);
    return count;
}

void *program_descriptor(struct node *n, const struct program *p, const struct cap *owner,
                         uint64_t *len)
{
    struct part part[ELF_LOADS_MAX + 2];
    unsigned count = collect_parts(n, p, part);
    if (!count)
        return NULL;
    size_t room = sizeof(struct desc_hdr) + sizeof(struct desc_proc) + sizeof(struct desc_thread) +
                  count * sizeof(struct part) + (2 + 2 * count) * (sizeof(struct desc_sec) + 8);
    struct writer w = {.bytes = calloc(1, room), .len = sizeof(struct desc_hdr)};
    if (!w.bytes)
        return NULL;
    put_proc(&w, p, owner);
    for (unsigned i = 0; i < count; i++)
        put(&w, DESC_SEG, &part[i].seg, sizeof part[i].seg);
    for (unsigned i = 0; i < count; i++) {
        part[i].map.seg = i;
        put(&w, DESC_MAP, &part[i].map, sizeof part[i].map);
    }
    put_thread(&w, p->elf.entry,
               part[count - 1].map.va + part[count - 1].map.len - part[count - 1].seg.source_len);
    desc_seal(w.bytes, w.len, w.sections);
    *len = w.len;
    return w.bytes;
}
