// SPDX-License-Identifier: BSD-2-Clause
// What the loader, the boot code and the trap code do on a board, for a node inside a Linux process.
#include "arch/host/host.h"
#include "core/entry.h"
#include "core/panic.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

struct host_node {
    struct node node; // first: a node's address is its host_node's
    uint64_t seed;
    void (*guest_run)(struct node *n, struct thread *t);
    void *arena;
    size_t arena_bytes;
    uint16_t holders[]; // and what else page_init needs
};

static struct host_node *host_of(struct node *n)
{
    return (struct host_node *)(void *)n;
}

// --- what the world gives ------------------------------------------------------------------------

static uint64_t clock_of_linux(struct node *n)
{
    (void)n;
    return arch_now_ns();
}

static void log_to_stderr(struct node *n, const char *line)
{
    fprintf(stderr, "%s: %s\n", n->name, line);
}

static void entropy_of_linux(struct node *n, void *buf, size_t len)
{
    (void)n;
    if (getrandom(buf, len, 0) != (ssize_t)len)
        panic("Linux gives no random bytes");
}

// SplitMix64 (Steele, Lea, Flood 2014): enough to spread a seed over a key.
static uint64_t next_of_seed(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void entropy_of_seed(struct node *n, void *buf, size_t len)
{
    uint8_t *to = buf;
    while (len > 0) {
        uint64_t v = next_of_seed(&host_of(n)->seed);
        size_t run = len < sizeof v ? len : sizeof v;
        memcpy(to, &v, run);
        to += run, len -= run;
    }
}

// --- beginning and end ---------------------------------------------------------------------------

static void take_options(struct host_node *hn, const char *name, const struct host_options *o)
{
    struct node *n = &hn->node;
    snprintf(n->name, sizeof n->name, "%s", name);
    hn->seed = o->seed;
    hn->guest_run = o->guest_run;
    n->clock = o->clock ? o->clock : clock_of_linux;
    n->log = o->log ? o->log : log_to_stderr;
    n->entropy = o->seed ? entropy_of_seed : entropy_of_linux;
    n->world = o->world;
    if (o->ring_key)
        memcpy(n->ring_key, o->ring_key, sizeof n->ring_key);
}

static bool give_memory(struct host_node *hn, size_t npages)
{
    hn->arena_bytes = npages << PAGE_SHIFT;
    hn->arena = mmap(NULL, hn->arena_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (hn->arena == MAP_FAILED)
        return false;
    page_init(&hn->node, hn->arena, npages, hn->holders);
    page_add_range(&hn->node, hn->arena, (char *)hn->arena + hn->arena_bytes);
    return true;
}

static void take_memory(struct host_node *hn)
{
    ASAN_UNPOISON_MEMORY_REGION(hn->arena, hn->arena_bytes);
    munmap(hn->arena, hn->arena_bytes);
}

static void go_online(struct node *n)
{
    struct hart *h = &n->harts[0];
    n->nharts = 1;
    h->node = n;
    h->index = 0;
    h->arch.timer_at = UINT64_MAX;
    arch_lock(&n->lock);
    host_node_enter(n);
    entry_hart_online(n, h);
}

struct node *host_node_new(const char *name, size_t npages, const struct host_options *options)
{
    static const struct host_options none;
    struct host_node *hn = calloc(1, sizeof *hn + PAGE_TABLE_LEN(npages) * sizeof hn->holders[0]);
    if (!hn)
        return NULL;
    take_options(hn, name, options ? options : &none);
    if (!give_memory(hn, npages)) {
        free(hn);
        return NULL;
    }
    go_online(&hn->node);
    if (node_init(&hn->node) == 0)
        return &hn->node;
    arch_host_set_hart(NULL);
    take_memory(hn);
    free(hn);
    return NULL;
}

void host_node_free(struct node *n)
{
    struct host_node *hn = host_of(n);
    host_node_enter(n);
    node_fini(n);
    arch_ctx_free(&n->harts[0].loop);
    arch_host_set_hart(NULL);
    take_memory(hn);
    free(hn);
}

// --- one step ------------------------------------------------------------------------------------

void host_node_enter(struct node *n)
{
    arch_host_set_hart(&n->harts[0]);
}

static bool has_work(struct node *n)
{
    const struct hart *h = &n->harts[0];
    return h->current || h->next || !list_empty(&n->ready_tasks) || sched_any_ready(n);
}

static bool run_timers(struct node *n, struct hart *h)
{
    if (h->arch.timer_at > node_now(n) && timer_next(n) > node_now(n))
        return false;
    h->arch.timer_at = UINT64_MAX;
    entry_timer(h);
    return true;
}

static void run_guest(struct node *n, struct thread *t)
{
    ASSERT(host_of(n)->guest_run);
    host_of(n)->guest_run(n, t);
    host_node_enter(n); // the hook may have looked at other nodes
}

bool host_node_step(struct node *n)
{
    struct hart *h = &n->harts[0];
    host_node_enter(n);
    ASSERT(n->lock.held);
    bool fired = run_timers(n, h);
    bool work = has_work(n);
    struct thread *t = sched_next(h);
    if (t)
        run_guest(n, t);
    return fired || work;
}

uint64_t host_node_deadline(const struct node *n)
{
    return timer_next(n);
}
