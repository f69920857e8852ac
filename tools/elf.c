// SPDX-License-Identifier: BSD-2-Clause
//
// System V ABI, chapters 4 and 5 (file and program headers), and the RISC-V ELF psABI, 8.1 (e_machine, e_flags).
#include "tools/elf.h"
#include "core/abi.h"
#include "core/config.h"

#include <elf.h>
#include <string.h>

#ifndef EF_RISCV_RVE
#define EF_RISCV_RVE 0x8
#endif

// [off, off + len) lies in the file.
static bool inside(const struct elf *e, uint64_t off, uint64_t len)
{
    return off <= e->len && len <= e->len - off;
}

static const char *check_header(const Elf64_Ehdr *h)
{
    if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
        return "it is not an ELF file";
    if (h->e_ident[EI_CLASS] != ELFCLASS64)
        return "it is an ELF file for 32-bit machines; 64-bit is needed";
    if (h->e_ident[EI_DATA] != ELFDATA2LSB || h->e_ident[EI_VERSION] != EV_CURRENT)
        return "its byte order or ELF version is not RISC-V's";
    if (h->e_machine != EM_RISCV)
        return "it is a program for another processor than RISC-V";
    if (h->e_flags & EF_RISCV_RVE)
        return "it is for RV64E; the nodes are RV64GC";
    if (h->e_type == ET_DYN)
        return "it is dynamic or position-independent; link it with -static (and -no-pie)";
    if (h->e_type == ET_REL)
        return "it is an object file; link it first";
    if (h->e_type != ET_EXEC || h->e_version != EV_CURRENT)
        return "it is not an executable";
    if (h->e_ehsize != sizeof(Elf64_Ehdr) || h->e_phentsize != sizeof(Elf64_Phdr))
        return "its header sizes are wrong";
    if (h->e_phnum == 0)
        return "it has no program headers: nothing to load";
    return NULL;
}

static const char *check_load(const struct elf *e, const Elf64_Phdr *p)
{
    if (p->p_filesz > p->p_memsz)
        return "a segment is longer in the file than in memory";
    if (!inside(e, p->p_offset, p->p_filesz))
        return "a segment lies beyond the end of the file: it is cut short";
    if (p->p_vaddr < USER_BASE)
        return "a segment lies in the first 64 KiB, which stay unmapped";
    if (p->p_vaddr >= USER_END || p->p_memsz > USER_END - p->p_vaddr)
        return "a segment lies above the addresses that programs have";
    if (p->p_memsz > SEG_MAX_BYTES - PAGE_SIZE)
        return "a segment is longer than 1 GiB";
    if (!(p->p_flags & (PF_R | PF_W | PF_X)))
        return "a segment can be neither read, written nor executed";
    return NULL;
}

static uint32_t map_flags(uint32_t pf)
{
    uint32_t f =
        (pf & PF_R ? MAP_READ : 0) | (pf & PF_W ? MAP_WRITE : 0) | (pf & PF_X ? MAP_EXEC : 0);
    return f & MAP_WRITE ? f | MAP_READ
                         : f; // Sv39 has no write-only page (Privileged ISA, table 4.5)
}

static uint64_t page_end(uint64_t va)
{
    return (va + PAGE_MASK) & ~PAGE_MASK;
}

static const char *take_load(struct elf *e, const Elf64_Phdr *p)
{
    const char *why = check_load(e, p);
    if (why)
        return why;
    if (p->p_memsz == 0)
        return NULL;
    if (e->nloads == ELF_LOADS_MAX)
        return "it has more than 16 segments";
    if ((p->p_vaddr & ~PAGE_MASK) < e->end)
        return "two segments share a page or are out of order; link with -z max-page-size=4096";
    e->load[e->nloads++] = (struct elf_load){.va = p->p_vaddr,
                                             .mem_len = p->p_memsz,
                                             .off = p->p_offset,
                                             .file_len = p->p_filesz,
                                             .flags = map_flags(p->p_flags)};
    e->end = page_end(p->p_vaddr + p->p_memsz);
    return NULL;
}

static const char *take_loads(struct elf *e, const Elf64_Ehdr *h)
{
    if (!inside(e, h->e_phoff, (uint64_t)h->e_phnum * sizeof(Elf64_Phdr)))
        return "its program headers lie beyond the end of the file";
    for (unsigned i = 0; i < h->e_phnum; i++) {
        Elf64_Phdr p; // a copy: the file may have it at any alignment
        memcpy(&p, e->file + h->e_phoff + i * sizeof p, sizeof p);
        const char *why = NULL;
        if (p.p_type == PT_INTERP)
            why = "it needs a dynamic linker; link it with -static";
        else if (p.p_type == PT_LOAD)
            why = take_load(e, &p);
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

// The symbol table is for people only: a broken one is as good as none.
static void find_symbols(struct elf *e, const Elf64_Ehdr *h)
{
    if (h->e_shentsize != sizeof(Elf64_Shdr) ||
        !inside(e, h->e_shoff, (uint64_t)h->e_shnum * sizeof(Elf64_Shdr)))
        return;
    for (unsigned i = 0; i < h->e_shnum; i++) {
        Elf64_Shdr s, str;
        memcpy(&s, e->file + h->e_shoff + i * sizeof s, sizeof s);
        if (s.sh_type != SHT_SYMTAB || s.sh_entsize != sizeof(Elf64_Sym) || s.sh_link >= h->e_shnum)
            continue;
        memcpy(&str, e->file + h->e_shoff + s.sh_link * sizeof str, sizeof str);
        if (str.sh_type != SHT_STRTAB || !inside(e, s.sh_offset, s.sh_size) ||
            !inside(e, str.sh_offset, str.sh_size) || str.sh_size == 0 ||
            e->file[str.sh_offset + str.sh_size - 1] != 0) // so every name ends inside the table
            continue;
        e->sym_off = s.sh_offset;
        e->nsyms = s.sh_size / sizeof(Elf64_Sym);
        e->str_off = str.sh_offset;
        e->str_len = str.sh_size;
        return;
    }
}

const char *elf_parse(struct elf *e, const void *file, uint64_t len)
{
    *e = (struct elf){.file = file, .len = len};
    Elf64_Ehdr h;
    if (len < sizeof h)
        return "it is too short to be an ELF file";
    memcpy(&h, file, sizeof h);
    const char *why = check_header(&h);
    if (why)
        return why;
    e->entry = h.e_entry;
    why = take_loads(e, &h);
    if (!why)
        why = check_entry(e);
    if (!why)
        find_symbols(e, &h);
    return why;
}

const char *elf_function(const struct elf *e, uint64_t pc, uint64_t *off)
{
    for (uint64_t i = 0; i < e->nsyms; i++) {
        Elf64_Sym s;
        memcpy(&s, e->file + e->sym_off + i * sizeof s, sizeof s);
        if (ELF64_ST_TYPE(s.st_info) != STT_FUNC || s.st_name >= e->str_len)
            continue;
        uint64_t size = s.st_size ? s.st_size : 4; // assembly seldom states one
        if (pc >= s.st_value && pc - s.st_value < size) {
            *off = pc - s.st_value;
            return (const char *)e->file + e->str_off + s.st_name;
        }
    }
    return NULL;
}
