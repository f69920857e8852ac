// SPDX-License-Identifier: BSD-2-Clause
// Waiting for the nodes of a new ring: they show themselves one by one, and each is asked whether it is up.
#include "tools/ring_wait.h"
#include "core/config.h"
#include "core/node.h"
#include "core/panic.h"
#include "core/task.h"
#include "net/net.h"
#include "net/nodes.h"
#include "tools/find.h"
#include "tools/member.h"
#include "tools/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Boot takes well under a second on a quiet machine, and as much longer as the machine is busy. A hang is when no node
// has come for so long.
#define HANG_NS (30 * NS_PER_S)

static uint64_t hang_ns(const struct ring *r)
{
    double load = 0;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (getloadavg(&load, 1) != 1 || cpus < 1)
        load = 0, cpus = 1;
    double busy = (load + r->state.nodes * r->qemu.harts) / (double)cpus;
    double factor = (busy > 1 ? busy : 1) * (r->qemu.icount || r->qemu.count ? 4 : 1);
    return (uint64_t)(factor * (double)HANG_NS);
}

static struct coming {
    struct ring *ring;
    const char *only; // NULL: all nodes
    bool quiet;
    uint64_t start, last; // ns: began, a node came
    unsigned up;
    struct arrival {
        struct coming *all;
        char name[32];
        bool seen, up, asking;
    } node[RING_NODES_MAX];
} coming;

// A node has shown itself. It is up when its boot directory answers and gives its status.
static void ask_node(struct node *n, void *arg)
{
    struct arrival *a = arg;
    struct node_status s;
    int64_t e = find_status(n, a->name, &s);
    ASSERT(a->asking);
    a->asking = false;
    if (e < 0 || a->up)
        return;
    a->up = true;
    a->all->up++;
    a->all->last = node_now(n);
    if (a->all->quiet)
        return;
    printf("  %-4s up after %.2f s: %u hart%s, %s free of %s, endpoint %016llx\n", a->name,
           (double)(node_now(n) - a->all->start) / 1e9, s.harts, s.harts == 1 ? "" : "s", page_size_text(s.pages_free),
           page_size_text(s.pages_total), (unsigned long long)s.ep);
    fflush(stdout);
}

static void node_seen(struct node *n, void *arg, const struct net_node *who)
{
    struct coming *c = arg;
    (void)n;
    for (unsigned i = 0; i < c->ring->state.nodes; i++)
        if (strncmp(who->name, c->node[i].name, sizeof who->name) == 0)
            c->node[i].seen = true;
}

static int give_up(const struct ring *r, const char *name, const char *what)
{
    fail("%s %s", name, what);
    if (rundir_enter()) {
        ring_show_tail(name, "err");
        ring_show_tail(name, "log");
    }
    rundir_leave();
    fprintf(stderr, "The logs of all %u nodes stay in %s.\n", r->state.nodes, rundir_path());
    return EXIT_FAILED;
}

static const char *first_missing(const struct coming *c)
{
    for (unsigned i = 0; i < c->ring->state.nodes; i++)
        if (!c->node[i].up)
            return c->node[i].name;
    return HOST_NODE;
}

static void ask_those_seen(struct node *n, struct coming *c)
{
    for (unsigned i = 0; i < c->ring->state.nodes; i++) {
        struct arrival *a = &c->node[i];
        if (!a->seen || a->up || a->asking)
            continue;
        a->asking = task_spawn(n, "ask node", ask_node, a) != NULL;
    }
}

// A node that will not come: its process has ended. Of the others none is missed that is not waited for.
static const struct ring_process *one_that_ended(const struct coming *c)
{
    if (!c->only)
        return ring_one_that_ended(&c->ring->state);
    const struct ring_process *p = ring_process_named(&c->ring->state, c->only);
    ASSERT(p);
    return process_alive(p) ? NULL : p;
}

#define LOOK_NS (20 * NS_PER_MS)
#define ASK_EVERY 20 // looks

static int wait_task(struct node *n, void *arg)
{
    struct coming *c = arg;
    uint64_t hang = hang_ns(c->ring);
    c->start = c->last = node_now(n);
    for (unsigned look = 0; c->up < c->ring->state.nodes; look++) {
        if (look % ASK_EVERY == 0) {
            nodes_stop(n);
            nodes_ask(n, node_seen, c);
        }
        ask_those_seen(n, c);
        const struct ring_process *dead = one_that_ended(c);
        if (dead)
            return give_up(c->ring, dead->name, "ended before it was up");
        if (node_now(n) - c->last > hang)
            return give_up(c->ring, first_missing(c), "did not come up");
        task_sleep(n, LOOK_NS);
    }
    nodes_stop(n);
    return EXIT_OK;
}

static int wait_for(struct ring *r, const char *only, bool quiet)
{
    ASSERT(!coming.ring && r->state.nodes <= RING_NODES_MAX);
    coming.ring = r;
    coming.only = only;
    coming.quiet = quiet;
    for (unsigned i = 0; i < r->state.nodes; i++) {
        struct arrival *a = &coming.node[i];
        a->all = &coming;
        snprintf(a->name, sizeof a->name, "n%u", i + 1);
        a->up = only && strcmp(a->name, only) != 0;
        coming.up += a->up;
    }
    return member_run(wait_task, &coming);
}

int ring_wait(struct ring *r)
{
    return wait_for(r, NULL, false);
}

int ring_wait_for(struct ring *r, const char *node, bool quiet)
{
    return wait_for(r, node, quiet);
}
