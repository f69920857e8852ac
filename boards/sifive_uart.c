// SPDX-License-Identifier: BSD-2-Clause
// SiFive's serial port. Registers: SiFive FU540-C000 Manual, chapter 13. Binding: Linux,
// Documentation/devicetree/bindings/serial/sifive-serial.yaml.
#include "arch/riscv/boot.h"
#include "boards/driver.h"
#include "boards/mmio.h"
#include "boards/uart.h"

enum { TXDATA = 0x00, RXDATA = 0x04, TXCTRL = 0x08, RXCTRL = 0x0c, IE = 0x10, REGS_BYTES = 0x1c };
#define FLAG 0x80000000u          // of TXDATA: full; of RXDATA: empty
#define ENABLE 1u                 // of TXCTRL and RXCTRL
#define TXCTRL_WATERMARK 0x10000u // txcnt 1: there is room when the queue is empty
#define IE_SENT 1u
#define IE_RECEIVED 2u

static volatile void *base;

static bool can_send(void)
{
    return !(mmio_read32(base, TXDATA) & FLAG);
}

static void send(char c)
{
    mmio_write32(base, TXDATA, (uint8_t)c);
}

static int receive(void)
{
    uint32_t v = mmio_read32(base, RXDATA);
    return v & FLAG ? -1 : (int)(v & 0xff);
}

static void interrupts(bool sending)
{
    mmio_write32(base, IE, IE_RECEIVED | (sending ? IE_SENT : 0));
}

// TXDATA tells for each single byte whether there is room.
static unsigned by_interrupt(void)
{
    mmio_write32(base, RXCTRL, ENABLE); // watermark 0: from the first character
    mmio_write32(base, TXCTRL, TXCTRL_WATERMARK | ENABLE);
    return 1;
}

static void claim(const struct device *d)
{
    static const struct uart_ops ops = {can_send, send, receive, interrupts, by_interrupt};
    volatile void *regs = arch_direct(d->pa, d->len);
    if (!regs || !uart_claim(&ops, d))
        return;
    base = regs;
    mmio_write32(base, TXCTRL, mmio_read32(base, TXCTRL) | ENABLE);
}

static const char *const names[] = {"sifive,uart0", NULL};
const struct driver sifive_uart_driver = {
    .compatible = names, .regs_min_bytes = REGS_BYTES, .claim = claim, .start = uart_start};
