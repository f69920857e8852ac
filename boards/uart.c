// SPDX-License-Identifier: BSD-2-Clause
#include "boards/uart.h"

#include "arch/riscv/boot.h"
#include "boards/mmio.h"
#include "boards/plic.h"
#include "core/hart.h"
#include "core/task.h"

#define RING 256        // characters received and not yet fetched; what comes on top is lost
#define PATIENCE 200000 // looks at a port that does not get ready, then the character is dropped

// National Semiconductor PC16550D data sheet, section 8
enum { NS_DATA = 0, NS_IER = 1, NS_LSR = 5 };
#define NS_IER_RECEIVED 0x01u
#define NS_LSR_DATA 0x01u
#define NS_LSR_THR_EMPTY 0x20u

// SiFive FU540-C000 Manual, chapter 13
enum { SF_TXDATA = 0x00, SF_RXDATA = 0x04, SF_TXCTRL = 0x08, SF_RXCTRL = 0x0c, SF_IE = 0x10 };
#define SF_FLAG 0x80000000u // txdata: full; rxdata: empty
#define SF_ENABLE 1u
#define SF_IE_RECEIVED 2u

static struct {
    volatile void *base;
    struct dt_uart at;
    uint8_t ring[RING];
    uint32_t in, out; // count characters, modulo 2^32
} uart;
const char uart_event;

static uint32_t ns_read(uint32_t reg)
{
    uint32_t offset = reg << uart.at.shift;
    return uart.at.width == 4 ? mmio_read32(uart.base, offset) : mmio_read8(uart.base, offset);
}
static void ns_write(uint32_t reg, uint32_t v)
{
    uint32_t offset = reg << uart.at.shift;
    if (uart.at.width == 4)
        mmio_write32(uart.base, offset, v);
    else
        mmio_write8(uart.base, offset, (uint8_t)v);
}

bool uart_init(const struct dt_uart *u)
{
    if (u->kind == UART_NONE)
        return false;
    uart.at = *u;
    uart.base = arch_direct(u->pa, u->kind == UART_SIFIVE ? 0x1c : 8u << u->shift);
    if (!uart.base)
        return false;
    if (u->kind == UART_SIFIVE)
        mmio_write32(uart.base, SF_TXCTRL, mmio_read32(uart.base, SF_TXCTRL) | SF_ENABLE);
    return true;
}

static bool can_send(void)
{
    if (uart.at.kind == UART_SIFIVE)
        return !(mmio_read32(uart.base, SF_TXDATA) & SF_FLAG);
    return ns_read(NS_LSR) & NS_LSR_THR_EMPTY;
}

void uart_put(char c)
{
    for (unsigned i = 0; !can_send(); i++)
        if (i == PATIENCE)
            return;
    if (uart.at.kind == UART_SIFIVE)
        mmio_write32(uart.base, SF_TXDATA, (uint8_t)c);
    else
        ns_write(NS_DATA, (uint8_t)c);
}

static int take(void)
{
    if (uart.at.kind == UART_SIFIVE) {
        uint32_t v = mmio_read32(uart.base, SF_RXDATA);
        return v & SF_FLAG ? -1 : (int)(v & 0xff);
    }
    return ns_read(NS_LSR) & NS_LSR_DATA ? (int)(ns_read(NS_DATA) & 0xff) : -1;
}

static void on_interrupt(void *arg)
{
    struct node *n = arch_this_hart()->node;
    (void)arg;
    for (unsigned i = 0; i < RING; i++) {
        int c = take();
        if (c < 0)
            break;
        if (uart.in - uart.out < RING)
            uart.ring[uart.in++ % RING] = (uint8_t)c;
    }
    task_wake(n, &uart_event);
}

void uart_listen(void)
{
    if (!uart.base || !plic_handle(uart.at.irq, on_interrupt, NULL))
        return;
    if (uart.at.kind == UART_SIFIVE) {
        mmio_write32(uart.base, SF_RXCTRL, SF_ENABLE); // watermark 0: from the first character
        mmio_write32(uart.base, SF_IE, SF_IE_RECEIVED);
    } else {
        ns_write(NS_IER, NS_IER_RECEIVED);
    }
}

int uart_get(void)
{
    return uart.in == uart.out ? -1 : uart.ring[uart.out++ % RING];
}
