// SPDX-License-Identifier: BSD-2-Clause
// The table of drivers, and how they meet the devices. A new driver: one name here.
#include "boards/driver.h"

#include <string.h>

#include "core/panic.h"

#define DRIVERS(X) X(ns16550) X(sifive_uart) X(plic) X(sifive_test) X(virtio_mmio)

#define DECLARED(name) extern const struct driver name##_driver;
DRIVERS(DECLARED)
#define ENTRY(name) &name##_driver,
static const struct driver *const drivers[] = {DRIVERS(ENTRY)};

static bool knows(const struct driver *d, const char *compatible)
{
    for (const char *const *name = d->compatible; *name; name++)
        if ((*name)[0] == compatible[0] && strcmp(*name, compatible) == 0)
            return true;
    return false;
}

const struct driver *driver_find(const char *compatible)
{
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
        if (knows(drivers[i], compatible))
            return drivers[i];
    return NULL;
}

static void claim(const struct device *d)
{
    ASSERT(d->driver && d->len >= d->driver->regs_min_bytes);
    ASSERT(d->pa < ADDRESS_MAX && d->len <= ADDRESS_MAX - d->pa);
    if (d->driver->claim)
        d->driver->claim(d);
}

void drivers_claim(const struct machine *m)
{
    ASSERT(m->ndevices <= DEVICES_MAX);
    if (m->console)
        claim(m->console);
    for (unsigned i = 0; i < m->ndevices; i++)
        if (&m->devices[i] != m->console)
            claim(&m->devices[i]);
}

void drivers_start(struct node *n, const struct machine *m)
{
    for (unsigned i = 0; i < m->ndevices; i++)
        if (m->devices[i].driver->start)
            m->devices[i].driver->start(n, &m->devices[i]);
}
