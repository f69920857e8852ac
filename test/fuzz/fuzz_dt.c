// SPDX-License-Identifier: BSD-2-Clause
// Device trees from a boot loader that writes nonsense. Whatever comes: the reader ends, stays within the tree, says
// little, and gives a machine with which the kernel can start.
//
// An input is a flattened tree. What its header promises and the input has not is zero, as the reader may rely on
// memory being there. Seeds: every board with its parts in some other order.
#include <libfdt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "test/fuzz/fuzz.h"

#include "boards/bootargs.h"
#include "boards/driver.h"
#include "boards/dt.h"
#include "boards/ns16550.h"
#include "boards/plic.h"
#include "test/unit/board_bed.h"

#define IMAGE_AT 0x80200000ull
#define IMAGE_END 0x80280000ull
#define FDT_AT 0x87e00000ull
#define BOOT_HART 1
#define LINES_MAX 64

static const char *failure;
static unsigned lines;

static void expect(bool holds, const char *what)
{
    if (!holds && !failure)
        failure = what;
}

static void hear(const char *line)
{
    lines++;
    expect(memchr(line, 0, 200), "a warning has no end");
}

// --- What holds of every machine -----------------------------------------------------------------

static void check_harts(const struct machine *m)
{
    expect(m->nharts >= 1 && m->nharts <= HARTS_MAX, "number of harts");
    expect(m->harts[0].hartid == BOOT_HART, "the boot hart is not the first");
    expect(m->timebase_hz >= 1000 && m->timebase_hz < NS_PER_S, "timebase");
    for (unsigned i = 0; i < m->nharts; i++) {
        expect((m->harts[i].isa & m->isa) == m->isa, "isa is not common to all");
        expect(i == 0 || m->harts[i].hartid < 64, "hart id");
        for (unsigned j = 0; j < i; j++)
            expect(m->harts[i].hartid != m->harts[j].hartid, "a hart is there twice");
    }
}

static void check_ram(const struct machine *m, uint64_t fdt_end)
{
    expect(m->nram <= RANGES_MAX, "number of memory ranges");
    for (unsigned i = 0; i < m->nram; i++) {
        const struct range *r = &m->ram[i];
        expect(r->from < r->to && r->to <= ADDRESS_MAX, "an empty or high range");
        expect(((r->from | r->to) & PAGE_MASK) == 0, "not whole pages");
        expect(i == 0 || m->ram[i - 1].to <= r->from, "not sorted, or twice");
        expect(r->to <= IMAGE_AT || r->from >= IMAGE_END, "the kernel's own memory");
        expect(r->to <= FDT_AT || r->from >= fdt_end, "the tree's own memory");
    }
}

extern const struct driver ns16550_driver, plic_driver;

static void check_device(const struct device *d)
{
    struct ns16550_shape shape;
    uint32_t context;
    expect(d->pa != 0 && d->len >= d->driver->regs_min_bytes, "a device without registers");
    expect(d->pa < ADDRESS_MAX && d->len <= ADDRESS_MAX - d->pa, "a device too high");
    if (d->driver == &ns16550_driver && ns16550_shape(d, &shape)) {
        expect(shape.shift <= 3 && (shape.width == 1 || (shape.width == 4 && shape.shift >= 2)), "uart");
        expect(d->len >= 8u << shape.shift, "uart's length");
    } else if (d->driver == &plic_driver) {
        expect(plic_irqs(d) <= 1023, "interrupts");
        plic_context(d, d->machine->harts[0].phandle, &context);
    }
}

static void check_devices(const struct machine *m)
{
    expect(m->ndevices <= DEVICES_MAX, "number of devices");
    expect(!m->console || (m->console >= m->devices && m->console < m->devices + m->ndevices), "console");
    for (unsigned i = 0; i < m->ndevices; i++)
        check_device(&m->devices[i]);
    drivers_claim(m); // each looks at its properties; none gets at registers here
}

static void check(const struct machine *m, uint64_t fdt_end)
{
    check_harts(m);
    check_ram(m, fdt_end);
    check_devices(m);
    expect(lines < LINES_MAX, "too many warnings");
    expect(memchr(m->model, 0, sizeof m->model), "model");
    expect(memchr(m->bootargs, 0, sizeof m->bootargs), "boot arguments");
    expect(m->rng_seed_len <= sizeof m->rng_seed, "seed");
}

// As much memory as the reader may touch, and not a byte more.
static uint8_t *as_in_memory(const uint8_t *data, size_t size, size_t *len)
{
    struct fdt_header header = {0};
    memcpy(&header, data, size < sizeof header ? size : sizeof header);
    size_t promised = fdt32_to_cpu(header.totalsize);
    *len = promised >= sizeof header && promised <= DT_MAX_BYTES ? promised : sizeof header;
    uint8_t *tree = calloc(1, *len);
    memcpy(tree, data, size < *len ? size : *len);
    return tree;
}

int fuzz_one(const uint8_t *data, size_t size)
{
    static struct machine m;
    size_t len;
    uint8_t *tree = as_in_memory(data, size, &len);
    struct dt_request q = {
        .fdt = tree, .fdt_pa = FDT_AT, .boot_hartid = BOOT_HART, .image = {IMAGE_AT, IMAGE_END}, .warn = hear};
    char value[16];
    failure = NULL;
    lines = 0;
    bool there = dt_read(&q, &m);
    check(&m, there ? (FDT_AT + len + PAGE_MASK) & ~PAGE_MASK : FDT_AT);
    bootarg_value(m.bootargs, "node", value, sizeof value);
    free(tree);
    if (failure)
        printf("# %s\n", failure);
    return failure != NULL;
}

// --- Seeds ---------------------------------------------------------------------------------------

static void put_string(void *t, const char *name, const char *value)
{
    fdt_property_string(t, name, value);
}

static void put_cells(void *t, const char *name, const uint32_t *value, size_t n)
{
    uint32_t big[32];
    for (size_t i = 0; i < n; i++)
        big[i] = cpu_to_fdt32(value[i]);
    fdt_property(t, name, big, (int)(4 * n));
}
#define CELLS(t, name, ...)                                                                                            \
    put_cells(t, name, (const uint32_t[]){__VA_ARGS__}, sizeof(const uint32_t[]){__VA_ARGS__} / sizeof(uint32_t))

static void put_bus(void *t, const char *name, uint32_t address, uint32_t size)
{
    fdt_begin_node(t, name);
    CELLS(t, "#address-cells", address);
    CELLS(t, "#size-cells", size);
}

static void put_cpus(void *t, unsigned board)
{
    static const char isa_list[] = "i\0m\0a\0f\0d\0c\0zba\0sstc";
    put_bus(t, "cpus", 1, 0);
    CELLS(t, "timebase-frequency", board == 0 ? 10000000 : 4000000);
    for (uint32_t i = 0; i < 4; i++) {
        fdt_begin_node(t, "cpu");
        put_string(t, "device_type", "cpu");
        CELLS(t, "reg", i);
        if (board == 2)
            fdt_property(t, "riscv,isa-extensions", isa_list, sizeof isa_list);
        else
            put_string(t, "riscv,isa", i ? "rv64imafdc_zba_sstc" : "rv64imac");
        if (i || board == 0)
            put_string(t, "mmu-type", "riscv,sv39");
        put_string(t, "status", i ? "okay" : "disabled");
        fdt_begin_node(t, "interrupt-controller");
        put_string(t, "compatible", "riscv,cpu-intc");
        CELLS(t, i % 2 ? "phandle" : "linux,phandle", i + 1);
        fdt_end_node(t);
        fdt_end_node(t);
    }
    fdt_end_node(t);
}

static void put_memory(void *t, unsigned board)
{
    fdt_begin_node(t, "memory@80000000");
    put_string(t, "device_type", "memory");
    if (board == 0)
        CELLS(t, "reg", 0, 0x80000000, 0, 0x8000000);
    else
        CELLS(t, "reg", 0, 0x40000000, 1, 0, 1, 0x80000000, 0, 0x123456);
    fdt_end_node(t);
}

static void put_reserved(void *t, unsigned board)
{
    put_bus(t, "reserved-memory", 2, 2);
    fdt_property(t, "ranges", "", 0);
    for (uint32_t i = 0; i <= board; i++) {
        fdt_begin_node(t, "keep");
        CELLS(t, "reg", 0, 0x80000000 + (i << 24), 0, 0x80000);
        fdt_end_node(t);
    }
    fdt_end_node(t);
}

static void put_device(void *t, const char *type, uint32_t at, uint32_t len, uint32_t irq)
{
    fdt_begin_node(t, "device");
    put_string(t, "compatible", type);
    CELLS(t, "reg", 0, at, 0, len);
    CELLS(t, "interrupts", irq);
}

static void put_soc(void *t, unsigned board)
{
    put_bus(t, "soc", 2, 2);
    fdt_property(t, "ranges", "", 0);
    put_device(t, "riscv,plic0", 0xc000000, 0x4000000, 0);
    CELLS(t, "interrupts-extended", 1, 11, 2, 11, 2, 9, 3, 11, 3, 9, 4, 11, 4, 9);
    CELLS(t, "riscv,ndev", 96);
    fdt_end_node(t);
    put_device(t, "sifive,test0", 0x100000, 0x1000, 0);
    fdt_end_node(t);
    for (uint32_t i = 1; i < 4; i++) {
        put_device(t, "virtio,mmio", 0x10000000 + (i << 12), 0x1000, i);
        fdt_end_node(t);
    }
    put_device(t, board == 1 ? "sifive,uart0" : "ns16550a", 0x10000000, 0x1000, 10);
    if (board == 2) {
        CELLS(t, "reg-shift", 2);
        CELLS(t, "reg-io-width", 4);
    }
    fdt_end_node(t);
    put_bus(t, "bus", 1, 1);
    CELLS(t, "ranges", 0, 0, 0x20000000, 0x10000);
    fdt_begin_node(t, "serial");
    put_string(t, "compatible", "snps,dw-apb-uart");
    CELLS(t, "reg", 0x1000, 0x100);
    fdt_end_node(t);
    fdt_end_node(t);
    fdt_end_node(t);
}

static void put_chosen(void *t, unsigned board)
{
    static const char *const console[] = {"/soc/device", "serial0:115200n8", "bus/serial"};
    fdt_begin_node(t, "chosen");
    put_string(t, "stdout-path", console[board]);
    put_string(t, "bootargs", "node=n1 harts=2");
    fdt_property(t, "rng-seed", "0123456789abcdef0123456789abcdef", 32);
    CELLS(t, "linux,initrd-start", 0, 0x84000000);
    CELLS(t, "linux,initrd-end", 0x84100000);
    fdt_end_node(t);
}

static void put_aliases(void *t, unsigned board)
{
    (void)board;
    fdt_begin_node(t, "aliases");
    put_string(t, "serial0", "/soc/bus/serial");
    put_string(t, "bus", "/soc/bus");
    put_string(t, "serial1", "serial0");
    fdt_end_node(t);
}

#define BOARDS 3u
#define ORDERS 4u

size_t fuzz_seed(unsigned i, uint8_t *buf, size_t max)
{
    static void (*const part[])(void *, unsigned) = {put_chosen, put_memory,   put_cpus,
                                                     put_soc,    put_reserved, put_aliases};
    const unsigned parts = sizeof part / sizeof part[0], board = i % BOARDS, order = i / BOARDS;
    if (i >= BOARDS * ORDERS)
        return 0;
    uint64_t *t = calloc(1, 16384); // its own allocation, for buf may be at any address
    fdt_create(t, 16384);
    fdt_add_reservemap_entry(t, 0x86000000, 0x1000);
    fdt_finish_reservemap(t);
    put_bus(t, "", 2, 2);
    put_string(t, "model", "a board");
    for (unsigned k = 0; k < parts; k++) // forwards from somewhere, or backwards
        part[(order % 2 ? 5 * k + order : k + order) % parts](t, board);
    fdt_end_node(t);
    if (fdt_finish(t) != 0)
        abort();
    size_t len = fdt_totalsize(t) <= max ? fdt_totalsize(t) : 0;
    memcpy(buf, t, len);
    free(t);
    return len;
}
