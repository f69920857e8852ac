// SPDX-License-Identifier: BSD-2-Clause
// The device tree, walked once.
//
// libfdt finds a property or a parent by going through the tree from its start, each time. So the walk is our own: it
// gathers the properties of each node, knows the levels above it, and calls the function for nodes of that kind.
// Properties come before children (section 5.4.2): a node is complete when its first child begins or it ends.
// fdt_next_tag checks every place and length before it is used.
#include "boards/dt.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boards/driver.h"
#include "boards/dt_priv.h"

// --- Nodes: what the walk does with each ---------------------------------------------------------

static void visit_root(struct reader *r)
{
    const char *model = dt_text(r, P_MODEL);
    if (model)
        snprintf(r->m->model, sizeof r->m->model, "%s", model);
}

static void visit_chosen(struct reader *r)
{
    struct machine *m = r->m;
    const char *args = dt_text(r, P_BOOTARGS);
    if (args && strlen(args) >= sizeof m->bootargs)
        machine_warn(m, "boot arguments cut after %u characters", (unsigned)sizeof m->bootargs - 1);
    if (args)
        snprintf(m->bootargs, sizeof m->bootargs, "%s", args);
    const struct value *seed = &r->property[P_RNG_SEED];
    m->rng_seed_len = seed->len < sizeof m->rng_seed ? seed->len : (uint32_t)sizeof m->rng_seed;
    if (seed->at)
        memcpy(m->rng_seed, seed->at, m->rng_seed_len);
    r->stdout_path = dt_text(r, P_STDOUT_PATH);
    dt_read_initrd(r);
}

static enum section section_of(struct reader *r)
{
    static const struct {
        const char *name;
        enum section is;
    } known[] = {{"cpus", CPUS}, {"reserved-memory", RESERVED}, {"chosen", CHOSEN}, {"aliases", ALIASES}};
    const char *name = dt_name(r);
    size_t n = strcspn(name, "@");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (n == strlen(known[i].name) && strncmp(name, known[i].name, n) == 0 && !(r->sections & known[i].is)) {
            r->sections |= known[i].is;
            return known[i].is;
        }
    return OTHER;
}

static void visit_section(struct reader *r)
{
    r->section = section_of(r);
    r->hart = NULL;
    if (r->section == CPUS)
        r->m->timebase_hz = dt_number(r, P_TIMEBASE, 0);
    else if (r->section == CHOSEN)
        visit_chosen(r);
    else if (r->section == ALIASES)
        r->aliases = r->node;
    if (dt_has_type(r, "memory"))
        dt_visit_memory(r);
}

// The first name in `compatible` that a driver of ours knows decides.
static const struct driver *driver_of(struct reader *r)
{
    const struct value *v = &r->property[P_COMPATIBLE];
    const char *s = dt_text(r, P_COMPATIBLE);
    const struct driver *found = NULL;
    for (const char *end = s ? s + v->len : NULL; s && s < end && !found; s += strlen(s) + 1)
        found = driver_find(s);
    return found;
}

static void visit_device(struct reader *r)
{
    struct machine *m = r->m;
    const struct driver *driver = driver_of(r);
    const struct value *irq = &r->property[P_INTERRUPTS]; // one cell of the PLIC, or none
    struct range at;
    if (!driver || !dt_enabled(r))
        return;
    if (!dt_reg(r, 0, &at) || at.from == 0 || at.from % 4 != 0 || at.to - at.from < driver->regs_min_bytes)
        machine_warn(m, "%s: no usable address: ignored", dt_name(r));
    else if (at.to > ADDRESS_MAX)
        machine_warn(m, "%s lies above 128 GiB, at 0x%llx: ignored", dt_name(r), (unsigned long long)at.from);
    else if (m->ndevices == DEVICES_MAX)
        machine_warn(m, "%s: more than %u devices: ignored", dt_name(r), DEVICES_MAX);
    else
        m->devices[m->ndevices++] = (struct device){.machine = m,
                                                    .driver = driver,
                                                    .name = dt_name(r),
                                                    .node = r->node,
                                                    .irq = irq->at && irq->len >= 4 ? cell_read(irq->at) : 0,
                                                    .pa = at.from,
                                                    .len = at.to - at.from};
}

static void visit(struct reader *r)
{
    if (r->depth == 0)
        visit_root(r);
    else if (r->depth == 1)
        visit_section(r);
    else if (r->depth == 2 && r->section == CPUS)
        dt_visit_hart(r);
    else if (r->depth == 2 && r->section == RESERVED)
        dt_visit_reserved(r);
    else if (r->depth == 3 && r->section == CPUS)
        dt_visit_hart_child(r);
    visit_device(r);
}

// --- The walk ------------------------------------------------------------------------------------

static void gather(struct reader *r, int at)
{
    const char *name;
    int len;
    const uint8_t *p = fdt_getprop_by_offset(r->q->fdt, at, &name, &len);
    if (!p || len < 0)
        return;
    for (unsigned i = 0; i < PROPERTY_COUNT; i++)
        if (name[0] == dt_property_name[i][0] && strcmp(name, dt_property_name[i]) == 0) {
            if (!r->property[i].at) // of two with one name the first counts, as in libfdt
                r->property[i] = (struct value){p, (uint32_t)len};
            return;
        }
}

// Returns the number of cells of an address or a size below the node, section 2.3.5; 0: more than we can read.
static uint32_t cells(struct reader *r, enum property which, uint32_t otherwise)
{
    uint32_t n = dt_number(r, which, otherwise);
    return n <= CELLS_MAX ? n : 0;
}

static void complete(struct reader *r)
{
    r->level[r->depth] = (struct level){cells(r, P_ADDRESS_CELLS, 2), cells(r, P_SIZE_CELLS, 1), r->property[P_RANGES]};
    visit(r);
}

static bool begin(struct reader *r, int at, unsigned depth)
{
    r->node = at;
    if (depth >= DEPTH_MAX) {
        if (depth == DEPTH_MAX)
            machine_warn(r->m, "%s is nested too deep: ignored", dt_name(r));
        return false;
    }
    r->depth = depth;
    memset(r->property, 0, sizeof r->property);
    return true;
}

// Visits every node with its properties gathered, parents first.
static void walk(struct reader *r)
{
    unsigned depth = 0; // of the next node
    bool gathers = false;
    for (int at = 0, next;; at = next) {
        uint32_t tag = fdt_next_tag(r->q->fdt, at, &next);
        bool onward = next > at; // else the length wraps around
        if (tag == FDT_PROP && onward && gathers)
            gather(r, at);
        if (onward && (tag == FDT_PROP || tag == FDT_NOP))
            continue;
        if (gathers)
            complete(r);
        gathers = onward && tag == FDT_BEGIN_NODE && begin(r, at, depth);
        if (onward && tag == FDT_BEGIN_NODE)
            depth++;
        else if (onward && tag == FDT_END_NODE && depth > 1)
            depth--;
        else {
            r->damaged = tag != FDT_END_NODE || depth != 1; // else the root ends
            if (r->damaged)
                machine_warn(r->m, "damaged at byte %d: the rest is ignored", at);
            return;
        }
    }
}

// --- The console ---------------------------------------------------------------------------------

// True if libfdt can look up the first part of the path, an alias. libfdt takes the alias's value for a string, and
// does not end if that begins with an alias again.
static bool alias_is_sound(const struct reader *r, const char *path)
{
    size_t n = strcspn(path, "/:");
    int len = 0;
    const char *to = r->aliases < 0 ? NULL : fdt_getprop_namelen(r->q->fdt, r->aliases, path, (int)n, &len);
    return to && len > 0 && to[len - 1] == 0 && to[0] == '/';
}

// Finds the device that /chosen/stdout-path names: a path, or an alias, possibly with ":115200n8" behind it. Not in a
// damaged tree, where libfdt's search might not end.
static void find_console(struct reader *r)
{
    const char *path = r->stdout_path;
    if (!path || r->damaged || (path[0] != '/' && !alias_is_sound(r, path)))
        return;
    int node = fdt_path_offset_namelen(r->q->fdt, path, (int)strcspn(path, ":"));
    for (unsigned i = 0; i < r->m->ndevices; i++)
        if (r->m->devices[i].node == node)
            r->m->console = &r->m->devices[i];
}

// --- The whole -----------------------------------------------------------------------------------

// libfdt checks lengths and places within the tree; it does not check alignment (section 5.6), on which its loads rely.
static bool is_tree(const void *fdt)
{
    return fdt && fdt_check_header(fdt) == 0 && fdt_totalsize(fdt) <= DT_MAX_BYTES && fdt_off_dt_struct(fdt) % 4 == 0 &&
           fdt_off_mem_rsvmap(fdt) % 8 == 0;
}

bool dt_read(const struct dt_request *q, struct machine *m)
{
    struct reader r = {.q = q, .m = m, .aliases = -1};
    *m = (struct machine){.timebase_hz = 10000000, .nharts = 1, .isa = ISA_RV64GC, .warn = q->warn};
    m->harts[0] = (struct machine_hart){.hartid = q->boot_hartid, .isa = ISA_RV64GC};
    snprintf(m->model, sizeof m->model, "unknown machine");
    if (!is_tree(q->fdt)) {
        q->warn("there is no device tree where the firmware says");
        return false;
    }
    m->fdt = q->fdt;
    m->timebase_hz = 0;
    walk(&r);
    dt_finish_harts(&r);
    dt_finish_memory(&r);
    find_console(&r);
    return true;
}
