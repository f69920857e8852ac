// SPDX-License-Identifier: BSD-2-Clause
#include "boards/glue.h"

#include <string.h>

#include "arch/riscv/boot.h"
#include "boards/dt.h"
#include "boards/uart.h"
#include "core/error.h"
#include "core/node.h"
#include "core/task.h"
#include "net/net.h"
#include "services/bench.h"
#include "services/bootfs.h"
#include "services/console.h"
#include "services/node.h"
#include "services/protocol.h"
#include "services/service.h"
#include "services/shell/shell.h"

#define ECHO_TIMEOUT_NS (1 * NS_PER_S)

static void link_status(struct node *n, struct node_status *st)
{
    unsigned room = sizeof st->link / sizeof st->link[0];
    for (st->links = 0; st->links < room; st->links++) {
        const struct link *l = net_link(n, st->links);
        if (!l)
            break;
        strncpy(st->link[st->links].name, l->name, sizeof st->link[0].name - 1);
        st->link[st->links].up = l->up;
        st->link[st->links].payload_max = l->payload_max;
        st->link[st->links].tx = l->stat.tx;
        st->link[st->links].rx = l->stat.rx;
        st->link[st->links].tx_drop = l->stat.tx_drop;
        st->link[st->links].rx_bad = l->stat.rx_bad;
    }
}

// A lost echo would leave the task asleep: a timer wakes it as its return would.
struct echo_alarm {
    struct timer timer;
    struct link *link;
};

static void echo_overdue(struct node *n, struct timer *t)
{
    task_wake(n, ((struct echo_alarm *)(void *)t)->link);
}

static int echo(struct node *n, unsigned index, uint32_t payload)
{
    struct link *l = net_link(n, index);
    if (!l || payload > l->payload_max)
        return -E_ARG;
    struct echo_alarm alarm = {.link = l};
    timer_init(&alarm.timer, echo_overdue);
    uint64_t until = node_now(n) + ECHO_TIMEOUT_NS;
    timer_set(n, &alarm.timer, until);
    net_echo(n, l, payload);
    while (l->echo.back != l->echo.sent && node_now(n) < until)
        task_wait(n, l);
    timer_cancel(n, &alarm.timer);
    return l->echo.back == l->echo.sent ? 0 : -E_TIMEOUT;
}

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

static void fill_store(struct node *n, const struct range *initrd)
{
    uint64_t len = initrd->to - initrd->from;
    if (len == 0)
        return;
    if (!services_have(n, "bootfs")) {
        node_log(n, "the initrd is of no use: this image has no store");
        return;
    }
    const void *archive = arch_direct(initrd->from, len);
    const char *why = archive ? bootfs_give(n, archive, len) : "it lies above all addresses";
    if (why)
        node_log(n, "store: empty: the initrd is refused: %s", why);
}

// Only where somebody asked for it: a ring's consoles are files, and nobody types there.
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

void glue_start(struct node *n, const struct machine *m)
{
    services_set_link_status(n, link_status);
    bench_set_echo(n, echo);
    if (services_have(n, "console") && !task_spawn(n, "uart", uart_task, NULL))
        node_log(n, "no memory for the console's input task: it will read nothing");
    fill_store(n, &m->initrd);
    if (dt_bootflag(m, "shell"))
        start_shell(n);
}
