// SPDX-License-Identifier: BSD-2-Clause
#include "boards/dt.h"

#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arch/riscv/arch.h"

#define S_EXTERNAL                                                                                 \
    9u // interrupts-extended: the S-mode external interrupt of a hart (Priv table 4.2)
#define DEPTH_MAX 16 // levels of the tree that addresses are translated through

struct reader {
    const struct dt_request *q;
    const void *fdt;
    struct machine *m;
    struct range hole[DT_RANGES_MAX * 2]; // not ours although it is memory
    unsigned nholes;
    bool firmware_reserved; // the tree says what the firmware keeps
};

static void warn(const struct reader *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void warn(const struct reader *r, const char *fmt, ...)
{
    char text[160];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->q->warn(text);
}

static const char *name_of(const struct reader *r, int node)
{
    const char *name = fdt_get_name(r->fdt, node, NULL);
    return name ? name : "?";
}

// --- Properties ----------------------------------------------------------------------------------

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// Property as bytes; NULL: absent. *len is then 0.
static const uint8_t *bytes(const struct reader *r, int node, const char *name, uint32_t *len)
{
    int n = 0;
    const uint8_t *p = fdt_getprop(r->fdt, node, name, &n);
    *len = p && n > 0 ? (uint32_t)n : 0;
    return p;
}

// Property as a string; NULL: absent or without its final zero.
static const char *text(const struct reader *r, int node, const char *name)
{
    uint32_t len;
    const uint8_t *p = bytes(r, node, name, &len);
    if (!p)
        return NULL;
    if (len == 0 || p[len - 1] != 0) {
        warn(r, "device tree: %s/%s is not a string: ignored", name_of(r, node), name);
        return NULL;
    }
    return (const char *)p;
}

static uint32_t number(const struct reader *r, int node, const char *name, uint32_t otherwise)
{
    uint32_t len;
    const uint8_t *p = bytes(r, node, name, &len);
    if (!p)
        return otherwise;
    if (len != 4) {
        warn(r, "device tree: %s/%s is %u bytes long, not 4: taken as %u", name_of(r, node), name,
             len, otherwise);
        return otherwise;
    }
    return be32(p);
}

// Section 2.3.4: no status means okay.
static bool enabled(const struct reader *r, int node)
{
    uint32_t len;
    if (!bytes(r, node, "status", &len))
        return true;
    const char *s = text(r, node, "status");
    return s && (strcmp(s, "okay") == 0 || strcmp(s, "ok") == 0);
}

static bool compatible(const struct reader *r, int node, const char *name)
{
    return fdt_node_check_compatible(r->fdt, node, name) == 0;
}

// --- Addresses -----------------------------------------------------------------------------------

// Number of cells of an address or a size below `parent`; section 2.3.5. 0: we cannot read that.
static uint32_t cells(const struct reader *r, int parent, const char *name, uint32_t otherwise)
{
    uint32_t n = number(r, parent, name, otherwise);
    return n <= 2 ? n : 0;
}

static uint64_t cell_value(const uint8_t *p, uint32_t n)
{
    return n == 2 ? (uint64_t)be32(p) << 32 | be32(p + 4) : n == 1 ? be32(p) : 0;
}

// From the address space below `bus` to that above it; section 2.3.8.
static bool translate_once(const struct reader *r, int bus, int above, uint64_t *at)
{
    uint32_t len;
    const uint8_t *p = bytes(r, bus, "ranges", &len);
    if (!p)
        return false; // no ranges: not memory-mapped from above
    if (len == 0)
        return true; // the same addresses
    uint32_t child = cells(r, bus, "#address-cells", 2);
    uint32_t parent = cells(r, above, "#address-cells", 2);
    uint32_t size = cells(r, bus, "#size-cells", 1);
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

static bool translate(const struct reader *r, int bus, uint64_t *at)
{
    for (unsigned i = 0; i < DEPTH_MAX; i++) {
        int above = fdt_parent_offset(r->fdt, bus);
        if (above < 0)
            return true; // bus is the root
        if (!translate_once(r, bus, above, at))
            return false;
        bus = above;
    }
    return false;
}

// The i-th entry of `reg`, as the processor sees it.
static bool reg(const struct reader *r, int node, unsigned i, struct range *out)
{
    int parent = fdt_parent_offset(r->fdt, node);
    if (parent < 0)
        return false;
    uint32_t na = cells(r, parent, "#address-cells", 2), ns = cells(r, parent, "#size-cells", 1);
    uint32_t len;
    const uint8_t *p = bytes(r, node, "reg", &len);
    uint32_t entry = 4 * (na + ns);
    if (!p || !na || !ns || len / entry <= i)
        return false;
    p += i * entry;
    uint64_t from = cell_value(p, na), n = cell_value(p + 4 * na, ns);
    if (!translate(r, parent, &from) || n > UINT64_MAX - from)
        return false;
    *out = (struct range){from, from + n};
    return true;
}

// The registers of a device; false and a warning if we cannot reach them.
static bool device(const struct reader *r, int node, uint64_t least, struct dt_device *out)
{
    struct range at;
    if (!reg(r, node, 0, &at) || at.from == 0 || at.to - at.from < least) {
        warn(r, "device tree: %s: no usable address: ignored", name_of(r, node));
        return false;
    }
    if (at.to > DT_ADDRESS_MAX) {
        warn(r, "device tree: %s lies above 128 GiB: ignored", name_of(r, node));
        return false;
    }
    uint32_t len;
    const uint8_t *irq = bytes(r, node, "interrupts", &len); // one cell of the PLIC, or none
    *out = (struct dt_device){at.from, at.to - at.from, irq && len >= 4 ? be32(irq) : 0};
    return true;
}

// --- Harts ---------------------------------------------------------------------------------------

// Of "rv64imafdc_zba_zbb_sstc" and the like (RISC-V ISA manual, chapter "ISA Extension Naming
// Conventions").
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
static void parse_isa_list(const struct reader *r, int node, struct dt_hart *h)
{
    uint32_t len;
    const char *s = (const char *)bytes(r, node, "riscv,isa-extensions", &len);
    if (!s || len == 0 || s[len - 1] != 0)
        return;
    for (const char *end = s + len; s < end; s += strlen(s) + 1) {
        char one[32];
        if (strlen(s) == 1) {
            h->isa |= *s >= 'a' && *s <= 'z' ? ISA_BIT(*s) : 0;
        } else if (strlen(s) < 24) {
            snprintf(one, sizeof one, "rv64_%s", s);
            parse_isa(one, h);
        }
    }
}

static uint32_t hart_phandle(const struct reader *r, int cpu)
{
    int child;
    fdt_for_each_subnode(
        child, r->fdt,
        cpu) if (compatible(r, child, "riscv,cpu-intc")) return fdt_get_phandle(r->fdt, child);
    return 0;
}

static bool read_hart(const struct reader *r, int cpu, struct dt_hart *h)
{
    uint32_t len;
    const uint8_t *p = bytes(r, cpu, "reg", &len);
    const char *isa = text(r, cpu, "riscv,isa");
    *h = (struct dt_hart){0};
    if (len == 4 || len == 8)
        h->hartid = cell_value(p, len / 4);
    else
        return false;
    if (isa)
        parse_isa(isa, h);
    parse_isa_list(r, cpu, h);
    h->phandle = hart_phandle(r, cpu);
    return true;
}

// Why we cannot use it; NULL: we can. A hart without mmu-type has no S-mode (the E51 of the FU540
// says okay all the same); one may have mmu-type and yet be disabled (hart 0 of the JH7110).
static const char *unusable(const struct reader *r, int cpu, const struct dt_hart *h)
{
    const uint64_t needed = ISA_RV64GC;
    const char *mmu = text(r, cpu, "mmu-type");
    if (!enabled(r, cpu))
        return "disabled";
    if (!mmu || strncmp(mmu, "riscv,sv", 8) != 0)
        return "no MMU";
    if ((h->isa & needed) != needed)
        return "not rv64gc";
    if (h->hartid >= 64)
        return "id over 63"; // masks of SBI calls, arch/riscv/sbi.h
    return NULL;
}

static void read_harts(struct reader *r)
{
    struct machine *m = r->m;
    int cpus = fdt_path_offset(r->fdt, "/cpus"), cpu;
    bool boot_found = false;
    m->nharts = 1; // [0] is kept for the boot hart
    m->timebase_hz = cpus < 0 ? 0 : number(r, cpus, "timebase-frequency", 0);
    fdt_for_each_subnode(cpu, r->fdt, cpus)
    {
        struct dt_hart h;
        const char *type = text(r, cpu, "device_type");
        if (!type || strcmp(type, "cpu") != 0 || !read_hart(r, cpu, &h))
            continue;
        if (m->timebase_hz == 0) // before version 0.4 it could be here
            m->timebase_hz = number(r, cpu, "timebase-frequency", 0);
        const char *why = unusable(r, cpu, &h);
        if (h.hartid == r->q->boot_hartid && !boot_found) {
            if (why)
                warn(r, "device tree: hart %u is %s, but runs this", (unsigned)h.hartid, why);
            m->harts[0] = h;
            boot_found = true;
        } else if (!why && m->nharts < HARTS_MAX) {
            m->harts[m->nharts++] = h;
        }
    }
    if (!boot_found) {
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
    hole.to = hole.to > UINT64_MAX - PAGE_MASK ? UINT64_MAX & ~PAGE_MASK
                                               : (hole.to + PAGE_MASK) & ~PAGE_MASK;
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

static void read_ram(struct reader *r)
{
    int node;
    struct range at;
    fdt_for_each_subnode(node, r->fdt, 0)
    {
        const char *type = text(r, node, "device_type");
        if (!type || strcmp(type, "memory") != 0 || !enabled(r, node))
            continue;
        for (unsigned i = 0; reg(r, node, i, &at); i++)
            add_ram(r, at);
    }
}

static void read_reserved(struct reader *r)
{
    uint64_t at, len;
    struct range hole;
    int node, parent = fdt_path_offset(r->fdt, "/reserved-memory");
    for (int i = 0; i < fdt_num_mem_rsv(r->fdt); i++)
        if (fdt_get_mem_rsv(r->fdt, i, &at, &len) == 0 && len <= UINT64_MAX - at)
            add_hole(r, at, at + len);
    if (parent < 0)
        return;
    fdt_for_each_subnode(node, r->fdt, parent) for (unsigned i = 0; reg(r, node, i, &hole); i++)
    {
        add_hole(r, hole.from, hole.to);
        r->firmware_reserved |= hole.from < r->q->image.from;
    }
}

static void read_initrd(struct reader *r)
{
    uint32_t n0, n1;
    int chosen = fdt_path_offset(r->fdt, "/chosen");
    const uint8_t *p0 = bytes(r, chosen, "linux,initrd-start", &n0),
                  *p1 = bytes(r, chosen, "linux,initrd-end", &n1);
    if ((n0 == 4 || n0 == 8) && (n1 == 4 || n1 == 8))
        add_hole(r, cell_value(p0, n0 / 4), cell_value(p1, n1 / 4));
}

static void read_memory(struct reader *r)
{
    struct machine *m = r->m;
    const struct range *image = &r->q->image;
    read_ram(r);
    read_reserved(r);
    read_initrd(r);
    add_hole(r, image->from, image->to);
    add_hole(r, r->q->fdt_pa, r->q->fdt_pa + fdt_totalsize(r->fdt));
    if (!r->firmware_reserved) {
        for (unsigned i = 0; i < m->nram; i++)
            if (image->from >= m->ram[i].from && image->from < m->ram[i].to) {
                if (image->from - m->ram[i].from > 0)
                    warn(r,
                         "device tree: firmware memory not marked: none below the kernel is used");
                add_hole(r, m->ram[i].from, image->from);
            }
    }
    for (unsigned i = 0; i < r->nholes; i++)
        punch(r, r->hole[i]);
    sort_ram(m);
}

// --- Devices -------------------------------------------------------------------------------------

// Which context of the PLIC is the S-mode of which hart: the place in the list, as boards number
// them differently.
static void read_plic_contexts(struct reader *r, int node)
{
    uint32_t len;
    const uint8_t *p = bytes(r, node, "interrupts-extended", &len);
    for (uint32_t i = 0; i < len / 8; i++) // pairs: phandle, interrupt
        for (unsigned h = 0; h < r->m->nharts; h++) {
            struct dt_hart *hart = &r->m->harts[h];
            if (hart->phandle && be32(p + 8 * i) == hart->phandle &&
                be32(p + 8 * i + 4) == S_EXTERNAL) {
                hart->has_context = true;
                hart->context = i;
            }
        }
}

static void read_plic(struct reader *r, int node)
{
    if (r->m->plic.len || !device(r, node, 0x200000, &r->m->plic))
        return;
    r->m->plic_irqs = number(r, node, "riscv,ndev", 0);
    if (r->m->plic_irqs > 1023)
        r->m->plic_irqs = 1023;
    read_plic_contexts(r, node);
    if (!r->m->harts[0].has_context)
        warn(r,
             "device tree: the PLIC has no S-mode context for the boot hart: no device interrupts");
}

static enum uart_kind uart_kind_of(const struct reader *r, int node)
{
    if (compatible(r, node, "ns16550a") || compatible(r, node, "ns16550") ||
        compatible(r, node, "snps,dw-apb-uart"))
        return UART_NS16550;
    return compatible(r, node, "sifive,uart0") ? UART_SIFIVE : UART_NONE;
}

static void read_uart(struct reader *r, int node)
{
    struct dt_uart *u = &r->m->uart;
    struct dt_device d;
    enum uart_kind kind = uart_kind_of(r, node);
    if (kind == UART_NONE || !enabled(r, node) || !device(r, node, 8, &d))
        return;
    *u = (struct dt_uart){kind, d.pa, number(r, node, "reg-shift", 0),
                          number(r, node, "reg-io-width", 1), d.irq};
    if (kind == UART_NS16550 && (u->shift > 3 || (u->width != 1 && u->width != 4) ||
                                 (u->width == 4 && u->shift < 2) || d.len < 8ull << u->shift)) {
        warn(r, "device tree: %s: registers of an unknown shape: ignored", name_of(r, node));
        u->kind = UART_NONE;
    }
}

// The console: /chosen/stdout-path, possibly an alias, possibly with ":115200n8".
static int stdout_node(const struct reader *r, int chosen)
{
    const char *path = chosen < 0 ? NULL : text(r, chosen, "stdout-path");
    return path ? fdt_path_offset_namelen(r->fdt, path, (int)strcspn(path, ":")) : -1;
}

static void read_devices(struct reader *r)
{
    struct machine *m = r->m;
    int depth = 0;
    for (int node = fdt_next_node(r->fdt, 0, &depth); node >= 0 && depth >= 0;
         node = fdt_next_node(r->fdt, node, &depth)) {
        struct dt_device d;
        if (!enabled(r, node))
            continue;
        if (compatible(r, node, "riscv,plic0") || compatible(r, node, "sifive,plic-1.0.0"))
            read_plic(r, node);
        else if (compatible(r, node, "sifive,test0") && m->test_pa == 0 && device(r, node, 4, &d))
            m->test_pa = d.pa;
        else if (compatible(r, node, "virtio,mmio") && device(r, node, 0x200, &d) &&
                 m->nvirtio < DT_VIRTIO_MAX)
            m->virtio[m->nvirtio++] = d;
        else if (m->uart.kind == UART_NONE)
            read_uart(r, node);
    }
}

static void read_chosen(struct reader *r)
{
    struct machine *m = r->m;
    int chosen = fdt_path_offset(r->fdt, "/chosen");
    if (chosen < 0)
        return;
    const char *args = text(r, chosen, "bootargs");
    if (args && strlen(args) >= sizeof m->bootargs)
        warn(r, "device tree: boot arguments cut after %u characters",
             (unsigned)sizeof m->bootargs - 1);
    if (args)
        snprintf(m->bootargs, sizeof m->bootargs, "%s", args);
    uint32_t len;
    const uint8_t *seed = bytes(r, chosen, "rng-seed", &len);
    m->rng_seed_len = len < sizeof m->rng_seed ? len : (uint32_t)sizeof m->rng_seed;
    if (seed)
        memcpy(m->rng_seed, seed, m->rng_seed_len);
    int uart = stdout_node(r, chosen);
    if (uart >= 0)
        read_uart(r, uart);
}

// Lengths and places within the tree are libfdt's to check; not alignment (section 5.6), on which
// its loads rely.
static bool is_tree(const void *fdt)
{
    return fdt && fdt_check_header(fdt) == 0 && fdt_totalsize(fdt) <= DT_MAX_BYTES &&
           fdt_off_dt_struct(fdt) % 4 == 0 && fdt_off_mem_rsvmap(fdt) % 8 == 0;
}

bool dt_read(const struct dt_request *q, struct machine *m)
{
    struct reader r = {.q = q, .fdt = q->fdt, .m = m};
    *m = (struct machine){.timebase_hz = 10000000, .nharts = 1, .isa = ISA_RV64GC};
    m->harts[0] = (struct dt_hart){.hartid = q->boot_hartid, .isa = ISA_RV64GC};
    snprintf(m->model, sizeof m->model, "unknown machine");
    if (!is_tree(q->fdt)) {
        warn(&r, "there is no device tree where the firmware says");
        return false;
    }
    const char *model = text(&r, 0, "model");
    if (model)
        snprintf(m->model, sizeof m->model, "%s", model);
    read_harts(&r);
    read_memory(&r);
    read_chosen(&r);
    read_devices(&r);
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
