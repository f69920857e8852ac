// SPDX-License-Identifier: BSD-2-Clause
// The serial port as the console.
#include "boards/uart_console.h"

#include "boards/uart.h"
#include "core/error.h"
#include "core/log.h"
#include "core/node.h"
#include "core/task.h"
#include "services/console.h"
#include "services/service.h"
#include "services/shell/shell.h"

static void uart_task(struct node *n, void *arg)
{
    (void)arg;
    for (;;) {
        int c;
        while ((c = uart_get()) >= 0)
            console_input(n, (char)c);
        task_wait(n, &uart_event);
    }
}

// Only if the boot arguments ask for it: the consoles of a ring's nodes are files, where no keys come in.
static void start_shell(struct node *n)
{
    if (!services_have(n, "shell")) {
        node_log(n, "this image has no shell");
        return;
    }
    int error = uart_present() ? console_attach(n, uart_write, &uart_room) : -E_IO;
    if (error == 0)
        error = shell_open(n);
    if (error)
        node_log(n, "shell: cannot start: %s", error_string(error));
}

void uart_console_start(struct node *n, bool shell)
{
    if (services_have(n, "console") && !task_spawn(n, "uart", uart_task, NULL))
        node_log(n, "no memory for the console's input task: it will read nothing");
    if (shell)
        start_shell(n);
}
