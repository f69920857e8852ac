// SPDX-License-Identifier: BSD-2-Clause
// The boot file system: files that were loaded beside the image, read only, straight out of that memory. Object 0 is
// the directory of them (OP_DIR_LOOKUP, OP_DIR_LIST), object i + 1 is file number i (OP_READ, OP_SIZE). It is called
// "bootfs" in the boot directory. A node that was given none has no files.
// Callers: node lock held.
#ifndef SERVICES_BOOTFS_H
#define SERVICES_BOOTFS_H

#include "core/types.h"

struct node;
struct seg;

// Gives the service its archive of len bytes (services/cpio.h), which must stay where it is, unchanged. Returns NULL:
// it was taken; or why it was refused (a constant): then there are no files. Callers: boards and tests, after
// services_start, once.
const char *bootfs_give(struct node *n, const void *archive, uint64_t len);

// True if the service serves this port. False if this image has no such service.
bool bootfs_serves(const struct node *n, struct port put);
// Bytes [off, off + len) of a file, from byte `at` of the first page of a segment on, zeros around them. The same
// segment each time, until bootfs_forget: to be shared, not to be written; the service keeps its reference. Pages of
// the archive that lie right are in it as they are. Returns 0 and *out, or E_OP: the capability names the directory;
// E_OBJECT, E_CAP, E_RIGHTS; E_EOF: beyond the end; E_MEM.
int bootfs_image(struct node *n, const struct cap *file, uint64_t off, uint64_t len, uint64_t at, struct seg **out);
// Memory is short: forgets these segments. Processes that share pages with them keep the pages.
void bootfs_forget(struct node *n);

#endif
