// SPDX-License-Identifier: BSD-2-Clause
// The device tree: what is read from trees like those of real boards, and what remains of a machine when the tree is
// wrong?
#include "test/unit/unit.h"

#include <libfdt.h>

#include "boards/bootargs.h"
#include "boards/driver.h"
#include "boards/dt.h"
#include "boards/ns16550.h"
#include "boards/plic.h"
#include "test/unit/board_bed.h"

#define IMAGE_AT 0x80200000ull
#define IMAGE_END 0x80280000ull
#define FDT_AT 0x87e00000ull

// --- A tree, and what was made of it -------------------------------------------------------------

static _Alignas(8) uint8_t blob[64 * 1024];
static struct machine m;
static char said[16 * 1024]; // all warnings, a line each
static struct dt_request request;

static void hear(const char *line)
{
    size_t n = strlen(said);
    snprintf(said + n, sizeof said - n, "%s\n", line);
}

static int tree_setup(void **state)
{
    (void)state;
    request = (struct dt_request){.fdt_pa = FDT_AT, .image = {IMAGE_AT, IMAGE_END}, .boot_hartid = 0, .warn = hear};
    return 0;
}

// Reads len bytes of tree from an allocation of just that size: the sanitizer sees one byte too far. It stays until the
// next one, for the devices' names and properties are in it.
static bool read_bytes(const void *tree, size_t len)
{
    static void *exact;
    free(exact);
    exact = malloc(len);
    memcpy(exact, tree, len);
    said[0] = 0;
    memset(&m, 0xee, sizeof m);
    request.fdt = exact;
    return dt_read(&request, &m);
}

static void read_blob(void)
{
    assert_true(read_bytes(blob, fdt_totalsize(blob)));
}

static void assert_said(const char *what)
{
    if (!strstr(said, what))
        fail_msg("nothing was said like \"%s\", but: %s", what, said);
}

static void assert_silent(void)
{
    if (said[0])
        fail_msg("said: %s", said);
}

// --- Devices of the machine ----------------------------------------------------------------------

extern const struct driver ns16550_driver, sifive_uart_driver, plic_driver, sifive_test_driver, virtio_mmio_driver;

static unsigned count(const struct driver *driver)
{
    unsigned n = 0;
    for (unsigned i = 0; i < m.ndevices; i++)
        n += m.devices[i].driver == driver;
    return n;
}
// Number i of those that the driver takes.
static const struct device *device(const struct driver *driver, unsigned i)
{
    for (unsigned k = 0; k < m.ndevices; k++)
        if (m.devices[k].driver == driver && i-- == 0)
            return &m.devices[k];
    fail_msg("there is no such device");
    return NULL;
}
static bool is_uart(const struct device *d)
{
    struct ns16550_shape shape;
    return d->driver == &sifive_uart_driver || (d->driver == &ns16550_driver && ns16550_shape(d, &shape));
}
// The one that would be the console: what drivers_claim() comes to first. NULL: none.
static const struct device *console(void)
{
    if (m.console && is_uart(m.console))
        return m.console;
    for (unsigned i = 0; i < m.ndevices; i++)
        if (is_uart(&m.devices[i]))
            return &m.devices[i];
    return NULL;
}
static uint32_t context_of(unsigned hart)
{
    uint32_t context = ~0u;
    assert_true(plic_context(device(&plic_driver, 0), m.harts[hart].phandle, &context));
    return context;
}
static uint32_t irqs(void)
{
    return plic_irqs(device(&plic_driver, 0));
}
static void assert_console(const struct driver *driver, uint64_t pa, uint32_t irq, struct ns16550_shape expected)
{
    struct ns16550_shape shape;
    assert_non_null(m.console); // the tree says which one
    assert_ptr_equal(console(), m.console);
    assert_ptr_equal(m.console->driver, driver);
    assert_int_equal(m.console->pa, pa);
    assert_int_equal(m.console->irq, irq);
    if (driver != &ns16550_driver)
        return;
    assert_true(ns16550_shape(m.console, &shape));
    assert_memory_equal(&shape, &expected, sizeof shape);
}
static void assert_sane_device(const struct device *d)
{
    uint32_t context;
    struct ns16550_shape shape;
    assert_ptr_equal(d->machine, &m);
    assert_true(d->pa != 0 && d->len >= d->driver->regs_min_bytes && d->pa + d->len <= ADDRESS_MAX);
    assert_non_null(memchr(d->name, 0, 64 * 1024));
    if (d->driver == &plic_driver) {
        assert_true(plic_irqs(d) <= 1023);
        plic_context(d, m.harts[0].phandle, &context);
    } else if (d->driver == &ns16550_driver && ns16550_shape(d, &shape)) {
        assert_true(shape.shift <= 3 && (shape.width == 1 || (shape.width == 4 && shape.shift >= 2)));
        assert_true(d->len >= 8u << shape.shift);
    }
}

static void assert_ram(unsigned i, uint64_t from, uint64_t to)
{
    assert_true(i < m.nram);
    assert_int_equal(m.ram[i].from, from);
    assert_int_equal(m.ram[i].to, to);
}

// What holds of every machine, whatever the tree was.
static void assert_sane(void)
{
    assert_in_range(m.nharts, 1, HARTS_MAX);
    assert_int_equal(m.harts[0].hartid, request.boot_hartid);
    for (unsigned i = 0; i < m.nharts; i++)
        for (unsigned j = 0; j < i; j++)
            assert_int_not_equal(m.harts[i].hartid, m.harts[j].hartid);
    assert_in_range(m.timebase_hz, 1000, NS_PER_S - 1);
    assert_true(m.nram <= RANGES_MAX);
    for (unsigned i = 0; i < m.nram; i++) {
        const struct range *r = &m.ram[i];
        assert_true(r->from < r->to && r->to <= ADDRESS_MAX);
        assert_int_equal((r->from | r->to) & PAGE_MASK, 0);
        assert_true(i == 0 || m.ram[i - 1].to <= r->from);
        assert_true(r->to <= IMAGE_AT || r->from >= IMAGE_END);
        assert_true(r->to <= FDT_AT || r->from > FDT_AT);
    }
    assert_true(m.ndevices <= DEVICES_MAX);
    for (unsigned i = 0; i < m.ndevices; i++)
        assert_sane_device(&m.devices[i]);
    assert_true(m.rng_seed_len <= sizeof m.rng_seed);
    assert_non_null(memchr(m.model, 0, sizeof m.model));
    assert_non_null(memchr(m.bootargs, 0, sizeof m.bootargs));
}

// --- Writing trees -------------------------------------------------------------------------------

static void open_tree(void)
{
    assert_int_equal(fdt_create(blob, sizeof blob), 0);
    assert_int_equal(fdt_finish_reservemap(blob), 0);
    assert_int_equal(fdt_begin_node(blob, ""), 0);
}
static void close_tree(void)
{
    assert_int_equal(fdt_end_node(blob), 0);
    assert_int_equal(fdt_finish(blob), 0);
}
static void node(const char *name)
{
    assert_int_equal(fdt_begin_node(blob, name), 0);
}
static void end(void)
{
    assert_int_equal(fdt_end_node(blob), 0);
}
static void raw(const char *name, const void *bytes_of_it, size_t len)
{
    assert_int_equal(fdt_property(blob, name, bytes_of_it, (int)len), 0);
}
static void string(const char *name, const char *value)
{
    raw(name, value, strlen(value) + 1);
}
#define STRINGS(name, literals) raw(name, literals, sizeof literals)
#define CELLS(name, ...)                                                                                               \
    put_cells(name, (const uint32_t[]){__VA_ARGS__}, sizeof(const uint32_t[]){__VA_ARGS__} / sizeof(uint32_t))
static void put_cells(const char *name, const uint32_t *value, size_t n)
{
    uint8_t big[256];
    assert_true(4 * n <= sizeof big);
    for (size_t i = 0; i < 4 * n; i++)
        big[i] = (uint8_t)(value[i / 4] >> (24 - 8 * (i % 4)));
    raw(name, big, 4 * n);
}

static void bus_cells(uint32_t address, uint32_t size)
{
    CELLS("#address-cells", address);
    CELLS("#size-cells", size);
}
static void memory(uint32_t at, uint32_t len)
{
    node("memory");
    string("device_type", "memory");
    CELLS("reg", 0, at, 0, len);
    end();
}
static void reserved(const char *name, uint32_t at, uint32_t len)
{
    node("reserved-memory");
    bus_cells(2, 2);
    raw("ranges", "", 0);
    node(name);
    CELLS("reg", 0, at, 0, len);
    end();
    end();
}
// A hart and, with the phandle, its interrupt controller. NULL: no such property.
static void hart(uint32_t id, const char *isa, const char *mmu, const char *status, uint32_t phandle)
{
    char name[16];
    snprintf(name, sizeof name, "cpu@%u", id);
    node(name);
    string("device_type", "cpu");
    CELLS("reg", id);
    if (status)
        string("status", status);
    if (isa)
        string("riscv,isa", isa);
    if (mmu)
        string("mmu-type", mmu);
    node("interrupt-controller");
    string("compatible", "riscv,cpu-intc");
    CELLS("phandle", phandle);
    end();
    end();
}
static void begin_device(const char *name, const char *type, uint32_t at, uint32_t len, uint32_t irq)
{
    node(name);
    string("compatible", type);
    CELLS("reg", 0, at, 0, len);
    CELLS("interrupts", irq);
}
static void a_device(const char *name, const char *type, uint32_t at, uint32_t len, uint32_t irq)
{
    begin_device(name, type, at, len, irq);
    end();
}

// --- Boards --------------------------------------------------------------------------------------

#define GC "rv64imafdc_zicsr_zifencei"

static void virt_cpus(void)
{
    node("cpus");
    bus_cells(1, 0);
    CELLS("timebase-frequency", 10000000);
    for (uint32_t i = 0; i < 4; i++)
        hart(i, "rv64imafdch_zicsr_zba_zbb_zbc_zbs_sstc", "riscv,sv48", "okay", 8 - 2 * i);
    node("cpu-map");
    node("cluster0");
    end();
    end();
    end();
}
static void virt_soc(void)
{
    node("soc");
    bus_cells(2, 2);
    raw("ranges", "", 0);
    a_device("serial@10000000", "ns16550a", 0x10000000, 0x100, 10);
    node("test@100000");
    STRINGS("compatible", "sifive,test1\0sifive,test0\0syscon");
    CELLS("reg", 0, 0x100000, 0, 0x1000);
    end();
    for (uint32_t i = 8; i > 0; i--)
        a_device("virtio_mmio", "virtio,mmio", 0x10000000 + (i << 12), 0x1000, i);
    begin_device("plic@c000000", "riscv,plic0", 0xc000000, 0x600000, 0);
    CELLS("interrupts-extended", 8, 11, 8, 9, 6, 11, 6, 9, 4, 11, 4, 9, 2, 11, 2, 9);
    CELLS("riscv,ndev", 96);
    end();
    end();
}
static void virt_chosen(void)
{
    node("chosen");
    raw("rng-seed", "0123456789abcdef0123456789abcdef", 32);
    string("stdout-path", "/soc/serial@10000000");
    string("bootargs", "node=n1 harts=2");
    end();
}
// Like that of QEMU 7.2, -M virt -smp 4 -m 128M, after OpenSBI.
static void virt_tree(void)
{
    open_tree();
    bus_cells(2, 2);
    string("compatible", "riscv-virtio");
    string("model", "riscv-virtio,qemu");
    virt_chosen();
    memory(0x80000000, 128 << 20);
    virt_cpus();
    virt_soc();
    reserved("mmode_resv0@80000000", 0x80000000, 0x80000);
    close_tree();
}
static void assert_virt(void)
{
    assert_sane();
    assert_string_equal(m.model, "riscv-virtio,qemu");
    assert_string_equal(m.bootargs, "node=n1 harts=2");
    assert_int_equal(m.rng_seed_len, 32);
    assert_memory_equal(m.rng_seed, "0123456789abcdef", 16);
    assert_int_equal(m.timebase_hz, 10000000);
    assert_int_equal(m.nharts, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(m.harts[i].phandle, 8 - 2 * m.harts[i].hartid);
        assert_int_equal(context_of(i), 2 * m.harts[i].hartid + 1);
    }
    assert_true(m.sstc);
    assert_int_equal(m.isa, ISA_RV64GC | ISA_BIT('h') | ISA_ZBA | ISA_ZBB | ISA_ZBS);
    assert_int_equal(m.ram_bytes, 128 << 20);
    assert_int_equal(m.nram, 3);
    assert_ram(0, 0x80080000, IMAGE_AT);
    assert_ram(1, IMAGE_END, FDT_AT);
    assert_ram(2, FDT_AT + ((fdt_totalsize(blob) + PAGE_MASK) & ~PAGE_MASK), 0x88000000);
    assert_int_equal(device(&plic_driver, 0)->pa, 0xc000000);
    assert_int_equal(irqs(), 96);
    assert_console(&ns16550_driver, 0x10000000, 10, (struct ns16550_shape){.shift = 0, .width = 1});
    assert_int_equal(device(&sifive_test_driver, 0)->pa, 0x100000);
    assert_int_equal(count(&virtio_mmio_driver), 8);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(device(&virtio_mmio_driver, i)->pa, 0x10008000 - (i << 12));
        assert_int_equal(device(&virtio_mmio_driver, i)->irq, 8 - i);
    }
}

static void all_of_qemu_virt_is_found(void **state)
{
    (void)state;
    virt_tree();
    request.boot_hartid = 2;
    read_blob();
    assert_silent();
    assert_virt();
}

static void the_order_of_the_tree_does_not_matter(void **state)
{
    (void)state;
    open_tree();
    bus_cells(2, 2);
    string("model", "riscv-virtio,qemu");
    reserved("mmode_resv0@80000000", 0x80000000, 0x80000);
    virt_soc();
    virt_cpus();
    memory(0x80000000, 128 << 20);
    virt_chosen();
    close_tree();
    read_blob();
    assert_silent();
    assert_virt();
}

// Like -M sifive_u -smp 5: hart 0 is an E51, without S-mode and with one context of the PLIC.
static void sifive_u_tree(void)
{
    open_tree();
    bus_cells(2, 2);
    string("model", "SiFive HiFive Unleashed A00");
    node("chosen");
    string("stdout-path", "/soc/serial@10010000");
    end();
    node("cpus");
    bus_cells(1, 0);
    CELLS("timebase-frequency", 1000000);
    hart(0, "rv64imac_zicsr_zifencei", NULL, "okay", 7);
    for (uint32_t i = 1; i < 5; i++)
        hart(i, GC, "riscv,sv48", "okay", 7 - i);
    end();
    memory(0x80000000, 256 << 20);
    node("soc");
    bus_cells(2, 2);
    raw("ranges", "", 0);
    a_device("serial@10011000", "sifive,uart0", 0x10011000, 0x1000, 5);
    a_device("serial@10010000", "sifive,uart0", 0x10010000, 0x1000, 4);
    begin_device("plic", "riscv,plic0", 0xc000000, 0x4000000, 0);
    CELLS("interrupts-extended", 7, 11, 6, 11, 6, 9, 5, 11, 5, 9, 4, 11, 4, 9, 3, 11, 3, 9);
    CELLS("riscv,ndev", 53);
    end();
    end();
    reserved("mmode_resv0", 0x80000000, 0x80000);
    close_tree();
}

static void hart_0_of_sifive_u_is_left_alone(void **state)
{
    (void)state;
    sifive_u_tree();
    request.boot_hartid = 3;
    read_blob();
    assert_silent();
    assert_sane();
    assert_int_equal(m.nharts, 4);
    assert_int_equal(m.timebase_hz, 1000000);
    assert_int_equal(m.isa, ISA_RV64GC);
    assert_false(m.sstc);
    for (unsigned i = 0; i < 4; i++) { // contexts 0, 1 and every other one are those of M-mode
        assert_int_not_equal(m.harts[i].hartid, 0);
        assert_int_equal(context_of(i), 2 * m.harts[i].hartid);
    }
    assert_console(&sifive_uart_driver, 0x10010000, 4, (struct ns16550_shape){0, 0});
    assert_int_equal(count(&virtio_mmio_driver), 0);
    assert_int_equal(m.rng_seed_len, 0);
}

// Like the VisionFive 2: a JH7110 with 4 GiB.
static void visionfive_tree(void)
{
    open_tree();
    bus_cells(2, 2);
    string("model", "StarFive VisionFive 2 v1.3B");
    node("aliases");
    string("ethernet0", "/soc/ethernet@16030000");
    string("serial0", "/soc/serial@10000000");
    end();
    node("chosen");
    string("stdout-path", "serial0:115200n8");
    end();
    node("cpus");
    bus_cells(1, 0);
    CELLS("timebase-frequency", 4000000);
    hart(0, "rv64imac_zba_zbb", "riscv,sv39", "disabled", 1);
    for (uint32_t i = 1; i < 5; i++)
        hart(i, "rv64imafdc_zba_zbb", "riscv,sv39", NULL, i + 1);
    end();
    node("memory@40000000");
    string("device_type", "memory");
    CELLS("reg", 0, 0x40000000, 1, 0);
    end();
    node("soc");
    string("compatible", "simple-bus");
    bus_cells(2, 2);
    raw("ranges", "", 0);
    begin_device("interrupt-controller@c000000", "riscv,plic0", 0xc000000, 0x4000000, 0);
    CELLS("interrupts-extended", 1, 11, 2, 11, 2, 9, 3, 11, 3, 9, 4, 11, 4, 9, 5, 11, 5, 9);
    CELLS("riscv,ndev", 136);
    end();
    for (uint32_t i = 1; i < 3; i++) {
        begin_device("serial", "snps,dw-apb-uart", 0x10000000 + (i << 16), 0x10000, 32 + i);
        string("status", "disabled");
        end();
    }
    node("serial@10000000");
    STRINGS("compatible", "starfive,jh7110-uart\0snps,dw-apb-uart");
    CELLS("reg", 0, 0x10000000, 0, 0x10000);
    CELLS("interrupts", 32);
    CELLS("reg-io-width", 4);
    CELLS("reg-shift", 2);
    end();
    end();
    reserved("mmode_resv0@40000000", 0x40000000, 0x80000);
    close_tree();
}

static void visionfive_2_is_read(void **state)
{
    (void)state;
    visionfive_tree();
    request.image = (struct range){0x40200000, 0x40280000};
    request.fdt_pa = 0x46000000;
    request.boot_hartid = 1;
    read_blob();
    assert_silent();
    assert_int_equal(m.nharts, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(m.harts[i].hartid, i + 1);
        assert_int_equal(context_of(i), 2 * (i + 1));
    }
    assert_int_equal(m.isa, ISA_RV64GC | ISA_ZBA | ISA_ZBB);
    assert_int_equal(m.timebase_hz, 4000000);
    assert_int_equal(m.ram_bytes, 4ull << 30);
    assert_ram(0, 0x40080000, 0x40200000);
    assert_ram(1, 0x40280000, 0x46000000);
    assert_int_equal(m.ram[m.nram - 1].to, 0x140000000);
    assert_console(&ns16550_driver, 0x10000000, 32, (struct ns16550_shape){.shift = 2, .width = 4});
}

// --- Harts ---------------------------------------------------------------------------------------

// A tree of nothing but harts, which the caller writes, and memory.
static void open_cpus(void)
{
    open_tree();
    bus_cells(2, 2);
    memory(0x80000000, 128 << 20);
    node("cpus");
    bus_cells(1, 0);
    CELLS("timebase-frequency", 10000000);
}
static void close_cpus(void)
{
    end();
    close_tree();
    read_blob();
    assert_sane();
}

static void a_hart_that_is_listed_twice_counts_once(void **state)
{
    (void)state;
    open_cpus();
    hart(0, GC, "riscv,sv39", NULL, 1);
    hart(1, GC, "riscv,sv39", NULL, 2);
    hart(0, GC, "riscv,sv39", NULL, 3);
    hart(1, GC, "riscv,sv39", NULL, 4);
    close_cpus();
    assert_int_equal(m.nharts, 2);
    assert_int_equal(m.harts[0].phandle, 1);
    assert_int_equal(m.harts[1].phandle, 2);
    assert_said("hart 0 was there before");
    assert_said("hart 1 was there before");
}

static void a_boot_hart_that_is_not_listed_runs_alone(void **state)
{
    (void)state;
    open_cpus();
    hart(1, GC, "riscv,sv39", NULL, 2);
    hart(2, GC, "riscv,sv39", NULL, 3);
    close_cpus();
    assert_int_equal(m.nharts, 1);
    assert_int_equal(m.isa, ISA_RV64GC);
    assert_said("no entry for this hart");
}

static void harts_that_we_cannot_use_are_left_out(void **state)
{
    (void)state;
    open_cpus();
    hart(0, GC, "riscv,sv39", "disabled", 1); // the boot hart is used all the same
    hart(1, "rv64imac", "riscv,sv39", NULL, 2);
    hart(2, GC, "riscv,none", NULL, 3);
    hart(3, GC, "riscv,sv39", "fail", 4);
    hart(64, GC, "riscv,sv39", NULL, 5);
    hart(4, "rv32imafdc", "riscv,sv39", NULL, 6);
    hart(5, "rv64gc", "riscv,sv57", "ok", 7);
    close_cpus();
    assert_int_equal(m.nharts, 2);
    assert_int_equal(m.harts[1].hartid, 5);
    assert_int_equal(m.harts[1].isa, ISA_RV64GC);
    assert_said("hart 0 is disabled, but runs this");
}

static void more_harts_than_we_have_room_for_are_left_out(void **state)
{
    (void)state;
    open_cpus();
    for (uint32_t i = 0; i < HARTS_MAX + 3; i++)
        hart(i + 1, GC, "riscv,sv39", NULL, i + 1);
    request.boot_hartid = HARTS_MAX + 3; // the last one, and yet the first
    close_cpus();
    assert_int_equal(m.nharts, HARTS_MAX);
    assert_int_equal(m.harts[1].hartid, 1);
}

static void isa_may_be_a_list_of_names(void **state)
{
    (void)state;
    open_cpus();
    node("cpu@0");
    string("device_type", "cpu");
    CELLS("reg", 0);
    STRINGS("riscv,isa-extensions", "i\0m\0a\0f\0d\0c\0zicsr\0zba\0sstc");
    string("mmu-type", "riscv,sv39");
    end();
    close_cpus();
    assert_int_equal(m.isa, ISA_RV64GC | ISA_ZBA);
    assert_true(m.sstc);
}

static void an_impossible_timebase_is_replaced(void **state)
{
    (void)state;
    virt_tree();
    int cpus = fdt_path_offset(blob, "/cpus");
    assert_int_equal(fdt_setprop_inplace_u32(blob, cpus, "timebase-frequency", 0), 0);
    read_blob();
    assert_int_equal(m.timebase_hz, 10000000);
    assert_said("timebase of 0 Hz");
}

// --- Memory --------------------------------------------------------------------------------------

static void memory_in_pieces_is_sorted_and_holes_are_taken_out(void **state)
{
    (void)state;
    open_tree();
    bus_cells(2, 2);
    node("memory@1");
    string("device_type", "memory");
    CELLS("reg", 1, 0, 0, 0x200000, 0, 0x80000000, 0, 0x400000); // the higher one first
    end();
    memory(0x90000800, 0x3000); // not in whole pages
    node("reserved-memory");
    bus_cells(2, 2);
    raw("ranges", "", 0);
    node("firmware");
    CELLS("reg", 0, 0x80000000, 0, 0x1000);
    end();
    node("middle");
    CELLS("reg", 1, 0x100800, 0, 0x1000); // touches two pages
    end();
    end();
    node("chosen");
    CELLS("linux,initrd-start", 1, 0);
    CELLS("linux,initrd-end", 1, 0x1234);
    end();
    close_tree();
    read_blob();
    assert_sane();
    assert_int_equal(m.nram, 5);
    assert_ram(0, 0x80001000, IMAGE_AT);
    assert_ram(1, IMAGE_END, 0x80400000);
    assert_ram(2, 0x90001000, 0x90003000);
    assert_ram(3, 0x100002000, 0x100100000);
    assert_ram(4, 0x100102000, 0x100200000);
    assert_int_equal(m.ram_bytes, 0x603000);
}

static void initrd_tree(uint32_t from, uint32_t to)
{
    open_tree();
    bus_cells(2, 2);
    node("chosen"); // before the memory: it is looked at afterwards
    CELLS("linux,initrd-start", from);
    CELLS("linux,initrd-end", to);
    end();
    memory(0x80200000, 0x200000);
    close_tree();
    read_blob();
}

static void an_initrd_is_found_when_it_lies_in_memory(void **state)
{
    (void)state;
    initrd_tree(0x80300000, 0x80301234);
    assert_int_equal(m.initrd.from, 0x80300000);
    assert_int_equal(m.initrd.to, 0x80301234);
    initrd_tree(0x803ff000, 0x80400001);
    assert_int_equal(m.initrd.to, 0);
    assert_said("the initrd lies in no memory");
    initrd_tree(0x80300000, 0x80300000);
    assert_int_equal(m.initrd.to, 0);
    initrd_tree(0x80300001, 0x80300000);
    assert_int_equal(m.initrd.to, 0);
}

static void the_list_of_reserved_memory_counts(void **state)
{
    (void)state;
    fdt_create(blob, sizeof blob);
    fdt_add_reservemap_entry(blob, 0x80300000, 0x1000);
    fdt_add_reservemap_entry(blob, UINT64_MAX, 2); // wraps around
    fdt_finish_reservemap(blob);
    fdt_begin_node(blob, "");
    bus_cells(2, 2);
    memory(0x80200000, 0x200000);
    close_tree();
    read_blob();
    assert_int_equal(m.nram, 2);
    assert_ram(0, IMAGE_END, 0x80300000);
    assert_ram(1, 0x80301000, 0x80400000);
}

static void without_a_mark_nothing_below_the_kernel_is_used(void **state)
{
    (void)state;
    open_tree();
    bus_cells(2, 2);
    memory(0x80000000, 0x1000000);
    close_tree();
    read_blob();
    assert_int_equal(m.nram, 1);
    assert_ram(0, IMAGE_END, 0x81000000);
    assert_said("firmware memory not marked");
}

static void more_memory_ranges_than_we_have_room_for_are_left_out(void **state)
{
    (void)state;
    open_tree();
    bus_cells(2, 2);
    for (uint32_t i = 0; i < RANGES_MAX + 8; i++)
        memory(0x90000000 + (i << 20), 0x1000);
    memory(0x90000000, 0x2000000); // over all of them
    close_tree();
    read_blob();
    assert_sane();
    assert_int_equal(m.nram, RANGES_MAX);
    assert_said("too many memory ranges");
    assert_said("overlap");
}

static void more_reserved_ranges_than_we_have_room_for_are_kept_all(void **state)
{
    (void)state;
    open_tree();
    bus_cells(2, 2);
    memory(0x90000000, 0x10000000);
    node("reserved-memory");
    bus_cells(2, 2);
    raw("ranges", "", 0);
    for (uint32_t i = 0; i < 100; i++) {
        node("piece");
        CELLS("reg", 0, 0x90000000 + (i << 20), 0, 0x1000);
        end();
    }
    end();
    close_tree();
    read_blob();
    assert_sane();
    assert_said("too many reserved ranges");
    for (unsigned k = 0; k < m.nram; k++)
        for (uint32_t i = 0; i < 100; i++) {
            uint64_t at = 0x90000000 + (i << 20);
            assert_true(at >= m.ram[k].to || at + 0x1000 <= m.ram[k].from);
        }
}

// --- Devices -------------------------------------------------------------------------------------

static void addresses_go_up_through_the_buses(void **state)
{
    (void)state;
    open_tree();
    bus_cells(2, 1);
    node("outer");
    bus_cells(1, 1);
    CELLS("ranges", 0, 1, 0x20000000, 0x10000, 0x40000000, 0, 0x30000000, 0x10000);
    node("inner");
    bus_cells(2, 2);
    CELLS("ranges", 7, 0, 0x40001000, 0, 0x2000);
    node("in@0");
    string("compatible", "virtio,mmio");
    CELLS("reg", 7, 0x1000, 0, 0x1000);
    end();
    node("out@0"); // of the range of inner
    string("compatible", "virtio,mmio");
    CELLS("reg", 7, 0x2000, 0, 0x1000);
    end();
    end();
    node("low@0");
    string("compatible", "virtio,mmio");
    CELLS("reg", 0x8000, 0x1000);
    end();
    end();
    node("closed"); // no ranges: its children have no address of ours
    bus_cells(1, 1);
    node("behind@0");
    string("compatible", "virtio,mmio");
    CELLS("reg", 0x8000, 0x1000);
    end();
    end();
    node("wide"); // three cells: PCI
    bus_cells(3, 2);
    raw("ranges", "", 0);
    node("pci@0");
    string("compatible", "virtio,mmio");
    CELLS("reg", 0, 0, 0x8000, 0, 0x1000);
    end();
    end();
    close_tree();
    read_blob();
    assert_int_equal(count(&virtio_mmio_driver), 2);
    assert_int_equal(device(&virtio_mmio_driver, 0)->pa, 0x30002000);
    assert_int_equal(device(&virtio_mmio_driver, 1)->pa, 0x120008000);
    assert_said("out@0: no usable address");
    assert_said("behind@0: no usable address");
    assert_said("pci@0: no usable address");
}

// One device, directly below the root, that the caller goes on to write.
static void open_device(const char *type, uint32_t len)
{
    open_tree();
    bus_cells(2, 2);
    begin_device("it", type, 0x10000000, len, 3);
}
static void close_device(void)
{
    end();
    close_tree();
    read_blob();
}

static void registers_of_an_unknown_shape_are_left_alone(void **state)
{
    (void)state;
    static const struct {
        uint32_t len, shift, width;
        bool known;
    } row[] = {{8, 0, 1, true},      {7, 0, 1, false},     {8, 1, 1, false},    {0x100, 2, 4, true},
               {31, 2, 4, false},    {0x100, 0, 4, false}, {0x100, 2, 1, true}, {64, 4, 1, false},
               {0x100, 1, 2, false}, {0x100, 2, 0, false}, {~0u, 31, 4, false}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        open_device("ns16550a", row[i].len);
        CELLS("reg-shift", row[i].shift);
        CELLS("reg-io-width", row[i].width);
        close_device();
        assert_int_equal(console() != NULL, row[i].known);
    }
}

static void devices_without_a_usable_address_are_left_alone(void **state)
{
    (void)state;
    open_device("virtio,mmio", 0x100); // too small
    close_device();
    assert_int_equal(count(&virtio_mmio_driver), 0);
    assert_said("it: no usable address");

    open_tree();
    bus_cells(2, 2);
    node("high");
    string("compatible", "virtio,mmio");
    CELLS("reg", 0x20, 0, 0, 0x1000);
    end();
    node("wraps");
    string("compatible", "virtio,mmio");
    CELLS("reg", ~0u, ~0u, 0, 0x1000);
    end();
    node("none");
    string("compatible", "virtio,mmio");
    end();
    close_tree();
    read_blob();
    assert_int_equal(count(&virtio_mmio_driver), 0);
    assert_said("high lies above 128 GiB");
    assert_said("wraps: no usable address");
    assert_said("none: no usable address");
}

static void a_device_whose_status_is_not_okay_is_left_alone(void **state)
{
    (void)state;
    open_device("virtio,mmio", 0x1000);
    string("status", "reserved");
    close_device();
    assert_int_equal(count(&virtio_mmio_driver), 0);

    open_device("virtio,mmio", 0x1000);
    raw("status", "okay", 4); // without its zero
    close_device();
    assert_int_equal(count(&virtio_mmio_driver), 0);
    assert_said("it/status is not a string");
}

static void a_list_of_names_without_its_final_zero_is_not_read(void **state)
{
    (void)state;
    open_tree();
    bus_cells(2, 2);
    node("it");
    raw("compatible", "virtio,mmio", 11);
    CELLS("reg", 0, 0x10000000, 0, 0x1000);
    close_device();
    assert_int_equal(count(&virtio_mmio_driver), 0);
    assert_said("it/compatible is not a string");
}

static void more_slots_than_we_have_room_for_are_left_out(void **state)
{
    (void)state;
    open_tree();
    bus_cells(2, 2);
    for (uint32_t i = 1; i < DEVICES_MAX + 9; i++)
        a_device("slot", "virtio,mmio", 0x10000000 + (i << 12), 0x1000, i);
    close_tree();
    read_blob();
    assert_int_equal(count(&virtio_mmio_driver), DEVICES_MAX);
}

// --- The console ---------------------------------------------------------------------------------

// Two serial lines, "first" and "second", below a bus; path and the aliases a and b as given.
static void console_tree(const char *path, size_t path_len, const char *a, size_t a_len, const char *b)
{
    open_tree();
    bus_cells(2, 2);
    node("aliases");
    if (a)
        raw("a", a, a_len);
    if (b)
        string("b", b);
    end();
    node("chosen");
    if (path)
        raw("stdout-path", path, path_len);
    end();
    node("bus");
    bus_cells(2, 2);
    raw("ranges", "", 0);
    a_device("first@1", "ns16550a", 0x10000000, 0x100, 1);
    a_device("second@2", "sifive,uart0", 0x20000000, 0x100, 2);
    end();
    close_tree();
    read_blob();
}
static bool console_is_second(const char *path, const char *a, const char *b)
{
    console_tree(path, path ? strlen(path) + 1 : 0, a, a ? strlen(a) + 1 : 0, b);
    assert_non_null(console()); // it falls back to the first
    return console()->pa == 0x20000000;
}

static void the_console_is_the_one_that_is_named(void **state)
{
    (void)state;
    const char *second = "/bus/second@2";
    assert_true(console_is_second(second, NULL, NULL));
    assert_true(console_is_second("/bus/second:115200n8", NULL, NULL));
    assert_true(console_is_second("a:115200", second, NULL));
    assert_true(console_is_second("b", NULL, second));
    assert_true(console_is_second("a/second@2", "/bus", NULL));
    assert_false(console_is_second("/bus/first@1", NULL, NULL));
}

static void a_console_path_that_leads_nowhere_means_the_first(void **state)
{
    (void)state;
    const char *bad[] = {NULL, "", ":", "/", "//", "/bus", "/bus/second@3", "/:", "c", "a", "/a"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(console_is_second(bad[i], NULL, NULL));
}

static void aliases_that_go_round_or_do_not_end_are_not_followed(void **state)
{
    (void)state;
    assert_false(console_is_second("a", "a", NULL));
    assert_false(console_is_second("a", "b", "a"));
    assert_false(console_is_second("a/x", "b/x", "a/x"));
    assert_false(console_is_second("a", "", NULL));
    console_tree("a", 2, "/bus/second@2", 13, NULL); // without its zero
    assert_int_equal(console()->pa, 0x10000000);
    console_tree("/bus/second@2", 13, NULL, 0, NULL);
    assert_int_equal(console()->pa, 0x10000000);
    assert_said("stdout-path is not a string");
}

// --- Trees that are wrong ------------------------------------------------------------------------

static void what_is_no_tree_is_refused(void **state)
{
    (void)state;
    virt_tree();
    size_t len = fdt_totalsize(blob);
    const uint32_t good = fdt_totalsize(blob);
    request.fdt = NULL;
    said[0] = 0;
    assert_false(dt_read(&request, &m));
    assert_said("there is no device tree");
    assert_sane();

    fdt_set_totalsize(blob, DT_MAX_BYTES + 1);
    assert_false(read_bytes(blob, len));
    fdt_set_totalsize(blob, good);
    fdt_set_off_dt_struct(blob, fdt_off_dt_struct(blob) + 2); // not aligned
    assert_false(read_bytes(blob, len));
    virt_tree();
    fdt_set_magic(blob, 0);
    assert_false(read_bytes(blob, len));
    assert_sane();
    assert_int_equal(m.timebase_hz, 10000000);
    assert_int_equal(m.nram, 0);
}

static void a_tree_that_ends_anywhere_gives_what_came_before(void **state)
{
    (void)state;
    virt_tree();
    uint32_t whole = fdt_size_dt_struct(blob);
    for (uint32_t len = 0; len < whole; len += 4) {
        fdt_set_size_dt_struct(blob, len);
        read_blob();
        assert_sane();
        if (len < whole - 8) // the end of the root and of the tree
            assert_said("damaged at byte");
    }
}

// A length so large that the place behind it wraps around is smaller than its own: a walk that trusts it goes round
// forever.
static void lengths_that_wrap_around_end_the_walk(void **state)
{
    (void)state;
    for (uint32_t back = 1; back < 64; back++) {
        virt_tree();
        int soc = fdt_path_offset(blob, "/soc"), n;
        const struct fdt_property *p = fdt_get_property(blob, soc, "#size-cells", &n);
        ((struct fdt_property *)(uintptr_t)p)->len = cpu_to_fdt32(0u - back);
        read_blob();
        assert_sane();
        assert_int_equal(m.nharts, 4); // which came before
    }
}

static void nodes_nested_too_deep_are_left_alone(void **state)
{
    (void)state;
    open_tree();
    bus_cells(2, 2);
    for (int i = 0; i < 1000; i++) {
        node("bus");
        bus_cells(2, 2);
        raw("ranges", "", 0);
    }
    a_device("deep", "virtio,mmio", 0x10000000, 0x1000, 1);
    for (int i = 0; i < 1000; i++)
        end();
    a_device("flat", "virtio,mmio", 0x10001000, 0x1000, 2);
    close_tree();
    read_blob();
    assert_int_equal(count(&virtio_mmio_driver), 1);
    assert_int_equal(device(&virtio_mmio_driver, 0)->pa, 0x10001000);
    assert_said("nested too deep");
}

// Every property of the tree in turn, with each of these values in its place.
static void any_property_may_be_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        int len;
    } bad[] = {{"", 0},
               {"\0", 1},
               {"abc", 3},
               {"\xff\xff\xff\xff", 4},
               {"\0\0\0\3", 4},
               {"\0\0\0\0\0\0\0\1\xff\xff\xff\xff", 12},
               {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16}};
    static _Alignas(8) uint8_t kept[sizeof blob];
    virt_tree();
    assert_int_equal(fdt_open_into(blob, kept, sizeof kept), 0);
    unsigned tried = 0;
    for (int at = 0; at >= 0; at = fdt_next_node(kept, at, NULL)) {
        int property;
        fdt_for_each_property_offset(property, kept, at)
        {
            const char *name;
            fdt_getprop_by_offset(kept, property, &name, NULL);
            for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++, tried++) {
                memcpy(blob, kept, sizeof blob);
                assert_int_equal(fdt_setprop(blob, at, name, bad[i].bytes, bad[i].len), 0);
                fdt_pack(blob);
                read_blob();
                assert_sane();
            }
        }
    }
    assert_true(tried > 500);
}

static void properties_of_the_wrong_length_get_a_message(void **state)
{
    (void)state;
    open_device("ns16550a", 0x100);
    raw("reg-shift", "\0\0", 2);
    raw("#address-cells", "\0\0\0\0\2", 5);
    close_device();
    assert_non_null(console());
    assert_said("it/reg-shift is 2 bytes long, not 4: taken as 0");
    assert_said("it/#address-cells is 5 bytes long, not 4: taken as 2");
    assert_null(strstr(strstr(said, "#address-cells") + 1, "#address-cells")); // once, not each walk
}

static void of_two_properties_with_one_name_the_first_counts(void **state)
{
    (void)state;
    open_device("virtio,mmio", 0x1000);
    CELLS("reg", 0, 0x20000000, 0, 0x1000);
    string("compatible", "ns16550a");
    node("child");
    end();
    string("status", "disabled"); // behind a child: not a place for properties
    close_device();
    assert_int_equal(count(&virtio_mmio_driver), 1);
    assert_int_equal(device(&virtio_mmio_driver, 0)->pa, 0x10000000);
    assert_null(console());
}

static void a_tree_full_of_faults_does_not_fill_the_console(void **state)
{
    (void)state;
    open_tree();
    for (int i = 0; i < 500; i++) {
        node("it");
        string("compatible", "virtio,mmio");
        end();
    }
    close_tree();
    read_blob();
    size_t lines = 0;
    for (const char *s = said; *s; s++)
        lines += *s == '\n';
    assert_in_range(lines, 10, 60);
    assert_said("more is wrong than is said here");
}

// --- Boot arguments ------------------------------------------------------------------------------

static void boot_arguments_are_found_by_their_whole_name(void **state)
{
    (void)state;
    char value[8];
    memset(&m, 0, sizeof m);
    snprintf(m.bootargs, sizeof m.bootargs, "  xnode=bad node=n1  harts=  long=12345678 last=z");
    assert_true(bootarg_value(m.bootargs, "node", value, sizeof value));
    assert_string_equal(value, "n1");
    assert_true(bootarg_value(m.bootargs, "harts", value, sizeof value));
    assert_string_equal(value, "");
    assert_true(bootarg_value(m.bootargs, "last", value, sizeof value));
    assert_string_equal(value, "z");
    assert_false(bootarg_value(m.bootargs, "long", value, sizeof value));
    assert_false(bootarg_value(m.bootargs, "nod", value, sizeof value));
    assert_false(bootarg_value(m.bootargs, "more", value, sizeof value));
}

static void a_flag_is_a_word_of_its_own(void **state)
{
    (void)state;
    memset(&m, 0, sizeof m);
    snprintf(m.bootargs, sizeof m.bootargs, "xshell shellx shell2= node=shell harts");
    assert_false(bootarg_flag(m.bootargs, "shell"));
    assert_false(bootarg_flag(m.bootargs, "node"));
    assert_true(bootarg_flag(m.bootargs, "harts"));
    snprintf(m.bootargs, sizeof m.bootargs, " node=n1  shell x=1");
    assert_true(bootarg_flag(m.bootargs, "shell"));
}

static void boot_arguments_and_model_are_cut_to_their_room(void **state)
{
    (void)state;
    char much[1000];
    memset(much, 'x', sizeof much - 1);
    much[sizeof much - 1] = 0;
    open_tree();
    string("model", much);
    node("chosen");
    string("bootargs", much);
    raw("rng-seed", much, sizeof much);
    end();
    close_tree();
    read_blob();
    assert_sane();
    assert_int_equal(strlen(m.bootargs), sizeof m.bootargs - 1);
    assert_int_equal(strlen(m.model), sizeof m.model - 1);
    assert_int_equal(m.rng_seed_len, sizeof m.rng_seed);
    assert_said("boot arguments cut");
}

#define TREE_TEST(f) cmocka_unit_test_setup(f, tree_setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(all_of_qemu_virt_is_found),
        TREE_TEST(the_order_of_the_tree_does_not_matter),
        TREE_TEST(hart_0_of_sifive_u_is_left_alone),
        TREE_TEST(visionfive_2_is_read),
        TREE_TEST(a_hart_that_is_listed_twice_counts_once),
        TREE_TEST(a_boot_hart_that_is_not_listed_runs_alone),
        TREE_TEST(harts_that_we_cannot_use_are_left_out),
        TREE_TEST(more_harts_than_we_have_room_for_are_left_out),
        TREE_TEST(isa_may_be_a_list_of_names),
        TREE_TEST(an_impossible_timebase_is_replaced),
        TREE_TEST(memory_in_pieces_is_sorted_and_holes_are_taken_out),
        TREE_TEST(the_list_of_reserved_memory_counts),
        TREE_TEST(an_initrd_is_found_when_it_lies_in_memory),
        TREE_TEST(without_a_mark_nothing_below_the_kernel_is_used),
        TREE_TEST(more_memory_ranges_than_we_have_room_for_are_left_out),
        TREE_TEST(more_reserved_ranges_than_we_have_room_for_are_kept_all),
        TREE_TEST(addresses_go_up_through_the_buses),
        TREE_TEST(registers_of_an_unknown_shape_are_left_alone),
        TREE_TEST(devices_without_a_usable_address_are_left_alone),
        TREE_TEST(a_device_whose_status_is_not_okay_is_left_alone),
        TREE_TEST(a_list_of_names_without_its_final_zero_is_not_read),
        TREE_TEST(more_slots_than_we_have_room_for_are_left_out),
        TREE_TEST(the_console_is_the_one_that_is_named),
        TREE_TEST(a_console_path_that_leads_nowhere_means_the_first),
        TREE_TEST(aliases_that_go_round_or_do_not_end_are_not_followed),
        TREE_TEST(what_is_no_tree_is_refused),
        TREE_TEST(a_tree_that_ends_anywhere_gives_what_came_before),
        TREE_TEST(lengths_that_wrap_around_end_the_walk),
        TREE_TEST(nodes_nested_too_deep_are_left_alone),
        TREE_TEST(any_property_may_be_wrong),
        TREE_TEST(properties_of_the_wrong_length_get_a_message),
        TREE_TEST(of_two_properties_with_one_name_the_first_counts),
        TREE_TEST(a_tree_full_of_faults_does_not_fill_the_console),
        TREE_TEST(boot_arguments_are_found_by_their_whole_name),
        TREE_TEST(a_flag_is_a_word_of_its_own),
        TREE_TEST(boot_arguments_and_model_are_cut_to_their_room),
    };
    return UNIT_RUN(tests);
}
