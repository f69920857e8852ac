// SPDX-License-Identifier: BSD-2-Clause
// Properties of a device's node, for its driver.
#include "boards/device.h"

#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/panic.h"

#define WARNINGS_MAX 40

static void warn_va(struct machine *m, const char *before, const char *fmt, va_list ap)
{
    char text[200];
    if (m->warnings++ >= WARNINGS_MAX)
        return;
    int n = snprintf(text, sizeof text, "device tree: %.80s", before);
    ASSERT(n > 0 && (size_t)n < sizeof text);
    vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
    m->warn(m->warnings < WARNINGS_MAX ? text : "device tree: more is wrong than is said here");
}

void machine_warn(struct machine *m, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    warn_va(m, "", fmt, ap);
    va_end(ap);
}

void device_warn(const struct device *d, const char *fmt, ...)
{
    char before[48];
    va_list ap;
    va_start(ap, fmt);
    snprintf(before, sizeof before, "%.40s: ", d->name);
    warn_va(d->machine, before, fmt, ap);
    va_end(ap);
}

// Properties come before children (section 5.4.2): the first tag that is neither a property nor padding ends the list.
// libfdt checks that a tag lies within the tree, but its own search goes round forever where a length wraps around.
const uint8_t *device_property(const struct device *d, const char *name, uint32_t *len)
{
    const void *fdt = d->machine->fdt;
    int next;
    *len = 0;
    if (fdt_next_tag(fdt, d->node, &next) != FDT_BEGIN_NODE)
        return NULL;
    for (int at = next; at > 0; at = next) {
        const char *its_name;
        int its_len;
        uint32_t tag = fdt_next_tag(fdt, at, &next);
        if ((tag != FDT_PROP && tag != FDT_NOP) || next <= at)
            return NULL;
        const uint8_t *p = tag == FDT_PROP ? fdt_getprop_by_offset(fdt, at, &its_name, &its_len) : NULL;
        if (p && its_len >= 0 && strcmp(its_name, name) == 0) {
            *len = (uint32_t)its_len;
            return p;
        }
    }
    return NULL;
}

uint32_t device_number(const struct device *d, const char *name, uint32_t otherwise)
{
    uint32_t len;
    const uint8_t *p = device_property(d, name, &len);
    if (p && len == 4)
        return cell_read(p);
    if (p)
        machine_warn(d->machine, "%s/%s is %u bytes long, not 4: taken as %u", d->name, name, len, otherwise);
    return otherwise;
}
