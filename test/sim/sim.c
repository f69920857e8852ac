// SPDX-License-Identifier: BSD-2-Clause
// Nodes, wires and virtual time. Two kinds of events: a frame arrives; a node takes a step. The earliest is next;
// frames that are due at the same instant come in the order in which they were sent, then nodes by number.
#include "test/sim/sim.h"

#include "core/panic.h"
#include "services/service.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define STEP_LEAST_NS 500 // how long a node works on one step
#define STEP_MOST_NS 5000
#define SKEW_FIRST 1u // the clock of node i starts at (i + 1) * SIM_SKEW_NS

// --- Randomness ---------------------------------------------------------------------------------------

uint64_t sim_rand(struct sim_rand *r)
{
    uint64_t z = r->s += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t sim_below(struct sim_rand *r, uint64_t limit)
{
    return limit ? sim_rand(r) % limit : 0;
}
uint64_t sim_between(struct sim_rand *r, uint64_t low, uint64_t high)
{
    return low + sim_below(r, high - low + 1);
}
bool sim_chance(struct sim_rand *r, unsigned percent)
{
    return percent && sim_below(r, 100) < percent;
}

void sim_say(struct sim *s, const char *fmt, ...)
{
    va_list ap;
    if (!s->loud)
        return;
    printf("# %10.6f ", (double)s->now_ns / 1e9);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
}

// --- Frames under way: a binary heap by (time, serial) ---------------------------------------------------

struct sim_frame {
    uint64_t at_ns, serial;
    struct sim_wire *wire;
    unsigned end; // it arrives at
    struct wire_hdr h;
    uint8_t payload[];
};

static bool before(const struct sim_frame *a, const struct sim_frame *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->serial < b->serial;
}

static void heap_put(struct sim *s, struct sim_frame *f)
{
    if (s->nframes == s->heap_room) {
        s->heap_room = s->heap_room ? 2 * s->heap_room : 256;
        s->heap = realloc(s->heap, s->heap_room * sizeof s->heap[0]);
        if (!s->heap)
            panic("no memory for the simulator");
    }
    size_t i = s->nframes++;
    for (; i > 0 && before(f, s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = f;
}

static struct sim_frame *heap_take(struct sim *s)
{
    struct sim_frame *first = s->heap[0], *last = s->heap[--s->nframes];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= s->nframes)
            break;
        if (child + 1 < s->nframes && before(s->heap[child + 1], s->heap[child]))
            child++;
        if (!before(s->heap[child], last))
            break;
        s->heap[i] = s->heap[child];
        i = child;
    }
    if (s->nframes > 0)
        s->heap[i] = last;
    return first;
}

static void frame_copy_out(struct sim_frame *f, const struct piece *p, unsigned np)
{
    size_t at = 0;
    for (unsigned i = 0; i < np; at += p[i++].len)
        memcpy(f->payload + at, p[i].ptr, p[i].len);
    ASSERT(at == f->h.payload);
}

static void frame_launch(struct sim *s, struct sim_wire *w, unsigned end, const struct wire_hdr *h,
                         const struct piece *p, unsigned np, uint64_t out_ns)
{
    if (sim_chance(&s->rand, s->weather.loss)) {
        s->frames_lost++;
        return;
    }
    unsigned copies = 1 + sim_chance(&s->rand, s->weather.dup);
    for (unsigned i = 0; i < copies; i++) {
        struct sim_frame *f = malloc(sizeof *f + h->payload);
        if (!f)
            panic("no memory for the simulator");
        f->h = *h;
        f->wire = w;
        f->end = end;
        f->serial = ++s->frame_serial;
        f->at_ns = out_ns + s->weather.delay_ns + sim_below(&s->rand, s->weather.jitter_ns);
        frame_copy_out(f, p, np);
        heap_put(s, f);
    }
    if (s->nframes > SIM_FRAMES_MAX * (1 + s->widest / 16))
        sim_trouble(s, "a storm: %zu frames are under way", s->nframes);
}

static void link_send(struct link *l, const struct wire_hdr *h, const struct piece *p, unsigned np)
{
    struct sim_link *sl = (struct sim_link *)(void *)l;
    struct sim *s = sl->s;
    struct sim_wire *w = sl->wire;
    const char *bad = wire_check(h, h->payload);
    if (bad) // nobody sends what another would refuse
        sim_trouble(s, "node %u sent a bad frame: %s", w->node[sl->end], bad);
    s->frames_sent++;
    s->frames_of[h->kind]++;
    if (h->kind == WIRE_REQUEST && h->payload >= SIM_DATA_FRAME && ++s->data_frames == s->data_lost_at)
        return;
    uint64_t start = w->free_ns > s->now_ns ? w->free_ns : s->now_ns;
    w->free_ns = start + (sizeof *h + h->payload) * s->weather.ns_per_byte;
    for (unsigned end = 0; end < w->nends; end++)
        if (end != sl->end && !w->cut)
            frame_launch(s, w, end, h, p, np, w->free_ns);
}

// Cut at page size, as a receive chain of (header, page, page...) would have it; a short one may lie in two pieces.
static unsigned frame_pieces(struct sim *s, struct sim_frame *f, struct piece p[WIRE_PIECES_MAX])
{
    unsigned np = 0;
    size_t at = 0, len = f->h.payload;
    size_t first = len && len <= PAGE_SIZE ? sim_below(&s->rand, len + 1) : PAGE_SIZE;
    for (; at < len; np++) {
        size_t run = np == 0 && first ? first : PAGE_SIZE;
        if (run > len - at)
            run = len - at;
        p[np] = (struct piece){f->payload + at, run};
        at += run;
    }
    return np;
}

static bool is_apart(struct sim *s, const struct sim_node *to, const struct wire_hdr *h)
{
    for (unsigned i = 0; i < 2; i++)
        if (s->apart[i] == to && s->apart[1 - i]->n && node_ep(s->apart[1 - i]->n) == h->src_node)
            return true;
    return false;
}

static void deliver(struct sim *s, struct sim_frame *f)
{
    struct sim_link *to = f->wire->end[f->end];
    struct piece p[WIRE_PIECES_MAX];
    unsigned np = frame_pieces(s, f, p);
    struct sim_node *sn = &s->node[f->wire->node[f->end]];
    if (to && to->l.up && !f->wire->cut && !is_apart(s, sn, &f->h)) {
        host_node_enter(sn->n);
        net_input(sn->n, &to->l, &f->h, p, np, f->h.payload);
        sim_poke(sn);
        sim_check_event(s, sn);
    }
    free(f);
}

// --- Wires ------------------------------------------------------------------------------------------------

struct sim_wire *sim_add_wire(struct sim *s, uint32_t payload_max, unsigned a, unsigned b)
{
    ASSERT(s->nwires < SIM_WIRES);
    struct sim_wire *w = &s->wire[s->nwires];
    *w = (struct sim_wire){.index = s->nwires++, .payload_max = payload_max};
    sim_wire_join(w, a);
    sim_wire_join(w, b);
    return w;
}

void sim_wire_join(struct sim_wire *w, unsigned node)
{
    ASSERT(w->nends < SIM_NODES);
    w->node[w->nends++] = node;
}

static void link_attach(struct sim *s, struct sim_wire *w, unsigned end)
{
    struct sim_node *sn = &s->node[w->node[end]];
    struct sim_link *sl = calloc(1, sizeof *sl);
    if (!sl)
        panic("no memory for the simulator");
    snprintf(sl->name, sizeof sl->name, "net%u", w->index);
    if (w->nends > s->widest)
        s->widest = w->nends;
    sl->s = s;
    sl->wire = w;
    sl->end = end;
    sl->l = (struct link){.name = sl->name,
                          .mac = {2, 0, (uint8_t)w->index, (uint8_t)w->node[end], (uint8_t)(end >> 8), (uint8_t)end},
                          .payload_max = w->payload_max,
                          .up = true,
                          .send = link_send};
    w->end[end] = sl;
    int e = net_link_add(sn->n, &sl->l);
    ASSERT(e == 0);
}

void sim_wire_set(struct sim *s, struct sim_wire *w, bool cut, bool carrier)
{
    w->cut = cut;
    for (unsigned end = 0; end < w->nends; end++) {
        struct sim_link *sl = w->end[end];
        if (!sl || sl->l.up == carrier)
            continue;
        struct sim_node *sn = &s->node[w->node[end]];
        sl->l.up = carrier;
        host_node_enter(sn->n);
        net_link_changed(sn->n, &sl->l);
        sim_poke(sn);
    }
    sim_say(s, "wire %u: %s%s", w->index, cut ? "cut" : "whole", carrier ? "" : ", no carrier");
}

// --- Nodes ------------------------------------------------------------------------------------------------

static uint64_t clock_of(struct node *n)
{
    const struct sim_node *sn = n->world;
    return sn->s->now_ns + sn->skew_ns;
}

static void log_of(struct node *n, const char *line)
{
    const struct sim_node *sn = n->world;
    sim_say(sn->s, "%s: %s", sn->name, line);
}

unsigned sim_add_node(struct sim *s)
{
    ASSERT(s->nnodes < SIM_NODES);
    unsigned i = s->nnodes++;
    struct sim_node *sn = &s->node[i];
    *sn = (struct sim_node){.s = s, .index = i, .skew_ns = (i + SKEW_FIRST) * SIM_SKEW_NS};
    sn->run_at_ns = UINT64_MAX;
    snprintf(sn->name, sizeof sn->name, "n%u", i);
    return i;
}

void sim_poke(struct sim_node *sn)
{
    uint64_t at = sn->busy_ns > sn->s->now_ns ? sn->busy_ns : sn->s->now_ns;
    if (sn->run_at_ns > at)
        sn->run_at_ns = at;
}

void sim_power_on(struct sim *s, unsigned node)
{
    struct sim_node *sn = &s->node[node];
    ASSERT(!sn->n);
    sn->births++;
    sn->followed = 0;
    struct host_options o = {
        .clock = clock_of,
        .seed = sim_rand(&s->rand) | 1,
        .log = log_of,
        .guest_run = guest_run,
        .world = sn,
        .ring_key = s->ring_key,
    };
    struct node *n = sn->n = host_node_new(sn->name, s->node_pages, &o);
    if (!n)
        panic("no memory for the simulator");
    n->guest_done = sim_guest_done;
    sn->pages_empty = page_free_count(n);
    int e = net_init(n);
    ASSERT(e == 0);
    for (unsigned w = 0; w < s->nwires; w++)
        for (unsigned end = 0; end < s->wire[w].nends; end++)
            if (s->wire[w].node[end] == node)
                link_attach(s, &s->wire[w], end);
    e = services_start(n);
    ASSERT(e == 0);
    sn->idle = sim_counts(n);
    sim_poke(sn);
    sim_say(s, "%s: power on", sn->name);
}

void sim_power_off(struct sim *s, unsigned node)
{
    struct sim_node *sn = &s->node[node];
    struct node *n = sn->n;
    sim_say(s, "%s: power off", sn->name);
    host_node_enter(n);
    s->totals->trans_local += n->stat.trans_local;
    s->totals->trans_remote += n->stat.trans_remote;
    n->transport = NULL; // dead nodes tell no tales
    services_stop(n);
    net_fini(n);
    for (unsigned w = 0; w < s->nwires; w++)
        for (unsigned end = 0; end < s->wire[w].nends; end++)
            if (s->wire[w].node[end] == node) {
                free(s->wire[w].end[end]);
                s->wire[w].end[end] = NULL;
            }
    host_node_free(n);
    sn->n = NULL;
    sn->run_at_ns = UINT64_MAX;
}

static void node_step(struct sim *s, struct sim_node *sn)
{
    sn->run_at_ns = UINT64_MAX; // whatever the step does to others must not be lost
    if (host_node_step(sn->n)) {
        sn->busy_ns = s->now_ns + sim_between(&s->rand, STEP_LEAST_NS, STEP_MOST_NS);
        sn->run_at_ns = sn->busy_ns;
    } else {
        uint64_t at = host_node_deadline(sn->n);
        sn->run_at_ns = at == UINT64_MAX ? UINT64_MAX : at - sn->skew_ns;
    }
    sim_check_event(s, sn);
}

// --- Time ---------------------------------------------------------------------------------------------------

static struct sim_node *next_node(struct sim *s)
{
    struct sim_node *first = NULL;
    for (unsigned i = 0; i < s->nnodes; i++) {
        struct sim_node *sn = &s->node[i];
        if (sn->n && sn->run_at_ns != UINT64_MAX && (!first || sn->run_at_ns < first->run_at_ns))
            first = sn;
    }
    return first;
}

static uint64_t next_event(struct sim *s, struct sim_node **sn)
{
    *sn = next_node(s);
    uint64_t at = *sn ? (*sn)->run_at_ns : UINT64_MAX;
    if (s->nframes > 0 && s->heap[0]->at_ns <= at) {
        *sn = NULL;
        at = s->heap[0]->at_ns;
    }
    return at;
}

// Every trace event as it comes, for the search of a fault.
static void follow(struct sim *s)
{
    static const char *const names[] = {
#define X(name, text) text,
        TRACE_EVENTS(X)
#undef X
    };
    for (unsigned i = 0; i < s->nnodes; i++) {
        struct sim_node *sn = &s->node[i];
        if (!sn->n)
            continue;
        for (; sn->followed < sn->n->trace.count; sn->followed++) {
            const struct trace_event *e = &sn->n->trace.ev[sn->followed % TRACE_SIZE];
            sim_say(s, "%s %-9s %8x %16llx %16llx", sn->name, names[e->kind], e->a, (unsigned long long)e->b,
                    (unsigned long long)e->c);
        }
    }
}

static void event(struct sim *s, uint64_t at, struct sim_node *sn)
{
    if (at > s->now_ns)
        s->now_ns = at;
    s->events++;
    if (sn)
        node_step(s, sn);
    else
        deliver(s, heap_take(s));
    if (s->follow)
        follow(s);
}

void sim_step(struct sim *s)
{
    struct sim_node *sn;
    uint64_t at = next_event(s, &sn);
    if (at != UINT64_MAX)
        event(s, at, sn);
}

bool sim_run(struct sim *s, uint64_t ns, bool (*cond)(struct sim *s, void *arg), void *arg)
{
    uint64_t end = s->now_ns + ns;
    for (;;) {
        struct sim_node *sn;
        if (cond && cond(s, arg))
            return true;
        if (s->trouble[0])
            return false;
        uint64_t at = next_event(s, &sn);
        if (at > end)
            break;
        event(s, at, sn);
    }
    s->now_ns = end;
    return false;
}

// --- Beginning and end ------------------------------------------------------------------------------------------

struct sim *sim_new(const char *name, uint64_t seed, size_t node_pages, struct sim_totals *totals)
{
    struct sim *s = calloc(1, sizeof *s);
    if (!s)
        panic("no memory for the simulator");
    s->name = name;
    s->seed = seed;
    s->rand.s = seed;
    s->node_pages = node_pages;
    s->totals = totals;
    s->weather = (struct sim_weather){.delay_ns = 20000, .jitter_ns = 10000, .ns_per_byte = 8};
    memcpy(s->ring_key, "a ring key for the simulator....", sizeof s->ring_key);
    return s;
}

void sim_free(struct sim *s)
{
    for (unsigned i = 0; i < s->nnodes; i++)
        if (s->node[i].n)
            sim_power_off(s, i);
    while (s->nframes > 0)
        free(heap_take(s));
    s->totals->runs++;
    s->totals->events += s->events;
    s->totals->frames += s->frames_sent;
    free(s->heap);
    free(s);
}

// Cables of differing frame sizes: what fits the first may not fit the second.
void sim_ring(struct sim *s, unsigned nodes)
{
    static const uint32_t sizes[] = {SIM_FRAG_ETHERNET, WIRE_PAYLOAD_MAX, 8 * KIB, SIM_FRAG_ETHERNET};
    for (unsigned i = 0; i < nodes; i++)
        sim_add_node(s);
    unsigned cables = nodes == 2 ? 1 : nodes;
    for (unsigned i = 0; i < cables; i++)
        sim_add_wire(s, sizes[sim_below(&s->rand, 4)], i, (i + 1) % nodes);
    for (unsigned i = 0; i < nodes; i++)
        sim_power_on(s, i);
}
