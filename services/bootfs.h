// SPDX-License-Identifier: BSD-2-Clause
// The boot store: files that were loaded beside the image, read only, straight out of that memory. Object 0 is the
// directory of them (OP_DIR_LOOKUP, OP_DIR_LIST), object i + 1 is file number i (OP_READ, OP_SIZE). It is called
// "bootfs" in the boot directory. A node that was given none has an empty one.
#ifndef SERVICES_BOOTFS_H
#define SERVICES_BOOTFS_H

#include <stdint.h>

struct node;

// Gives the store its archive (services/cpio.h), which must stay where it is, unchanged. After services_start, once.
// NULL: taken. Else why it was refused; the store stays empty.
const char *bootfs_give(struct node *n, const void *archive, uint64_t len);

#endif
