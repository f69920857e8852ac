// SPDX-License-Identifier: BSD-2-Clause
// Slots for virtio devices. What is in one decides which driver takes it. VIRTIO 1.2, section 4.2; binding: Linux,
// Documentation/devicetree/bindings/virtio/mmio.yaml.
#include "arch/riscv/boot.h"
#include "boards/driver.h"
#include "boards/virtio.h"
#include "core/log.h"
#include "core/node.h"

#define VIRTIO_DRIVERS(X) X(net)

#define DECLARED(name) extern const struct virtio_driver name##_virtio_driver;
VIRTIO_DRIVERS(DECLARED)
#define ENTRY(name) &name##_virtio_driver,
static const struct virtio_driver *const drivers[] = {VIRTIO_DRIVERS(ENTRY)};

static void start(struct node *n, const struct device *d)
{
    struct virtio v;
    enum virtio_found found = virtio_probe(&v, arch_direct(d->pa, d->len), d->irq);
    if (found == VIRTIO_LEGACY)
        node_log(n, "virtio at %lx is of the old kind; QEMU needs -global virtio-mmio.force-legacy=false",
                 (unsigned long)d->pa);
    for (size_t i = 0; found == VIRTIO_MODERN && i < sizeof drivers / sizeof drivers[0]; i++)
        if (drivers[i]->id == v.id)
            drivers[i]->start(n, &v, d->pa);
}

static const char *const names[] = {"virtio,mmio", NULL};
const struct driver virtio_mmio_driver = {.compatible = names, .regs_min_bytes = VIRTIO_REGS_BYTES, .start = start};
