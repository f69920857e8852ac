// SPDX-License-Identifier: BSD-2-Clause
// The console's serial port: two queues of characters between interrupts and tasks.
#include "boards/uart.h"

#include "arch/riscv/boot.h"
#include "boards/plic.h"
#include "core/hart.h"
#include "core/panic.h"
#include "core/task.h"

#define RING 256u         // characters received and not yet fetched; what comes on top is lost
#define OUT_RING 4096u    // characters to be sent; a task that writes more waits
#define PATIENCE 20000000 // looks at a port that does not get ready, some seconds, then characters are dropped

// Numbers of characters count modulo 2^32: their place in a ring stays right when they wrap around.
_Static_assert((RING & (RING - 1)) == 0 && (OUT_RING & (OUT_RING - 1)) == 0, "powers of two");

static struct {
    const struct uart_ops *ops;  // NULL: there is no port
    const struct device *device; // that has the port
    uint8_t ring[RING];
    uint32_t in, out; // characters received, fetched
    char out_ring[OUT_RING];
    uint32_t written, sent; // the same of out_ring
    uint32_t burst;         // characters that go out at once when the port has room
    bool by_interrupt;      // it tells when there is room
    bool stuck;             // it did not get ready the last time: not waited for again until it does
} uart;
const char uart_event, uart_room;

bool uart_claim(const struct uart_ops *ops, const struct device *d)
{
    ASSERT(ops->can_send && ops->send && ops->receive && ops->interrupts && ops->by_interrupt);
    if (uart.ops)
        return false;
    uart.ops = ops;
    uart.device = d;
    return true;
}

bool uart_present(void)
{
    return uart.ops != NULL;
}

static void send_when_ready(char c)
{
    for (unsigned i = 0; !uart.ops->can_send(); i++)
        if (uart.stuck || i == PATIENCE) {
            uart.stuck = true;
            return;
        }
    uart.stuck = false;
    uart.ops->send(c);
}

// A panic calls this without the lock: characters in the queue may then be lost or doubled, but most are printed.
void uart_put(char c)
{
    while (uart.sent != uart.written)
        send_when_ready(uart.out_ring[uart.sent++ % OUT_RING]);
    send_when_ready(c);
}

// --- By interrupt --------------------------------------------------------------------------------

static void set_interrupts(void)
{
    uart.ops->interrupts(uart.sent != uart.written);
}

static void send_queued(void)
{
    ASSERT(uart.written - uart.sent <= OUT_RING);
    while (uart.sent != uart.written && uart.ops->can_send())
        for (uint32_t i = 0; i < uart.burst && uart.sent != uart.written; i++)
            uart.ops->send(uart.out_ring[uart.sent++ % OUT_RING]);
}

size_t uart_write(struct node *n, const char *bytes, size_t len)
{
    (void)n;
    size_t took = 0;
    ASSERT(uart.ops);
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

static void on_interrupt(void *arg)
{
    struct node *n = arch_this_hart()->node;
    (void)arg;
    for (unsigned i = 0; i < RING; i++) { // a port that always has one more must not keep the lock
        int c = uart.ops->receive();
        if (c < 0)
            break;
        if (uart.in - uart.out < RING)
            uart.ring[uart.in++ % RING] = (uint8_t)c;
    }
    ASSERT(uart.in - uart.out <= RING);
    if (uart.in != uart.out)
        task_wake(n, &uart_event);
    if (uart.sent == uart.written)
        return;
    send_queued();
    set_interrupts();
    if (uart.written - uart.sent <= OUT_RING / 2)
        task_wake(n, &uart_room);
}

void uart_start(struct node *n, const struct device *d)
{
    (void)n;
    if (d != uart.device || !plic_handle(d->irq, on_interrupt, NULL))
        return;
    uart.burst = uart.ops->by_interrupt();
    ASSERT(uart.burst >= 1);
    uart.by_interrupt = true;
    set_interrupts();
}

int uart_get(void)
{
    return uart.in == uart.out ? -1 : uart.ring[uart.out++ % RING];
}
