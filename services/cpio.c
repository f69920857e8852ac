// SPDX-License-Identifier: BSD-2-Clause
// Archives in the cpio format "newc": one walk from the first entry to the trailer, which checks each header that it
// passes.
#include "services/cpio.h"
#include "core/panic.h"
#include "core/text.h"

#include <string.h>

// Offsets of the fields that matter here.
#define AT_MODE 14u
#define AT_FILESIZE 54u
#define AT_NAMESIZE 94u

#define MODE_TYPE 0170000u
#define MODE_FILE 0100000u
#define MODE_DIRECTORY 0040000u

// Bytes of a name with the zeros behind it, which are more than one when they put the contents on a page's first byte.
#define PATH_BYTES (PAGE_SIZE + NAME_MAX_LEN)

struct walk {
    const uint8_t *bytes;
    uint64_t len, off;
    bool again; // a walk has been here, and all was as it should be: padding is not looked at
};
enum entry_kind { ENTRY_FILE, ENTRY_SKIPPED, ENTRY_END };

static bool hex8(const uint8_t *p, uint32_t *value)
{
    uint32_t v = 0;
    for (int i = 0; i < 8; i++) {
        uint32_t c = p[i], digit;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if (c >= 'a' && c <= 'f')
            digit = c - 'a' + 10;
        else if (c >= 'A' && c <= 'F')
            digit = c - 'A' + 10;
        else
            return false;
        v = v << 4 | digit;
    }
    *value = v;
    return true;
}

// The next `size` bytes, and the walk behind them and their padding; NULL: they pass the end.
static const uint8_t *take(struct walk *w, uint64_t size)
{
    ASSERT(w->off <= w->len);
    if (size > w->len - w->off)
        return NULL;
    const uint8_t *p = w->bytes + w->off;
    uint64_t end = (w->off + size + 3) & ~3ull;
    w->off = end < w->len ? end : w->len; // the padding of the last one may be missing
    return p;
}

// Word by word as soon as p is aligned: a name is padded up to the next page, so this is most of what a check costs.
static bool zeros(const void *bytes, uint64_t len)
{
    const uint8_t *p = bytes;
    for (; len > 0 && (uintptr_t)p % sizeof(uint64_t); p++, len--)
        if (*p)
            return false;
    for (; len >= sizeof(uint64_t); p += sizeof(uint64_t), len -= sizeof(uint64_t))
        if (*(const uint64_t *)(const void *)p)
            return false;
    for (; len > 0; p++, len--)
        if (*p)
            return false;
    return true;
}

static const char *check_name(const char *name, size_t len, char out[NAME_MAX_LEN])
{
    if (len >= 2 && name[0] == '.' && name[1] == '/') {
        name += 2;
        len -= 2;
    }
    if (len == 0)
        return "a file has an empty name";
    if (len >= NAME_MAX_LEN)
        return "a name is longer than 31 bytes";
    if (!text_is_plain(name, len)) // as in any directory here
        return "a name is not printable ASCII";
    memset(out, 0, NAME_MAX_LEN);
    memcpy(out, name, len);
    return NULL;
}

// One entry. NULL, *kind and, for a file, *out; else what is wrong.
static const char *next(struct walk *w, struct cpio_file *out, enum entry_kind *kind)
{
    uint32_t mode, size, name_size;
    if (w->len - w->off < CPIO_HEADER)
        return "it ends before its trailer: it is cut short";
    const uint8_t *h = w->bytes + w->off;
    if (memcmp(h, CPIO_MAGIC, 6) != 0)
        return w->off ? "an entry does not begin with 070701" : "it is not a cpio archive (newc)";
    if (!hex8(h + AT_MODE, &mode) || !hex8(h + AT_FILESIZE, &size) || !hex8(h + AT_NAMESIZE, &name_size))
        return "a number is not hexadecimal";
    if (name_size == 0 || name_size > PATH_BYTES)
        return "the length of a name is out of range";
    if (!take(w, CPIO_HEADER + name_size))
        return "a name passes the end: it is cut short";
    const char *name = (const char *)h + CPIO_HEADER;
    const char *name_end = memchr(name, 0, name_size);
    if (!name_end || (!w->again && !zeros(name_end, (size_t)(name + name_size - name_end))))
        return "a name has no end, or more than one";
    const uint8_t *bytes = take(w, size);
    if (!bytes)
        return "the contents of a file pass the end: it is cut short";
    *kind = ENTRY_END;
    if (strcmp(name, CPIO_TRAILER) == 0)
        return w->again || zeros(w->bytes + w->off, w->len - w->off) ? NULL : "there are bytes behind its trailer";
    *kind = ENTRY_SKIPPED;
    if ((mode & MODE_TYPE) == MODE_DIRECTORY) // find | cpio puts "." in front
        return NULL;
    if ((mode & MODE_TYPE) != MODE_FILE)
        return "an entry is neither a file nor a directory";
    *kind = ENTRY_FILE;
    out->bytes = bytes;
    out->len = size;
    return check_name(name, (size_t)(name_end - name), out->name);
}

// The next file. NULL and *end when there is none.
static const char *next_file(struct walk *w, struct cpio_file *out, bool *end)
{
    enum entry_kind kind = ENTRY_SKIPPED;
    const char *why = NULL;
    while (!why && kind == ENTRY_SKIPPED)
        why = next(w, out, &kind);
    *end = kind == ENTRY_END;
    return why;
}

static bool named_before(const struct walk *all, unsigned files, const char *name)
{
    struct walk w = {all->bytes, all->len, 0, true};
    struct cpio_file f;
    bool end = false;
    for (; files > 0 && !next_file(&w, &f, &end) && !end; files--)
        if (strcmp(f.name, name) == 0)
            return true;
    return false;
}

const char *cpio_check(const void *archive, uint64_t len, unsigned *files)
{
    struct walk w = {archive, len, 0, false};
    struct cpio_file f;
    for (*files = 0;; ++*files) {
        bool end;
        const char *why = next_file(&w, &f, &end);
        if (why || end)
            return why;
        if (*files == CPIO_FILES_MAX)
            return "it has more than 256 files";
        if (named_before(&w, *files, f.name))
            return "two files have the same name";
    }
}

bool cpio_get(const void *archive, uint64_t len, unsigned i, struct cpio_file *out)
{
    struct walk w = {archive, len, 0, true};
    bool end = false;
    do {
        if (next_file(&w, out, &end) || end)
            return false;
    } while (i-- > 0);
    return true;
}
