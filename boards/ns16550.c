// SPDX-License-Identifier: BSD-2-Clause
// Serial ports like the NS16550, and their DesignWare relative. Registers: National Semiconductor PC16550D data sheet,
// section 8. Binding: Linux, Documentation/devicetree/bindings/serial/8250.yaml and snps-dw-apb-uart.yaml.
#include "boards/ns16550.h"

#include "arch/riscv/boot.h"
#include "boards/driver.h"
#include "boards/mmio.h"
#include "boards/uart.h"

enum { DATA = 0, IER = 1, IIR = 2, LSR = 5, REGISTERS = 8 };
#define IER_RECEIVED 0x01u // Interrupt Enable Register
#define IER_THR_EMPTY 0x02u
#define IIR_FIFOS 0xc0u // Interrupt Identification Register, both bits: the FIFOs are on
#define FIFO_BYTES 16u
#define LSR_DATA 0x01u // Line Status Register
#define LSR_THR_EMPTY 0x20u

static struct {
    volatile void *base;
    struct ns16550_shape shape;
} port;

bool ns16550_shape(const struct device *d, struct ns16550_shape *shape)
{
    uint32_t shift = device_number(d, "reg-shift", 0), width = device_number(d, "reg-io-width", 1);
    *shape = (struct ns16550_shape){shift, width};
    if (shift <= 3 && (width == 1 || (width == 4 && shift >= 2)) && d->len >= (uint64_t)REGISTERS << shift)
        return true;
    device_warn(d, "registers of an unknown shape (reg-shift %u, reg-io-width %u, %llu bytes): ignored", shift, width,
                (unsigned long long)d->len);
    return false;
}

static uint32_t read_reg(uint32_t reg)
{
    uint32_t offset = reg << port.shape.shift;
    return port.shape.width == 4 ? mmio_read32(port.base, offset) : mmio_read8(port.base, offset);
}

static void write_reg(uint32_t reg, uint8_t v)
{
    uint32_t offset = reg << port.shape.shift;
    if (port.shape.width == 4)
        mmio_write32(port.base, offset, v);
    else
        mmio_write8(port.base, offset, v);
}

static bool can_send(void)
{
    return read_reg(LSR) & LSR_THR_EMPTY;
}

static void send(char c)
{
    write_reg(DATA, (uint8_t)c);
}

static int receive(void)
{
    return read_reg(LSR) & LSR_DATA ? (int)(read_reg(DATA) & 0xff) : -1;
}

static void interrupts(bool sending)
{
    write_reg(IER, IER_RECEIVED | (sending ? IER_THR_EMPTY : 0));
}

// The port has room when it is empty: if it has a FIFO, for all of that.
static unsigned by_interrupt(void)
{
    return (read_reg(IIR) & IIR_FIFOS) == IIR_FIFOS ? FIFO_BYTES : 1;
}

static void claim(const struct device *d)
{
    static const struct uart_ops ops = {can_send, send, receive, interrupts, by_interrupt};
    struct ns16550_shape shape;
    volatile void *base = arch_direct(d->pa, d->len);
    if (!ns16550_shape(d, &shape) || !base || !uart_claim(&ops, d))
        return;
    port.base = base;
    port.shape = shape;
}

static const char *const names[] = {"ns16550a", "ns16550", "snps,dw-apb-uart", NULL};
const struct driver ns16550_driver = {
    .compatible = names, .regs_min_bytes = REGISTERS, .claim = claim, .start = uart_start};
