// SPDX-License-Identifier: BSD-2-Clause
#include "boards/dt.h"

#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"

// interrupts-extended: the S-mode external interrupt of a hart (Priv table 4.2)
#define S_EXTERNAL 9u
#define DEPTH_MAX 16    // levels of the tree that we look at
#define WARNINGS_MAX 40 // each is a line on a slow console

// The properties that we know. A walk gathers them while it passes a node; to look one up is then to look into a table,
// not to search the node again.
#define PROPERTIES(X)                                                                                                  \
    X(P_ADDRESS_CELLS, "#address-cells")                                                                               \
    X(P_SIZE_CELLS, "#size-cells")                                                                                     \
    X(P_BOOTARGS, "bootargs")                                                                                          \
    X(P_COMPATIBLE, "compatible")                                                                                      \
    X(P_DEVICE_TYPE, "device_type")                                                                                    \
    X(P_INITRD_START, "linux,initrd-start")                                                                            \
    X(P_INITRD_END, "linux,initrd-end")                                                                                \
    X(P_INTERRUPTS, "interrupts")                                                                                      \
    X(P_INTERRUPTS_EXTENDED, "interrupts-extended")                                                                    \
    X(P_ISA, "riscv,isa")                                                                                              \
    X(P_ISA_EXTENSIONS, "riscv,isa-extensions")                                                                        \
    X(P_MMU_TYPE, "mmu-type")                                                                                          \
    X(P_MODEL, "model")                                                                                                \
    X(P_NDEV, "riscv,ndev")                                                                                            \
    X(P_PHANDLE, "phandle")                                                                                            \
    X(P_PHANDLE_OLD, "linux,phandle")                                                                                  \
    X(P_RANGES, "ranges")                                                                                              \
    X(P_REG, "reg")                                                                                                    \
    X(P_REG_IO_WIDTH, "reg-io-width")                                                                                  \
    X(P_REG_SHIFT, "reg-shift")                                                                                        \
    X(P_RNG_SEED, "rng-seed")                                                                                          \
    X(P_STATUS, "status")                                                                                              \
    X(P_STDOUT_PATH, "stdout-path")                                                                                    \
    X(P_TIMEBASE, "timebase-frequency")

enum property {
#define AS_NUMBER(number, name) number,
    PROPERTIES(AS_NUMBER) PROPERTY_COUNT
};
static const char *const property_name[] = {
#define AS_NAME(number, name) name,
    PROPERTIES(AS_NAME)};

// The names in `compatible` that we know, one bit each.
enum { CPU_INTC = 1, PLIC = 2, TEST = 4, VIRTIO = 8, NS16550 = 16, SIFIVE_UART = 32 };
static const struct {
    const char *name;
    uint32_t bit;
} compatibles[] = {
    {"riscv,cpu-intc", CPU_INTC}, {"riscv,plic0", PLIC},         {"sifive,plic-1.0.0", PLIC},
    {"sifive,test0", TEST},       {"virtio,mmio", VIRTIO},       {"ns16550a", NS16550},
    {"ns16550", NS16550},         {"snps,dw-apb-uart", NS16550}, {"sifive,uart0", SIFIVE_UART},
};

// Children of the root that have a meaning of their own, one bit each.
enum section { OTHER = 0, CPUS = 1, RESERVED = 2, CHOSEN = 4, ALIASES = 8 };

struct value {
    const uint8_t *at; // NULL: the node has no such property
    uint32_t len;
};

// What a node's children need to know about it.
struct level {
    uint32_t address_cells, size_cells;
    struct value ranges;
};

struct reader {
    const struct dt_request *q;
    const void *fdt;
    struct machine *m;
    unsigned warnings;

    // Where the walk is: a node, the levels above it, and its own at level[depth].
    int node;
    unsigned depth;
    struct level level[DEPTH_MAX];
    struct value property[PROPERTY_COUNT];
    uint32_t is; // its compatibles
    bool again;  // not the first walk: what is wrong with the tree has been said
    bool damaged;

    // What the first walk finds for later.
    enum section section; // that the walk is in
    uint32_t sections;    // that it was in: only the first of a name counts
    struct dt_hart *hart; // that the walk is in; NULL: none that we use
    bool boot_found;
    const char *stdout_path;
    int aliases, stdout_node;             // -1: there is none
    struct range hole[DT_RANGES_MAX * 2]; // not ours although it is memory
    unsigned nholes;
    bool firmware_reserved; // the tree says what the firmware keeps
};

static void warn(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void warn(struct reader *r, const char *fmt, ...)
{
    char text[160];
    va_list ap;
    if (r->warnings++ >= WARNINGS_MAX)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->q->warn(r->warnings < WARNINGS_MAX ? text : "device tree: more is wrong than is said here");
}

static const char *name_of(const struct reader *r)
{
    const char *name = fdt_get_name(r->fdt, r->node, NULL);
    return name ? name : "?";
}

// --- Properties of the node where the walk is ----------------------------------------------------

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// Property as bytes; NULL: absent. *len is then 0.
static const uint8_t *bytes(const struct reader *r, enum property which, uint32_t *len)
{
    *len = r->property[which].len;
    return r->property[which].at;
}

// Property as a string; NULL: absent or without its final zero.
static const char *text(struct reader *r, enum property which)
{
    uint32_t len;
    const uint8_t *p = bytes(r, which, &len);
    if (!p)
        return NULL;
    if (len == 0 || p[len - 1] != 0) {
        warn(r, "device tree: %s/%s is not a string: ignored", name_of(r), property_name[which]);
        return NULL;
    }
    return (const char *)p;
}

static uint32_t number(struct reader *r, enum property which, uint32_t otherwise)
{
    uint32_t len;
    const uint8_t *p = bytes(r, which, &len);
    if (!p)
        return otherwise;
    if (len != 4) {
        warn(r, "device tree: %s/%s is %u bytes long, not 4: taken as %u", name_of(r), property_name[which], len,
             otherwise);
        return otherwise;
    }
    return be32(p);
}

// Section 2.3.4: no status means okay.
static bool enabled(struct reader *r)
{
    if (!r->property[P_STATUS].at)
        return true;
    const char *s = text(r, P_STATUS);
    return s && (strcmp(s, "okay") == 0 || strcmp(s, "ok") == 0);
}

static bool has_type(struct reader *r, const char *type)
{
    const char *s = text(r, P_DEVICE_TYPE);
    return s && strcmp(s, type) == 0;
}

// --- The walk ------------------------------------------------------------------------------------
//
// libfdt finds a property or a parent by going through the tree from its start, each time. So we go through it
// ourselves, once for the harts and the memory and once for the devices, which need to know the harts. Properties come
// before children (section 5.4.2): a node is complete when its first child begins or it ends. fdt_next_tag checks every
// place and length before it is used.

static void gather(struct reader *r, int at)
{
    const char *name;
    int len;
    const uint8_t *p = fdt_getprop_by_offset(r->fdt, at, &name, &len);
    if (!p || len < 0)
        return;
    for (unsigned i = 0; i < PROPERTY_COUNT; i++)
        if (name[0] == property_name[i][0] && strcmp(name, property_name[i]) == 0) {
            if (!r->property[i].at) // of two with one name the first counts, as in libfdt
                r->property[i] = (struct value){p, (uint32_t)len};
            return;
        }
}

static uint32_t known_compatibles(struct reader *r)
{
    uint32_t len, is = 0;
    const char *s = (const char *)bytes(r, P_COMPATIBLE, &len);
    if (!s || len == 0 || s[len - 1] != 0) {
        if (!r->again)
            text(r, P_COMPATIBLE); // says what is wrong
        return 0;
    }
    const char *end = s + len;
    for (; s < end; s += strlen(s) + 1)
        for (unsigned i = 0; i < sizeof compatibles / sizeof compatibles[0]; i++)
            if (s[0] == compatibles[i].name[0] && strcmp(s, compatibles[i].name) == 0)
                is |= compatibles[i].bit;
    return is;
}

// Number of cells of an address or a size below the node; section 2.3.5. 0: we cannot read that.
static uint32_t cells(struct reader *r, enum property which, uint32_t otherwise)
{
    const struct value *v = &r->property[which];
    uint32_t n = r->again && v->len != 4 ? otherwise : number(r, which, otherwise);
    return n <= 2 ? n : 0;
}

static void complete(struct reader *r, void (*visit)(struct reader *r))
{
    r->level[r->depth] = (struct level){cells(r, P_ADDRESS_CELLS, 2), cells(r, P_SIZE_CELLS, 1), r->property[P_RANGES]};
    r->is = known_compatibles(r);
    visit(r);
}

static bool begin(struct reader *r, int at, unsigned depth)
{
    r->node = at;
    if (depth >= DEPTH_MAX) {
        if (depth == DEPTH_MAX && !r->again)
            warn(r, "device tree: %s is nested too deep: ignored", name_of(r));
        return false;
    }
    r->depth = depth;
    memset(r->property, 0, sizeof r->property);
    return true;
}

// Calls visit for every node with its properties gathered, parents first.
static void walk(struct reader *r, void (*visit)(struct reader *r))
{
    unsigned depth = 0; // of the next node
    bool gathers = false;
    for (int at = 0, next;; at = next) {
        uint32_t tag = fdt_next_tag(r->fdt, at, &next);
        bool onward = next > at; // else the length wraps around
        if (tag == FDT_PROP && onward && gathers)
            gather(r, at);
        if (onward && (tag == FDT_PROP || tag == FDT_NOP))
            continue;
        if (gathers)
            complete(r, visit);
        gathers = onward && tag == FDT_BEGIN_NODE && begin(r, at, depth);
        if (onward && tag == FDT_BEGIN_NODE)
            depth++;
        else if (onward && tag == FDT_END_NODE && depth > 1)
            depth--;
        else {
            r->damaged = tag != FDT_END_NODE || depth != 1; // else the root ends
            if (r->damaged && !r->again)
                warn(r, "device tree: damaged at byte %d: the rest is ignored", at);
            return;
        }
    }
}

// --- Addresses -----------------------------------------------------------------------------------

static uint64_t cell_value(const uint8_t *p, uint32_t n)
{
    return n == 2 ? (uint64_t)be32(p) << 32 | be32(p + 4) : n == 1 ? be32(p) : 0;
}

// From the address space below `bus` to that above it; section 2.3.8.
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
        uint64_t from = cell_value(p, child);
        uint64_t to = cell_value(p + 4 * child, parent);
        uint64_t n = cell_value(p + 4 * (child + parent), size);
        if (*at >= from && *at - from < n) {
            *at = to + (*at - from);
            return true;
        }
    }
    return false;
}

// From the address space below level[bus] to that of the processor.
static bool translate(const struct reader *r, unsigned bus, uint64_t *at)
{
    for (; bus > 0; bus--)
        if (!translate_once(&r->level[bus], &r->level[bus - 1], at))
            return false;
    return true;
}

// The i-th entry of `reg`, as the processor sees it.
static bool reg(const struct reader *r, uint32_t i, struct range *out)
{
    if (r->depth == 0)
        return false;
    const struct level *parent = &r->level[r->depth - 1];
    uint32_t na = parent->address_cells, ns = parent->size_cells;
    uint32_t len;
    const uint8_t *p = bytes(r, P_REG, &len);
    uint32_t entry = 4 * (na + ns);
    if (!p || !na || !ns || len / entry <= i)
        return false;
    p += i * entry;
    uint64_t from = cell_value(p, na), n = cell_value(p + 4 * na, ns);
    if (!translate(r, r->depth - 1, &from) || n > UINT64_MAX - from)
        return false;
    *out = (struct range){from, from + n};
    return true;
}

// The registers of a device; false and a warning if we cannot reach them.
static bool device(struct reader *r, uint64_t least, struct dt_device *out)
{
    struct range at;
    if (!reg(r, 0, &at) || at.from == 0 || at.to - at.from < least) {
        warn(r, "device tree: %s: no usable address: ignored", name_of(r));
        return false;
    }
    if (at.to > DT_ADDRESS_MAX) {
        warn(r, "device tree: %s lies above 128 GiB: ignored", name_of(r));
        return false;
    }
    uint32_t len;
    const uint8_t *irq = bytes(r, P_INTERRUPTS, &len); // one cell of the PLIC, or none
    *out = (struct dt_device){at.from, at.to - at.from, irq && len >= 4 ? be32(irq) : 0};
    return true;
}

// --- Harts ---------------------------------------------------------------------------------------

// Of "rv64imafdc_zba_zbb_sstc" and the like (RISC-V ISA manual, chapter "ISA Extension Naming Conventions").
static void parse_isa(const char *s, struct dt_hart *h)
{
    static const struct {
        const char *name;
        uint64_t bit;
    } known[] = {{"zba", ISA_ZBA}, {"zbb", ISA_ZBB}, {"zbs", ISA_ZBS}};
    if (strncmp(s, "rv64", 4) != 0)
        return;
    for (s += 4; *s >= 'a' && *s <= 'z'; s++) {
        if (*s == 'z' || *s == 's' || *s == 'x') // multi-letter names begin, perhaps without '_'
            break;
        h->isa |= *s == 'g' ? ISA_RV64GC & ~ISA_BIT('c') : ISA_BIT(*s);
    }
    while (*s) {
        size_t n = strcspn(s, "_");
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            if (n == strlen(known[i].name) && strncmp(s, known[i].name, n) == 0)
                h->isa |= known[i].bit;
        if (n == 4 && strncmp(s, "sstc", 4) == 0)
            h->sstc = true;
        s += n + (s[n] == '_');
    }
}

// Newer trees have a list of names instead: riscv,isa-extensions.
static void parse_isa_list(struct reader *r, struct dt_hart *h)
{
    const char *s = text(r, P_ISA_EXTENSIONS);
    if (!s)
        return;
    for (const char *end = s + r->property[P_ISA_EXTENSIONS].len; s < end; s += strlen(s) + 1) {
        char one[32];
        if (strlen(s) == 1) {
            h->isa |= *s >= 'a' && *s <= 'z' ? ISA_BIT(*s) : 0;
        } else if (strlen(s) < 24) {
            snprintf(one, sizeof one, "rv64_%s", s);
            parse_isa(one, h);
        }
    }
}

static bool read_hart(struct reader *r, struct dt_hart *h)
{
    uint32_t len;
    const uint8_t *p = bytes(r, P_REG, &len);
    const char *isa = text(r, P_ISA);
    *h = (struct dt_hart){0};
    if (len == 4 || len == 8)
        h->hartid = cell_value(p, len / 4);
    else
        return false;
    if (isa)
        parse_isa(isa, h);
    parse_isa_list(r, h);
    return true;
}

// Why we cannot use it; NULL: we can. A hart without mmu-type has no S-mode (the E51 of the FU540 says okay all the
// same); one may have mmu-type and yet be disabled (hart 0 of the JH7110).
static const char *unusable(struct reader *r, const struct dt_hart *h)
{
    const uint64_t needed = ISA_RV64GC;
    const char *mmu = text(r, P_MMU_TYPE);
    if (!enabled(r))
        return "disabled";
    if (!mmu || strncmp(mmu, "riscv,sv", 8) != 0)
        return "no MMU";
    if ((h->isa & needed) != needed)
        return "not rv64gc";
    if (h->hartid >= 64)
        return "id over 63"; // masks of SBI calls, arch/riscv/sbi.h
    return NULL;
}

// Two records of one hart would start it twice.
static bool listed(const struct reader *r, uint64_t hartid)
{
    for (unsigned i = r->boot_found ? 0 : 1; i < r->m->nharts; i++)
        if (r->m->harts[i].hartid == hartid)
            return true;
    return false;
}

// A child of /cpus.
static void visit_hart(struct reader *r)
{
    struct machine *m = r->m;
    struct dt_hart h;
    r->hart = NULL;
    if (!has_type(r, "cpu") || !read_hart(r, &h))
        return;
    if (m->timebase_hz == 0) // before version 0.4 it could be here
        m->timebase_hz = number(r, P_TIMEBASE, 0);
    const char *why = unusable(r, &h);
    if (listed(r, h.hartid)) {
        warn(r, "device tree: %s: hart %u was there before: ignored", name_of(r), (unsigned)h.hartid);
    } else if (h.hartid == r->q->boot_hartid) {
        if (why)
            warn(r, "device tree: hart %u is %s, but runs this", (unsigned)h.hartid, why);
        r->hart = &m->harts[0];
        r->boot_found = true;
    } else if (!why && m->nharts < HARTS_MAX) {
        r->hart = &m->harts[m->nharts++];
    }
    if (r->hart)
        *r->hart = h;
}

// A child of a hart: its interrupt controller, by which the PLIC names the hart.
static void visit_hart_child(struct reader *r)
{
    if (!r->hart || r->hart->phandle || !(r->is & CPU_INTC))
        return;
    r->hart->phandle = number(r, P_PHANDLE, 0);
    if (r->hart->phandle == 0)
        r->hart->phandle = number(r, P_PHANDLE_OLD, 0);
}

static void sum_up_harts(struct reader *r)
{
    struct machine *m = r->m;
    if (!r->boot_found) {
        warn(r, "device tree: no entry for this hart: taken as rv64gc, alone");
        m->nharts = 1;
        m->harts[0] = (struct dt_hart){.hartid = r->q->boot_hartid, .isa = ISA_RV64GC};
    }
    m->isa = UINT64_MAX;
    m->sstc = true;
    for (unsigned i = 0; i < m->nharts; i++) {
        m->isa &= m->harts[i].isa;
        m->sstc &= m->harts[i].sstc;
    }
    if (m->timebase_hz < 1000 || m->timebase_hz >= NS_PER_S) {
        warn(r, "device tree: timebase of %u Hz: taken as 10 MHz", (unsigned)m->timebase_hz);
        m->timebase_hz = 10000000;
    }
}

// --- Memory --------------------------------------------------------------------------------------

static void add_hole(struct reader *r, uint64_t from, uint64_t to)
{
    if (from >= to)
        return;
    if (r->nholes == sizeof r->hole / sizeof r->hole[0]) {
        // Rather too little memory than memory that somebody else uses.
        warn(r, "device tree: too many reserved ranges: the last ones are taken as one");
        struct range *last = &r->hole[r->nholes - 1];
        last->from = from < last->from ? from : last->from;
        last->to = to > last->to ? to : last->to;
        return;
    }
    r->hole[r->nholes++] = (struct range){from, to};
}

static void add_ram(struct reader *r, struct range at)
{
    struct machine *m = r->m;
    m->ram_bytes += at.to - at.from;
    if (at.to > DT_ADDRESS_MAX) {
        warn(r, "device tree: memory above 128 GiB is not used");
        at.to = DT_ADDRESS_MAX;
    }
    at.from = (at.from + PAGE_MASK) & ~PAGE_MASK;
    at.to &= ~PAGE_MASK;
    if (at.from >= at.to)
        return;
    for (unsigned i = 0; i < m->nram; i++)
        if (at.from < m->ram[i].to && m->ram[i].from < at.to) {
            warn(r, "device tree: memory ranges overlap: one is ignored");
            return;
        }
    if (m->nram == DT_RANGES_MAX) {
        warn(r, "device tree: too many memory ranges: some are not used");
        return;
    }
    m->ram[m->nram++] = at;
}

// Takes [hole) out of the memory, page by whole page.
static void punch(struct reader *r, struct range hole)
{
    struct machine *m = r->m;
    hole.from &= ~PAGE_MASK;
    hole.to = hole.to > UINT64_MAX - PAGE_MASK ? UINT64_MAX & ~PAGE_MASK : (hole.to + PAGE_MASK) & ~PAGE_MASK;
    for (unsigned i = 0; i < m->nram; i++) {
        struct range *ram = &m->ram[i];
        if (hole.from >= ram->to || hole.to <= ram->from)
            continue;
        if (hole.from > ram->from && hole.to < ram->to) { // in the middle: two remain
            if (m->nram < DT_RANGES_MAX)
                m->ram[m->nram++] = (struct range){hole.to, ram->to};
            else
                warn(r, "device tree: memory in too many pieces: some is not used");
            ram->to = hole.from;
        } else if (hole.from > ram->from) {
            ram->to = hole.from;
        } else if (hole.to < ram->to) {
            ram->from = hole.to;
        } else {
            ram->to = ram->from;
        }
    }
}

static void sort_ram(struct machine *m)
{
    unsigned n = 0;
    for (unsigned i = 0; i < m->nram; i++)
        if (m->ram[i].from < m->ram[i].to)
            m->ram[n++] = m->ram[i];
    m->nram = n;
    for (unsigned i = 1; i < n; i++)
        for (unsigned j = i; j > 0 && m->ram[j].from < m->ram[j - 1].from; j--) {
            struct range x = m->ram[j];
            m->ram[j] = m->ram[j - 1];
            m->ram[j - 1] = x;
        }
}

// A child of the root that is memory.
static void visit_memory(struct reader *r)
{
    struct range at;
    for (uint32_t i = 0; enabled(r) && reg(r, i, &at); i++)
        add_ram(r, at);
}

// A child of /reserved-memory.
static void visit_reserved(struct reader *r)
{
    struct range hole;
    for (uint32_t i = 0; reg(r, i, &hole); i++) {
        add_hole(r, hole.from, hole.to);
        r->firmware_reserved |= hole.from < r->q->image.from;
    }
}

// The list of reserved ranges that is not in the tree but before it; section 5.3.
static void read_reserved_list(struct reader *r)
{
    uint64_t at, len;
    int n = fdt_num_mem_rsv(r->fdt);
    if (n < 0)
        warn(r, "device tree: the list of reserved memory has no end: ignored");
    for (int i = 0; i < n; i++)
        if (fdt_get_mem_rsv(r->fdt, i, &at, &len) == 0 && len <= UINT64_MAX - at)
            add_hole(r, at, at + len);
}

static void read_initrd(struct reader *r)
{
    uint32_t n0, n1;
    const uint8_t *p0 = bytes(r, P_INITRD_START, &n0), *p1 = bytes(r, P_INITRD_END, &n1);
    if ((n0 != 4 && n0 != 8) || (n1 != 4 && n1 != 8))
        return;
    r->m->initrd = (struct range){cell_value(p0, n0 / 4), cell_value(p1, n1 / 4)};
    add_hole(r, r->m->initrd.from, r->m->initrd.to);
}

// It will be read as memory: it must be some. Before the memory is punched.
static void check_initrd(struct reader *r)
{
    struct range *at = &r->m->initrd;
    if (at->to == 0)
        return;
    for (unsigned i = 0; i < r->m->nram && at->from < at->to; i++)
        if (at->from >= r->m->ram[i].from && at->to <= r->m->ram[i].to)
            return;
    warn(r, "device tree: the initrd lies in no memory: ignored");
    *at = (struct range){0, 0};
}

static void sum_up_memory(struct reader *r)
{
    struct machine *m = r->m;
    const struct range *image = &r->q->image;
    read_reserved_list(r);
    check_initrd(r);
    add_hole(r, image->from, image->to);
    add_hole(r, r->q->fdt_pa, r->q->fdt_pa + fdt_totalsize(r->fdt));
    if (!r->firmware_reserved) {
        for (unsigned i = 0; i < m->nram; i++)
            if (image->from >= m->ram[i].from && image->from < m->ram[i].to) {
                if (image->from - m->ram[i].from > 0)
                    warn(r, "device tree: firmware memory not marked: none below the kernel is used");
                add_hole(r, m->ram[i].from, image->from);
            }
    }
    for (unsigned i = 0; i < r->nholes; i++)
        punch(r, r->hole[i]);
    sort_ram(m);
}

// --- The first walk: harts, memory, what the boot loader says ------------------------------------

static void visit_chosen(struct reader *r)
{
    struct machine *m = r->m;
    const char *args = text(r, P_BOOTARGS);
    if (args && strlen(args) >= sizeof m->bootargs)
        warn(r, "device tree: boot arguments cut after %u characters", (unsigned)sizeof m->bootargs - 1);
    if (args)
        snprintf(m->bootargs, sizeof m->bootargs, "%s", args);
    uint32_t len;
    const uint8_t *seed = bytes(r, P_RNG_SEED, &len);
    m->rng_seed_len = len < sizeof m->rng_seed ? len : (uint32_t)sizeof m->rng_seed;
    if (seed)
        memcpy(m->rng_seed, seed, m->rng_seed_len);
    r->stdout_path = text(r, P_STDOUT_PATH);
    read_initrd(r);
}

static enum section section_of(struct reader *r)
{
    static const struct {
        const char *name;
        enum section is;
    } known[] = {{"cpus", CPUS}, {"reserved-memory", RESERVED}, {"chosen", CHOSEN}, {"aliases", ALIASES}};
    const char *name = name_of(r);
    size_t n = strcspn(name, "@");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (n == strlen(known[i].name) && strncmp(name, known[i].name, n) == 0 && !(r->sections & known[i].is)) {
            r->sections |= known[i].is;
            return known[i].is;
        }
    return OTHER;
}

static void visit_root(struct reader *r)
{
    const char *model = text(r, P_MODEL);
    if (model)
        snprintf(r->m->model, sizeof r->m->model, "%s", model);
}

static void visit_section(struct reader *r)
{
    r->section = section_of(r);
    r->hart = NULL;
    if (r->section == CPUS)
        r->m->timebase_hz = number(r, P_TIMEBASE, 0);
    else if (r->section == CHOSEN)
        visit_chosen(r);
    else if (r->section == ALIASES)
        r->aliases = r->node;
    if (has_type(r, "memory"))
        visit_memory(r);
}

static void visit_first(struct reader *r)
{
    if (r->depth == 0)
        visit_root(r);
    else if (r->depth == 1)
        visit_section(r);
    else if (r->depth == 2 && r->section == CPUS)
        visit_hart(r);
    else if (r->depth == 2 && r->section == RESERVED)
        visit_reserved(r);
    else if (r->depth == 3 && r->section == CPUS)
        visit_hart_child(r);
}

// --- The second walk: devices --------------------------------------------------------------------

// Which context of the PLIC is the S-mode of which hart: the place in the list, as boards number them differently.
static void read_plic_contexts(struct reader *r)
{
    uint32_t len;
    const uint8_t *p = bytes(r, P_INTERRUPTS_EXTENDED, &len);
    for (uint32_t i = 0; i < len / 8; i++) // pairs: phandle, interrupt
        for (unsigned h = 0; h < r->m->nharts; h++) {
            struct dt_hart *hart = &r->m->harts[h];
            if (hart->phandle && be32(p + 8 * i) == hart->phandle && be32(p + 8 * i + 4) == S_EXTERNAL) {
                hart->has_context = true;
                hart->context = i;
            }
        }
}

static void read_plic(struct reader *r)
{
    if (r->m->plic.len || !device(r, 0x200000, &r->m->plic))
        return;
    r->m->plic_irqs = number(r, P_NDEV, 0);
    if (r->m->plic_irqs > 1023)
        r->m->plic_irqs = 1023;
    read_plic_contexts(r);
    if (!r->m->harts[0].has_context)
        warn(r, "device tree: the PLIC has no S-mode context for the boot hart: no device interrupts");
}

static void read_uart(struct reader *r)
{
    struct dt_uart *u = &r->m->uart;
    struct dt_device d;
    enum uart_kind kind = r->is & NS16550 ? UART_NS16550 : r->is & SIFIVE_UART ? UART_SIFIVE : UART_NONE;
    if (kind == UART_NONE || !device(r, 8, &d))
        return;
    *u = (struct dt_uart){kind, d.pa, number(r, P_REG_SHIFT, 0), number(r, P_REG_IO_WIDTH, 1), d.irq};
    if (kind == UART_NS16550 && (u->shift > 3 || (u->width != 1 && u->width != 4) || (u->width == 4 && u->shift < 2) ||
                                 d.len < 8ull << u->shift)) {
        warn(r, "device tree: %s: registers of an unknown shape: ignored", name_of(r));
        u->kind = UART_NONE;
    }
}

static void visit_device(struct reader *r)
{
    struct machine *m = r->m;
    struct dt_device d;
    if (!enabled(r))
        return;
    if (r->is & PLIC)
        read_plic(r);
    else if (r->is & TEST && m->test_pa == 0 && device(r, 4, &d))
        m->test_pa = d.pa;
    else if (r->is & VIRTIO && device(r, 0x200, &d) && m->nvirtio < DT_VIRTIO_MAX)
        m->virtio[m->nvirtio++] = d;
    if (r->node == r->stdout_node)
        read_uart(r);
}

// The third walk, if the tree does not say which one is the console: the first.
static void visit_any_uart(struct reader *r)
{
    if (r->m->uart.kind == UART_NONE && enabled(r))
        read_uart(r);
}

// Whether libfdt can be trusted with the first part of the path, an alias: it takes its value for a string, and goes
// round forever if that begins with an alias again.
static bool alias_is_sound(const struct reader *r, const char *path)
{
    size_t n = strcspn(path, "/:");
    int len = 0;
    const char *to = r->aliases < 0 ? NULL : fdt_getprop_namelen(r->fdt, r->aliases, path, (int)n, &len);
    return to && len > 0 && to[len - 1] == 0 && to[0] == '/';
}

// The console: /chosen/stdout-path, possibly an alias, possibly with ":115200n8". In a damaged tree libfdt might search
// forever.
static int find_stdout(const struct reader *r)
{
    const char *path = r->stdout_path;
    if (!path || r->damaged || (path[0] != '/' && !alias_is_sound(r, path)))
        return -1;
    return fdt_path_offset_namelen(r->fdt, path, (int)strcspn(path, ":"));
}

// --- The whole -----------------------------------------------------------------------------------

// Lengths and places within the tree are libfdt's to check; not alignment (section 5.6), on which its loads rely.
static bool is_tree(const void *fdt)
{
    return fdt && fdt_check_header(fdt) == 0 && fdt_totalsize(fdt) <= DT_MAX_BYTES && fdt_off_dt_struct(fdt) % 4 == 0 &&
           fdt_off_mem_rsvmap(fdt) % 8 == 0;
}

bool dt_read(const struct dt_request *q, struct machine *m)
{
    struct reader r = {.q = q, .fdt = q->fdt, .m = m, .aliases = -1, .stdout_node = -1};
    *m = (struct machine){.timebase_hz = 10000000, .nharts = 1, .isa = ISA_RV64GC};
    m->harts[0] = (struct dt_hart){.hartid = q->boot_hartid, .isa = ISA_RV64GC};
    snprintf(m->model, sizeof m->model, "unknown machine");
    if (!is_tree(q->fdt)) {
        warn(&r, "there is no device tree where the firmware says");
        return false;
    }
    m->timebase_hz = 0;
    walk(&r, visit_first);
    sum_up_harts(&r);
    sum_up_memory(&r);
    r.stdout_node = find_stdout(&r);
    r.again = true;
    walk(&r, visit_device);
    if (m->uart.kind == UART_NONE)
        walk(&r, visit_any_uart);
    return true;
}

bool dt_bootarg(const struct machine *m, const char *name, char *value, size_t size)
{
    size_t n = strlen(name);
    for (const char *s = m->bootargs; *s; s += strcspn(s, " ")) {
        s += strspn(s, " ");
        if (strncmp(s, name, n) != 0 || s[n] != '=')
            continue;
        size_t len = strcspn(s + n + 1, " ");
        if (len >= size)
            return false;
        memcpy(value, s + n + 1, len);
        value[len] = 0;
        return true;
    }
    return false;
}

bool dt_bootflag(const struct machine *m, const char *name)
{
    size_t n = strlen(name);
    for (const char *s = m->bootargs; *s; s += strcspn(s, " ")) {
        s += strspn(s, " ");
        if (strncmp(s, name, n) == 0 && (s[n] == 0 || s[n] == ' '))
            return true;
    }
    return false;
}
