// SPDX-License-Identifier: BSD-2-Clause
// The node of the device tree where the walk is: its properties, and its addresses as the processor sees them.
#include "boards/dt_priv.h"

#include <libfdt.h>
#include <string.h>

#include "core/panic.h"

const char *const dt_property_name[PROPERTY_COUNT] = {
#define AS_NAME(number, name) name,
    PROPERTIES(AS_NAME)};

// --- Properties ----------------------------------------------------------------------------------

const char *dt_name(const struct reader *r)
{
    const char *name = fdt_get_name(r->q->fdt, r->node, NULL);
    return name ? name : "?";
}

static bool is_text(const struct value *v)
{
    return v->at && v->len > 0 && v->at[v->len - 1] == 0;
}

const char *dt_text(struct reader *r, enum property which)
{
    const struct value *v = &r->property[which];
    if (is_text(v))
        return (const char *)v->at;
    if (v->at)
        machine_warn(r->m, "%s/%s is not a string: ignored", dt_name(r), dt_property_name[which]);
    return NULL;
}

uint32_t dt_number(struct reader *r, enum property which, uint32_t otherwise)
{
    const struct value *v = &r->property[which];
    if (v->at && v->len == 4)
        return cell_read(v->at);
    if (v->at)
        machine_warn(r->m, "%s/%s is %u bytes long, not 4: taken as %u", dt_name(r), dt_property_name[which], v->len,
                     otherwise);
    return otherwise;
}

bool dt_lists(const struct reader *r, enum property which, const char *string)
{
    const struct value *v = &r->property[which];
    if (!is_text(v))
        return false;
    const char *end = (const char *)v->at + v->len;
    for (const char *s = (const char *)v->at; s < end; s += strlen(s) + 1)
        if (strcmp(s, string) == 0)
            return true;
    return false;
}

bool dt_enabled(struct reader *r)
{
    if (!r->property[P_STATUS].at)
        return true;
    const char *s = dt_text(r, P_STATUS);
    return s && (strcmp(s, "okay") == 0 || strcmp(s, "ok") == 0);
}

bool dt_has_type(struct reader *r, const char *type)
{
    const char *s = dt_text(r, P_DEVICE_TYPE);
    return s && strcmp(s, type) == 0;
}

// --- Addresses -----------------------------------------------------------------------------------

uint64_t dt_cells(const uint8_t *p, uint32_t n)
{
    return n == 2 ? (uint64_t)cell_read(p) << 32 | cell_read(p + 4) : n == 1 ? cell_read(p) : 0;
}

// Translates *at from the address space below `bus` to the one above it; section 2.3.8. False: it has no address there.
static bool translate_once(const struct level *bus, const struct level *above, uint64_t *at)
{
    const uint8_t *p = bus->ranges.at;
    uint32_t len = bus->ranges.len;
    if (!p)
        return false; // no ranges: not memory-mapped from above
    if (len == 0)
        return true; // the same addresses
    uint32_t child = bus->address_cells, parent = above->address_cells, size = bus->size_cells;
    uint32_t entry = 4 * (child + parent + size);
    if (!child || !parent || !size)
        return false;
    for (; len >= entry; p += entry, len -= entry) {
        uint64_t from = dt_cells(p, child);
        uint64_t to = dt_cells(p + 4 * child, parent);
        uint64_t n = dt_cells(p + 4 * (child + parent), size);
        if (*at >= from && *at - from < n) {
            *at = to + (*at - from);
            return true;
        }
    }
    return false;
}

// Translates *at from the address space below level[bus] to that of the processor. False: it has no address there.
static bool translate(const struct reader *r, unsigned bus, uint64_t *at)
{
    for (; bus > 0; bus--)
        if (!translate_once(&r->level[bus], &r->level[bus - 1], at))
            return false;
    return true;
}

bool dt_reg(const struct reader *r, uint32_t i, struct range *out)
{
    ASSERT(r->depth < DEPTH_MAX);
    if (r->depth == 0)
        return false;
    const struct level *parent = &r->level[r->depth - 1];
    const struct value *reg = &r->property[P_REG];
    uint32_t na = parent->address_cells, ns = parent->size_cells;
    ASSERT(na <= CELLS_MAX && ns <= CELLS_MAX);
    uint32_t entry = 4 * (na + ns);
    if (!reg->at || !na || !ns || reg->len / entry <= i)
        return false;
    const uint8_t *p = reg->at + i * entry;
    uint64_t from = dt_cells(p, na), n = dt_cells(p + 4 * na, ns);
    if (!translate(r, r->depth - 1, &from) || n > UINT64_MAX - from)
        return false;
    *out = (struct range){from, from + n};
    return true;
}
