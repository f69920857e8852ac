// SPDX-License-Identifier: BSD-2-Clause
// Files made up by tests and fuzz targets: a small program, and archives of files.
#ifndef TEST_UNIT_FILES_BED_H
#define TEST_UNIT_FILES_BED_H

#include "services/cpio.h"
#include "services/elf.h"

#include <stdio.h>
#include <string.h>

// --- A program: text at 0x10000, data with zeros behind it, two functions --------------------------------------

#define BED_TEXT 0x10000u
#define BED_ENTRY 0x10010u
#define BED_DATA 0x12080u

struct bed_elf {
    struct elf_header h;
    struct elf_phdr p[3]; // text, data, and one that is none of ours
    uint8_t text[64];
    uint8_t data[32];
    struct elf_sym sym[3];
    char strings[32];
    struct elf_shdr s[3]; // null, symbols, strings
};

static inline void bed_elf(struct bed_elf *e)
{
    memset(e, 0, sizeof *e);
    e->h = (struct elf_header){.magic = {0x7f, 'E', 'L', 'F'},
                               .class = ELF_CLASS_64,
                               .data = ELF_DATA_LITTLE,
                               .id_version = 1,
                               .type = ELF_TYPE_EXEC,
                               .machine = ELF_MACHINE_RISCV,
                               .version = 1,
                               .entry = BED_ENTRY,
                               .phoff = offsetof(struct bed_elf, p),
                               .shoff = offsetof(struct bed_elf, s),
                               .flags = 5, // RVC, double floats
                               .ehsize = sizeof e->h,
                               .phentsize = sizeof e->p[0],
                               .phnum = 3,
                               .shentsize = sizeof e->s[0],
                               .shnum = 3};
    e->p[0] = (struct elf_phdr){.type = ELF_PT_LOAD,
                                .flags = ELF_PF_R | ELF_PF_X,
                                .offset = offsetof(struct bed_elf, text),
                                .vaddr = BED_TEXT,
                                .filesz = sizeof e->text,
                                .memsz = sizeof e->text};
    e->p[1] = (struct elf_phdr){.type = ELF_PT_LOAD,
                                .flags = ELF_PF_W,
                                .offset = offsetof(struct bed_elf, data),
                                .vaddr = BED_DATA,
                                .filesz = sizeof e->data,
                                .memsz = 3 * PAGE_SIZE};
    e->p[2] = (struct elf_phdr){.type = 7}; // PT_TLS: the guest's own library reads it
    memset(e->text, 0x13, sizeof e->text);
    memset(e->data, 0xda, sizeof e->data);
    memcpy(e->strings, "\0start\0work\0", 12);
    e->sym[1] = (struct elf_sym){.name = 1, .info = ELF_STT_FUNC, .value = BED_ENTRY, .size = 16};
    e->sym[2] = (struct elf_sym){.name = 7, .info = 0x10 | ELF_STT_FUNC, .value = BED_ENTRY + 16};
    e->s[1] = (struct elf_shdr){.type = ELF_SHT_SYMTAB,
                                .offset = offsetof(struct bed_elf, sym),
                                .size = sizeof e->sym,
                                .link = 2,
                                .entsize = sizeof e->sym[0]};
    e->s[2] = (struct elf_shdr){
        .type = ELF_SHT_STRTAB, .offset = offsetof(struct bed_elf, strings), .size = sizeof e->strings};
}

// --- An archive -------------------------------------------------------------------------------------------------

struct bed_cpio {
    uint8_t bytes[16384];
    size_t len;
};

static inline void bed_pad(struct bed_cpio *a)
{
    while (a->len % 4)
        a->bytes[a->len++] = 0;
}

// Returns the offset of the entry's header.
static inline size_t bed_entry(struct bed_cpio *a, unsigned mode, const char *name, const void *p, size_t len)
{
    size_t at = a->len;
    a->len += (size_t)sprintf((char *)a->bytes + a->len, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
                              1, mode, 0, 0, 1, 0, (unsigned)len, 0, 0, 0, 0, (unsigned)strlen(name) + 1, 0);
    memcpy(a->bytes + a->len, name, strlen(name) + 1);
    a->len += strlen(name) + 1;
    bed_pad(a);
    if (len)
        memcpy(a->bytes + a->len, p, len);
    a->len += len;
    bed_pad(a);
    return at;
}

static inline size_t bed_file(struct bed_cpio *a, const char *name, const void *p, size_t len)
{
    return bed_entry(a, 0100644, name, p, len);
}

static inline void bed_end(struct bed_cpio *a)
{
    bed_entry(a, 0, CPIO_TRAILER, NULL, 0);
}

#endif
