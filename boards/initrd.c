// SPDX-License-Identifier: BSD-2-Clause
// The boot archive: where it lies was checked by dt_read(), what is in it by bootfs_give().
#include "boards/initrd.h"

#include "arch/riscv/boot.h"
#include "core/log.h"
#include "core/node.h"
#include "core/panic.h"
#include "services/bootfs.h"
#include "services/service.h"

void initrd_give(struct node *n, const struct range *initrd)
{
    uint64_t len = initrd->to - initrd->from;
    ASSERT(initrd->from <= initrd->to);
    if (len == 0)
        return;
    if (!services_have(n, "bootfs")) {
        node_log(n, "the initrd is of no use: this image has no bootfs");
        return;
    }
    const void *archive = arch_direct(initrd->from, len);
    const char *why = archive ? bootfs_give(n, archive, len) : "it lies above all addresses";
    if (why)
        node_log(n, "bootfs: empty: the initrd is refused: %s", why);
}
