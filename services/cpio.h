// SPDX-License-Identifier: BSD-2-Clause
// Archives in the cpio format "newc", read where they lie in memory. An archive comes from outside: nothing is
// believed, and nothing outside of it is read.
// Callers: any context; nothing here locks.
#ifndef SERVICES_CPIO_H
#define SERVICES_CPIO_H

#include "core/config.h"
#include "core/types.h"

// newc (cpio(5), "New ASCII Format"; Linux, Documentation/driver-api/early-userspace/buffer-format.rst). All numbers
// are 8 hexadecimal digits. Header + name, and the contents, are each padded with zeros to a multiple of 4.
//
//   0      6     14   22                54        62            94         102    110
//   | 070701 | ino | mode | ... mtime   | filesize | ... rdevminor | namesize | check | name 0 .. | contents .. |
//
// namesize may count more zeros than one: so mkbootfs.py puts programs on a page's first byte, which makes their pages
// good to be pages of a process (services/proc/local_source.h).
//
// The last entry is called TRAILER!!!; behind it are zeros only.
#define CPIO_MAGIC "070701"
#define CPIO_HEADER 110u
#define CPIO_TRAILER "TRAILER!!!"
#define CPIO_FILES_MAX 256u // so that a walk from the beginning stays short

struct cpio_file {
    char name[NAME_MAX_LEN]; // printable ASCII, at least one byte, no "./" in front
    const uint8_t *bytes;
    uint64_t len;
};

// Returns NULL if the whole archive of len bytes is sound and no two files have the same name, and *files, how many it
// has; else what is wrong with it (a constant).
const char *cpio_check(const void *archive, uint64_t len, unsigned *files);
// Fills in *out with file number i, from 0, of an archive that has passed cpio_check. False if it has not so many.
bool cpio_get(const void *archive, uint64_t len, unsigned i, struct cpio_file *out);

#endif
