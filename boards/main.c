// SPDX-License-Identifier: BSD-2-Clause
// From the device tree to a node of the ring. kmain() is the table of contents.
//
// Boot arguments: node=NAME  name of the node (n1)
//                 ringkey=64 hexadecimal digits, the secret of the ring (none: the node draws one, and is a ring
//                         of its own)
//                 harts=N    use at most that many harts
//                 shell      start a shell at the console
#include <sodium/utils.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arch/riscv/boot.h"
#include "boards/bootargs.h"
#include "boards/driver.h"
#include "boards/dt.h"
#include "boards/entropy.h"
#include "boards/initrd.h"
#include "boards/memory.h"
#include "boards/net_links.h"
#include "boards/plic.h"
#include "boards/uart.h"
#include "boards/uart_console.h"
#include "core/error.h"
#include "core/node.h"
#include "net/net.h"
#include "services/console.h"
#include "services/service.h"

#define STATUS_NO_BOOT 102

static struct node node;
static struct machine machine;

// --- Words ---------------------------------------------------------------------------------------

static void print(const char *text)
{
    while (*text)
        arch_putc(*text++);
    arch_putc('\n');
}

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
    char text[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    print(text);
}

static _Noreturn void give_up(const char *what, int error)
{
    say("cannot start: %s: %s", what, error_string(error));
    arch_stop(STATUS_NO_BOOT);
}

// --- Machine -------------------------------------------------------------------------------------

static void boot_hart(uint64_t hartid)
{
    arch_hart_init(&node.harts[0], &node, 0, hartid);
    node.nharts = 1;
    arch_early_init(&node.harts[0]);
    print(""); // ends the line of entry.S
}

static void read_machine(uint64_t hartid, uint64_t dtb_pa)
{
    struct dt_request q = {
        .fdt = arch_direct(dtb_pa, DT_MAX_BYTES), .fdt_pa = dtb_pa, .boot_hartid = hartid, .warn = print};
    uint64_t image_len;
    arch_image(&q.image.from, &image_len);
    q.image.to = q.image.from + image_len;
    dt_read(&q, &machine);
    arch_configure(&(struct arch_config){.isa = machine.isa, .timebase_hz = machine.timebase_hz, .sstc = machine.sstc});
}

static void claim_devices(void)
{
    drivers_claim(&machine);
    if (uart_present())
        arch_console_uart(uart_put);
    say("rotifer %s on %s (%s)", ROTIFER_VERSION, machine.model, arch_firmware());
}

// --- Harts ---------------------------------------------------------------------------------------

static void count_harts(void)
{
    char value[8];
    unsigned most = HARTS_MAX;
    if (bootarg_value(machine.bootargs, "harts", value, sizeof value) && value[0] >= '1' && value[0] <= '9' &&
        value[1] == 0)
        most = (unsigned)(value[0] - '0');
    node.nharts = machine.nharts < most ? machine.nharts : most;
    for (unsigned i = 1; i < node.nharts; i++)
        arch_hart_init(&node.harts[i], &node, i, machine.harts[i].hartid);
    say("harts: %u (booted on %lu), clock %lu kHz, timer %s", node.nharts, (unsigned long)machine.harts[0].hartid,
        (unsigned long)(machine.timebase_hz / 1000), arch_uses_sstc() ? "Sstc" : "SBI");
}

static void start_other_harts(void)
{
    for (unsigned i = 1; i < node.nharts; i++)
        if (!arch_hart_start(&node.harts[i]))
            say("hart %lu: the firmware does not start it", (unsigned long)node.harts[i].arch.hartid);
}

// --- Node ----------------------------------------------------------------------------------------

static uint64_t node_clock(struct node *n)
{
    (void)n;
    return arch_now_ns();
}

static void node_entropy(struct node *n, void *buf, size_t len)
{
    (void)n;
    if (!entropy_gather(&machine, buf, len))
        print("weak random numbers: the firmware gave no rng-seed");
}

static void node_log_line(struct node *n, const char *line)
{
    if (!console_log(n, line))
        print(line);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static void read_ring_key(void)
{
    char value[2 * sizeof node.ring_key + 1];
    uint8_t key[sizeof node.ring_key];
    if (!strstr(machine.bootargs, "ringkey="))
        return;
    bool good = bootarg_value(machine.bootargs, "ringkey", value, sizeof value) && strlen(value) == sizeof value - 1;
    for (size_t i = 0; good && i < sizeof key; i++) {
        int high = hex_digit(value[2 * i]), low = hex_digit(value[2 * i + 1]);
        good = high >= 0 && low >= 0;
        key[i] = (uint8_t)(high << 4 | low);
    }
    if (!good) // a node that fell back to a key of its own would look for its ring for ever
        give_up("ringkey is not 64 hexadecimal digits", E_ARG);
    if (sodium_is_zero(key, sizeof key)) // everybody knows it
        give_up("ringkey is zero, which is no secret", E_ARG);
    memcpy(node.ring_key, key, sizeof key);
}

static void read_orphan_grace(void)
{
    char value[16];
    uint64_t s = 0;
    if (!bootarg_value(machine.bootargs, "orphan-grace", value, sizeof value))
        return;
    for (const char *c = value; *c; c++) {
        if (*c < '0' || *c > '9' || s > ORPHAN_GRACE_MAX_S)
            give_up("orphan-grace is no number of seconds", E_ARG);
        s = s * 10 + (uint64_t)(*c - '0');
    }
    node.orphan_grace_ns = s * NS_PER_S;
}

static void give_memory(void)
{
    if (!memory_give(&node, &machine))
        give_up("the device tree names no memory", E_MEM);
    say("memory: %lu MiB, %lu pages free", (unsigned long)(machine.ram_bytes / MIB),
        (unsigned long)page_free_count(&node));
}

static void make_node(void)
{
    node.clock = node_clock;
    node.entropy = node_entropy;
    node.log = node_log_line;
    node.irq = plic_dispatch;
    if (!bootarg_value(machine.bootargs, "node", node.name, sizeof node.name) || node.name[0] == 0)
        memcpy(node.name, "n1", 3);
    read_ring_key();
    read_orphan_grace();
    int error = node_init(&node);
    if (error)
        give_up("node", error);
}

static void join_ring(void)
{
    int error = net_init(&node);
    if (error)
        give_up("network", error);
    if (!plic_present())
        print("no interrupt controller: devices will be slow");
    drivers_start(&node, &machine);
    net_links_start(&node);
    const struct link *l;
    for (unsigned i = 0; (l = link_at(&node, i)) != NULL; i++)
        say("%s: %02x:%02x:%02x:%02x:%02x:%02x, payload %u bytes, %s", l->name, l->mac[0], l->mac[1], l->mac[2],
            l->mac[3], l->mac[4], l->mac[5], l->payload_max, l->up ? "up" : "down");
}

static void start_services(void)
{
    int error = services_start(&node);
    if (error)
        give_up("services", error);
    initrd_give(&node, &machine.initrd);
    uart_console_start(&node, bootarg_flag(machine.bootargs, "shell"));
}

// Each step, and what holds from then on.
void kmain(uint64_t hartid, uint64_t dtb_pa)
{
    boot_hart(hartid);            // arch_this_hart() and panic() work; the image is mapped W^X
    read_machine(hartid, dtb_pa); // `machine` is filled: harts, memory, devices, boot arguments; arch_now_ns() runs
    claim_devices();              // say() reaches the console; the interrupt controller is ours, all interrupts are off
    count_harts();                // every hart that will be used has a record
    arch_lock(&node.lock);        // this hart holds the node lock, under which all of the node is changed
    give_memory();                // page_alloc() works
    make_node();                  // the node has its name, ring key and random numbers; tasks can be made
    join_ring();                  // the links are up: frames come in, interrupts are pending
    start_services();             // the services' tasks are ready, and their ports in the boot directory
    start_other_harts();          // the other harts are on their way into the loop, and wait for the lock
    say("node %s ready", node.name);
    arch_unlock(&node.lock);
    arch_enter(&node.harts[0]); // this hart is in the loop as well: the tasks run
}
