// SPDX-License-Identifier: BSD-2-Clause
// Links, for the node service and the benchmark.
#include "boards/link_status.h"

#include <string.h>

#include "core/error.h"
#include "core/node.h"
#include "core/task.h"
#include "net/net.h"
#include "services/bench.h"
#include "services/node.h"
#include "services/protocol.h"

#define ECHO_TIMEOUT_NS (1 * NS_PER_S)

static void link_status(struct node *n, struct node_status *st)
{
    unsigned room = sizeof st->link / sizeof st->link[0];
    for (st->links = 0; st->links < room; st->links++) {
        const struct link *l = link_at(n, st->links);
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
    struct link *l = link_at(n, index);
    if (!l || payload > l->payload_max)
        return -E_ARG;
    struct echo_alarm alarm = {.link = l};
    timer_init(&alarm.timer, echo_overdue);
    uint64_t until = node_now(n) + ECHO_TIMEOUT_NS;
    timer_set(n, &alarm.timer, until);
    link_echo(n, l, payload);
    while (l->echo.back != l->echo.sent && node_now(n) < until)
        task_wait(n, l);
    timer_cancel(n, &alarm.timer);
    return l->echo.back == l->echo.sent ? 0 : -E_TIMEOUT;
}

void link_status_lend(struct node *n)
{
    services_set_link_status(n, link_status);
    bench_set_echo(n, echo);
}
