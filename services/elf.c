// SPDX-License-Identifier: BSD-2-Clause
// Static ELF64 executables for RISC-V, read piece by piece: what can be run, and which function an address is in.
#include "services/elf.h"
#include "core/abi.h"
#include "core/config.h"

#include <string.h>

#define SYMS_AT_ONCE 32u // symbols for one read; they lie on the stack
#define SYMS_MAX 200000u // a table that claims more is taken for damaged: looking through it would take minutes

// [off, off + len) lies in the file.
static bool inside(const struct elf_file *f, uint64_t off, uint64_t len)
{
    return off <= f->len && len <= f->len - off;
}

static bool read_at(const struct elf_file *f, uint64_t off, void *dst, size_t len)
{
    return inside(f, off, len) && f->read(f->arg, off, dst, len) >= 0;
}

// --- What can be run ------------------------------------------------------------------------------------------

static const char *check_header(const struct elf_header *h)
{
    static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};
    if (memcmp(h->magic, magic, sizeof magic) != 0)
        return "it is not an ELF file";
    if (h->class != ELF_CLASS_64)
        return "it is an ELF file for 32-bit machines; 64-bit is needed";
    if (h->data != ELF_DATA_LITTLE || h->id_version != 1)
        return "its byte order or ELF version is not RISC-V's";
    if (h->machine != ELF_MACHINE_RISCV)
        return "it is a program for another processor than RISC-V";
    if (h->flags & ELF_FLAG_RVE)
        return "it is for RV64E; the nodes are RV64GC";
    if (h->type == ELF_TYPE_DYN)
        return "it is dynamic or position-independent; link it with -static (and -no-pie)";
    if (h->type == ELF_TYPE_REL)
        return "it is an object file; link it first";
    if (h->type != ELF_TYPE_EXEC || h->version != 1)
        return "it is not an executable";
    if (h->ehsize != sizeof(struct elf_header) || h->phentsize != sizeof(struct elf_phdr))
        return "its header sizes are wrong";
    if (h->phnum == 0)
        return "it has no program headers: nothing to load";
    return NULL;
}

static const char *check_load(const struct elf_file *f, const struct elf_phdr *p)
{
    if (p->filesz > p->memsz)
        return "a segment is longer in the file than in memory";
    if (!inside(f, p->offset, p->filesz))
        return "a segment lies beyond the end of the file: it is cut short";
    if (p->vaddr < USER_BASE)
        return "a segment lies in the first 64 KiB, which stay unmapped";
    if (p->vaddr >= USER_END || p->memsz > USER_END - p->vaddr)
        return "a segment lies above the addresses that programs have";
    if (p->memsz > SEG_MAX_BYTES - PAGE_SIZE)
        return "a segment is longer than 1 GiB";
    if (!(p->flags & (ELF_PF_R | ELF_PF_W | ELF_PF_X)))
        return "a segment can be neither read, written nor executed";
    return NULL;
}

static uint32_t map_flags(uint32_t pf)
{
    uint32_t f = 0;
    if (pf & ELF_PF_R)
        f |= MAP_READ;
    if (pf & ELF_PF_W) // Sv39 has no write-only page (Privileged ISA, table 4.5)
        f |= MAP_WRITE | MAP_READ;
    if (pf & ELF_PF_X)
        f |= MAP_EXEC;
    return f;
}

static uint64_t page_end(uint64_t va)
{
    return (va + PAGE_MASK) & ~PAGE_MASK;
}

static const char *take_load(struct elf *e, const struct elf_file *f, const struct elf_phdr *p)
{
    const char *why = check_load(f, p);
    if (why)
        return why;
    if (p->memsz == 0)
        return NULL;
    if (e->nloads == ELF_LOADS_MAX)
        return "it has more than 16 segments";
    if ((p->vaddr & ~PAGE_MASK) < e->end)
        return "two segments share a page or are out of order; link with -z max-page-size=4096";
    e->load[e->nloads++] = (struct elf_load){
        .va = p->vaddr, .mem_len = p->memsz, .off = p->offset, .file_len = p->filesz, .flags = map_flags(p->flags)};
    e->end = page_end(p->vaddr + p->memsz);
    return NULL;
}

static const char *take_loads(struct elf *e, const struct elf_file *f, const struct elf_header *h)
{
    if (!inside(f, h->phoff, (uint64_t)h->phnum * sizeof(struct elf_phdr)))
        return "its program headers lie beyond the end of the file";
    for (unsigned i = 0; i < h->phnum; i++) {
        struct elf_phdr p;
        const char *why = NULL;
        if (!read_at(f, h->phoff + i * sizeof p, &p, sizeof p))
            return "it cannot be read";
        if (p.type == ELF_PT_INTERP)
            why = "it needs a dynamic linker; link it with -static";
        else if (p.type == ELF_PT_LOAD)
            why = take_load(e, f, &p);
        if (why)
            return why;
    }
    return e->nloads ? NULL : "it has nothing to load";
}

static const char *check_entry(const struct elf *e)
{
    if (e->entry & 1)
        return "its entry point is an odd address";
    for (unsigned i = 0; i < e->nloads; i++)
        if ((e->load[i].flags & MAP_EXEC) && e->entry >= e->load[i].va &&
            e->entry - e->load[i].va < e->load[i].file_len)
            return NULL;
    return "its entry point lies in no executable segment";
}

const char *elf_parse(struct elf *e, const struct elf_file *f)
{
    struct elf_header h;
    *e = (struct elf){.nloads = 0};
    if (f->len < sizeof h)
        return "it is too short to be an ELF file";
    if (!read_at(f, 0, &h, sizeof h))
        return "it cannot be read";
    const char *why = check_header(&h);
    if (why)
        return why;
    e->entry = h.entry;
    why = take_loads(e, f, &h);
    return why ? why : check_entry(e);
}

// --- Names of functions: for people only, so a broken table is as good as none ---------------------------------

struct symbols {
    uint64_t off, count;       // of struct elf_sym
    uint64_t str_off, str_len; // their names
};

static bool take_symbols(const struct elf_file *f, const struct elf_header *h, const struct elf_shdr *s,
                         struct symbols *out)
{
    struct elf_shdr str;
    if (s->type != ELF_SHT_SYMTAB || s->entsize != sizeof(struct elf_sym) || s->link >= h->shnum)
        return false;
    if (!read_at(f, h->shoff + s->link * sizeof str, &str, sizeof str) || str.type != ELF_SHT_STRTAB)
        return false;
    *out = (struct symbols){s->offset, s->size / sizeof(struct elf_sym), str.offset, str.size};
    return inside(f, s->offset, s->size) && inside(f, str.offset, str.size) && out->count <= SYMS_MAX;
}

static bool find_symbols(const struct elf_file *f, struct symbols *out)
{
    struct elf_header h;
    if (!read_at(f, 0, &h, sizeof h) || check_header(&h))
        return false;
    if (h.shentsize != sizeof(struct elf_shdr) || !inside(f, h.shoff, (uint64_t)h.shnum * sizeof(struct elf_shdr)))
        return false;
    for (unsigned i = 0; i < h.shnum; i++) {
        struct elf_shdr s;
        if (!read_at(f, h.shoff + i * sizeof s, &s, sizeof s))
            return false;
        if (take_symbols(f, &h, &s, out))
            return true;
    }
    return false;
}

static bool symbol_covers(const struct elf_sym *s, uint64_t pc)
{
    uint64_t size = s->size ? s->size : 4; // assembly seldom states one
    return (s->info & 15) == ELF_STT_FUNC && pc >= s->value && pc - s->value < size;
}

static bool symbol_name(const struct elf_file *f, const struct symbols *t, const struct elf_sym *s, char *name,
                        size_t size)
{
    if (s->name >= t->str_len || size == 0)
        return false;
    uint64_t len = t->str_len - s->name;
    if (len > size - 1)
        len = size - 1;
    name[len] = 0;
    return read_at(f, t->str_off + s->name, name, (size_t)len) && name[0] != 0;
}

bool elf_function(const struct elf_file *f, uint64_t pc, char *name, size_t size, uint64_t *off)
{
    struct symbols t = {0};
    struct elf_sym some[SYMS_AT_ONCE];
    if (!find_symbols(f, &t))
        return false;
    for (uint64_t i = 0; i < t.count; i += SYMS_AT_ONCE) {
        uint64_t n = t.count - i < SYMS_AT_ONCE ? t.count - i : SYMS_AT_ONCE;
        if (!read_at(f, t.off + i * sizeof some[0], some, (size_t)n * sizeof some[0]))
            return false;
        for (uint64_t k = 0; k < n; k++) {
            if (!symbol_covers(&some[k], pc) || !symbol_name(f, &t, &some[k], name, size))
                continue;
            *off = pc - some[k].value;
            return true;
        }
    }
    return false;
}
