// SPDX-License-Identifier: BSD-2-Clause
// The console: the firmware's debug console if there is one, else a UART that boards/ drives, else the legacy call.
#include "arch/riscv/boot.h"
#include "arch/riscv/sbi.h"

static void (*uart_put)(char c);

void arch_console_uart(void (*put)(char c))
{
    uart_put = put;
}

static void put_raw(char c)
{
    if (sbi.dbcn && sbi_debug_putchar(c) == 0)
        return;
    if (uart_put)
        uart_put(c);
    else
        sbi_putchar(c);
}

void arch_putc(char c)
{
    if (c == '\n')
        put_raw('\r');
    put_raw(c);
}
