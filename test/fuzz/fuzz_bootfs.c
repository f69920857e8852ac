// SPDX-License-Identifier: BSD-2-Clause
// Arbitrary bytes as the archive of the boot file system. What is accepted has files that lie inside, with names that a
// directory takes, no two the same; and nothing outside is ever read.
#include "core/panic.h"
#include "test/fuzz/fuzz.h"
#include "test/unit/files_bed.h"

static void check_file(const uint8_t *data, size_t size, const struct cpio_file *f)
{
    size_t len = strnlen(f->name, sizeof f->name);
    ASSERT(len > 0 && len < sizeof f->name);
    ASSERT(f->bytes >= data && f->bytes <= data + size && f->len <= (size_t)(data + size - f->bytes));
    for (size_t i = 0; i < len; i++)
        ASSERT(f->name[i] >= 0x20 && f->name[i] <= 0x7e);
    if (f->len > 0) { // its ends can be read
        volatile uint8_t both = (uint8_t)(f->bytes[0] + f->bytes[f->len - 1]);
        (void)both;
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    unsigned files = 0, got = 0;
    const char *why = cpio_check(data, size, &files);
    struct cpio_file f, g;
    for (; got < CPIO_FILES_MAX + 1 && cpio_get(data, size, got, &f); got++) {
        check_file(data, size,
                   &f); // also of an archive that was refused: what comes before the mistake
        for (unsigned i = 0; !why && i < got; i++)
            ASSERT(cpio_get(data, size, i, &g) && strcmp(f.name, g.name) != 0);
    }
    ASSERT(why || got == files);
    ASSERT(files <= CPIO_FILES_MAX);
    return 0;
}

size_t fuzz_seed(unsigned i, uint8_t *buf, size_t max)
{
    struct bed_cpio a = {.len = 0};
    if (i > 1)
        return 0;
    bed_entry(&a, 0040755, ".", NULL, 0);
    bed_file(&a, "./hello", "hello world", 11);
    if (i == 1) {
        bed_file(&a, "empty", NULL, 0);
        bed_file(&a, "0123456789012345678901234567890", "xyz", 3);
    }
    bed_end(&a);
    if (a.len > max)
        return 0;
    memcpy(buf, a.bytes, a.len);
    return a.len;
}
