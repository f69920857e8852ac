// SPDX-License-Identifier: BSD-2-Clause
// Programs of this machine: found, read, checked, described.
#include "tools/program.h"
#include "core/error.h"
#include "core/panic.h"
#include "tools/files.h"
#include "tools/rundir.h"
#include "tools/say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// --- The file -----------------------------------------------------------------------------------------

static void name_after(struct program_file *p, const char *path)
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

static int64_t read_memory(void *arg, uint64_t off, void *dst, size_t len)
{
    memcpy(dst, (const char *)arg + off, len);
    return 0;
}

static struct elf_file in_memory(const struct program_file *p)
{
    return (struct elf_file){.read = read_memory, .arg = p->file, .len = p->len};
}

bool program_file_load(struct program_file *p, const char *what)
{
    char found[RUN_PATH_MAX];
    const char *path = find_file(what, found);
    *p = (struct program_file){.argc = 0};
    p->file = file_read_all(path, PROGRAM_FILE_MAX, &p->len);
    if (!p->file) {
        int e = errno;
        fail("cannot read the program %s: %s", what, strerror(e));
        if (e == ENOENT && !strchr(what, '/'))
            fprintf(stderr, "Neither a file here nor one of ours (%s/*.elf).\n", beside("guest"));
        return false;
    }
    struct elf_file f = in_memory(p);
    const char *why = elf_parse(&p->elf, &f);
    if (why) {
        size_t len = strlen(path);
        bool script = len > 4 && strcmp(path + len - 4, ".lua") == 0;
        fail("%s cannot run: %s%s%s", path, why, script ? ". Try: rotifer run lua " : "", script ? path : "");
        return false;
    }
    name_after(p, path);
    return true;
}

bool program_file_function(const struct program_file *p, uint64_t pc, char *name, size_t size, uint64_t *off)
{
    struct elf_file f = in_memory(p);
    return elf_function(&f, pc, name, size, off);
}

bool program_file_add_cap(struct program_file *p, const char *name, const struct cap *cap)
{
    ASSERT(name[0] && !cap_is_null(cap));
    if (p->ncaps == PROGRAM_CAPS_MAX || !program_cap(&p->cap[p->ncaps], name, cap))
        return false;
    p->ncaps++;
    return true;
}

// --- The descriptor -------------------------------------------------------------------------------------

// The startup block, malloc()ed: it lives as long as the process that may still be filled from it.
static void *make_startup(struct node *n, const struct program *p, uint64_t *len)
{
    *len = program_startup_size(p);
    if (*len > PROGRAM_STARTUP_MAX) {
        fail("arguments and environment are longer than %llu KiB", (unsigned long long)(PROGRAM_STARTUP_MAX / KIB));
        return NULL;
    }
    void *block = calloc(1, *len);
    struct buf to = buf_kernel(block, *len);
    int e = block ? program_startup(n, p, &to) : -E_MEM;
    if (e < 0)
        fail_error(e, "startup block");
    return e < 0 ? NULL : block;
}

void *program_file_descriptor(struct node *n, const struct program_file *f, const struct cap *owner, uint64_t *len)
{
    struct program p = {.name = f->name,
                        .note = f->note,
                        .elf = &f->elf,
                        .argc = (unsigned)f->argc,
                        .argv = (const char *const *)f->argv,
                        .nenv = f->nenv,
                        .env = f->env,
                        .ncaps = f->ncaps,
                        .cap = f->cap,
                        .orphan_grace_ns = f->orphan_grace_ns};
    uint64_t block_len;
    void *block = make_startup(n, &p, &block_len);
    void *desc = block ? calloc(1, PROGRAM_DESC_MAX) : NULL;
    if (!desc)
        return NULL;
    struct cap file = files_add_bytes(n, f->file, f->len);
    struct cap startup = files_add_bytes(n, block, block_len);
    *len = program_descriptor(&p, &file, &startup, owner, desc);
    return desc;
}
