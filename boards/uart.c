// SPDX-License-Identifier: BSD-2-Clause
#include "boards/uart.h"

#include "arch/riscv/boot.h"
#include "boards/mmio.h"
#include "boards/plic.h"
#include "core/hart.h"
#include "core/task.h"

#define RING 256          // characters received and not yet fetched; what comes on top is lost
#define OUT_RING 4096u    // characters to be sent; who writes more waits
#define PATIENCE 20000000 // looks at a port that does not get ready, some seconds, then characters are dropped

// National Semiconductor PC16550D data sheet, section 8
enum { NS_DATA = 0, NS_IER = 1, NS_IIR = 2, NS_LSR = 5 };
#define NS_IER_RECEIVED 0x01u
#define NS_IER_THR_EMPTY 0x02u
#define NS_IIR_FIFOS 0xc0u // both bits: the FIFOs are on, 16 bytes each
#define NS_LSR_DATA 0x01u
#define NS_LSR_THR_EMPTY 0x20u

// SiFive FU540-C000 Manual, chapter 13
enum { SF_TXDATA = 0x00, SF_RXDATA = 0x04, SF_TXCTRL = 0x08, SF_RXCTRL = 0x0c, SF_IE = 0x10 };
#define SF_FLAG 0x80000000u // txdata: full; rxdata: empty
#define SF_ENABLE 1u
#define SF_TXCTRL_WATERMARK 0x10000u // 1: room when the queue is empty
#define SF_IE_SENT 1u
#define SF_IE_RECEIVED 2u

static struct {
    volatile void *base;
    struct dt_uart at;
    uint8_t ring[RING];
    uint32_t in, out; // count characters, modulo 2^32
    char out_ring[OUT_RING];
    uint32_t written, sent; // the same of out_ring
    uint32_t burst;         // characters that go out at once when the port is empty
    bool by_interrupt;      // it tells when there is room
    bool stuck;             // it did not get ready the last time: not waited for again until it does
} uart;
const char uart_event, uart_room;

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

bool uart_present(void)
{
    return uart.base != NULL;
}

static void send(char c)
{
    if (uart.at.kind == UART_SIFIVE)
        mmio_write32(uart.base, SF_TXDATA, (uint8_t)c);
    else
        ns_write(NS_DATA, (uint8_t)c);
}

static void send_when_ready(char c)
{
    for (unsigned i = 0; !can_send(); i++)
        if (uart.stuck || i == PATIENCE) {
            uart.stuck = true;
            return;
        }
    uart.stuck = false;
    send(c);
}

// A panic comes here without the lock: what is queued may then be torn, but it comes.
void uart_put(char c)
{
    while (uart.sent != uart.written)
        send_when_ready(uart.out_ring[uart.sent++ % OUT_RING]);
    send_when_ready(c);
}

// --- Sending by interrupt ------------------------------------------------------------------------

static void set_interrupts(void)
{
    bool sending = uart.sent != uart.written;
    if (uart.at.kind == UART_SIFIVE)
        mmio_write32(uart.base, SF_IE, SF_IE_RECEIVED | (sending ? SF_IE_SENT : 0));
    else
        ns_write(NS_IER, NS_IER_RECEIVED | (sending ? NS_IER_THR_EMPTY : 0));
}

static void send_queued(void)
{
    while (uart.sent != uart.written && can_send())
        for (uint32_t i = 0; i < uart.burst && uart.sent != uart.written; i++)
            send(uart.out_ring[uart.sent++ % OUT_RING]);
}

size_t uart_write(struct node *n, const char *bytes, size_t len)
{
    (void)n;
    size_t took = 0;
    if (!uart.by_interrupt) {
        for (; took < len; took++)
            uart_put(bytes[took]);
        return took;
    }
    while (took < len && uart.written - uart.sent < OUT_RING)
        uart.out_ring[uart.written++ % OUT_RING] = bytes[took++];
    send_queued();
    set_interrupts();
    return took;
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
    if (uart.in != uart.out)
        task_wake(n, &uart_event);
    if (uart.sent == uart.written)
        return;
    send_queued();
    set_interrupts();
    if (uart.written - uart.sent <= OUT_RING / 2)
        task_wake(n, &uart_room);
}

void uart_listen(void)
{
    if (!uart.base || !plic_handle(uart.at.irq, on_interrupt, NULL))
        return;
    if (uart.at.kind == UART_SIFIVE) {
        mmio_write32(uart.base, SF_RXCTRL, SF_ENABLE); // watermark 0: from the first character
        mmio_write32(uart.base, SF_TXCTRL, SF_TXCTRL_WATERMARK | SF_ENABLE);
    }
    // A byte for each "empty" of a 16550 without FIFOs. SiFive's says of each byte whether there is room.
    bool fifos = uart.at.kind == UART_NS16550 && (ns_read(NS_IIR) & NS_IIR_FIFOS) == NS_IIR_FIFOS;
    uart.burst = fifos ? 16 : 1;
    uart.by_interrupt = true;
    set_interrupts();
}

int uart_get(void)
{
    return uart.in == uart.out ? -1 : uart.ring[uart.out++ % RING];
}
